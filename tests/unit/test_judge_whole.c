/* SPDX-License-Identifier: MIT */
/*
 * Whole images and parts of them: every build that doc/firmware.md describe is accepted whole,
 * and no part of one without the operator's second word.  CFDFU_WHOLE_SEED=N repeats a sweep.
 */
#include "config.h"

#include "fw_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/platform.h"

#define CUTS 1000
#define CUTS_PER_BUILD 10
#define TAIL_BYTES 20U /* of the last ones a warning will do */

static const char *const tags[] = {
	NULL,	    "2024.10.2",   "2025.12-rc9", "2025.09.1 +100", "NA",
	"v1.0 +59", "2020.09 +30", "nightly",	  "my-lab-7",	    "42",
};

/* Platform and manner of every build there is. */
static const struct mkimage_spec builds[] = {
	{ .old = true },
	{ .old = true, .tag = "2020.09 +30" },
	{ .kind = MKIMAGE_2023 },
	{ .kind = MKIMAGE_2023, .platform = "bolt" },
	{ .kind = MKIMAGE_2023, .platform = "tag" },
	{ .kind = MKIMAGE_2023, .platform = "flapper" },
	{ .platform = "cf2" },
	{ .platform = "cf21bl" },
	{ .platform = "bolt" },
	{ .platform = "tag" },
	{ .platform = "flapper" },
	{ .platform = "cf2", .markless = true },
	{ .platform = "cf21bl", .markless = true },
	{ .platform = "bolt", .markless = true },
	{ .platform = "tag", .foreign_start = true },
	{ .platform = "flapper", .modified = true },
	{ .old = true, .foreign_start = true },
	{ .kind = MKIMAGE_DEBUG },
	{ .kind = MKIMAGE_ALL_ON },
	{ .kind = MKIMAGE_ALL_OFF },
	{ .kind = MKIMAGE_ALL_OFF, .markless = true },
};

struct built {
	struct mkimage_spec spec;
	uint8_t *bytes;
	size_t size;
};

static struct built
build(struct mkimage_spec spec)
{
	struct built b = { .spec = spec };

	assert_int_equal(mkimage_build(&spec, &b.bytes, &b.size), 0);
	return b;
}

static struct judgement *
judge_part(const uint8_t *bytes, size_t size, bool incomplete, enum platform told)
{
	const struct judge_options o = { .incomplete = incomplete, .user_platform = told };
	struct image *image = image_at(0, CRAZYFLIE_APP_ADDR, bytes, size);
	struct judgement *j = judged(image, &o);

	image_unref(image);
	return j;
}

static enum platform
platform_of(const struct mkimage_spec *spec)
{
	return platform_by_name(spec->platform != NULL ? spec->platform : "cf2");
}

static void
say_spec(const struct mkimage_spec *s, size_t cut, const char *how, const struct judgement *j)
{
	print_error("%s%s kind %d, tag %s, seed %" PRIu32 "%s%s, %s at %zu: %s; %s\n",
		    s->platform != NULL ? s->platform : "cf2", s->old ? " of 2021" : "", s->kind,
		    s->tag != NULL ? s->tag : "-", s->seed, s->markless ? ", no mark" : "",
		    s->foreign_start ? ", foreign start" : "", how, cut, judge_reason(j),
		    j->finding_count > 0 ? j->findings[0].text : "nothing found");
}

TEST(every_whole_build_is_accepted_with_its_own_version)
{
	for (size_t i = 0; i < ARRAY_LEN(builds); i++)
		for (size_t t = 0; t < ARRAY_LEN(tags); t++) {
			struct mkimage_spec spec = builds[i];
			struct built b;
			struct judgement *j;

			spec.tag = t > 0 ? tags[t] : spec.tag;
			spec.seed = (uint32_t)t;
			b = build(spec);
			j = judge_part(b.bytes, b.size, false, PLATFORM_UNKNOWN);
			if (!j->accepted)
				say_spec(&spec, b.size, "whole", j);
			assert_true(j->accepted);
			assert_false(found(j, JUDGE_INCOMPLETE));
			if (!spec.old)
				assert_int_equal(found(j, JUDGE_TRAILER), spec.markless);
			if (spec.tag != NULL && !spec.markless && !spec.old)
				assert_string_equal(j->content.version, spec.tag);
			free(b.bytes);
		}
}

