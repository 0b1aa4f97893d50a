/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/repository.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/parts.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/image.h"
#include "firmware/digest.h"
#include "firmware/fw.h"

struct repository {
	const struct services *sv;
	struct folder *folder;
	bool tidy_due; /* the folder may hold files that no row has */
};

int
repository_new(const struct services *sv, struct repository **ret_repository)
{
	struct repository *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	if (r == NULL)
		goto out;
	r->sv = sv;
	e = folder_new(sv->store != NULL ? store_firmware_dir(sv->store) : "", &r->folder);
	if (e < 0)
		goto out;
	*ret_repository = r;
	r = NULL; /* the caller's now */
out:
	repository_free(r);
	return e;
}

void
repository_free(struct repository *r)
{
	if (r == NULL)
		return;
	folder_free(r->folder);
	free(r);
}

/* ---- judging -------------------------------------------------------------------------------- */

/*
 * An image for devices that the settings describe is fit when it fits one of them; the reason is
 * the first one's.
 */
static int
judge_for_devices(const struct repository *r, const struct image *image,
		  const struct judge_options *options, struct judgement *ret)
{
	const struct settings *s = r->sv->settings;
	struct judge_options o = *options;
	struct judgement *j;
	int e = 0;

	o.device = judge_any_device();
	if (s->device_count == 0)
		return judge_image(image, &o, ret);
	j = malloc(sizeof(*j)); /* WHY: judgements are large */
	if (j == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->device_count && (i == 0 || !ret->accepted); i++) {
		o.device = &s->devices[i].device;
		e = judge_image(image, &o, j);
		if (e < 0)
			break;
		if (i == 0 || j->accepted)
			*ret = *j;
	}
	free(j);
	return e;
}

/* Takes an image that is not accepted. */
static int
judged(int error, struct image *take_image, const struct judgement *j, struct image **ret_image,
       char ret_why[STORE_WHY_MAX])
{
	if (error == 0 && j->accepted) {
		*ret_image = take_image;
		return 0;
	}
	image_unref(take_image);
	if (error == 0)
		copy_text(ret_why, STORE_WHY_MAX, judge_reason(j));
	return error < 0 ? error : -EINVAL;
}

static int
load(const struct repository_claim *claim, struct image **ret_image, char ret_why[STORE_WHY_MAX])
{
	struct fw_input in = { .data = claim->data,
			       .size = claim->size,
			       .name = claim->name,
			       .platform =
				   claim->told != PLATFORM_UNKNOWN ? claim->told : claim->manifest,
			       .incomplete = claim->incomplete,
			       .signer = claim->signer,
			       .any_ids = claim->told == PLATFORM_OTHER };
	struct fw_error error = { 0 };
	int e = fw_dfuse_load(&in, ret_image, NULL, &error);

	if (e < 0)
		copy_text(ret_why, STORE_WHY_MAX, error.text);
	return e < 0 && e != -ENOMEM ? -EINVAL : e;
}

int
repository_judge(struct repository *r, const struct repository_claim *claim,
		 struct image **ret_image, struct judgement *ret_judgement,
		 char ret_why[STORE_WHY_MAX])
{
	struct judge_options options = { .manifest = claim->manifest,
					 .user_platform = claim->told,
					 .incomplete = claim->incomplete };
	struct image *image = NULL;
	int e;

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	e = load(claim, &image, ret_why);
	if (e < 0)
		return e;
	if (claim->told == PLATFORM_OTHER)
		e = judge_for_devices(r, image, &options, ret_judgement);
	else
		e = judge_image(image, &options, ret_judgement);
	return judged(e, image, ret_judgement, ret_image, ret_why);
}

int
repository_judge_loader(const struct repository_claim *claim, struct image **ret_image,
			char ret_why[STORE_WHY_MAX])
{
	struct judgement *j = calloc(1, sizeof(*j));
	struct image *image = NULL;
	int e = -ENOMEM;

	copy_text(ret_why, STORE_WHY_MAX, "out of memory");
	if (j != NULL)
		e = load(claim, &image, ret_why);
	if (e == 0)
		e = judged(judge_loader(image, j), image, j, ret_image, ret_why);
	free(j);
	return e;
}

/* ---- rows of the catalogue ------------------------------------------------------------------ */

struct kept_row {
	char file[FOLDER_FILE_MAX], file_sha256[DIGEST_TEXT_MAX], sha256[DIGEST_TEXT_MAX];
	char signer[SIGNATURE_SIGNER_MAX];
	unsigned platforms;
	bool incomplete;
};

static void
on_row(void *ctx, const struct store_firmware *f)
{
	struct kept_row *row = ctx;

	copy_text(row->file, sizeof(row->file), f->file);
	copy_text(row->file_sha256, sizeof(row->file_sha256), f->file_sha256);
	copy_text(row->sha256, sizeof(row->sha256), f->sha256);
	copy_text(row->signer, sizeof(row->signer), f->signer != NULL ? f->signer : "");
	row->platforms = f->platforms;
	row->incomplete = f->incomplete;
}

