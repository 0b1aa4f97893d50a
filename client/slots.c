/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/out.h"

#define SEVERITY_MAX 4
#define SERIAL_MIN 6  /* digits shown at least */
#define SERIAL_MAX 24 /* digits of a drone's serial */

struct slots {
	json_t *by_port; /* port -> slot */
	json_t *station;
};

int
slots_new(struct slots **ret_slots)
{
	struct slots *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->by_port = json_object();
	if (s->by_port == NULL) {
		free(s);
		return -ENOMEM;
	}
	*ret_slots = s;
	return 0;
}

void
slots_free(struct slots *s)
{
	if (s == NULL)
		return;
	json_decref(s->by_port);
	json_decref(s->station);
	free(s);
}

/* A full reply forgets the slots that it does not name: what was there has gone meanwhile. */
static void
forget_others(struct slots *s, const json_t *list, slots_changed *changed, void *ctx)
{
	const char *port;
	json_t *known, *gone;
	void *next;

	json_object_foreach_safe(s->by_port, next, port, known)
	{
		size_t i = 0;

		while (i < json_array_size(list) && !out_is(json_array_get(list, i), "port", port))
			i++;
		if (i < json_array_size(list))
			continue;
		gone = json_copy(known);
		(void)json_object_set_new(gone, "present", json_false()); /* WHY: it is a member */
		if (changed != NULL && gone != NULL)
			changed(ctx, known, gone);
		json_decref(gone);
		(void)json_object_del(s->by_port, port); /* WHY: it was just found */
	}
}

int
slots_apply(struct slots *s, const json_t *reply, slots_changed *changed, void *ctx)
{
	json_t *list = json_object_get(reply, "slots"), *slot;
	json_t *station = json_object_get(reply, "station");
	size_t i;

	if (station != NULL) {
		json_decref(s->station);
		s->station = json_incref(station);
	}
	if (out_true(reply, "full"))
		forget_others(s, list, changed, ctx);
	json_array_foreach(list, i, slot) {
		const char *port = out_string(slot, "port");
		json_t *before;

		if (port == NULL)
			continue;
		before = json_incref(json_object_get(s->by_port, port));
		if (json_object_set(s->by_port, port, slot) < 0) {
			json_decref(before);
			return -ENOMEM;
		}
		if (changed != NULL)
			changed(ctx, before, slot);
		json_decref(before);
	}
	return 0;
}

const json_t *
slots_station(const struct slots *s)
{
	return s->station;
}

/* WHY strverscmp: "1-10" comes after "1-9".  Decks of one slot: by name. */
static int
compare(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int r = strverscmp(out_string(*x, "port"), out_string(*y, "port"));

	return r != 0 ? r : strcmp(out_text(*x, "deck").s, out_text(*y, "deck").s);
}

json_t *
slots_sort(const json_t *slots)
{
	size_t count = json_array_size(slots), n = 0, i;
	json_t **list = calloc(count > 0 ? count : 1, sizeof(json_t *));
	json_t *array = json_array(), *slot;

	if (list == NULL || array == NULL)
		goto fail;
	json_array_foreach(slots, i, slot)
		if (out_string(slot, "port") != NULL)
			list[n++] = slot;
	qsort(list, n, sizeof(json_t *), compare);
	for (i = 0; i < n; i++)
		if (json_array_append(array, list[i]) < 0)
			goto fail;
	free(list);
	return array;
fail:
	free(list);
	json_decref(array);
	return NULL;
}

json_t *
slots_sorted(const struct slots *s)
{
	json_t *list = json_array(), *sorted = NULL, *slot;
	const char *port;

	json_object_foreach(s->by_port, port, slot)
		if (json_array_append(list, slot) < 0)
			goto out;
	sorted = slots_sort(list);
out:
	json_decref(list);
	return sorted;
}

const char *
slot_verdict(const json_t *slot)
{
	const char *v = out_string(slot, "verdict");

	return v != NULL && v[0] != '\0' ? v : NULL;
}

const char *
slot_class(const json_t *slot)
{
	static const char *const states[] = { "absent", "foreign", "quarantined" };
	const char *class = out_string(slot, "class"), *state = out_string(slot, "state");

	if (class != NULL)
		return class;
	/* A service that is older than its client tells no class. */
	if (state == NULL)
		return slot_verdict(slot) != NULL ? slot_verdict(slot) : "";
	for (size_t i = 1; i < ARRAY_LEN(states); i++)
		if (strcmp(state, states[i]) == 0)
			return states[i];
	if (slot_verdict(slot) != NULL)
		return slot_verdict(slot);
	if (strcmp(state, "absent") == 0)
		return states[0];
	return strcmp(state, "idle") == 0 ? "unserved" : "active";
}

