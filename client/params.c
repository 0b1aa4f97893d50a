/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/params.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/command.h"
#include "client/guess.h"
#include "client/out.h"
#include "client/when.h"
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

static void
set_number(struct params *p, const struct invocation *i, const struct command_parameter *c)
{
	uint64_t number = 0;

	p->status = invocation_number(i, c->option, c->min, c->max, &number);
	params_number(p, c->key, (json_int_t)number);
}

static void
set_time(struct params *p, const struct invocation *i, const struct command_parameter *c)
{
	const char *text = invocation_value(i, c->option);
	char iso[WHEN_TEXT_MAX];

	if (when_parse(text, time(NULL), iso))
		params_text(p, c->key, iso);
	else
		p->status = usage_error(i->command,
					"--%s: not a time: \"%s\" (2h, 3d, today, 2026-01-31, "
					"\"2026-01-31 12:00\")",
					c->option, text);
}

/* Says which words there are, and what is near.  EXIT_USAGE. */
static int
refuse_word(const struct invocation *i, const char *what, const char *word,
	    const char *const *words)
{
	struct guess g = { .word = word };
	char guess[GUESS_TEXT_MAX], all[256] = "";

	for (size_t n = 0; words[n] != NULL; n++) {
		guess_add(&g, words[n]);
		text_add(all, sizeof(all), "%s%s", n > 0 ? ", " : "", words[n]);
	}
	guess_text(&g, "", guess);
	return usage_error(i->command, "\"%s\" is no %s: %s%s", word, what, all, guess);
}

static void
set_word(struct params *p, const struct invocation *i, const struct command_parameter *c)
{
	const char *text = invocation_value(i, c->option);
	char what[64];

	for (size_t n = 0; c->words[n] != NULL; n++)
		if (strcasecmp(c->words[n], text) == 0) {
			params_text(p, c->key, c->words[n]);
			return;
		}
	(void)snprintf(what, sizeof(what), "word for --%s", c->option);
	p->status = refuse_word(i, what, text, c->words);
}

static void
set_parameter(struct params *p, const struct invocation *i, const struct command_parameter *c,
	      const char *value)
{
	switch (c->kind) {
	case PARAMETER_TEXT:
		params_text(p, c->key, value);
		break;
	case PARAMETER_TEXTS:
		params_texts(p, c->key, i->args, i->arg_count);
		break;
	case PARAMETER_SWITCH:
		set(p, c->key, json_true());
		break;
	case PARAMETER_NUMBER:
		set_number(p, i, c);
		break;
	case PARAMETER_TIME:
		set_time(p, i, c);
		break;
	case PARAMETER_WORD:
		set_word(p, i, c);
		break;
	}
}

struct params
params_of(const struct invocation *i)
{
	struct params p = params_new();
	int arg = 0;

	for (const struct command_parameter *c = i->command->parameters;
	     c->key != NULL && p.status == 0; c++) {
		const char *value = NULL;

		if (c->option != NULL)
			value = invocation_value(i, c->option);
		else if (arg < i->arg_count)
			value = i->args[arg++];
		if (value != NULL)
			set_parameter(&p, i, c, value);
	}
	return p;
}

int
params_check_platform(const struct invocation *i, const char *word, bool none)
{
	const char *words[PLATFORM_COUNT + 2] = { NULL };
	size_t n = 0;

	if (word == NULL || platform_by_name(word) != PLATFORM_UNKNOWN ||
	    (none && strcmp(word, "none") == 0))
		return 0;
	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		words[n++] = platform_name((enum platform)p);
	if (none)
		words[n] = "none";
	return refuse_word(i, "platform", word, words);
}
