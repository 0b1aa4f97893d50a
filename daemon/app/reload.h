/* SPDX-License-Identifier: MIT */
/* The settings put into force: at the start, and again when their files have changed. */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

struct services;

/* At the start: log level, rules of platforms, slots that have a label. */
void reload_first(const struct services *sv);

/* Reads the files again (file: as for settings_load()); the fleet may want more after that.  Files
 * that are refused change nothing. */
void reload_again(const struct services *sv, const char *file);

#endif
