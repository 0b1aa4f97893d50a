/* SPDX-License-Identifier: MIT */
/* Contract of include/cfdfu/usb_port.h when devices vanish, hang, and are closed at any moment. */
#include "config.h"

#include "usb_rig.h"

#include <linux/usbdevice_fs.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

static const struct usb_xfer port_reset = { .kind = USB_RESET, .timeout_ms = 60000 };

#define TEST_SET_UP(name) TEST_WITH(name, rig_set_up, rig_tear_down)

TEST_SET_UP(unplugging_ends_transfers_in_flight)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->on_submit = rig_keep;
	rig_open_well(r, 1);
	assert_int_equal(rig_ask(r, 1, 5000), 0);
	rig_run_quietly(r, 10);
	fake_unplug(d);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_GONE);
	rig_run_quietly(r, 20);
	assert_int_equal(rig_ask(r, 1, 100), -ENODEV);
	rig_close_well(r, 1);
}

TEST_SET_UP(unplugging_an_idle_device_is_seen_at_the_next_transfer)
{
	struct rig *r = *state;

	rig_open_well(r, 1);
	rig_open_well(r, 2);
	fake_unplug(fake_device(1));
	rig_run_quietly(r, 20);
	assert_int_equal(rig_ask(r, 1, 100), -ENODEV);
	assert_int_equal(rig_ask(r, 2, 100), 0);
	rig_run_until(r, 3);
	rig_close_well(r, 1);
}

TEST_SET_UP(closing_cancels_without_a_word_and_says_closed_once)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->on_submit = rig_keep;
	rig_open_well(r, 1);
	assert_int_equal(rig_ask(r, 1, 5000), 0);
	rig_close(r, 1);
	rig_close(r, 1);
	rig_run_until(r, 2);
	rig_run_quietly(r, 20);
	assert_int_equal(r->heard[1].ended, 0);
	assert_int_equal(r->heard[1].closed, 1);
	assert_int_equal(d->discards, 1);
	assert_int_equal(fake_open_nodes(), 0);
}

TEST_SET_UP(a_transfer_that_has_just_ended_is_not_told_after_close)
{
	struct rig *r = *state;

	rig_open_well(r, 1);
	assert_int_equal(rig_ask(r, 1, 1000), 0); /* is complete already, and not yet reaped */
	rig_close(r, 1);
	rig_run_until(r, 2);
	rig_run_quietly(r, 20);
	assert_int_equal(r->heard[1].ended, 0);
	assert_int_equal(r->heard[1].closed, 1);
}

/* Between the kernel's first word that a device is gone and the end of its transfer there can be
 * seconds: its hub is busy. */
TEST_SET_UP(a_transfer_of_a_device_that_goes_ends_when_the_kernel_lets_go_of_it)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->on_submit = rig_keep;
	rig_open_well(r, 1);
	rig_open_well(r, 2);
	assert_int_equal(rig_ask(r, 1, 20), 0);
	fake_detach(d);
	rig_run_quietly(r, 70);
	assert_int_equal(rig_ask(r, 2, 1000), 0);
	rig_run_until(r, 3);
	fake_complete(d, -ESHUTDOWN, 0);
	rig_run_until(r, 4);
	assert_int_equal(r->heard[1].status, USB_GONE);
	assert_int_equal(rig_ask(r, 1, 100), -ENODEV);
	rig_close_well(r, 1);
}

/* Taking a transfer back waits for the host controller. */
TEST_SET_UP(a_cancelling_that_hangs_stops_no_other_device)
{
	struct rig *r = *state;

	for (unsigned i = 1; i <= 2; i++) {
		fake_device(i)->on_submit = rig_keep;
		fake_device(i)->hold = FAKE_HOLD_DISCARD;
		rig_open_well(r, i);
	}
	rig_open_well(r, 3);
	assert_int_equal(rig_ask(r, 1, 10), 0);
	assert_int_equal(rig_ask(r, 2, 60000), 0);
	rig_close(r, 2);
	rig_run_quietly(r, 30);
	assert_int_equal(rig_ask(r, 3, 1000), 0);
	rig_run_until(r, 4);
	fake_complete(fake_device(1), 0, 6); /* too late, and in the middle of it */
	rig_run_quietly(r, 10);
	fake_release(fake_device(1));
	fake_release(fake_device(2));
	rig_run_until(r, 6);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(r->heard[2].ended, 0);
	assert_int_equal(r->heard[2].closed, 1);
	fake_device(1)->on_submit = rig_echo;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 7);
}

TEST_SET_UP(devices_that_are_gone_cost_no_wake_up)
{
	struct timeval while_ms = { 0, 50000 };
	struct rig *r = *state;
	unsigned before;

	for (unsigned i = 1; i <= 20; i++) {
		rig_open_well(r, i);
		fake_unplug(fake_device(i));
	}
	rig_run_quietly(r, 10);
	before = fake_waits();
	assert_int_equal(event_base_loopexit(r->base, &while_ms), 0);
	assert_int_equal(event_base_dispatch(r->base), 0);
	/* One for the time, and the times that earlier rounds have left. */
	assert_in_range(fake_waits() - before, 1, 10);
}

