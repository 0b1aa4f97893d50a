/* SPDX-License-Identifier: MIT */
/*
 * Are the files of the firmware folder what was stored?  One answer for all who ask: list, show,
 * status, doctor, select and the start.
 */
#include "config.h"

#include "app/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "firmware/digest.h"

/* ---- one file ------------------------------------------------------------------------------- */

bool
library_is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int
read_all(int fd, uint8_t *data, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t n = read(fd, data + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += (size_t)n;
	}
	return 0;
}

int
library_read(struct app *a, const char *file, uint8_t **ret_data, size_t *ret_size)
{
	char path[512];
	struct stat st;
	uint8_t *data = NULL;
	int fd, r = -EIO;

	(void)snprintf(path, sizeof(path), "%s/%s", store_firmware_dir(a->store), file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > (off_t)PROTO_FILE_BYTES_MAX)
		goto out;
	data = malloc((size_t)st.st_size);
	r = data != NULL ? read_all(fd, data, (size_t)st.st_size) : -ENOMEM;
	if (r == 0) {
		*ret_data = data;
		*ret_size = (size_t)st.st_size;
		data = NULL;
	}
out:
	free(data);
	(void)close(fd);
	return r;
}

bool
library_is_as_stored(const uint8_t *data, size_t size, const char *file_sha256)
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	digest_bytes(data, size, sha256);
	digest_format(sha256, text);
	return strcmp(text, file_sha256) == 0;
}

static struct library_seen *
find_seen(struct app *a, const char *file, bool make)
{
	struct library_seen *seen;

	for (size_t i = 0; i < LIBRARY_SEEN_MAX; i++)
		if (strcmp(a->seen[i].file, file) == 0)
			return &a->seen[i];
	if (!make)
		return NULL;
	seen = &a->seen[a->seen_next++ % LIBRARY_SEEN_MAX];
	*seen = (struct library_seen){ 0 };
	copy_text(seen->file, sizeof(seen->file), file);
	return seen;
}

/* Reading a file again is due only when its inode says that it may be another one. */
static const struct library_seen *
look_at(struct app *a, const char *file, const char *file_sha256, const struct stat *st)
{
	static const struct library_seen later = { .good = true };
	struct library_seen *seen = find_seen(a, file, false);
	uint8_t *data = NULL;
	size_t size = 0;

	if (seen != NULL && library_is_same_file(&seen->st, st))
		return seen;
	if (a->seen_budget == 0)
		return &later; /* it is looked at within the next seconds */
	a->seen_budget--;
	seen = find_seen(a, file, true);
	seen->st = *st;
	seen->refused[0] = '\0';
	seen->good = library_read(a, file, &data, &size) == 0 &&
		     library_is_as_stored(data, size, file_sha256);
	free(data);
	return seen;
}

static int
stat_file(struct app *a, const char *file, struct stat *ret_st)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", store_firmware_dir(a->store), file);
	if (lstat(path, ret_st) < 0)
		return -errno;
	return access(path, R_OK) < 0 ? -errno : 0;
}

void
library_refused(struct app *a, const char *file, const char *why)
{
	struct library_seen *seen = find_seen(a, file, true);

	if (stat_file(a, file, &seen->st) < 0)
		seen->file[0] = '\0';
	seen->good = true; /* as it was stored */
	copy_text(seen->refused, sizeof(seen->refused), why);
}

struct asked_row {
	struct app *app;
	const char *name, *trouble;
	char *why;
	size_t size;
};

static void
on_asked_row(void *ctx, const struct store_firmware *f)
{
	struct asked_row *row = ctx;
	const struct library_seen *seen = NULL;
	struct stat st;
	int r = stat_file(row->app, f->file, &st);

	if (r == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		seen = look_at(row->app, f->file, f->file_sha256, &st);
	if (r < 0 || seen == NULL || !seen->good)
		row->trouble = library_words(r);
	else if (seen->refused[0] != '\0')
		(void)snprintf(row->why, row->size,
			       "it is refused now: %s; select another one: cfdfuctl firmware list",
			       seen->refused);
}

/* ---- one row of the catalogue --------------------------------------------------------------- */

const char *
library_words(int error)
{
	return error == -ENOENT ? "its file is missing"
	       : error < 0	? "its file cannot be read"
				: "its file has been changed";
}

void
library_say_trouble(const char *trouble, const char *name, char *out, size_t size)
{
	const char *quote = strpbrk(name, " '\"()&;<>|$`\\*?[]#~!") != NULL ? "'" : "";

	(void)snprintf(out, size, "%s: add it again: cfdfuctl firmware add FILE --name %s%s%s",
		       trouble, quote, name, quote);
}

void
library_row_trouble_of(struct app *a, const struct store_firmware *f, char *out, size_t size)
{
	struct asked_row row = { a, f->name, NULL, out, size };

	out[0] = '\0';
	on_asked_row(&row, f);
	if (row.trouble != NULL)
		library_say_trouble(row.trouble, f->name, out, size);
}

bool
library_row_trouble(struct app *a, const char *name, char ret_why[STORE_WHY_MAX])
{
	struct asked_row row = { a, name, NULL, ret_why, STORE_WHY_MAX };

	ret_why[0] = '\0';
	if (store_firmware_find(a->store, name, on_asked_row, &row) == 0)
		row.trouble = "it is not in the catalogue any more";
	if (row.trouble != NULL)
		library_say_trouble(row.trouble, name, ret_why, STORE_WHY_MAX);
	return ret_why[0] != '\0';
}

/* ---- files that no row has ------------------------------------------------------------------ */

/* SHA-256 in hex, ".dfu": what library_keep() names its files. */
static bool
is_ours(const char *file)
{
	return strspn(file, "0123456789abcdef") == DIGEST_TEXT_MAX - 1 &&
	       strcmp(file + DIGEST_TEXT_MAX - 1, ".dfu") == 0;
}

struct file_use {
	const char *file;
	bool used;
};

static void
on_file_use(void *ctx, const struct store_firmware *f)
{
	struct file_use *use = ctx;

	use->used = use->used || strcmp(f->file, use->file) == 0;
}

/* True also when that cannot be said. */
static bool
is_used(struct app *a, const char *file)
{
	struct file_use use = { file, false };

	return store_firmware_each(a->store, on_file_use, &use) < 0 || use.used;
}

static void
remove_unused(struct app *a, int dir, const char *file)
{
	/* WHY: records that were repaired may have lost a row; then its file is all there is. */
	if (store_health(a->store, NULL) != STORE_OK)
		log_say(a->log, LOG_WARNING, NULL,
			"%s/%s: no firmware in the catalogue has this file; it is left there since "
			"the records were repaired",
			store_firmware_dir(a->store), file);
	else if (unlinkat(dir, file, 0) < 0)
		log_say(a->log, LOG_WARNING, NULL, "%s/%s: cannot be removed: %s",
			store_firmware_dir(a->store), file, strerror(errno));
	else
		log_say(a->log, LOG_NOTICE, NULL,
			"%s: removed, no firmware in the catalogue has this file", file);
}

void
library_tidy(struct app *a)
{
	DIR *folder = opendir(store_firmware_dir(a->store));
	struct dirent *e;

	if (folder == NULL)
		return;
	(void)unlinkat(dirfd(folder), "incoming", 0); /* half a file of a run that was cut off */
	while ((e = readdir(folder)) != NULL)
		if (is_ours(e->d_name) && !is_used(a, e->d_name))
			remove_unused(a, dirfd(folder), e->d_name);
	(void)closedir(folder);
}
