/* SPDX-License-Identifier: MIT */
/* The settings put into force: at the start, and again when their files have changed. */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

struct fleet;
struct log;
struct notify;
struct ports;
struct recorder;
struct selection;
struct settings;

/* All of it borrowed. */
struct reload {
	const char *config_file;   /* as for settings_load() */
	struct settings *settings; /* in force; changed in place */
	struct log *log;
	struct notify *notify;
	struct fleet *fleet;
	struct ports *ports;
	struct recorder *recorder;
	struct selection *selection;
};

/* At the start: log level, rules of platforms, slots that have a label. */
void reload_first(const struct reload *r);

/* Reads the files again; the fleet may want more after that.  Files that are refused change
 * nothing. */
void reload_again(const struct reload *r);

#endif
