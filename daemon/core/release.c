/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/release.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

enum release_age
release_age(const char *version, unsigned year, unsigned month)
{
	char since[16];

	if (strspn(version, DIGITS) != 4 || version[4] != '.' || strspn(version + 5, DIGITS) != 2)
		return RELEASE_UNKNOWN;
	(void)snprintf(since, sizeof(since), "%04u.%02u", year % 10000, month % 100);
	if (strncmp(version, since, 7) >= 0)
		return RELEASE_NOT_OLDER;
	/* WHY: commits after an older release may be of any age. */
	return strchr(version + 7, '+') != NULL ? RELEASE_UNKNOWN : RELEASE_OLDER;
}
