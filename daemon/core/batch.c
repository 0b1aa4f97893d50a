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

enum { DRONES_AT_FIRST = 64 };

struct member {
	struct brake_drone who;
	bool good, failed, ready; /* by its last ending */
	bool first_good;
	bool against; /* has failed since the beginning, or since the operator resumed */
	bool proven;  /* has ended well as a canary */
};

struct batch {
	struct batch_terms terms;
	struct member *members;
	unsigned count, room;
	char canaries[BATCH_CANARY_MAX][PORT_TEXT_MAX]; /* that are at work */
	unsigned canary_count;
	unsigned proven; /* canaries that have ended well */
	char stopped[BATCH_REASON_MAX];
};

int
batch_new(const struct batch_terms *terms, struct batch **ret_batch)
{
	struct batch *b;

	if (terms->canary > BATCH_CANARY_MAX)
		return -ERANGE;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	b->terms = *terms;
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

void
batch_counts(const struct batch *b, struct batch_counts *ret_counts)
{
	*ret_counts = (struct batch_counts){ .drones = b->count };
	for (unsigned i = 0; i < b->count; i++) {
		const struct member *m = &b->members[i];

		ret_counts->good += m->good;
		ret_counts->ready += m->good && m->ready;
		ret_counts->failed += m->failed;
		ret_counts->first_good += m->first_good;
	}
}

/* ---- drones --------------------------------------------------------------------------------- */

static struct member *
find(struct batch *b, const struct brake_drone *who)
{
	for (unsigned i = 0; i < b->count; i++)
		if (brake_is_same_drone(&b->members[i].who, who))
			return &b->members[i];
	return NULL;
}

/* NULL: there is no room for another one. */
static struct member *
add(struct batch *b, const struct brake_drone *who)
{
	unsigned room = b->room > 0 ? 2 * b->room : DRONES_AT_FIRST;
	struct member *more;

	if (b->count == b->room) {
		more = room <= BATCH_DRONES_MAX ? realloc(b->members, room * sizeof(*more)) : NULL;
		if (more == NULL)
			return NULL;
		b->members = more;
		b->room = room;
	}
	b->members[b->count] = (struct member){ .who = *who };
	return &b->members[b->count++];
}

static struct brake_drone
drone_of(const struct batch_ending *e)
{
	struct brake_drone d;

	copy_text(d.serial, sizeof(d.serial), e->serial);
	copy_text(d.dfu_serial, sizeof(d.dfu_serial), e->dfu_serial);
	copy_text(d.port, sizeof(d.port), e->port);
	return d;
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

/* True: it was one. */
static bool
remove_canary(struct batch *b, const char *port)
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

void
batch_left(struct batch *b, const char *port)
{
	(void)remove_canary(b, port);
}

/* ---- endings -------------------------------------------------------------------------------- */

void
batch_place(const char *label, const char *port, char out[BATCH_PLACE_MAX])
{
	(void)snprintf(out, BATCH_PLACE_MAX, label[0] != '\0' ? "%s (%s)" : "%s%s", label, port);
}

static bool
is_good(const struct verdict *v)
{
	return v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED;
}

/* WHY not of a machine that slept: its drones are done again without being asked for. */
static bool
is_bad(const struct verdict *v)
{
	return v->kind == VERDICT_NEEDS_BUTTON ||
	       (v->kind == VERDICT_FAIL && v->fault != FAULT_SUSPEND);
}

/* How many different drones have failed. */
static unsigned
against(const struct batch *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->count; i++)
		n += b->members[i].against;
	return n;
}

static void
stop(struct batch *b, const struct batch_ending *e, bool by_canary)
{
	const char *fault = fault_name(e->verdict.fault);
	char place[BATCH_PLACE_MAX], count[48];

	batch_place(e->label, e->port, place);
	(void)snprintf(count, sizeof(count), "%u drone%s failed, the last on", against(b),
		       against(b) == 1 ? " has" : "s have");
	(void)snprintf(b->stopped, sizeof(b->stopped),
		       "Batch \"%s\" has stopped: %s %s (%s). 'cfdfuctl resume' goes on.",
		       b->terms.name, by_canary ? "its canary failed on" : count, place,
		       fault != NULL ? fault : verdict_name(e->verdict.kind));
}

/* The drone of this ending, as that leaves it. */
static void
note(struct batch *b, const struct batch_ending *e, bool canary)
{
	const struct brake_drone who = drone_of(e);
	struct member *m = find(b, &who);
	bool good = is_good(&e->verdict);

	if (m == NULL) {
		m = add(b, &who);
		if (m == NULL)
			return;
		m->first_good = good;
	}
	if (m->who.serial[0] == '\0')
		copy_text(m->who.serial, sizeof(m->who.serial), e->serial);
	if (m->who.dfu_serial[0] == '\0')
		copy_text(m->who.dfu_serial, sizeof(m->who.dfu_serial), e->dfu_serial);
	m->good = good;
	m->failed = slot_class_failed(e->verdict.kind);
	m->ready = e->ready;
	m->against = m->against || is_bad(&e->verdict);
	if (canary && good && !m->proven) {
		m->proven = true;
		b->proven++;
	}
}

static void
forget_canaries(struct batch *b)
{
	b->proven = 0;
	for (unsigned i = 0; i < b->count; i++)
		b->members[i].proven = false;
}

/* An ending; canary: of one. */
static bool
count_ending(struct batch *b, const struct batch_ending *e, bool canary)
{
	enum fault fault = e->verdict.fault;
	bool failed;

	canary = canary && !is_open(b);
	failed = canary && is_bad(&e->verdict) && fault != FAULT_GONE && fault != FAULT_DARK;
	note(b, e, canary);
	if (failed)
		forget_canaries(b);
	if (b->stopped[0] != '\0' || !is_bad(&e->verdict))
		return false;
	if (failed)
		stop(b, e, true);
	else if (b->terms.stop_after > 0 && against(b) >= b->terms.stop_after)
		stop(b, e, false);
	return b->stopped[0] != '\0';
}

bool
batch_ended(struct batch *b, const struct batch_ending *e)
{
	return count_ending(b, e, remove_canary(b, e->port));
}

bool
batch_recall(struct batch *b, const struct batch_ending *e)
{
	/* WHY: a drone that was only asked, or refused at that, needed no permit. */
	bool stopped = count_ending(b, e, e->verdict.step > STEP_ASKING);

	if (e->forgiven)
		batch_resume(b);
	return stopped && !e->forgiven;
}

void
batch_judged(struct batch *b, const struct batch_ending *e)
{
	const struct brake_drone who = drone_of(e);
	struct member *m = find(b, &who);

	if (m != NULL)
		m->ready = e->ready;
}

void
batch_resume(struct batch *b)
{
	b->stopped[0] = '\0';
	for (unsigned i = 0; i < b->count; i++)
		b->members[i].against = false;
}
