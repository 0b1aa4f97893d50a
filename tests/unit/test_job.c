/* SPDX-License-Identifier: MIT */
/* Tests of one drone's job, by way of a whole station on simulated hardware: what goes wrong, and
 * its ending. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "core/platform.h"
#include "flow/station_parts.h"
#include "job_bench.h"

/* Linked between the station and the fleet (-Wl,--wrap): what becomes of a backup. */
static int backup_error;

void __real_fleet_backed_up(struct fleet *f, unsigned slot, int error);
void __wrap_fleet_backed_up(struct fleet *f, unsigned slot, int error);

void
__wrap_fleet_backed_up(struct fleet *f, unsigned slot, int error)
{
	__real_fleet_backed_up(f, slot, backup_error < 0 ? backup_error : error);
}

TEST(a_drone_in_order_passes)
{
	struct bench b;

	prepare(&b, 1);
	set_up(&b, true);
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	tear_down(&b);
}

TEST(a_drone_that_refuses_its_otp_is_flashed_all_the_same)
{
	struct bench b;

	/* The fourth status in DFU mode ends Set Address of the OTP: errTARGET, then errVENDOR. */
	for (int status = 1; status <= 11; status += 10) {
		char text[64];

		prepare(&b, 2);
		set_up(&b, true);
		(void)snprintf(text, sizeof(text), "status at=4 in=dfu on=getstatus value=%d",
			       status);
		arm(&b, text);
		plug(&b);
		assert_ends(&b, VERDICT_PASS, FAULT_NONE);
		assert_true(counters(&b)->fates > 0);
		tear_down(&b);
	}
}

TEST(a_drone_that_comes_back_running_is_asked_to_reboot_again)
{
	struct bench b;

	prepare(&b, 3);
	set_up(&b, true);
	arm(&b, "no-switch at=1");
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	assert_int_equal(counters(&b)->reboots, 2);
	tear_down(&b);
}

TEST(a_reset_in_the_middle_of_writing_is_survived_and_not_called_unchanged)
{
	struct bench b;

	for (unsigned at = 1; at <= 19; at++) {
		char text[64];

		prepare(&b, 4);
		set_up(&b, true);
		(void)snprintf(text, sizeof(text), "stall at=%u in=dfu on=data count=4", at);
		arm(&b, text);
		plug(&b);
		assert_ends(&b, VERDICT_PASS, FAULT_NONE);
		tear_down(&b);
	}
}

/* Runs until then and cuts the power.  True: its loader would start what its flash holds. */
static bool
cut(struct bench *b, uint64_t at_us)
{
	prepare(b, 6);
	b->config.timing.flash_permille = 1000;
	set_up(b, true);
	plug(b);
	station_run(b->station, at_us);
	assert_int_equal(world_unplug(station_world(b->station), PORT), 0);
	return !check_word_is_blank(b->station, world_drone(station_world(b->station), PORT));
}

TEST(power_that_is_cut_at_any_moment_never_leaves_half_an_image_that_starts)
{
	uint64_t blank_us = 1000, whole_us, moments[3];
	unsigned starts = 0, blanks = 0;
	struct bench b;

	/* From the boot sector's erase to the last word, in steps of 7 ms. */
	for (; cut(&b, blank_us); blank_us += 50000)
		tear_down(&b);
	tear_down(&b);
	for (whole_us = blank_us; !cut(&b, whole_us); whole_us += 50000)
		tear_down(&b);
	tear_down(&b);
	for (uint64_t at = blank_us; at < whole_us + 20000; at += 7000) {
		bool would_start = cut(&b, at);
		struct drone *d = world_drone(station_world(b.station), PORT);

		if (would_start)
			assert_true(check_equal(b.station, d, b.image, 0x08004000, 4));
		starts += would_start;
		blanks += !would_start;
		tear_down(&b);
	}
	assert_true(starts > 0 && blanks > 50);
	/* The very moment, to a tenth of a millisecond: the page is there before its first word. */
	moments[0] = blank_us;
	moments[1] = whole_us;
	while (moments[1] - moments[0] > 100) {
		moments[2] = (moments[0] + moments[1]) / 2;
		moments[cut(&b, moments[2])] = moments[2];
		tear_down(&b);
	}
	(void)cut(&b, moments[0]);
	assert_true(check_equal(b.station, world_drone(station_world(b.station), PORT), b.image,
				0x08004000, 4));
	tear_down(&b);
}

TEST(a_drone_that_comes_back_from_a_reset_by_its_button_needs_power_off)
{
	unsigned one_attempt = 0;
	struct bench b;
	uint64_t now;

	/* Sometimes the bus tells first that it is gone, sometimes the reset does. */
	for (uint64_t seed = 21; seed < 29; seed++) {
		prepare(&b, seed);
		set_up(&b, true);
		arm(&b, "stall at=5 in=dfu on=data count=4");
		arm(&b, "power-loss at=1 in=dfu on=reset");
		plug(&b);
		for (now = 0; counters(&b)->resets == 0 && now < 60000000; now += 1000)
			station_run(b.station, now);
		station_run(b.station, now + 500000);
		button(&b);
		assert_ends(&b, VERDICT_NEEDS_POWER_CYCLE, FAULT_NONE);
		one_attempt += station_rows(b.station) == 1;
		tear_down(&b);
	}
	assert_true(one_attempt > 0);
}

