/* SPDX-License-Identifier: MIT */
/* The service's errors as sentences and exit statuses. */
#ifndef CLIENT_COMPLAIN_H
#define CLIENT_COMPLAIN_H

#include <jansson.h>

struct session;

/* Says what the error means (with --json: as a document on standard error); the exit status. */
int complain(const struct session *s, const char *error, json_t *parameters);

/* The findings of an image's judge on standard error, but for the one that is the reason. */
void complain_findings(const json_t *findings, const char *reason);

#endif
