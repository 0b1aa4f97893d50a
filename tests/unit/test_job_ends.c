/* SPDX-License-Identifier: MIT */
/* One job without a fleet: each way to end, by name. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "core/platform.h"
#include "job_alone.h"

#define EVAL_FLASH "@Internal Flash  /0x08000000/06*002Ka,250*002Kg"
#define EVAL_SPI "@SPI Flash : M25P64/0x00000000/128*064Kg"
#define EVAL_APP 0x08003000U

/* Linked in place of the allocator (-Wl,--wrap): calls of this size or more fail; 0: none does. */
static size_t fails_from;
static size_t fails_of; /* malloc() of this size alone */
static size_t asked;	/* of calloc(), the last time */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_malloc(size_t size)
{
	if ((fails_from > 0 && size >= fails_from) || (fails_of > 0 && size == fails_of))
		return NULL;
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	asked = count * size;
	return fails_from > 0 && asked >= fails_from ? NULL : __real_calloc(count, size);
}

static void
assert_says(const struct alone *a, const char *part)
{
	if (strstr(job_record(a->job)->message, part) == NULL)
		fail_msg("\"%s\" does not speak of \"%s\"", job_record(a->job)->message, part);
}

static const struct drone_counters *
counters(struct alone *a)
{
	return drone_counters(world_drone(a->world, ALONE_PORT));
}

/* The image under another label. */
static void
relabel(struct alone *a, unsigned platforms, const char *version)
{
	struct image_label label = *image_label(a->image);
	struct segment s = *image_segment(a->image, 0);
	struct image *image;

	label.platforms = platforms;
	copy_text(label.version, sizeof(label.version), version);
	assert_int_equal(image_new(&s, 1, &label, &image), 0);
	image_unref(a->image);
	a->image = image;
	policy_select(a->policy, PLATFORM_CF2, image);
}

/* ---- opening ----------------------------------------------------------------------------- */

static void
fail_to_open_again(struct alone *a)
{
	if (job_stage(a->job) == JOB_FLASH && a->dev == 0)
		a->open_error = a->options.light ? -ENOENT : -ENODEV;
}

TEST(a_failed_open_has_a_fault_of_its_own)
{
	static const struct {
		int error;
		enum fault fault;
	} errors[] = { { -EACCES, FAULT_PERMISSION }, { -EPERM, FAULT_PERMISSION },
		       { -EBUSY, FAULT_BUSY },	      { -ENOMEM, FAULT_NO_MEMORY },
		       { -EIO, FAULT_OPEN },	      { -EMFILE, FAULT_OPEN },
		       { -ENOENT, FAULT_OPEN } };
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		alone_init(&a);
		a.open_error = errors[i].error;
		alone_expect_ending(&a, VERDICT_FAIL, errors[i].fault);
		assert_int_equal(job_record(a.job)->verdict.sys_errno, -errors[i].error);
		assert_int_equal(a.opens, errors[i].error == -EBUSY ? 4 : 10);
		alone_free(&a);
	}
	alone_init(&a);
	a.open_error = -ENODEV;
	alone_expect_ending(&a, VERDICT_NONE, FAULT_NONE);
	assert_non_null(strstr(alone_words(&a), "Unplugged"));
	alone_free(&a);
	for (unsigned variant = 0; variant < 4; variant++) { /* gone after the reboot */
		alone_init(&a);
		a.drone.no_type = (variant & 1) != 0;
		a.options.light = (variant & 2) != 0;
		a.meddle = fail_to_open_again;
		alone_expect_ending(&a, VERDICT_FAIL, FAULT_GONE);
		alone_free(&a);
	}
}

TEST(a_job_needs_memory_to_begin_and_for_a_backup)
{
	struct job *none = NULL;
	struct alone a;

	alone_init(&a);
	a.options.backup = true;
	alone_begin(&a);
	fails_from = 1;
	assert_int_equal(job_new(&a.setup, &a.sighting, &a.history, 0, &none), -ENOMEM);
	assert_null(none);
	fails_from = 0x80000;
	assert_true(alone_play(&a));
	fails_from = 0;
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_NO_MEMORY);
	assert_int_equal(counters(&a)->erases, 0);
	alone_free(&a);
}

TEST(a_job_holds_little_memory)
{
	struct job *none = NULL;
	struct alone a;

	alone_init(&a);
	alone_begin(&a);
	fails_from = 1;
	assert_int_equal(job_new(&a.setup, &a.sighting, &a.history, 0, &none), -ENOMEM);
	fails_from = 0;
	assert_in_range(asked, 1, 0x2800);
	alone_free(&a);
}

TEST(without_memory_for_a_copy_of_its_loader_a_drone_is_left_as_it_is)
{
	struct alone a;

	alone_init(&a);
	alone_begin(&a);
	fails_from = DFU_LOADER_BYTES;
	assert_true(alone_play(&a));
	fails_from = 0;
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_NO_MEMORY);
	assert_int_equal(counters(&a)->erases, 0);
	alone_free(&a);
}

