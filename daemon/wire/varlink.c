/* SPDX-License-Identifier: MIT */
/*
 * Varlink's messages on jansson: framing by NUL, the shape of calls and replies, limits
 * (varlink.org).
 */
#include "config.h"

#include "wire/varlink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cfdfu/proto.h"

#define FIRST_BYTES 1024 /* of the buffer; it doubles up to the limit */

struct varlink_in {
	char *bytes;
	size_t capacity;
	size_t used;	    /* bytes there are, from 0 */
	size_t start;	    /* of the message to come */
	size_t searched;    /* no NUL in [start, searched) */
	size_t message_max; /* with its NUL */
	uint64_t dropped;   /* bytes of the stream before bytes[0] */
};

int
varlink_in_new(size_t message_bytes_max, struct varlink_in **ret_in)
{
	struct varlink_in *in = calloc(1, sizeof(*in));

	assert(message_bytes_max > 1);
	if (in == NULL)
		return -ENOMEM;
	in->message_max = message_bytes_max;
	*ret_in = in;
	return 0;
}

void
varlink_in_free(struct varlink_in *in)
{
	if (in == NULL)
		return;
	free(in->bytes);
	free(in);
}

size_t
varlink_in_room(const struct varlink_in *in)
{
	return in->message_max - (in->used - in->start);
}

/* Moves what waits to the front, then grows the buffer so that count more bytes fit. */
static int
make_space(struct varlink_in *in, size_t count)
{
	size_t waiting = in->used - in->start, capacity = in->capacity;
	char *bytes;

	if (in->start > 0) {
		memmove(in->bytes, in->bytes + in->start, waiting);
		in->dropped += in->start;
		in->searched -= in->start;
		in->start = 0;
		in->used = waiting;
	}
	if (waiting + count <= capacity)
		return 0;
	if (capacity == 0)
		capacity = FIRST_BYTES;
	while (capacity < waiting + count)
		capacity *= 2;
	bytes = realloc(in->bytes, capacity);
	if (bytes == NULL)
		return -ENOMEM;
	in->bytes = bytes;
	in->capacity = capacity;
	return 0;
}

int
varlink_in_add(struct varlink_in *in, const void *bytes, size_t count)
{
	int r;

	if (count > varlink_in_room(in))
		return -ENOBUFS;
	if (count == 0)
		return 0;
	r = make_space(in, count);
	if (r < 0)
		return r;
	memcpy(in->bytes + in->used, bytes, count);
	in->used += count;
	return 0;
}

int
varlink_in_next(struct varlink_in *in, const char **ret_text, size_t *ret_count)
{
	const char *end = NULL;

	if (in->used > in->searched)
		end = memchr(in->bytes + in->searched, '\0', in->used - in->searched);
	if (end == NULL) {
		in->searched = in->used;
		return in->used - in->start >= in->message_max ? -EMSGSIZE : 0;
	}
	*ret_text = in->bytes + in->start;
	*ret_count = (size_t)(end - *ret_text);
	in->start += *ret_count + 1;
	in->searched = in->start;
	return 1;
}

uint64_t
varlink_in_consumed(const struct varlink_in *in)
{
	return in->dropped + in->start;
}

uint64_t
varlink_in_added(const struct varlink_in *in)
{
	return in->dropped + in->used;
}

/* LIMIT: PROTO_DEPTH_MAX; jansson's own limit of 2048 is a matter of how it was built. */
static bool
is_shallow(const char *text, size_t count)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < count; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if ((text[i] == '{' || text[i] == '[') && ++depth > PROTO_DEPTH_MAX)
			return false;
		else if ((text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
	}
	return true;
}

static int
parse_object(const char *text, size_t count, json_t **ret_whole, const char **ret_why)
{
	json_error_t error;
	json_t *whole;

	if (!is_shallow(text, count)) {
		*ret_why = "the message is nested too deeply";
		return -EINVAL;
	}
	whole = json_loadb(text, count, JSON_REJECT_DUPLICATES, &error);
	if (whole == NULL) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return -ENOMEM;
		*ret_why = json_error_code(&error) == json_error_duplicate_key
			       ? "the message has a key twice"
			       : "the message is not well-formed JSON";
		return -EINVAL;
	}
	if (!json_is_object(whole)) {
		json_decref(whole);
		*ret_why = "the message is not a JSON object";
		return -EINVAL;
	}
	*ret_whole = whole;
	return 0;
}

/* Writes the member's object, {} when it is missing or null; false when it is something else. */
static bool
take_parameters(json_t *whole, json_t **ret_parameters)
{
	json_t *p = json_object_get(whole, "parameters");

	if (p == NULL || json_is_null(p)) {
		p = json_object();
		if (p == NULL || json_object_set_new(whole, "parameters", p) < 0)
			return false;
	}
	*ret_parameters = p;
	return json_is_object(p);
}

