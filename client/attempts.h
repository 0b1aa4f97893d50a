/* SPDX-License-Identifier: MIT */
/* Attempts on paper: table, CSV, one in full. */
#ifndef CLIENT_ATTEMPTS_H
#define CLIENT_ATTEMPTS_H

#include <jansson.h>
#include <stdbool.h>

struct session;

int attempts_table(const struct session *s, const json_t *attempts); /* an exit status */

/*
 * RFC 4180 with the columns of the database's view, and more (NULL ends them); texts that a
 * spreadsheet would take for a formula get an apostrophe in front.  Page by page.
 */
void attempts_csv_heading(const char *const *more);
void attempts_csv_rows(const json_t *attempts, const char *const *more);

/* One document {"attempts": [...], "next": ...}, page by page; first: nothing was printed yet. */
void attempts_json_rows(const json_t *attempts, bool first);
void attempts_json_end(bool empty, json_int_t next);

/* One attempt with its stages. */
void attempt_print(const struct session *s, const json_t *attempt, const json_t *stages);

#endif
