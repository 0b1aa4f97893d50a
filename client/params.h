/* SPDX-License-Identifier: MIT */
/* Parameters of calls from words of the command line. */
#ifndef CLIENT_PARAMS_H
#define CLIENT_PARAMS_H

#include <jansson.h>
#include <stdbool.h>

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

/* The arguments and options of the command line, as the command's descriptor names them. */
struct params params_of(const struct invocation *i);
struct params params_new(void); /* none yet */
void params_done(struct params *p);

void params_text(struct params *p, const char *key, const char *value); /* NULL: nothing is set */
void params_texts(struct params *p, const char *key, char *const *values, int count);
void params_number(struct params *p, const char *key, json_int_t value);

/* 0 for a platform (none: or "none") and for NULL; else says so, and what is near; EXIT_USAGE. */
int params_check_platform(const struct invocation *i, const char *word, bool none) MUST_CHECK;

#endif