TEST_SET_UP(opening_a_silent_device_delays_no_other)
{
	struct rig *r = *state;

	fake_device(1)->hold = FAKE_HOLD_CONFIGURATION;
	assert_int_equal(rig_open(r, 1), 0);
	for (unsigned i = 2; i < 40; i++)
		rig_open_well(r, i);
	for (unsigned i = 2; i < 40; i++) {
		assert_int_equal(rig_ask(r, i, 1000), 0);
		rig_run_until(r, r->total + 1);
	}
	assert_int_equal(r->heard[1].opened, 0);
	fake_release(fake_device(1));
	rig_run_until(r, r->total + 1);
	assert_int_equal(r->heard[1].opened, 1);
	assert_int_equal(r->heard[1].error, 0);
}

TEST_SET_UP(closing_during_an_open_does_not_wait)
{
	struct rig *r = *state;

	fake_device(1)->hold = FAKE_HOLD_OPEN;
	fake_device(2)->hold = FAKE_HOLD_CONFIGURATION;
	assert_int_equal(rig_open(r, 1), 0);
	assert_int_equal(rig_open(r, 2), 0);
	rig_close(r, 1);
	rig_close(r, 2);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].opened + r->heard[2].opened, 0);
	assert_int_equal(r->heard[1].closed + r->heard[2].closed, 2);
	fake_release(fake_device(1));
	fake_release(fake_device(2));
	rig_run_until_nodes(r, 2, 0);
}

TEST_SET_UP(a_port_reset_keeps_the_device_and_its_claim)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->reset_ms = 50;
	rig_open_well(r, 1);
	assert_int_equal(rig_submit(r, 1, &port_reset), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(d->resets, 1);
	assert_int_equal(d->claims, 2);
	assert_int_equal(d->detaches, 0);
	assert_true(d->is_claimed);
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
}

TEST_SET_UP(a_device_that_is_another_after_a_reset_is_gone)
{
	struct rig *r = *state;

	fake_device(1)->reset_errno = ENODEV;
	rig_open_well(r, 1);
	assert_int_equal(rig_submit(r, 1, &port_reset), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_GONE);
	rig_close_well(r, 1);
}

TEST_SET_UP(a_reset_that_hangs_times_out_and_can_be_closed)
{
	struct rig *r = *state;
	struct usb_xfer x = { .kind = USB_RESET, .timeout_ms = 50 };

	fake_device(1)->hold = FAKE_HOLD_RESET;
	rig_open_well(r, 1);
	rig_open_well(r, 2);
	assert_int_equal(rig_submit(r, 1, &x), 0);
	assert_int_equal(rig_ask(r, 2, 1000), 0);
	rig_run_until(r, 4);
	assert_int_equal(r->heard[1].status, USB_TIMEOUT);
	assert_int_equal(rig_ask(r, 1, 100), -ENODEV);
	rig_close_well(r, 1);
	assert_int_equal(fake_open_nodes(), 2);
	fake_release(fake_device(1));
	rig_run_until_nodes(r, 2, 1);
}

static void
close_in_callback(struct rig *r, uint64_t id)
{
	rig_close(r, (unsigned)id);
}

static void
close_after_data(struct rig *r, uint64_t id, const uint8_t *data, size_t length)
{
	(void)data;
	(void)length;
	rig_close(r, (unsigned)id);
}

static void
open_again(struct rig *r, uint64_t id)
{
	r->heard[id].opened = 0;
	if (r->heard[id].closed < 3)
		assert_int_equal(rig_open(r, (unsigned)id), 0);
}

TEST_SET_UP(callbacks_may_close_and_open_again)
{
	struct rig *r = *state;

	r->on_opened = close_in_callback;
	r->on_closed = open_again;
	assert_int_equal(rig_open(r, 1), 0);
	rig_run_until(r, 6);
	assert_int_equal(r->heard[1].closed, 3);
	r->on_opened = NULL;
	r->on_closed = NULL;
	r->on_ended = close_after_data;
	r->heard[1].closed = 0;
	rig_open_well(r, 1);
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 9);
	assert_int_equal(r->heard[1].closed, 1);
}

static unsigned
open_until_refused(struct rig *r)
{
	unsigned i = 0;

	do {
		assert_int_equal(rig_open(r, i), 0);
		rig_run_until(r, r->total + 1);
	} while (r->heard[i++].error == 0);
	return i - 1;
}

/* By the process's descriptors, of which a part is left for others. */
TEST_SET_UP(the_number_of_devices_is_limited)
{
	struct rig *r = *state;
	struct rlimit before, few = { .rlim_cur = 160 };
	unsigned refused;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	before.rlim_cur = before.rlim_max; /* for all devices of this test below */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	refused = open_until_refused(r);
	assert_in_range(refused, 20, 70); /* four of the process's descriptors each, here */
	assert_int_equal(r->heard[refused].error, -EMFILE);
	fd = dup(0);
	assert_in_range(fd, 0, 159); /* there is one for a client */
	(void)close(fd);
	rig_close_well(r, 3);
	rig_run_quietly(r, 20);
	r->heard[refused].opened = 0;
	rig_open_well(r, refused);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned i = refused + 1; i < FAKE_DEVICES_MAX; i++)
		rig_open_well(r, i);
}

