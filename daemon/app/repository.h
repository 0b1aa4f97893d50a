/* SPDX-License-Identifier: MIT */
/*
 * The firmware of this station: rows of the catalogue, and the files that they name.  An image is
 * judged before it is stored, and again whenever it is loaded.
 */
#ifndef APP_REPOSITORY_H
#define APP_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/folder.h"
#include "cfdfu/util.h"
#include "cfdfu/device.h"
#include "firmware/judge.h"
#include "store/store.h"

struct repository;
struct services;

/* A DfuSe file, and the words of the operator and of the release on it. */
struct repository_claim {
	const uint8_t *data;
	size_t size;
	const char *name;
	enum platform told, manifest;
	bool incomplete;    /* the operator takes what is not shown to be whole, too */
	const char *signer; /* NULL: not signed */
};

/* Without a store: nothing but judging.  -ENOMEM. */
int repository_new(const struct services *sv, struct repository **ret_repository) MUST_CHECK;
void repository_free(struct repository *r); /* NULL is fine */

/* -> image, judged; one reference, the caller's.  0; -EINVAL refused with ret_why (a sentence) and
 * ret_judgement.  -ENOMEM. */
int repository_judge(struct repository *r, const struct repository_claim *claim,
		     struct image **ret_image, struct judgement *ret_judgement,
		     char ret_why[STORE_WHY_MAX]) MUST_CHECK;
/* The same of a boot loader. */
int repository_judge_loader(const struct repository_claim *claim, struct image **ret_image,
			    char ret_why[STORE_WHY_MAX]) MUST_CHECK;

/*
 * Keeps these bytes of a judged image, and its row (but for the file's names and times) in the
 * catalogue.  0, also when it is there already; a file that was lost is written again.  -EEXIST:
 * another image has this name.  Else an error of the store or the disk; ret_queued: the row is
 * there as soon as the records can be written.
 */
int repository_add(struct repository *r, const struct store_firmware *row, const uint8_t *data,
		   size_t size, bool *ret_queued) MUST_CHECK;
/*
 * Keeps a judged part of a release with the firmware of its name, also when it is there already; a
 * file that was lost is written again.  0; -ENOENT: no such firmware; -E2BIG: too many parts; else
 * as above.
 */
int repository_add_part(struct repository *r, const struct store_part *part, const uint8_t *data,
			bool *ret_queued) MUST_CHECK;
/* Out of the catalogue; files that no row has any more follow.  -ENOENT, -EBUSY selected, as above.
 */
int repository_remove(struct repository *r, const char *name, bool *ret_queued) MUST_CHECK;

/*
 * The image of this name, judged again; one reference, the caller's.  -ENOENT unknown, -EIO file
 * missing or changed, -EINVAL no longer fit (ret_why: a sentence), -ENOMEM.
 */
int repository_image(struct repository *r, const char *name, struct image **ret_image,
		     char ret_why[STORE_WHY_MAX]) MUST_CHECK;

/* Where its bytes go; none when it cannot be used.  Good until the next call. */
size_t repository_elements(struct repository *r, const char *name,
			   const struct folder_element **ret_list);

/* Why the firmware of this name cannot be used, if so: true and the sentence. */
bool repository_trouble(struct repository *r, const char *name, char ret_why[STORE_WHY_MAX]);
/* The same from within a callback of the store; "" when there is nothing wrong with it. */
void repository_row_trouble(struct repository *r, const struct store_firmware *f,
			    char ret_why[STORE_WHY_MAX]);
void repository_part_trouble(struct repository *r, const struct store_part *part,
			     char ret_why[STORE_WHY_MAX]);

/* Files that no row has are removed when the records are settled and something may have changed. */
void repository_tidy_later(struct repository *r);
void repository_tidy(struct repository *r); /* each second; more files may be looked at then */

#endif
