/* SPDX-License-Identifier: MIT */
/* Shared by library.c and the methods that deal with firmware. */
#ifndef APP_LIBRARY_H
#define APP_LIBRARY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "app/app_parts.h"
#include "firmware/fw.h"
#include "firmware/judge.h"

/* What the operator and the release said of an image. */
struct library_word {
	const char *name;
	enum platform told, manifest;
	bool incomplete; /* the operator's second word: what is not shown to be whole, too */
};

/* Bytes of a DfuSe file -> image, judged.  0; -EINVAL refused with ret_why (a sentence) and
 * ret_judgement. -ENOMEM. */
int library_judge(struct app *a, const uint8_t *data, size_t size, const struct library_word *word,
		  struct image **ret_image, struct judgement *ret_judgement,
		  char ret_why[STORE_WHY_MAX]) MUST_CHECK;

/* Writes the file, content-addressed, durable before it is named.  0 or negative errno. */
int library_keep(struct app *a, const uint8_t *data, size_t size, char ret_file[80]) MUST_CHECK;

/* library_files.c: the bytes of a file in the firmware folder.  The errno of opening it, -EIO,
 * -ENOMEM. */
int library_read(struct app *a, const char *file, uint8_t **ret_data, size_t *ret_size) MUST_CHECK;
bool library_is_as_stored(const uint8_t *data, size_t size, const char *file_sha256);
/* The same file with the same content, as far as the file system tells. */
bool library_is_same_file(const struct stat *a, const struct stat *b);

/* By what reading it gave (0: other bytes): "its file is missing". */
const char *library_words(int error);
/* The whole sentence, with the command that mends it. */
void library_say_trouble(const char *trouble, const char *name, char *out, size_t size);
/* Why the firmware of this name cannot be used, if so: true and the sentence. */
bool library_row_trouble(struct app *a, const char *name, char ret_why[STORE_WHY_MAX]);
/* The same from within a callback of the store; "" when there is nothing wrong with it. */
void library_row_trouble_of(struct app *a, const struct store_firmware *f, char *out, size_t size);
/* The judge does not take the file any more. */
void library_refused(struct app *a, const char *file, const char *why);

/* Removes what is in the folder and in no row.  Only when nothing is queued. */
void library_tidy(struct app *a);
/* Each second, and when a file was stored: selections whose image was lost, and is there again. */
void library_heal(struct app *a);

#endif
