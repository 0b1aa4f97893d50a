/* SPDX-License-Identifier: MIT */
/* Unit tests of core/plan: what is refused and why, limits, failing memory, repairs. */
#include "config.h"

#include "core/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Linked in place of the allocator (-Wl,--wrap): the n-th call from now fails; 0: none does. */
static unsigned fails_at;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool
is_out_of_memory(void)
{
	return fails_at > 0 && --fails_at == 0;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return is_out_of_memory() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return is_out_of_memory() ? NULL : __real_realloc(p, size);
}

/* ---- refusals ---------------------------------------------------------------------------- */

static const uint8_t bytes[4096] = { 1, 2, 3 };

/* The result of plan_new() for these segments; the plan is freed at once. */
static int
try_plan(const struct segment *segments, size_t count, const struct device *profile,
	 const struct layout *map, const char **ret_why)
{
	const struct layout *maps[DEVICE_ALTS_MAX] = { map, NULL, map };
	struct plan_options options = { true, true, 2048, 0 };
	static const struct image_label label;
	struct plan *plan = NULL;
	struct image *image;
	int r;

	assert_int_equal(image_new(segments, count, &label, &image), 0);
	*ret_why = NULL;
	r = plan_new(image, profile, maps, &options, &plan, ret_why);
	assert_int_equal(r < 0, plan == NULL);
	assert_int_equal(r < 0, *ret_why != NULL);
	plan_free(plan);
	image_unref(image);
	return r;
}

static void
assert_says(int r, const char **why, const char *part)
{
	assert_int_equal(r, -EPERM);
	if (strstr(*why, part) == NULL)
		fail_msg("\"%s\" does not speak of \"%s\"", *why, part);
}

static int
try_family(uint8_t alt, uint32_t addr, uint32_t size, const char **ret_why)
{
	struct segment s = { alt, addr, size, bytes };

	return try_plan(&s, 1, device_crazyflie(), &device_crazyflie()->map[0], ret_why);
}

TEST(a_crazyflie_is_written_from_its_application_to_the_end_of_its_flash)
{
	struct segment both[] = { { 0, 0x08004000, 64, bytes }, { 0, 0x080FFFFF, 1, bytes } };
	struct segment beyond[] = { { 0, 0x08004000, 64, bytes }, { 0, 0x080FFFFF, 2, bytes } };
	const char *why;

	assert_int_equal(try_family(0, 0x08004000, 64, &why), 0);
	assert_int_equal(try_plan(both, 2, device_crazyflie(), &device_crazyflie()->map[0], &why),
			 0);
	assert_says(try_plan(beyond, 2, device_crazyflie(), &device_crazyflie()->map[0], &why),
		    &why, "outside the device's memory");
	assert_says(try_family(0, 0x08000000, 64, &why), &why, "boot loader's sector");
	assert_says(try_family(0, 0x08003FFF, 2, &why), &why, "boot loader's sector");
	assert_says(try_family(0, 0x07FFFFFF, 2, &why), &why, "outside the device's memory");
	assert_says(try_family(0, 0x08004002, 64, &why), &why, "does not begin where");
	assert_says(try_family(0, 0x08008000, 64, &why), &why, "does not begin where");
	assert_says(try_family(2, 0x08004000, 64, &why), &why, "only the internal flash");
	assert_says(try_family(1, 0x08004000, 64, &why), &why, "does not have");
	assert_says(try_family(DEVICE_ALTS_MAX, 0x08004000, 64, &why), &why, "does not have");
}

TEST(each_reason_to_refuse_is_named)
{
	struct layout map = { .run_count = 3,
			      .runs = { { 0x1000, 4, 0x100, 7 },
					{ 0x1400, 2, 0x101, 7 },
					{ 0x1602, 2, 0x100, LAYOUT_READABLE } } };
	struct device p = { .app_addr = 0x1100,
			    .protect = { { 0x2000, 0x200F }, { 0x1280, 0x1280 } },
			    .protect_count = 2 };
	struct segment s = { 0, 0x1100, 1, bytes };
	const char *why;

	assert_int_equal(try_plan(&s, 1, &p, &map, &why), 0);
	s.addr = 0x1000;
	assert_says(try_plan(&s, 1, &p, &map, &why), &why, "below the place");
	s.addr = 0x1200; /* the byte is not protected, its sector is */
	assert_says(try_plan(&s, 1, &p, &map, &why), &why, "boot loader's sector");
	s.addr = 0x1400;
	assert_says(try_plan(&s, 1, &p, &map, &why), &why, "odd");
	s.addr = 0x1602;
	assert_says(try_plan(&s, 1, &p, &map, &why), &why, "does not let us");
	s.alt = 2; /* another memory has neither loader nor application */
	s.addr = 0x1280;
	assert_int_equal(try_plan(&s, 1, &p, &map, &why), 0);
}

