/* SPDX-License-Identifier: MIT */
/* app/library: what the service takes, judged by itself whatever its client says. */
#include "config.h"

#include "app/library.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/image.h"
#include "fixtures/mkimage.h"

/* An application of which only what judging needs is there. */
static int
set_up(void **state)
{
	struct app *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->settings = calloc(1, sizeof(*a->settings));
	assert_non_null(a->settings);
	*state = a;
	return 0;
}

static int
tear_down(void **state)
{
	struct app *a = *state;

	free(a->settings);
	free(a);
	return 0;
}

/* The first kept bytes of an image, as a DfuSe file for addr; what the service says of it. */
static int
judge(struct app *a, const struct mkimage_spec *spec, size_t kept, struct library_word word,
      char why[STORE_WHY_MAX])
{
	static struct judgement j;
	struct mkimage_spec at = *spec;
	uint8_t *bytes, *file;
	size_t size, file_size;
	struct image *image = NULL;
	int r;

	assert_int_equal(mkimage_build(spec, &bytes, &size), 0);
	if (at.base == 0)
		at.base = 0x08004000;
	assert_int_equal(
	    mkimage_wrap(&at, MKIMAGE_DFU, bytes, kept != 0 ? kept : size, &file, &file_size), 0);
	word.name = "test";
	why[0] = '\0';
	r = library_judge(a, file, file_size, &word, &image, &j, why);
	if (r == 0)
		assert_int_equal(image_label(image)->incomplete, word.incomplete);
	image_unref(image);
	free(file);
	free(bytes);
	return r;
}

static void
a_part_needs_the_second_word_here_too(void **state)
{
	const struct mkimage_spec spec = { 0 };
	char why[STORE_WHY_MAX];

	assert_int_equal(judge(*state, &spec, 0, (struct library_word){ 0 }, why), 0);
	assert_int_equal(judge(*state, &spec, 193189, (struct library_word){ 0 }, why), -EINVAL);
	assert_non_null(strstr(why, "not whole"));
	assert_int_equal(
	    judge(*state, &spec, 193189,
		  (struct library_word){ .told = PLATFORM_CF2, .manifest = PLATFORM_CF2 }, why),
	    -EINVAL);
	assert_int_equal(judge(*state, &spec, 193189,
			       (struct library_word){ .told = PLATFORM_CF2, .incomplete = true },
			       why),
			 0);
}

static void
describe(struct settings_device *d, const char *name, const char *map)
{
	char why[DEVICE_WHY_MAX];

	assert_int_equal(device_init(&d->device, name, why), 0);
	assert_int_equal(device_set(&d->device, "application-base", "08003000", why), 0);
	if (map != NULL)
		assert_int_equal(device_set(&d->device, "map-0", map, why), 0);
}

static void
every_protected_range_counts_before_a_drone_is_touched(void **state)
{
	/* From 0x08003000, 40,000 bytes: to 0x0800CC3F. */
	static const struct device_range ranges[] = { { 0x08000000, 0x08002FFF },
						      { 0x0807F000, 0x0807FFFF },
						      { 0x08006000, 0x080060FF },
						      { 0x0800CC3F, 0x0800CC3F },
						      { 0x0800CC40, 0x0800CFFF } };
	static const bool touched[] = { false, false, true, true, false };
	const struct mkimage_spec spec = { .base = 0x08003000, .size = 40000 };
	const struct library_word word = { .told = PLATFORM_OTHER };
	struct app *a = *state;
	struct device *d = &a->settings->devices[0].device;
	char why[STORE_WHY_MAX];

	a->settings->device_count = 1;
	describe(&a->settings->devices[0], "board", NULL);
	for (size_t last = 0; last < ARRAY_LEN(ranges); last++) {
		/* However many stand before it. */
		memcpy(d->protect, ranges, sizeof(ranges[0]) * 2);
		d->protect_count = last < 2 ? last + 1 : 3;
		d->protect[d->protect_count - 1] = ranges[last];
		assert_int_equal(judge(a, &spec, 0, word, why), touched[last] ? -EINVAL : 0);
		if (touched[last])
			assert_non_null(strstr(why, "of a board are protected"));
	}
	/* With its map, what shares a sector with the last of them is refused as well. */
	assert_int_equal(
	    device_set(d, "map-0", "@Internal Flash  /0x08000000/06*002Ka,250*002Kg", why), 0);
	assert_int_equal(judge(a, &spec, 0, word, why), -EINVAL);
	assert_non_null(strstr(why, "has to erase"));
	/* One of several descriptions is enough. */
	a->settings->device_count = 2;
	describe(&a->settings->devices[1], "other", NULL);
	assert_int_equal(judge(a, &spec, 0, word, why), 0);
}

static void
a_read_only_sector_counts_too(void **state)
{
	const struct mkimage_spec spec = { .base = 0x08003000, .size = 40000 };
	const struct library_word word = { .told = PLATFORM_OTHER };
	struct app *a = *state;
	char why[STORE_WHY_MAX];

	a->settings->device_count = 1;
	describe(&a->settings->devices[0], "board",
		 "@Internal Flash  /0x08000000/06*002Ka,010*002Kg,01*002Ka,239*002Kg");
	assert_int_equal(judge(a, &spec, 0, word, why), -EINVAL);
	assert_non_null(strstr(why, "not all of it is writable on a board"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_part_needs_the_second_word_here_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
		    every_protected_range_counts_before_a_drone_is_touched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_read_only_sector_counts_too, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
