/* SPDX-License-Identifier: MIT */
/* app/quarantine, app/ports: what the fleet has quarantined holds over restarts, until it is
 * released. */
#include "config.h"

#include "app/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "app/clock.h"
#include "app/log.h"
#include "app/ports.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/event.h"
#include "core/fleet.h"
#include "store/store.h"

#define PATH "pci-0000:00:14.0-usb-0:4"

/* A service, without bus and clients. */
struct bench {
	char dir[64];
	struct services sv;
};

static void
start(struct bench *b)
{
	const char *nowhere[] = { b->dir, NULL };
	const struct store_options options = { 0 };
	struct store_time now = clock_time(b->sv.clock);
	char error[SETTINGS_ERROR_MAX], why[STORE_WHY_MAX];
	struct fleet_options fleet;

	assert_int_equal(settings_load(NULL, nowhere, &b->sv.settings, error), 0);
	fleet = settings_fleet_options(b->sv.settings);
	assert_int_equal(fleet_new(&fleet, &b->sv.fleet), 0);
	assert_int_equal(store_open(b->dir, &options, &now, &b->sv.store, why), 0);
	assert_int_equal(ports_new(&b->sv, NULL, NULL, &b->sv.ports), 0);
	assert_int_equal(quarantine_new(&b->sv, &b->sv.quarantine), 0);
	assert_int_equal(quarantine_load(b->sv.quarantine), 0);
	quarantine_recall(b->sv.quarantine);
}

static void
stop(struct bench *b)
{
	struct store_time now = clock_time(b->sv.clock);

	quarantine_free(b->sv.quarantine);
	ports_free(b->sv.ports);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
	store_close(b->sv.store, &now);
	fleet_free(b->sv.fleet);
	settings_free(b->sv.settings);
}

static void
restart(struct bench *b)
{
	stop(b);
	start(b);
}

static int
set_up(void **state)
{
	static struct bench b;

	strcpy(b.dir, "/tmp/cfdfu-quarantine-XXXXXX");
	assert_non_null(mkdtemp(b.dir));
	assert_int_equal(clock_new(&b.sv.clock), 0);
	assert_int_equal(log_new(-1, &b.sv.log), 0);
	start(&b);
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;
	char command[96];

	stop(b);
	log_free(b->sv.log);
	clock_free(b->sv.clock);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	return system(command);
}

static void
plug_in(struct bench *b, const char *port)
{
	struct sighting s = { .path = PATH, .vid = 0x0483, .pid = 0xDF11 };

	copy_text(s.port, sizeof(s.port), port);
	assert_true(ports_admit(b->sv.ports, &s));
	quarantine_follow_path(b->sv.quarantine, &s);
}

static bool
is_quarantined(const struct bench *b, const char *port)
{
	int slot = fleet_find(b->sv.fleet, port);

	return slot >= 0 &&
	       fleet_port_quarantine(b->sv.fleet, (unsigned)slot) != PORT_QUARANTINE_NONE;
}

