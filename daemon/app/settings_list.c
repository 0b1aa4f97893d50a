/* SPDX-License-Identifier: MIT */
/* Every assignment in force, with where it came from. */
#include "config.h"

#include "app/settings_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
free_setting(struct setting *s)
{
	free(s->section);
	free(s->key);
	free(s->value);
	free(s->origin);
}

static int
add_setting(struct settings *c, const struct setting *setting)
{
	struct setting copy = { 0 };
	struct setting *grown;

	if (c->count == SETTINGS_COUNT_MAX)
		return -E2BIG;
	grown = realloc(c->list, (c->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	c->list = grown;
	copy.section = strdup(setting->section);
	copy.key = strdup(setting->key);
	copy.value = strdup(setting->value);
	copy.origin = strdup(setting->origin);
	if (copy.section == NULL || copy.key == NULL || copy.value == NULL || copy.origin == NULL) {
		free_setting(&copy);
		return -ENOMEM;
	}
	grown[c->count++] = copy;
	return 0;
}

/* Takes out what a new line of this key replaces: all before it, or for a list only its default. */
static void
drop_replaced(struct settings *c, const struct setting *by)
{
	bool adds = settings_key_is_list(by->section, by->key) && by->value[0] != '\0';
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct setting *s = &c->list[i];
		bool same = strcmp(s->section, by->section) == 0 && strcmp(s->key, by->key) == 0;

		if (same && !(adds && s->value[0] != '\0'))
			free_setting(s);
		else
			c->list[kept++] = *s;
	}
	c->count = kept;
}

int
settings_record(struct settings *c, const struct setting *setting)
{
	drop_replaced(c, setting);
	return add_setting(c, setting);
}

void
settings_forget(struct settings *c)
{
	for (size_t i = 0; i < c->count; i++)
		free_setting(&c->list[i]);
	free(c->list);
}

void
settings_each(const struct settings *c, void (*each)(void *ctx, const struct setting *setting),
	      void *ctx)
{
	for (size_t i = 0; i < c->count; i++) {
		bool first_of_section = true;

		/* WHY: lines of one section may come from several files; they are shown together.
		 */
		for (size_t k = 0; k < i && first_of_section; k++)
			first_of_section = strcmp(c->list[k].section, c->list[i].section) != 0;
		for (size_t k = i; first_of_section && k < c->count; k++)
			if (strcmp(c->list[k].section, c->list[i].section) == 0)
				each(ctx, &c->list[k]);
	}
}