/* The consequences of a class; words: for the operator, NULL: none are needed. */
static const struct class_row {
	const char *name;
	enum slot_fate fate;
	bool failed;
	const char *words;
} class_rows[] = {
	{ "absent", SLOT_FATE_NONE, false, NULL },
	{ "active", SLOT_FATE_ACTIVE, false, NULL },
	{ "waiting", SLOT_FATE_WAITING, false, NULL },
	{ "pass", SLOT_FATE_DONE, false, NULL },
	{ "unchanged", SLOT_FATE_DONE, false, NULL },
	/* WHY not done: its bytes are right, but it was not seen to start with them. */
	{ "needs-power-cycle", SLOT_FATE_ASIDE, false, N_("needs a power cycle") },
	{ "needs-button", SLOT_FATE_ASIDE, true, N_("needs the button") },
	{ "fail", SLOT_FATE_ASIDE, true, N_("FAIL") },
	{ "interrupted", SLOT_FATE_ASIDE, true, N_("interrupted") },
	{ "quarantined", SLOT_FATE_ASIDE, true, N_("quarantined") },
	{ "skipped", SLOT_FATE_ALONE, false, N_("skipped") },
	{ "foreign", SLOT_FATE_ALONE, false, N_("foreign") },
	{ "unserved", SLOT_FATE_ALONE, false, N_("no firmware for it") },
};

/* WHY a class that is not known counts as left alone: it was not seen to be good. */
static const struct class_row *
row_of(const json_t *slot)
{
	static const struct class_row unknown = { "", SLOT_FATE_ALONE, false, "unknown" };
	const char *class = slot_class(slot);

	for (size_t i = 0; i < ARRAY_LEN(class_rows); i++)
		if (strcmp(class_rows[i].name, class) == 0)
			return &class_rows[i];
	return &unknown;
}

struct text
slot_work(const json_t *slot)
{
	static const char *const steps[] = { "erasing", "writing", "verifying", "first-page" };
	struct text state = out_text(slot, "state");

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strcmp(state.s, steps[i]) == 0)
			text_copy(&state, "flashing");
	return state;
}

enum slot_fate
slot_fate(const json_t *slot)
{
	return row_of(slot)->fate;
}

unsigned
slot_severity(const json_t *slot)
{
	switch (slot_fate(slot)) {
	case SLOT_FATE_NONE:
	case SLOT_FATE_ACTIVE:
	case SLOT_FATE_WAITING:
		return 0;
	case SLOT_FATE_DONE:
	case SLOT_FATE_UNSURE:
		return out_true(slot, "present") && slot_place(slot) == SLOT_FATE_ASIDE ? 2 : 0;
	case SLOT_FATE_ALONE:
		return out_true(slot, "present") ? 1 : 0;
	case SLOT_FATE_ASIDE:
		break;
	}
	if (!slot_has_failed(slot))
		return 2;
	return strcmp(slot_class(slot), "needs-button") == 0 ? 3 : 4;
}

bool
slot_is_active(const json_t *slot)
{
	return slot_fate(slot) == SLOT_FATE_ACTIVE;
}

bool
slot_has_failed(const json_t *slot)
{
	return row_of(slot)->failed;
}

void
slot_words(const json_t *slot, char *dst, size_t size)
{
	const struct class_row *row = row_of(slot);
	struct text fault = out_text(slot, "fault"), step = out_text(slot, "step");
	const char *verdict = slot_verdict(slot);

	dst[0] = '\0';
	if (row->words == NULL)
		return;
	(void)snprintf(dst, size, "%s", row->words);
	if (strcmp(row->name, "quarantined") == 0 && verdict != NULL) {
		const char *shown = strcmp(verdict, "fail") == 0 ? "FAIL" : verdict;

		text_format(dst, size, "%s, %.40s", row->words, shown);
	}
	if (fault.s[0] != '\0' && strcmp(row->name, "needs-button") != 0) {
		size_t used = strlen(dst);

		text_format(dst + used, size - used, ": %.40s%s%.40s", fault.s,
			    step.s[0] != '\0' ? " while " : "", step.s);
	}
}

/* ---- the whole drone ------------------------------------------------------------------------ */

bool
slot_is_ready(const json_t *slot)
{
	return out_is(slot, "ready", "yes");
}

bool
slot_is_checking(const json_t *slot)
{
	return out_true(slot, "checking");
}

const char *
slot_ready_word(const json_t *slot)
{
	const char *ready = out_string(slot, "ready");

	if (ready == NULL)
		return "";
	if (slot_is_checking(slot))
		return "checking";
	if (strcmp(ready, "yes") == 0)
		return "READY";
	return strcmp(ready, "no") == 0 ? "NOT READY" : "unknown";
}

enum colour
slot_ready_colour(const json_t *slot)
{
	if (slot_is_checking(slot))
		return COLOUR_BUSY;
	if (slot_is_ready(slot))
		return COLOUR_GOOD;
	return out_is(slot, "ready", "no") ? COLOUR_BAD : COLOUR_NONE;
}