/* The fleet's decision. */
static void
quarantine(struct bench *b, const char *port)
{
	struct fleet_event event = { .kind = EVENT_QUARANTINED };

	assert_int_equal(fleet_recall_port(b->sv.fleet, port, 3, PORT_QUARANTINE_FAILURES), 0);
	event.slot = (unsigned)fleet_find(b->sv.fleet, port);
	quarantine_tell(b->sv.quarantine, &event);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(a_port_stays_quarantined_over_restarts_until_it_is_released)
{
	struct bench *b = *state;

	quarantine(b, "1-4");
	restart(b);
	assert_true(is_quarantined(b, "1-4"));
	assert_true(
	    quarantine_release_slot(b->sv.quarantine, (unsigned)fleet_find(b->sv.fleet, "1-4")));
	assert_false(
	    quarantine_release_slot(b->sv.quarantine, (unsigned)fleet_find(b->sv.fleet, "1-4")));
	restart(b);
	assert_false(is_quarantined(b, "1-4"));
}

/* A drone comes to the port: what the slot says then. */
static const char *
message_at(struct bench *b, const char *port)
{
	struct sighting s = { .path = PATH, .vid = 0x0483, .pid = 0xDF11 };
	const struct drone_history history = { 0 };
	struct slot_view v;

	plug_in(b, port);
	copy_text(s.port, sizeof(s.port), port);
	fleet_sighted(b->sv.fleet, &s, &history, clock_now_us());
	fleet_view(b->sv.fleet, (unsigned)fleet_find(b->sv.fleet, port), clock_now_us(), &v);
	return v.message;
}

static void
expect_words(struct bench *b, const char *port, const char *words)
{
	const char *message = message_at(b, port);

	if (strstr(message, words) == NULL)
		fail_msg("%s says \"%s\", not \"%s\"", port, message, words);
	assert_non_null(strstr(message, "'cfdfuctl port release SLOT'"));
}

TEST_SET_UP(after_a_restart_a_port_says_why_it_is_quarantined)
{
	struct bench *b = *state;
	struct fleet_event event = { .kind = EVENT_QUARANTINED };

	for (int i = 0; i < 20 && !is_quarantined(b, "1-4"); i++)
		(void)message_at(b, "1-4");
	event.slot = (unsigned)fleet_find(b->sv.fleet, "1-4");
	quarantine_tell(b->sv.quarantine, &event);
	restart(b);
	expect_words(b, "1-4", "connects and disconnects again and again");
	restart(b);
	expect_words(b, "3-4", "connects and disconnects again and again"); /* the same place */
}

TEST_SET_UP(a_port_that_is_quarantined_for_crashes_says_so)
{
	struct bench *b = *state;
	const struct store_time now = clock_time(b->sv.clock);

	assert_int_equal(store_port_quarantine(b->sv.store, "1-4",
					       "active in three crashes of the service in a row",
					       &now),
			 0);
	assert_int_equal(store_port_quarantine(b->sv.store, "1-5", "failures in a row", &now), 0);
	restart(b);
	expect_words(b, "1-4", "in crashes of the service");
	expect_words(b, "1-5", "failures in a row");
}

TEST_SET_UP(a_quarantine_follows_the_device_path_to_another_number)
{
	struct bench *b = *state;

	plug_in(b, "1-4");
	quarantine(b, "1-4");
	restart(b);
	plug_in(b, "3-4");
	assert_true(is_quarantined(b, "3-4"));
	assert_false(is_quarantined(b, "1-4"));
	restart(b);
	assert_true(is_quarantined(b, "3-4"));
	assert_false(is_quarantined(b, "1-4"));
}

TEST_SET_UP(an_image_stays_quarantined_over_restarts_and_a_resume_until_it_is_released)
{
	static const uint8_t sha256[IMAGE_SHA256_BYTES] = { 1, 2, 3 };
	const struct fleet_event event = { .kind = EVENT_BRAKE };
	struct bench *b = *state;
	char serial[] = "0D0027000B31383533303130";
	json_t *brake;

	for (int i = 0; i < 3; i++, serial[0]++)
		fleet_recall(b->sv.fleet,
			     &(struct update_ending){ .sha256 = sha256,
						      .firmware = "bad",
						      .verdict = { VERDICT_FAIL, FAULT_NO_BOOT },
						      .serial = serial,
						      .dfu_serial = "",
						      .port = "1-4" },
			     clock_now_us());
	quarantine_tell(b->sv.quarantine, &event);
	assert_string_equal(
	    json_string_value(json_object_get(quarantine_brake(b->sv.quarantine), "firmware")),
	    "bad");
	restart(b);
	brake = quarantine_resumed(b->sv.quarantine);
	assert_int_equal(json_integer_value(json_object_get(brake, "count")), 3);
	json_decref(brake);
	restart(b);
	assert_null(quarantine_brake(b->sv.quarantine));
	assert_non_null(policy_quarantined(fleet_policy(b->sv.fleet), sha256));
	assert_int_equal(quarantine_release_image(b->sv.quarantine, sha256), 0);
	assert_int_equal(quarantine_release_image(b->sv.quarantine, sha256), -ENOENT);
	restart(b);
	assert_null(policy_quarantined(fleet_policy(b->sv.fleet), sha256));
}

/* ---- more devices than slots ---- */

static void
on_arrived(void *ctx, const struct sighting *s)
{
	copy_text(ctx, PORT_TEXT_MAX, s->port);
}

static void
drain(struct bench *b)
{
	struct request c;

	while (fleet_next(b->sv.fleet, clock_now_us(), &c))
		continue;
}

/* Something that is no drone; false: there is no slot for it. */
static bool
occupy(struct bench *b, struct ports *p, unsigned n, uint64_t arrival)
{
	const struct drone_history none = { .known = false };
	struct sighting s = { .vid = 0x1234, .pid = 1, .arrival = arrival };

	(void)snprintf(s.port, sizeof(s.port), "5-%u", n);
	if (!ports_admit(p, &s))
		return false;
	fleet_sighted(b->sv.fleet, &s, &none, clock_now_us());
	drain(b);
	return true;
}

TEST_WITH(a_device_without_a_slot_is_taken_up_when_there_is_one, set_up, tear_down)
{
	struct bench *b = *state;
	char port[PORT_TEXT_MAX] = "";
	struct ports *p;

	assert_int_equal(ports_new(&b->sv, on_arrived, port, &p), 0);
	for (unsigned n = 1; n <= FLEET_SLOTS_MAX; n++)
		assert_true(occupy(b, p, n, 1));
	assert_int_equal(ports_refused(p), 0);
	assert_false(occupy(b, p, 601, 1));
	assert_false(occupy(b, p, 602, 1));
	assert_int_equal(ports_refused(p), 2);
	ports_check(p);
	assert_string_equal(port, "");
	assert_false(ports_dismiss(p, "5-602", 2)); /* not this one */
	assert_true(ports_dismiss(p, "5-602", 1));
	fleet_gone(b->sv.fleet, "5-7", 1, clock_now_us());
	drain(b);
	ports_check(p);
	assert_string_equal(port, "5-601");
	assert_int_equal(ports_refused(p), 0);
	ports_free(p);
}

TEST_MAIN(NULL)
