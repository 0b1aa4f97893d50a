/* SPDX-License-Identifier: MIT */
/*
 * Drones that vanish at work at the same time have one cause, and it is told once: the hub above
 * them, or its supply.
 *
 *   vanished     a drone's ending is "gone": it waits DIP_WINDOW_US for others, if others are at
 *                work on its bus [fleet_waits_for_others]
 *   settled      then all that wait are looked at: the deepest hub with DIP_DRONES_MIN of them, or
 *                one further up that has so many more [find_hub]
 *   as well      drones below it that are between two modes: if they do not come back, that is why
 *
 * Such an ending counts against neither the port nor the drone nor the firmware.
 */
#include "config.h"

#include "core/fleet.h"
#include "core/fleet_parts.h"

#include <stdio.h>

enum { DIP_WINDOW_US = 1000000, DIP_DRONES_MIN = 3 };

/* The beginning of a port path that names a hub ("1-4"), or a bus ("1"). */
struct hub {
	const char *path;
	size_t length;
};

static bool
is_below(const struct hub *hub, const char *port)
{
	return strncmp(port, hub->path, hub->length) == 0 &&
	       (port[hub->length] == '.' || port[hub->length] == '-');
}

/* One further up; false at the bus. */
static bool
climb(struct hub *hub)
{
	size_t n = hub->length;

	while (n > 0 && hub->path[n - 1] != '.' && hub->path[n - 1] != '-')
		n--;
	if (n == 0)
		return false;
	hub->length = n - 1;
	return true;
}

static bool
waits(const struct slot *s)
{
	return s->job != NULL && s->hold_us != 0 && !s->cause_known;
}

static unsigned
waiting_below(const struct fleet *f, const struct hub *hub)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->slot_count; i++)
		n += waits(&f->slots[i]) && is_below(hub, f->slots[i].sighting.port);
	return n;
}

/* How many of this slot's neighbours vanished with it; 0: it is alone. */
static unsigned
find_hub(const struct fleet *f, const struct slot *s, struct hub *ret_hub)
{
	struct hub hub = { s->sighting.port, strlen(s->sighting.port) };
	unsigned best = 0;

	while (climb(&hub)) {
		unsigned n = waiting_below(f, &hub);

		if (n < best + DIP_DRONES_MIN)
			continue;
		best = n;
		*ret_hub = hub;
	}
	return best;
}

static void
blame(struct fleet *f, unsigned slot, const char *words)
{
	struct slot *s = &f->slots[slot];

	s->cause_known = true;
	s->hold_us = 0;
	copy_text(s->cause, sizeof(s->cause), words);
	job_blame(s->job, s->cause);
	fleet_enqueue(f, slot);
}

static void
settle(struct fleet *f, unsigned slot)
{
	struct hub hub = { NULL, 0 };
	unsigned n = find_hub(f, &f->slots[slot], &hub);
	char words[CAUSE_TEXT_MAX];
	bool bus = n > 0 && memchr(hub.path, '-', hub.length) == NULL;

	f->slots[slot].cause_known = true;
	if (n == 0)
		return;
	f->slots[slot].cause_known = false;
	(void)snprintf(words, sizeof(words), "%u drones of %s %.*s vanished within 1 s: %s.", n,
		       bus ? "bus" : "hub", (int)hub.length, hub.path,
		       bus ? "its hubs, their supply, or the controller" : "hub or its supply");
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		if (!is_below(&hub, s->sighting.port))
			continue;
		if (waits(s))
			blame(f, i, words);
		else if (s->job != NULL && !s->present && job_awaits(s->job))
			copy_text(s->cause, sizeof(s->cause), words);
	}
	fleet_tell(f, slot, EVENT_COMMON_CAUSE);
}

/* Are there so many others at work on this bus that they could have vanished with it? */
static bool
has_company(const struct fleet *f, unsigned slot)
{
	const char *port = f->slots[slot].sighting.port;
	struct hub bus = { port, strcspn(port, "-") };
	unsigned n = 0;

	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct slot *s = &f->slots[i];

		n += s->job != NULL && !job_published(s->job) && is_below(&bus, s->sighting.port);
	}
	return n >= DIP_DRONES_MIN;
}

bool
fleet_waits_for_others(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	const struct verdict *v;

	if (s->job == NULL || job_stage(s->job) != JOB_ENDING || s->cause_known)
		return false;
	v = &job_record(s->job)->verdict;
	if (v->kind == VERDICT_FAIL && s->cause[0] != '\0' &&
	    (v->fault == FAULT_NO_BOOT || v->fault == FAULT_NO_DFU || v->fault == FAULT_GONE)) {
		s->cause_known = true;
		job_blame(s->job, s->cause);
		return false;
	}
	if (v->kind != VERDICT_FAIL || v->fault != FAULT_GONE ||
	    (s->hold_us == 0 && !has_company(f, slot))) {
		s->cause_known = true;
		return false;
	}
	if (s->hold_us == 0)
		s->hold_us = now_us + DIP_WINDOW_US;
	if (now_us < s->hold_us && !f->stopping) {
		s->wake_us = s->hold_us;
		return true;
	}
	settle(f, slot);
	return false;
}

const char *
fleet_common_cause(const struct fleet *f, unsigned slot)
{
	const struct slot *s = &f->slots[slot];
	bool common = s->job != NULL ? job_record(s->job)->common : s->ended && s->shown.common;

	return common ? s->cause : NULL;
}
