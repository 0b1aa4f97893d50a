/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "job_alone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "core/platform.h"
#include "flow/station.h"

enum { STEPS_MAX = 200000 };

static void
on_sighted(void *ctx, const struct sighting *s)
{
	struct alone *a = ctx;

	a->sighting = *s;
	a->sighted = true;
	if (a->job != NULL && !a->disowned)
		a->disowned = !job_sighted(a->job, s, world_now_us(a->world));
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct alone *a = ctx;

	(void)port;
	(void)arrival;
	a->sighted = false;
	if (a->dev != 0)
		world_close(a->world, a->dev);
	a->dev = 0;
	if (a->job != NULL && !a->disowned)
		job_gone(a->job, world_now_us(a->world));
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct alone *a = ctx;

	if (id != a->dev)
		return;
	if (error < 0)
		a->dev = 0;
	if (a->job != NULL)
		job_opened(a->job, error, descriptors, length, world_now_us(a->world));
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct alone *a = ctx;

	(void)kind;
	a->in_flight = false;
	if (id == a->dev && a->job != NULL)
		job_ended(a->job, status, data, length, world_now_us(a->world));
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
};

void
alone_init(struct alone *a)
{
	struct station_options o;

	memset(a, 0, sizeof(*a));
	station_options_init(&o, 1);
	drone_config_init(&a->drone, 7);
	drone_timing_fast(&a->drone.timing);
	a->options = o.fleet.job;
	a->setup.kind = JOB_UPDATE;
	a->list[0] = device_crazyflie();
	a->setup.profile_count = 1;
	a->before = station_image("cf2", "2024.10", 0, 3);
	a->image = station_image("cf2", "2026.08", 0, 4);
	assert_int_equal(policy_new(&a->policy), 0);
	policy_select(a->policy, PLATFORM_CF2, a->image);
	assert_int_equal(world_new(1, &callbacks, a, &a->world), 0);
}

void
alone_free(struct alone *a)
{
	job_free(a->job);
	a->job = NULL;
	world_free(a->world);
	policy_free(a->policy);
	image_unref(a->image);
	image_unref(a->before);
	image_unref(a->loader);
}

void
alone_arm(struct alone *a, const char *text)
{
	char error[128];
	struct fate fate;

	assert_int_equal(fate_parse(text, &fate, error, sizeof(error)), 0);
	assert_int_equal(world_arm(a->world, ALONE_PORT, &fate), 0);
}

void
alone_begin(struct alone *a)
{
	const struct segment *s = image_segment(a->before, 0);

	if (world_port(a->world, 0) == NULL)
		assert_int_equal(world_add(a->world, ALONE_PORT, NULL, NULL, &a->drone), 0);
	if (a->drone.model == DRONE_CRAZYFLIE)
		assert_int_equal(
		    drone_load(world_drone(a->world, ALONE_PORT), s->addr, s->data, s->size), 0);
	for (size_t i = 1; i < a->setup.profile_count; i++)
		a->list[i] = &a->profiles[i - 1];
	a->setup.options = &a->options;
	a->setup.policy = a->policy;
	a->setup.profiles = a->list;
	a->setup.toc = &a->toc;
	if (a->in_dfu)
		(void)world_button_entry(a->world, ALONE_PORT);
	else
		(void)world_plug(a->world, ALONE_PORT);
	while (!a->sighted)
		assert_true(world_run_one(a->world));
	assert_int_equal(
	    job_new(&a->setup, &a->sighting, &a->history, world_now_us(a->world), &a->job), 0);
}

/* Until the next event of the drone, the job's deadline, or the end of its pause. */
static bool
wait_on(struct alone *a)
{
	uint64_t world = world_next_us(a->world), own = job_deadline_us(a->job);

	if (a->wake_us != 0 && a->wake_us < own)
		own = a->wake_us;
	if (world == WORLD_NEVER && own == UINT64_MAX)
		return false;
	if (world <= own)
		return world_run_one(a->world);
	world_advance(a->world, own);
	job_tick(a->job, world_now_us(a->world));
	return true;
}

static void
perform_transfer(struct alone *a, const struct request *w)
{
	a->in_flight = world_submit(a->world, a->dev, &w->xfer) == 0;
	if (!a->in_flight)
		job_ended(a->job, USB_GONE, NULL, 0, world_now_us(a->world));
}

