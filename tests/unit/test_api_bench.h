/* SPDX-License-Identifier: MIT */
/* A bench for handlers of the control interface: the real services, without socket and bus. */
#ifndef TEST_API_BENCH_H
#define TEST_API_BENCH_H

#include "app/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "app/acts.h"
#include "app/batches.h"
#include "app/clock.h"
#include "app/counters.h"
#include "app/log.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "app/settings.h"
#include "app/turns.h"
#include "ctl/call.h"

/* A station with two drones whose DFU serials begin alike, and nothing in its records. */
struct bench {
	struct caller caller; /* the first: the transport gets it */
	struct services sv;
	struct server_options options;
	struct turns turns;
	char dir[64];
	char *reply;
};

static inline void
on_send(struct caller *c, char *take_text, size_t count)
{
	struct bench *b = (struct bench *)c;

	(void)count;
	free(b->reply);
	b->reply = take_text;
}

static inline void
on_nothing(struct caller *c)
{
	(void)c;
}

static const struct call_transport transport = {
	.send = on_send, .answered = on_nothing, .finish = on_nothing, .break_off = on_nothing
};

static inline const char *
no_label(void *ctx, const char *port)
{
	(void)ctx;
	(void)port;
	return NULL;
}

static inline unsigned
no_description(void *ctx, const struct sighting *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static inline int
load_nothing(void *ctx)
{
	(void)ctx;
	return 0;
}

static inline void
say_nothing(void *ctx)
{
	(void)ctx;
}

static inline void
plug_in(struct bench *b, const char *port, const char *serial)
{
	struct sighting s = { .vid = 0x0483, .pid = 0xdf11, .arrival = 1 };
	struct drone_history unknown = { 0 };

	copy_text(s.port, sizeof(s.port), port);
	copy_text(s.serial, sizeof(s.serial), serial);
	assert_int_equal(fleet_recall_port(b->sv.fleet, port, 0, PORT_QUARANTINE_NONE), 0);
	fleet_sighted(b->sv.fleet, &s, &unknown, clock_now_us());
}

static inline void
open_services(struct bench *b)
{
	struct services *sv = &b->sv;
	const struct fleet_options fleet = { 0 };
	const struct recorder_options recorder = { .label = no_label,
						   .described_as = no_description,
						   .load = load_nothing,
						   .health = say_nothing };
	const char *nowhere[] = { b->dir, NULL };
	char error[SETTINGS_ERROR_MAX], why[STORE_WHY_MAX];
	struct store_time now;

	sv->turns = &b->turns;
	sv->state_dir = b->dir;
	assert_int_equal(clock_new(&b->sv.clock), 0);
	now = clock_time(b->sv.clock);
	assert_int_equal(settings_load(NULL, nowhere, &b->sv.settings, error), 0);
	assert_int_equal(log_new(LOG_CRIT, &sv->log), 0);
	assert_int_equal(fleet_new(&fleet, &sv->fleet), 0);
	assert_int_equal(store_open(b->dir, &(struct store_options){ 0 }, &now, &sv->store, why),
			 0);
	assert_int_equal(names_new(sv, &sv->names), 0);
	assert_int_equal(repository_new(sv, &sv->repository), 0);
	assert_int_equal(ports_new(sv, NULL, NULL, &sv->ports), 0);
	assert_int_equal(quarantine_new(sv, &sv->quarantine), 0);
	assert_int_equal(batches_new(sv, &sv->batches), 0);
	assert_int_equal(recorder_new(sv, &recorder, &sv->recorder), 0);
	assert_int_equal(counters_new(sv, &sv->counters), 0);
	assert_int_equal(rescue_new(sv, api_rescue_ended, &sv->rescue), 0);
}

static inline int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->dir, "/tmp/cfdfu-api-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	open_services(b);
	plug_in(b, "1-1", "396B37583432");
	plug_in(b, "1-2", "396B00000000");
	b->options = (struct server_options){ .signatures = station_signatures,
					      .handlers = api_handlers,
					      .method_count = station_method_count,
					      .version = "0",
					      .ctx = &b->sv,
					      .denied = acts_denied,
					      .answered = acts_answered };
	b->caller = (struct caller){ .transport = &transport,
				     .options = &b->options,
				     .peer = { .user = "test", .may_change = true } };
	*state = b;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct bench *b = *state;
	struct services *sv = &b->sv;
	char command[96];

	rescue_free(sv->rescue);
	counters_free(sv->counters);
	recorder_free(sv->recorder);
	batches_free(sv->batches);
	quarantine_free(sv->quarantine);
	ports_free(sv->ports);
	repository_free(sv->repository);
	names_free(sv->names);
	store_close(sv->store, NULL);
	fleet_free(sv->fleet);
	log_free(sv->log);
	settings_free(b->sv.settings);
	clock_free(b->sv.clock);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	assert_int_equal(system(command), 0);
	free(b->reply);
	free(b);
	return 0;
}

/* The reply to METHOD with these parameters and this descriptor, as it is sent. */
static inline const char *
call_with(struct bench *b, const char *method, const char *parameters, int fd)
{
	char text[4096];
	int n =
	    snprintf(text, sizeof(text), "{\"method\":\"org.cfdfu.Station.%s\",\"parameters\":%s}",
		     method, parameters);

	free(b->reply);
	b->reply = NULL;
	call_dispatch(&b->caller, text, (size_t)n, fd);
	assert_non_null(b->reply);
	return b->reply;
}

static inline const char *
call(struct bench *b, const char *method, const char *parameters)
{
	return call_with(b, method, parameters, -1);
}

static inline void
replies(struct bench *b, const char *method, const char *parameters, int fd, const char *words)
{
	const char *reply = call_with(b, method, parameters, fd);

	if (strstr(reply, words) == NULL)
		fail_msg("%s %s: %s", method, parameters, reply);
}

#endif
