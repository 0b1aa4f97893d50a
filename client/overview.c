/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/overview.h"

#include <stdio.h>
#include <string.h>

#include "client/cells.h"
#include "client/out.h"

#define NAMES_BYTES 4096
#define ENTRY_REST 64 /* beside a slot's name and words: heading, brackets, "and 120 more." */

/* Is a firmware selected that the station has set aside? */
static bool
any_set_aside(const json_t *station)
{
	static const char *const lists[] = { "selected", "own" };
	const json_t *one;
	size_t i;

	for (size_t n = 0; n < ARRAY_LEN(lists); n++)
		json_array_foreach(json_object_get(station, lists[n]), i, one) {
			if (out_true(one, "quarantined"))
				return true;
		}
	return false;
}

void
overview_station(const json_t *station, char *dst, size_t size)
{
	struct text reason = out_text(station, "reason");
	struct text brake = out_text(json_object_get(station, "brake"), "message");

	dst[0] = '\0';
	if (brake.s[0] != '\0')
		text_add(dst, size,
			 "Station PAUSED ITSELF: %s. No new drone is started: %s'cfdfuctl resume'.",
			 brake.s,
			 any_set_aside(station) ? "select another firmware, then " : "go on with ");
	else if (out_is(station, "paused_by", "batch"))
		text_add(dst, size, "Station PAUSED ITSELF: %s",
			 out_text(json_object_get(station, "batch"), "stopped").s);
	else if (out_is(station, "state", "paused"))
		text_add(dst, size, "Station PAUSED: no new drone is started (cfdfuctl resume).");
	else
		text_add(dst, size, "Station armed: drones are flashed as they are plugged in.");
	if (out_is(station, "health", "degraded"))
		text_add(dst, size, " DEGRADED, nothing is flashed: %s", reason.s);
	else if (reason.s[0] != '\0')
		text_add(dst, size, " Records: %s%s  When you have read this: cfdfuctl resume",
			 reason.s, reason.s[strlen(reason.s) - 1] == '.' ? "" : ".");
}

static void
add_selection(char *dst, size_t size, const json_t *selection, const char *key)
{
	struct text who = out_text(selection, key), name = out_text(selection, "name");
	struct text version = out_text(selection, "version"), sum = out_sum(selection, "sha256");
	struct text problem = out_text(selection, "problem");

	text_add(dst, size, "%s%.64s = %.64s", dst[0] == '\0' ? "Firmware: " : "; ", who.s, name.s);
	if (version.s[0] != '\0' && strcmp(version.s, name.s) != 0)
		text_add(dst, size, ", version %.32s", version.s);
	if (sum.s[0] != '\0')
		text_add(dst, size, " [%s]", sum.s);
	if (json_is_true(json_object_get(selection, "incomplete")))
		text_add(dst, size, "%s", " (not shown to be whole)");
	if (out_true(selection, "quarantined"))
		text_add(dst, size,
			 " SET ASIDE, flashed onto no drone (if the drones were at fault: "
			 "'cfdfuctl firmware release %.64s')",
			 name.s);
	if (problem.s[0] != '\0')
		text_add(dst, size, " CANNOT BE USED: %s", problem.s);
}

void
overview_firmware(const json_t *station, char *dst, size_t size)
{
	const json_t *one;
	size_t i;

	dst[0] = '\0';
	json_array_foreach(json_object_get(station, "selected"), i, one)
		add_selection(dst, size, one, "platform");
	json_array_foreach(json_object_get(station, "own"), i, one)
		add_selection(dst, size, one, "target");
	if (dst[0] == '\0')
		text_add(dst, size,
			 "Firmware: none selected, so nothing is flashed "
			 "('cfdfuctl firmware add FILE', then 'cfdfuctl firmware select NAME').");
}

/* Drones that nothing else on the screen would show. */
static void
add_outside(const json_t *station, char *dst, size_t size)
{
	const json_t *outside = json_object_get(station, "outside");
	size_t count = json_array_size(outside);

	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			text_add(dst, size,
				 "; %zu drone%s on a port this station does not use: ", count,
				 count == 1 ? "" : "s");
		text_add(dst, size, "%s%s", i > 0 ? ", " : "", out_item(outside, i).s);
	}
}

