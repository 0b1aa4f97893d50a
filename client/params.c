/* SPDX-License-Identifier: MIT */
/* Parameters of calls from words of the command line. */
#include "config.h"

#include "client/params.h"

#include "client/command.h"
#include "client/guess.h"
#include "client/out.h"

/* WHY a failure is an error: a call that lost its target would mean all of them. */
static int
set(json_t *parameters, const char *key, json_t *take_value)
{
	if (json_object_set_new(parameters, key, take_value) == 0)
		return 0;
	say_error("out of memory");
	return EXIT_REFUSED;
}

static int
not_text(const char *value)
{
	say_error("not a text in UTF-8: %s", value);
	return EXIT_USAGE;
}

int
params_text(json_t *parameters, const char *key, const char *value)
{
	json_t *string;

	if (value == NULL)
		return 0;
	string = json_string(value);
	return string == NULL ? not_text(value) : set(parameters, key, string);
}

int
params_texts(json_t *parameters, const char *key, char *const *values, int count)
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		if (json_array_append_new(list, json_string(values[i])) < 0) {
			json_decref(list);
			return not_text(values[i]);
		}
	return set(parameters, key, list);
}

int
params_option(json_t *parameters, const char *key, const struct invocation *i, const char *option)
{
	return params_text(parameters, key, invocation_value(i, option));
}

int
params_switch(json_t *parameters, const char *key, const struct invocation *i, const char *option)
{
	return invocation_has(i, option) ? set(parameters, key, json_true()) : 0;
}

int
params_number(json_t *parameters, const char *key, json_int_t value)
{
	return set(parameters, key, json_integer(value));
}

int
params_no_platform(const struct invocation *i, const char *word, bool none)
{
	static const char *const names[] = { "cf2",	"cf21bl", "bolt", "tag",
					     "flapper", "other",  "none" };
	size_t count = ARRAY_LEN(names) - (none ? 0 : 1);
	struct guess g = { .word = word };
	char guess[GUESS_TEXT_MAX];

	for (size_t n = 0; n < count; n++)
		guess_add(&g, names[n]);
	guess_text(&g, "", guess);
	return usage_error(i->command,
			   "\"%s\" is no platform: cf2, cf21bl, bolt, tag, flapper, other%s%s",
			   word, none ? ", none" : "", guess);
}
