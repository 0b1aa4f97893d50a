/* SPDX-License-Identifier: MIT */
/* Parameters and answers of the control interface: values as JSON, and refusals in words. */
#ifndef APP_REPLY_H
#define APP_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/platform.h"
#include "ctl/server.h"
#include "firmware/judge_json.h"
#include "store/store.h"

/* NULL: it was not given. */
const char *param_text(json_t *parameters, const char *name);
bool param_flag(json_t *parameters, const char *name);
/* False after having refused what names no platform.  PLATFORM_UNKNOWN: it was not given. */
bool param_platform(struct call *call, json_t *parameters, const char *name, enum platform *ret);

/* Texts may come from devices: they are made valid, and free of control characters. */
json_t *reply_text(const char *text);			  /* NULL or "" -> null */
json_t *reply_words(const char *words, const char *port); /* with the port for SLOT */
json_t *reply_moment(int64_t wall_ms);			  /* ISO 8601, UTC, of 0 or more */
json_t *reply_time(int64_t wall_ms);			  /* the same; <= 0 -> null */
json_t *reply_number(int64_t n, int64_t none);		  /* none -> null */
json_t *reply_platform(enum platform p);		  /* unknown -> null */
/* "A1, A2, 1-7": one more name, cut where there is no room for it. */
void reply_join(char *names, size_t size, const char *name);
/* One more sentence for the operator. */
void reply_note(json_t *notes, const char *format, ...) PRINTF_LIKE(2, 3);

/* "WHAT: why not.", by the records' health where that is why. */
void refuse_store(struct call *call, const struct store *s, int error, const char *what);
void refuse_descriptor(struct call *call, int error, const char *why); /* of memfile_read() */
void refuse_unknown_firmware(struct call *call, const char *name);

#endif
