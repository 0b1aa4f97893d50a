/* SPDX-License-Identifier: MIT */
/* One job without a fleet: what hardly ever comes, or never should, and comes all the same. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "core/platform.h"
#include "job_alone.h"

/* Found in DFU mode, and known. */
static void
set_up_dfu(struct alone *a)
{
	alone_init(a);
	a->in_dfu = true;
	a->history = (struct drone_history){ .known = true, .platform = PLATFORM_CF2 };
	a->drone.button_boots = true;
	assert_int_equal(world_add(a->world, ALONE_PORT, NULL, NULL, &a->drone), 0);
}

TEST(what_is_no_stage_hears_nothing)
{
	struct alone a;
	struct request w;

	alone_init(&a);
	alone_begin(&a);
	job_next(a.job, 1, &w); /* opening */
	a.job->stage = (enum job_stage)99;
	job_opened(a.job, 0, NULL, 0, 2);
	job_ended(a.job, USB_OK, NULL, 0, 2);
	a.job->stage = JOB_ASK;
	a.job->crtp.stage = CRTP_STAGE_OVER;
	a.job->stage = (enum job_stage)99;
	a.job->deadline_us = 1;
	job_tick(a.job, 2);
	assert_int_equal(job_step(a.job), STEP_ASKING);
	a.job->stage = JOB_ENDING;
	a.job->deadline_us = 1;
	job_tick(a.job, 2);
	assert_int_equal(job_stage(a.job), JOB_ENDING);
	alone_free(&a);
}

TEST(a_node_that_is_gone_before_the_request_is_an_unplug_and_after_it_a_reboot)
{
	struct alone a;

	for (int touched = 0; touched < 2; touched++) {
		alone_init(&a);
		alone_begin(&a);
		a.job->stage = JOB_REQUEST;
		a.job->device = DEVICE_OPENING;
		a.job->touched = touched;
		job_opened(a.job, -ENODEV, NULL, 0, 5);
		assert_int_equal(job_stage(a.job), touched ? JOB_AWAIT_DFU : JOB_OVER);
		alone_free(&a);
	}
}

TEST(a_job_of_no_kind_ends_in_the_common_words)
{
	struct alone a;

	alone_init(&a);
	alone_begin(&a);
	a.job->setup.kind = (enum job_kind)99;
	job_finish(a.job, (struct verdict){ .kind = VERDICT_PASS, .step = STEP_ASKING }, NULL, 5);
	assert_true(job_record(a.job)->message[0] != '\0');
	job_await_gone(a.job, 10);
	job_await_gone(a.job, 20); /* said twice: the first counts */
	assert_int_equal(a.job->deadline_us, 500010);
	alone_free(&a);
	alone_init(&a);
	a.options.adopt = (enum job_adopt)99;
	a.in_dfu = true;
	assert_int_equal(alone_ending(&a).kind, VERDICT_NONE);
	assert_true(job_foreign(a.job));
	alone_free(&a);
}

TEST(a_rescued_drone_that_does_not_restart_is_told_so)
{
	static const struct image_label label = { .name = "loader" };
	static uint8_t bytes[2048] = { 1, 2, 3 };
	struct segment s = { 0, 0x08000000, sizeof(bytes), bytes };
	struct alone a;

	set_up_dfu(&a);
	alone_arm(&a, "leave-dfu at=1");
	a.setup.kind = JOB_RECOVER_LOADER;
	assert_int_equal(image_new(&s, 1, &label, &a.loader), 0);
	a.setup.image = a.loader;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_NEEDS_POWER_CYCLE, FAULT_NONE);
	assert_non_null(strstr(job_record(a.job)->message, "it is flashed then"));
	alone_free(&a);
}

