/* SPDX-License-Identifier: MIT */
/*
 * Varlink's messages: bytes to and from JSON objects ended by NUL (varlink.org), within limits.
 * Pure. Nothing here trusts a byte: what the other end sends is refused with a sentence, never
 * asserted.
 */
#ifndef WIRE_VARLINK_H
#define WIRE_VARLINK_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/util.h"

/* Collects bytes until messages are whole. */
struct varlink_in;

int varlink_in_new(size_t message_bytes_max, struct varlink_in **ret_in) MUST_CHECK;
void varlink_in_free(struct varlink_in *in); /* NULL is fine */

/*
 * How many bytes varlink_in_add() takes now; 0 when a whole message, or one that is too long,
 * waits.
 */
size_t varlink_in_room(const struct varlink_in *in);

/* 0; -ENOBUFS for more than there is room; -ENOMEM.  Nothing is added on failure. */
int varlink_in_add(struct varlink_in *in, const void *bytes, size_t count) MUST_CHECK;

/*
 * 1: *ret_text (count bytes, followed by a NUL) is the next message, good until the next call on
 * in; 0: none is whole yet; -EMSGSIZE: what is there can never become one, the connection is of no
 * more use.
 */
int varlink_in_next(struct varlink_in *in, const char **ret_text, size_t *ret_count) MUST_CHECK;

/*
 * Bytes of the stream consumed by varlink_in_next() so far, and added so far: to place passed
 * descriptors.
 */
uint64_t varlink_in_consumed(const struct varlink_in *in);
uint64_t varlink_in_added(const struct varlink_in *in);

struct varlink_call {
	json_t *whole;	    /* owns what the others point to */
	const char *method; /* "interface.Method", well-formed */
	json_t *parameters; /* an object, never NULL */
	bool more, oneway, upgrade;
};

struct varlink_reply {
	json_t *whole;
	const char *error;  /* NULL when it is none */
	json_t *parameters; /* an object, never NULL */
	bool continues;
};

/*
 * 0; -EINVAL with *ret_why (a static sentence) for anything but a call or reply: JSON that is
 * malformed, nested too deeply, or has a key twice; -ENOMEM.
 */
int varlink_parse_call(const char *text, size_t count, struct varlink_call *ret_call,
		       const char **ret_why) MUST_CHECK;
int varlink_parse_reply(const char *text, size_t count, struct varlink_reply *ret_reply,
			const char **ret_why) MUST_CHECK;
void varlink_call_done(struct varlink_call *call);    /* a zeroed one is fine */
void varlink_reply_done(struct varlink_reply *reply); /* a zeroed one is fine */

#define VARLINK_MORE 1U
#define VARLINK_ONEWAY 2U
#define VARLINK_CONTINUES 4U

/*
 * A message with its NUL, malloc()ed, *ret_count bytes in all.  parameters are borrowed; NULL is
 * {}.  error NULL: a good reply.  0; -EMSGSIZE when it would be over bytes_max; -ENOMEM.
 */
int varlink_format_call(const char *method, json_t *parameters, unsigned flags, size_t bytes_max,
			char **ret_text, size_t *ret_count) MUST_CHECK;
int varlink_format_reply(const char *error, json_t *parameters, unsigned flags, size_t bytes_max,
			 char **ret_text, size_t *ret_count) MUST_CHECK;

/*
 * Splits "org.cfdfu.Station.Pause" at its last dot: length of the interface part, 0 when malformed.
 */
size_t varlink_interface_length(const char *method);

#endif
