/* SPDX-License-Identifier: MIT */
/* Names of drones in the configuration. */
#include "config.h"

#include "app/settings_set.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "cfdfu/utf8.h"

static struct settings_drone *
find(struct settings *c, const char *serial)
{
	struct settings_drone *d = c->drones;

	while (d < c->drones + c->drone_count && strcasecmp(d->serial, serial) != 0)
		d++;
	return d;
}

const char *
settings_drone_name(const struct settings *s, const char *serial)
{
	for (size_t i = 0; i < s->drone_count; i++)
		if (strcasecmp(s->drones[i].serial, serial) == 0)
			return s->drones[i].name;
	return NULL;
}

int
settings_check_name(const char *name, char ret_why[SETTINGS_WHY_MAX])
{
	char port[PATH_TEXT_MAX], unused[SETTINGS_WHY_MAX];
	size_t length = strlen(name);
	uint32_t code;

	if (length == 0 || length >= SETTINGS_LABEL_TEXT_MAX)
		return settings_refuse(ret_why, "a drone's name is 1 to %d bytes long",
				       SETTINGS_LABEL_TEXT_MAX - 1);
	for (const char *p = name; *p != '\0';) {
		size_t n = utf8_decode(p, &code);

		if (n == 0)
			return settings_refuse(ret_why, "a drone's name is not valid UTF-8");
		/* SPEC: C0, DEL, C1, and the marks that turn the direction of text. */
		if (code < 0x20 || (code >= 0x7F && code < 0xA0) ||
		    (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069))
			return settings_refuse(ret_why, "a drone's name has a control character");
		p += n;
	}
	if (name[0] == ' ' || name[0] == '-' || name[length - 1] == ' ')
		return settings_refuse(
		    ret_why, "a drone's name begins with neither - nor a blank, nor ends with one");
	if (settings_parse_port(name, port, unused) == 0)
		return settings_refuse(ret_why, "\"%s\" is the name of a port", name);
	return 0;
}

int
settings_set_drone(struct settings *c, const char *serial, const char *name,
		   char ret_why[SETTINGS_WHY_MAX])
{
	struct settings_drone *d = find(c, serial);
	size_t length = strlen(serial);

	if (length == 0 || length >= SERIAL_TEXT_MAX)
		return settings_refuse(ret_why, "a serial is 1 to %d characters long",
				       SERIAL_TEXT_MAX - 1);
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)serial[i]))
			return settings_refuse(ret_why, "\"%.64s\" is not a serial", serial);
	if (d < c->drones + c->drone_count) {
		memmove(d, d + 1, (size_t)(c->drones + --c->drone_count - d) * sizeof(*d));
		d = &c->drones[c->drone_count];
	}
	if (name[0] == '\0')
		return 0;
	if (settings_check_name(name, ret_why) < 0)
		return -EINVAL;
	if (c->drone_count == SETTINGS_DRONES_MAX)
		return settings_refuse(ret_why, "more than %d drones", SETTINGS_DRONES_MAX);
	copy_text(d->serial, sizeof(d->serial), serial);
	copy_text(d->name, sizeof(d->name), name);
	c->drone_count++;
	return 0;
}

int
settings_check_drones(const struct settings *c, char ret_why[SETTINGS_WHY_MAX])
{
	for (size_t i = 0; i < c->drone_count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(c->drones[i].name, c->drones[k].name) == 0)
				return settings_refuse(
				    ret_why, "\"%s\" is the name of two drones, %s and %s",
				    c->drones[i].name, c->drones[k].serial, c->drones[i].serial);
	return 0;
}