TEST(the_most_sectors_are_taken_and_one_more_is_refused)
{
	struct layout map = { .run_count = 1, .runs = { { 0, PLAN_SECTORS_MAX + 1, 2, 7 } } };
	static uint8_t data[(PLAN_SECTORS_MAX + 1) * 2];
	struct segment s = { 0, 0, PLAN_SECTORS_MAX * 2, data };
	struct device p = { .app_addr = 0 };
	const char *why;

	assert_int_equal(try_plan(&s, 1, &p, &map, &why), 0);
	s.size++;
	assert_int_equal(try_plan(&s, 1, &p, &map, &why), -E2BIG);
}

TEST(every_allocation_that_fails_is_told)
{
	struct segment s = { 0, 0x08004000, 4096, bytes };
	const struct layout *maps[DEVICE_ALTS_MAX] = { &device_crazyflie()->map[0] };
	struct plan_options options = { true, true, 2048, 0 };
	static const struct image_label label;
	struct plan *plan = NULL;
	struct image *image;
	const char *why = NULL;

	assert_int_equal(image_new(&s, 1, &label, &image), 0);
	for (unsigned n = 1; n <= 2; n++) {
		fails_at = n;
		assert_int_equal(plan_new(image, device_crazyflie(), maps, &options, &plan, &why),
				 -ENOMEM);
		assert_int_equal(fails_at, 0);
		assert_null(plan);
		assert_non_null(why);
	}
	image_unref(image);
	plan_free(NULL);
}

/* ---- repair ------------------------------------------------------------------------------ */

static struct plan *
plan_for(uint32_t size, bool compare)
{
	struct segment s = { 0, 0x08004000, size, bytes };
	const struct layout *maps[DEVICE_ALTS_MAX] = { &device_crazyflie()->map[0] };
	struct plan_options options = { compare, true, 2048, 0 };
	static const struct image_label label;
	struct plan *plan;
	struct image *image;
	const char *why;

	assert_int_equal(image_new(&s, 1, &label, &image), 0);
	assert_int_equal(plan_new(image, device_crazyflie(), maps, &options, &plan, &why), 0);
	image_unref(image);
	return plan;
}

/* Carries the plan out; what is read after writing at bad is wrong each time.  Number of erases. */
static unsigned
carry_out(struct plan *plan, uint32_t bad, unsigned wrong)
{
	struct plan_op op;
	unsigned erases = 0;

	while (plan_next(plan, &op)) {
		uint8_t data[2048];

		if (op.kind == PLAN_OP_ERASE) {
			erases++;
			plan_erased(plan);
			continue;
		}
		if (op.kind == PLAN_OP_PROGRAM) {
			plan_programmed(plan);
			continue;
		}
		memcpy(data, op.data, op.length);
		if (wrong > 0 && bad - op.addr < op.length) {
			data[bad - op.addr] ^= 1;
			wrong--;
		}
		assert_int_equal(plan_target_verified(plan, 0), 0);
		plan_read_back(plan, data, op.length);
	}
	return erases;
}

TEST(a_sector_that_reads_back_wrong_is_erased_and_written_once_more)
{
	static const uint32_t places[] = { 0x08004000, 0x080047FF, 0x08004800, 0x08004FFF };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		for (unsigned wrong = 0; wrong <= 2; wrong++) {
			struct plan *plan = plan_for(4096, false);
			uint32_t addr;

			assert_int_equal(carry_out(plan, places[i], wrong), wrong > 0 ? 2 : 1);
			assert_int_equal(plan_repairs(plan), wrong > 0);
			assert_int_equal(plan_phase(plan), wrong < 2 ? PLAN_DONE : PLAN_FAILED);
			(void)plan_failure(plan, &addr);
			assert_int_equal(addr, wrong > 0 ? places[i] : 0);
			assert_int_equal(plan_target_verified(plan, 0), wrong < 2);
			assert_false(plan_unchanged(plan));
			plan_free(plan);
		}
}

TEST(one_byte_of_difference_is_a_difference_and_none_is_none)
{
	for (uint32_t at = 0; at < 4096; at += 13) {
		struct plan *plan = plan_for(4096, true);

		assert_int_equal(carry_out(plan, 0x08004000 + at, 1), 1);
		assert_false(plan_unchanged(plan));
		plan_free(plan);
	}
	for (uint32_t size = 1; size <= 4096; size += 65) {
		struct plan *plan = plan_for(size, true);

		assert_int_equal(carry_out(plan, 0, 0), 0);
		assert_true(plan_unchanged(plan));
		plan_free(plan);
	}
}

