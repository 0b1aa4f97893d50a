/* SPDX-License-Identifier: MIT */
/*
 * The daemon's seams over simulated drones: contracts of usb_port.h and watch.h, and the command
 * socket.
 */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "sim/port_sim.h"
#include "sim/world.h"

struct fixture {
	struct event_base *base;
	struct sim *sim;
	struct usb_bus *bus;
	struct watch *watch;
	struct sighting last;
	unsigned sighted, gone, opened, ended, closed;
	int error;
	enum usb_status status;
	uint8_t data[64];
	size_t length;
	bool inside; /* a call into the seam is running */
};

static struct fixture f;

static void
on_sighted(void *ctx, const struct sighting *s)
{
	(void)ctx;
	assert_false(f.inside);
	f.last = *s;
	f.sighted++;
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	(void)ctx;
	(void)port;
	(void)arrival;
	assert_false(f.inside);
	f.gone++;
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	(void)ctx;
	(void)id;
	(void)descriptors;
	(void)length;
	assert_false(f.inside);
	f.error = error;
	f.opened++;
}

static void
on_ended(void *ctx, uint64_t id, enum usb_status status, const uint8_t *data, size_t length)
{
	(void)ctx;
	(void)id;
	assert_false(f.inside);
	f.status = status;
	f.length = length < sizeof(f.data) ? length : sizeof(f.data);
	if (f.length > 0)
		memcpy(f.data, data, f.length);
	f.ended++;
}

static void
on_closed(void *ctx, uint64_t id)
{
	(void)ctx;
	(void)id;
	assert_false(f.inside);
	f.closed++;
}

static const struct usb_callbacks usb_callbacks = { on_opened, on_ended, on_closed };
static const struct watch_callbacks watch_callbacks = { on_sighted, on_gone };

#define SOCKET "cfdfu-test-sim.sock"

static int
setup(void **state)
{
	char error[256];

	(void)state;
	memset(&f, 0, sizeof(f));
	setenv("CFDFU_SIM_TIMING", "fast", 1);
	setenv("CFDFU_SIM_SOCKET", SOCKET, 1);
	f.base = event_base_new();
	if (sim_start(f.base, &f.sim, error, sizeof(error)) < 0)
		return -1;
	f.inside = true;
	if (usb_bus_new(f.base, &usb_callbacks, NULL, &f.bus) < 0 ||
	    watch_new(f.base, &watch_callbacks, NULL, &f.watch) < 0)
		return -1;
	f.inside = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	watch_free(f.watch);
	usb_bus_free(f.bus);
	sim_stop(f.sim);
	event_base_free(f.base);
	return 0;
}

static void
until(const unsigned *counter, unsigned value)
{
	for (unsigned i = 0; *counter < value; i++) {
		event_base_loop(f.base, EVLOOP_ONCE);
		assert_true(i < 100000);
	}
}

