/* SPDX-License-Identifier: MIT */
/* One job without a fleet: every kind of job, and every event at every step of it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "core/platform.h"
#include "job_alone.h"

static const char *
message(const struct alone *a)
{
	return job_record(a->job)->message;
}

/* A boot loader's image, for the rescue job. */
static struct image *
loader_image(uint32_t addr, uint32_t size, uint8_t alt)
{
	static const struct image_label label = { .name = "loader", .version = "3" };
	static uint8_t bytes[0x5000];
	struct segment s = { alt, addr, size, bytes };
	struct image *image;

	memset(bytes, 0x3C, sizeof(bytes));
	put_le32(bytes, 0x20020000);
	put_le32(bytes + 4, 0x08000101);
	assert_int_equal(image_new(&s, 1, &label, &image), 0);
	return image;
}

/* ---- kinds of jobs ----------------------------------------------------------------------- */

TEST(a_drone_is_updated_and_then_in_order)
{
	struct alone a;

	alone_init(&a);
	alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
	assert_string_equal(job_record(a.job)->version_after, "2026.08");
	job_free(a.job);
	a.job = NULL;
	a.begins = 0;
	world_unplug(a.world, ALONE_PORT);
	while (a.sighted)
		assert_true(world_run_one(a.world));
	world_plug(a.world, ALONE_PORT);
	while (!a.sighted)
		assert_true(world_run_one(a.world));
	assert_int_equal(job_new(&a.setup, &a.sighting, &a.history, world_now_us(a.world), &a.job),
			 0);
	assert_true(alone_play(&a));
	alone_expect_ended(&a, VERDICT_UNCHANGED, FAULT_NONE);
	alone_free(&a);
}

TEST(a_backup_reads_and_writes_nothing)
{
	struct alone a;

	for (int in_dfu = 0; in_dfu < 2; in_dfu++)
		for (int error = 0; error >= -EIO; error -= EIO) {
			alone_init(&a);
			a.setup.kind = JOB_BACKUP;
			a.in_dfu = in_dfu;
			a.drone.button_boots = true;
			a.backup_error = error;
			alone_expect_ending(&a, error < 0 ? VERDICT_FAIL : VERDICT_UNCHANGED,
					    error < 0 ? FAULT_STORAGE : FAULT_NONE);
			assert_int_equal(a.backups, 1);
			if (error == 0)
				assert_non_null(strstr(message(&a), "nothing was written"));
			alone_free(&a);
		}
	alone_init(&a); /* it does not come back by itself */
	a.setup.kind = JOB_BACKUP;
	a.in_dfu = true;
	alone_expect_ending(&a, VERDICT_NEEDS_POWER_CYCLE, FAULT_NONE);
	assert_non_null(strstr(message(&a), "Read; nothing was written"));
	alone_free(&a);
}

TEST(a_boot_loader_is_rescued_only_where_it_is_needed_or_forced)
{
	struct alone a;

	for (unsigned n = 0; n < 8; n++) {
		bool recognised = (n & 1) != 0, force = (n & 2) != 0;

		alone_init(&a);
		a.setup.kind = JOB_RECOVER_LOADER;
		a.setup.image = a.loader = loader_image(0x08000000, 0x800, 0);
		a.setup.force = force;
		a.recognised = recognised;
		a.in_dfu = (n & 4) != 0;
		a.drone.button_boots = true;
		if (recognised && !force)
			alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_NONE);
		else
			assert_int_not_equal(alone_ending(&a).kind, VERDICT_SKIPPED);
		alone_free(&a);
	}
}

TEST(a_loader_that_was_brought_back_is_known_by_the_digest_it_has_now)
{
	struct alone a;

	for (int same = 0; same < 2; same++) {
		const struct segment *s;

		alone_init(&a);
		a.setup.kind = JOB_RECOVER_LOADER;
		a.setup.image = a.loader = loader_image(0x08000000, 0x800, 0);
		copy_text(a.setup.loader_sha256, sizeof(a.setup.loader_sha256), "as it is to be");
		a.in_dfu = a.drone.button_boots = true;
		assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
		s = image_segment(a.loader, 0);
		if (same != 0)
			assert_int_equal(
			    drone_load(world_drone(a.world, ALONE_PORT), s->addr, s->data, s->size),
			    0);
		alone_expect_ending(&a, same ? VERDICT_UNCHANGED : VERDICT_PASS, FAULT_NONE);
		if (same != 0)
			assert_string_not_equal(job_record(a.job)->loader_sha256, "as it is to be");
		else
			assert_string_equal(job_record(a.job)->loader_sha256, "as it is to be");
		alone_free(&a);
	}
}

