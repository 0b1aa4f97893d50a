/* SPDX-License-Identifier: MIT */
/*
 * ctl/server: clients take turns, and devices come before them, whatever the clients send.  The
 * server's clock is the world's: it goes on by what each request costs, and by nothing else.
 */
#include "config.h"

#include "ctl/server.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/util.h"
#include "ctl/share.h"
#include "server_world.h"

#define CLIENTS 8
#define PIPELINED 60
#define TURN_CONNS 16 /* as in ctl/ready.c */

/*
 * A device that has something to say again as soon as a client's request is begun, and a timer of
 * its that is due as soon as one has ended.
 */
struct device {
	struct world *w;
	struct event *readable, *timer;
	int pipe[2];
	bool due, timer_due;
	uint64_t due_us, timer_due_us, longest_us; /* that it was not heard */
	int due_handled, most_handled;
	int unfair; /* the largest distance between two clients that have both something left */
};

static void
look_at_fairness(struct device *d)
{
	int low = PIPELINED, high = 0;

	for (size_t i = 0; i < CLIENTS; i++) {
		int n = d->w->counts[i];

		low = n < low ? n : low;
		high = n > high ? n : high;
	}
	if (high < PIPELINED && high - low > d->unfair)
		d->unfair = high - low;
}

static void
on_request(void *ctx, bool answered)
{
	static const struct timeval at_once = { 0 };
	struct device *d = ctx;

	if (answered && !d->timer_due) {
		d->timer_due = true;
		d->timer_due_us = d->w->clock_us;
		assert_int_equal(event_add(d->timer, &at_once), 0);
	}
	if (answered || d->due)
		return;
	d->due = true;
	d->due_us = d->w->clock_us;
	d->due_handled = d->w->handled - 1;
	assert_int_equal(write(d->pipe[1], "x", 1), 1);
}

static void
heard(struct device *d, uint64_t due_us)
{
	if (d->w->clock_us - due_us > d->longest_us)
		d->longest_us = d->w->clock_us - due_us;
	look_at_fairness(d);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct device *d = ctx;

	(void)fd;
	(void)what;
	d->timer_due = false;
	heard(d, d->timer_due_us);
}

static void
on_device(evutil_socket_t fd, short what, void *ctx)
{
	struct device *d = ctx;
	int handled = d->w->handled - d->due_handled;
	char byte;

	(void)what;
	assert_int_equal(read(fd, &byte, 1), 1);
	d->due = false;
	if (handled > d->most_handled)
		d->most_handled = handled;
	heard(d, d->due_us);
}

/* Each of the clients says so many requests at once and waits. */
static void
flood(struct world *w, int fds[CLIENTS])
{
	char text[TEXT_MAX];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = join(w);
	for (int i = 0; i < CLIENTS; i++) {
		size_t used = 0;

		for (int n = 0; n < PIPELINED; n++)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 CALL_WITH("Echo", "{\"n\":%d}"), i) +
				1;
		assert_int_equal(send(fds[i], text, used, 0), used);
	}
}

static void
serve(struct world *w, struct device *d)
{
	d->w = w;
	w->on_request = on_request;
	w->on_request_ctx = d;
	assert_int_equal(pipe(d->pipe), 0);
	d->readable = event_new(w->base, d->pipe[0], EV_READ | EV_PERSIST, on_device, d);
	d->timer = evtimer_new(w->base, on_timer, d);
	assert_int_equal(event_add(d->readable, NULL), 0);
	turn(w);
	event_free(d->readable);
	event_free(d->timer);
	close(d->pipe[0]);
	close(d->pipe[1]);
	w->on_request = NULL;
}

