/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/port_glob.h"

#include <string.h>

bool
port_glob_is_path(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	char separator = '-';

	for (; digits > 0 && text[digits] == separator; separator = '.') {
		text += digits + 1;
		digits = strspn(text, "0123456789");
	}
	return separator == '.' && digits > 0 && text[digits] == '\0';
}

bool
port_glob_has_whole_brackets(const char *glob)
{
	for (; *glob != '\0'; glob++) {
		size_t inside;

		if (*glob == ']' || *glob == '!')
			return false;
		if (*glob != '[')
			continue;
		glob += glob[1] == '!' ? 2 : 1;
		inside = strcspn(glob, "]");
		if (inside == 0 || glob[inside] == '\0')
			return false;
		glob += inside;
	}
	return true;
}
