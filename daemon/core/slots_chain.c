/* SPDX-License-Identifier: MIT */
/*
 * The life after the verdict: what follows a job on the same slot, without a permit and without
 * delaying another drone.
 *
 *   update, well ended or idle --> checkup --> nothing
 *   checkup --> deck --> checkup                  a deck wants the release's firmware, and may get
 *                                                 it by itself: each deck once a stay
 *   an operator's deck, eeprom, backup --> checkup
 *
 * INVARIANT: the chain ends: a checkup is followed by nothing but a deck that was not tried yet.
 */
#include "config.h"

#include "cfdfu/util.h"
#include "core/deck_update.h"
#include "core/ident.h"
#include "core/radio_block.h"
#include "core/slots.h"
#include "core/twins.h"

enum { CRASHES_COUNTED = 100 };

/* ---- decks ---------------------------------------------------------------------------------- */

/* Number of the first deck that wants what the release brings and can get it; the count: none. */
static unsigned
due_deck(const struct slots *ss, struct slot *s, unsigned but)
{
	const struct condition *c = &s->ending.shown.condition;
	struct image *release = slot_image(s, ss->policy);
	unsigned i = 0;

	for (; i < c->deck_count; i++) {
		const struct image_part *part = image_part_for(release, c->decks[i].name);

		if ((but & BIT(i)) == 0 && part != NULL && part->bytes != NULL &&
		    deck_update_is_due(&c->decks[i], part))
			break;
	}
	return i;
}

/* ---- judged --------------------------------------------------------------------------------- */

static void
judge(struct slots *ss, unsigned slot, const struct twins *t)
{
	struct slot *s = &ss->list[slot];
	struct job_record *r = &s->ending.shown;
	struct readiness before = r->readiness;
	unsigned old = due_deck(ss, s, s->whole.decks_written);
	char words[64];
	const struct readiness_facts k = {
		.verdict = s->ending.ended ? r->verdict.kind : VERDICT_NONE,
		.nrf_wanted = s->whole.nrf_wanted,
		.deck_old = old < r->condition.deck_count ? r->condition.decks[old].name : "",
		.address_twin = words,
		.low_battery_mv = ss->jobs->low_battery_mv,
		.under_way = s->whole.due,
		.decks_left = !ss->jobs->deck_update,
	};

	twins_words(ss, t, slot, words, sizeof(words));
	readiness_judge(&r->condition, &k, &r->readiness);
	if (memcmp(&before, &r->readiness, sizeof(before)) == 0)
		return;
	s->told.revision++;
	/* WHY a yes is taken back at once: the record of a drone that is lost while it is looked at
	 * would go on calling it ready. */
	if (!s->whole.due || before.ready == READY_YES)
		slots_tell(ss, slot, EVENT_CONDITION);
}

/* All that have this address.  O(slots). */
static void
judge_twins(struct slots *ss, const struct radio_block *of)
{
	struct twins t;

	twins_find(ss, of, &t);
	for (unsigned i = 0; of->read && i < ss->count; i++)
		if (twins_match(&ss->list[i], of))
			judge(ss, i, &t);
}

void
chain_judge(struct slots *ss, unsigned slot)
{
	struct twins t;

	twins_find(ss, &ss->list[slot].ending.shown.condition.radio, &t);
	judge(ss, slot, &t);
}

void
chain_left(struct slots *ss, unsigned slot)
{
	struct radio_block was = ss->list[slot].ending.shown.condition.radio;

	slot_forget_whole(&ss->list[slot]);
	judge_twins(ss, &was);
}

/* ---- what follows --------------------------------------------------------------------------- */

static bool
is_good(const struct job *j)
{
	enum verdict_kind v = job_record(j)->verdict.kind;

	return v == VERDICT_PASS || v == VERDICT_UNCHANGED;
}

