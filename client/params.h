/* SPDX-License-Identifier: MIT */
/* Parameters of calls from words of the command line. */
#ifndef CLIENT_PARAMS_H
#define CLIENT_PARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/util.h"

struct invocation;

/*
 * status: 0, or the exit status of the first one that could not be set, which has said why (it is
 * not UTF-8, no memory).  A call with such parameters is not made: it would mean something else.
 */
struct params {
	json_t *object;
	int status;
};

struct params params_new(void);
void params_done(struct params *p);

void params_text(struct params *p, const char *key, const char *value); /* NULL: nothing is set */
void params_texts(struct params *p, const char *key, char *const *values, int count);
void params_number(struct params *p, const char *key, json_int_t value);

/* The first argument of the command line, when there is one. */
void params_argument(struct params *p, const char *key, const struct invocation *i);

/* The value of an option of the command line, when it was given; true, when the switch was. */
void params_option(struct params *p, const char *key, const struct invocation *i,
		   const char *option);
void params_switch(struct params *p, const char *key, const struct invocation *i,
		   const char *option);

/* 0 for a platform (none: or "none") and for NULL; else says so, and what is near; EXIT_USAGE. */
int params_check_platform(const struct invocation *i, const char *word, bool none) MUST_CHECK;

#endif