TEST(a_reset_that_the_host_has_no_memory_for_is_asked_for_again)
{
	struct alone a;

	set_up_dfu(&a);
	alone_arm(&a, "stall at=30 in=dfu on=upload count=4");
	alone_arm(&a, "nomem at=1 in=dfu on=reset count=3");
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

TEST(a_device_that_gives_trouble_while_it_is_probed)
{
	static const char *const stall = "stall at=2 in=dfu on=getstatus count=40";
	static const struct {
		const char *fate;
		enum job_adopt adopt;
		enum job_kind kind;
		bool interrupted;
		enum verdict_kind verdict; /* NONE: a stranger */
		enum fault fault;
		const char *words; /* of a stranger that the host could not look at */
	} cases[] = {
		{ stall, JOB_ADOPT_RECOGNISED, JOB_UPDATE, false, VERDICT_NONE, FAULT_NONE, NULL },
		{ stall, JOB_ADOPT_PORT, JOB_UPDATE, false, VERDICT_FAIL, FAULT_STALL, NULL },
		{ stall, JOB_ADOPT_RECOGNISED, JOB_UPDATE, true, VERDICT_FAIL, FAULT_STALL, NULL },
		{ stall, JOB_ADOPT_RECOGNISED, JOB_BACKUP, false, VERDICT_FAIL, FAULT_STALL, NULL },
		{ "nomem at=8 in=dfu on=any count=300", JOB_ADOPT_RECOGNISED, JOB_UPDATE, false,
		  VERDICT_NONE, FAULT_NONE, "no memory left" },
		{ "nomem at=8 in=dfu on=any count=300", JOB_ADOPT_RECOGNISED, JOB_UPDATE, true,
		  VERDICT_FAIL, FAULT_NO_MEMORY, NULL },
		{ "open-busy count=40", JOB_ADOPT_NEVER, JOB_UPDATE, false, VERDICT_NONE,
		  FAULT_NONE, "another program" },
		{ "open-busy count=40", JOB_ADOPT_NEVER, JOB_UPDATE, true, VERDICT_FAIL, FAULT_BUSY,
		  NULL },
		{ "open-access count=40", JOB_ADOPT_RECOGNISED, JOB_UPDATE, false, VERDICT_NONE,
		  FAULT_NONE, "udev rule" },
		/* Recognised, and not yet begun. */
		{ "nomem at=12 in=dfu on=upload count=300", JOB_ADOPT_RECOGNISED, JOB_UPDATE, false,
		  VERDICT_FAIL, FAULT_NO_MEMORY, NULL },
	};
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_up_dfu(&a);
		a.options.adopt = cases[i].adopt;
		a.setup.kind = cases[i].kind;
		a.history = (struct drone_history){ .interrupted = cases[i].interrupted };
		alone_arm(&a, cases[i].fate);
		(void)alone_ending(&a);
		alone_expect_ended(&a, cases[i].verdict, cases[i].fault);
		assert_int_equal(job_foreign(a.job),
				 cases[i].verdict == VERDICT_NONE && cases[i].words == NULL);
		if (cases[i].words != NULL)
			assert_non_null(strstr(job_idle_reason(a.job), cases[i].words));
		alone_free(&a);
	}
}

TEST(a_stranger_that_cannot_be_opened_has_no_attempt)
{
	struct alone a;

	set_up_dfu(&a);
	a.history = (struct drone_history){ .known = false };
	a.open_error = -EIO;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_NONE, FAULT_NONE);
	assert_non_null(strstr(job_idle_reason(a.job), "cannot be opened"));
	alone_free(&a);
}

TEST(a_silent_drone_that_stalls_the_request_is_silent)
{
	struct alone a;

	alone_init(&a);
	a.drone.silent = true;
	assert_int_equal(world_add(a.world, ALONE_PORT, NULL, NULL, &a.drone), 0);
	alone_arm(&a, "stall at=2 in=runtime on=vendor count=40");
	alone_begin(&a);
	(void)alone_play(&a);
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_SILENT);
	alone_free(&a);
}

/* ---- changed behind its back ------------------------------------------------------------- */

TEST(a_modified_build_is_never_believed_by_its_version)
{
	struct alone a;

	alone_init(&a);
	a.options.skip = JOB_SKIP_VERSION;
	policy_select(a.policy, PLATFORM_CF2, a.before);
	copy_text(a.drone.version, sizeof(a.drone.version), image_label(a.before)->version);
	copy_text(a.drone.revision, sizeof(a.drone.revision), image_label(a.before)->revision);
	a.drone.modified = 1;
	(void)alone_ending(&a);
	assert_true(a.job->answers.build_known && a.job->answers.modified);
	assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->reboots, 1);
	alone_free(&a);
}

static void
is_gone_while_confirming(struct alone *a)
{
	struct job *j = a->job;

	if (j->stage == JOB_CONFIRM && j->in_flight && !a->meddled) {
		a->meddled = true;
		job_ended(j, USB_GONE, NULL, 0, world_now_us(a->world));
		world_close(a->world, a->dev);
		world_unplug(a->world, ALONE_PORT);
	}
}

TEST(a_transfer_may_know_before_the_bus_that_it_is_gone)
{
	struct alone a;

	alone_init(&a);
	a.meddle = is_gone_while_confirming;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_GONE);
	alone_free(&a);
}

