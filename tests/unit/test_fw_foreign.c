/* SPDX-License-Identifier: MIT */
/* Files as others make them: accepted with the right note, or refused by name. */
#include "config.h"

#include "fw_help.h"

#include <errno.h>

#include "fixtures/foreign.h"

static bool
has_note(const struct fw_facts *facts, const char *words)
{
	for (size_t i = 0; i < facts->warning_count; i++)
		if (strstr(facts->warnings[i], words) != NULL)
			return true;
	return words == NULL;
}

/* Whether this file ends as its table says; says what is wrong otherwise. */
static bool
is_right(const struct foreign_file *f, const struct loaded *l)
{
	struct judge_options options = { 0 };
	const char *reason = l->error.text;
	bool accepted = false;

	if (l->result == 0) {
		options.manifest = l->facts->release.platform;
		accepted = judged(l->image, &options)->accepted;
		reason = judge_reason(judged(l->image, &options));
	}
	if (accepted != f->accepted)
		print_error("%s: %s\n", f->name, reason);
	else if (!accepted && strstr(reason, f->words) == NULL)
		print_error("%s: \"%s\" expected, got \"%s\"\n", f->name, f->words, reason);
	else if (accepted && f->words != NULL && !has_note(l->facts, f->words))
		print_error("%s: no note with \"%s\"\n", f->name, f->words);
	else if (accepted && f->words == NULL && l->facts->warning_count > 0)
		print_error("%s: note \"%s\" without need\n", f->name, l->facts->warnings[0]);
	else if (accepted && f->words == NULL && judged(l->image, &options)->finding_count > 0)
		print_error("%s: finding \"%s\" without need\n", f->name,
			    judged(l->image, &options)->findings[0].text);
	else
		return true;
	return false;
}

TEST(every_foreign_file_ends_as_its_table_says)
{
	const struct foreign_file *f;
	unsigned wrong = 0;

	for (size_t i = 0; (f = foreign_file(i)) != NULL; i++) {
		uint8_t *bytes = NULL;
		size_t size = 0;
		struct loaded l;

		assert_int_equal(f->make(f, &bytes, &size), 0);
		l = load_bytes(bytes, size);
		wrong += !is_right(f, &l);
		unload(&l);
	}
	assert_int_equal(wrong, 0);
}

/* In each format, the bytes for the flash are those of the image. */
TEST(accepted_files_give_the_image_and_no_data_for_ram)
{
	const struct foreign_file *f;
	uint8_t *image = NULL;
	size_t image_size = 0;

	assert_int_equal(foreign_image(&image, &image_size), 0);
	for (size_t i = 0; (f = foreign_file(i)) != NULL; i++) {
		uint8_t *bytes = NULL;
		size_t size = 0;
		struct loaded l;

		if (!f->accepted)
			continue;
		assert_int_equal(f->make(f, &bytes, &size), 0);
		l = load_bytes(bytes, size);
		assert_int_equal(l.result, 0);
		for (size_t k = 0; k < image_segment_count(l.image); k++) {
			const struct segment *s = image_segment(l.image, k);

			assert_in_range(s->addr, 0x08004000, 0x080FFFFF);
			if (s->addr - 0x08004000 + s->size <= image_size)
				assert_memory_equal(s->data, image + (s->addr - 0x08004000),
						    s->size);
			else
				assert_int_equal(s->size, 12); /* the stray piece */
		}
		unload(&l);
	}
	free(image);
}

/* Loads as with --application. */
static struct loaded
load_copy(uint8_t *take_bytes, size_t size, uint32_t addr)
{
	struct loaded l = { .bytes = take_bytes, .size = size };
	struct fw_input in = {
		.data = take_bytes, .size = size, .addr = addr, .application_only = true
	};

	l.result = fw_load(&in, &l.image, &l.facts, &l.error);
	return l;
}

TEST(the_application_of_a_copy_is_the_image_that_was_flashed)
{
	uint8_t *image = NULL, *flash = NULL;
	size_t image_size = 0, size = 0;

	assert_int_equal(foreign_image(&image, &image_size), 0);
	for (int stale = 0; stale <= 1; stale++) {
		struct loaded l;

		assert_int_equal(foreign_whole_flash(stale != 0, &flash, &size), 0);
		l = load_copy(flash, size, 0x08000000);
		assert_int_equal(l.result, 0);
		assert_int_equal(image_segment_count(l.image), 1);
		assert_int_equal(image_segment(l.image, 0)->addr, 0x08004000);
		assert_int_equal(image_bytes(l.image), image_size);
		assert_memory_equal(image_segment(l.image, 0)->data, image, image_size);
		assert_true(has_note(l.facts, "the application alone: 289784 bytes"));
		assert_true(judged(l.image, NULL)->accepted);
		unload(&l);
	}
	free(image);
}

TEST(a_copy_without_an_application_is_refused)
{
	uint8_t *flash = NULL;
	size_t size = 0;
	struct loaded l;

	assert_int_equal(foreign_whole_flash(false, &flash, &size), 0);
	memset(flash + 0x4000, 0xFF, size - 0x4000);
	l = load_copy(flash, size, 0x08000000);
	assert_int_equal(l.result, -EINVAL);
	assert_non_null(strstr(l.error.text, "no application in it"));
	unload(&l);
}

/* Files handed to the station without the client's checks. */
TEST(the_judge_names_what_lies_outside_of_the_flash)
{
	static const struct {
		uint32_t addr;
		const char *words;
	} cases[] = {
		{ 0x00000000, "lies there: the nRF51's flash memory" },
		{ 0x07FFFF00, "lies there: nothing" },
		{ 0x10000000, "lies there: RAM (CCM)" },
		{ 0x1FFF0000, "lies there: the chip's own boot loader" },
		{ 0x1FFF7800, "which is the one-time-programmable area" },
		{ 0x1FFFC000, "which is the option bytes" },
		{ 0x20014D9C, "lies there: RAM" },
		{ 0x20020000, "lies there: nothing" },
		{ 0x40020000, "lies there: registers of the chip's devices" },
		{ 0x64000000, "lies there: external memory" },
		{ 0xE000ED08, "lies there: registers of the processor" },
	};
	static const uint8_t zeros[40];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image *image = image_at(0, cases[i].addr, zeros, sizeof(zeros));
		const struct judgement *j = judged(image, NULL);

		assert_false(j->accepted);
		assert_non_null(strstr(judge_reason(j), cases[i].words));
		image_unref(image);
	}
}

TEST_MAIN(NULL)
