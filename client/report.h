/* SPDX-License-Identifier: MIT */
/*
 * The report of a batch, put together from the station's answers: the batch itself, its drones by
 * their last attempt in it, and its yield; as text, page, CSV or JSON.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include <jansson.h>

#include "client/fields.h"
#include "client/out.h"
#include "client/params.h"

/*
 * drones: those that failed first, each as its last attempt that has ended, with version_before of
 * its first one, and further members: name, attempts (how many), first_verdict.
 */
struct report {
	json_t *reply; /* of GetBatch */
	json_t *batch; /* in it */
	json_t *drones;
	json_t *known;		    /* the same by serial and by DFU serial */
	json_t *by_slot, *by_drone; /* replies of Stats */
};

/* Members of a batch: its terms, and its results. */
extern const struct field report_asked[], report_reached[];
/* Of a reply of Stats. */
extern const struct field report_findings[];

/* p: of GetBatch.  0, or an exit status after having said why.  Ends with report_done(). */
int report_ask(const struct session *s, const struct params *p, struct report *r) MUST_CHECK;
void report_done(struct report *r);

int report_print(const struct session *s, const struct report *r); /* an exit status */
void report_csv(const struct report *r);
void report_json(const struct report *r);
void report_html(const struct report *r); /* one self-contained page */

/* A reply with a batch, in lines of text; of conn_run().  Its terms; all of it. */
int report_print_asked(const struct session *s, const json_t *reply);
int report_print_batch(const struct session *s, const json_t *reply);

/* Of a Yield: "22 of 25 (69-96 %)", "" where nothing was tried. */
struct text yield_first_pass(const json_t *yield);
/* "Ada (5100...)": name and key of a Yield. */
struct text yield_called(const json_t *yield);

#endif
