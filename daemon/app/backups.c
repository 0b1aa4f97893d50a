/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/backups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/folder.h"
#include "app/settings.h"
#include "core/job.h"

enum {
	NAMES_MAX = 256,       /* LIMIT: backups of one drone that are looked at when thinning */
	SAME_SECOND_MAX = 120, /* LIMIT: drones without a serial that are kept in one second */
};

static int
open_folder(const char *state_dir)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/backups", state_dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Serials come from a device: only their digits and letters become part of a name. */
static void
put_key(const struct job_record *r, char *out, size_t size)
{
	const char *serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	size_t n = 0;

	for (; *serial != '\0' && n + 1 < size; serial++)
		if ((*serial >= '0' && *serial <= '9') || (*serial >= 'A' && *serial <= 'F') ||
		    (*serial >= 'a' && *serial <= 'f'))
			out[n++] = *serial;
	out[n] = '\0';
	if (n == 0)
		copy_text(out, size, "no-serial");
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(b, a); /* names end in the time: newest first */
}

/* Removes what is too old, and the oldest beyond the number to keep. */
static void
thin_out(const struct settings *s, int dir, const char *key, const char *kept)
{
	char(*names)[96] = calloc(NAMES_MAX, sizeof(*names));
	time_t oldest = time(NULL) - (time_t)(s->backup_age_ms / 1000);
	int copy = dup(dir);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	size_t count = 0, length = strlen(key);
	struct dirent *e;

	while (names != NULL && folder != NULL && (e = readdir(folder)) != NULL)
		if (strncmp(e->d_name, key, length) == 0 && e->d_name[length] == '-' &&
		    strcmp(e->d_name, kept) != 0 && count < NAMES_MAX)
			copy_text(names[count++], sizeof(*names), e->d_name);
	if (names != NULL)
		qsort(names, count, sizeof(*names), compare_names);
	/* WHY: the one just written stays, whatever the clock says of it: it is not in the list. */
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		bool old = s->backup_age_ms > 0 && fstatat(dir, names[i], &st, 0) == 0 &&
			   st.st_mtime < oldest;

		if (old || (s->backup_keep > 0 && i + 1 >= s->backup_keep))
			(void)unlinkat(dir, names[i], 0); /* stays until next time if it must */
	}
	if (folder != NULL)
		(void)closedir(folder);
	else if (copy >= 0)
		(void)close(copy);
	free(names);
}

/* SERIAL-TIME.dfu; n tells several of one second apart. */
static void
make_name(const char *key, time_t now, unsigned n, char name[96])
{
	char stamp[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	if (n == 0)
		(void)snprintf(name, 96, "%.60s-%.24s.dfu", key, stamp);
	else
		(void)snprintf(name, 96, "%.60s-%.24s_%u.dfu", key, stamp, n);
}

int
backups_keep(const char *state_dir, const struct settings *s, const struct job_record *r,
	     const uint8_t *data, size_t size)
{
	char key[SERIAL_TEXT_MAX], name[96];
	time_t now = time(NULL);
	int dir = open_folder(state_dir), e = -EEXIST;

	if (dir < 0)
		return dir;
	put_key(r, key, sizeof(key));
	for (unsigned n = 0; n < SAME_SECOND_MAX && e == -EEXIST; n++) {
		make_name(key, now, n, name);
		e = folder_write(dir, name, data, size);
	}
	if (e == 0 && fsync(dir) < 0)
		e = -errno;
	if (e == 0)
		thin_out(s, dir, key, name);
	(void)close(dir);
	return e;
}
