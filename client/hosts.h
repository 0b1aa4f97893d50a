/* SPDX-License-Identifier: MIT */
/* The machines that -H names: one by one, or as a group of a configuration. */
#ifndef CLIENT_HOSTS_H
#define CLIENT_HOSTS_H

#include <stddef.h>

#include "cfdfu/util.h"

#define HOSTS_MAX 128	 /* LIMIT: stations of one command */
#define HOSTS_BYTES 8192 /* LIMIT: their names in groups */

struct hosts {
	const char *names[HOSTS_MAX]; /* in the order given, each once */
	size_t count;
	char text[HOSTS_BYTES]; /* names out of a configuration */
	size_t used;
};

/*
 * "[USER@]HOST", borrowed; or "@GROUP": NAME = HOST ... in [stations] of the user's cfdfuctl.conf,
 * else of cfdfud.conf and its drop-ins.  0, or EXIT_USAGE after having said why.
 */
int hosts_add(struct hosts *h, const char *word) MUST_CHECK;

#endif