/* Each device has a context of libusb, and that one of the process's keys. */
TEST_SET_UP(without_a_key_of_threads_a_device_is_refused)
{
	struct rig *r = *state;
	pthread_key_t keys[PTHREAD_KEYS_MAX];
	unsigned count = 0;

	rig_open_well(r, 1);
	while (count < PTHREAD_KEYS_MAX && pthread_key_create(&keys[count], NULL) == 0)
		count++;
	assert_int_equal(rig_open(r, 2), 0);
	rig_run_until(r, r->total + 1);
	assert_int_equal(r->heard[2].error, -EMFILE);
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, r->total + 1);
	assert_int_equal(r->heard[1].status, USB_OK);
	while (count > 0)
		(void)pthread_key_delete(keys[--count]);
	r->heard[2].opened = 0;
	rig_open_well(r, 2);
}

static unsigned
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static void
come_and_go(struct rig *r, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		unsigned id = i % 10;

		r->heard[id] = (struct heard){ .opened = 0 };
		rig_open_well(r, id);
		if (id % 3 == 0) {
			assert_int_equal(rig_submit(r, id, &port_reset), 0);
			rig_run_until(r, r->total + 1);
		}
		rig_close_well(r, id);
	}
}

#define LEAST_LEFT 16 /* bytes: less than what a device could leave behind */

TEST_SET_UP(a_thousand_devices_leave_no_descriptor_and_no_memory)
{
	struct rig *r = *state;
	unsigned descriptors, rounds = 0;
	size_t bytes, after;

	come_and_go(r, 100);
	descriptors = open_descriptors();
	/* WHY again: a thread that is late leaves its caches once, a leak adds to each round. */
	do {
		bytes = mallinfo2().uordblks;
		come_and_go(r, 1000);
		after = mallinfo2().uordblks;
	} while (after > bytes + 1000 * LEAST_LEFT && ++rounds < 5);
	assert_int_equal(open_descriptors(), descriptors);
	assert_in_range(after, 0, bytes + 1000 * LEAST_LEFT);
}

TEST_SET_UP(the_bus_can_be_freed_in_the_middle_of_everything)
{
	struct rig *r = *state;

	fake_device(1)->configuration_ms = 100;
	fake_device(2)->on_submit = rig_keep;
	fake_device(3)->reset_ms = 100;
	rig_open_well(r, 2);
	rig_open_well(r, 3);
	rig_open_well(r, 4);
	rig_open_well(r, 5);
	assert_int_equal(rig_open(r, 1), 0);
	assert_int_equal(rig_ask(r, 2, 5000), 0);
	assert_int_equal(rig_submit(r, 3, &port_reset), 0);
	assert_int_equal(rig_ask(r, 4, 5000), 0);
	rig_close(r, 5);
	/* rig_tear_down() frees, and sees that nothing is left. */
}

/* 40 devices, random faults and commands: every open has its opened() or closed(), every
 * transfer its end. */
TEST_SET_UP(a_random_life_keeps_the_contract)
{
	enum { COUNT = 40 };
	bool open_now[COUNT] = { false };
	unsigned submitted[COUNT] = { 0 };
	struct rig *r = *state;

	srand(7);
	for (unsigned round = 0; round < 3000; round++) {
		unsigned i = (unsigned)rand() % COUNT;
		struct heard *h = &r->heard[i];
		struct fake_device *d = fake_device(i);
		bool busy = submitted[i] > h->ended;

		if (!open_now[i]) {
			memset(h, 0, sizeof(*h));
			submitted[i] = 0;
			d->is_gone = false;
			d->open_errno = rand() % 8 == 0 ? EACCES : 0;
			d->configuration_ms = rand() % 8 == 0 ? 3 : 0;
			d->on_submit = rand() % 3 == 0 ? rig_keep : rig_echo;
			open_now[i] = rig_open(r, i) == 0;
		} else if (h->error < 0) {
			open_now[i] = false;
		} else if (h->closed > 0) {
			assert_int_equal(h->closed, 1);
			open_now[i] = false;
		} else if (rand() % 6 == 0) {
			rig_close(r, i);
		} else if (h->opened == 1 && !busy && rand() % 3 != 0) {
			submitted[i] += rig_ask(r, i, 1 + (uint32_t)rand() % 20) == 0 ? 1 : 0;
		} else if (rand() % 5 == 0) {
			fake_complete(d, rand() % 2 == 0 ? 0 : -EPROTO, 6);
		} else if (rand() % 10 == 0) {
			fake_unplug(d);
		}
		assert_true(h->opened <= 1 && h->closed <= 1 && h->ended <= submitted[i]);
		assert_true(event_base_loop(r->base, EVLOOP_NONBLOCK) >= 0);
	}
}

TEST_MAIN(NULL)
