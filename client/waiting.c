/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/proto.h"
#include "client/out.h"
#include "client/slots.h"

struct waiting {
	struct slots *slots;
	json_t *endings;   /* drone -> slot as it ended last */
	json_t *drones;	   /* serial or DFU serial -> drone */
	json_t *occupants; /* port -> drone that ended there and has not been unplugged since */
	unsigned known;	   /* drones so far: their names here are numbers */
	struct waiting_options options;
	bool replied, failed;
	waiting_ended *ended; /* of the reply that is being applied */
	void *ctx;
};

int
waiting_new(const struct waiting_options *options, struct waiting **ret_waiting)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->options = *options;
	w->endings = json_object();
	w->drones = json_object();
	w->occupants = json_object();
	if (w->endings == NULL || w->drones == NULL || w->occupants == NULL ||
	    slots_new(&w->slots) < 0) {
		waiting_free(w);
		return -ENOMEM;
	}
	*ret_waiting = w;
	return 0;
}

void
waiting_free(struct waiting *w)
{
	if (w == NULL)
		return;
	slots_free(w->slots);
	json_decref(w->endings);
	json_decref(w->drones);
	json_decref(w->occupants);
	free(w);
}

const json_t *
waiting_station(const struct waiting *w)
{
	return slots_station(w->slots);
}

/* ---- which drone ---------------------------------------------------------------------------- */

static const char *
text_of(const json_t *slot, const char *key)
{
	const char *text = out_string(slot, key);

	return text != NULL ? text : "";
}

static bool
differ(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* Whether what is there now may be the same drone, by what both say of themselves. */
static bool
agree(const json_t *a, const json_t *b)
{
	return !differ(text_of(a, "serial"), text_of(b, "serial")) &&
	       !differ(text_of(a, "dfu_serial"), text_of(b, "dfu_serial"));
}

/* The drone that has ended already, by its serial, its DFU serial, or its place; NULL: none. */
static const char *
find_drone(const struct waiting *w, const json_t *slot)
{
	const char *keys[] = { text_of(slot, "serial"), text_of(slot, "dfu_serial") };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *drone = out_string(w->drones, keys[i]);

		/* WHY: different drones may show one DFU serial. */
		if (drone != NULL &&
		    !differ(text_of(json_object_get(w->endings, drone), "serial"), keys[0]))
			return drone;
	}
	return out_string(w->occupants, text_of(slot, "port"));
}

static void
remember(struct waiting *w, json_t *map, const char *key, const char *drone)
{
	if (key[0] != '\0' && json_object_set_new(map, key, json_string(drone)) < 0)
		w->failed = true;
}

static void
add_ending(struct waiting *w, const json_t *slot)
{
	const char *known = find_drone(w, slot);
	char drone[24];

	if (known != NULL)
		copy_text(drone, sizeof(drone), known);
	else
		(void)snprintf(drone, sizeof(drone), "%u", w->known++);
	if (json_object_set_new(w->endings, drone, json_deep_copy(slot)) < 0)
		w->failed = true;
	remember(w, w->drones, text_of(slot, "serial"), drone);
	remember(w, w->drones, text_of(slot, "dfu_serial"), drone);
	if (out_true(slot, "present"))
		remember(w, w->occupants, text_of(slot, "port"), drone);
}

/* ---- replies of Watch ------------------------------------------------------------------------ */

static bool
is_pending(const json_t *slot)
{
	enum slot_fate fate = slot_fate(slot);

	/* WHY also then: its ending is told with what the look at the whole drone shows. */
	return fate == SLOT_FATE_ACTIVE || fate == SLOT_FATE_WAITING || slot_is_checking(slot);
}

/* A new ending: a verdict that was not there, or the one of another attempt or drone. */
static bool
is_new(const json_t *before, const json_t *after)
{
	return before == NULL || slot_verdict(before) == NULL || is_pending(before) ||
	       strcmp(slot_verdict(before), slot_verdict(after)) != 0 ||
	       out_int(before, "attempt") != out_int(after, "attempt") || !agree(before, after);
}

/* Has this ending of this drone been taken already?  A reading in between ends nothing. */
static bool
is_taken(const struct waiting *w, const json_t *slot)
{
	const char *drone = find_drone(w, slot);
	const json_t *ending = drone != NULL ? json_object_get(w->endings, drone) : NULL;

	return ending != NULL && out_int(ending, "attempt") == out_int(slot, "attempt") &&
	       strcmp(slot_verdict(ending), slot_verdict(slot)) == 0;
}

