/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/params.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/guess.h"
#include "client/out.h"
#include "core/platform.h"

struct params
params_new(void)
{
	return (struct params){ .object = json_object() };
}

void
params_done(struct params *p)
{
	json_decref(p->object);
	p->object = NULL;
}

static void
set(struct params *p, const char *key, json_t *take_value)
{
	if (json_object_set_new(p->object, key, take_value) < 0 && p->status == 0)
		p->status = say_no_memory();
}

static void
not_text(struct params *p, const char *value)
{
	say_error("not a text in UTF-8: %s", value);
	p->status = EXIT_USAGE;
}

void
params_text(struct params *p, const char *key, const char *value)
{
	json_t *string = json_string(value); /* NULL of NULL */

	if (string != NULL)
		set(p, key, string);
	else if (value != NULL)
		not_text(p, value);
}

void
params_texts(struct params *p, const char *key, char *const *values, int count)
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		if (json_array_append_new(list, json_string(values[i])) < 0) {
			not_text(p, values[i]);
			break;
		}
	set(p, key, list);
}

void
params_number(struct params *p, const char *key, json_int_t value)
{
	set(p, key, json_integer(value));
}

struct params
params_of(const struct invocation *i)
{
	struct params p = params_new();
	int arg = 0;

	for (const struct command_parameter *c = i->command->parameters; c->key != NULL; c++) {
		const char *value = NULL;

		if (c->option != NULL)
			value = invocation_value(i, c->option);
		else if (arg < i->arg_count)
			value = i->args[arg++];
		if (value == NULL)
			continue;
		if (c->kind == PARAMETER_SWITCH)
			set(&p, c->key, json_true());
		else if (c->kind == PARAMETER_TEXTS)
			params_texts(&p, c->key, i->args, i->arg_count);
		else
			params_text(&p, c->key, value);
	}
	return p;
}

int
params_check_platform(const struct invocation *i, const char *word, bool none)
{
	struct guess g = { .word = word };
	char guess[GUESS_TEXT_MAX], all[128] = "";
	size_t used = 0;

	if (word == NULL || platform_by_name(word) != PLATFORM_UNKNOWN ||
	    (none && strcmp(word, "none") == 0))
		return 0;
	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT + (none ? 1U : 0U); p++) {
		const char *name = p < PLATFORM_COUNT ? platform_name((enum platform)p) : "none";

		guess_add(&g, name);
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
					 used > 0 ? ", " : "", name);
	}
	guess_text(&g, "", guess);
	return usage_error(i->command, "\"%s\" is no platform: %s%s", word, all, guess);
}
