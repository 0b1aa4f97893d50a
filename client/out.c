/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cells.h"
#include "client/command.h"
#include "wire/text.h"

static void PRINTF_LIKE(2, 0) say(const char *prefix, const char *fmt, va_list args)
{
	char raw[2048], clean[2048];

	(void)vsnprintf(raw, sizeof(raw), fmt, args); /* WHY: cut is fine */
	cells_clean(clean, sizeof(clean), raw);
	(void)fflush(stdout); /* WHY: order on a terminal; a failure shows at the next write */
	fprintf(stderr, "%s%s%s\n", prefix, prefix[0] != '\0' ? ": " : "", clean);
}

void
say_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(program_invocation_short_name, fmt, args);
	va_end(args);
}

void
say_document(const char *error, json_t *take_parameters)
{
	json_t *document = json_pack("{s:s, s:o}", "error", error, "parameters", take_parameters);

	if (document != NULL && json_dumpf(document, stderr, OUT_JSON_FLAGS) == 0)
		fputc('\n', stderr);
	json_decref(document);
}

void
say_failure(const struct session *s, const char *error, const char *fmt, ...)
{
	char reason[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args); /* WHY: cut is fine */
	va_end(args);
	if (!s->json) {
		say_error("%s", reason);
		return;
	}
	say_document(error, json_pack("{s:o}", "reason", text_json(reason)));
}

int
say_no_memory(void)
{
	say_error("out of memory");
	return EXIT_REFUSED;
}

void
say_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

void
out_names(const char *heading, const json_t *reply, const char *key)
{
	const json_t *names = json_object_get(reply, "names"), *one;
	size_t i;

	if (json_array_size(names) == 0)
		names = json_object_get(reply, key);
	fputs(heading, stdout);
	json_array_foreach(names, i, one)
		printf("%s %s", i > 0 ? "," : "", out_item(names, i).s);
	putchar('\n');
}

void
out_json(const json_t *document)
{
	if (json_dumpf(document, stdout, OUT_JSON_FLAGS) == 0)
		fputc('\n', stdout);
	(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
}

void
out_json_new(json_t *take_document)
{
	out_json(take_document);
	json_decref(take_document);
}

void
out_lines(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		puts(out_item(list, i).s);
}

struct winsize
out_window(void)
{
	struct winsize w = { .ws_row = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0)
		w.ws_row = 24;
	if (w.ws_col == 0)
		w.ws_col = 80;
	return w;
}

unsigned
out_columns(void)
{
	return isatty(STDOUT_FILENO) ? out_window().ws_col : 0;
}

bool
out_has_colour(const struct session *s)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !s->no_color && !s->json && (no == NULL || no[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

const char *
colour_code(enum colour c)
{
	switch (c) {
	case COLOUR_NONE:
		return "";
	case COLOUR_GOOD:
		return "\033[32m";
	case COLOUR_BAD:
		return "\033[1;31m";
	case COLOUR_ATTENTION:
		return "\033[33m";
	case COLOUR_BUSY:
		return "\033[36m";
	case COLOUR_FAINT:
		return "\033[2m";
	}
	return "";
}

const char *
paint_on(const struct session *s, enum colour c)
{
	return out_has_colour(s) ? colour_code(c) : "";
}

const char *
paint_off(const struct session *s)
{
	return out_has_colour(s) ? "\033[0m" : "";
}

enum colour
colour_of_verdict(const char *verdict)
{
	if (verdict == NULL || verdict[0] == '\0')
		return COLOUR_NONE;
	if (strcmp(verdict, "pass") == 0 || strcmp(verdict, "unchanged") == 0)
		return COLOUR_GOOD;
	if (strcmp(verdict, "fail") == 0)
		return COLOUR_BAD;
	return COLOUR_ATTENTION;
}

const char *
out_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

void
text_copy(struct text *dst, const char *src)
{
	cells_clean(dst->s, sizeof(dst->s), src);
}

void
text_format(char *dst, size_t size, const char *fmt, ...)
{
	struct text whole;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(whole.s, sizeof(whole.s), fmt, args); /* WHY: cut is fine */
	va_end(args);
	cells_clean(dst, size, whole.s);
}

void
text_add(char *dst, size_t size, const char *fmt, ...)
{
	size_t used = strlen(dst);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(dst + used, size - used, fmt, args); /* WHY: cut is fine */
	va_end(args);
}

struct text
out_text(const json_t *object, const char *key)
{
	struct text t = { "" };

	cells_clean(t.s, sizeof(t.s), out_string(object, key));
	return t;
}

struct text
out_item(const json_t *list, size_t i)
{
	struct text t;

	text_copy(&t, json_string_value(json_array_get(list, i)));
	return t;
}

json_int_t
out_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool
out_is_int(const json_t *object, const char *key)
{
	return json_is_integer(json_object_get(object, key));
}

bool
out_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool
out_is(const json_t *object, const char *key, const char *word)
{
	const char *text = out_string(object, key);

	return text != NULL && strcmp(text, word) == 0;
}

bool
out_differ(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(out_text(a, key).s, out_text(b, key).s) != 0;
}

struct text
out_sum(const json_t *object, const char *key)
{
	struct text t = out_text(object, key);

	t.s[12] = '\0';
	return t;
}

void
format_seconds(char *dst, size_t size, json_int_t seconds)
{
	long long s = seconds;

	if (s >= 3600)
		snprintf(dst, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(dst, size, "%lld:%02lld", s / 60, s % 60);
}

void
format_ms(char *dst, size_t size, json_int_t ms)
{
	if (ms < 1000)
		snprintf(dst, size, "%lld ms", (long long)ms);
	else if (ms < 60000)
		snprintf(dst, size, "%lld.%lld s", (long long)ms / 1000, (long long)ms / 100 % 10);
	else
		format_seconds(dst, size, ms / 1000);
}

void
format_number(char *dst, size_t size, json_int_t n)
{
	char digits[32];
	size_t length, used = 0;

	snprintf(digits, sizeof(digits), "%lld", (long long)n);
	length = strlen(digits);
	for (size_t i = 0; i < length && used + 2 < size; i++) {
		if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
			dst[used++] = ',';
		dst[used++] = digits[i];
	}
	dst[used] = '\0';
}

void
format_time(char *dst, size_t size, const char *iso)
{
	struct tm utc = { .tm_isdst = 0 }, local;
	const char *end;
	time_t t;

	cells_clean(dst, size, iso);
	if (iso == NULL)
		return;
	end = strptime(iso, "%Y-%m-%dT%H:%M:%S", &utc);
	if (end == NULL || (*end != '.' && *end != 'Z'))
		return;
	t = timegm(&utc);
	if (localtime_r(&t, &local) != NULL)
		(void)strftime(dst, size, "%Y-%m-%d %H:%M:%S", &local); /* WHY: it fits */
}

void
format_bar(char *dst, size_t size, unsigned width, long long percent)
{
	unsigned full = percent <= 0	 ? 0
			: percent >= 100 ? width
					 : (unsigned)(percent * width / 100);
	size_t at = 0;

	if (size < (size_t)width + 3) {
		dst[0] = '\0';
		return;
	}
	dst[at++] = '[';
	for (unsigned i = 0; i < width; i++)
		dst[at++] = i < full ? '#' : '.';
	dst[at++] = ']';
	dst[at] = '\0';
}