/* An image of half a half-word more; whether there is memory for padding its last block. */
static void
expect_of_an_odd_image(bool memory, enum verdict_kind kind, enum fault fault)
{
	static const struct image_label label = { .name = "odd", .version = "1" };
	const struct segment *whole;
	struct segment odd;
	struct alone a;

	alone_init(&a);
	a.setup.kind = JOB_RECOVER_LOADER;
	a.in_dfu = a.drone.button_boots = true;
	whole = image_segment(a.image, 0);
	odd = (struct segment){ 0, 0x08000000, 0x801, whole->data };
	assert_int_equal(image_new(&odd, 1, &label, &a.loader), 0);
	a.setup.image = a.loader;
	alone_begin(&a);
	fails_of = memory ? 0 : 2048;
	assert_true(alone_play(&a));
	fails_of = 0;
	alone_expect_ended(&a, kind, fault);
	alone_free(&a);
}

TEST(odd_images_are_padded_or_not_begun)
{
	expect_of_an_odd_image(true, VERDICT_PASS, FAULT_NONE);
	expect_of_an_odd_image(false, VERDICT_FAIL, FAULT_NO_MEMORY);
}

/* ---- identification ---------------------------------------------------------------------- */

TEST(a_drone_whose_platform_is_in_doubt_is_left_alone)
{
	struct alone a;

	alone_init(&a); /* it says Flapper, without confirmation */
	copy_text(a.drone.type, sizeof(a.drone.type), "Flapper (CF 2.1)");
	alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_PLATFORM_UNKNOWN);
	assert_int_equal(counters(&a)->reboots, 0);
	alone_free(&a);

	alone_init(&a); /* the operator says something else than the drone */
	assert_int_equal(policy_set_platform(a.policy, ALONE_PORT, PLATFORM_BOLT), 0);
	policy_select(a.policy, PLATFORM_BOLT, a.image);
	alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_PLATFORM);
	assert_int_equal(counters(&a)->reboots, 0);
	alone_free(&a);

	for (int known = 0; known < 2; known++) { /* neither firmware nor OTP names it */
		alone_init(&a);
		a.in_dfu = true;
		a.options.adopt = JOB_ADOPT_PORT;
		copy_text(a.drone.otp, sizeof(a.drone.otp), known ? "0;ZZ99" : "");
		alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_PLATFORM_UNKNOWN);
		assert_int_equal(counters(&a)->writing, 0);
		alone_free(&a);
	}
}

/* The OTP contradicts what the firmware said: skipped, but let go first. */
static void
set_up_contradiction(struct alone *a, const char *fate)
{
	alone_init(a);
	copy_text(a->drone.otp, sizeof(a->drone.otp), "0;CB10");
	copy_text(a->drone.type, sizeof(a->drone.type), "Crazyflie 2.1");
	a->drone.boots_anything = true;
	assert_int_equal(world_add(a->world, ALONE_PORT, NULL, NULL, &a->drone), 0);
	if (fate != NULL)
		alone_arm(a, fate);
	(void)alone_ending(a);
	assert_int_equal(counters(a)->erases, 0);
}

TEST(a_drone_that_is_skipped_in_dfu_mode_is_started_again_first)
{
	static const char *const fates[] = { NULL, "leave-dfu at=1", "leave-nothing at=1",
					     "no-leave at=1 count=9",
					     "stall at=1 in=dfu on=leave count=60" };
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		set_up_contradiction(&a, fates[i]);
		alone_expect_ended(&a, VERDICT_SKIPPED, FAULT_PLATFORM);
		alone_free(&a);
	}
}

static void
select_other(struct alone *a)
{
	if (job_stage(a->job) != JOB_AWAIT_DFU)
		return;
	policy_select(a->policy, PLATFORM_CF2, NULL);
	if (a->history.failures > 0)
		policy_select(a->policy, PLATFORM_BOLT, a->image);
}

