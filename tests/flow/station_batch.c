/* SPDX-License-Identifier: MIT */
/*
 * I21, the batch: own reading of its rule, from the rows on disk.
 *
 *   batch_let     never more drones are let begin than canaries are asked for, before as many have
 *                 ended well; none after the batch has stopped
 *   batch_told    it has stopped when it must have, and not without a cause
 *   batch_quiet   each drone is counted once, by its first and its last ending
 *
 * A drone that does not say who it is may be taken for another, or for none: where that matters the
 * rule is read both ways, and the fleet has to be in between.
 */
#include "config.h"

#include "flow/station.h"

#include <stdlib.h>

#include "flow/station_parts.h"

/* The batch as the rows have it. */
struct reading {
	const struct station_row
	    *rows[STATION_ROWS_MAX]; /* that have ended in it, in their order */
	size_t count;
	bool maybe_open, must_stop, may_stop;
	unsigned proven, least; /* different canaries that have ended well; at most, at least */
};

static bool
is_in_batch(const struct station *s, const struct station_row *row)
{
	return row->durable && row->flashes && row->begun_us >= s->batch.begun_us;
}

static bool
says_who(const struct station_row *row)
{
	return strlen(row->serial) == 24 && !row->record.dup_serial;
}

static bool
is_good(const struct station_row *row)
{
	return row->verdict.kind == VERDICT_PASS || row->verdict.kind == VERDICT_UNCHANGED;
}

static bool
is_bad(const struct station_row *row)
{
	return row->verdict.kind == VERDICT_NEEDS_BUTTON ||
	       (row->verdict.kind == VERDICT_FAIL && row->verdict.fault != FAULT_SUSPEND);
}

/* It had a permit; certain: it cannot have ended without one. */
static bool
had_permit(const struct station_row *row, bool certain)
{
	return row->verdict.step > STEP_ASKING &&
	       !(certain && row->adopted && row->verdict.step == STEP_PROBING);
}

