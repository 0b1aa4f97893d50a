/* SPDX-License-Identifier: MIT */
/*
 * Signatures of files as minisign makes them (https://jedisct1.github.io/minisign/, "Signature
 * format"): Ed25519 over the file's BLAKE2b-512 (algorithm "ED") or, by older programs, over the
 * file itself ("Ed"); a second signature covers the first and the trusted comment.
 *
 * Pure: who has keys and files reads them.  Why something is refused is one clause without a full
 * stop whose subject ("FILE: ...", "Its signature ...") is the caller's to say.
 */
#ifndef FIRMWARE_SIGNATURE_H
#define FIRMWARE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

#define SIGNATURE_TEXT_MAX 10240 /* LIMIT: minisign's two comments and two lines of base64 */
#define SIGNATURE_KEYS_MAX 32	 /* LIMIT: keys that are trusted at one time */
#define SIGNATURE_WHY_MAX 256
#define SIGNATURE_SIGNER_MAX                                                                       \
	17 /* the key's id: 16 capital hex digits; minisign shows it without zeros in front */
#define SIGNATURE_ENDING ".minisig"

struct signature_key {
	char signer[SIGNATURE_SIGNER_MAX];
	uint8_t bytes[32];
};

/* All zero: no key is trusted. */
struct signature_keys {
	struct signature_key list[SIGNATURE_KEYS_MAX];
	size_t count;
};

/* Adds the key of a public key file (minisign.pub); one that is there already is added once.  0, or
 * -EINVAL with ret_why. */
int signature_add_key(struct signature_keys *keys, const char *text, size_t size,
		      char ret_why[SIGNATURE_WHY_MAX]) MUST_CHECK;

struct signature_result {
	char signer[SIGNATURE_SIGNER_MAX]; /* "" unless it is good */
	char why[SIGNATURE_WHY_MAX];	   /* it is not; "" */
};

/*
 * Is this (the text of a .minisig file) the signature of these bytes, by one of the keys?  0;
 * -ENOKEY: by a key that is not there; -EINVAL.
 */
int signature_check(const struct signature_keys *keys, const char *signature, const void *data,
		    size_t size, struct signature_result *ret_result) MUST_CHECK;

/* Is the key of this id there?  False for NULL and "". */
bool signature_trusts(const struct signature_keys *keys, const char *signer);

#endif