static void
close_all(const int fds[CLIENTS])
{
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

/* For requests of every price: nothing a client sends makes a device wait for more than one share
 * and one request. */
TEST(a_device_waits_for_one_share_and_one_request)
{
	static const uint64_t costs_us[] = { 1, 100, 900, SHARE_US - 1, SHARE_US, 7600, 50000 };

	for (size_t i = 0; i < ARRAY_LEN(costs_us); i++) {
		struct world *w = server_world_new(0, 0);
		struct device d = { 0 };
		int fds[CLIENTS];

		w->cost_us = costs_us[i];
		flood(w, fds);
		serve(w, &d);
		assert_int_equal(w->handled, CLIENTS * PIPELINED); /* without a byte more */
		assert_in_range(d.longest_us, costs_us[i], SHARE_US + costs_us[i]);
		assert_in_range(d.unfair, 0, 1);
		close_all(fds);
		server_world_free(w);
	}
}

/* Requests that take no measurable time are limited by count. */
TEST_SET_UP(cheap_requests_are_counted)
{
	struct world *w = *state;
	struct device d = { 0 };
	int fds[CLIENTS];

	flood(w, fds);
	serve(w, &d);
	assert_int_equal(w->handled, CLIENTS * PIPELINED);
	assert_in_range(d.most_handled, 1, TURN_CONNS);
	assert_in_range(server_requests_max(w->server), 1, TURN_CONNS);
	close_all(fds);
}

/* One connection's requests are worked off one at a time, too. */
TEST_SET_UP(one_client_alone_is_limited_as_well)
{
	struct world *w = *state;
	struct device d = { 0 };
	char text[TEXT_MAX];
	int fd = join(w);
	size_t used = 0;

	w->cost_us = 3000;
	for (int n = 0; n < PIPELINED; n++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, CALL("Echo")) + 1;
	assert_int_equal(send(fd, text, used, 0), used);
	serve(w, &d);
	assert_int_equal(w->handled, PIPELINED);
	assert_in_range(d.longest_us, 3000, SHARE_US + 3000);
	close(fd);
}

/* The client that closed its side after its requests gets all of its answers. */
TEST_SET_UP(requests_before_the_end_of_input_are_answered)
{
	struct world *w = *state;
	char text[TEXT_MAX];
	int fd = join(w);
	size_t used = 0;

	for (int n = 0; n < PIPELINED; n++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, CALL("Echo")) + 1;
	assert_int_equal(send(fd, text, used, 0), used);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turn(w);
	assert_int_equal(w->handled, PIPELINED);
	assert_int_equal(server_client_count(w->server), 0);
	close(fd);
}

/* A request without an answer lets the next one run, too. */
TEST_SET_UP(requests_behind_dropped_ones_are_answered)
{
	static const char text[] =
	    "{\"method\":\"org.cfdfu.Station.Echo\",\"oneway\":true}\0"
	    "{\"method\":\"org.cfdfu.Station.No\",\"oneway\":true}\0" CALL("Echo");
	struct world *w = *state;
	int fd = join(w);

	assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
	assert_string_equal(hear(w, fd), "{\"parameters\":{}}");
	assert_int_equal(w->handled, 1);
	close(fd);
}

/* ---- a rack under a flood ------------------------------------------------------------------- */

/*
 * Host, drones and clients by the clock alone: what a drone's transfer takes on the bus and in the
 * flash, what its ending costs the host, and clients that never run out of requests.
 */
#define DRONES_MAX 120
#define TRANSFERS 590 /* 118 blocks: data, status, status when written, and read back; and others */
#define HOST_US 40    /* of the loop, for one transfer's ending and the next one's beginning */
#define STAGGER_US 30000 /* between the beginnings of two drones */
#define SECTOR 118	 /* of them for each of five sectors */
#define ERASE_US 880000
#define BOOT 236 /* twice on the way, it leaves the bus */
#define BOOT_US 1000000
#define NEVER UINT64_MAX

struct rack {
	size_t drones;
	uint64_t ends_us[DRONES_MAX];
	int left[DRONES_MAX];
};

static uint64_t
transfer_us(int left)
{
	static const uint64_t block_us[] = { 2800, 350, 33000, 350, 2800 };

	if (left % BOOT == BOOT - 1)
		return BOOT_US;
	if (left % SECTOR == 0)
		return ERASE_US;
	return block_us[left % (int)ARRAY_LEN(block_us)];
}

static size_t
first_to_end(const struct rack *r)
{
	size_t first = 0;

	for (size_t i = 1; i < r->drones; i++)
		if (r->ends_us[i] < r->ends_us[first])
			first = i;
	return first;
}

static uint64_t
makespan_us(size_t drones, uint64_t cost_us)
{
	struct rack r = { .drones = drones };
	uint64_t now_us = 0, clients_us = cost_us > 0 ? 0 : NEVER;
	struct share share;

	for (size_t i = 0; i < drones; i++) {
		r.left[i] = TRANSFERS;
		r.ends_us[i] = i * STAGGER_US;
	}
	for (;;) {
		size_t i = first_to_end(&r);

		if (r.ends_us[i] == NEVER)
			return now_us;
		if (r.ends_us[i] <= now_us) {
			now_us += HOST_US;
			r.ends_us[i] = r.left[i] > 0 ? now_us + transfer_us(r.left[i]) : NEVER;
			r.left[i]--;
		} else if (clients_us <= now_us) {
			share_begin(&share, now_us);
			do
				now_us += cost_us;
			while (!share_is_spent(&share, now_us));
			clients_us = now_us + share_end(&share, now_us, true);
		} else {
			now_us = r.ends_us[i] < clients_us ? r.ends_us[i] : clients_us;
		}
	}
}

/* For any cost of one request, up to the longest. */
TEST(a_flood_costs_a_rack_less_than_a_hundredth)
{
	static const size_t drones[] = { 1, 2, 16, 49, DRONES_MAX };

	for (size_t i = 0; i < ARRAY_LEN(drones); i++) {
		uint64_t alone_us = makespan_us(drones[i], 0);

		for (uint64_t cost_us = 50; cost_us <= 10000; cost_us += 50) {
			uint64_t flooded_us = makespan_us(drones[i], cost_us);

			if (flooded_us > alone_us + alone_us / 100)
				print_error("%zu drones, requests of %d us: %d us instead of %d\n",
					    drones[i], (int)cost_us, (int)flooded_us,
					    (int)alone_us);
			assert_true(flooded_us <= alone_us + alone_us / 100);
		}
	}
}

TEST(without_drones_at_work_clients_do_not_rest)
{
	struct share s;

	share_begin(&s, 1000);
	assert_false(share_is_spent(&s, 1000 + SHARE_US - 1));
	assert_true(share_is_spent(&s, 1000 + SHARE_US));
	assert_int_equal(share_end(&s, 1000 + SHARE_US, false), 0);
	assert_int_equal(share_end(&s, 1000 + SHARE_US, true), SHARE_US * SHARE_REST);
	assert_int_equal(share_end(&s, 1000 + 9 * SHARE_REST_MAX_US, true), SHARE_REST_MAX_US);
}

TEST_MAIN(NULL)
