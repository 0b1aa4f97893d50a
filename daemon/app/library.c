/* SPDX-License-Identifier: MIT */
/*
 * The firmware folder: files named after their SHA-256, rows of the catalogue beside them, and
 * images in memory for what is selected.  An image is judged before it is stored and again whenever
 * it is loaded.
 */
#include "config.h"

#include "app/library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "core/platform.h"
#include "firmware/digest.h"
#include "firmware/fw_dfuse.h"

/* The platform when the set has exactly one; else UNKNOWN. */
static enum platform
only_one(unsigned platforms)
{
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (platforms == BIT(p))
			return p;
	return PLATFORM_UNKNOWN;
}

/* ---- judging -------------------------------------------------------------------------------- */

/* An image for described devices is fit when it fits one of them; the reason is the first one's. */
static int
judge_for_devices(const struct settings *settings, const struct image *image,
		  const struct judge_options *options, struct judgement *ret)
{
	struct judge_options o = *options;
	struct judgement *j;
	int r = 0;

	o.device = judge_any_device();
	if (settings->device_count == 0)
		return judge_image(image, &o, ret);
	j = malloc(sizeof(*j)); /* WHY: judgements are large */
	if (j == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < settings->device_count && (i == 0 || !ret->accepted); i++) {
		o.device = &settings->devices[i].device;
		r = judge_image(image, &o, j);
		if (r < 0)
			break;
		if (i == 0 || j->accepted)
			*ret = *j;
	}
	free(j);
	return r;
}

int
library_judge(struct app *a, const uint8_t *data, size_t size, const struct library_word *word,
	      struct image **ret_image, struct judgement *ret_judgement,
	      char ret_why[STORE_WHY_MAX])
{
	struct fw_input in = { .data = data,
			       .size = size,
			       .name = word->name,
			       .platform =
				   word->told != PLATFORM_UNKNOWN ? word->told : word->manifest,
			       .incomplete = word->incomplete,
			       .any_ids = word->told == PLATFORM_OTHER };
	struct judge_options options = { .manifest = word->manifest,
					 .told = word->told,
					 .incomplete = word->incomplete };
	struct fw_error error = { 0 };
	struct image *image = NULL;
	int r = fw_dfuse_load(&in, &image, NULL, &error);

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (r < 0) {
		copy_text(ret_why, STORE_WHY_MAX, error.text);
		return r == -ENOMEM ? r : -EINVAL;
	}
	if (word->told == PLATFORM_OTHER)
		r = judge_for_devices(a->settings, image, &options, ret_judgement);
	else
		r = judge_image(image, &options, ret_judgement);
	if (r == 0 && !ret_judgement->accepted) {
		copy_text(ret_why, STORE_WHY_MAX, judge_reason(ret_judgement));
		r = -EINVAL;
	}
	if (r < 0)
		image_unref(image);
	else
		*ret_image = image;
	return r;
}

/* ---- files ---------------------------------------------------------------------------------- */

static int
write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int
sync_folder(int dir)
{
	return fsync(dir) < 0 ? -errno : 0;
}