/* The members of what is left to be done, one after the other. */
static void
join_remaining(const json_t *slot, const char *key, const char *between, char *dst, size_t size)
{
	const json_t *one;
	size_t i;

	dst[0] = '\0';
	json_array_foreach(json_object_get(slot, "remaining"), i, one) {
		size_t used = strlen(dst);

		text_format(dst + used, size - used, "%s%s", used > 0 ? between : "",
			    out_text(one, key).s);
	}
}

void
slot_remaining(const json_t *slot, char *dst, size_t size)
{
	join_remaining(slot, "what", ", ", dst, size);
}

void
slot_ready_words(const json_t *slot, char *dst, size_t size)
{
	const char *word = slot_ready_word(slot);
	char left[128];

	slot_remaining(slot, left, sizeof(left));
	dst[0] = '\0';
	if (slot_fate(slot) == SLOT_FATE_DONE && word[0] != '\0')
		text_format(dst, size, "%s%s%s%s", strcmp(word, "unknown") == 0 ? "readiness " : "",
			    word, left[0] != '\0' ? ": " : "", left);
}

struct text
slot_ready_text(const json_t *slot)
{
	struct text t = { "" }, note = out_text(slot, "ready_note");
	const char *word = slot_ready_word(slot);
	char left[OUT_TEXT_MAX - 64];

	join_remaining(slot, "text", " ", left, sizeof(left));
	if (slot_fate(slot) != SLOT_FATE_DONE)
		return t;
	if (strcmp(word, "NOT READY") == 0 || (left[0] != '\0' && strcmp(word, "checking") != 0))
		text_format(t.s, sizeof(t.s), "%s: %s", word, left);
	else if (strcmp(word, "unknown") == 0)
		text_format(t.s, sizeof(t.s), "Not seen to be ready: %s",
			    note.s[0] != '\0' ? note.s : "it was not looked at.");
	return t;
}

enum slot_fate
slot_place(const json_t *slot)
{
	enum slot_fate fate = slot_fate(slot);

	if (fate != SLOT_FATE_DONE || slot_ready_word(slot)[0] == '\0' || slot_is_ready(slot))
		return fate;
	if (slot_is_checking(slot))
		return SLOT_FATE_ACTIVE;
	return out_is(slot, "ready", "no") ? SLOT_FATE_ASIDE : SLOT_FATE_UNSURE;
}

/* ---- names ---------------------------------------------------------------------------------- */

struct text
slot_label(const json_t *slot)
{
	struct text label = out_text(slot, "label");

	return label.s[0] != '\0' ? label : out_text(slot, "port");
}

void
slot_name(const json_t *slot, char *dst, size_t size)
{
	struct text port = out_text(slot, "port"), label = out_text(slot, "label");

	if (label.s[0] != '\0')
		text_format(dst, size, "%.200s (%.200s)", label.s, port.s);
	else
		text_format(dst, size, "%.200s", port.s);
}

void
slot_short_name(const json_t *slots, const json_t *slot, char *dst, size_t size)
{
	const char *label = out_string(slot, "label");
	const json_t *other;
	size_t i, same = 0;

	json_array_foreach(slots, i, other)
		same += label != NULL && out_is(other, "label", label);
	if (same <= 1)
		text_format(dst, size, "%.90s", slot_label(slot).s);
	else
		slot_name(slot, dst, size);
}

const char *
slot_serial(const json_t *slot)
{
	const char *serial = out_string(slot, "serial");

	if (serial == NULL || serial[0] == '\0')
		serial = out_string(slot, "dfu_serial");
	return serial != NULL ? serial : "";
}

struct text
slot_short_serial(const json_t *slot, size_t digits)
{
	struct text t;

	text_copy(&t, slot_serial(slot));
	if (digits < sizeof(t.s))
		t.s[digits] = '\0';
	return t;
}

/* As many as two have in common, and one. */
size_t
slots_serial_digits(const json_t *slots)
{
	size_t most = SERIAL_MIN, i, k;
	const json_t *a, *b;

	json_array_foreach(slots, i, a) {
		const char *one = slot_serial(a);

		json_array_foreach(slots, k, b) {
			const char *other = slot_serial(b);
			size_t same = 0;

			if (k >= i)
				break;
			while (one[same] != '\0' && one[same] == other[same])
				same++;
			if (one[same] != other[same] && same + 1 > most)
				most = same + 1;
		}
	}
	return most < SERIAL_MAX ? most : SERIAL_MAX;
}

int
slots_put_bad_first(json_t *list)
{
	json_t *sorted = json_array(), *slot;
	size_t i;
	int r = sorted == NULL ? -ENOMEM : 0;

	for (unsigned severity = SEVERITY_MAX + 1; severity-- > 0;)
		json_array_foreach(list, i, slot) {
			if (slot_severity(slot) == severity && json_array_append(sorted, slot) < 0)
				r = -ENOMEM;
		}
	if (r == 0 && (json_array_clear(list) < 0 || json_array_extend(list, sorted) < 0))
		r = -ENOMEM;
	json_decref(sorted);
	return r;
}
