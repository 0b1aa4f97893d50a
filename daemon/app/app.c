/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/app.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/wake.h"
#include "app/app_parts.h"
#include "app/eventlog.h"
#include "app/repository.h"
#include "app/selection.h"
#include "cfdfu/proto.h"

enum {
	SLEPT_MS = 2000, /* the two clocks part by more than this: the machine was suspended */
	PROGRESS_EVERY_US = 1000000,
	REPAIR_STEP_MS = 60000, /* a repair says within this that it goes on */
	DRAIN_MS = 110000,	/* within the unit's TimeoutStopSec, with RECORD_MS */
	RECORD_MS = 5000,	/* for the disk to take the verdicts of what was interrupted */
};

/* ---- stopping ------------------------------------------------------------------------------- */

static void
leave_loop(struct app *a)
{
	if (event_base_loopbreak(a->base) < 0)
		log_say(a->log, LOG_ERR, NULL, "the event loop cannot be left");
}

/* Ends all running attempts as interrupted. */
static void
interrupt(struct app *a)
{
	log_say(a->log, LOG_WARNING, NULL, "stopping now; %u drones are interrupted",
		fleet_active(a->fleet));
	a->stopped = true;
	a->stop_at_us = clock_now_us() + (uint64_t)RECORD_MS * 1000;
	fleet_stop(a->fleet, clock_now_us());
}

/* First signal: no new drone, running ones end. Second: they end now, as interrupted. */
static void
stop(struct app *a)
{
	if (a->stopping) {
		interrupt(a);
	} else {
		a->stopping = true;
		a->stop_at_us = clock_now_us() + (uint64_t)DRAIN_MS * 1000;
		fleet_drain(a->fleet, clock_now_us());
		server_stop(a->server);
		notify_stopping(a->notify);
		notify_extend(a->notify, DRAIN_MS + RECORD_MS);
	}
	dispatch_run(a->dispatch);
	if (fleet_active(a->fleet) == 0)
		leave_loop(a);
	else if (!a->stopped)
		log_say(a->log, LOG_NOTICE, NULL, "stopping; %u drones are still at work",
			fleet_active(a->fleet));
}

/* Each second while stopping. */
static void
go_on_stopping(struct app *a)
{
	bool late = clock_now_us() >= a->stop_at_us;

	if (late && !a->stopped) {
		interrupt(a);
		dispatch_run(a->dispatch);
	} else if (late) {
		/* They have no ending on the disk: the next start gives them one. */
		log_say(a->log, LOG_ERR, NULL, "the records of %u drones could not be written",
			fleet_active(a->fleet));
		leave_loop(a);
	}
	if (fleet_active(a->fleet) == 0)
		leave_loop(a);
}