TEST(a_drone_written_before_the_trouble_is_not_called_unchanged_after_it)
{
	struct bench b;
	unsigned struck = 0;

	for (unsigned at = 1; at <= 80; at++) {
		char text[64];

		prepare(&b, 5);
		set_up(&b, true);
		(void)snprintf(text, sizeof(text), "stall at=%u in=dfu on=upload count=4", at);
		arm(&b, text);
		plug(&b);
		assert_ends(&b, VERDICT_PASS, FAULT_NONE);
		struck += counters(&b)->fates > 0;
		tear_down(&b);
	}
	assert_true(struck > 30);
}

TEST(a_host_without_memory_for_the_leave_request_sends_it_again)
{
	struct bench b;

	prepare(&b, 6);
	set_up(&b, true);
	arm(&b, "nomem at=1 in=dfu on=leave");
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	assert_int_equal(counters(&b)->leaves, 1);
	tear_down(&b);
}

/* Another maker's F405 board: the right memory map, a blank OTP. */
static void
set_up_foreign(struct bench *b, uint64_t seed)
{
	prepare(b, seed);
	b->config.otp[0] = '\0';
	set_up(b, false);
}

TEST(a_foreign_device_in_dfu_mode_is_not_touched)
{
	struct bench b;

	set_up_foreign(&b, 7);
	button(&b);
	assert_int_equal(ending(&b).kind, VERDICT_NONE);
	assert_untouched(&b);
	tear_down(&b);
}

TEST(a_foreign_device_in_dfu_mode_that_fails_is_not_touched)
{
	static const char *const troubles[] = {
		"stall at=1 in=dfu on=getstatus count=30",
		"no-answer at=2 in=dfu on=getstatus count=9",
		"stall at=3 in=dfu on=dnload count=30",
		"garbage at=1 in=dfu on=getstatus count=30",
		"eproto at=1 in=dfu on=upload count=30",
	};
	struct bench b;

	for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
		set_up_foreign(&b, 8);
		arm(&b, troubles[i]);
		arm(&b, "disconnect at=1 in=dfu on=reset back=300");
		button(&b);
		assert_int_equal(ending(&b).kind, VERDICT_NONE);
		assert_untouched(&b);
		tear_down(&b);
	}
}

TEST(a_drone_that_took_anothers_place_is_not_adopted_where_nothing_may_be)
{
	struct bench b;

	prepare(&b, 9);
	b.options.fleet.job.adopt = JOB_ADOPT_NEVER;
	set_up(&b, true);
	arm(&b, "swap at=1");
	plug(&b);
	(void)ending(&b);
	assert_int_equal(station_rows(b.station), 1);
	assert_ends(&b, VERDICT_FAIL, FAULT_WRONG_SERIAL);
	assert_untouched(&b);
	tear_down(&b);
}

TEST(a_selection_that_is_taken_back_under_way_does_not_silence_the_otp)
{
	struct bench b;

	prepare(&b, 10);
	copy_text(b.config.otp, sizeof(b.config.otp), "0;CB10");
	copy_text(b.config.type, sizeof(b.config.type), "Crazyflie 2.1");
	b.config.boots_anything = true;
	set_up(&b, true);
	plug(&b);
	/* Until the image is decided on, and the drone on its way into DFU mode. */
	while (counters(&b)->reboots == 0)
		station_run(b.station, world_next_us(station_world(b.station)));
	policy_select(fleet_policy(station_fleet(b.station)), PLATFORM_CF2, NULL);
	fleet_selection_changed(station_fleet(b.station), world_now_us(station_world(b.station)));
	assert_ends(&b, VERDICT_SKIPPED, FAULT_PLATFORM);
	assert_int_equal(counters(&b)->erases, 0);
	assert_int_equal(counters(&b)->blocks_written, 0);
	tear_down(&b);
}

TEST(a_backup_that_is_interrupted_begins_again)
{
	struct bench b;

	for (unsigned at = 20; at <= 200; at += 60) {
		char text[64];

		prepare(&b, 11);
		b.options.fleet.job.backup = true;
		set_up(&b, true);
		(void)snprintf(text, sizeof(text), "stall at=%u in=dfu on=upload count=4", at);
		arm(&b, text);
		plug(&b);
		assert_ends(&b, VERDICT_PASS, FAULT_NONE);
		/* Loader audit twice, one whole copy at least after the trouble. */
		assert_true(counters(&b)->bytes_read >= 0x100000 + (at - 10) * 2048);
		tear_down(&b);
	}
}

