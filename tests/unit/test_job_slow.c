/* SPDX-License-Identifier: MIT */
/* A drone that takes longer to leave than the host waits: what was asked for is not a failure. */
#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "test.h"

#include "core/job.h"

enum { SECOND = 1000000 };

static const struct job_options options = { .dfu_timeout_us = 10 * SECOND,
					    .boot_timeout_us = 10 * SECOND,
					    .attempt_timeout_us = 180 * SECOND };

struct play {
	struct policy *policy;
	struct image *image;
	struct crtp_tocs toc;
	const struct device *profile;
	struct job *job;
	struct request want;
	uint64_t now;
};

static struct play *
begin(void)
{
	static struct play p;
	static const uint8_t bytes[16] = { 1 };
	struct segment segment = { .addr = 0x08004000, .size = sizeof(bytes), .data = bytes };
	struct image_label label = { .name = "new", .platforms = BIT(PLATFORM_CF2) };
	struct sighting s = { .port = "1-4",
			      .arrival = 1,
			      .vid = 0x0483,
			      .pid = 0x5740,
			      .manufacturer = "Bitcraze AB",
			      .serial = "30002D000B51343333353132" };
	struct drone_history history = { .known = true, .platform = PLATFORM_CF2 };
	struct job_setup setup = { .options = &options, .toc = &p.toc };

	p = (struct play){ .now = SECOND, .profile = device_crazyflie() };
	assert_int_equal(policy_new(&p.policy), 0);
	assert_int_equal(image_new(&segment, 1, &label, &p.image), 0);
	policy_select(p.policy, PLATFORM_CF2, p.image);
	setup.policy = p.policy;
	setup.profiles = &p.profile;
	setup.profile_count = 1;
	assert_int_equal(job_new(&setup, &s, &history, p.now, &p.job), 0);
	return &p;
}

static void
end(struct play *p)
{
	job_free(p->job);
	image_unref(p->image);
	policy_free(p->policy);
}

/* Plays the shell's part; every transfer ends with status. */
static void
play_until(struct play *p, enum job_stage stage, enum usb_status status)
{
	for (unsigned i = 0; i < 200 && job_stage(p->job) != stage; i++) {
		job_next(p->job, p->now, &p->want);
		switch (p->want.kind) {
		case REQUEST_OPEN:
			job_opened(p->job, 0, NULL, 0, p->now);
			break;
		case REQUEST_XFER:
			job_ended(p->job, status, NULL, 0, p->now);
			break;
		case REQUEST_PERMIT:
			job_granted(p->job, p->want.permit, p->now);
			break;
		case REQUEST_BEGIN:
			job_recorded(p->job, 0, 1, p->now);
			break;
		case REQUEST_PAUSE:
			p->now = p->want.until_us;
			break;
		case REQUEST_NOTHING:
			p->now += SECOND;
			job_tick(p->job, p->now);
			break;
		case REQUEST_CLOSE:
		case REQUEST_END:
		case REQUEST_DIGEST:
		case REQUEST_BACKUP:
		case REQUEST_OVER:
		case REQUEST_EVENT:
			break;
		}
	}
	assert_int_equal(job_stage(p->job), stage);
}

/* Asked once with an error, still there after two seconds, and about to be asked again. */
static struct play *
asked_in_vain(void)
{
	struct play *p = begin();

	play_until(p, JOB_AWAIT_DFU, USB_TIMEOUT);
	play_until(p, JOB_SWITCH, USB_TIMEOUT);
	return p;
}

TEST(a_drone_that_goes_before_it_is_asked_again_is_waited_for)
{
	struct play *p = asked_in_vain();

	job_gone(p->job, p->now);
	assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
	end(p);
}

TEST(a_drone_that_is_gone_when_it_is_opened_again_is_waited_for)
{
	struct play *p = asked_in_vain();

	play_until(p, JOB_REQUEST, USB_TIMEOUT);
	job_next(p->job, p->now, &p->want);
	if (p->want.kind == REQUEST_OPEN)
		job_opened(p->job, -ENODEV, NULL, 0, p->now);
	else
		job_gone(p->job, p->now);
	assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
	end(p);
}

TEST(a_drone_pulled_before_it_was_asked_is_gone)
{
	struct play *p = begin();

	play_until(p, JOB_SWITCH, USB_TIMEOUT);
	job_next(p->job, p->now, &p->want);
	job_gone(p->job, p->now);
	assert_int_not_equal(job_stage(p->job), JOB_AWAIT_DFU);
	end(p);
}

