/* SPDX-License-Identifier: MIT */
/* Attempts on paper: table, CSV, one in full. */
#ifndef CLIENT_ATTEMPTS_H
#define CLIENT_ATTEMPTS_H

#include <jansson.h>

struct session;

int attempts_table(const struct session *s, const json_t *attempts); /* an exit status */

/*
 * RFC 4180 with the columns of the database's view; texts that a spreadsheet would take for a
 * formula get an apostrophe in front.
 */
void attempts_csv(const json_t *attempts);

/* One attempt with its stages. */
void attempt_print(const struct session *s, const json_t *attempt, const json_t *stages);

#endif
