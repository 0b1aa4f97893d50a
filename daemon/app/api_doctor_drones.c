/* SPDX-License-Identifier: MIT */
/* The checks of GetHealth on the drones that are plugged in, beside their firmware. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/reply.h"
#include "app/settings.h"
#include "core/radio_block.h"
#include "core/release.h"
#include "wire/text.h"

#define ADDRESS_DEFAULT UINT64_C(0xE7E7E7E7E7) /* SPEC: configblock of the firmware */

void
api_check(json_t *list, const char *name, const char *level, const char *fix, const char *format,
	  ...)
{
	char text[768];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
	va_end(args);
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s, s:o, s:o}", "name", name, "level", level,
					      "text", text_json(text), "fix", reply_text(fix)));
}

/* Slots, as people call them. */
struct those {
	unsigned count;
	char names[400];
};

static void
add(const struct services *sv, struct those *t, unsigned slot)
{
	t->count++;
	reply_join(t->names, sizeof(t->names), ports_name(sv->ports, fleet_port(sv->fleet, slot)));
}

/* False: it is not there, or its radio configuration is not known. */
static bool
radio_of(const struct services *sv, unsigned slot, struct radio_block *ret_radio)
{
	struct slot_view v;

	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	*ret_radio = v.condition->radio;
	return v.present && v.condition->radio.read;
}

/* The slots from this one on with its address and channel; none where one before it has told. */
static void
find_twins(const struct services *sv, unsigned slot, struct those *ret_twins)
{
	struct radio_block mine, other;

	memset(ret_twins, 0, sizeof(*ret_twins));
	if (!radio_of(sv, slot, &mine))
		return;
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		if (!radio_of(sv, i, &other) || !radio_block_collides(&mine, &other))
			continue;
		if (i < slot) {
			ret_twins->count = 0;
			return;
		}
		add(sv, ret_twins, i);
	}
}

static void
check_addresses(const struct services *sv, json_t *list)
{
	unsigned known = 0, groups = 0;
	struct radio_block radio;
	struct those twins;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		known += radio_of(sv, i, &radio);
		find_twins(sv, i, &twins);
		if (twins.count < 2)
			continue;
		groups++;
		(void)radio_of(sv, i, &radio); /* as it was read just now */
		api_check(list, "addresses", "warn",
			  radio.address == ADDRESS_DEFAULT
			      ? "cfdfuctl drone assign --base E7E7E7E701"
			      : "cfdfuctl drone set WHICH --address A",
			  "%u drones have %s radio address, %010llX on channel %d: %s. One command "
			  "by radio reaches all of them.",
			  twins.count, radio.address == ADDRESS_DEFAULT ? "the default" : "one",
			  (unsigned long long)radio.address, radio.channel, twins.names);
	}
	if (known > 1 && groups == 0)
		api_check(list, "addresses", "ok", NULL,
			  "No two drones are known to have the same radio address.");
}

/* Drones that are not ready for one reason, in one line. */
static void
check_rest(const struct services *sv, json_t *list, enum rest rest, const char *what,
	   const char *fix)
{
	struct those t = { 0 };
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (v.present && (v.readiness->rests & BIT(rest)) != 0)
			add(sv, &t, i);
	}
	if (t.count > 0)
		api_check(list, rest_name(rest), "warn", fix, "%u drone%s %s: %s.", t.count,
			  t.count == 1 ? "" : "s", what, t.names);
}

/* The nRF51 answers a power cycle from 2025.12 on (doc/beyond-dfu.md 6). */
static void
check_power(const struct services *sv, json_t *list)
{
	struct those old = { 0 };
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (v.present && release_age(v.condition->nrf_version, 2025, 12) == RELEASE_OLDER)
			add(sv, &old, i);
	}
	if (old.count > 0)
		api_check(list, "power", "ok", NULL,
			  "%u drone%s an nRF51 before 2025.12, which cannot switch the drone off "
			  "and on over USB: %s. Where something needs that, do it by hand.",
			  old.count, old.count == 1 ? " has" : "s have", old.names);
}

void
api_check_drones(const struct services *sv, json_t *list)
{
	check_addresses(sv, list);
	check_rest(sv, list, REST_SELF_TEST, "failed the self-test and will not fly",
		   "cfdfuctl status");
	check_rest(sv, list, REST_POWER_CYCLE, "must be switched off and on", "cfdfuctl status");
	if (sv->settings->decks != DECKS_NO)
		check_rest(sv, list, REST_DECK, "with a deck that is not as the release wants it",
			   "cfdfuctl deck update");
	check_rest(sv, list, REST_NRF51, "with an nRF51 of another release", "cfdfuctl drone list");
	check_rest(sv, list, REST_BATTERY, "with a low battery", "cfdfuctl drone list");
	check_power(sv, list);
}