TEST(the_image_an_attempt_began_with_is_held_against_the_otp)
{
	static const struct {
		const char *otp;
		unsigned platforms;
		bool other;
		enum verdict_kind kind;
	} cases[] = {
		{ "0;CF21", BIT(PLATFORM_CF2), false, VERDICT_PASS },
		{ "0;CF21", 0, false, VERDICT_PASS },
		{ "0;CF21", 0, true, VERDICT_PASS },
		{ "0;CF21", BIT(PLATFORM_CF2), true, VERDICT_PASS },
		{ "0;CB10", BIT(PLATFORM_CF2), false, VERDICT_SKIPPED },
		{ "0;CB10", 0, false, VERDICT_SKIPPED },
		{ "0;ZZ99", BIT(PLATFORM_CF2), false, VERDICT_PASS },
		{ "0;ZZ99", BIT(PLATFORM_CF2), true, VERDICT_PASS },
		{ "", BIT(PLATFORM_CF2), false, VERDICT_PASS },
	};
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		alone_init(&a);
		copy_text(a.drone.otp, sizeof(a.drone.otp), cases[i].otp);
		copy_text(a.drone.type, sizeof(a.drone.type), "Crazyflie 2.1");
		a.drone.boots_anything = true;
		relabel(&a, cases[i].platforms, "2026.08");
		a.meddle = select_other;
		a.history.failures = cases[i].other;
		(void)alone_ending(&a);
		if (job_record(a.job)->verdict.kind != cases[i].kind)
			fail_msg("case %zu: %s", i, job_record(a.job)->message);
		alone_free(&a);
	}
}

/* ---- devices beside the family ----------------------------------------------------------- */

/* An evaluation board: three memories, a loader of 12 KiB, no run-time mode. */
static void
set_up_board(struct alone *a)
{
	struct device *p = &a->profiles[0];

	alone_init(a);
	a->drone.model = DRONE_EVAL;
	a->drone.application_addr = EVAL_APP;
	a->in_dfu = true;
	a->setup.profile_count = 2;
	*p = (struct device){ .name = "board",
			      .vid = 0x0483,
			      .pid = 0xDF11,
			      .app_addr = EVAL_APP,
			      .loader_addr = 0x08000000,
			      .loader_bytes = 0x3000,
			      .leave = true };
	p->map_given[0] = p->map_given[1] = true;
	assert_int_equal(layout_parse(EVAL_FLASH, strlen(EVAL_FLASH), &p->map[0], NULL, NULL), 0);
	assert_int_equal(layout_parse(EVAL_SPI, strlen(EVAL_SPI), &p->map[1], NULL, NULL), 0);
}

static void
select_for_board(struct alone *a, size_t segments)
{
	static const struct image_label label = { .name = "board", .version = "7" };
	static uint8_t bytes[3000] = { 1, 2, 3 };
	struct segment s[] = { { 0, EVAL_APP, sizeof(bytes), bytes },
			       { 1, 0x00010000, 100, bytes },
			       { 2, 0x64000000, 50, bytes } };

	image_unref(a->image);
	assert_int_equal(image_new(s, segments, &label, &a->image), 0);
	policy_select(a->policy, PLATFORM_OTHER, a->image);
}

TEST(a_board_is_flashed_and_its_reading_back_is_the_proof)
{
	struct alone a;

	for (size_t segments = 1; segments <= 3; segments++) {
		set_up_board(&a);
		a.options.backup = true; /* only of Crazyflies */
		select_for_board(&a, segments);
		alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
		assert_says(&a, "cannot be asked what it runs");
		if (segments == 1) /* the simulator takes the other memories for outside */
			assert_int_equal(counters(&a)->outside_writes, 0);
		if (segments == 3)
			assert_says(&a, "target 0 pass; target 1 pass; target 2 pass");
		alone_free(&a);
	}
}

TEST(a_board_that_holds_the_image_is_not_written)
{
	const struct segment *s;
	struct alone a;

	set_up_board(&a);
	select_for_board(&a, 1);
	s = image_segment(a.image, 0);
	assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
	assert_int_equal(drone_load(world_drone(a.world, ALONE_PORT), s->addr, s->data, s->size),
			 0);
	alone_expect_ending(&a, VERDICT_UNCHANGED, FAULT_NONE);
	assert_int_equal(counters(&a)->erases + counters(&a)->blocks_written, 0);
	alone_free(&a);
}

TEST(a_board_with_a_memory_that_fails_says_which)
{
	struct alone a;

	set_up_board(&a);
	select_for_board(&a, 3);
	assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
	alone_arm(&a, "flip-write at=3 in=dfu on=data value=3");
	alone_arm(&a, "flip-write at=4 in=dfu on=data value=3");
	(void)alone_ending(&a);
	if (job_record(a.job)->verdict.kind == VERDICT_FAIL)
		assert_says(&a, "target");
	alone_free(&a);
}

TEST(a_board_is_read_but_its_loader_never_rescued)
{
	struct alone a;

	set_up_board(&a);
	a.setup.kind = JOB_BACKUP;
	alone_expect_ending(&a, VERDICT_UNCHANGED, FAULT_NONE);
	assert_int_equal(a.backups, 1);
	assert_int_equal(counters(&a)->writing, counters(&a)->leaves);
	alone_free(&a);
	set_up_board(&a);
	a.setup.kind = JOB_RECOVER_LOADER;
	select_for_board(&a, 1);
	a.setup.image = a.image;
	alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_NONE);
	assert_int_equal(counters(&a)->erases, 0);
	alone_free(&a);
}