static void
waits_for_a_turn(struct alone *a)
{
	uint64_t now_us = world_now_us(a->world);
	struct job *j = a->job;
	struct request w;

	if (j->waiting_permit || j->in_flight || (j->stage != JOB_FLASH && j->stage != JOB_SWITCH))
		return;
	j->waiting_permit = true; /* standing in a queue, for an hour */
	if (j->attempt_deadline_us != 0)
		job_tick(j, j->attempt_deadline_us + 1);
	if (j->stage == JOB_SWITCH) {
		job_next(j, now_us, &w);
		assert_int_equal(w.kind, REQUEST_NOTHING);
	}
	j->waiting_permit = false;
	if (j->stage == JOB_FLASH && flash_stage(&j->flash) == FLASH_PROBED && j->digest_done &&
	    j->device == DEVICE_OPEN) {
		j->digest_done = false; /* not answered yet */
		job_next(j, now_us, &w);
		assert_int_equal(w.kind, REQUEST_NOTHING);
		j->digest_done = true;
	}
}

TEST(waiting_is_not_the_drones_fault)
{
	struct alone a;

	alone_init(&a);
	a.meddle = waits_for_a_turn;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

static void
has_erased_before(struct alone *a)
{
	if (a->job->stage == JOB_FLASH && flash_stage(&a->job->flash) == FLASH_LEAVE)
		a->job->record.sectors_erased = 1;
}

TEST(what_was_erased_is_not_called_unchanged)
{
	struct alone a;

	alone_init(&a);
	policy_select(a.policy, PLATFORM_CF2, a.before);
	a.meddle = has_erased_before;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

static void
is_parting(struct alone *a)
{
	if (a->job->stage == JOB_FLASH && flash_stage(&a->job->flash) == FLASH_LEAVE)
		a->job->parting = (struct verdict){ .kind = VERDICT_SKIPPED };
}

TEST(a_drone_that_will_not_leave_has_not_failed_when_it_holds_the_image)
{
	struct alone a;

	for (int parting = 0; parting < 2; parting++) {
		set_up_dfu(&a);
		alone_arm(&a, "stall at=1 in=dfu on=leave count=90");
		a.meddle = parting ? is_parting : NULL;
		(void)alone_ending(&a);
		assert_int_equal(job_record(a.job)->verdict.kind,
				 parting ? VERDICT_SKIPPED : VERDICT_NEEDS_POWER_CYCLE);
		alone_free(&a);
	}
	set_up_dfu(&a); /* verified, stays; then nothing can be said to it any more */
	alone_arm(&a, "no-leave at=1 count=9");
	alone_arm(&a, "stall at=1 in=dfu on=clrstatus count=90");
	(void)alone_ending(&a);
	assert_int_not_equal(job_record(a.job)->verdict.kind, VERDICT_PASS);
	alone_free(&a);
}

static void
stops_listening(struct alone *a)
{
	if (a->job->only_leave && !a->meddled && a->job->stage == JOB_FLASH) {
		a->meddled = true;
		alone_arm(a, "stall at=1 in=dfu on=getstatus count=90");
	}
}

TEST(a_verified_drone_that_fails_at_another_step_has_failed)
{
	struct alone a;

	set_up_dfu(&a);
	alone_arm(&a, "no-leave at=1 count=9");
	a.meddle = stops_listening;
	(void)alone_ending(&a);
	assert_int_not_equal(job_record(a.job)->verdict.kind, VERDICT_PASS);
	alone_free(&a);
}

static void
platform_is_mistaken(struct alone *a)
{
	if (a->job->stage == JOB_AWAIT_DFU)
		a->job->record.platform = PLATFORM_BOLT;
}

TEST(a_drone_taken_for_another_platform_does_not_get_the_pinned_image)
{
	static const char *const otps[] = { "0;ZZ99", "0;CF21", "0;CB10" };
	struct alone a;

	for (size_t i = 0; i < ARRAY_LEN(otps); i++) {
		alone_init(&a);
		copy_text(a.drone.otp, sizeof(a.drone.otp), otps[i]);
		copy_text(a.drone.type, sizeof(a.drone.type), "Crazyflie 2.1");
		a.drone.boots_anything = true;
		a.meddle = platform_is_mistaken;
		(void)alone_ending(&a);
		assert_int_equal(job_record(a.job)->verdict.kind, VERDICT_SKIPPED);
		assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->erases, 0);
		alone_free(&a);
	}
	set_up_dfu(&a); /* nothing pinned: records and OTP contradict each other */
	copy_text(a.history.serial, sizeof(a.history.serial), "");
	a.history.platform = PLATFORM_BOLT;
	policy_select(a.policy, PLATFORM_BOLT, a.image);
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_SKIPPED, FAULT_PLATFORM);
	alone_free(&a);
}

