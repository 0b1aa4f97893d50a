/* SPDX-License-Identifier: MIT */
/* The methods of org.cfdfu.Station as data, and the text that describes them, both made from
 * include/cfdfu/org.cfdfu.Station.varlink when building; parameters against signatures. */
#include "config.h"

#include "ctl/station.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "ctl/station_methods.h"

#define SIGNATURE(handler, name, flags, ...) { PROTO_METHOD(name), flags, { __VA_ARGS__ } },
const struct method_signature station_signatures[] = { STATION_METHODS(SIGNATURE) };

const size_t station_method_count = ARRAY_LEN(station_signatures);

const char station_description[] =
#include "ctl/station_text.h"
    ;

static bool
is_text(const json_t *value, size_t bytes_max)
{
	return json_is_string(value) && json_string_length(value) <= bytes_max;
}

static bool
is_text_list(const json_t *value)
{
	if (!json_is_array(value) || json_array_size(value) > PARAM_STRINGS_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!is_text(json_array_get(value, i), PARAM_TEXT_MAX))
			return false;
	return true;
}

static bool
fits(const struct param_spec *spec, const json_t *value)
{
	switch (spec->type) {
	case PARAM_STRING:
		return is_text(value, PARAM_TEXT_MAX);
	case PARAM_FILE:
		return is_text(value, PARAM_FILE_MAX);
	case PARAM_STRINGS:
		return is_text_list(value);
	case PARAM_INT:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case PARAM_BOOL:
		return json_is_boolean(value);
	}
	return false;
}

static const struct param_spec *
find(const struct param_spec *specs, const char *name)
{
	for (; specs->name != NULL; specs++)
		if (strcmp(specs->name, name) == 0)
			return specs;
	return NULL;
}

const char *
params_check(const struct param_spec *specs, json_t *parameters)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(parameters, next, key, value)
	{
		const struct param_spec *spec = find(specs, key);

		if (spec == NULL)
			return key;
		if (json_is_null(value))
			(void)json_object_del(parameters, key); /* it was just found */
		else if (!fits(spec, value))
			return key;
	}
	for (const struct param_spec *spec = specs; spec->name != NULL; spec++)
		if (spec->required && json_object_get(parameters, spec->name) == NULL)
			return spec->name;
	return NULL;
}
