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
#include <string.h>

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

int
varlink_parse_call(const char *text, size_t count, struct varlink_call *ret_call,
		   const char **ret_why)
{
	struct varlink_call call = { .whole = NULL };
	int r = parse_object(text, count, &call.whole, ret_why);

	if (r < 0)
		return r;
	r = -EINVAL;
	call.method = json_string_value(json_object_get(call.whole, "method"));
	if (call.method == NULL || varlink_interface_length(call.method) == 0) {
		*ret_why = "\"method\" is missing or not the name of a method";
		goto out;
	}
	if (!take_parameters(call.whole, &call.parameters)) {
		*ret_why = "\"parameters\" is not an object";
		goto out;
	}
	if (!take_bool(call.whole, "more", &call.more) ||
	    !take_bool(call.whole, "oneway", &call.oneway) ||
	    !take_bool(call.whole, "upgrade", &call.upgrade)) {
		*ret_why = "\"more\", \"oneway\" and \"upgrade\" are true or false";
		goto out;
	}
	*ret_call = call;
	call.whole = NULL;
	r = 0;
out:
	json_decref(call.whole);
	return r;
}

int
varlink_parse_reply(const char *text, size_t count, struct varlink_reply *ret_reply,
		    const char **ret_why)
{
	struct varlink_reply reply = { .whole = NULL };
	int r = parse_object(text, count, &reply.whole, ret_why);
	const json_t *error;

	if (r < 0)
		return r;
	r = -EINVAL;
	error = json_object_get(reply.whole, "error");
	reply.error = json_string_value(error);
	if (error != NULL && !json_is_null(error) && reply.error == NULL) {
		*ret_why = "\"error\" is not a name";
		goto out;
	}
	if (!take_parameters(reply.whole, &reply.parameters)) {
		*ret_why = "\"parameters\" is not an object";
		goto out;
	}
	if (!take_bool(reply.whole, "continues", &reply.continues)) {
		*ret_why = "\"continues\" is true or false";
		goto out;
	}
	*ret_reply = reply;
	reply.whole = NULL;
	r = 0;
out:
	json_decref(reply.whole);
	return r;
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

static int
set_flag(json_t *message, unsigned flags, unsigned flag, const char *key)
{
	return flags & flag ? json_object_set_new(message, key, json_true()) : 0;
}

/* Sets name: value and parameters, writes the whole out.  value NULL: only the parameters. */
static int
format(const char *key, const char *value, json_t *parameters, unsigned flags, size_t bytes_max,
       char **ret_text, size_t *ret_count)
{
	json_t *message = json_object();
	char *text = NULL;
	size_t count;
	int r = -ENOMEM;

	if (message == NULL)
		goto out;
	if (value != NULL && json_object_set_new(message, key, json_string(value)) < 0)
		goto out;
	if (parameters != NULL ? json_object_set(message, "parameters", parameters) < 0
			       : json_object_set_new(message, "parameters", json_object()) < 0)
		goto out;
	if (set_flag(message, flags, VARLINK_MORE, "more") < 0 ||
	    set_flag(message, flags, VARLINK_ONEWAY, "oneway") < 0 ||
	    set_flag(message, flags, VARLINK_CONTINUES, "continues") < 0)
		goto out;
	text = json_dumps(message, JSON_COMPACT);
	if (text == NULL)
		goto out;
	count = strlen(text) + 1;
	r = -EMSGSIZE;
	if (count > bytes_max)
		goto out;
	*ret_text = text;
	*ret_count = count;
	text = NULL;
	r = 0;
out:
	free(text);
	json_decref(message);
	return r;
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
