/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dip.h"

#include <stdio.h>
#include <string.h>

#include "cfdfu/util.h"

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
	return s->job != NULL && s->cause.hold_us != 0 && !s->cause.known;
}

static unsigned
waiting_below(const struct slots *ss, const struct hub *hub)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ss->count; i++)
		n += waits(&ss->list[i]) && is_below(hub, ss->list[i].sighting.port);
	return n;
}

/* How many of this slot's neighbours vanished with it; 0: it is alone. */
static unsigned
find_hub(const struct slots *ss, const struct slot *s, struct hub *ret_hub)
{
	struct hub hub = { s->sighting.port, strlen(s->sighting.port) };
	unsigned best = 0;

	while (climb(&hub)) {
		unsigned n = waiting_below(ss, &hub);

		if (n < best + DIP_DRONES_MIN)
			continue;
		best = n;
		*ret_hub = hub;
	}
	return best;
}

static void
blame(struct slots *ss, unsigned slot, const char *words)
{
	struct slot *s = &ss->list[slot];

	s->cause.known = true;
	s->cause.hold_us = 0;
	copy_text(s->cause.text, sizeof(s->cause.text), words);
	job_blame(s->job, s->cause.text);
	slots_enqueue(ss, slot);
}

static void
settle(struct slots *ss, unsigned slot)
{
	struct hub hub = { NULL, 0 };
	unsigned n = find_hub(ss, &ss->list[slot], &hub);
	char words[SLOT_CAUSE_MAX];
	bool bus = n > 0 && memchr(hub.path, '-', hub.length) == NULL;

	ss->list[slot].cause.known = true;
	if (n == 0)
		return;
	ss->list[slot].cause.known = false;
	(void)snprintf(words, sizeof(words), "%u drones of %s %.*s vanished within 1 s: %s.", n,
		       bus ? "bus" : "hub", (int)hub.length, hub.path,
		       bus ? "its hubs, their supply, or the controller" : "hub or its supply");
	for (unsigned i = 0; i < ss->count; i++) {
		struct slot *s = &ss->list[i];

		if (!is_below(&hub, s->sighting.port))
			continue;
		if (waits(s))
			blame(ss, i, words);
		else if (s->job != NULL && !s->present && job_awaits(s->job))
			copy_text(s->cause.text, sizeof(s->cause.text), words);
	}
	slots_tell(ss, slot, EVENT_COMMON_CAUSE);
}

/* Are there so many others at work on this bus that they could have vanished with it? */
static bool
has_company(const struct slots *ss, unsigned slot)
{
	const char *port = ss->list[slot].sighting.port;
	struct hub bus = { port, strcspn(port, "-") };
	unsigned n = 0;

	for (unsigned i = 0; i < ss->count; i++) {
		const struct slot *s = &ss->list[i];

		n += s->job != NULL && !job_published(s->job) && is_below(&bus, s->sighting.port);
	}
	return n >= DIP_DRONES_MIN;
}

bool
dip_waits(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];
	const struct verdict *v;

	if (s->job == NULL || job_stage(s->job) != JOB_ENDING || s->cause.known)
		return false;
	v = &job_record(s->job)->verdict;
	if (v->kind == VERDICT_FAIL && s->cause.text[0] != '\0' &&
	    (v->fault == FAULT_NO_BOOT || v->fault == FAULT_DARK || v->fault == FAULT_GONE)) {
		s->cause.known = true;
		job_blame(s->job, s->cause.text);
		return false;
	}
	if (v->kind != VERDICT_FAIL || v->fault != FAULT_GONE ||
	    (s->cause.hold_us == 0 && !has_company(ss, slot))) {
		s->cause.known = true;
		return false;
	}
	if (s->cause.hold_us == 0)
		s->cause.hold_us = now_us + DIP_WINDOW_US;
	if (now_us < s->cause.hold_us && !ss->stopping) {
		s->wake_us = s->cause.hold_us;
		return true;
	}
	settle(ss, slot);
	return false;
}