/* Padding that a programmer or a packer appends does not make an image incomplete. */
TEST(padding_behind_a_whole_image_is_no_missing_tail)
{
	static const size_t padding[] = { 1, 3, 21, 300, 5000 };

	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		struct built b = build(builds[i]);

		/* Where it has no word of its own on its end, padding looks like a missing tail. */
		if (b.spec.foreign_start && (b.spec.markless || b.spec.old)) {
			free(b.bytes);
			continue;
		}
		b.bytes = realloc(b.bytes, b.size + 5000);
		assert_non_null(b.bytes);
		for (size_t p = 0; p < ARRAY_LEN(padding) * 2; p++) {
			size_t size = b.size + padding[p / 2];
			struct judgement *j;

			memset(b.bytes + b.size, p % 2 == 0 ? 0x00 : 0xFF, 5000);
			j = judge_part(b.bytes, size, false, PLATFORM_UNKNOWN);
			if (!j->accepted)
				say_spec(&b.spec, size, "padded", j);
			assert_true(j->accepted);
		}
		free(b.bytes);
	}
}

/* The part as it is, and with its size kept: filled with what an unfinished download is. */
static void
try_part(const struct built *b, size_t cut, const char *how, const uint8_t *bytes, size_t size)
{
	bool is_same = size == b->size && memcmp(bytes, b->bytes, size) == 0;
	bool tail = b->size - cut <= TAIL_BYTES;
	struct judgement *j = judge_part(bytes, size, false, PLATFORM_UNKNOWN);

	if (is_same)
		return;
	if (j->accepted && !(tail && found(j, JUDGE_TRAILER)))
		say_spec(&b->spec, cut, how, j);
	assert_true(!j->accepted || (tail && found(j, JUDGE_TRAILER)));
	if (j->accepted || cut % 8 != 0)
		return;
	j = judge_part(bytes, size, false, platform_of(&b->spec));
	assert_false(j->accepted); /* the platform's name is no second word */
	/* With it, only what is wrong with the rest is left to refuse. */
	j = judge_part(bytes, size, true, PLATFORM_UNKNOWN);
	for (size_t i = 0; i < j->finding_count; i++)
		assert_false(j->findings[i].level == JUDGE_REFUSE &&
			     j->findings[i].code == JUDGE_INCOMPLETE);
}

static void
try_cut(const struct built *b, size_t cut)
{
	uint8_t *part = malloc(b->size);

	assert_non_null(part);
	memcpy(part, b->bytes, b->size);
	try_part(b, cut, "cut", part, cut);
	memset(part + cut, 0x00, b->size - cut);
	try_part(b, cut, "zero-filled", part, b->size);
	memset(part + cut, 0xFF, b->size - cut);
	try_part(b, cut, "FF-filled", part, b->size);
	free(part);
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

TEST(no_part_is_accepted_without_a_second_word)
{
	const char *told = getenv("CFDFU_WHOLE_SEED");
	uint64_t seed = told != NULL ? strtoull(told, NULL, 0) : (uint64_t)time(NULL),
		 random = seed;

	print_message("to repeat this: CFDFU_WHOLE_SEED=%" PRIu64 "\n", seed);
	for (unsigned i = 0; i < CUTS / CUTS_PER_BUILD; i++) {
		struct mkimage_spec spec = builds[i % ARRAY_LEN(builds)];
		struct built b;

		spec.seed = next_random(&random);
		if (spec.tag == NULL)
			spec.tag = tags[next_random(&random) % ARRAY_LEN(tags)];
		b = build(spec);
		for (unsigned k = 0; k < CUTS_PER_BUILD; k++)
			try_cut(&b, 1 + next_random(&random) % (b.size - 1));
		free(b.bytes);
	}
}

/* Where evidence is thin: each byte of the vectors, and the last bytes one by one. */
TEST(no_part_is_accepted_at_either_end)
{
	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		struct mkimage_spec spec = builds[i];
		struct built b;

		spec.size = 20000; /* what is asked is the same, and quick */
		b = build(spec);
		if (judge_part(b.bytes, b.size, false, PLATFORM_UNKNOWN)->accepted)
			for (size_t cut = 1; cut < 420; cut += 5)
				try_cut(&b, cut);
		free(b.bytes);
		b = build(builds[i]);
		for (size_t n = 1; n < 0x1700; n += n < 100 ? 1 : 397)
			try_cut(&b, b.size - n);
		free(b.bytes);
	}
}

/* As in a build's own cf2.hex: a gap behind the vectors, and zeros at a stray place behind it all.
 */