static int
by_order(const void *a, const void *b)
{
	const struct station_row *const *x = a, *const *y = b;

	return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* Is there one before the i-th, from the first-th on, that is the same drone and alike? */
static bool
is_repeated(const struct reading *r, size_t i, size_t first,
	    bool (*alike)(const struct station_row *row))
{
	for (size_t k = first; says_who(r->rows[i]) && k < i; k++)
		if (says_who(r->rows[k]) && alike(r->rows[k]) &&
		    strcmp(r->rows[k]->serial, r->rows[i]->serial) == 0)
			return true;
	return false;
}

static void
read_ending(const struct station *s, struct reading *r, size_t i, size_t *canaries_from,
	    size_t *failures_from)
{
	const struct station_row *row = r->rows[i];
	enum fault fault = row->verdict.fault;
	unsigned sure = 0, failures = 0;

	if (is_good(row) && had_permit(row, false) && !r->maybe_open &&
	    !is_repeated(r, i, *canaries_from, is_good))
		r->proven++;
	if (is_good(row) && had_permit(row, true) && !r->maybe_open && says_who(row) &&
	    !is_repeated(r, i, 0, is_good))
		r->least++;
	r->maybe_open = r->maybe_open || r->proven >= s->batch.terms.canary;
	if (!is_bad(row))
		return;
	for (size_t k = *failures_from; k <= i; k++) {
		failures += is_bad(r->rows[k]);
		sure += is_bad(r->rows[k]) && says_who(r->rows[k]) &&
			!is_repeated(r, k, *failures_from, is_bad);
	}
	if (s->batch.terms.stop_after > 0 && failures >= s->batch.terms.stop_after)
		r->may_stop = true;
	if (s->batch.terms.stop_after > 0 && sure >= s->batch.terms.stop_after)
		r->must_stop = true;
	if (s->batch.terms.canary == 0 || fault == FAULT_GONE || fault == FAULT_DARK)
		return;
	/* WHY also when it is perhaps open: canaries of which one was counted twice. */
	if (had_permit(row, false)) {
		r->may_stop = true;
		r->least = 0;
	}
	if (had_permit(row, true) && !r->maybe_open) {
		r->must_stop = true;
		r->proven = 0;
		*canaries_from = i + 1;
	}
}

static const struct reading *
read_batch(struct station *s)
{
	static struct reading r;
	size_t canaries_from = 0, failures_from = 0, resumed = 0;

	r = (struct reading){ .maybe_open = s->batch.terms.canary == 0 };
	for (size_t i = 0; i < s->row_count; i++)
		if (is_in_batch(s, &s->rows[i]) && s->rows[i].verdict_durable)
			r.rows[r.count++] = &s->rows[i];
	qsort(r.rows, r.count, sizeof(r.rows[0]), by_order);
	for (size_t i = 0; i < r.count; i++) {
		for (; resumed < s->batch.resume_count &&
		       s->batch.resumed[resumed] < r.rows[i]->order;
		     resumed++) {
			failures_from = i;
			r.must_stop = r.may_stop = false;
		}
		read_ending(s, &r, i, &canaries_from, &failures_from);
	}
	if (resumed < s->batch.resume_count)
		r.must_stop = r.may_stop = false;
	return &r;
}

void
batch_let(struct station *s, struct seat *seat)
{
	const struct station_row *row = station_last(s, seat->port);
	const struct reading *r;
	unsigned at_work = 0;

	if (!s->batch.checked || row == NULL || row->verdict_durable || !is_in_batch(s, row) ||
	    seat->let_row == row->id)
		return;
	seat->let_row = row->id;
	r = read_batch(s);
	for (size_t i = 0; i < s->seat_count; i++) {
		const struct station_row *other =
		    s->seats[i].let_row > 0 ? disk_row(s, s->seats[i].let_row) : NULL;

		at_work += other != NULL && !other->verdict_durable;
	}
	if (!r->maybe_open && at_work + r->least > s->batch.terms.canary)
		station_break(s, "I21: %u drones are at work and %u canaries of %u have ended well",
			      at_work, r->least, s->batch.terms.canary);
	if (s->batch.stopped_us != 0 && row->begun_us > s->batch.stopped_us && !seat->goes_on)
		station_break(s, "I21: %s is let begin in a batch that has stopped", seat->port);
	seat->goes_on = false;
}

/* WHY: what a drone is may show in DFU mode alone; its row follows then, long after its permit. */
static void
note_stop(struct station *s)
{
	s->batch.stopped_us = station_now_us(s);
	for (size_t i = 0; i < s->seat_count; i++) {
		int slot = fleet_find(s->fleet, s->seats[i].port);
		struct slot_view v = { .begun = false };

		if (slot >= 0)
			fleet_view(s->fleet, (unsigned)slot, station_now_us(s), &v);
		s->seats[i].goes_on = v.begun;
	}
}

void
batch_told(struct station *s)
{
	bool has_stopped = batch_stopped(fleet_batch(s->fleet))[0] != '\0';
	const struct reading *r;

	if (!s->batch.checked || !disk_is_seen(s))
		return;
	r = read_batch(s);
	if (r->must_stop && (!has_stopped || !fleet_paused(s->fleet)))
		station_break(s, "I21: the batch has to stop and goes on");
	if (has_stopped && !r->may_stop)
		station_break(s, "I21: without a cause: %s", batch_stopped(fleet_batch(s->fleet)));
	if (has_stopped && s->batch.stopped_us == 0)
		note_stop(s);
}

/* Is this the drone's last ending? */
static bool
is_last(const struct reading *r, size_t i)
{
	for (size_t k = i + 1; k < r->count; k++)
		if (strcmp(r->rows[k]->serial, r->rows[i]->serial) == 0)
			return false;
	return true;
}

static bool
is_any(const struct station_row *row)
{
	(void)row;
	return true;
}

void
batch_quiet(struct station *s)
{
	const struct reading *r;
	struct batch_counts own = { 0 }, fleets;
	unsigned sure = 0;

	if (!s->batch.checked || !disk_is_seen(s))
		return;
	r = read_batch(s);
	batch_counts(fleet_batch(s->fleet), &fleets);
	for (size_t i = 0; i < r->count; i++) {
		bool first = !is_repeated(r, i, 0, is_any), is_the_last = is_last(r, i);
		enum verdict_kind kind = r->rows[i]->verdict.kind;

		own.drones += first;
		sure += first && says_who(r->rows[i]);
		own.first_good += first && is_good(r->rows[i]);
		own.good += is_the_last && is_good(r->rows[i]);
		own.failed +=
		    is_the_last && (kind == VERDICT_FAIL || kind == VERDICT_NEEDS_BUTTON ||
				    kind == VERDICT_INTERRUPTED);
	}
	if (fleets.drones < sure || fleets.drones > own.drones)
		station_break(s, "I21: %u to %u drones, and %u are counted", sure, own.drones,
			      fleets.drones);
	if (sure != own.drones)
		return; /* some may be the same */
	if (own.good != fleets.good || own.failed != fleets.failed ||
	    own.first_good != fleets.first_good)
		station_break(s, "I21: %u good, %u failed, %u at once, and counted are %u, %u, %u",
			      own.good, own.failed, own.first_good, fleets.good, fleets.failed,
			      fleets.first_good);
}

/* ---- life -------------------------------------------------------------------------------- */

void
station_begin_batch(struct station *s, const struct batch_terms *terms)
{
	if (fleet_begin_batch(s->fleet, terms) < 0)
		abort();
	/* WHY not with drones at work: the rows do not say which of them had a permit before. */
	s->batch = (struct station_batch){ .terms = *terms,
					   .runs = true,
					   .checked = fleet_active(s->fleet) == 0,
					   .begun_us = station_now_us(s) };
	station_dispatch(s);
}

void
station_end_batch(struct station *s)
{
	batch_quiet(s);
	s->batch.runs = s->batch.checked = false;
	fleet_end_batch(s->fleet);
	station_dispatch(s);
}

void
batch_resumed(struct station *s)
{
	s->batch.stopped_us = 0;
	if (s->batch.resume_count < STATION_RESUMES_MAX)
		s->batch.resumed[s->batch.resume_count++] = s->ending_total;
	else
		s->batch.checked = false;
}

void
batch_restarted(struct station *s)
{
	const struct reading *r;

	if (!s->batch.runs)
		return;
	if (fleet_begin_batch(s->fleet, &s->batch.terms) < 0)
		abort();
	r = read_batch(s);
	for (size_t i = 0; i < r->count; i++) {
		const struct station_row *row = r->rows[i];
		const struct update_ending e = {
			.serial = row->record.dup_serial ? "" : row->serial,
			.dfu_serial =
			    row->record.dup_serial || row->record.no_serial ? "" : row->dfu_serial,
			.port = row->port,
			.label = "",
			.verdict = row->verdict,
			.forgiven = s->batch.resume_count > 0 &&
				    row->order <= s->batch.resumed[s->batch.resume_count - 1],
		};

		fleet_recall_batch(s->fleet, &e);
	}
	if (s->disk_error != 0) /* WHY: the service recalls it when its records can be read */
		s->batch.checked = false;
	if (batch_stopped(fleet_batch(s->fleet))[0] == '\0')
		s->batch.stopped_us = 0;
	if (r->must_stop && s->batch.stopped_us == 0)
		station_break(s, "I21: the batch had to stop, and goes on after a restart");
}
