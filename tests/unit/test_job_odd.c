/* SPDX-License-Identifier: MIT */
/* One job without a fleet: what hardly ever comes, or never should, and comes all the same. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#include "cfdfu/dfu.h"
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

TEST(a_node_that_is_gone_before_anything_was_said_is_an_unplug)
{
	struct alone a;
	struct request w;

	alone_init(&a);
	alone_begin(&a);
	job_next(a.job, 1, &w);
	assert_int_equal(w.kind, REQUEST_OPEN);
	job_opened(a.job, -ENODEV, NULL, 0, 5);
	assert_int_equal(job_stage(a.job), JOB_OVER);
	alone_free(&a);
}

TEST(a_device_that_no_rule_adopts_is_foreign)
{
	struct alone a;

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
		enum verdict_kind verdict; /* NONE: foreign */
		enum fault fault;
		const char *words; /* of a foreign device that the host could not probe */
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
			assert_non_null(strstr(alone_words(&a), cases[i].words));
		alone_free(&a);
	}
}

TEST(a_foreign_device_that_cannot_be_opened_has_no_attempt)
{
	struct alone a;

	set_up_dfu(&a);
	a.history = (struct drone_history){ .known = false };
	a.open_error = -EIO;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_NONE, FAULT_NONE);
	assert_non_null(strstr(alone_words(&a), "cannot be opened"));
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
	assert_true(a.toc.toc[0].header != 0); /* it was asked which build it is */
	assert_int_equal(drone_counters(world_drone(a.world, ALONE_PORT))->reboots, 1);
	alone_free(&a);
}

static void
is_gone_while_confirming(struct alone *a)
{
	if (job_stage(a->job) == JOB_CONFIRM && a->in_flight && !a->meddled) {
		a->meddled = true;
		job_ended(a->job, USB_GONE, NULL, 0, world_now_us(a->world));
		world_close(a->world, a->dev);
		world_unplug(a->world, ALONE_PORT);
	}
}

TEST(a_transfer_may_report_a_removal_before_the_bus_does)
{
	struct alone a;

	alone_init(&a);
	a.meddle = is_gone_while_confirming;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_FAIL, FAULT_GONE);
	alone_free(&a);
}

TEST(waiting_in_a_queue_is_not_counted_against_the_drone)
{
	struct alone a;

	alone_init(&a);
	a.queue_us = 3600000000ULL;
	(void)alone_ending(&a);
	alone_expect_ended(&a, VERDICT_PASS, FAULT_NONE);
	alone_free(&a);
}

/* Reset when the last block is read back: the second plan finds nothing left to write. */
TEST(a_drone_that_was_erased_is_not_called_unchanged)
{
	const struct drone_counters *c;
	unsigned uploads, erases;
	char fate[64];
	struct alone a;

	set_up_dfu(&a);
	alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
	c = drone_counters(world_drone(a.world, ALONE_PORT));
	uploads = (unsigned)c->dfu[DFU_UPLOAD];
	erases = (unsigned)c->erases;
	alone_free(&a);
	set_up_dfu(&a);
	(void)snprintf(fate, sizeof(fate), "stall at=%u in=dfu on=upload count=4", uploads);
	alone_arm(&a, fate);
	alone_expect_ending(&a, VERDICT_PASS, FAULT_NONE);
	c = drone_counters(world_drone(a.world, ALONE_PORT));
	assert_int_equal(c->resets, 1);
	assert_int_equal(c->erases, erases);
	alone_free(&a);
}

TEST(a_drone_that_will_not_leave_has_not_failed_when_it_holds_the_image)
{
	struct alone a;

	set_up_dfu(&a);
	alone_arm(&a, "stall at=1 in=dfu on=leave count=90");
	alone_expect_ending(&a, VERDICT_NEEDS_POWER_CYCLE, FAULT_NO_LEAVE);
	alone_free(&a);
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
	if (a->came_back && !a->meddled && job_stage(a->job) == JOB_FLASH) {
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

TEST(a_drone_that_records_and_otp_name_differently_is_skipped)
{
	struct alone a;

	set_up_dfu(&a);
	copy_text(a.history.serial, sizeof(a.history.serial), "");
	a.history.platform = PLATFORM_BOLT;
	policy_select(a.policy, PLATFORM_BOLT, a.image);
	alone_expect_ending(&a, VERDICT_SKIPPED, FAULT_PLATFORM);
	alone_free(&a);
}

static void
says_nothing_any_more(struct alone *a)
{
	if (job_stage(a->job) == JOB_CONFIRM && !a->meddled) {
		a->meddled = true;
		alone_arm(a, "silent at=1 in=runtime on=any");
	}
}

TEST(a_drone_that_says_nothing_when_it_is_back_is_silent)
{
	struct alone a;

	alone_init(&a);
	a.meddle = says_nothing_any_more;
	alone_expect_ending(&a, VERDICT_FAIL, FAULT_SILENT);
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

TEST(a_known_drone_that_loses_its_serial_by_a_reset_is_not_foreign)
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

TEST_MAIN(NULL)