/* While it stands in the queue, for however long, nothing is due and nothing is requested. */
static void
grant(struct alone *a, enum permit permit)
{
	struct request w;

	if (a->queue_us > 0) {
		assert_int_equal(job_deadline_us(a->job), UINT64_MAX);
		world_advance(a->world, world_now_us(a->world) + a->queue_us);
		job_tick(a->job, world_now_us(a->world));
		job_next(a->job, world_now_us(a->world), &w);
		assert_int_equal(w.kind, REQUEST_NOTHING);
	}
	job_granted(a->job, permit, world_now_us(a->world));
}

/* Asked for once, and not again before it is answered. */
static void
digest(struct alone *a)
{
	struct request w;

	job_next(a->job, world_now_us(a->world), &w);
	assert_int_equal(w.kind, REQUEST_NOTHING);
	job_digest(a->job, "ab12", a->recognised);
}

/* Performs a request of the job, as the shell does; false: it has to wait for something. */
static bool
perform(struct alone *a, const struct request *w)
{
	struct request meanwhile;
	uint64_t now_us = world_now_us(a->world);

	switch (w->kind) {
	case REQUEST_NOTHING:
	case REQUEST_OVER:
	case REQUEST_EVENT:
		return false;
	case REQUEST_PAUSE:
		a->wake_us = w->until_us;
		return false;
	case REQUEST_OPEN:
		a->dev = ++a->opens;
		if (a->open_error < 0)
			job_opened(a->job, a->open_error, NULL, 0, now_us);
		else if (world_open(a->world, a->dev, a->sighting.arrival) < 0)
			job_opened(a->job, -ENODEV, NULL, 0, now_us);
		return true;
	case REQUEST_XFER:
		perform_transfer(a, w);
		return true;
	case REQUEST_CLOSE:
		a->in_flight = false;
		world_close(a->world, a->dev);
		a->dev = 0;
		return true;
	case REQUEST_PERMIT:
		grant(a, w->permit);
		return true;
	case REQUEST_BEGIN:
		/* doc/promises.md 1.4: nothing is done to the drone before its row is durable. */
		job_next(a->job, now_us, &meanwhile);
		assert_int_equal(meanwhile.kind, REQUEST_NOTHING);
		a->begins += a->begin_error == 0;
		job_recorded(a->job, a->begin_error, 17, now_us);
		a->begin_error = 0;
		return true;
	case REQUEST_END:
		a->ends += a->end_error == 0;
		job_recorded(a->job, a->end_error, 17, now_us);
		a->end_error = 0;
		return true;
	case REQUEST_DIGEST:
		digest(a);
		return true;
	case REQUEST_BACKUP:
		a->backups++;
		a->kept_bytes = w->length;
		job_backed_up(a->job, a->backup_error);
		return true;
	}
	return false;
}

bool
alone_play(struct alone *a)
{
	for (a->steps = 1; a->steps < STEPS_MAX; a->steps++) {
		struct request w;

		if (a->meddle != NULL && (a->meddle_at == 0 || a->steps == a->meddle_at)) {
			a->meddled = a->meddled || a->meddle_at > 0;
			a->meddle(a);
		}
		a->wake_us = 0;
		a->came_back = a->came_back || job_stage(a->job) == JOB_AWAIT_RUNTIME;
		job_next(a->job, world_now_us(a->world), &w);
		if (w.kind == REQUEST_OVER)
			return true;
		if (!perform(a, &w) && !wait_on(a))
			return false;
	}
	return false;
}

struct verdict
alone_ending(struct alone *a)
{
	alone_begin(a);
	if (!alone_play(a))
		fail_msg("the job does not end: stage %d", job_stage(a->job));
	assert_int_equal(job_published(a->job), job_record(a->job)->verdict.kind != VERDICT_NONE);
	/* One row, one ending; and no ending without its row. */
	assert_int_equal(a->ends, job_published(a->job));
	assert_true(a->begins <= 1 && a->begins >= a->ends);
	return job_record(a->job)->verdict;
}

const char *
alone_words(const struct alone *a)
{
	return job_record(a->job)->message;
}

void
alone_expect_ended(const struct alone *a, enum verdict_kind kind, enum fault fault)
{
	const struct verdict *v = &job_record(a->job)->verdict;

	if (v->kind != kind || v->fault != fault)
		fail_msg("ended as %s (%s, %s) rather than %s (%s): %s", verdict_name(v->kind),
			 fault_name(v->fault), step_name(v->step), verdict_name(kind),
			 fault_name(fault), job_record(a->job)->message);
}

void
alone_expect_ending(struct alone *a, enum verdict_kind kind, enum fault fault)
{
	(void)alone_ending(a);
	alone_expect_ended(a, kind, fault);
}
