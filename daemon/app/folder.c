/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "firmware/digest.h"

enum {
	FILES_MAX = 256,	/* LIMIT: more files are read again */
	CHECKED_EACH_SECOND = 8 /* LIMIT: files read for a question; some milliseconds */
};

#define INCOMING "incoming" /* a file until all of it is written */

struct folder {
	char path[512];
	struct folder_file files[FILES_MAX];
	unsigned next, budget;
};

int
folder_new(const char *path, struct folder **ret_folder)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	copy_text(f->path, sizeof(f->path), path);
	f->budget = CHECKED_EACH_SECOND;
	*ret_folder = f;
	return 0;
}

void
folder_free(struct folder *f)
{
	for (size_t i = 0; f != NULL && i < FILES_MAX; i++)
		free(f->files[i].elements);
	free(f);
}

/* ---- writing -------------------------------------------------------------------------------- */

int
folder_write(int dir, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	(void)close(fd);
	if (r < 0)
		(void)unlinkat(dir, name, 0); /* an incomplete file is deleted */
	return r;
}

int
folder_keep(struct folder *f, const uint8_t *data, size_t size, const char *ending,
	    char ret_file[FOLDER_FILE_MAX])
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX], file[FOLDER_FILE_MAX];
	int dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return -errno;
	digest_bytes(data, size, sha256);
	digest_format(sha256, text);
	(void)snprintf(file, sizeof(file), "%s%s", text, ending);
	(void)unlinkat(dir, INCOMING, 0); /* of a run that was cut off */
	r = folder_write(dir, INCOMING, data, size);
	if (r == 0 && renameat(dir, INCOMING, dir, file) < 0) {
		r = -errno;
		(void)unlinkat(dir, INCOMING, 0);
	}
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	if (r == 0)
		copy_text(ret_file, FOLDER_FILE_MAX, file);
	(void)close(dir);
	return r;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool
has_digest(const uint8_t *data, size_t size, const char *expected)
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	digest_bytes(data, size, sha256);
	digest_format(sha256, text);
	return strcmp(text, expected) == 0;
}

int
folder_read(struct folder *f, const char *file, const char *sha256, uint8_t **ret_data,
	    size_t *ret_size)
{
	char path[sizeof(f->path) + FOLDER_FILE_MAX];
	struct stat st;
	uint8_t *data = NULL;
	int fd, r = -EIO;

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > (off_t)PROTO_FILE_BYTES_MAX)
		goto out;
	data = malloc((size_t)st.st_size);
	if (data == NULL)
		r = -ENOMEM;
	else if (read(fd, data, (size_t)st.st_size) == st.st_size)
		r = has_digest(data, (size_t)st.st_size, sha256) ? 0 : -EBADMSG;
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

/* ---- what was found out about a file -------------------------------------------------------- */

/* The same file with the same content, as far as the file system tells. */
static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The entry of this name, or the one that makes room for it. */
static struct folder_file *
take_entry(struct folder *f, const char *name)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		if (strcmp(f->files[i].name, name) == 0)
			return &f->files[i];
	return &f->files[f->next++ % FILES_MAX];
}

int
folder_find(struct folder *f, const char *name, struct folder_file **ret_file)
{
	char path[sizeof(f->path) + FOLDER_FILE_MAX];
	struct folder_file *e;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	if (lstat(path, &st) < 0 || access(path, R_OK) < 0)
		return -errno;
	e = take_entry(f, name);
	if (strcmp(e->name, name) != 0 || !is_same_file(&e->st, &st)) {
		free(e->elements);
		*e = (struct folder_file){ .st = st };
		copy_text(e->name, sizeof(e->name), name);
	}
	*ret_file = e;
	return 0;
}

int
folder_check(struct folder *f, const char *name, const char *sha256, struct folder_file **ret_file)
{
	struct folder_file *e;
	uint8_t *data = NULL;
	size_t size = 0;
	int r = folder_find(f, name, &e);

	if (r < 0)
		return r;
	if (!S_ISREG(e->st.st_mode) || e->st.st_size <= 0)
		return -EBADMSG;
	if (!e->checked && f->budget > 0) {
		f->budget--;
		e->checked = true;
		e->bad = folder_read(f, name, sha256, &data, &size) < 0;
		free(data);
	}
	*ret_file = e;
	return e->bad ? -EBADMSG : 0;
}

void
folder_check_more(struct folder *f)
{
	f->budget = CHECKED_EACH_SECOND;
}

/* ---- the whole folder ----------------------------------------------------------------------- */

static bool
is_ours(const char *file)
{
	const char *ending = file + DIGEST_TEXT_MAX - 1;

	return strspn(file, "0123456789abcdef") == DIGEST_TEXT_MAX - 1 &&
	       (strcmp(ending, FOLDER_IMAGE) == 0 || strcmp(ending, FOLDER_PART) == 0);
}

void
folder_each(struct folder *f, void (*each)(void *ctx, int dir, const char *file), void *ctx)
{
	DIR *folder = opendir(f->path);
	struct dirent *e;

	if (folder == NULL)
		return;
	(void)unlinkat(dirfd(folder), INCOMING, 0); /* of a run that was cut off */
	while ((e = readdir(folder)) != NULL)
		if (is_ours(e->d_name))
			each(ctx, dirfd(folder), e->d_name);
	(void)closedir(folder);
}
