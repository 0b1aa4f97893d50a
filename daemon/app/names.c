/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/names.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "app/clock.h"
#include "app/services.h"
#include "app/settings_set.h"
#include "store/store.h"

enum { NAMES_MAX = 4096 }; /* LIMIT: names in the records; further ones are refused */

struct names {
	const struct services *sv;
	struct settings_drone *list; /* of the records */
	size_t count, room;
};

int
names_new(const struct services *sv, struct names **ret_names)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return -ENOMEM;
	n->sv = sv;
	*ret_names = n;
	return 0;
}

void
names_free(struct names *n)
{
	if (n != NULL)
		free(n->list);
	free(n);
}

static struct settings_drone *
find(const struct names *n, const char *serial)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcasecmp(n->list[i].serial, serial) == 0)
			return &n->list[i];
	return NULL;
}

/* 0 or -ENOMEM. */
static int
keep(struct names *n, const char *serial, const char *name)
{
	struct settings_drone *d = find(n, serial), *grown;

	if (d == NULL && n->count == n->room) {
		size_t room = n->room > 0 ? 2 * n->room : 64;

		grown = realloc(n->list, room * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		n->list = grown;
		n->room = room;
	}
	if (d == NULL) {
		d = &n->list[n->count++];
		copy_text(d->serial, sizeof(d->serial), serial);
	}
	copy_text(d->name, sizeof(d->name), name);
	return 0;
}

static void
on_recorded(void *ctx, const char *serial, const char *name)
{
	char why[SETTINGS_WHY_MAX];

	/* WHY left out: what this service refuses was not written by it. */
	if (((struct names *)ctx)->count < NAMES_MAX && settings_check_name(name, why) == 0)
		(void)keep(ctx, serial, name);
}

int
names_load(struct names *n)
{
	n->count = 0;
	return store_each(n->sv->store, STORE_NAME, on_recorded, n);
}

static const struct settings_drone *
configured(const struct names *n, const char *name)
{
	const struct settings *s = n->sv->settings;

	for (size_t i = 0; i < s->drone_count; i++)
		if (strcasecmp(s->drones[i].name, name) == 0)
			return &s->drones[i];
	return NULL;
}

const char *
names_of(const struct names *n, const char *serial)
{
	const struct settings_drone *d;
	const char *name;

	if (n == NULL || serial == NULL || serial[0] == '\0')
		return NULL;
	name = settings_drone_name(n->sv->settings, serial);
	if (name != NULL)
		return name;
	d = find(n, serial);
	return d != NULL && configured(n, d->name) == NULL ? d->name : NULL;
}

const char *
names_serial(const struct names *n, const char *name)
{
	const struct settings_drone *d = n != NULL ? configured(n, name) : NULL;

	if (d != NULL)
		return d->serial;
	for (size_t i = 0; n != NULL && i < n->count; i++)
		if (strcasecmp(n->list[i].name, name) == 0 &&
		    settings_drone_name(n->sv->settings, n->list[i].serial) == NULL)
			return n->list[i].serial;
	return NULL;
}

void
names_each(const struct names *n, void (*each)(void *ctx, const char *serial), void *ctx)
{
	const struct settings *s = n->sv->settings;

	for (size_t i = 0; i < s->drone_count; i++)
		each(ctx, s->drones[i].serial);
	for (size_t i = 0; i < n->count; i++)
		if (settings_drone_name(s, n->list[i].serial) == NULL)
			each(ctx, n->list[i].serial);
}

/* Why this drone may not be called so. */
static int
check(const struct names *n, const char *serial, const char *name, char *why)
{
	const char *in_configuration = settings_drone_name(n->sv->settings, serial), *other;

	if (in_configuration != NULL)
		return settings_refuse(
		    why, "the configuration names it \"%s\" ([drones]), and that counts",
		    in_configuration);
	if (name == NULL)
		return 0;
	if (settings_check_name(name, why) < 0)
		return -EINVAL;
	other = names_serial(n, name);
	if (other != NULL && strcasecmp(other, serial) != 0)
		return settings_refuse(why, "\"%s\" is the name of drone %s", name, other);
	return 0;
}

int
names_set(struct names *n, const char *serial, const char *name, char ret_why[SETTINGS_WHY_MAX])
{
	struct store_time now = clock_time(n->sv->clock);
	struct settings_drone *d = find(n, serial);
	int r;

	ret_why[0] = '\0';
	if (check(n, serial, name, ret_why) < 0)
		return -EINVAL;
	if (name == NULL && d == NULL)
		return 0;
	if (d == NULL && n->count == NAMES_MAX)
		return -E2BIG;
	/* The case of letters of the row that is there: it is the one to be replaced. */
	r = store_set(n->sv->store, STORE_NAME, d != NULL ? d->serial : serial, name, &now);
	if (r < 0)
		return r;
	if (name != NULL)
		return keep(n, serial, name);
	*d = n->list[--n->count];
	return 0;
}
