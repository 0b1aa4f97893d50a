/* SPDX-License-Identifier: MIT */
/* A table of ports, searched in order: a few hundred at most, and only when something is plugged in
 * or out. */
#include "config.h"

#include "udev/roster.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
	char port[PORT_TEXT_MAX];
	uint64_t stamp;
	enum found found;
	uint64_t arrival;	   /* of FOUND_OURS */
	uint64_t unready_since_us; /* of FOUND_UNREADY */
	bool seen;		   /* in this sweep */
};

struct roster {
	struct entry *entries;
	size_t count, room;
	uint64_t last_arrival;
};

int
roster_new(struct roster **ret_roster)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	*ret_roster = r;
	return 0;
}

void
roster_free(struct roster *r)
{
	if (r == NULL)
		return;
	free(r->entries);
	free(r);
}

static struct entry *
find_entry(const struct roster *r, const char *port)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->entries[i].port, port) == 0)
			return &r->entries[i];
	return NULL;
}

static void
remove_entry(struct roster *r, struct entry *e)
{
	*e = r->entries[--r->count];
}

static int
make_room(struct roster *r)
{
	size_t room = r->room > 0 ? r->room * 2 : 64;
	struct entry *grown;

	if (r->count < r->room)
		return 0;
	if (r->count == ROSTER_PORTS_MAX)
		return -E2BIG;
	grown = realloc(r->entries, room * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	r->entries = grown;
	r->room = room;
	return 0;
}

static struct entry *
add_entry(struct roster *r, const char *port, uint64_t stamp)
{
	struct entry *e = &r->entries[r->count++];

	*e = (struct entry){ .stamp = stamp };
	copy_text(e->port, sizeof(e->port), port);
	return e;
}

/* The device is the one we know: what is new about it?  INVARIANT: one that was told stays told. */
static void
note_again(struct roster *r, struct entry *e, enum found found, uint64_t now_us,
	   struct roster_change *change)
{
	e->seen = true;
	if (e->found == FOUND_OURS || e->found == found)
		return;
	e->found = found;
	if (found == FOUND_UNREADY)
		e->unready_since_us = now_us;
	if (found == FOUND_OURS) {
		e->arrival = now_us > r->last_arrival ? now_us : r->last_arrival + 1;
		r->last_arrival = e->arrival;
		change->new_arrival = e->arrival;
	}
}

int
roster_note(struct roster *r, const char *port, enum found found, uint64_t stamp, uint64_t now_us,
	    struct roster_change *ret_change)
{
	struct roster_change change = { 0, 0 };
	struct entry *e = find_entry(r, port);
	int error = found != FOUND_NOTHING && e == NULL ? make_room(r) : 0;

	if (error < 0)
		return error;
	if (e != NULL && (found == FOUND_NOTHING || e->stamp != stamp)) {
		if (e->found == FOUND_OURS)
			change.gone_arrival = e->arrival;
		remove_entry(r, e);
		e = NULL;
	}
	if (found != FOUND_NOTHING) {
		if (e == NULL)
			e = add_entry(r, port, stamp);
		note_again(r, e, found, now_us, &change);
	}
	*ret_change = change;
	return 0;
}

enum found
roster_find(struct roster *r, const char *port, uint64_t stamp)
{
	struct entry *e = find_entry(r, port);

	if (e == NULL || e->stamp != stamp)
		return FOUND_NOTHING;
	e->seen = true;
	return e->found;
}

uint64_t
roster_unready_since(const struct roster *r, const char *port, uint64_t now_us)
{
	const struct entry *e = find_entry(r, port);

	return e != NULL && e->found == FOUND_UNREADY ? e->unready_since_us : now_us;
}

const char *
roster_unready(const struct roster *r, size_t n)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->entries[i].found == FOUND_UNREADY && n-- == 0)
			return r->entries[i].port;
	return NULL;
}

void
roster_begin_sweep(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		r->entries[i].seen = false;
}

const char *
roster_unseen(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->entries[i].seen)
			return r->entries[i].port;
	return NULL;
}

void
roster_forget_others(struct roster *r)
{
	for (size_t i = r->count; i > 0; i--)
		if (r->entries[i - 1].found == FOUND_OTHER)
			remove_entry(r, &r->entries[i - 1]);
}
