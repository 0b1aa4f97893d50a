/* SPDX-License-Identifier: MIT */
/* The parts of a release in the records and in the folder: kept, found again, healed, gone. */
#include "config.h"

#include "app/repository.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "app/clock.h"
#include "app/folder.h"
#include "app/log.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/image.h"
#include "firmware/digest.h"
#include "firmware/judge_part.h"
#include "fixtures/mkimage.h"
#include "fixtures/parts.h"

/* A station's records and firmware folder. */
struct bench {
	struct services sv;
	char dir[64];
	uint8_t *file; /* a DfuSe file */
	size_t file_bytes;
	char sha256[DIGEST_TEXT_MAX]; /* of the image in it */
};

static uint8_t bitstream[PARTS_LIGHTHOUSE_BYTES], led[2000], nrf[20000], esp[500];

static void
open_station(struct bench *b)
{
	struct store_time now = clock_time(b->sv.clock);
	char why[STORE_WHY_MAX];

	assert_int_equal(store_open(b->dir, &(struct store_options){ 0 }, &now, &b->sv.store, why),
			 0);
	assert_int_equal(store_interrupt_running(
			     b->sv.store,
			     &(struct store_ending){
				 .verdict = 7, .verdict_name = "interrupted", .address = -1 },
			     &now, NULL, NULL),
			 0);
	assert_int_equal(repository_new(&b->sv, &b->sv.repository), 0);
}

/* Killed: nothing is written any more. */
static void
kill_station(struct bench *b)
{
	repository_free(b->sv.repository);
	store_close(b->sv.store, NULL);
	b->sv.repository = NULL;
	b->sv.store = NULL;
}

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->dir, "/tmp/cfdfu-parts-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(clock_new(&b->sv.clock), 0);
	assert_int_equal(log_new(LOG_CRIT, &b->sv.log), 0);
	b->sv.settings = calloc(1, sizeof(*b->sv.settings));
	assert_non_null(b->sv.settings);
	assert_int_equal(mkimage_make(&(struct mkimage_spec){ .size = 8192 }, MKIMAGE_DFU, &b->file,
				      &b->file_bytes),
			 0);
	parts_bitstream(bitstream, sizeof(bitstream), PARTS_LIGHTHOUSE_CRC);
	parts_vectors(led, sizeof(led), 0x20003000, 0x080020C1, NULL);
	parts_vectors(nrf, sizeof(nrf), 0x20004000, 0x1B0C1, "2025.12");
	open_station(b);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;
	char command[96];

	kill_station(b);
	log_free(b->sv.log);
	clock_free(b->sv.clock);
	free(b->sv.settings);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	assert_int_equal(system(command), 0);
	free(b->file);
	free(b);
	return 0;
}

/* The image under this name, as AddFirmware does it. */
static void
add_image(struct bench *b, const char *name)
{
	static struct judgement j;
	struct repository_claim claim = { .data = b->file, .size = b->file_bytes, .name = name };
	struct store_firmware row = { .name = name, .sha256 = b->sha256, .platforms = 2 };
	char why[STORE_WHY_MAX];
	struct image *image = NULL;
	bool queued;

	assert_int_equal(repository_judge(b->sv.repository, &claim, &image, &j, why), 0);
	digest_format(image_label(image)->sha256, b->sha256);
	image_unref(image);
	assert_int_equal(repository_add(b->sv.repository, &row, b->file, b->file_bytes, &queued),
			 0);
}

static int
add_part(struct bench *b, const char *name, const char *target, const uint8_t *bytes, size_t size)
{
	struct store_part row = { .firmware = name,
				  .target = target,
				  .type = "fw",
				  .version = "V6",
				  .size_bytes = size };
	bool queued;

	if (strcmp(target, "nrf51") == 0)
		row.version = "2025.12";
	return repository_add_part(b->sv.repository, &row, bytes, &queued);
}

static void
add_release(struct bench *b, const char *name)
{
	add_image(b, name);
	assert_int_equal(add_part(b, name, "bcLighthouse4", bitstream, sizeof(bitstream)), 0);
	assert_int_equal(add_part(b, name, "bcColorLedBot:col", led, sizeof(led)), 0);
	assert_int_equal(add_part(b, name, "bcColorLedTop:col", led, sizeof(led)), 0);
	assert_int_equal(add_part(b, name, "nrf51", nrf, sizeof(nrf)), 0);
	assert_int_equal(add_part(b, name, "bcAI:esp", esp, sizeof(esp)), 0);
}

static struct image *
load(struct bench *b, const char *name)
{
	struct image *image = NULL;
	char why[STORE_WHY_MAX];

	if (repository_image(b->sv.repository, name, &image, why) < 0)
		fail_msg("%s", why);
	return image;
}

/* How many files of this ending are in the folder. */
static unsigned
count_files(struct bench *b, const char *ending)
{
	DIR *d = opendir(store_firmware_dir(b->sv.store));
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n +=
		    strlen(e->d_name) > 4 && strcmp(e->d_name + strlen(e->d_name) - 4, ending) == 0;
	(void)closedir(d);
	return n;
}

