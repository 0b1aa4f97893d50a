/* SPDX-License-Identifier: MIT */
/* A table of ports, searched in order: a few hundred at most, and only when something is plugged in
 * or out. */
#include "config.h"

#include "udev/port_table.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
	char port[PORT_TEXT_MAX];
	uint64_t enumeration;
	enum found found;
	uint64_t arrival;	   /* of FOUND_OURS */
	uint64_t unready_since_us; /* of FOUND_UNREADY */
	bool seen;		   /* in this sweep */
};

struct port_table {
	struct entry *entries;
	size_t count, room;
	uint64_t last_arrival;
};

int
port_table_new(struct port_table **ret_table)
{
	struct port_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	*ret_table = t;
	return 0;
}

void
port_table_free(struct port_table *t)
{
	if (t == NULL)
		return;
	free(t->entries);
	free(t);
}

static struct entry *
find_entry(const struct port_table *t, const char *port)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->entries[i].port, port) == 0)
			return &t->entries[i];
	return NULL;
}

static void
remove_entry(struct port_table *t, struct entry *e)
{
	*e = t->entries[--t->count];
}

static int
make_room(struct port_table *t)
{
	size_t room = t->room > 0 ? t->room * 2 : 64;
	struct entry *grown;

	if (t->count < t->room)
		return 0;
	if (t->count == PORT_TABLE_MAX)
		return -E2BIG;
	grown = realloc(t->entries, room * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	t->entries = grown;
	t->room = room;
	return 0;
}

static struct entry *
add_entry(struct port_table *t, const char *port, uint64_t enumeration)
{
	struct entry *e = &t->entries[t->count++];

	*e = (struct entry){ .enumeration = enumeration };
	copy_text(e->port, sizeof(e->port), port);
	return e;
}

/* The device is known.  INVARIANT: one that was reported stays reported until it is removed. */
static void
note_again(struct port_table *t, struct entry *e, enum found found, uint64_t now_us,
	   struct port_change *change)
{
	e->seen = true;
	if (e->found == FOUND_OURS || e->found == found)
		return;
	e->found = found;
	if (found == FOUND_UNREADY)
		e->unready_since_us = now_us;
	if (found == FOUND_OURS) {
		e->arrival = now_us > t->last_arrival ? now_us : t->last_arrival + 1;
		t->last_arrival = e->arrival;
		change->new_arrival = e->arrival;
	}
}

int
port_table_note(struct port_table *t, const char *port, enum found found, uint64_t enumeration,
		uint64_t now_us, struct port_change *ret_change)
{
	struct port_change change = { 0, 0 };
	struct entry *e = find_entry(t, port);
	int error = found != FOUND_NOTHING && e == NULL ? make_room(t) : 0;

	if (error < 0)
		return error;
	if (e != NULL && (found == FOUND_NOTHING || e->enumeration != enumeration)) {
		if (e->found == FOUND_OURS)
			change.gone_arrival = e->arrival;
		remove_entry(t, e);
		e = NULL;
	}
	if (found != FOUND_NOTHING) {
		if (e == NULL)
			e = add_entry(t, port, enumeration);
		note_again(t, e, found, now_us, &change);
	}
	*ret_change = change;
	return 0;
}

enum found
port_table_find(struct port_table *t, const char *port, uint64_t enumeration)
{
	struct entry *e = find_entry(t, port);

	if (e == NULL || e->enumeration != enumeration)
		return FOUND_NOTHING;
	e->seen = true;
	return e->found;
}

uint64_t
port_table_unready_since(const struct port_table *t, const char *port, uint64_t now_us)
{
	const struct entry *e = find_entry(t, port);

	return e != NULL && e->found == FOUND_UNREADY ? e->unready_since_us : now_us;
}

const char *
port_table_unready(const struct port_table *t, size_t n)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].found == FOUND_UNREADY && n-- == 0)
			return t->entries[i].port;
	return NULL;
}

void
port_table_begin_sweep(struct port_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		t->entries[i].seen = false;
}

const char *
port_table_unseen(const struct port_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!t->entries[i].seen)
			return t->entries[i].port;
	return NULL;
}

void
port_table_forget_others(struct port_table *t)
{
	for (size_t i = t->count; i > 0; i--)
		if (t->entries[i - 1].found == FOUND_OTHER)
			remove_entry(t, &t->entries[i - 1]);
}
