/* SPDX-License-Identifier: MIT */
/* The batch of a fleet: its updates, and the starts that it holds back. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/fleet.h"
#include "core/fleet_internal.h"

#define CANARIES_NAMED 3U

const struct batch *
fleet_batch(const struct fleet *f)
{
	return f->batch;
}

/* The sentence on the canaries that are waited for. */
static void
name_canaries(const struct fleet *f, char out[BATCH_REASON_MAX])
{
	const char *ports[BATCH_CANARY_MAX];
	unsigned n = batch_waits_for(f->batch, ports),
		 named = n < CANARIES_NAMED ? n : CANARIES_NAMED;
	char place[BATCH_PLACE_MAX], list[CANARIES_NAMED * (BATCH_PLACE_MAX + 2)] = "";

	for (unsigned i = 0; i < named; i++) {
		int slot = slots_find(&f->slots, ports[i]);
		size_t used = strlen(list);

		batch_place(slot >= 0 ? f->slots.list[slot].label : "", ports[i], place);
		(void)snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", place);
	}
	(void)snprintf(out, BATCH_REASON_MAX, "It waits for the canar%s of batch \"%s\": %s%s.",
		       n == 1 ? "y" : "ies", batch_terms(f->batch)->name, list,
		       n > named ? " and others" : "");
}

/* The batch may admit more or fewer than before. */
static void
refresh(struct fleet *f)
{
	bool held = f->batch != NULL && !batch_admits(f->batch);
	char words[BATCH_REASON_MAX] = "";

	if (held && batch_stopped(f->batch)[0] == '\0')
		name_canaries(f, words);
	if (held == f->slots.held && strcmp(words, f->canaries) == 0)
		return;
	memcpy(f->canaries, words, sizeof(words));
	slots_hold(&f->slots, held);
}

int
fleet_begin_batch(struct fleet *f, const struct batch_terms *terms)
{
	return f->batch != NULL ? -EBUSY : batch_new(terms, &f->batch);
}

void
fleet_end_batch(struct fleet *f)
{
	batch_free(f->batch);
	f->batch = NULL;
	for (unsigned i = 0; i < f->slots.count; i++)
		f->slots.list[i].in_batch = f->slots.list[i].ending.in_batch = false;
	refresh(f);
}

static void
stop(struct fleet *f, const char *port)
{
	int slot = slots_add(&f->slots, port);

	slots_pause(&f->slots, true);
	if (slot >= 0) /* LIMIT: of a port that was remembered, and has no place now */
		slots_tell(&f->slots, (unsigned)slot, EVENT_BATCH_STOPPED);
}

void
fleet_recall_batch(struct fleet *f, const struct update_ending *e)
{
	if (batch_recall(f->batch, e))
		stop(f, e->port);
	refresh(f);
}

void
fleet_batch_resumed(struct fleet *f)
{
	if (f->batch != NULL)
		batch_resume(f->batch);
	refresh(f);
}

/* ---- what the batch is told of its drones --------------------------------------------------- */

static bool
is_update(const struct slot *s)
{
	return s->job != NULL && job_record(s->job)->kind == JOB_UPDATE;
}

void
fleet_batch_granted(struct fleet *f, unsigned slot)
{
	const struct slot *s = &f->slots.list[slot];

	if (f->batch == NULL || !is_update(s))
		return;
	batch_begun(f->batch, s->sighting.port);
	refresh(f);
}

void
fleet_batch_began(struct fleet *f, unsigned slot)
{
	struct slot *s = &f->slots.list[slot];

	s->in_batch = f->batch != NULL && is_update(s);
}

struct update_ending
fleet_ending(const struct slot *s, const struct job_record *r)
{
	const struct image_label *image = r->image != NULL ? image_label(r->image) : NULL;

	/* A serial that others have, too, tells no drone from another. */
	return (struct update_ending){ .sha256 = image != NULL ? image->sha256 : NULL,
				       .firmware = image != NULL ? image->name : "",
				       .verdict = r->verdict,
				       .serial = r->dup_serial ? "" : r->serial,
				       .dfu_serial =
					   r->dup_serial || r->no_serial ? "" : r->dfu_serial,
				       .port = r->port,
				       .label = s->label,
				       .ready = r->readiness.ready == READY_YES };
}

void
fleet_batch_ended(struct fleet *f, unsigned slot, const struct update_ending *e, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];

	s->ending.in_batch = s->in_batch;
	if (!s->in_batch)
		return;
	if (batch_ended(f->batch, e)) {
		stop(f, e->port);
		fleet_call_back(f, NULL, now_us);
	}
	refresh(f);
}

void
fleet_batch_left(struct fleet *f, unsigned slot)
{
	if (f->batch == NULL)
		return;
	(void)batch_left(f->batch, f->slots.list[slot].sighting.port);
	refresh(f);
}

void
fleet_batch_judged(struct fleet *f, unsigned slot)
{
	const struct slot *s = &f->slots.list[slot];
	struct update_ending e = fleet_ending(s, &s->ending.shown);

	if (f->batch != NULL)
		batch_judged(f->batch, &e);
}

const char *
fleet_batch_wait(const struct fleet *f, const struct slot *s)
{
	unsigned slot = (unsigned)(s - f->slots.list);

	return f->canaries[0] != '\0' && is_update(s) &&
		       sched_waits(f->slots.sched, slot, PERMIT_START)
		   ? f->canaries
		   : NULL;
}