/* By what settings_trust(), folder_read() and folder_check() gave. */
static const char *
trouble_of(int error)
{
	return error == -ENOENT	   ? "its file is missing"
	       : error == -EBADMSG ? "its file has been changed"
	       : error == -ENOKEY ? "it is not signed (require-signature; FILE.minisig beside FILE)"
	       : error == -EKEYREJECTED ? "its signer's key is not trusted any more"
					: "its file cannot be read";
}

/* The whole sentence, with the command that mends it. */
static void
say_trouble(const char *trouble, const char *name, char ret_why[STORE_WHY_MAX])
{
	const char *quote = strpbrk(name, " '\"()&;<>|$`\\*?[]#~!") != NULL ? "'" : "";

	(void)snprintf(ret_why, STORE_WHY_MAX,
		       "%s: add it again: cfdfuctl firmware add FILE --name %s%s%s", trouble, quote,
		       name, quote);
}

static void
row_trouble(struct repository *r, const char *name, const struct kept_row *row,
	    char ret_why[STORE_WHY_MAX])
{
	struct folder_file *known;
	int e = settings_trust(r->sv->settings, row->signer);

	if (e == 0)
		e = folder_check(r->folder, row->file, row->file_sha256, &known);
	ret_why[0] = '\0';
	if (e < 0)
		say_trouble(trouble_of(e), name, ret_why);
	else if (known->refused[0] != '\0')
		(void)snprintf(
		    ret_why, STORE_WHY_MAX,
		    "it is refused now: %.180s; select another one: cfdfuctl firmware list",
		    known->refused);
}

void
repository_row_trouble(struct repository *r, const struct store_firmware *f,
		       char ret_why[STORE_WHY_MAX])
{
	struct kept_row row;

	on_row(&row, f);
	row_trouble(r, f->name, &row, ret_why);
}

void
repository_part_trouble(struct repository *r, const struct store_part *part,
			char ret_why[STORE_WHY_MAX])
{
	struct kept_row row;

	on_row(&row, &(struct store_firmware){ .file = part->file,
					       .file_sha256 = part->file_sha256,
					       .sha256 = "",
					       .signer = part->signer });
	row_trouble(r, part->firmware, &row, ret_why);
}

bool
repository_trouble(struct repository *r, const char *name, char ret_why[STORE_WHY_MAX])
{
	struct kept_row row;
	int e = store_firmware_find(r->sv->store, name, on_row, &row);

	ret_why[0] = '\0';
	if (e == 0)
		say_trouble("it is not in the catalogue any more", name, ret_why);
	else if (e > 0)
		row_trouble(r, name, &row, ret_why);
	return ret_why[0] != '\0';
}

/* ---- images --------------------------------------------------------------------------------- */

/* The platform when the set has exactly one; else UNKNOWN. */
static enum platform
only_one(unsigned platforms)
{
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (platforms == BIT(p))
			return p;
	return PLATFORM_UNKNOWN;
}

static int
judge_again(struct repository *r, const char *file, const struct repository_claim *claim,
	    struct image **ret_image, char ret_why[STORE_WHY_MAX])
{
	struct judgement *judgement = malloc(sizeof(*judgement));
	struct folder_file *known;
	int e = -ENOMEM;

	if (judgement != NULL)
		e = repository_judge(r, claim, ret_image, judgement, ret_why);
	if (e == -EINVAL && folder_find(r->folder, file, &known) == 0)
		copy_text(known->refused, sizeof(known->refused), ret_why);
	free(judgement);
	return e;
}

int
repository_image(struct repository *r, const char *name, struct image **ret_image,
		 char ret_why[STORE_WHY_MAX])
{
	struct repository_claim claim = { .name = name };
	struct image *image = NULL;
	struct kept_row row;
	uint8_t *data = NULL;
	int e = store_firmware_find(r->sv->store, name, on_row, &row);

	if (e <= 0) {
		copy_text(ret_why, STORE_WHY_MAX,
			  e == 0 ? "there is no firmware of that name"
				 : "the catalogue cannot be read");
		return e == 0 ? -ENOENT : e;
	}
	copy_text(ret_why, STORE_WHY_MAX, "out of memory");
	e = settings_trust(r->sv->settings, row.signer);
	if (e == 0)
		e = folder_read(r->folder, row.file, row.file_sha256, &data, &claim.size);
	if (e < 0 && e != -ENOMEM)
		say_trouble(trouble_of(e), name, ret_why);
	if (e < 0)
		return e != -ENOMEM ? -EIO : e;
	claim.data = data;
	claim.told = only_one(row.platforms);
	claim.incomplete = row.incomplete;
	claim.signer = row.signer;
	e = judge_again(r, row.file, &claim, &image, ret_why);
	free(data);
	if (e < 0)
		return e;
	e = parts_load(r->sv, r->folder, image);
	if (e == 0)
		*ret_image = image;
	else
		image_unref(image);
	return e;
}

/* ---- elements ------------------------------------------------------------------------------- */