static void
path_of(struct bench *b, const uint8_t *bytes, size_t size, char path[256])
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	digest_bytes(bytes, size, sha256);
	digest_format(sha256, text);
	snprintf(path, 256, "%s/%s.bin", store_firmware_dir(b->sv.store), text);
}

static void
expect_whole(struct bench *b, const char *name)
{
	struct image *image = load(b, name);
	const struct image_part *p = image_part_for(image, "bcLighthouse4");

	assert_int_equal(image_part_count(image), 5);
	assert_non_null(p);
	assert_int_equal(p->length, sizeof(bitstream));
	assert_memory_equal(p->bytes, bitstream, sizeof(bitstream));
	assert_int_equal(p->crc32, PARTS_LIGHTHOUSE_CRC);
	assert_string_equal(p->version, "V6");
	assert_memory_equal(image_part_for(image, "bcColorLedTop:col")->bytes, led, sizeof(led));
	/* This station writes them nowhere: known of, but not in memory. */
	assert_null(image_part_for(image, "nrf51")->bytes);
	assert_string_equal(image_part_for(image, "nrf51")->version, "2025.12");
	assert_int_equal(image_part_for(image, "nrf51")->length, sizeof(nrf));
	assert_null(image_part_for(image, "bcAI:esp")->bytes);
	assert_null(image_part_for(image, "bcAI:gap8"));
	image_unref(image);
}

TEST_WITH(an_image_comes_with_its_parts, set_up, tear_down)
{
	add_release(*state, "r");
	expect_whole(*state, "r");
	/* A file of two targets is there once. */
	assert_int_equal(count_files(*state, ".bin"), 4);
	assert_int_equal(count_files(*state, ".dfu"), 1);
}

TEST_WITH(an_image_without_a_release_has_none, set_up, tear_down)
{
	struct image *image;

	add_image(*state, "plain");
	image = load(*state, "plain");
	assert_int_equal(image_part_count(image), 0);
	assert_null(image_part_for(image, "nrf51"));
	image_unref(image);
}

/* The trouble of the part for this target. */
struct asked {
	struct bench *bench;
	const char *target;
	char why[STORE_WHY_MAX];
};

static void
on_part(void *ctx, const struct store_part *p)
{
	struct asked *a = ctx;

	if (strcmp(p->target, a->target) == 0)
		repository_part_trouble(a->bench->sv.repository, p, a->why);
}

static const char *
trouble(struct bench *b, const char *target)
{
	static struct asked a;

	a = (struct asked){ b, target, "?" };
	repository_tidy(b->sv.repository); /* another second */
	assert_int_equal(store_part_each(b->sv.store, "r", on_part, &a), 0);
	return a.why;
}

TEST_WITH(a_file_that_is_missing_or_changed_is_noticed_and_healed, set_up, tear_down)
{
	struct bench *b = *state;
	struct image *image;
	char path[256];
	int fd;

	add_release(b, "r");
	assert_string_equal(trouble(b, "bcLighthouse4"), "");
	path_of(b, bitstream, sizeof(bitstream), path);
	assert_int_equal(unlink(path), 0);
	path_of(b, led, sizeof(led), path);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 100), 1);
	(void)close(fd);
	assert_non_null(strstr(trouble(b, "bcLighthouse4"), "its file is missing: add it again"));
	assert_non_null(strstr(trouble(b, "bcColorLedBot:col"), "its file has been changed"));
	assert_string_equal(trouble(b, "nrf51"), "");
	/* The image itself stays usable, and nothing is written from such a part. */
	image = load(b, "r");
	assert_int_equal(image_part_count(image), 5);
	assert_null(image_part_for(image, "bcLighthouse4")->bytes);
	assert_null(image_part_for(image, "bcColorLedTop:col")->bytes);
	image_unref(image);
	add_release(b, "r");
	assert_string_equal(trouble(b, "bcLighthouse4"), "");
	assert_string_equal(trouble(b, "bcColorLedTop:col"), "");
	expect_whole(b, "r");
}

TEST_WITH(parts_go_with_the_last_firmware_that_has_them, set_up, tear_down)
{
	struct bench *b = *state;
	struct image *image;
	bool queued;

	add_release(b, "r");
	add_image(b, "s");
	assert_int_equal(add_part(b, "s", "bcLighthouse4", bitstream, sizeof(bitstream)), 0);
	assert_int_equal(repository_remove(b->sv.repository, "r", &queued), 0);
	assert_int_equal(count_files(b, ".bin"), 1);
	assert_int_equal(count_files(b, ".dfu"), 1);
	assert_int_equal(repository_remove(b->sv.repository, "s", &queued), 0);
	assert_int_equal(count_files(b, ".bin"), 0);
	assert_int_equal(count_files(b, ".dfu"), 0);
	/* The name is free, and nothing of the one that had it before comes back. */
	add_image(b, "r");
	image = load(b, "r");
	assert_int_equal(image_part_count(image), 0);
	image_unref(image);
}

