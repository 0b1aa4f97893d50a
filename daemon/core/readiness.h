/* SPDX-License-Identifier: MIT */
/*
 * Is the drone as a whole fit to fly with its release?  Pure judgement of what was seen
 * (doc/promises.md 1, promise 9).
 *
 * INVARIANT: nothing is called ready that was not seen: READY_YES needs a verdict of this stay that
 *            proves the bytes, a passed self-test, and each part that the release brings.
 */
#ifndef CORE_READINESS_H
#define CORE_READINESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/condition.h"

enum ready { READY_UNKNOWN, READY_NO, READY_YES, READY_COUNT };

/* The order is the one in which they are shown. */
enum rest {
	REST_SELF_TEST,
	REST_POWER_CYCLE,
	REST_DECK,
	REST_NRF51,
	REST_ADDRESS,
	REST_BATTERY,
	REST_COUNT
};

#define READINESS_TEXT_MAX 160

struct readiness {
	enum ready ready;
	bool under_way; /* it is being looked at; ready is unknown until that is over */
	unsigned rests; /* BIT(enum rest) */
	char text[REST_COUNT][READINESS_TEXT_MAX]; /* a sentence for each that is left */
	char unknown[READINESS_TEXT_MAX]; /* READY_UNKNOWN: what was not seen, a sentence; "" */
};

/* Beside the condition.  Texts borrowed, "" unknown or nothing. */
struct readiness_facts {
	enum verdict_kind verdict; /* of the last flashing in this stay; NONE: none */
	const char *nrf_wanted;	   /* version that the drone's release brings */
	const char *deck_old; /* a deck with older firmware than the release's, which it can get */
	const char *address_twin; /* slots with the same radio address and channel, in words */
	uint16_t low_battery_mv;  /* warned below; 0 never */
	bool under_way;		  /* the check-up, or what follows from it, is not over */
	bool decks_left; /* decks' wrong firmware is not updated by the station by itself */
};

/* Is there something that only a start with new power cures?  ret_why: a sentence for the operator,
 * at most READINESS_TEXT_MAX; may be NULL. */
bool readiness_needs_power_cycle(const struct condition *c, const struct readiness_facts *k,
				 char *ret_why);

/* All of ret_readiness is set. */
void readiness_judge(const struct condition *c, const struct readiness_facts *k,
		     struct readiness *ret_readiness);

const char *ready_name(enum ready r); /* "unknown", "no", "yes" */
const char *rest_name(enum rest r);   /* "power-cycle", "nrf51", "deck", "self-test", ... */
const char *deck_state_name(enum deck_state s);

#endif