static bool
take_bool(const json_t *whole, const char *key, bool *ret_value)
{
	const json_t *v = json_object_get(whole, key);

	*ret_value = json_is_true(v);
	return v == NULL || json_is_null(v) || json_is_boolean(v);
}

/* The end of parsing: why is NULL, or the message is refused. */
static int
parsed(json_t *whole, const char *why, const char **ret_why)
{
	if (why == NULL)
		return 0;
	json_decref(whole);
	*ret_why = why;
	return -EINVAL;
}

int
varlink_parse_call(const char *text, size_t count, struct varlink_call *ret_call,
		   const char **ret_why)
{
	struct varlink_call call = { .whole = NULL };
	const char *why = NULL;
	int r = parse_object(text, count, &call.whole, ret_why);

	if (r < 0)
		return r;
	call.method = json_string_value(json_object_get(call.whole, "method"));
	if (call.method == NULL || varlink_interface_length(call.method) == 0)
		why = "\"method\" is missing or not the name of a method";
	else if (!take_parameters(call.whole, &call.parameters))
		why = "\"parameters\" is not an object";
	else if (!take_bool(call.whole, "more", &call.more) ||
		 !take_bool(call.whole, "oneway", &call.oneway) ||
		 !take_bool(call.whole, "upgrade", &call.upgrade))
		why = "\"more\", \"oneway\" and \"upgrade\" are true or false";
	if (why == NULL)
		*ret_call = call;
	return parsed(call.whole, why, ret_why);
}

int
varlink_parse_reply(const char *text, size_t count, struct varlink_reply *ret_reply,
		    const char **ret_why)
{
	struct varlink_reply reply = { .whole = NULL };
	const char *why = NULL;
	const json_t *error;
	int r = parse_object(text, count, &reply.whole, ret_why);

	if (r < 0)
		return r;
	error = json_object_get(reply.whole, "error");
	reply.error = json_string_value(error);
	if (error != NULL && !json_is_null(error) && reply.error == NULL)
		why = "\"error\" is not a name";
	else if (!take_parameters(reply.whole, &reply.parameters))
		why = "\"parameters\" is not an object";
	else if (!take_bool(reply.whole, "continues", &reply.continues))
		why = "\"continues\" is true or false";
	if (why == NULL)
		*ret_reply = reply;
	return parsed(reply.whole, why, ret_why);
}

void
varlink_call_done(struct varlink_call *call)
{
	json_decref(call->whole);
	*call = (struct varlink_call){ .whole = NULL };
}

void
varlink_reply_done(struct varlink_reply *reply)
{
	json_decref(reply->whole);
	*reply = (struct varlink_reply){ .whole = NULL };
}

static json_t *
flag_json(unsigned flags, unsigned flag)
{
	return flags & flag ? json_true() : NULL;
}

/* Name: value and parameters, written out.  value NULL: only the parameters. */
static int
format(const char *key, const char *value, json_t *parameters, unsigned flags, size_t bytes_max,
       char **ret_text, size_t *ret_count)
{
	json_t *message =
	    json_pack("{s:s*, s:o, s:o*, s:o*, s:o*}", key, value, "parameters",
		      parameters != NULL ? json_incref(parameters) : json_object(), "more",
		      flag_json(flags, VARLINK_MORE), "oneway", flag_json(flags, VARLINK_ONEWAY),
		      "continues", flag_json(flags, VARLINK_CONTINUES));
	char *text = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t count = text != NULL ? strlen(text) + 1 : 0;

	json_decref(message);
	if (text == NULL)
		return -ENOMEM;
	if (count > bytes_max) {
		free(text);
		return -EMSGSIZE;
	}
	*ret_text = text;
	*ret_count = count;
	return 0;
}

int
varlink_format_call(const char *method, json_t *parameters, unsigned flags, size_t bytes_max,
		    char **ret_text, size_t *ret_count)
{
	assert(method != NULL);
	return format("method", method, parameters, flags, bytes_max, ret_text, ret_count);
}

int
varlink_format_reply(const char *error, json_t *parameters, unsigned flags, size_t bytes_max,
		     char **ret_text, size_t *ret_count)
{
	return format("error", error, parameters, flags, bytes_max, ret_text, ret_count);
}

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

size_t
varlink_interface_length(const char *method)
{
	const char *dot = strrchr(method, '.');

	for (const char *p = method; *p != '\0'; p++)
		if (!is_name_character(*p))
			return 0;
	return dot == NULL || dot[1] < 'A' || dot[1] > 'Z' ? 0 : (size_t)(dot - method);
}
