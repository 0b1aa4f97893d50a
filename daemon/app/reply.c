/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cfdfu/proto.h"
#include "core/job.h"
#include "core/platform.h"
#include "wire/text.h"

/* ---- parameters ----------------------------------------------------------------------------- */

const char *
param_text(json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

bool
param_flag(json_t *parameters, const char *name)
{
	return json_is_true(json_object_get(parameters, name));
}

bool
param_platform(struct call *call, json_t *parameters, const char *name, enum platform *ret)
{
	const char *text = param_text(parameters, name);

	*ret = text != NULL ? platform_by_name(text) : PLATFORM_UNKNOWN;
	if (text == NULL || *ret != PLATFORM_UNKNOWN)
		return true;
	call_invalid(call, name);
	return false;
}

/* ---- values --------------------------------------------------------------------------------- */

json_t *
reply_text(const char *text)
{
	/* Texts that came from a device: valid, and free of control characters. */
	return text != NULL && text[0] != '\0' ? text_json(text) : json_null();
}

json_t *
reply_time(int64_t wall_ms)
{
	return wall_ms > 0 ? reply_moment(wall_ms) : json_null();
}

json_t *
reply_moment(int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char date[48], text[64];

	if (gmtime_r(&seconds, &tm) == NULL)
		return json_null();
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	/* A year of five digits carries its sign. */
	(void)snprintf(text, sizeof(text), "%s%s.%03dZ", tm.tm_year + 1900L > 9999 ? "+" : "", date,
		       (int)(wall_ms % 1000));
	return json_string(text);
}

json_t *
reply_number(int64_t n, int64_t none)
{
	return n != none ? json_integer(n) : json_null();
}

/* The words of the core name no slot: SLOT stands for it in the commands that they advise. */
json_t *
reply_words(const char *words, const char *port)
{
	char text[JOB_MESSAGE_MAX + 512];
	const char *mark;
	size_t n = 0;

	if (words == NULL)
		return json_null();
	while ((mark = strstr(words, " SLOT")) != NULL && n < sizeof(text)) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s %s", (int)(mark - words),
				      words, port);
		words = mark + strlen(" SLOT");
	}
	if (n < sizeof(text))
		(void)snprintf(text + n, sizeof(text) - n, "%s", words);
	return text_json(text);
}

json_t *
reply_platform(enum platform p)
{
	return p != PLATFORM_UNKNOWN ? json_string(platform_name(p)) : json_null();
}

void
reply_join(char *names, size_t size, const char *name)
{
	size_t used = strlen(names);

	(void)snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

void
reply_note(json_t *notes, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
	va_end(args);
	(void)json_array_append_new(notes, reply_text(text));
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* Too many rules, no memory: not the disk's fault. */
static const char *
store_error(int error)
{
	return error == -ENOSPC || error == -EROFS || error == -EIO || error == -EAGAIN ||
		       error == -EINPROGRESS
		   ? PROTO_ERROR("Degraded")
		   : PROTO_ERROR("Failed");
}

void
refuse_store(struct call *call, const struct store *s, int error, const char *what)
{
	char why[STORE_WHY_MAX] = "";

	if (error == -E2BIG)
		copy_text(why, sizeof(why), "there are too many of them");
	else if (store_health(s, why) != STORE_DEGRADED)
		copy_text(why, sizeof(why), strerror(-error));
	call_refuse(call, store_error(error), "%s: %s.", what, why);
}

void
refuse_descriptor(struct call *call, int error, const char *why)
{
	call_refuse(call, error == -ENOMEM ? PROTO_ERROR("Failed") : PROTO_ERROR("BadDescriptor"),
		    "%s", why);
}

void
refuse_unknown_firmware(struct call *call, const char *name)
{
	call_error(call, PROTO_ERROR("NoSuchFirmware"), json_pack("{s:s}", "name", name));
}
