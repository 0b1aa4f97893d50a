/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/brake.h"
#include "core/outcome.h"
#include "core/slot_class.h"

struct member {
	struct brake_drone who;
	enum verdict_kind first, last;
	bool ready;
	unsigned failed_in, proven_in; /* the batch's counts of then; 0 never */
};

struct batch {
	struct batch_terms terms;
	struct member *members; /* WHY room for all: memory that is not used is not there */
	unsigned count;
	char canaries[BATCH_CANARY_MAX][PORT_TEXT_MAX]; /* that are at work */
	unsigned canary_count;
	unsigned proven, proven_count; /* canaries that have ended well; how often counted anew */
	unsigned failed, failed_count; /* drones; likewise */
	char stopped[BATCH_REASON_MAX];
};

int
batch_new(const struct batch_terms *terms, struct batch **ret_batch)
{
	struct batch *b;

	if (terms->canary > BATCH_CANARY_MAX)
		return -ERANGE;
	b = calloc(1, sizeof(*b));
	if (b != NULL)
		b->members = calloc(BATCH_DRONES_MAX, sizeof(*b->members));
	if (b == NULL || b->members == NULL) {
		free(b);
		return -ENOMEM;
	}
	b->terms = *terms;
	b->proven_count = b->failed_count = 1;
	*ret_batch = b;
	return 0;
}

void
batch_free(struct batch *b)
{
	if (b != NULL)
		free(b->members);
	free(b);
}

const struct batch_terms *
batch_terms(const struct batch *b)
{
	return &b->terms;
}

const char *
batch_stopped(const struct batch *b)
{
	return b != NULL ? b->stopped : "";
}

static bool
is_good(enum verdict_kind kind)
{
	return kind == VERDICT_PASS || kind == VERDICT_UNCHANGED;
}

void
batch_counts(const struct batch *b, struct batch_counts *ret_counts)
{
	*ret_counts = (struct batch_counts){ .drones = b->count };
	for (unsigned i = 0; i < b->count; i++) {
		const struct member *m = &b->members[i];

		ret_counts->good += is_good(m->last);
		ret_counts->ready += is_good(m->last) && m->ready;
		ret_counts->failed += slot_class_failed(m->last);
		ret_counts->first_good += is_good(m->first);
	}
}

/* ---- drones --------------------------------------------------------------------------------- */

/* WHY not by the port of one that is known: the next drone there may be another. */
static bool
is_same(const struct brake_drone *a, const struct brake_drone *b)
{
	if ((a->serial[0] != '\0' && b->serial[0] != '\0') ||
	    (a->dfu_serial[0] != '\0' && b->dfu_serial[0] != '\0'))
		return brake_is_same_drone(a, b);
	return a->serial[0] == '\0' && a->dfu_serial[0] == '\0' && b->serial[0] == '\0' &&
	       b->dfu_serial[0] == '\0' && strcmp(a->port, b->port) == 0;
}

/* The drone of this ending.  NULL: it is new, and there is no room for it, or none wanted. */
static struct member *
member_of(struct batch *b, const struct update_ending *e, bool add)
{
	struct member new = { .who = brake_drone(e), .first = e->verdict.kind };

	for (unsigned i = 0; i < b->count; i++)
		if (is_same(&b->members[i].who, &new.who))
			return &b->members[i];
	if (!add || b->count == BATCH_DRONES_MAX)
		return NULL;
	b->members[b->count] = new;
	return &b->members[b->count++];
}

/* ---- canaries ------------------------------------------------------------------------------- */

static bool
is_open(const struct batch *b)
{
	return b->proven >= b->terms.canary;
}

bool
batch_admits(const struct batch *b)
{
	return b->stopped[0] == '\0' &&
	       (is_open(b) || b->proven + b->canary_count < b->terms.canary);
}

void
batch_begun(struct batch *b, const char *port)
{
	if (!is_open(b) && b->canary_count < BATCH_CANARY_MAX)
		copy_text(b->canaries[b->canary_count++], PORT_TEXT_MAX, port);
}

unsigned
batch_waits_for(const struct batch *b, const char *ret_ports[BATCH_CANARY_MAX])
{
	if (is_open(b))
		return 0;
	for (unsigned i = 0; i < b->canary_count; i++)
		ret_ports[i] = b->canaries[i];
	return b->canary_count;
}

bool
batch_left(struct batch *b, const char *port)
{
	unsigned i = 0;

	while (i < b->canary_count && strcmp(b->canaries[i], port) != 0)
		i++;
	if (i == b->canary_count)
		return false;
	b->canary_count--;
	memmove(b->canaries[i], b->canaries[i + 1], (b->canary_count - i) * PORT_TEXT_MAX);
	return true;
}