TEST(a_node_that_is_no_more_means_that_the_drone_is_on_its_way)
{
	struct play *p = begin();

	play_until(p, JOB_AWAIT_DFU, USB_TIMEOUT);
	/* The kernel has closed the handle's device; the word of it is late. */
	play_until(p, JOB_REQUEST, USB_TIMEOUT);
	job_next(p->job, p->now, &p->want);
	if (p->want.kind != REQUEST_OPEN) {
		job_ended(p->job, USB_GONE, NULL, 0, p->now);
		assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
	} else {
		job_opened(p->job, -ENOENT, NULL, 0, p->now);
		assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
	}
	end(p);
}

TEST(the_more_drones_are_on_their_way_the_longer_each_is_waited_for)
{
	struct play *p = begin();
	uint64_t alone;

	play_until(p, JOB_AWAIT_DFU, USB_TIMEOUT);
	job_allow_contention(p->job, 14); /* it has not left, as far as we know */
	assert_int_equal(job_deadline_us(p->job), p->now + 2 * SECOND);
	job_gone(p->job, p->now);
	assert_true(job_awaits(p->job));
	alone = job_deadline_us(p->job);
	job_allow_contention(p->job, 14);
	assert_int_equal(job_deadline_us(p->job), alone + 14 * SECOND);
	job_allow_contention(p->job, 3); /* fewer now: what was given stays */
	assert_int_equal(job_deadline_us(p->job), alone + 14 * SECOND);
	job_tick(p->job, alone + SECOND);
	assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
	job_tick(p->job, alone + 14 * SECOND);
	assert_int_not_equal(job_stage(p->job), JOB_AWAIT_DFU);
	end(p);
}

TEST(contention_extends_only_the_wait_for_an_arrival)
{
	struct play *p = begin();
	uint64_t before = job_deadline_us(p->job);

	job_allow_contention(p->job, 14);
	assert_int_equal(job_deadline_us(p->job), before);
	end(p);
}

/* The word of its leaving comes late, too, and a drone that leaves later is no old nRF51. */
TEST(contention_extends_the_wait_for_a_drone_that_is_switched_off)
{
	static struct dfu_session dfu;
	struct attempt a = { .dfu = &dfu, .stage = JOB_RESTART };

	attempt_await(&a, JOB_AWAIT_RESTART, false, 2 * SECOND, SECOND);
	attempt_allow_contention(&a, 14);
	assert_int_equal(attempt_deadline_us(&a), (1 + 2 + 14) * SECOND);
	attempt_has_vanished(&a, 10 * SECOND, 5 * SECOND);
	attempt_allow_contention(&a, 3);
	assert_int_equal(attempt_deadline_us(&a), (5 + 10 + 3) * SECOND);
}

/* The request ends with one status; two seconds later nothing has left, and the question ends with
 * the other. */
static struct play *
asked_and_looked(enum usb_status request, enum usb_status look)
{
	struct play *p = begin();

	play_until(p, JOB_REQUEST, USB_TIMEOUT);
	play_until(p, JOB_AWAIT_DFU, request);
	play_until(p, JOB_SWITCH, USB_OK);
	play_until(p, JOB_REQUEST, USB_OK);
	for (unsigned i = 0; i < 10 && job_stage(p->job) == JOB_REQUEST; i++) {
		job_next(p->job, p->now, &p->want);
		if (p->want.kind == REQUEST_OPEN)
			job_opened(p->job, 0, NULL, 0, p->now);
		if (p->want.kind != REQUEST_XFER)
			continue;
		if (p->want.xfer.setup.request_type == 0x40)
			break; /* the reboot request, once more */
		assert_int_equal(p->want.xfer.setup.request, 6);
		job_ended(p->job, look, NULL, 0, p->now);
	}
	return p;
}

TEST(a_drone_that_still_answers_gets_the_request_again)
{
	static const enum usb_status answers[] = { USB_OK, USB_STALL, USB_OVERFLOW };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct play *p = asked_and_looked(USB_OK, answers[i]);

		assert_int_equal(job_stage(p->job), JOB_REQUEST);
		assert_int_equal(p->want.xfer.setup.request_type, 0x40);
		end(p);
	}
}

TEST(a_drone_that_does_not_answer_is_rebooting)
{
	static const enum usb_status statuses[] = { USB_GONE, USB_IO, USB_TIMEOUT };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct play *p = asked_and_looked(USB_OK, statuses[i]);

		assert_int_equal(job_stage(p->job), JOB_AWAIT_DFU);
		assert_int_equal(job_deadline_us(p->job), p->now + 10 * SECOND);
		end(p);
	}
}

TEST(a_drone_that_refused_and_still_answers_is_asked_once_more)
{
	struct play *p = asked_and_looked(USB_STALL, USB_OK);

	assert_int_equal(job_stage(p->job), JOB_REQUEST);
	assert_int_equal(p->want.xfer.setup.request_type, 0x40);
	end(p);
}

TEST_MAIN(NULL)
