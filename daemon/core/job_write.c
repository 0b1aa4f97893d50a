/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_write.h"

#include "cfdfu/util.h"

static int
find_deck(const struct condition *c, const char *name)
{
	for (unsigned i = 0; i < c->deck_count; i++)
		if (strcmp(c->decks[i].name, name) == 0)
			return (int)i;
	return -1;
}

static const char *
init_deck(struct job_write *w, const struct job_setup *setup, const struct condition *c)
{
	struct deck_update_setup deck = {
		.memory = c->deck_memory,
		.decks = c->decks,
		.count = c->deck_count,
		.part = image_part_for(setup->release, setup->deck),
		.force = setup->force,
	};
	int at = find_deck(c, setup->deck);

	if (!c->has_deck_memory || at < 0)
		return "The drone does not have this deck, or its firmware cannot reach it.";
	/* WHY: its decks may not have started for that, and it is set aside anyway. */
	if (c->selftest == SELFTEST_FAIL)
		return "The drone's self-test failed: its decks are left as they are.";
	if (!deck_update_can(setup->deck))
		return "This station does not write the firmware of this kind of deck.";
	if (deck.part == NULL || deck.part->bytes == NULL)
		return "The release selected for the drone brings no firmware for this deck.";
	deck.at = (unsigned)at;
	deck_update_init(&w->deck, &deck);
	w->engine = deck_update_engine(&w->deck);
	return NULL;
}

static const char *
init_radio(struct job_write *w, const struct job_setup *setup, const struct condition *c)
{
	const struct radio_write_setup radio = { .memory = c->radio_memory,
						 .seen = c->radio,
						 .wanted = setup->radio,
						 .force = setup->force };

	if (!c->has_radio_memory)
		return "The drone's firmware does not give access to its radio configuration.";
	radio_write_init(&w->radio, &radio);
	w->engine = radio_write_engine(&w->radio);
	return NULL;
}

const char *
job_write_init(struct job_write *w, const struct job_setup *setup, const struct condition *c)
{
	w->kind = setup->kind;
	return setup->kind == JOB_DECK ? init_deck(w, setup, c) : init_radio(w, setup, c);
}

struct verdict
job_write_verdict(const struct job_write *w, struct condition *c, const char **ret_why)
{
	struct verdict v;

	if (w->kind == JOB_DECK) {
		v = deck_update_verdict(&w->deck, ret_why);
		c->deck_pending = c->deck_pending || w->deck.written_bytes > 0;
		c->decks_written &= (uint8_t)~BIT(w->deck.deck.section);
		if (v.kind == VERDICT_PASS)
			c->decks_written |= (uint8_t)BIT(w->deck.deck.section);
	} else {
		v = radio_write_verdict(&w->radio, ret_why);
		c->radio_pending = c->radio_pending || w->radio.sent;
	}
	if (c->deck_pending || c->radio_pending)
		c->power_cycle = POWER_CYCLE_NONE; /* a new need */
	if (v.kind == VERDICT_NONE) /* the conversation ended before the engine did */
		v = (struct verdict){ .kind = VERDICT_FAIL,
				      .fault = FAULT_SILENT,
				      .step = job_write_step(w) };
	return v;
}

uint64_t
job_write_bytes(const struct job_write *w)
{
	if (w->kind == JOB_DECK)
		return w->deck.written_bytes;
	return w->radio.sent ? RADIO_BLOCK_BYTES : 0;
}

enum step
job_write_step(const struct job_write *w)
{
	return w->kind == JOB_DECK ? deck_update_step(&w->deck) : STEP_WRITING;
}

void
job_write_estimate(const struct job_write *w, uint64_t now_us, uint64_t *ret_left_us,
		   uint64_t *ret_total_us)
{
	*ret_left_us = *ret_total_us = 0;
	if (w->kind == JOB_DECK)
		deck_update_estimate(&w->deck, now_us, ret_left_us, ret_total_us);
}