/* Sends a command over the socket; the whole answer. */
static const char *
command(const char *line)
{
	static char answer[4096];
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t have = 0;

	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	do {
		ssize_t n = recv(fd, answer + have, sizeof(answer) - have - 1, MSG_DONTWAIT);

		if (n > 0)
			have += (size_t)n;
		else
			event_base_loop(f.base, EVLOOP_NONBLOCK);
		answer[have] = '\0';
	} while (strncmp(answer + (have > 3 ? have - 3 : 0), "ok\n", 3) != 0 &&
		 strstr(answer, "error: ") == NULL);
	close(fd);
	return answer;
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

TEST_SET_UP(commands_answer_ok_or_why_not)
{
	assert_string_equal(
	    command("add 1-1 platform=CB11 one_interface=yes uid=30002D000B51343333353132\n"),
	    "ok\n");
	assert_string_equal(command("list\n"), "1-1 absent 30002D000B51343333353132 \nok\n");
	assert_non_null(strstr(command("add 1-1\n"), "error: File exists"));
	assert_non_null(strstr(command("add 1-2 wings=4\n"), "error: a drone has no 'wings'"));
	assert_non_null(strstr(command("plug 7-7\n"), "error: no drone on port '7-7'"));
	assert_non_null(strstr(command("fly\n"), "error: no such command"));
	assert_non_null(strstr(command("load 1-1\n"), "error: load PORT FILE ADDRESS"));
	assert_non_null(strstr(command("load 1-1 /nonexistent 0x08004000\n"), "No such file"));
	assert_non_null(strstr(command("fate 1-1 stall at=3\n"), "ok\n"));
	assert_non_null(strstr(command("fate 1-1 rain\n"), "error: no fate is called 'rain'"));
	assert_non_null(strstr(command("counters 1-1\n"), "\"beyond_standard\":0"));
	assert_non_null(strstr(command("floor 1-1 16384\n"), "\"erase_us\":"));
	assert_non_null(strstr(command("help\n"), "power-cycle PORT"));
	assert_string_equal(command("# a remark\n"), "ok\n");
	assert_int_equal(f.sighted, 0);
}

TEST_SET_UP(flash_goes_in_and_out_through_files)
{
	static const char text[] = "something in the flash";
	char back[sizeof(text)] = "";
	FILE *file = fopen("cfdfu-test-sim.in", "w");

	assert_non_null(file);
	(void)fwrite(text, 1, sizeof(text), file);
	(void)fclose(file);
	assert_string_equal(command("add 1-1\n"), "ok\n");
	assert_string_equal(command("load 1-1 cfdfu-test-sim.in 0x08004000\n"), "ok\n");
	assert_string_equal(command("dump 1-1 cfdfu-test-sim.out 0x08004000 23\n"), "ok\n");
	file = fopen("cfdfu-test-sim.out", "r");
	assert_non_null(file);
	assert_int_equal(fread(back, 1, sizeof(back), file), sizeof(text));
	(void)fclose(file);
	assert_string_equal(back, text);
	assert_non_null(strstr(command("load 1-1 cfdfu-test-sim.in 0x08100000\n"), "error: "));
	(void)unlink("cfdfu-test-sim.in");
	(void)unlink("cfdfu-test-sim.out");
}

TEST_SET_UP(a_device_is_sighted_opened_asked_closed_and_gone)
{
	struct usb_xfer x = {
		.kind = USB_CONTROL, .setup = { 0xA1, 3, 0, 0, 6 }, .length = 6, .timeout_ms = 1000
	};

	(void)command("add 1-1\n");
	(void)command("button 1-1\n");
	until(&f.sighted, 1);
	assert_int_equal(f.last.pid, 0xdf11);
	f.inside = true;
	assert_int_equal(usb_open(f.bus, 7, f.last.node, f.last.port), 0);
	assert_int_equal(usb_open(f.bus, 8, "/dev/bus/usb/001/001", "1-1"), -ENOENT);
	f.inside = false;
	until(&f.opened, 1);
	assert_int_equal(f.error, 0);
	f.inside = true;
	assert_int_equal(usb_submit(f.bus, 7, &x), 0);
	f.inside = false;
	until(&f.ended, 1);
	assert_int_equal(f.status, USB_OK);
	assert_int_equal(f.data[4], 10);
	f.inside = true;
	usb_close(f.bus, 7);
	usb_close(f.bus, 99);
	f.inside = false;
	until(&f.closed, 1);
	(void)command("unplug 1-1\n");
	until(&f.gone, 1);
	assert_int_equal(usb_submit(f.bus, 7, &x), -ENODEV);
	assert_int_equal(f.ended, 1);
}

TEST_SET_UP(only_watched_kinds_are_reported_and_once)
{
	(void)command("add 1-1\n");
	(void)command("button 1-1\n");
	until(&f.sighted, 1);
	f.inside = true;
	assert_int_equal(watch_also(f.watch, 0x1234, 0x5678), 0);
	f.inside = false;
	(void)command("settle\n");
	assert_int_equal(f.sighted, 1);
	assert_int_equal(f.gone, 0);
}

static void
note_run(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	*(bool *)ctx = true;
}

TEST_SET_UP(settle_answers_when_nothing_is_about_to_happen)
{
	struct timeval soon = { 1, 500000 };
	bool ran = false;
	struct event *e = evtimer_new(f.base, note_run, &ran);

	(void)command("add 1-1\n");
	(void)command("button 1-1\n");
	assert_string_equal(command("settle\n"), "ok\n");
	assert_int_equal(f.sighted, 1);
	assert_int_equal(evtimer_add(e, &soon), 0);
	assert_string_equal(command("settle\n"), "ok\n");
	assert_true(ran);
	event_free(e);
}

TEST_SET_UP(devices_plugged_in_before_the_start_are_found)
{
	watch_free(f.watch);
	f.watch = NULL;
	(void)command("add 1-1\n");
	(void)command("button 1-1\n");
	while (world_arrival(sim_world(f.sim), "1-1") == 0)
		event_base_loop(f.base, EVLOOP_ONCE);
	assert_int_equal(f.sighted, 0);
	f.inside = true;
	assert_int_equal(watch_new(f.base, &watch_callbacks, NULL, &f.watch), 0);
	f.inside = false;
	until(&f.sighted, 1);
}

TEST(a_bad_script_stops_the_start)
{
	struct event_base *base = event_base_new();
	FILE *file = fopen("cfdfu-test-sim.script", "w");
	char error[256] = "";
	struct sim *s = NULL;

	(void)fputs("add 1-1\nplug 1-2\n", file);
	(void)fclose(file);
	setenv("CFDFU_SIM_SCRIPT", "cfdfu-test-sim.script", 1);
	assert_int_equal(sim_start(base, &s, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "cfdfu-test-sim.script:2: error: no drone on port '1-2'"));
	unsetenv("CFDFU_SIM_SCRIPT");
	(void)unlink("cfdfu-test-sim.script");
	event_base_free(base);
}

TEST_MAIN(NULL)