TEST(pieces_of_a_hex_file_are_whole)
{
	static const uint8_t stray[12];

	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		struct built b = build(builds[i]);
		const struct segment pieces[] = {
			{ .addr = CRAZYFLIE_APP_ADDR, .size = 0x188, .data = b.bytes },
			{ .addr = CRAZYFLIE_APP_ADDR + 0x1C0,
			  .size = (uint32_t)b.size - 0x1C0,
			  .data = b.bytes + 0x1C0 },
			{ .addr = CRAZYFLIE_APP_ADDR + (uint32_t)b.size + 1000,
			  .size = sizeof(stray),
			  .data = stray },
		};
		bool shown = !b.spec.foreign_start;
		struct image_label label = { 0 };
		struct image *image;

		for (size_t count = 2; count <= (shown ? 3 : 2); count++) {
			struct judgement *j;

			assert_int_equal(image_new(pieces, count, &label, &image), 0);
			j = judged(image, NULL);
			if (!j->accepted)
				say_spec(&b.spec, count, "in pieces", j);
			assert_true(j->accepted);
			image_unref(image);
		}
		free(b.bytes);
	}
}

/* b without bytes [from, to), behind the vectors and the gap of every HEX file. */
static struct image *
without(const struct built *b, size_t from, size_t to)
{
	const struct segment pieces[] = {
		{ .addr = CRAZYFLIE_APP_ADDR, .size = 0x188, .data = b->bytes },
		{ .addr = CRAZYFLIE_APP_ADDR + 0x1C0,
		  .size = (uint32_t)from - 0x1C0,
		  .data = b->bytes + 0x1C0 },
		{ .addr = CRAZYFLIE_APP_ADDR + (uint32_t)to,
		  .size = (uint32_t)(b->size - to),
		  .data = b->bytes + to },
	};
	struct image_label label = { 0 };
	struct image *image;

	assert_int_equal(image_new(pieces, ARRAY_LEN(pieces), &label, &image), 0);
	return image;
}

/* Nothing but its addresses tells of a record that a HEX file has lost. */
TEST(lost_records_are_a_missing_part)
{
	static const size_t lost[] = { 1, 2, 3, 7, 100, 255 };

	for (size_t i = 0; i < ARRAY_LEN(builds) * ARRAY_LEN(lost); i++) {
		struct built b = build(builds[i / ARRAY_LEN(lost)]);
		size_t bytes = 16 * lost[i % ARRAY_LEN(lost)];
		struct image *image;
		struct judgement *j;

		for (size_t at = 0x1D0; at + bytes + 16 < b.size; at += b.size / 7 & ~15U) {
			image = without(&b, at, at + bytes);
			j = judged(image, NULL);
			if (j->accepted)
				say_spec(&b.spec, at, "record lost", j);
			assert_false(j->accepted);
			image_unref(image);
		}
		free(b.bytes);
	}
}

/* A linker begins a section at a multiple of up to 16 bytes. */
TEST(gaps_of_alignment_are_no_missing_part)
{
	struct built b = build((struct mkimage_spec){ .platform = "bolt" });

	for (size_t bytes = 1; bytes < 16; bytes++) {
		struct image *image = without(&b, 0x20000 - bytes, 0x20000);

		assert_true(judged(image, NULL)->accepted);
		image_unref(image);
	}
	free(b.bytes);
}

/* At any place: before or behind the start code, the default handler, the texts. */
TEST(bytes_lost_or_added_in_the_middle_are_noticed)
{
	static const size_t lengths[] = { 4, 256, 512, 4096 };

	for (size_t i = 0; i < ARRAY_LEN(builds) * ARRAY_LEN(lengths); i++) {
		struct built b = build(builds[i / ARRAY_LEN(lengths)]);
		size_t n = lengths[i % ARRAY_LEN(lengths)];
		uint8_t *other = malloc(b.size + n);
		bool marked = !b.spec.markless && !b.spec.old;
		size_t step = b.size / 9 & ~3U;

		assert_non_null(other);
		for (size_t at = 0x1000; at + n + 0x4000 < b.size && marked; at += step) {
			memcpy(other, b.bytes, at);
			memcpy(other + at, b.bytes + at + n, b.size - at - n);
			try_part(&b, at, "bytes lost", other, b.size - n);
			memset(other + at, 0x55, n);
			memcpy(other + at + n, b.bytes + at, b.size - at);
			try_part(&b, at, "bytes added", other, b.size + n);
		}
		free(other);
		free(b.bytes);
	}
}

TEST(a_hole_of_2_kib_is_a_missing_part)
{
	for (int fill = 0; fill <= 0xFF; fill += 0xFF) {
		struct built b = build((struct mkimage_spec){ .platform = "cf21bl" });
		struct judgement *j;

		memset(b.bytes + 51 * 2048, fill, 2048);
		j = judge_part(b.bytes, b.size, false, PLATFORM_UNKNOWN);
		assert_false(j->accepted);
		assert_int_equal(j->findings[0].code, JUDGE_INCOMPLETE);
		free(b.bytes);
	}
}

TEST_MAIN(NULL)