TEST_WITH(a_part_belongs_to_a_firmware_and_there_are_sixteen_at_most, set_up, tear_down)
{
	struct bench *b = *state;
	char target[16];

	assert_int_equal(add_part(b, "r", "nrf51", nrf, sizeof(nrf)), -ENOENT);
	add_image(b, "r");
	for (int i = 0; i < STORE_PARTS_MAX; i++) {
		snprintf(target, sizeof(target), "bcDeck%d", i);
		assert_int_equal(add_part(b, "r", target, esp, sizeof(esp)), 0);
	}
	assert_int_equal(add_part(b, "r", "bcOne", esp, sizeof(esp)), -E2BIG);
	assert_int_equal(add_part(b, "r", "bcDeck7", led, sizeof(led)), 0); /* said anew */
	repository_tidy(b->sv.repository);
	assert_int_equal(count_files(b, ".bin"), 2);
	_Static_assert(STORE_PARTS_MAX == IMAGE_PARTS_MAX, "what is kept has room in an image");
}

TEST_WITH(killed_at_any_part_adding_again_completes_it, set_up, tear_down)
{
	struct bench *b = *state;
	struct image *image;
	char path[256];

	add_image(b, "r");
	assert_int_equal(add_part(b, "r", "bcLighthouse4", bitstream, sizeof(bitstream)), 0);
	/* The next file was written, its row not. */
	path_of(b, led, sizeof(led), path);
	kill_station(b);
	assert_int_equal(folder_write(AT_FDCWD, path, led, sizeof(led)), 0);
	open_station(b);
	image = load(b, "r");
	assert_int_equal(image_part_count(image), 1);
	image_unref(image);
	add_release(b, "r");
	kill_station(b);
	open_station(b);
	expect_whole(b, "r");
	assert_int_equal(count_files(b, ".bin"), 4);
	/* A file that no row has is removed. */
	path_of(b, led, sizeof(led) - 1, path);
	assert_int_equal(folder_write(AT_FDCWD, path, led, sizeof(led) - 1), 0);
	repository_tidy_later(b->sv.repository);
	repository_tidy(b->sv.repository);
	assert_int_equal(count_files(b, ".bin"), 4);
}

/* Added as AddFirmware does it, signed by this key (NULL: not). */
static void
add_signed(struct bench *b, const char *name, const char *signer)
{
	struct store_firmware row = {
		.name = name, .sha256 = b->sha256, .platforms = 2, .signer = signer
	};
	struct store_part part = { .firmware = name,
				   .target = "bcLighthouse4",
				   .type = "fw",
				   .version = "V6",
				   .size_bytes = sizeof(bitstream),
				   .signer = signer };
	bool queued;

	assert_int_equal(repository_add(b->sv.repository, &row, b->file, b->file_bytes, &queued),
			 0);
	assert_int_equal(repository_add_part(b->sv.repository, &part, bitstream, &queued), 0);
}

static bool
is_whole(struct bench *b, const char *signer)
{
	struct image *image = load(b, "r");
	bool whole = image_part_for(image, "bcLighthouse4")->bytes != NULL;

	assert_string_equal(image_label(image)->signer, signer);
	image_unref(image);
	return whole;
}

#define SITE "01A69428574ECD87"
#define OTHER "E880838D808DE950"

TEST_WITH(where_signatures_are_demanded_only_what_a_trusted_key_signed_is_used, set_up, tear_down)
{
	struct bench *b = *state;
	struct settings *s = b->sv.settings;
	char why[STORE_WHY_MAX];

	add_release(b, "r");
	assert_true(is_whole(b, ""));
	copy_text(s->keys.list[0].signer, SIGNATURE_SIGNER_MAX, SITE);
	s->keys.count = 1;
	s->require_signature = true;
	assert_true(repository_trouble(b->sv.repository, "r", why));
	assert_non_null(strstr(why, "it is not signed"));
	assert_non_null(strstr(trouble(b, "bcLighthouse4"), "it is not signed"));
	add_signed(b, "r", OTHER);
	assert_true(repository_trouble(b->sv.repository, "r", why));
	assert_non_null(strstr(why, "its signer's key is not trusted any more"));
	add_signed(b, "r", SITE);
	assert_false(repository_trouble(b->sv.repository, "r", why));
	assert_true(is_whole(b, SITE));
	/* Its other parts came without a signature: only known of. */
	assert_non_null(strstr(trouble(b, "bcColorLedBot:col"), "it is not signed"));
	s->require_signature = false;
	add_signed(b, "r", NULL); /* what is signed stays so */
	assert_true(is_whole(b, SITE));
	assert_string_equal(trouble(b, "bcLighthouse4"), "");
	s->require_signature = true;
	assert_string_equal(trouble(b, "bcLighthouse4"), "");
}

TEST_MAIN(NULL)
