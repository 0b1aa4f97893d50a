/* SPDX-License-Identifier: MIT */
/* Shared by library.c and the methods that deal with firmware. */
#ifndef APP_LIBRARY_H
#define APP_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

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
void library_forget(struct app *a, const char *file);

/* The platform when the set has exactly one; else UNKNOWN. */
enum platform library_only(unsigned platforms);

#endif