static void
platform_is_forgotten(struct alone *a)
{
	if (a->job->stage != JOB_AWAIT_DFU)
		return;
	a->job->record.platform = PLATFORM_UNKNOWN;
	policy_select(a->policy, PLATFORM_CF2, NULL);
}

TEST(a_pinned_image_stays_when_nothing_speaks_against_it)
{
	struct alone a;

	alone_init(&a);
	copy_text(a.drone.otp, sizeof(a.drone.otp), "0;ZZ99");
	copy_text(a.drone.type, sizeof(a.drone.type), "Crazyflie 2.1");
	a.drone.boots_anything = true;
	a.meddle = platform_is_forgotten;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

static void
skips_questions(struct alone *a)
{
	struct crtp *c = &a->job->crtp;

	if ((a->job->stage == JOB_ASK && c->stage == CRTP_STAGE_TOC) ||
	    (a->job->stage == JOB_CONFIRM && c->stage == CRTP_STAGE_VERSION)) {
		c->stage = CRTP_STAGE_UNLINK;
		c->sent = false;
	}
}

TEST(a_drone_that_says_nothing_when_it_is_back_is_silent)
{
	struct alone a;

	alone_init(&a);
	a.options.skip = JOB_SKIP_VERSION; /* its build stays unknown, too */
	policy_select(a.policy, PLATFORM_CF2, a.before);
	a.meddle = skips_questions;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_SILENT);
	assert_false(a.job->answers.build_known);
	alone_free(&a);
}

TEST(word_parallelism_that_is_refused_is_noted_and_nothing_lost)
{
	struct alone a;

	for (int works = 0; works < 2; works++) {
		alone_init(&a);
		a.options.word = true;
		a.drone.feature_readable = a.drone.feature_effective = works;
		(void)alone_ending(&a);
		alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
		assert_int_equal(job_record(a.job)->word_refused, !works);
		alone_free(&a);
	}
}

TEST(bus_errors_that_stay_are_the_buses_fault_after_one_reset)
{
	struct alone a;

	set_up_dfu(&a);
	alone_arm(&a, "eproto at=20 in=dfu on=upload count=900");
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_BUS);
	assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->resets, 1);
	alone_free(&a);
}

TEST(a_known_drone_that_loses_its_serial_by_a_reset_is_no_stranger)
{
	struct alone a;

	set_up_dfu(&a);
	a.options.adopt = JOB_ADOPT_KNOWN;
	a.history.known = true;
	a.history.platform = PLATFORM_CF2;
	alone_arm(&a, "no-serial at=2 in=dfu");
	alone_arm(&a, "disconnect at=1 in=dfu on=reset back=300");
	alone_arm(&a, "busy-forever at=1 in=dfu on=data");
	(void)alone_ending(&a);
	assert_true(a.opens >= 2);
	assert_true(job_record(a.job)->no_serial);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_stage_hears_nothing),
		cmocka_unit_test(
		    a_node_that_is_gone_before_the_request_is_an_unplug_and_after_it_a_reboot),
		cmocka_unit_test(a_job_of_no_kind_ends_in_the_common_words),
		cmocka_unit_test(a_rescued_drone_that_does_not_restart_is_told_so),
		cmocka_unit_test(a_reset_that_the_host_has_no_memory_for_is_asked_for_again),
		cmocka_unit_test(a_device_that_gives_trouble_while_it_is_probed),
		cmocka_unit_test(a_stranger_that_cannot_be_opened_has_no_attempt),
		cmocka_unit_test(a_silent_drone_that_stalls_the_request_is_silent),
		cmocka_unit_test(a_modified_build_is_never_believed_by_its_version),
		cmocka_unit_test(a_transfer_may_know_before_the_bus_that_it_is_gone),
		cmocka_unit_test(waiting_is_not_the_drones_fault),
		cmocka_unit_test(what_was_erased_is_not_called_unchanged),
		cmocka_unit_test(
		    a_drone_that_will_not_leave_has_not_failed_when_it_holds_the_image),
		cmocka_unit_test(a_verified_drone_that_fails_at_another_step_has_failed),
		cmocka_unit_test(a_drone_taken_for_another_platform_does_not_get_the_pinned_image),
		cmocka_unit_test(a_drone_that_says_nothing_when_it_is_back_is_silent),
		cmocka_unit_test(word_parallelism_that_is_refused_is_noted_and_nothing_lost),
		cmocka_unit_test(bus_errors_that_stay_are_the_buses_fault_after_one_reset),
		cmocka_unit_test(a_known_drone_that_loses_its_serial_by_a_reset_is_no_stranger),
		cmocka_unit_test(a_pinned_image_stays_when_nothing_speaks_against_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
