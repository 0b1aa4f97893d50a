/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/hosts.h"

#include <glob.h>
#include <ini.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "client/out.h"

#define DIR_ENV "CFDFU_CONFIG_DIR" /* for tests: another folder than the installed one */

struct search {
	struct hosts *hosts;
	const char *group;
	size_t first; /* hosts before it */
	size_t found; /* hosts in it */
};

static bool
add_name(struct hosts *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcmp(h->names[i], name) == 0)
			return true;
	if (h->count == HOSTS_MAX)
		return false;
	h->names[h->count++] = name;
	return true;
}

/* SPEC: inih's handler: 0 is an error.  A second line adds to the first; an empty value empties. */
static int
on_assignment(void *ctx, const char *section, const char *key, const char *value)
{
	struct search *s = ctx;
	struct hosts *h = s->hosts;
	char *at = h->text + h->used, *save = NULL;
	size_t room = sizeof(h->text) - h->used;

	if (strcmp(section, "stations") != 0 || strcmp(key, s->group) != 0)
		return 1;
	if (value[0] == '\0') {
		h->count = s->first;
		s->found = 0;
	}
	if (strlen(value) >= room)
		return 0;
	copy_text(at, room, value);
	h->used += strlen(value) + 1;
	for (char *w = strtok_r(at, " \t,", &save); w != NULL; w = strtok_r(NULL, " \t,", &save))
		if (!add_name(h, w))
			return 0;
		else
			s->found++;
	return 1;
}

/* Files that are not there count for nothing.  0 or EXIT_USAGE, said. */
static int
search_files(struct search *s, const char *pattern)
{
	glob_t files = { 0 };
	int line = 0;

	(void)glob(pattern, GLOB_NOCHECK | GLOB_BRACE, NULL, &files); /* WHY: then there is none */
	for (size_t i = 0; i < files.gl_pathc && line <= 0; i++) {
		line = ini_parse(files.gl_pathv[i], on_assignment, s);
		if (line > 0)
			say_error("%s:%d: no setting, or more than %d stations", files.gl_pathv[i],
				  line, HOSTS_MAX);
	}
	globfree(&files);
	return line > 0 ? EXIT_USAGE : 0;
}

int
hosts_add(struct hosts *h, const char *word)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const char *dir = environment(DIR_ENV, SYSCONFDIR "/cfdfud");
	struct search s = { .hosts = h, .group = word + 1, .first = h->count };
	char user[PATH_MAX], files[2 * PATH_MAX];
	int r = 0;

	if (word[0] != '@' && !add_name(h, word)) {
		say_error("more than %d stations", HOSTS_MAX);
		return EXIT_USAGE;
	}
	if (word[0] != '@')
		return 0;
	if (config != NULL && config[0] == '/')
		(void)snprintf(user, sizeof(user), "%s/cfdfuctl.conf", config);
	else
		(void)snprintf(user, sizeof(user), "%s/.config/cfdfuctl.conf", home ? home : "");
	(void)snprintf(files, sizeof(files), "%s/{cfdfud.conf,cfdfud.conf.d/*.conf}", dir);
	r = search_files(&s, user);
	if (r == 0 && s.found == 0)
		r = search_files(&s, files);
	if (r == 0 && s.found == 0) {
		say_error("no stations in %s: neither %s nor %s/cfdfud.conf has them in [stations]",
			  word, user, dir);
		r = EXIT_USAGE;
	}
	return r;
}
