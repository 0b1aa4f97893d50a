/* SPDX-License-Identifier: MIT */
/*
 * The words are for someone who stands at the rack: what is left, and what to do with hands.
 */
#include "config.h"

#include "core/readiness.h"

#include "cfdfu/util.h"

/* WHY unplugged: at the station it is compared again when it comes back, in DFU mode, and a
 * Lighthouse deck is dead after that (doc/beyond-dfu.md 10.1). */
#define OFF_AND_ON "unplug it, then switch it off and on"

const char *
ready_name(enum ready r)
{
	static const char *const names[READY_COUNT] = {
		[READY_UNKNOWN] = "unknown",
		[READY_NO] = "no",
		[READY_YES] = "yes",
	};

	return names[r];
}

const char *
rest_name(enum rest r)
{
	static const char *const names[REST_COUNT] = {
		[REST_SELF_TEST] = "self-test", [REST_POWER_CYCLE] = "power-cycle",
		[REST_DECK] = "deck",		[REST_NRF51] = "nrf51",
		[REST_ADDRESS] = "address",	[REST_BATTERY] = "battery",
	};

	return names[r];
}

const char *
deck_state_name(enum deck_state s)
{
	static const char *const names[] = {
		[DECK_UNKNOWN] = "unknown",	      [DECK_PRESENT] = "present",
		[DECK_STARTED] = "started",	      [DECK_NOT_STARTED] = "not-started",
		[DECK_NEEDS_UPDATE] = "needs-update", [DECK_IN_BOOT_LOADER] = "boot-loader",
	};

	return names[s];
}

/* Its new firmware has its power to wait for, and nothing else. */
static bool
is_written(const struct condition *c, const struct deck *d)
{
	return d->has_section && (c->decks_written & BIT(d->section)) != 0;
}

static const struct deck *
first_deck(const struct condition *c, enum deck_state state)
{
	for (unsigned i = 0; i < c->deck_count; i++)
		if (c->decks[i].state == state && !is_written(c, &c->decks[i]))
			return &c->decks[i];
	return NULL;
}

/* ---- what is left --------------------------------------------------------------------------- */

/* Each of these fills the words and returns true where there is something left. */

/* SPEC: a crash fails the next start's test, whatever its cause; the start after that is clean
 * (doc/beyond-dfu.md 6, 11.1). */
static bool
test_fails_by_a_crash(const struct condition *c)
{
	return c->selftest == SELFTEST_FAIL &&
	       (c->crashed_early || strstr(c->failed_module, "cfAssertNormalStart") != NULL);
}

bool
readiness_needs_power_cycle(const struct condition *c, const struct readiness_facts *k,
			    char *ret_why)
{
	const struct deck *dead = first_deck(c, DECK_NOT_STARTED);
	char why[READINESS_TEXT_MAX];

	if (k->verdict == VERDICT_NEEDS_POWER_CYCLE)
		copy_text(why, sizeof(why),
			  "It did not restart by itself: remove USB and the battery, then plug it "
			  "in again.");
	else if (test_fails_by_a_crash(c))
		copy_text(
		    why, sizeof(why),
		    "Its firmware crashed and fails its self-test until it starts anew: " OFF_AND_ON
		    ".");
	else if (c->crashed_early && c->selftest != SELFTEST_PASS)
		copy_text(why, sizeof(why),
			  "It crashed when it was first asked: " OFF_AND_ON ", before it flies.");
	else if (dead != NULL && c->power_cycle != POWER_CYCLE_DONE)
		(void)snprintf(why, sizeof(why),
			       "Deck %s does not work before it had its power off: " OFF_AND_ON ".",
			       dead->name);
	else if (c->deck_pending)
		copy_text(why, sizeof(why),
			  "Its deck's new firmware runs from its next start: " OFF_AND_ON ".");
	else if (c->radio_pending)
		copy_text(why, sizeof(why),
			  "Its new radio configuration counts from its next start: " OFF_AND_ON
			  ".");
	else
		return false;
	if (ret_why != NULL)
		copy_text(ret_why, READINESS_TEXT_MAX, why);
	return true;
}

static bool
power_cycle(const struct condition *c, const struct readiness_facts *k, char *words)
{
	if (c->power_cycle == POWER_CYCLE_LOST) {
		copy_text(words, READINESS_TEXT_MAX,
			  "It was switched off and on over USB and did not come back: press its "
			  "power button, or unplug it and plug it in again.");
		return true;
	}
	return readiness_needs_power_cycle(c, k, words);
}

static bool
self_test(const struct condition *c, const struct readiness_facts *k __attribute__((unused)),
	  char *words)
{
	if (c->selftest != SELFTEST_FAIL)
		return false;
	if (test_fails_by_a_crash(c))
		copy_text(words, READINESS_TEXT_MAX,
			  "Its self-test failed, because its firmware had crashed before.");
	else
		(void)snprintf(words, READINESS_TEXT_MAX,
			       "Its self-test failed%s%.60s%s: it will not fly; set it aside for "
			       "repair.",
			       c->failed_module[0] != '\0' ? " (" : "", c->failed_module,
			       c->failed_module[0] != '\0' ? ")" : "");
	return true;
}