/* All that was seen by a job that speaks to the running drone holds for the slot. */
static void
take_condition(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];
	const struct condition *seen = &job_record(s->job)->condition;
	struct radio_block was = s->ending.shown.condition.radio;

	s->ending.shown.condition = *seen;
	if (was.read != seen->radio.read || !radio_block_collides(&was, &seen->radio)) {
		judge_twins(ss, &was);
		judge_twins(ss, &seen->radio);
	}
}

/* WHY: its version may say nothing of what was written and read back equal [inferred]. */
static void
note_deck(struct slot *s)
{
	const struct job_record *r = job_record(s->job);

	if (r->kind != JOB_DECK || !is_good(s->job))
		return;
	for (unsigned i = 0; i < r->condition.deck_count; i++)
		if (strcmp(r->target + strlen("deck:"), r->condition.decks[i].name) == 0)
			s->whole.decks_written |= BIT(i);
}

void
chain_job_over(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];
	enum job_kind kind = job_record(s->job)->kind;
	bool lost = job_record(s->job)->condition.power_cycle == POWER_CYCLE_LOST;

	if (job_crashes(s->job) > 0) {
		if (s->whole.crashes < CRASHES_COUNTED)
			s->whole.crashes += (uint8_t)job_crashes(s->job);
		copy_text(s->whole.crasher, sizeof(s->whole.crasher), job_record(s->job)->serial);
		s->whole.crashed = true;
	} else if (job_record(s->job)->condition.looked ||
		   job_record(s->job)->version_before[0] != '\0') {
		s->whole.crashed = false;
	}
	if (s->next.replaced || (!s->present && !lost))
		return;
	switch (kind) { /* NEVER: another value */
	case JOB_UPDATE:
		s->whole.due = job_published(s->job)
				   ? is_good(s->job)
				   : !job_foreign(s->job) && !job_cut_short(s->job);
		return;
	case JOB_RECOVER_LOADER:
	case JOB_BACKUP:
		/* It has been in DFU mode, however it ended. */
		memset(&s->ending.shown.condition, 0, sizeof(s->ending.shown.condition));
		s->whole.due = true;
		return;
	case JOB_CHECKUP:
		take_condition(ss, slot);
		s->whole.due = s->whole.due && job_cut_short(s->job);
		return;
	case JOB_DECK:
	case JOB_EEPROM:
		take_condition(ss, slot);
		note_deck(s);
		s->whole.due = true;
		return;
	case JOB_IDENTIFY:
	case JOB_KIND_COUNT:
		return;
	}
}

/* The first deck that wants what the release brings, and was not tried in this stay. */
static bool
wants_deck(const struct slots *ss, struct slot *s, struct job_setup *ret_setup)
{
	const struct condition *c = &s->ending.shown.condition;
	unsigned i;

	if (!ss->jobs->deck_update || !c->looked || !s->ending.ended || ss->paused)
		return false;
	i = due_deck(ss, s, s->whole.decks_tried);
	if (i == c->deck_count)
		return false;
	s->whole.decks_tried |= BIT(i);
	ret_setup->kind = JOB_DECK;
	ret_setup->release = slot_image(s, ss->policy);
	copy_text(ret_setup->deck, sizeof(ret_setup->deck), c->decks[i].name);
	return true;
}

bool
chain_next(struct slots *ss, unsigned slot, struct job_setup *ret_setup)
{
	struct slot *s = &ss->list[slot];
	bool deck = false;

	*ret_setup = (struct job_setup){ .kind = JOB_CHECKUP };
	if (!s->present || ss->stopping || s->foreign_port || !slot_is_candidate(s) ||
	    ident_kind_of(&s->sighting) != IDENT_RUNTIME)
		s->whole.due = false;
	else
		deck = !s->whole.due && wants_deck(ss, s, ret_setup);
	s->whole.due = s->whole.due || deck;
	if (s->ending.shown.serial[0] != '\0')
		chain_judge(ss, slot);
	return s->whole.due;
}
