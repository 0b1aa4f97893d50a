/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/when.h"

#include "cfdfu/system.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 100000ULL /* LIMIT: of "N weeks": two thousand years */

/* Seconds of a unit; 0: there is no such unit. */
static int64_t
seconds_of(char unit)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].unit == unit)
			return units[i].seconds;
	return 0;
}

bool
when_duration(const char *text, int64_t *ret_seconds)
{
	int64_t total = 0, last = INT64_MAX;

	do {
		unsigned long long n;
		int64_t unit;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		n = strtoull(text, &end, 10);
		unit = *end == '\0' && last == INT64_MAX ? 1 : seconds_of(*end);
		/* WHY smaller and smaller: "30m2h" is a slip */
		if (unit == 0 || unit >= last || n > NUMBER_MAX * (unit == 1 ? 1000 : 1))
			return false;
		total += (int64_t)n * unit;
		last = unit;
		text = end + (*end != '\0');
	} while (*text != '\0');
	*ret_seconds = total;
	return true;
}

/* "3d": that long before now.  A number alone is no time. */
static bool
parse_ago(const char *text, time_t now, time_t *ret_time)
{
	int64_t seconds;

	if (text[0] == '\0' || strspn(text, "0123456789") == strlen(text) ||
	    !when_duration(text, &seconds))
		return false;
	*ret_time = now - (time_t)seconds;
	return true;
}

static bool
parse_word(const char *text, time_t now, time_t *ret_time)
{
	struct tm tm;

	*ret_time = now;
	if (strcmp(text, "now") == 0)
		return true;
	if (strcmp(text, "today") != 0 && strcmp(text, "yesterday") != 0)
		return false;
	if (localtime_r(&now, &tm) == NULL)
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	if (text[0] == 'y')
		tm.tm_mday--;
	*ret_time = mktime(&tm);
	return true;
}

static bool
parse_date(const char *text, time_t now, time_t *ret_time)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					       "%Y-%m-%dT%H:%M",    "%Y-%m-%d %H:%M",
					       "%Y-%m-%d",	    "%H:%M" };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end;

		if (strcmp(formats[i], "%H:%M") == 0) {
			if (localtime_r(&now, &tm) == NULL)
				return false;
			tm.tm_sec = 0;
			tm.tm_isdst = -1;
		}
		end = strptime(text, formats[i], &tm);
		if (end == NULL)
			continue;
		if (*end == '.') /* fractions of a second, as we print them */
			end += 1 + strspn(end + 1, "0123456789");
		if (strcmp(end, "Z") == 0) {
			tm.tm_isdst = 0;
			*ret_time = timegm(&tm);
			return true;
		}
		if (*end == '\0') {
			*ret_time = mktime(&tm);
			return true;
		}
	}
	return false;
}

bool
when_parse(const char *text, time_t now, char ret_iso[WHEN_TEXT_MAX])
{
	struct tm tm;
	time_t t;

	if (!parse_ago(text, now, &t) && !parse_word(text, now, &t) && !parse_date(text, now, &t))
		return false;
	return gmtime_r(&t, &tm) != NULL &&
	       strftime(ret_iso, WHEN_TEXT_MAX, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0;
}

int64_t
when_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}