static void
on_signal(evutil_socket_t signal, short what, void *ctx)
{
	struct app *a = ctx;

	(void)what;
	if (signal == SIGHUP)
		apply_again(a);
	else
		stop(a);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void
look_for_sleep(struct app *a)
{
	int64_t slept = clock_suspended_ms();

	if (slept - a->slept_ms > SLEPT_MS) {
		log_say(a->log, LOG_WARNING, NULL,
			"the machine slept for %lld s: what was under way begins anew",
			(long long)(slept - a->slept_ms) / 1000);
		fleet_slept(a->fleet, clock_now_us());
	}
	a->slept_ms = slept;
}

static void
look_for_idleness(struct app *a)
{
	struct fleet_counts counts;

	fleet_counts(a->fleet, &counts);
	if (a->settings->idle_exit_ms == 0 || counts.present > 0 || fleet_active(a->fleet) > 0 ||
	    server_client_count(a->server) > 0 ||
	    store_queued(a->store) != store_durable(a->store)) {
		a->idle_since_us = clock_now_us();
		return;
	}
	if (clock_now_us() - a->idle_since_us < (uint64_t)a->settings->idle_exit_ms * 1000)
		return;
	log_say(a->log, LOG_NOTICE, NULL,
		"nothing plugged in and nobody asking: leaving until called again");
	leave_loop(a);
}

static void
tell_manager(struct app *a)
{
	struct fleet_counts c;

	fleet_counts(a->fleet, &c);
	notify_status(
	    a->notify, "%s: %u present, %u active, %u pass, %u unchanged, %u failed, %u skipped",
	    fleet_paused(a->fleet) ? "paused" : "armed", c.present, c.active, c.ended[VERDICT_PASS],
	    c.ended[VERDICT_UNCHANGED], c.failed, c.ended[VERDICT_SKIPPED]);
	/* WHY: from the loop itself, so that a loop that hangs is noticed. */
	notify_watchdog(a->notify);
}

static void
on_second(evutil_socket_t fd, short what, void *ctx)
{
	struct app *a = ctx;
	enum loop_work before = turns_begin(&a->turns, LOOP_DEVICE);

	(void)fd;
	(void)what;
	a->seconds++;
	recorder_check(a->recorder, a->seconds % 60 == 0);
	repository_tidy(a->repository);
	selection_heal(a->selection);
	if (recorder_loaded(a->recorder))
		records_walk_on(a->walk);
	ports_check(a->ports);
	look_for_sleep(a);
	tell_manager(a);
	dispatch_run(a->dispatch);
	if (a->stopping)
		go_on_stopping(a);
	else
		look_for_idleness(a);
	turns_end(&a->turns, before);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* A long check or repair is work, not a hang: the service manager may not cut it off. */
static void
on_store_progress(void *ctx)
{
	struct app *a = ctx;
	uint64_t now_us = clock_now_us();

	if (now_us < a->progress_due_us)
		return;
	a->progress_due_us = now_us + PROGRESS_EVERY_US;
	if (a->recorder == NULL || !recorder_loaded(a->recorder))
		notify_status(a->notify, "looking through the records");
	notify_extend(a->notify, REPAIR_STEP_MS);
	notify_watchdog(a->notify);
}

static int
open_store(struct app *a)
{
	struct store_options options = { .floor_bytes = a->settings->free_space_floor_bytes,
					 .progress = on_store_progress,
					 .progress_ctx = a };
	struct store_time now = clock_time(a->clock);
	char why[STORE_WHY_MAX] = "";
	int r = store_open(a->options.state_dir, &options, &now, &a->store, why);

	if (r < 0)
		log_say(a->log, LOG_CRIT, NULL, "%s: %s", a->options.state_dir,
			why[0] != '\0' ? why : strerror(-r));
	else
		app_health(a);
	return r;
}

static int
open_repository(struct app *a)
{
	int r = repository_new(a->store, a->log, &a->repository);

	for (size_t i = 0; i < a->settings->device_count && r == 0; i++)
		r = repository_add_device(a->repository, &a->settings->devices[i].device);
	return r;
}

static gid_t
change_group(const struct app *a)
{
	const struct group *g = getgrnam(a->settings->group);

	if (g == NULL)
		log_say(a->log, LOG_NOTICE, NULL,
			"there is no group %s: only root may change things", a->settings->group);
	return g != NULL ? g->gr_gid : (gid_t)-1;
}

static bool
drones_at_work(void *ctx)
{
	const struct api *a = ctx;

	return fleet_active(a->fleet) > 0;
}

static void
on_client_work(void *ctx, bool begins)
{
	struct app *a = ctx;

	if (begins) {
		(void)turns_begin(&a->turns, LOOP_CLIENT); /* it is never within other work */
		return;
	}
	turns_end(&a->turns, LOOP_IDLE);
	dispatch_run(a->dispatch); /* what the handlers have asked the fleet for */
}

static int
open_server(struct app *a)
{
	struct server_options options = {
		.listen_fd = -1,
		.socket_path = a->options.socket_path,
		.change_gid = change_group(a),
		.change_group = a->change_group,
		.signatures = station_signatures,
		.handlers = api_handlers,
		.method_count = station_method_count,
		.version = PACKAGE_VERSION,
		.ctx = &a->api,
		.gone = api_gone,
		.drained = api_drained,
		.denied = api_denied,
		.answered = api_answered,
		.at_work = drones_at_work,
		.work = on_client_work,
		.work_ctx = a,
	};
	int r = notify_take_listener("control", &options.listen_fd);

	copy_text(a->change_group, sizeof(a->change_group), a->settings->group);
	if (r == 0)
		options.listen_fd = -1;
	if (r >= 0)
		r = server_new(a->base, &options, &a->server);
	a->api.server = a->server;
	if (r < 0)
		log_say(a->log, LOG_CRIT, NULL, "%s: the control socket cannot be opened: %s",
			a->options.socket_path, strerror(-r));
	return r;
}

static int
arm_events(struct app *a)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct timeval second = { .tv_sec = 1 };

	a->second = event_new(a->base, -1, EV_PERSIST, on_second, a);
	if (a->second == NULL || event_add(a->second, &second) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		a->signals[i] = evsignal_new(a->base, numbers[i], on_signal, a);
		if (a->signals[i] == NULL || event_add(a->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
open_bus(struct app *a)
{
	int r = usb_bus_new(a->base, &dispatch_usb, a->dispatch, &a->bus);

	if (r < 0) {
		log_say(a->log, LOG_CRIT, NULL, "USB cannot be used: %s", strerror(-r));
		return r;
	}
	dispatch_set_bus(a->dispatch, a->bus);
	r = watch_new(a->base, &dispatch_watch, a->dispatch, &a->watch);
	if (r < 0)
		log_say(a->log, LOG_CRIT, NULL, "devices cannot be watched for: %s", strerror(-r));
	return r;
}

/* In the order in which one needs the other; store and socket are open before any device is
 * touched. */
static int
build(struct app *a)
{
	struct fleet_options options;
	char error[SETTINGS_ERROR_MAX];
	int r = apply_load(&a->options, &a->settings, error);

	if (r < 0) {
		log_say(a->log, LOG_CRIT, NULL, "%s", error);
		return r;
	}
	options = apply_options(a->settings);
	r = fleet_new(&options, &a->fleet);
	if (r < 0)
		return r;
	r = open_store(a);
	if (r == 0)
		r = open_repository(a);
	if (r < 0)
		return r;
	r = app_open_ports(a);
	if (r < 0)
		return r;
	r = app_open_records(a);
	if (r < 0)
		return r;
	r = app_open_api(a);
	if (r < 0)
		return r;
	r = app_open_dispatch(a);
	if (r < 0)
		return r;
	r = open_server(a);
	if (r < 0)
		return r;
	apply_config(a);
	recorder_start(a->recorder);
	r = arm_events(a);
	if (r < 0)
		return r;
	r = open_bus(a);
	if (r == 0)
		apply_devices(a);
	return r;
}

int
app_new(struct event_base *base, const struct app_options *options, struct app **ret_app)
{
	struct app *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (a == NULL)
		goto out;
	a->base = base;
	a->turns.base = base;
	a->options = *options;
	r = log_new(LOG_INFO, &a->log);
	if (r < 0)
		goto out;
	r = notify_new(&a->notify);
	if (r < 0)
		goto out;
	r = clock_new(&a->clock);
	if (r < 0)
		goto out;
	a->slept_ms = clock_suspended_ms();
	a->idle_since_us = clock_now_us();
	r = build(a);
	if (r < 0) {
		notify_trouble(a->notify, r);
		goto out;
	}
	*ret_app = a;
	a = NULL; /* the caller's now */
out:
	app_free(a);
	return r;
}

int
app_run(struct app *a)
{
	struct log_about about = { .id = LOG_ID_STARTED };

	log_say(a->log, LOG_NOTICE, &about, "cfdfud %s: watching for Crazyflies", PACKAGE_VERSION);
	notify_ready(a->notify);
	tell_manager(a);
	dispatch_run(a->dispatch);
	if (event_base_dispatch(a->base) < 0) {
		log_say(a->log, LOG_CRIT, NULL, "the event loop failed");
		return EXIT_FAILURE;
	}
	log_say(a->log, LOG_NOTICE, NULL, "stopped");
	return a->exit_status;
}

void
app_free(struct app *a)
{
	struct store_time now;

	if (a == NULL)
		return;
	server_free(a->server);
	watch_free(a->watch);
	usb_bus_free(a->bus);
	if (a->store != NULL) {
		now = clock_time(a->clock);
		app_close_api(a);
		repository_free(a->repository);
		store_close(a->store, &now);
	}
	dispatch_free(a->dispatch);
	records_walk_free(a->walk);
	recorder_free(a->recorder);
	eventlog_free(a->eventlog);
	quarantine_free(a->quarantine);
	ports_free(a->ports);
	fleet_free(a->fleet);
	for (size_t i = 0; i < ARRAY_LEN(a->signals); i++)
		if (a->signals[i] != NULL)
			event_free(a->signals[i]);
	wake_free(a->wake);
	if (a->second != NULL)
		event_free(a->second);
	settings_free(a->settings);
	notify_free(a->notify);
	log_free(a->log);
	clock_free(a->clock);
	free(a);
}
