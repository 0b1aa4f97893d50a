/* SPDX-License-Identifier: MIT */
/* Unit tests of core/arrivals: how far apart the devices of a controller come. */
#include "config.h"

#include "core/arrivals.h"

#include <stdio.h>

#include "test.h"

#define MS 1000ULL

/* So many, each so long after the one before; returns their controller's number. */
static unsigned
come(struct arrivals *a, const char *controller, unsigned n, uint64_t apart_us, uint64_t *now_us)
{
	unsigned at = 0;

	for (unsigned i = 0; i < n; i++) {
		*now_us += apart_us;
		at = arrivals_came(a, controller, *now_us);
	}
	return at;
}

TEST(one_device_tells_nothing)
{
	struct arrivals a = { 0 };
	uint64_t now_us = 0;

	assert_int_equal(a.of[come(&a, "usb1", 1, 5000 * MS, &now_us)].apart_us, 0);
}

TEST(devices_of_each_controller_are_as_far_apart_as_they_came)
{
	struct arrivals a = { 0 };
	uint64_t one_us = 0, other_us = 0;
	unsigned one = 0, other = 0;

	for (unsigned i = 0; i < 15; i++) {
		one = come(&a, "usb1", 1, 430 * MS, &one_us);
		other = come(&a, "usb2", 1, 150 * MS, &other_us);
	}
	assert_int_not_equal(one, other);
	assert_int_equal(a.of[one].apart_us, 430 * MS);
	assert_int_equal(a.of[other].apart_us, 150 * MS);
}

TEST(a_pause_between_two_queues_is_hardly_counted)
{
	struct arrivals a = { 0 };
	uint64_t now_us = 0;
	unsigned at = come(&a, "usb1", 15, 430 * MS, &now_us);

	come(&a, "usb1", 1, 990 * MS, &now_us);
	assert_true(a.of[at].apart_us < 460 * MS);
	come(&a, "usb1", 1, 7000 * MS, &now_us);
	assert_true(a.of[at].apart_us < 460 * MS);
}

TEST(another_hub_is_known_after_some_devices)
{
	struct arrivals a = { 0 };
	uint64_t now_us = 0;
	unsigned at = come(&a, "usb1", 2, 0, &now_us);

	at = come(&a, "usb1", 1, 1 * MS, &now_us);
	come(&a, "usb1", 30, 430 * MS, &now_us);
	assert_in_range(a.of[at].apart_us, 380 * MS, 430 * MS);
	come(&a, "usb1", 30, 150 * MS, &now_us);
	assert_in_range(a.of[at].apart_us, 150 * MS, 160 * MS);
}

TEST(of_too_many_controllers_the_one_without_devices_for_longest_is_forgotten)
{
	struct arrivals a = { 0 };
	uint64_t now_us = 0;
	unsigned first = come(&a, "usb1", 2, 430 * MS, &now_us);
	unsigned second = come(&a, "usb2", 2, 430 * MS, &now_us), late;
	char name[16];

	for (unsigned i = 3; i <= ARRIVALS_CONTROLLERS; i++) {
		(void)snprintf(name, sizeof(name), "usb%u", i);
		come(&a, name, 2, 430 * MS, &now_us);
	}
	late = come(&a, "late", 1, 430 * MS, &now_us);
	assert_int_equal(late, first);
	assert_int_equal(a.of[late].apart_us, 0);
	assert_int_equal(a.of[second].apart_us, 430 * MS);
}

TEST_MAIN(NULL)
