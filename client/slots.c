/* SPDX-License-Identifier: MIT */
/* The station's slots as last heard. */
#include "config.h"

#include "client/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/out.h"

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

/* A full reply forgets the slots that it does not name. */
static void
forget_others(struct slots *s, const json_t *list)
{
	const char *port;
	json_t *known;
	void *next;

	json_object_foreach_safe(s->by_port, next, port, known)
	{
		bool named = false;

		for (size_t i = 0; i < json_array_size(list) && !named; i++) {
			const char *p = out_string(json_array_get(list, i), "port");

			named = p != NULL && strcmp(p, port) == 0;
		}
		if (!named)
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
		forget_others(s, list);
	json_array_foreach(list, i, slot)
	{
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

/* WHY strverscmp: "1-10" comes after "1-9". */
static int
compare(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strverscmp(out_string(*x, "port"), out_string(*y, "port"));
}

json_t *
slots_sort(const json_t *slots)
{
	size_t count = json_array_size(slots), n = 0, i;
	json_t **list = calloc(count > 0 ? count : 1, sizeof(json_t *));
	json_t *array = json_array(), *slot;

	if (list == NULL || array == NULL)
		goto fail;
	json_array_foreach(slots, i, slot) if (out_string(slot, "port") != NULL) list[n++] = slot;
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

	json_object_foreach(s->by_port, port, slot) if (json_array_append(list, slot) < 0) goto out;
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

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; word != NULL && *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

bool
slot_has_ended(const json_t *slot)
{
	static const char *const quiet[] = { "absent",	    "idle",  "foreign",
					     "quarantined", "ended", NULL };

	return slot_verdict(slot) != NULL || is_one_of(out_string(slot, "state"), quiet);
}

bool
slot_is_active(const json_t *slot)
{
	return !slot_has_ended(slot);
}

bool
slot_has_failed(const json_t *slot)
{
	static const char *const bad[] = { "fail", "needs-button", "interrupted", NULL };

	return is_one_of(slot_verdict(slot), bad);
}

void
slot_name(const json_t *slot, char *dst, size_t size)
{
	struct text port = out_text(slot, "port"), label = out_text(slot, "label");

	if (label.s[0] != '\0')
		snprintf(dst, size, "%.200s (%.200s)", label.s, port.s);
	else
		snprintf(dst, size, "%.200s", port.s);
}

const char *
slot_serial(const json_t *slot)
{
	const char *serial = out_string(slot, "serial");

	if (serial == NULL || serial[0] == '\0')
		serial = out_string(slot, "dfu_serial");
	return serial != NULL ? serial : "";
}
