/* SPDX-License-Identifier: MIT */
/* Times as people write them. */
#include "config.h"

#include "client/when.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 100000ULL /* LIMIT: of "N weeks": two thousand years */

/* "3d": seconds before now. */
static bool
parse_ago(const char *text, time_t now, time_t *ret_time)
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	unsigned long long n;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	n = strtoull(text, &end, 10);
	if (n > NUMBER_MAX || end[0] == '\0' || end[1] != '\0')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].unit == end[0]) {
			*ret_time = now - (time_t)(n * units[i].seconds);
			return true;
		}
	return false;
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
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* WHY: cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