TEST(an_image_that_is_no_boot_loaders_is_refused_by_the_rescue)
{
	static const struct {
		uint32_t addr, size;
		uint8_t alt;
	} bad[] = { { 0x08000000, 0x4001, 0 },
		    { 0x08003FFF, 2, 0 },
		    { 0x07FFFFFE, 4, 0 },
		    { 0x08000000, 16, 1 } };
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		alone_init(&a);
		a.setup.kind = JOB_RECOVER_LOADER;
		a.setup.image = a.loader = loader_image(bad[i].addr, bad[i].size, bad[i].alt);
		a.in_dfu = true;
		alone_expect_ending(&a, VERDICT_FAIL, FAULT_IMAGE);
		assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->erases, 0);
		alone_free(&a);
	}
}

TEST(a_version_is_believed_only_of_a_clean_build_of_the_same_commit)
{
	struct alone a;

	for (unsigned n = 0; n < 6; n++) {
		struct segment s;
		struct image_label label;
		struct image *same;

		alone_init(&a);
		a.options.skip = JOB_SKIP_VERSION;
		label = *image_label(a.before);
		s = *image_segment(a.before, 0);
		if (n == 1)
			label.version[0] = '\0';
		if (n == 2)
			label.revision[0] = '\0';
		if (n == 3)
			label.revision[0] ^= 1;
		if (n == 4)
			a.drone.modified = 1;
		if (n == 5)
			a.setup.force = true;
		assert_int_equal(image_new(&s, 1, &label, &same), 0);
		policy_select(a.policy, PLATFORM_CF2, same);
		assert_int_not_equal(alone_ending(&a).kind, VERDICT_FAIL);
		if (n == 0)
			alone_expect_ended(&a, VERDICT_UNCHANGED, FAULT_NONE);
		assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->reboots,
				 n == 0 ? 0 : 1);
		image_unref(same);
		alone_free(&a);
	}
}

/* ---- a drone found in DFU mode ----------------------------------------------------------- */

TEST(the_policy_decides_which_device_is_adopted)
{
	static const enum job_adopt policies[] = { JOB_ADOPT_NEVER, JOB_ADOPT_KNOWN,
						   JOB_ADOPT_RECOGNISED, JOB_ADOPT_PORT };
	static const char *const otps[] = { "", "0;CF21", "0;ZZ99" };
	struct alone a;

	for (size_t p = 0; p < ARRAY_LEN(policies); p++)
		for (size_t o = 0; o < ARRAY_LEN(otps); o++)
			for (unsigned n = 0; n < 8; n++) {
				bool known = (n & 1) != 0, shared = (n & 2) != 0,
				     named = known && !shared, taken;

				alone_init(&a);
				a.in_dfu = true;
				a.options.adopt = policies[p];
				copy_text(a.drone.otp, sizeof(a.drone.otp), otps[o]);
				a.history.known = known;
				a.history.platform = PLATFORM_CF2;
				a.history.shares_dfu_serial = shared;
				a.history.interrupted = (n & 4) != 0;
				taken = a.history.interrupted || policies[p] == JOB_ADOPT_PORT ||
					(policies[p] != JOB_ADOPT_NEVER && named) ||
					(policies[p] == JOB_ADOPT_RECOGNISED && o == 1);
				(void)alone_ending(&a);
				assert_int_equal(job_foreign(a.job), !taken);
				if (!taken)
					assert_int_equal(
					    drone_counters(world_drone(a.world, ALONE_PORT))
						->writing,
					    0);
				alone_free(&a);
			}
}

TEST(a_blank_boot_loader_refuses_the_update)
{
	struct alone a;

	alone_init(&a);
	a.in_dfu = true;
	a.history = (struct drone_history){ .known = true, .platform = PLATFORM_CF2 };
	assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
	drone_blank(world_drone(a.world, ALONE_PORT), 0x08000000, 0x4000);
	alone_expect_ending(&a, VERDICT_FAIL, FAULT_LOADER_BLANK);
	assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->erases, 0);
	alone_free(&a);
}

TEST(a_loader_that_changed_since_last_time_is_noted)
{
	static const char *const before[] = { "", "ab12", "cd34" };
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		alone_init(&a);
		copy_text(a.history.loader_sha256, sizeof(a.history.loader_sha256), before[i]);
		alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
		assert_int_equal(job_record(a.job)->loader_changed, i == 2);
		alone_free(&a);
	}
}