TEST(memories_at_the_end_of_the_address_space_are_no_different)
{
	struct layout end = { .run_count = 1, .runs = { { 0xFFFFFC00, 4, 0x100, 7 } } };
	const struct layout *maps[DEVICE_ALTS_MAX] = { &end };
	struct device profile = { .app_addr = 0xFFFFFD00 };
	struct plan_options options = { true, true, 64, 0 };
	static const struct image_label label;
	uint8_t data[0x300] = { 1 };
	struct segment segment = { 0, 0xFFFFFD00, sizeof(data), data };
	struct image *image;
	struct plan_op op;
	struct plan *plan;
	const char *why;
	unsigned erases = 0, programs = 0;

	assert_int_equal(image_new(&segment, 1, &label, &image), 0);
	assert_int_equal(plan_new(image, &profile, maps, &options, &plan, &why), 0);
	while (plan_next(plan, &op)) {
		static const uint8_t other[64] = { 7 };

		if (op.kind == PLAN_OP_ERASE) {
			erases++;
			plan_erased(plan);
		} else if (op.kind == PLAN_OP_PROGRAM) {
			programs++;
			plan_programmed(plan);
		} else {
			plan_read_back(plan, plan_phase(plan) == PLAN_COMPARE ? other : op.data,
				       op.length);
		}
	}
	assert_int_equal(plan_phase(plan), PLAN_DONE);
	assert_int_equal(erases, 3);
	assert_int_equal(programs, 12);
	plan_free(plan);
	image_unref(image);
}

struct phases_case {
	uint32_t round_bytes, wrong_at, word_bytes;
	uint32_t bytes; /* of the image; 0: three sectors */
	const char *phases;
};

/* The phases of a plan for sectors of 256 bytes that all differ, one letter each. */
static void
phases_of(const struct phases_case *c, char text[32])
{
	const struct layout map = { .run_count = 1, .runs = { { 0x08004000, 3, 0x100, 7 } } };
	const struct layout *maps[DEVICE_ALTS_MAX] = { &map };
	struct device profile = { .app_addr = 0x08004000 };
	struct plan_options options = { true, true, 64, 0, c->round_bytes, c->word_bytes };
	static const struct image_label label;
	struct segment segment = { 0, 0x08004000, c->bytes > 0 ? c->bytes : 0x300, bytes };
	uint32_t wrong_at = c->wrong_at;
	struct image *image;
	struct plan_op op;
	struct plan *plan;
	const char *why;
	enum plan_phase last = PLAN_DONE;
	unsigned n = 0;

	assert_int_equal(image_new(&segment, 1, &label, &image), 0);
	assert_int_equal(plan_new(image, &profile, maps, &options, &plan, &why), 0);
	while (plan_next(plan, &op)) {
		static const uint8_t other[64] = { 7 };
		enum plan_phase phase = plan_phase(plan);
		bool wrong = phase == PLAN_COMPARE || op.addr == wrong_at;

		if (phase != last)
			text[n++] = "CEWVPKwk"[phase];
		assert_true(n < 32);
		last = phase;
		if (phase > PLAN_COMPARE && op.addr == wrong_at && op.kind == PLAN_OP_READ)
			wrong_at = 0;
		if (op.kind == PLAN_OP_ERASE)
			plan_erased(plan);
		else if (op.kind == PLAN_OP_PROGRAM)
			plan_programmed(plan);
		else
			plan_read_back(plan, wrong ? other : op.data, op.length);
	}
	text[n] = '\0';
	assert_int_equal(plan_phase(plan), PLAN_DONE);
	plan_free(plan);
	image_unref(image);
}

TEST(sectors_are_erased_written_and_verified_in_rounds)
{
	static const struct phases_case rounds[] = {
		{ 0, 0, 0, 0, "CEWVEWVEWVPK" },
		{ 0x200, 0, 0, 0, "CEWVEWVPK" },
		{ 0x2FF, 0, 0, 0, "CEWVEWVPK" },
		{ 0x300, 0, 0, 0, "CEWVPK" },
		/* A wrong sector begins a round; the first page, too, found wrong at the end. */
		{ 0, 0x08004140, 0, 0, "CEWVEWVEWVEWVPK" },
		{ 0x200, 0x08004140, 0, 0, "CEWVEWVPK" },
		{ 0x200, 0x08004000, 0, 0, "CEWVEWVPKEWVPK" },
		/* With its first word last: wrong itself, or the rest of the page before it. */
		{ 0x200, 0, 4, 0, "CEWVEWVPKwk" },
		{ 0x200, 0x08004000, 4, 0, "CEWVEWVPKwkEWVPKwk" },
		{ 0x200, 0x08004004, 4, 0, "CEWVEWVPKEWVPKwk" },
		/* Images that are no more than a page, a word, and less than that. */
		{ 0x200, 0, 4, 64, "CEPKwk" },
		{ 0x200, 0, 4, 4, "CEwk" },
		{ 0x200, 0, 4, 3, "CEwk" },
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		phases_of(&rounds[i], text);
		if (strcmp(text, rounds[i].phases) != 0)
			fail_msg("%zu: %s", i, text);
	}
}

TEST_MAIN(NULL)
