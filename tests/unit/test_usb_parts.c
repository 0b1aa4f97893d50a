/* SPDX-License-Identifier: MIT */
/* Contracts of usb/descriptors, usb/usbfs and usb/worker. */
#include "config.h"

#include "usb/descriptors.h"
#include "usb/worker.h"

#include <event2/event.h>
#include <pthread.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "test.h"

/* Device, then configurations 1 (9 bytes) and 2 (11 bytes). */
static const uint8_t two_configurations[] = {
	18, 1, 0,  2, 0, 0, 0, 64, 0x83, 0x04, 0x11, 0xDF, 0, 0x22, 1, 2, 3, 2, /* */
	9,  2, 9,  0, 0, 1, 0, 0,  0,						/* */
	9,  2, 11, 0, 0, 2, 0, 0,  0,	 2,    0xEE,
};

TEST(the_active_configuration_follows_the_device_descriptor)
{
	uint8_t bytes[sizeof(two_configurations)];

	memcpy(bytes, two_configurations, sizeof(bytes));
	assert_int_equal(descriptors_select(bytes, sizeof(bytes), 0), 27);
	assert_int_equal(bytes[18 + 5], 1);
	memcpy(bytes, two_configurations, sizeof(bytes));
	assert_int_equal(descriptors_select(bytes, sizeof(bytes), 2), 29);
	assert_int_equal(bytes[18 + 5], 2);
	assert_int_equal(bytes[28], 0xEE);
	assert_memory_equal(bytes, two_configurations, 18);
	memcpy(bytes, two_configurations, sizeof(bytes));
	assert_int_equal(descriptors_select(bytes, sizeof(bytes), 3), -EPROTO);
}

TEST(every_cut_of_the_descriptors_is_refused)
{
	for (size_t length = 0; length < sizeof(two_configurations); length++) {
		uint8_t *bytes = malloc(length + 1);

		memcpy(bytes, two_configurations, length);
		assert_true(descriptors_select(bytes, length, 2) < 0);
		free(bytes);
	}
}

TEST(an_invalid_header_is_refused)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} nonsense[] = { { 0, 17 }, { 1, 2 }, { 18, 8 }, { 19, 4 }, { 20, 8 }, { 20, 0 } };
	uint8_t bytes[sizeof(two_configurations)];

	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		memcpy(bytes, two_configurations, sizeof(bytes));
		bytes[nonsense[i].at] = nonsense[i].value;
		assert_int_equal(descriptors_select(bytes, sizeof(bytes), 2), -EPROTO);
	}
}

TEST(random_bytes_never_lead_out_of_the_buffer)
{
	srand(3);
	for (unsigned i = 0; i < 20000; i++) {
		size_t length = (size_t)rand() % 200;
		uint8_t *bytes = malloc(length + 1);
		int r;

		for (size_t k = 0; k < length; k++)
			bytes[k] = (uint8_t)(rand() % 4 == 0 ? rand() : k % 9 == 0 ? 9 : 2);
		if (length > 18)
			memcpy(bytes, two_configurations, 18);
		r = descriptors_select(bytes, length, (uint8_t)(rand() % 3));
		assert_true(r <= (int)length);
		free(bytes);
	}
}

struct task {
	struct worker_job job; /* the first member */
	atomic_int ran;
	int told;
};

static void
run_task(struct worker_job *job)
{
	atomic_fetch_add(&((struct task *)(void *)job)->ran, 1);
}

static pthread_barrier_t side_by_side;

/* Comes to its end only while as many others run. */
static void
run_task_in_company(struct worker_job *job)
{
	(void)pthread_barrier_wait(&side_by_side);
	run_task(job);
}

static void
task_done(struct worker_job *job)
{
	struct task *t = (struct task *)(void *)job;

	assert_int_equal(atomic_load(&t->ran), 1);
	t->told++;
}

TEST(jobs_run_side_by_side_and_are_told_in_the_loop)
{
	enum { COUNT = 5 * WORKER_THREADS_MAX };
	static struct task tasks[COUNT];
	struct event_base *base = event_base_new();
	struct worker *w = NULL;
	struct timeval limit = { 0, 10000 };

	assert_int_equal(pthread_barrier_init(&side_by_side, NULL, WORKER_THREADS_MAX), 0);
	assert_int_equal(worker_new(base, &w), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		tasks[i].job = (struct worker_job){ .run = run_task_in_company, .done = task_done };
		assert_int_equal(worker_submit(w, &tasks[i].job), 0);
	}
	for (unsigned round = 0; round < 500 && tasks[COUNT - 1].told == 0; round++) {
		assert_int_equal(event_base_loopexit(base, &limit), 0);
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	}
	worker_free(w); /* reports to the owners that were not told */
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(tasks[i].told, 1);
	event_base_free(base);
}

TEST(freeing_waits_for_jobs_and_tells_them)
{
	static struct task tasks[20];
	struct event_base *base = event_base_new();
	struct worker *w = NULL;

	assert_int_equal(worker_new(base, &w), 0);
	for (unsigned i = 0; i < ARRAY_LEN(tasks); i++) {
		tasks[i].job = (struct worker_job){ .run = run_task, .done = task_done };
		assert_int_equal(worker_submit(w, &tasks[i].job), 0);
	}
	worker_free(w);
	for (unsigned i = 0; i < ARRAY_LEN(tasks); i++)
		assert_int_equal(tasks[i].told, 1);
	worker_free(NULL);
	event_base_free(base);
}

TEST_MAIN(NULL)
