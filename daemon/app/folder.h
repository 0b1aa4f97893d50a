/* SPDX-License-Identifier: MIT */
/*
 * The firmware folder: files that are named after the SHA-256 of their bytes.
 *
 * A file is read again only when its inode, size or times say that it may be another one, and of
 * those only some at a time: what has not been looked at yet counts as good.
 */
#ifndef APP_FOLDER_H
#define APP_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cfdfu/util.h"

#define FOLDER_FILE_MAX 80 /* bytes of a file's name */
#define FOLDER_WHY_MAX 256 /* a sentence */

#define FOLDER_IMAGE ".dfu" /* a DfuSe file */
#define FOLDER_PART ".bin"  /* a part of a release, as it came */

struct folder;

/* A piece of an image: its bytes go there. */
struct folder_element {
	unsigned target; /* alternate setting of the DFU interface */
	uint32_t addr, bytes;
};

/* Findings about a file: they hold as long as it is the same file. */
struct folder_file {
	char name[FOLDER_FILE_MAX]; /* "": free */
	struct stat st;
	bool checked, bad;	      /* the bytes were read; they are not those that were stored */
	char refused[FOLDER_WHY_MAX]; /* why the judge does not take them any more; "" */
	struct folder_element *elements; /* malloc(3), the folder's; NULL: not known */
	size_t element_count;
};

int folder_new(const char *path, struct folder **ret_folder) MUST_CHECK; /* -ENOMEM */
void folder_free(struct folder *f);					 /* NULL is fine */

/* Writes a new file, durable; nothing of it is left when that fails.  0 or negative errno. */
int folder_write(int dir, const char *name, const uint8_t *data, size_t size) MUST_CHECK;

/* Writes the file, durable before it is named.  ending: FOLDER_IMAGE or FOLDER_PART.  0 or negative
 * errno. */
int folder_keep(struct folder *f, const uint8_t *data, size_t size, const char *ending,
		char ret_file[FOLDER_FILE_MAX]) MUST_CHECK;

/* The bytes of a file, the caller's.  -EBADMSG: not those with this SHA-256; the errno of opening
 * it, -EIO, -ENOMEM. */
int folder_read(struct folder *f, const char *file, const char *sha256, uint8_t **ret_data,
		size_t *ret_size) MUST_CHECK;

/*
 * The entry of a file, empty when it is not the one that it was last.  0, or why it cannot be read.
 * Good until another file is asked for.
 */
int folder_find(struct folder *f, const char *file, struct folder_file **ret_file) MUST_CHECK;
/* The same; -EBADMSG: the bytes are not those with this SHA-256. */
int folder_check(struct folder *f, const char *file, const char *sha256,
		 struct folder_file **ret_file) MUST_CHECK;
void folder_check_more(struct folder *f); /* each second: some more files may be read */

/* Calls each() for the files that folder_keep() made; each() may remove the file that it is given.
 * Removes what is left of a file that was not written to its end. */
void folder_each(struct folder *f, void (*each)(void *ctx, int dir, const char *file), void *ctx);

#endif
