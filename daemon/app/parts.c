/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/folder.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/image.h"
#include "firmware/digest.h"
#include "firmware/judge_part.h"
#include "store/store.h"

/* ---- into an image -------------------------------------------------------------------------- */

struct loading {
	const struct settings *settings;
	struct folder *folder;
	struct image *image;
	struct judgement *judgement;
	int error;
};

/* The bytes of a part that decks are written from, still fit for that; NULL: known of only. */
static uint8_t *
read_part(struct loading *l, const struct store_part *row, struct image_part *part)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int r;

	if (settings_trust(l->settings, row->signer) < 0 ||
	    judge_part_use(row->target) != PART_DECK)
		return NULL;
	r = folder_read(l->folder, row->file, row->file_sha256, &data, &size);
	if (r == -ENOMEM)
		l->error = r;
	if (r < 0 || size > PART_BYTES_MAX)
		goto out;
	part->bytes = data;
	part->length = (uint32_t)size;
	judge_part(part, row->soft_device, l->judgement);
	if (l->judgement->accepted)
		return data;
	part->bytes = NULL;
out:
	free(data);
	return NULL;
}

static void
on_part(void *ctx, const struct store_part *row)
{
	struct loading *l = ctx;
	struct image_part part = { .length = (uint32_t)row->size_bytes };
	uint8_t *data;

	copy_text(part.target, sizeof(part.target), row->target);
	copy_text(part.type, sizeof(part.type), row->type);
	copy_text(part.version, sizeof(part.version), row->version != NULL ? row->version : "");
	data = read_part(l, row, &part);
	if (l->error == 0)
		l->error = image_add_part(l->image, &part);
	free(data);
}

int
parts_load(const struct services *sv, struct folder *folder, struct image *image)
{
	struct loading l = { sv->settings, folder, image, malloc(sizeof(*l.judgement)), 0 };
	int r = l.judgement != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = store_part_each(sv->store, image_label(image)->name, on_part, &l);
	free(l.judgement);
	return r < 0 ? r : l.error;
}

/* ---- kept ----------------------------------------------------------------------------------- */

struct keeping {
	const struct store_part *part;
	struct folder *folder;
	char sha256[DIGEST_TEXT_MAX];
	bool there; /* the same, with its file */
};

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static void
on_kept(void *ctx, const struct store_part *row)
{
	struct keeping *k = ctx;
	uint8_t *data = NULL;
	size_t size;

	if (!same_text(row->target, k->part->target) || !same_text(row->type, k->part->type) ||
	    !same_text(row->version, k->part->version) ||
	    !same_text(row->soft_device, k->part->soft_device) ||
	    (k->part->signer != NULL && !same_text(row->signer, k->part->signer)) ||
	    !same_text(row->file_sha256, k->sha256))
		return;
	k->there = folder_read(k->folder, row->file, row->file_sha256, &data, &size) == 0;
	free(data);
}

int
parts_keep(const struct services *sv, struct folder *folder, const struct store_part *part,
	   const uint8_t *data, const struct store_time *now)
{
	struct keeping k = { .part = part, .folder = folder };
	struct store_part row = *part;
	uint8_t sha256[DIGEST_BYTES];
	char file[FOLDER_FILE_MAX] = "";
	int r;

	digest_bytes(data, (size_t)part->size_bytes, sha256);
	digest_format(sha256, k.sha256);
	r = store_part_each(sv->store, part->firmware, on_kept, &k);
	if (r < 0 || k.there)
		return r < 0 ? r : 1;
	/* WHY: the reserve of a full disk is for the verdicts of running drones. */
	r = store_ready(sv->store, now);
	if (r == 0)
		r = folder_keep(folder, data, (size_t)part->size_bytes, FOLDER_PART, file);
	if (r < 0)
		return r;
	row.file = file;
	row.file_sha256 = k.sha256;
	return store_part_put(sv->store, &row, now);
}

/* ---- their files ---------------------------------------------------------------------------- */

struct part_use_of {
	const char *file;
	bool used;
};

static void
on_use(void *ctx, const struct store_part *row)
{
	struct part_use_of *use = ctx;

	use->used = use->used || strcmp(row->file, use->file) == 0;
}

bool
parts_use(const struct services *sv, const char *file)
{
	struct part_use_of use = { file, false };

	return store_part_each(sv->store, NULL, on_use, &use) < 0 || use.used;
}