/* ---- endings -------------------------------------------------------------------------------- */

void
batch_place(const char *label, const char *port, char out[BATCH_PLACE_MAX])
{
	bool labelled = label != NULL && label[0] != '\0';

	(void)snprintf(out, BATCH_PLACE_MAX, labelled ? "%s (%s)" : "%s%s", labelled ? label : "",
		       port);
}

/* WHY not of a machine that slept: its drones are done again without being asked for. */
static bool
is_bad(const struct verdict *v)
{
	return v->kind == VERDICT_NEEDS_BUTTON ||
	       (v->kind == VERDICT_FAIL && v->fault != FAULT_SUSPEND);
}

static void
stop(struct batch *b, const struct update_ending *e, bool by_canary)
{
	const char *fault = fault_name(e->verdict.fault);
	char place[BATCH_PLACE_MAX], count[48];

	batch_place(e->label, e->port, place);
	(void)snprintf(count, sizeof(count), "%u drone%s failed, the last on", b->failed,
		       b->failed == 1 ? " has" : "s have");
	(void)snprintf(b->stopped, sizeof(b->stopped),
		       "Batch \"%s\" has stopped: %s %s (%s). 'cfdfuctl resume' goes on.",
		       b->terms.name, by_canary ? "its canary failed on" : count, place,
		       fault != NULL ? fault : verdict_name(e->verdict.kind));
}

/* A drone that was met by either serial before it showed both was taken for two. */
static void
make_one(struct batch *b, struct member *m)
{
	struct member *other = m + 1, *end = &b->members[b->count];

	while (other < end && !is_same(&m->who, &other->who))
		other++;
	if (other == end)
		return;
	if (other->failed_in == b->failed_count && m->failed_in == b->failed_count)
		b->failed--;
	if (other->proven_in == b->proven_count && m->proven_in == b->proven_count)
		b->proven--;
	m->failed_in = m->failed_in > other->failed_in ? m->failed_in : other->failed_in;
	m->proven_in = m->proven_in > other->proven_in ? m->proven_in : other->proven_in;
	memmove(other, other + 1, (size_t)(end - other - 1) * sizeof(*other));
	b->count--;
}

/* The drone of this ending, as that leaves it. */
static void
note(struct batch *b, const struct update_ending *e, bool canary)
{
	struct member *m = member_of(b, e, true);

	if (m == NULL)
		return;
	if (m->who.serial[0] == '\0')
		copy_text(m->who.serial, sizeof(m->who.serial), e->serial);
	if (m->who.dfu_serial[0] == '\0')
		copy_text(m->who.dfu_serial, sizeof(m->who.dfu_serial), e->dfu_serial);
	make_one(b, m);
	m->last = e->verdict.kind;
	m->ready = e->ready;
	if (is_bad(&e->verdict) && m->failed_in != b->failed_count) {
		m->failed_in = b->failed_count;
		b->failed++;
	}
	if (canary && is_good(m->last) && m->proven_in != b->proven_count) {
		m->proven_in = b->proven_count;
		b->proven++;
	}
}

/* An ending; canary: of one. */
static bool
count_ending(struct batch *b, const struct update_ending *e, bool canary)
{
	enum fault fault = e->verdict.fault;
	bool failed;

	canary = canary && !is_open(b);
	failed = canary && is_bad(&e->verdict) && fault != FAULT_GONE && fault != FAULT_DARK;
	note(b, e, canary);
	if (failed) {
		b->proven = 0;
		b->proven_count++;
	}
	if (b->stopped[0] != '\0' || !is_bad(&e->verdict))
		return false;
	if (failed)
		stop(b, e, true);
	else if (b->terms.stop_after > 0 && b->failed >= b->terms.stop_after)
		stop(b, e, false);
	return b->stopped[0] != '\0';
}

bool
batch_ended(struct batch *b, const struct update_ending *e)
{
	return count_ending(b, e, batch_left(b, e->port));
}

bool
batch_recall(struct batch *b, const struct update_ending *e)
{
	/* WHY: a drone that was only asked, or refused at that, needed no permit. */
	bool stopped = count_ending(b, e, e->verdict.step > STEP_ASKING);

	if (e->forgiven)
		batch_resume(b);
	return stopped && !e->forgiven;
}

void
batch_judged(struct batch *b, const struct update_ending *e)
{
	struct member *m = member_of(b, e, false);

	if (m != NULL)
		m->ready = e->ready;
}

void
batch_resume(struct batch *b)
{
	b->stopped[0] = '\0';
	b->failed = 0;
	b->failed_count++;
}