int
library_keep(struct app *a, const uint8_t *data, size_t size, char ret_file[80])
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX], file[80];
	int dir = open(store_firmware_dir(a->store), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, r;

	if (dir < 0)
		return -errno;
	digest_bytes(data, size, sha256);
	digest_format(sha256, text);
	(void)snprintf(file, sizeof(file), "%s.dfu", text);
	(void)unlinkat(dir, "incoming", 0); /* of a run that was cut off */
	fd = openat(dir, "incoming", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : write_all(fd, data, size);
	if (r == 0 && renameat(dir, "incoming", dir, file) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(dir);
	if (r == 0)
		copy_text(ret_file, 80, file);
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && r < 0)
		(void)unlinkat(dir, "incoming", 0); /* half a file is none */
	(void)close(dir);
	return r;
}

/* ---- images --------------------------------------------------------------------------------- */

struct row {
	char file[80], file_sha256[DIGEST_TEXT_MAX], sha256[DIGEST_TEXT_MAX];
	unsigned platforms;
	bool incomplete;
};

static void
on_row(void *ctx, const struct store_firmware *f)
{
	struct row *row = ctx;

	copy_text(row->file, sizeof(row->file), f->file);
	copy_text(row->file_sha256, sizeof(row->file_sha256), f->file_sha256);
	copy_text(row->sha256, sizeof(row->sha256), f->sha256);
	row->platforms = f->platforms;
	row->incomplete = f->incomplete;
}

int
library_image(struct app *a, const char *name, struct image **ret_image,
	      char ret_why[STORE_WHY_MAX])
{
	struct library_word word = { .name = name };
	struct judgement *judgement = malloc(sizeof(*judgement));
	struct row row = { 0 };
	uint8_t *data = NULL;
	size_t size = 0;
	int r = -ENOMEM;

	copy_text(ret_why, STORE_WHY_MAX, "out of memory");
	if (judgement == NULL)
		goto out;
	r = store_firmware_find(a->store, name, on_row, &row);
	if (r <= 0) {
		copy_text(ret_why, STORE_WHY_MAX,
			  r == 0 ? "there is no firmware of that name"
				 : "the catalogue cannot be read");
		r = r == 0 ? -ENOENT : r;
		goto out;
	}
	r = library_read(a, row.file, &data, &size);
	if (r == -ENOMEM)
		goto out;
	if (r < 0 || !library_is_as_stored(data, size, row.file_sha256)) {
		library_say_trouble(library_words(r), name, ret_why, STORE_WHY_MAX);
		r = -EIO;
		goto out;
	}
	word.told = only_one(row.platforms);
	word.incomplete = row.incomplete;
	r = library_judge(a, data, size, &word, ret_image, judgement, ret_why);
	if (r == -EINVAL)
		library_refused(a, row.file, ret_why);
out:
	free(data);
	free(judgement);
	return r;
}

/* ---- after the start ------------------------------------------------------------------------ */

static bool
is_lost(struct app *a, enum store_scope scope, const char *key)
{
	const struct policy *policy = fleet_policy(a->fleet);

	return scope == STORE_SELECTED ? policy_is_lost(policy, platform_by_name(key))
				       : policy_own_is_lost(policy, key);
}

/* WHY: a selection that cannot be followed stays one: its drones get nothing else instead. */
static int
apply_image(struct app *a, enum store_scope scope, const char *key, const char *name, char *why)
{
	struct policy *policy = fleet_policy(a->fleet);
	struct image *image = NULL;
	int r = library_image(a, name, &image, why), e = 0;

	if (r < 0 && scope == STORE_SELECTED)
		policy_select_lost(policy, platform_by_name(key));
	else if (r < 0)
		e = policy_select_own_lost(policy, key);
	else if (scope == STORE_SELECTED)
		policy_select(policy, platform_by_name(key), image);
	else
		e = policy_select_own(policy, key, image);
	if (e < 0)
		copy_text(why, STORE_WHY_MAX, "there are too many rules");
	image_unref(image);
	return r < 0 ? r : e;
}

static void
apply_setting(struct app *a, enum store_scope scope, const char *key, const char *value)
{
	char why[STORE_WHY_MAX] = "there are too many rules";
	int r;

	if (scope == STORE_PLATFORM)
		r = policy_set_platform(fleet_policy(a->fleet), key, platform_by_name(value));
	else
		r = apply_image(a, scope, key, value, why);
	if (r < 0)
		log_say(a->log, LOG_ERR, NULL, "%s, selected for %s: %s", value, key, why);
}

/* The store allows no call into it from its callbacks: settings are collected first. */
struct collected {
	char key[SERIAL_TEXT_MAX], value[STORE_NAME_MAX];
};

struct collection {
	struct collected *list;
	size_t count;
};

static void
on_setting(void *ctx, const char *name, const char *value)
{
	struct collection *c = ctx;

	if (c->count == POLICY_RULES_MAX)
		return;
	copy_text(c->list[c->count].key, sizeof(c->list->key), name);
	copy_text(c->list[c->count].value, sizeof(c->list->value), value);
	c->count++;
}

typedef void apply_function(struct app *a, enum store_scope scope, const char *key,
			    const char *value);

static int
load_scopes(struct app *a, const enum store_scope *scopes, size_t count, apply_function *apply)
{
	struct collection c = { calloc(POLICY_RULES_MAX, sizeof(*c.list)), 0 };
	int r = c.list != NULL ? 0 : -ENOMEM;

	for (size_t s = 0; s < count && r >= 0; s++) {
		c.count = 0;
		r = store_each(a->store, scopes[s], on_setting, &c);
		for (size_t i = 0; i < c.count && r >= 0; i++)
			apply(a, scopes[s], c.list[i].key, c.list[i].value);
	}
	free(c.list);
	return r < 0 ? r : 0;
}

int
library_rules(struct app *a)
{
	static const enum store_scope scopes[] = { STORE_PLATFORM };

	return load_scopes(a, scopes, ARRAY_LEN(scopes), apply_setting);
}

int
library_load(struct app *a)
{
	static const enum store_scope scopes[] = { STORE_PLATFORM, STORE_SELECTED, STORE_OWN };
	int r;

	a->seen_budget = LIBRARY_SEEN_EACH_SECOND;
	r = load_scopes(a, scopes, ARRAY_LEN(scopes), apply_setting);
	if (r == 0)
		fleet_selection_changed(a->fleet, clock_now_us());
	return r;
}

/* Selections whose image was lost and is there again. */
static void
heal_setting(struct app *a, enum store_scope scope, const char *key, const char *value)
{
	char why[STORE_WHY_MAX];

	if (!is_lost(a, scope, key))
		return;
	if (library_row_trouble(a, value, why) || apply_image(a, scope, key, value, why) < 0)
		return;
	log_say(a->log, LOG_NOTICE, NULL, "%s, selected for %s: it can be used again", value, key);
	fleet_selection_changed(a->fleet, clock_now_us());
}

void
library_heal(struct app *a)
{
	static const enum store_scope scopes[] = { STORE_SELECTED, STORE_OWN };

	a->seen_budget = LIBRARY_SEEN_EACH_SECOND;
	if (a->loaded && policy_any_lost(fleet_policy(a->fleet)))
		(void)!load_scopes(a, scopes, ARRAY_LEN(scopes), heal_setting); /* next second */
}
