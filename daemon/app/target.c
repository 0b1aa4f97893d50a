/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/target.h"

#include <string.h>
#include <strings.h>

static bool
is_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool
is_same(const char *text, const char *name)
{
	return is_text(name) && strcmp(text, name) == 0;
}

static bool
is_nearly(const char *text, const char *name)
{
	return is_text(name) && strcasecmp(text, name) == 0;
}

static bool
begins_so(const char *text, const char *serial)
{
	size_t n = strlen(text);

	return n >= TARGET_PREFIX_MIN && is_text(serial) && strncasecmp(text, serial, n) == 0;
}

static enum target_by
rank_of_drone(const struct target *t, const char *serial, const char *dfu_serial)
{
	const char *text = t->text;

	if (is_nearly(text, serial) || is_nearly(text, dfu_serial))
		return TARGET_SERIAL;
	if (t->named != NULL && is_nearly(t->named, serial))
		return TARGET_NAME;
	if (begins_so(text, serial) || begins_so(text, dfu_serial))
		return TARGET_PREFIX;
	return TARGET_NOTHING;
}

static enum target_by
rank_of_slot(const struct target *t, const struct target_slot *s)
{
	enum target_by by = rank_of_drone(t, s->serial, s->dfu_serial);
	const char *text = t->text;

	if (is_same(text, s->port))
		return TARGET_PORT;
	if (is_same(text, s->label))
		return TARGET_LABEL;
	if (is_same(text, s->path))
		return TARGET_PATH;
	if (by < TARGET_LABEL_NEARLY && is_nearly(text, s->label))
		return TARGET_LABEL_NEARLY;
	return by;
}

/* False: something that was offered before is meant rather than this. */
static bool
is_best_so_far(struct target *t, enum target_by by)
{
	if (by == TARGET_NOTHING || by < t->by)
		return false;
	if (by == t->by)
		return true;
	memset(t->slots, 0, sizeof(t->slots));
	t->slot_count = 0;
	t->drone_count = 0;
	t->only_present = false;
	t->by = by;
	return true;
}

/* WHY run-time serials first: clones may share the DFU serial. */
static bool
is_drone(const struct target_drone *d, const char *serial, const char *dfu_serial)
{
	if (is_text(serial) && d->serial[0] != '\0')
		return strcasecmp(serial, d->serial) == 0;
	return is_text(dfu_serial) && strcasecmp(dfu_serial, d->dfu_serial) == 0;
}

static void
add_drone(struct target *t, const char *serial, const char *dfu_serial)
{
	struct target_drone *d = t->drones;

	while (d < t->drones + t->drone_count && !is_drone(d, serial, dfu_serial))
		d++;
	if (d == t->drones + TARGET_CANDIDATES_MAX)
		return; /* LIMIT: enough to see that it is ambiguous */
	if (d == t->drones + t->drone_count) {
		t->drone_count++;
		*d = (struct target_drone){ .serial = "" };
	}
	if (is_text(serial))
		copy_text(d->serial, sizeof(d->serial), serial);
	if (is_text(dfu_serial))
		copy_text(d->dfu_serial, sizeof(d->dfu_serial), dfu_serial);
}

void
target_begin(struct target *t, const char *text, const char *named)
{
	memset(t, 0, sizeof(*t));
	t->text = text;
	t->named = named;
}

static bool
is_by_serial(const struct target *t)
{
	return t->by == TARGET_SERIAL || t->by == TARGET_NAME || t->by == TARGET_PREFIX;
}

/* A drone that was moved is still shown where it was, until something else comes there. */
static void
prefer_present(struct target *t)
{
	memset(t->slots, 0, sizeof(t->slots));
	t->slot_count = 0;
	t->only_present = true;
}

void
target_offer_slot(struct target *t, unsigned slot, const struct target_slot *s)
{
	if (!is_best_so_far(t, rank_of_slot(t, s)))
		return;
	copy_text(t->key, sizeof(t->key),
		  t->by == TARGET_PORT	 ? s->port
		  : t->by == TARGET_PATH ? s->path
					 : s->label);
	if (is_by_serial(t)) {
		add_drone(t, s->serial, s->dfu_serial);
		if (s->present && !t->only_present)
			prefer_present(t);
		if (!s->present && t->only_present)
			return;
	}
	t->slots[slot] = true;
	t->slot_count++;
}

void
target_offer_drone(struct target *t, const char *serial, const char *dfu_serial)
{
	if (is_best_so_far(t, rank_of_drone(t, serial, dfu_serial)))
		add_drone(t, serial, dfu_serial);
}

const char *
target_drone_name(const struct target_drone *d)
{
	return d->serial[0] != '\0' ? d->serial : d->dfu_serial;
}

void
target_end(struct target *t)
{
	if (t->by == TARGET_LABEL_NEARLY)
		t->by = TARGET_LABEL;
	if (!is_by_serial(t))
		return;
	if (t->by == TARGET_PREFIX && t->drone_count > 1) {
		t->by = TARGET_AMBIGUOUS;
		return;
	}
	t->by = TARGET_SERIAL;
	copy_text(t->key, sizeof(t->key), target_drone_name(&t->drones[0]));
}