static void
on_changed(void *ctx, const json_t *before, const json_t *after)
{
	struct waiting *w = ctx;
	const char *port = text_of(after, "port");
	bool present = out_true(after, "present");

	if (before != NULL && !agree(before, after))
		(void)json_object_del(w->occupants, port); /* WHY: perhaps there was none */
	/* WHY not what was gone before: it is none of the drones that are waited for. */
	if (slot_verdict(after) != NULL && !is_pending(after) && is_new(before, after) &&
	    !is_taken(w, after) && (w->replied || present)) {
		add_ending(w, after);
		if (w->ended != NULL)
			w->ended(w->ctx, after);
	}
	if (!present && !is_pending(after))
		(void)json_object_del(w->occupants, port); /* WHY: perhaps there was none */
}

int
waiting_apply(struct waiting *w, const json_t *reply, waiting_ended *ended, void *ctx)
{
	int r;

	w->ended = ended;
	w->ctx = ctx;
	r = slots_apply(w->slots, reply, on_changed, w);
	w->replied = true;
	return r == 0 && w->failed ? -ENOMEM : r;
}

json_int_t
waiting_since(const struct waiting *w)
{
	json_int_t newest = 0, oldest_running = 0;
	json_t *list = slots_sorted(w->slots);
	const json_t *slot;
	size_t i;

	json_array_foreach(list, i, slot) {
		json_int_t id = out_int(slot, "attempt");

		newest = id > newest ? id : newest;
		if (id > 0 && is_pending(slot) && (oldest_running == 0 || id < oldest_running))
			oldest_running = id;
	}
	json_decref(list);
	return oldest_running > 0 ? oldest_running : newest + 1;
}

int
waiting_missed(struct waiting *w, const json_t *attempts)
{
	json_int_t since = waiting_since(w);

	/* WHY from the end: the last ending of a drone counts. */
	for (size_t i = json_array_size(attempts); i-- > 0;) {
		const json_t *a = json_array_get(attempts, i);
		const char *kind = out_string(a, "kind");
		json_t *slot;

		if (out_int(a, "id") < since || slot_verdict(a) == NULL ||
		    (kind != NULL && strcmp(kind, "flash") != 0))
			continue;
		slot = json_deep_copy(a);
		if (slot == NULL || json_object_set(slot, "attempt", json_object_get(a, "id")) < 0)
			w->failed = true;
		else
			add_ending(w, slot);
		json_decref(slot);
	}
	return w->failed ? -ENOMEM : 0;
}

/* ---- what follows --------------------------------------------------------------------------- */

/* The service does nothing now, and has nothing to begin. */
static bool
all_ended(const struct waiting *w)
{
	json_t *list = slots_sorted(w->slots);
	bool ended = list != NULL, any = json_object_size(w->endings) > 0;
	const json_t *slot;
	size_t i;

	json_array_foreach(list, i, slot) {
		ended = ended && !is_pending(slot);
		any = any || out_true(slot, "present");
	}
	json_decref(list);
	return ended && (any || !w->options.patient);
}

bool
waiting_is_over(const struct waiting *w)
{
	if (!w->replied)
		return false;
	return w->options.count > 0 ? json_object_size(w->endings) >= w->options.count
				    : all_ended(w);
}

/* Where a class stands in the report; NULL: nowhere, it is good, or nothing is there. */
static const char *
list_of(const json_t *slot)
{
	const char *class = slot_class(slot);

	if (slot_is_checking(slot))
		return "missing";
	switch (slot_fate(slot)) {
	case SLOT_FATE_NONE:
	case SLOT_FATE_DONE:
	case SLOT_FATE_UNSURE:
		return NULL;
	case SLOT_FATE_ACTIVE:
	case SLOT_FATE_WAITING:
		return "missing";
	case SLOT_FATE_ASIDE:
		if (strcmp(class, "quarantined") == 0)
			return "quarantined";
		return slot_has_failed(slot) ? "failed" : "needs_power_cycle";
	case SLOT_FATE_ALONE:
		if (strcmp(class, "foreign") == 0 || strcmp(class, "skipped") == 0)
			return class;
		break;
	}
	return "unserved";
}

struct report {
	const struct waiting *w;
	json_t *document;
	json_t *slots; /* as last reported, sorted */
	bool failed;
};