TEST(a_backup_that_could_not_be_kept_is_a_failure_of_the_host)
{
	struct bench b;

	for (int error = 0; error >= -ENOSPC; error -= ENOSPC) {
		prepare(&b, 20);
		set_up(&b, true);
		policy_select(fleet_policy(station_fleet(b.station)), PLATFORM_CF2, NULL);
		plug(&b);
		station_run(b.station, 5 * 1000000); /* looked at, nothing to do */
		backup_error = error;
		assert_int_equal(
		    fleet_special(station_fleet(b.station), 0,
				  &(struct job_setup){ .kind = JOB_BACKUP, .force = true },
				  world_now_us(station_world(b.station))),
		    0);
		(void)station_select(b.station, "tag", "2026.08", 0, 5); /* it looks again */
		if (error < 0)
			assert_ends(&b, VERDICT_FAIL, FAULT_STORAGE);
		else
			assert_ends(&b, VERDICT_UNCHANGED, FAULT_NONE);
		assert_true(counters(&b)->bytes_read >= 0x100000);
		assert_int_equal(counters(&b)->erases, 0);
		backup_error = 0;
		tear_down(&b);
	}
}

TEST(an_odd_byte_at_the_end_of_the_flash_is_written_inside_it)
{
	static const uint8_t last[3] = { 0x5A, 0xA5, 0x3C };
	struct segment segments[3];
	struct image_label label;
	struct image *image = NULL;
	struct bench b;

	prepare(&b, 12);
	set_up(&b, true);
	label = *image_label(b.image);
	label.sha256[0] ^= 1;
	segments[0] = *image_segment(b.image, 0);
	segments[1] = (struct segment){ 0, 0x080F0001, 3, last };
	segments[2] = (struct segment){ 0, 0x080FFFFF, 1, last };
	assert_int_equal(image_new(segments, 3, &label, &image), 0);
	station_use(b.station, PLATFORM_CF2, image);
	b.image = image;
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	tear_down(&b);
	image_unref(image);
}

TEST(a_pause_holds_back_a_drone_that_has_only_been_asked)
{
	struct bench b;

	prepare(&b, 13);
	set_up(&b, true);
	plug(&b);
	while (counters(&b)->bulk_out == 0)
		station_run(b.station, world_now_us(station_world(b.station)) + 1000);
	fleet_pause(station_fleet(b.station));
	station_run(b.station, world_now_us(station_world(b.station)) + MINUTES);
	assert_int_equal(counters(&b)->reboots, 0);
	assert_int_equal(station_rows(b.station), 0);
	fleet_resume(station_fleet(b.station), world_now_us(station_world(b.station)));
	(void)station_select(b.station, "tag", "2026.08", 0,
			     5); /* so that the station looks again */
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	tear_down(&b);
}

TEST(a_leave_request_of_which_only_the_answer_is_lost_is_asked_about)
{
	static const char *const fates[] = { "lost-ack", "late", "eproto", "no-answer", "stall" };
	struct bench b;

	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		char text[64];

		prepare(&b, 14);
		set_up(&b, true);
		(void)snprintf(text, sizeof(text), "%s at=1 in=dfu on=leave", fates[i]);
		arm(&b, text);
		plug(&b);
		assert_ends(&b, VERDICT_PASS, FAULT_NONE);
		assert_int_equal(station_rows(b.station), 1);
		assert_int_equal(counters(&b)->resets, 0);
		tear_down(&b);
	}
}

TEST(a_verified_drone_that_refuses_to_leave_needs_power_off_and_has_not_failed)
{
	struct bench b;

	prepare(&b, 15);
	set_up(&b, true);
	arm(&b, "stall at=1 in=dfu on=leave count=50");
	plug(&b);
	assert_ends(&b, VERDICT_NEEDS_POWER_CYCLE, FAULT_NO_LEAVE);
	assert_true(station_holds(b.station, PORT, b.image));
	tear_down(&b);
}

TEST(a_host_that_is_short_of_memory_for_seconds_is_waited_for)
{
	struct bench b;

	prepare(&b, 16);
	set_up(&b, true);
	arm(&b, "nomem at=40 in=dfu on=any count=30");
	arm(&b, "nomem at=1 in=dfu on=any count=20");
	arm(&b, "nomem at=1 in=runtime on=any count=5");
	arm(&b, "nomem at=2 in=runtime on=vendor count=5");
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	tear_down(&b);
}

TEST(a_version_that_is_cut_on_its_way_is_asked_for_again)
{
	struct bench b;

	prepare(&b, 19);
	b.config.chatter = 0;
	set_up(&b, true);
	arm(&b, "short at=3 in=runtime on=bulk-in value=6");
	plug(&b);
	assert_ends(&b, VERDICT_PASS, FAULT_NONE);
	assert_int_equal(counters(&b)->fates, 1);
	tear_down(&b);
}

TEST(a_memory_map_that_cannot_be_read_is_not_called_another_chips)
{
	struct bench b;

	prepare(&b, 18);
	b.options.fleet.job.adopt = JOB_ADOPT_PORT;
	set_up(&b, true);
	arm(&b, "no-answer at=1 in=dfu on=any count=50");
	button(&b);
	assert_ends(&b, VERDICT_FAIL, FAULT_SILENT);
	tear_down(&b);
}

TEST_MAIN(NULL)