static void
add_batch(char *dst, size_t size, const json_t *batch)
{
	const json_t *waits_for = json_object_get(batch, "waits_for");
	json_int_t expect = out_int(batch, "expect"), drones = out_int(batch, "drones");

	if (!json_is_object(batch))
		return;
	text_add(dst, size, "; batch %.64s: %lld of %lld good, %lld failed",
		 out_text(batch, "name").s, (long long)out_int(batch, "good"),
		 (long long)(expect > drones ? expect : drones),
		 (long long)out_int(batch, "failed"));
	for (size_t i = 0; i < json_array_size(waits_for); i++)
		text_add(dst, size, "%s %s", i == 0 ? ", waits for" : ",",
			 out_item(waits_for, i).s);
}

void
overview_counts(const json_t *station, char *dst, size_t size)
{
	static const char *const names[] = { "present",	  "active", "pass",
					     "unchanged", "failed", "skipped" };
	const json_t *counts = json_object_get(station, "counts");

	dst[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		text_add(dst, size, "%s%lld %s", i == 0 ? "" : ", ",
			 (long long)out_int(counts, names[i]), names[i]);
	if (out_int(counts, "quarantined") > 0)
		text_add(dst, size, ", %lld quarantined",
			 (long long)out_int(counts, "quarantined"));
	if (out_is_int(station, "eta_s") && out_int(counts, "active") > 0) {
		char eta[32];

		format_seconds(eta, sizeof(eta), out_int(station, "eta_s"));
		text_add(dst, size, ", %s to go", eta);
	}
	add_batch(dst, size, json_object_get(station, "batch"));
	add_outside(station, dst, size);
}

void
overview_counts_in(const json_t *station, size_t columns, size_t lines_max, char *dst, size_t size)
{
	const json_t *counts = json_object_get(station, "counts");

	overview_counts(station, dst, size);
	if (cells_lines(dst, columns) > lines_max)
		snprintf(dst, size, "%lld failed, %lld active, %lld done",
			 (long long)out_int(counts, "failed"), (long long)out_int(counts, "active"),
			 (long long)(out_int(counts, "pass") + out_int(counts, "unchanged")));
}

/* "Take away (done): A1 (1-4), 1-5.", or "". */
static void
list_fate(const json_t *slots, enum slot_fate fate, char *dst, size_t size)
{
	static const char *const headings[] = {
		[SLOT_FATE_DONE] = N_("Take away (done)"),
		[SLOT_FATE_UNSURE] = N_("Flashed, but not seen to be ready"),
		[SLOT_FATE_ASIDE] = N_("Set aside"),
		[SLOT_FATE_ALONE] = N_("Left alone"),
		[SLOT_FATE_ACTIVE] = N_("Leave plugged in"),
		[SLOT_FATE_WAITING] = N_("Not begun yet"),
	};
	const json_t *slot;
	size_t i, count = 0, more = 0;

	dst[0] = '\0';
	json_array_foreach(slots, i, slot) {
		char name[96], words[128];

		/* WHY: a drone that does not start is off the bus, and still in its place. */
		if (slot_place(slot) != fate ||
		    (!out_true(slot, "present") && slot_fate(slot) != SLOT_FATE_ASIDE))
			continue;
		slot_short_name(slots, slot, name, sizeof(name));
		slot_words(slot, words, sizeof(words));
		if (words[0] == '\0' && (fate == SLOT_FATE_ASIDE || fate == SLOT_FATE_ACTIVE))
			slot_ready_words(slot, words, sizeof(words));
		if (more > 0 || strlen(dst) + strlen(name) + strlen(words) + ENTRY_REST >= size) {
			more++;
			continue;
		}
		if (count++ == 0)
			text_add(dst, size, "%s: ", headings[fate]);
		text_add(dst, size, "%s%s%s%s%s%s", count > 1 ? ", " : "", name,
			 words[0] != '\0' ? " (" : "", words,
			 out_true(slot, "present") || words[0] == '\0' ? "" : ", off the bus",
			 words[0] != '\0' ? ")" : "");
	}
	if (more > 0)
		text_add(dst, size, "%s%zu more", count > 0 ? ", and " : "", more);
	if (count + more > 0)
		text_add(dst, size, ".");
}

void
overview_todo(const json_t *slots, char *dst, size_t size)
{
	json_t *lines = json_object(), *names; /* by what is to be done */
	const char *todo, *before;
	const json_t *slot;
	size_t i;

	dst[0] = '\0';
	json_array_foreach(slots, i, slot) {
		struct text t = out_text(slot, "todo");
		char name[96];

		if (t.s[0] == '\0')
			continue;
		slot_short_name(slots, slot, name, sizeof(name));
		before = json_string_value(json_object_get(lines, t.s));
		(void)json_object_set_new(
		    lines, t.s, /* WHY: then it is not said */
		    json_sprintf("%s%s%s", before ? before : "", before ? ", " : "", name));
	}
	json_object_foreach(lines, todo, names)
		text_add(dst, size, "%s%s: %s", dst[0] != '\0' ? "\n" : "",
			 json_string_value(names), todo);
	json_decref(lines);
}

void
overview_unplug(const json_t *slots, char *dst, size_t size)
{
	static const enum slot_fate fates[] = {
		SLOT_FATE_DONE,	 SLOT_FATE_UNSURE, SLOT_FATE_ASIDE,
		SLOT_FATE_ALONE, SLOT_FATE_ACTIVE, SLOT_FATE_WAITING
	};

	dst[0] = '\0';
	for (size_t n = 0; n < ARRAY_LEN(fates); n++) {
		size_t used = strlen(dst) + (dst[0] != '\0');

		if (used + 1 >= size)
			return;
		list_fate(slots, fates[n], dst + used, size - used);
		if (dst[used] != '\0' && used > 0)
			dst[used - 1] = '\n';
	}
}

/* The classes of drones that did not fail, as the sum has them. */
static const struct {
	const char *class, *words;
} sum_rows[] = {
	{ "pass", N_("PASS") },	      { "unchanged", N_("UNCHANGED") },
	{ "active", N_("AT WORK") },  { "waiting", N_("NOT BEGUN") },
	{ "skipped", N_("SKIPPED") }, { "unserved", N_("WITHOUT FIRMWARE") },
	{ "foreign", N_("FOREIGN") }, { "needs-power-cycle", N_("NEEDS A POWER CYCLE") },
};

static size_t
count_class(const json_t *slots, const char *class)
{
	const json_t *slot;
	size_t i, n = 0;

	json_array_foreach(slots, i, slot)
		n += strcmp(slot_class(slot), class) == 0;
	return n;
}

static bool
is_fit(const json_t *slot)
{
	return slot_fate(slot) == SLOT_FATE_DONE && slot_is_ready(slot);
}

static bool
is_unfit(const json_t *slot)
{
	return slot_fate(slot) == SLOT_FATE_DONE && out_is(slot, "ready", "no");
}

/* How many of them are so, and their names: " A3 B4". */
static size_t
name_those(const json_t *slots, bool (*are)(const json_t *slot), char names[NAMES_BYTES])
{
	const json_t *slot;
	size_t i, n = 0;

	names[0] = '\0';
	json_array_foreach(slots, i, slot) {
		char name[96];

		if (!are(slot))
			continue;
		slot_short_name(slots, slot, name, sizeof(name));
		text_add(names, NAMES_BYTES, " %s", name);
		n++;
	}
	return n;
}

void
overview_sum(const json_t *slots, char *dst, size_t size)
{
	size_t all = json_array_size(slots) - count_class(slots, "absent"), n, fit;
	const char *before = ": ";
	char names[NAMES_BYTES];

	dst[0] = '\0';
	text_add(dst, size, "%zu drone%s", all, all == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_LEN(sum_rows); i++) {
		n = count_class(slots, sum_rows[i].class);
		if (n == 0)
			continue;
		text_add(dst, size, "%s%zu %s", before, n, sum_rows[i].words);
		before = ", ";
	}
	n = name_those(slots, slot_has_failed, names);
	if (n > 0)
		text_add(dst, size, "%s%zu FAILED%s:%s", before, n,
			 count_class(slots, "quarantined") > 0 ? " OR QUARANTINED" : "", names);
	fit = name_those(slots, is_fit, names);
	if (fit > 0)
		text_add(dst, size, "; %zu READY", fit);
	n = name_those(slots, is_unfit, names);
	if (n > 0)
		text_add(dst, size, "%s%zu NOT READY:%s", fit > 0 ? ", " : "; ", n, names);
}
