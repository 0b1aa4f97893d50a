/* SPDX-License-Identifier: MIT */
/* One assignment of the configuration: which keys there are and what their values may be. */
#ifndef APP_SETTINGS_SET_H
#define APP_SETTINGS_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "app/settings.h"
#include "cfdfu/util.h"

/*
 * Sets `key = value` of [section].  0; -EINVAL with ret_why, one clause without a full stop ("what
 * is wrong").  A list takes an addition, and is emptied by an empty value.
 */
int settings_set(struct settings *c, const char *section, const char *key, const char *value,
		 char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;

/* Writes why; returns -EINVAL. */
int settings_refuse(char why[SETTINGS_WHY_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

/* settings_port.c: a port, or its device path, or a glob on one; as udev's ID_PATH has it also
 * where ID_PATH_WITH_USB_REVISION was written.  0 or -EINVAL, as above. */
int settings_parse_port(const char *text, char ret_glob[PATH_TEXT_MAX],
			char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;
void settings_drop_usb_revision(char *path);

/* settings_drones.c: a line of [drones], an empty name takes it back; and all of them together.
 * 0 or -EINVAL, as above. */
int settings_set_drone(struct settings *c, const char *serial, const char *name,
		       char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;
int settings_check_drones(const struct settings *c, char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;

/* settings_keys.c: the keys of all files NAME.pub in the folder of trusted keys; none where there
 * is no such folder.  0; else negative errno with ret_error, "FILE: what". */
int settings_load_keys(struct settings *c, char ret_error[SETTINGS_ERROR_MAX]) MUST_CHECK;

/* Does a second line of this key add to the first (ports, protected), rather than replace it? */
bool settings_key_is_list(const char *section, const char *key);

/* Is there such a section at all? */
bool settings_section_exists(const char *section);

/* The n-th default as text; false after the last. */
bool settings_default(size_t n, const char **ret_section, const char **ret_key,
		      const char **ret_value);

/* Trouble that only the whole shows.  0, or -EINVAL with the section it is about and why. */
int settings_check(const struct settings *c, char ret_section[SETTINGS_WHY_MAX],
		   char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;

#endif