/* ---- every event at every step ----------------------------------------------------------- */

static void
meddle_gone(struct alone *a)
{
	world_unplug(a->world, ALONE_PORT);
}

static void
meddle_gone_at_once(struct alone *a)
{
	if (a->dev != 0)
		world_close(a->world, a->dev);
	a->dev = 0;
	world_unplug(a->world, ALONE_PORT);
	job_gone(a->job, world_now_us(a->world));
}

static void
meddle_stop(struct alone *a)
{
	job_stop(a->job, VERDICT_INTERRUPTED, FAULT_STOPPED, world_now_us(a->world));
	job_stop(a->job, VERDICT_FAIL, FAULT_SUSPEND,
		 world_now_us(a->world)); /* the first counts */
}

static void
meddle_foreign(struct alone *a)
{
	struct sighting s = { .vid = 0x1234, .pid = 1, .port = ALONE_PORT, .arrival = 999999 };

	a->disowned = !job_sighted(a->job, &s, world_now_us(a->world));
}

static void
meddle_late(struct alone *a)
{
	job_tick(a->job, world_now_us(a->world)); /* nothing is due: nothing happens */
	if (job_deadline_us(a->job) != UINT64_MAX)
		job_tick(a->job, job_deadline_us(a->job));
}

/* Answers to questions that were never asked. */
static void
meddle_echo(struct alone *a)
{
	uint64_t now_us = world_now_us(a->world);

	job_opened(a->job, 0, NULL, 0, now_us);
	job_opened(a->job, -EIO, NULL, 0, now_us);
	job_recorded(a->job, 0, 99, now_us);
	job_granted(a->job, PERMIT_NONE, now_us);
	if (!a->in_flight)
		job_ended(a->job, USB_TIMEOUT, NULL, 0, now_us);
}

static void
meddle_deselect(struct alone *a)
{
	policy_select(a->policy, PLATFORM_CF2, NULL);
}

static void
meddle_disk(struct alone *a)
{
	a->begin_error = a->end_error = -EIO;
}

static void
meddle_glitch(struct alone *a)
{
	world_glitch(a->world, ALONE_PORT, 50);
}

static void (*const meddlers[])(struct alone *) = {
	meddle_gone, meddle_gone_at_once, meddle_stop, meddle_foreign, meddle_late,
	meddle_echo, meddle_deselect,	  meddle_disk, meddle_glitch,
};

enum start { START_RUNNING, START_DFU, START_BACKUP, START_NAMELESS, START_COUNT };

static void
set_scene(struct alone *a, enum start start)
{
	alone_init(a);
	a->in_dfu = start == START_DFU;
	a->history.known = start == START_DFU;
	a->history.platform = start == START_DFU ? PLATFORM_CF2 : PLATFORM_UNKNOWN;
	a->options.backup = start == START_BACKUP;
	a->drone.button_boots = true;
	a->drone.chatter = 0;
	a->drone.no_type = start == START_NAMELESS; /* only the OTP says what it is */
}

/* Does the drone hold what the verdict promises? */
static void
assert_no_false_pass(struct alone *a)
{
	const struct segment *s = image_segment(a->image, 0);
	enum verdict_kind v = job_record(a->job)->verdict.kind;
	static uint8_t flash[0x20000];

	if (v != VERDICT_PASS && v != VERDICT_UNCHANGED)
		return;
	drone_peek(world_drone(a->world, ALONE_PORT), world_now_us(a->world), s->addr, flash,
		   s->size);
	assert_memory_equal(flash, s->data, s->size);
}

/* WHY: being pulled, and being late, at each single step; the others now and then. */
static bool
is_worth(size_t meddler, enum start start)
{
	return start == START_DFU &&
	       (meddlers[meddler] == meddle_gone_at_once || meddlers[meddler] == meddle_late);
}

TEST(any_event_at_any_step_leads_to_one_ending)
{
	for (enum start start = 0; start < START_COUNT; start++)
		for (size_t m = 0; m < ARRAY_LEN(meddlers); m++)
			for (unsigned at = 1;; at += at < 120 || is_worth(m, start) ? 1 : 97) {
				struct alone a;

				set_scene(&a, start);
				a.meddle = meddlers[m];
				a.meddle_at = at;
				(void)alone_ending(&a);
				assert_no_false_pass(&a);
				alone_free(&a);
				if (!a.meddled)
					break; /* it was over before */
			}
}

TEST_MAIN(NULL)
