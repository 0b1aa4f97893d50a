/* SPDX-License-Identifier: MIT */
/*
 * The firmware folder: files named after their SHA-256, rows of the catalogue beside them, and
 * images in memory for what is selected.  An image is judged before it is stored and again whenever
 * it is loaded.
 */
#include <config.h>

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

enum platform
library_only(unsigned platforms)
{
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (platforms == BIT(p))
			return p;
	return PLATFORM_UNKNOWN;
}

/* ---- judging -------------------------------------------------------------------------------- */

/* For one described device; on the heap, for descriptions and judgements are large. */
struct device_opinion {
	struct profile described;
	struct judge_profile profile;
	struct judgement judgement;
};

static int
judge_for(struct device_opinion *o, const struct config_device *d, const struct image *image,
	  struct judge_options options)
{
	apply_profile(d, &o->described);
	judge_profile_of(&o->described, &o->profile);
	options.profile = &o->profile;
	return judge_image(image, &options, &o->judgement);
}

/* An image for described devices is fit when it fits one of them; the reason is the first one's. */
static int
judge_for_devices(const struct config *config, const struct image *image,
		  const struct judge_options *options, struct judgement *ret)
{
	struct device_opinion *o;
	struct judge_options any = *options;
	int r = 0;

	any.profile = judge_any_device();
	if (config->device_count == 0)
		return judge_image(image, &any, ret);
	o = malloc(sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->device_count && (i == 0 || !ret->accepted); i++) {
		r = judge_for(o, &config->devices[i], image, *options);
		if (r < 0)
			break;
		if (i == 0 || o->judgement.accepted)
			*ret = o->judgement;
	}
	free(o);
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
					 .profile = judge_crazyflie(),
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
		r = judge_for_devices(a->config, image, &options, ret_judgement);
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
	fd = openat(dir, "incoming", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
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

void
library_forget(struct app *a, const char *file)
{
	int dir = open(store_firmware_dir(a->store), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A file that stays behind costs only its room. */
	if (dir < 0)
		return;
	if (strchr(file, '/') == NULL && unlinkat(dir, file, 0) < 0 && errno != ENOENT)
		log_say(a->log, LOG_WARNING, NULL, "%s: cannot be removed: %s", file,
			strerror(errno));
	(void)close(dir);
}

static int
read_file(struct app *a, const char *file, uint8_t **ret_data, size_t *ret_size)
{
	char path[512];
	struct stat st;
	uint8_t *data = NULL;
	size_t got = 0;
	int fd, r = -EIO;

	(void)snprintf(path, sizeof(path), "%s/%s", store_firmware_dir(a->store), file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -EIO;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > (off_t)PROTO_FILE_BYTES_MAX)
		goto out;
	data = malloc((size_t)st.st_size);
	r = -ENOMEM;
	if (data == NULL)
		goto out;
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, data + got, (size_t)st.st_size - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	r = got == (size_t)st.st_size ? 0 : -EIO;
	if (r == 0) {
		*ret_data = data;
		*ret_size = got;
		data = NULL;
	}
out:
	free(data);
	(void)close(fd);
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

/* The bytes on disk must be the ones that were judged when they came. */
static bool
is_as_stored(const uint8_t *data, size_t size, const struct row *row)
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	digest_bytes(data, size, sha256);
	digest_format(sha256, text);
	return strcmp(text, row->file_sha256) == 0;
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
	r = read_file(a, row.file, &data, &size);
	if (r == 0 && !is_as_stored(data, size, &row))
		r = -EIO;
	if (r < 0) {
		copy_text(
		    ret_why, STORE_WHY_MAX,
		    "its file in the state directory is missing or has been changed; add it again");
		goto out;
	}
	word.told = library_only(row.platforms);
	word.incomplete = row.incomplete;
	r = library_judge(a, data, size, &word, ret_image, judgement, ret_why);
out:
	free(data);
	free(judgement);
	return r;
}

/* ---- after the start ------------------------------------------------------------------------ */

static void
apply_setting(struct app *a, enum store_scope scope, const char *key, const char *value)
{
	struct policy *policy = fleet_policy(a->fleet);
	char why[STORE_WHY_MAX];
	struct image *image = NULL;
	int r = 0;

	if (scope == STORE_PLATFORM) {
		r = policy_set_platform(policy, key, platform_by_name(value));
		copy_text(why, sizeof(why), "there are too many rules");
	} else {
		r = library_image(a, value, &image, why);
	}
	if (r == 0 && scope == STORE_SELECTED)
		policy_select(policy, platform_by_name(key), image);
	if (r == 0 && scope == STORE_OWN) {
		r = policy_select_own(policy, key, image);
		copy_text(why, sizeof(why), "there are too many rules");
	}
	image_unref(image);
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

static int
load_scopes(struct app *a, const enum store_scope *scopes, size_t count)
{
	struct collection c = { calloc(POLICY_RULES_MAX, sizeof(*c.list)), 0 };
	int r = c.list != NULL ? 0 : -ENOMEM;

	for (size_t s = 0; s < count && r >= 0; s++) {
		c.count = 0;
		r = store_each(a->store, scopes[s], on_setting, &c);
		for (size_t i = 0; i < c.count && r >= 0; i++)
			apply_setting(a, scopes[s], c.list[i].key, c.list[i].value);
	}
	free(c.list);
	return r < 0 ? r : 0;
}

int
library_rules(struct app *a)
{
	static const enum store_scope scopes[] = { STORE_PLATFORM };

	return load_scopes(a, scopes, ARRAY_LEN(scopes));
}

int
library_load(struct app *a)
{
	static const enum store_scope scopes[] = { STORE_PLATFORM, STORE_SELECTED, STORE_OWN };
	int r = load_scopes(a, scopes, ARRAY_LEN(scopes));

	if (r == 0)
		fleet_selection_changed(a->fleet, app_now_us());
	return r;
}
