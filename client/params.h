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
 * value NULL: nothing is set.  0; or an exit status after having said why (it is not UTF-8, no
 * memory).
 */
int params_text(json_t *parameters, const char *key, const char *value) MUST_CHECK;
int params_texts(json_t *parameters, const char *key, char *const *values, int count) MUST_CHECK;

/* Sets the value of this option of the command line under the given key, when it was given. */
int params_option(json_t *parameters, const char *key, const struct invocation *i,
		  const char *option) MUST_CHECK;

/* Sets true when the switch was given. */
int params_switch(json_t *parameters, const char *key, const struct invocation *i,
		  const char *option) MUST_CHECK;
int params_number(json_t *parameters, const char *key, json_int_t value) MUST_CHECK;

/* Says that the word is no platform, which there are (none: whether that may be said), and what
 * is near; the exit status. */
int params_no_platform(const struct invocation *i, const char *word, bool none);

#endif