TEST(a_backup_ends_where_the_memory_does)
{
	static const struct {
		const char *map;
		uint32_t app_addr, bytes;
	} maps[] = {
		{ "@x/0x08000000/4*2Kg", 0x08000000, 8192 },
		{ "@x/0x08000000/2*2Kg/0x08004000/2*2Kg", 0x08000000, 4096 }, /* a gap */
		{ "@x/0x08000000/3*2Kg,1*2Kf", 0x08000000, 6144 },	      /* not readable */
		{ "@x/0x08000000/1*2Kf,3*2Kg", 0x08000800, 0 },
		{ "@x/0x08000000/1*2Kg,1*999Mg", 0x08000000, 2048 }, /* beyond the limit */
		{ "@x/0x08000000/1*2Kg", 0x20000000, 2048 }, /* the application is elsewhere */
	};
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		set_up_board(&a);
		a.setup.kind = JOB_BACKUP;
		copy_text(a.drone.layout[0], sizeof(a.drone.layout[0]), maps[i].map);
		a.profiles[0].map_given[0] = a.profiles[0].map_given[1] = false;
		a.profiles[0].app_addr = maps[i].app_addr;
		if (maps[i].bytes == 0)
			alone_expect_ending(&a, VERDICT_FAIL, FAULT_IMAGE);
		else
			(void)alone_ending(&a);
		assert_int_equal(a.kept_bytes, maps[i].bytes);
		alone_free(&a);
	}
}

/* ---- leaving and coming back ------------------------------------------------------------- */

TEST(each_way_not_to_come_back_has_its_name)
{
	static const struct {
		const char *fate;
		bool in_dfu;
		enum verdict_kind kind;
		enum fault fault;
	} cases[] = {
		{ "no-leave at=1 count=9", false, VERDICT_NEEDS_POWER_CYCLE, FAULT_NO_LEAVE },
		{ "no-leave at=1 count=1", false, VERDICT_PASS, FAULT_NONE },
		{ "leave-nothing at=1", false, VERDICT_FAIL, FAULT_NO_BOOT },
		{ "leave-nothing at=1", true, VERDICT_NEEDS_POWER_CYCLE, FAULT_NONE },
		{ "leave-dfu at=1", false, VERDICT_NEEDS_POWER_CYCLE, FAULT_NONE },
		{ "switch-lost at=1", false, VERDICT_FAIL, FAULT_DARK },
		{ "swap-back at=1", false, VERDICT_FAIL, FAULT_WRONG_SERIAL },
		{ "stall at=1 in=dfu on=leave count=90", false, VERDICT_NEEDS_POWER_CYCLE,
		  FAULT_NO_LEAVE },
	};
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		alone_init(&a);
		a.in_dfu = cases[i].in_dfu;
		a.history.known = cases[i].in_dfu;
		a.history.platform = PLATFORM_CF2;
		a.drone.button_boots = true;
		assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
		alone_arm(&a, cases[i].fate);
		alone_expect_ending(&a, cases[i].kind, cases[i].fault);
		alone_free(&a);
	}
}

TEST(the_version_it_says_decides_where_the_image_has_one)
{
	static const struct {
		const char *label, *says;
		enum verdict_kind kind;
		enum fault fault;
	} cases[] = {
		{ "", "whatever", VERDICT_PASS, FAULT_NONE },
		{ "2026.08", "2026.07", VERDICT_FAIL, FAULT_WRONG_VERSION },
		{ "2026.08", "2026.08", VERDICT_PASS, FAULT_NONE },
	};
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		alone_init(&a);
		relabel(&a, BIT(PLATFORM_CF2), cases[i].label);
		copy_text(a.drone.version, sizeof(a.drone.version), cases[i].says);
		alone_expect_ending(&a, cases[i].kind, cases[i].fault);
		alone_free(&a);
	}
}

/* ---- events at the wrong time ------------------------------------------------------------ */

static void
disturb(struct alone *a)
{
	uint64_t now_us = world_now_us(a->world);
	enum verdict_kind before = job_record(a->job)->verdict.kind;

	job_granted(a->job, PERMIT_COUNT, now_us);
	job_recorded(a->job, 0, 99, now_us); /* not asked for */
	if (job_stage(a->job) >= JOB_ENDING) {
		job_stop(a->job, VERDICT_FAIL, FAULT_BUS, now_us); /* the first ending counts */
		job_opened(a->job, 0, NULL, 0, now_us);
		assert_int_equal(job_record(a->job)->verdict.kind, before);
	}
}

TEST(events_at_the_wrong_time_change_nothing)
{
	struct alone a;

	alone_init(&a);
	a.meddle = disturb;
	alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
	assert_int_equal(job_record(a.job)->id, 17);
	alone_free(&a);
}

TEST_MAIN(NULL)