static void
add_to(struct report *r, const char *list, const json_t *slot)
{
	static const char *const keys[] = { "port",    "label",	  "serial", "dfu_serial",
					    "present", "verdict", "fault",  "step",
					    "attempt", "state",	  "ready",  "remaining" };
	char name[96], words[128];
	json_t *o;

	slot_short_name(r->slots, slot, name, sizeof(name));
	slot_words(slot, words, sizeof(words));
	if (words[0] == '\0')
		slot_ready_words(slot, words, sizeof(words));
	o = json_pack("{s:s, s:s, s:s}", "name", name, "class", slot_class(slot), "words", words);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (o == NULL || (json_object_get(slot, keys[i]) != NULL &&
				  json_object_set(o, keys[i], json_object_get(slot, keys[i])) < 0))
			r->failed = true;
	if (json_array_append_new(json_object_get(r->document, list), o) < 0)
		r->failed = true;
}

static const json_t *
slot_at(const struct report *r, const char *port)
{
	const json_t *slot;
	size_t i;

	json_array_foreach(r->slots, i, slot)
		if (strcmp(text_of(slot, "port"), port) == 0)
			return slot;
	return NULL;
}

/* The same ending, seen in a slot and in a drone's last one? */
static bool
is_ending_of(const json_t *ending, const json_t *slot)
{
	return slot != NULL && slot_verdict(slot) != NULL &&
	       out_int(slot, "attempt") == out_int(ending, "attempt") && agree(slot, ending);
}

/* How each drone ended last: as its slot shows it now, where it still does. */
static void
report_endings(struct report *r)
{
	const char *drone;
	json_t *ending;

	json_object_foreach(r->w->endings, drone, ending) {
		const json_t *slot = slot_at(r, text_of(ending, "port"));
		const json_t *shown = is_ending_of(ending, slot) ? slot : ending;
		const char *list = list_of(shown);

		add_to(r, "ended", shown);
		if (list == NULL && slot_place(shown) != SLOT_FATE_DONE)
			add_to(r, "not_ready", shown);
		if (list != NULL && strcmp(list, "missing") != 0)
			add_to(r, list, shown);
	}
}

/* Has report_endings() listed it? */
static bool
is_listed(const struct report *r, const json_t *slot)
{
	const char *drone;
	json_t *ending;

	json_object_foreach(r->w->endings, drone, ending)
		if (strcmp(text_of(ending, "port"), text_of(slot, "port")) == 0 &&
		    is_ending_of(ending, slot))
			return true;
	return false;
}

/* Returns how many of them are there, and have not ended. */
static size_t
report_slots(struct report *r)
{
	const json_t *slot;
	size_t i, others = 0;

	json_array_foreach(r->slots, i, slot) {
		const char *list = list_of(slot);

		if (list == NULL || (is_listed(r, slot) && !is_pending(slot)))
			continue;
		/* WHY those as well that are off the bus: status counts them, and a drone that
		 * does not start is still plugged in. */
		if (out_true(slot, "present") || is_pending(slot) ||
		    slot_fate(slot) == SLOT_FATE_ASIDE)
			add_to(r, list, slot);
		others += out_true(slot, "present") || is_pending(slot);
	}
	return others;
}

static size_t
size_of(const struct report *r, const char *list)
{
	return json_array_size(json_object_get(r->document, list));
}

static int
exit_of(const struct report *r, bool timed_out, uint64_t more)
{
	static const char *const bad[] = { "failed",   "quarantined", "foreign",
					   "unserved", "skipped",     "needs_power_cycle" };

	if (timed_out && (more > 0 || size_of(r, "missing") > 0))
		return EXIT_TIMED_OUT;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (size_of(r, bad[i]) > 0)
			return EXIT_DRONE_FAILED;
	if (r->w->options.ready && size_of(r, "not_ready") > 0)
		return EXIT_DRONE_FAILED;
	return size_of(r, "ended") > 0 ? EXIT_OK : EXIT_NOTHING_THERE;
}

json_t *
waiting_report(const struct waiting *w, bool timed_out)
{
	struct report r = { .w = w, .slots = slots_sorted(w->slots) };
	uint64_t known, more;

	r.document = json_pack("{s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[]}", "ended",
			       "failed", "quarantined", "foreign", "unserved", "skipped",
			       "needs_power_cycle", "not_ready", "missing");
	if (r.document == NULL || r.slots == NULL) {
		r.failed = true;
	} else {
		report_endings(&r);
		known = report_slots(&r);
		known += size_of(&r, "ended");
		more = w->options.count > known ? w->options.count - known : 0;
		if (json_object_set_new(r.document, "more", json_integer((json_int_t)more)) < 0 ||
		    json_object_set_new(r.document, "exit",
					json_integer(exit_of(&r, timed_out, more))) < 0)
			r.failed = true;
	}
	json_decref(r.slots);
	if (!r.failed)
		return r.document;
	json_decref(r.document);
	return NULL;
}
