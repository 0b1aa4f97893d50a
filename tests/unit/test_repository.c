/* SPDX-License-Identifier: MIT */
/* app/repository: the service judges files by itself and does not trust its client. */
#include "config.h"

#include "app/repository.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "app/services.h"
#include "app/settings.h"
#include "core/image.h"
#include "fixtures/mkimage.h"

static int
set_up(void **state)
{
	static const struct services nothing;
	struct repository *r = NULL;

	assert_int_equal(repository_new(&nothing, &r), 0);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	repository_free(*state);
	return 0;
}

/* The first kept bytes of an image, as a DfuSe file for addr; what the service says of it. */
static int
judge(struct repository *r, const struct mkimage_spec *spec, size_t kept,
      struct repository_claim claim, char why[STORE_WHY_MAX])
{
	static struct judgement j;
	struct mkimage_spec at = *spec;
	uint8_t *bytes, *file;
	size_t size, file_size;
	struct image *image = NULL;
	int e;

	assert_int_equal(mkimage_build(spec, &bytes, &size), 0);
	if (at.base == 0)
		at.base = 0x08004000;
	assert_int_equal(
	    mkimage_wrap(&at, MKIMAGE_DFU, bytes, kept != 0 ? kept : size, &file, &file_size), 0);
	claim.name = "test";
	claim.data = file;
	claim.size = file_size;
	why[0] = '\0';
	e = repository_judge(r, &claim, &image, &j, why);
	if (e == 0)
		assert_int_equal(image_label(image)->incomplete, claim.incomplete);
	image_unref(image);
	free(file);
	free(bytes);
	return e;
}

TEST_WITH(a_part_needs_the_second_word_here_too, set_up, tear_down)
{
	const struct mkimage_spec spec = { 0 };
	char why[STORE_WHY_MAX];

	assert_int_equal(judge(*state, &spec, 0, (struct repository_claim){ 0 }, why), 0);
	assert_int_equal(judge(*state, &spec, 193189, (struct repository_claim){ 0 }, why),
			 -EINVAL);
	assert_non_null(strstr(why, "not whole"));
	assert_int_equal(
	    judge(*state, &spec, 193189,
		  (struct repository_claim){ .told = PLATFORM_CF2, .manifest = PLATFORM_CF2 }, why),
	    -EINVAL);
	assert_int_equal(
	    judge(*state, &spec, 193189,
		  (struct repository_claim){ .told = PLATFORM_CF2, .incomplete = true }, why),
	    0);
}

/* The same, by a service whose settings describe these devices. */
static int
judge_described(const struct device *list, size_t count, const struct mkimage_spec *spec,
		char why[STORE_WHY_MAX])
{
	struct services sv = { .settings = calloc(1, sizeof(*sv.settings)) };
	struct repository *r = NULL;
	int e;

	assert_non_null(sv.settings);
	for (size_t i = 0; i < count; i++)
		sv.settings->devices[sv.settings->device_count++].device = list[i];
	assert_int_equal(repository_new(&sv, &r), 0);
	e = judge(r, spec, 0, (struct repository_claim){ .told = PLATFORM_OTHER }, why);
	repository_free(r);
	free(sv.settings);
	return e;
}

static void
describe(struct device *d, const char *name, const char *map)
{
	char why[DEVICE_WHY_MAX];

	assert_int_equal(device_init(d, name, why), 0);
	assert_int_equal(device_set(d, "application-base", "08003000", why), 0);
	if (map != NULL)
		assert_int_equal(device_set(d, "map-0", map, why), 0);
}

TEST(every_protected_range_counts_before_a_drone_is_touched)
{
	/* From 0x08003000, 40,000 bytes: to 0x0800CC3F. */
	static const struct device_range ranges[] = { { 0x08000000, 0x08002FFF },
						      { 0x0807F000, 0x0807FFFF },
						      { 0x08006000, 0x080060FF },
						      { 0x0800CC3F, 0x0800CC3F },
						      { 0x0800CC40, 0x0800CFFF } };
	static const bool touched[] = { false, false, true, true, false };
	static struct device d[2];
	const struct mkimage_spec spec = { .base = 0x08003000, .size = 40000 };
	char why[STORE_WHY_MAX];

	describe(&d[0], "board", NULL);
	for (size_t last = 0; last < ARRAY_LEN(ranges); last++) {
		/* However many stand before it. */
		memcpy(d[0].protect, ranges, sizeof(ranges[0]) * 2);
		d[0].protect_count = last < 2 ? last + 1 : 3;
		d[0].protect[d[0].protect_count - 1] = ranges[last];
		assert_int_equal(judge_described(d, 1, &spec, why), touched[last] ? -EINVAL : 0);
		if (touched[last])
			assert_non_null(strstr(why, "of a board are protected"));
	}
	/* With its map, what shares a sector with the last of them is refused as well. */
	assert_int_equal(
	    device_set(&d[0], "map-0", "@Internal Flash  /0x08000000/06*002Ka,250*002Kg", why), 0);
	assert_int_equal(judge_described(d, 1, &spec, why), -EINVAL);
	assert_non_null(strstr(why, "has to erase"));
	/* One of several descriptions is enough. */
	describe(&d[1], "other", NULL);
	assert_int_equal(judge_described(d, 2, &spec, why), 0);
}

TEST(a_read_only_sector_counts_too)
{
	static struct device d;
	const struct mkimage_spec spec = { .base = 0x08003000, .size = 40000 };
	char why[STORE_WHY_MAX];

	describe(&d, "board", "@Internal Flash  /0x08000000/06*002Ka,010*002Kg,01*002Ka,239*002Kg");
	assert_int_equal(judge_described(&d, 1, &spec, why), -EINVAL);
	assert_non_null(strstr(why, "not all of it is writable on a board"));
}

TEST_MAIN(NULL)