static bool
deck(const struct condition *c, const struct readiness_facts *k, char *words)
{
	const struct deck *old = first_deck(c, DECK_NEEDS_UPDATE);
	const struct deck *stuck = first_deck(c, DECK_IN_BOOT_LOADER);
	const struct deck *dead = first_deck(c, DECK_NOT_STARTED);

	if (old != NULL || k->deck_old[0] != '\0')
		(void)snprintf(words, READINESS_TEXT_MAX, "Deck %s has %s%s.",
			       old != NULL ? old->name : k->deck_old,
			       old != NULL ? "other firmware than its drone wants"
					   : "older firmware than the release brings",
			       k->decks_left ? ": 'cfdfuctl deck update SLOT' writes it"
					     : ", and it could not be updated");
	else if (stuck != NULL)
		(void)snprintf(
		    words, READINESS_TEXT_MAX,
		    "Deck %s is in its boot loader: 'cfdfuctl deck update SLOT' writes its "
		    "firmware anew.",
		    stuck->name);
	else if (dead != NULL && c->power_cycle == POWER_CYCLE_DONE)
		(void)snprintf(words, READINESS_TEXT_MAX,
			       "Deck %s does not start, with new power either: check how it is "
			       "mounted, or change it.",
			       dead->name);
	else
		return false;
	return true;
}

static bool
nrf51(const struct condition *c, const struct readiness_facts *k, char *words)
{
	if (k->nrf_wanted[0] == '\0' || c->nrf_version[0] == '\0' ||
	    strcmp(k->nrf_wanted, c->nrf_version) == 0)
		return false;
	(void)snprintf(words, READINESS_TEXT_MAX,
		       "Its nRF51 runs %s, the release brings %s: update it by radio (cfclient); "
		       "USB does not reach it.",
		       c->nrf_version, k->nrf_wanted);
	return true;
}

static bool
address(const struct condition *c __attribute__((unused)), const struct readiness_facts *k,
	char *words)
{
	if (k->address_twin[0] == '\0')
		return false;
	(void)snprintf(words, READINESS_TEXT_MAX,
		       "Radio address and channel of %.60s, too: 'cfdfuctl drone set SLOT "
		       "--address A' gives it its own.",
		       k->address_twin);
	return true;
}

static bool
battery(const struct condition *c, const struct readiness_facts *k, char *words)
{
	if (k->low_battery_mv == 0 || c->battery_mv == 0 || c->battery_mv >= k->low_battery_mv)
		return false;
	(void)snprintf(words, READINESS_TEXT_MAX, "Its battery is at %u.%02u V: charge it.",
		       c->battery_mv / 1000U, c->battery_mv % 1000U / 10U);
	return true;
}

static bool (*const rests[REST_COUNT])(const struct condition *c, const struct readiness_facts *k,
				       char *words) = {
	[REST_SELF_TEST] = self_test, [REST_POWER_CYCLE] = power_cycle, [REST_DECK] = deck,
	[REST_NRF51] = nrf51,	      [REST_ADDRESS] = address,		[REST_BATTERY] = battery,
};

/* ---- what was not seen ---------------------------------------------------------------------- */

static const char *
not_seen(const struct condition *c, const struct readiness_facts *k)
{
	if (k->verdict != VERDICT_PASS && k->verdict != VERDICT_UNCHANGED)
		return "Its firmware was not checked since it was plugged in.";
	if (!c->looked)
		return "It was not looked at as a whole.";
	if (c->selftest != SELFTEST_PASS)
		return "Its self-test was not seen to pass.";
	if (k->nrf_wanted[0] != '\0' && c->nrf_version[0] == '\0')
		return "The version of its nRF51 was not seen.";
	if (!c->decks_known || first_deck(c, DECK_UNKNOWN) != NULL)
		return "The state of its decks was not seen.";
	return "";
}

static bool
ended_badly(enum verdict_kind v)
{
	return v == VERDICT_FAIL || v == VERDICT_NEEDS_BUTTON || v == VERDICT_INTERRUPTED ||
	       v == VERDICT_NEEDS_POWER_CYCLE;
}

void
readiness_judge(const struct condition *c, const struct readiness_facts *k,
		struct readiness *ret_readiness)
{
	struct readiness *r = ret_readiness;

	memset(r, 0, sizeof(*r));
	r->under_way = k->under_way;
	if (k->under_way) {
		copy_text(r->unknown, sizeof(r->unknown), "It is being looked at.");
		return;
	}
	for (enum rest i = 0; i < REST_COUNT; i++)
		if (rests[i](c, k, r->text[i]))
			r->rests |= BIT(i);
	if (r->rests != 0 || ended_badly(k->verdict)) {
		r->ready = READY_NO;
		return;
	}
	copy_text(r->unknown, sizeof(r->unknown), not_seen(c, k));
	r->ready = r->unknown[0] == '\0' ? READY_YES : READY_UNKNOWN;
}
