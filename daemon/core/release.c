/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/release.h"

#include <stdbool.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* n digits at text, into *ret_value. */
static bool
take_digits(const char *text, unsigned n, unsigned *ret_value)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*ret_value = value;
	return true;
}

enum release_age
release_age(const char *version, unsigned year, unsigned month)
{
	unsigned y, m;

	if (!take_digits(version, 4, &y) || version[4] != '.' || !take_digits(version + 5, 2, &m) ||
	    is_digit(version[7]))
		return RELEASE_UNKNOWN;
	if (y > year || (y == year && m >= month))
		return RELEASE_NOT_OLDER;
	/* WHY: what is commits after an older release may be of any age. */
	for (const char *p = version + 7; *p != '\0'; p++)
		if (*p == '+')
			return RELEASE_UNKNOWN;
	return RELEASE_OLDER;
}