static void
keep_elements(struct folder_file *file, const struct image *image)
{
	size_t n = image_segment_count(image);

	file->elements = calloc(n, sizeof(*file->elements));
	for (size_t i = 0; file->elements != NULL && i < n; i++) {
		const struct segment *s = image_segment(image, i);

		file->elements[i] = (struct folder_element){ s->alt, s->addr, s->size };
		file->element_count = i + 1;
	}
}

size_t
repository_elements(struct repository *r, const char *name, const struct folder_element **ret_list)
{
	char why[STORE_WHY_MAX];
	struct folder_file *file;
	struct image *image = NULL;
	struct kept_row row = { 0 };

	/* WHY remembered: reading and judging a file takes longer than a drone should wait. */
	if (store_firmware_find(r->sv->store, name, on_row, &row) <= 0 ||
	    folder_find(r->folder, row.file, &file) < 0)
		return 0;
	if (file->elements == NULL && file->refused[0] == '\0' &&
	    repository_image(r, name, &image, why) == 0)
		keep_elements(file, image);
	image_unref(image);
	*ret_list = file->elements;
	return file->element_count;
}

/* ---- files that no row has ------------------------------------------------------------------ */

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
is_used(struct repository *r, const char *file)
{
	struct file_use use = { file, false };

	return store_firmware_each(r->sv->store, on_file_use, &use) < 0 || use.used ||
	       parts_use(r->sv, file);
}

static void
remove_unused(void *ctx, int dir, const char *file)
{
	struct repository *r = ctx;

	if (is_used(r, file))
		return;
	/* WHY: records that were repaired may have lost a row; then its file is all there is. */
	if (store_health(r->sv->store, NULL) != STORE_OK)
		log_say(r->sv->log, LOG_WARNING, NULL,
			"%s/%s: no firmware in the catalogue has this file; it is left there since "
			"the records were repaired",
			store_firmware_dir(r->sv->store), file);
	else if (unlinkat(dir, file, 0) < 0)
		log_say(r->sv->log, LOG_WARNING, NULL, "%s/%s: cannot be removed: %s",
			store_firmware_dir(r->sv->store), file, strerror(errno));
	else
		log_say(r->sv->log, LOG_NOTICE, NULL,
			"%s: removed, no firmware in the catalogue has this file", file);
}

void
repository_tidy_later(struct repository *r)
{
	r->tidy_due = true;
}

void
repository_tidy(struct repository *r)
{
	folder_check_more(r->folder);
	if (!r->tidy_due || store_queued(r->sv->store) != store_durable(r->sv->store))
		return;
	folder_each(r->folder, remove_unused, r);
	r->tidy_due = false;
}

/* ---- adding and removing -------------------------------------------------------------------- */

/* Makes durable what is queued. */
static int
commit(struct repository *r, const struct store_time *now, bool *ret_queued)
{
	int e = store_commit(r->sv->store, now);

	*ret_queued = e < 0;
	repository_tidy_later(r); /* a file may have no row any more */
	return e;
}

int
repository_add(struct repository *r, const struct store_firmware *row, const uint8_t *data,
	       size_t size, bool *ret_queued)
{
	struct store_time now = clock_time(r->sv->clock);
	char file[FOLDER_FILE_MAX] = "", file_sha256[DIGEST_TEXT_MAX], why[STORE_WHY_MAX];
	struct store_firmware f = *row;
	struct kept_row old;
	/* When it cannot be read, adding says so. */
	bool found = store_firmware_find(r->sv->store, row->name, on_row, &old) > 0;
	int e;

	*ret_queued = false;
	if (found && strcmp(old.sha256, row->sha256) != 0)
		return -EEXIST;
	if (found && !repository_trouble(r, row->name, why) &&
	    (row->signer == NULL || strcmp(old.signer, row->signer) == 0))
		return 0;
	/* WHY: the reserve of a full disk is for the verdicts of running drones. */
	e = store_ready(r->sv->store, &now);
	if (e == 0)
		e = folder_keep(r->folder, data, size, FOLDER_IMAGE, file);
	if (e < 0)
		return e;
	copy_text(file_sha256, sizeof(file_sha256), file); /* the file is named after it */
	f.file = file;
	f.file_sha256 = file_sha256;
	e = found ? store_firmware_replace(r->sv->store, &f, &now)
		  : store_firmware_add(r->sv->store, &f, &now);
	if (e == 0)
		return commit(r, &now, ret_queued);
	repository_tidy_later(r);
	return e;
}

int
repository_add_part(struct repository *r, const struct store_part *part, const uint8_t *data,
		    bool *ret_queued)
{
	struct store_time now = clock_time(r->sv->clock);
	int e = parts_keep(r->sv, r->folder, part, data, &now);

	*ret_queued = false;
	if (e == 0)
		return commit(r, &now, ret_queued);
	repository_tidy_later(r);
	return e < 0 ? e : 0;
}

int
repository_remove(struct repository *r, const char *name, bool *ret_queued)
{
	struct store_time now = clock_time(r->sv->clock);
	int e = store_firmware_remove(r->sv->store, name, &now);

	*ret_queued = false;
	if (e == 0)
		e = commit(r, &now, ret_queued);
	repository_tidy(r);
	return e;
}
