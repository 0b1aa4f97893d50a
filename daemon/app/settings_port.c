/* SPDX-License-Identifier: MIT */
/* Ports in the configuration: by bus number, or by their controller's device path. */
#include "config.h"

#include "app/settings_set.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>

int
settings_refuse(char why[SETTINGS_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SETTINGS_WHY_MAX, format, args); /* cut is fine */
	va_end(args);
	return -EINVAL;
}

/* SPEC: systemd's ID_PATH_WITH_USB_REVISION: the same path with "-usbv2-" for "-usb-". */
void
settings_drop_usb_revision(char *path)
{
	char *revision = strstr(path, "-usbv");

	if (revision != NULL && isdigit((unsigned char)revision[5]) && revision[6] == '-')
		memmove(revision + 4, revision + 6, strlen(revision + 6) + 1);
}

/* Is it made of what a device path, or a glob on one, can have? */
static bool
may_be_device_path(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-.:_@*?[]!", *p) == NULL)
			return false;
	return true;
}

/* "1-4.2": a bus, and ports down to the drone. */
static bool
is_port_path(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	char separator = '-';

	for (; digits > 0 && text[digits] == separator; separator = '.') {
		text += digits + 1;
		digits = strspn(text, "0123456789");
	}
	return separator == '.' && digits > 0 && text[digits] == '\0';
}

/* Each [ has its ] with something between, and a ! stands only there: else no port matches. */
static bool
has_whole_brackets(const char *glob)
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

/* "1-4.2" or "pci-0000:00:14.0-usb-0:4.2", with the wildcards of fnmatch(3). */
int
settings_parse_port(const char *text, char ret_glob[PATH_TEXT_MAX], char ret_why[SETTINGS_WHY_MAX])
{
	size_t length = strlen(text);
	bool path = strstr(text, "-usb") != NULL;

	if (length == 0 || length >= (path ? PATH_TEXT_MAX : PORT_TEXT_MAX))
		return settings_refuse(ret_why, "a %s is 1 to %d characters long",
				       path ? "device path" : "port",
				       (path ? PATH_TEXT_MAX : PORT_TEXT_MAX) - 1);
	if (path && !may_be_device_path(text))
		return settings_refuse(ret_why, "\"%s\" is not a device path", text);
	if (!path && strspn(text, "0123456789-.*?[]!") != length)
		return settings_refuse(
		    ret_why, "\"%s\" is not a port path such as 1-4.2 (or a glob on one)", text);
	if (!has_whole_brackets(text))
		return settings_refuse(ret_why, "\"%s\" has brackets that no port can match", text);
	if (!path && strpbrk(text, "*?[") == NULL && !is_port_path(text))
		return settings_refuse(
		    ret_why, "\"%s\" is not a port path such as 1-4.2 (or a glob on one)", text);
	copy_text(ret_glob, PATH_TEXT_MAX, text);
	settings_drop_usb_revision(ret_glob);
	return 0;
}

bool
settings_port_matches(const char *glob, const char *port, const char *path)
{
	return fnmatch(glob, port, 0) == 0 ||
	       (path != NULL && path[0] != '\0' && fnmatch(glob, path, 0) == 0);
}

bool
settings_ports_match(const struct settings_ports *ports, const char *port, const char *path)
{
	for (size_t i = 0; i < ports->count; i++)
		if (settings_port_matches(ports->glob[i], port, path))
			return true;
	return ports->count == 0;
}

const char *
settings_label(const struct settings *c, const char *port, const char *path)
{
	const char *of_port = NULL, *of_glob = NULL;

	for (size_t i = 0; i < c->label_count; i++) {
		const struct settings_label *l = &c->labels[i];

		if (path != NULL && strcmp(l->glob, path) == 0)
			return l->label;
		if (strcmp(l->glob, port) == 0)
			of_port = l->label;
		else if (settings_port_matches(l->glob, port, path))
			of_glob = l->label;
	}
	return of_port != NULL ? of_port : of_glob;
}
