/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "app/alarm.h"
#include "app/api.h"
#include "app/batches.h"
#include "app/clock.h"
#include "app/control.h"
#include "app/counters.h"
#include "app/dispatch.h"
#include "app/eventlog.h"
#include "app/lifecycle.h"
#include "app/log.h"
#include "app/names.h"
#include "app/notify.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/records_walk.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "app/selection.h"
#include "app/services.h"
#include "app/settings.h"
#include "app/turns.h"
#include "app/status_stream.h"
#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"
#include "store/store.h"

enum { REPAIR_STEP_MS = 60000 }; /* a repair says within this that it goes on */

struct daemon {
	struct services sv;
	struct turns turns;
	enum store_health health; /* as it was said last */
	struct alarm *wake;
	struct dispatch *dispatch;
	struct lifecycle *lifecycle;
	struct usb_bus *bus;
	struct watch *watch;
};

/* ---- services ------------------------------------------------------------------------------- */

/* A long check or repair is work, not a hang: the service manager may not cut it off. */
static void
on_store_progress(void *ctx)
{
	struct daemon *d = ctx;

	if (notify_working(d->sv.notify, clock_now_us(), REPAIR_STEP_MS) &&
	    (d->sv.recorder == NULL || !recorder_loaded(d->sv.recorder)))
		notify_status(d->sv.notify, "repairing the records");
}

static void
on_health(void *ctx)
{
	struct daemon *d = ctx;
	char why[STORE_WHY_MAX];
	enum store_health health = store_health(d->sv.store, why);
	struct log_about about = { .id = LOG_ID_DEGRADED };

	if (health == d->health)
		return;
	d->health = health;
	if (health == STORE_OK)
		log_say(d->sv.log, LOG_NOTICE, NULL, "the records can be written again");
	else
		log_say(d->sv.log, health == STORE_DEGRADED ? LOG_CRIT : LOG_WARNING, &about, "%s",
			why);
}

static int
open_store(struct daemon *d)
{
	struct store_options options = { .floor_bytes = d->sv.settings->free_space_floor_bytes,
					 .progress = on_store_progress,
					 .progress_ctx = d };
	struct store_time now = clock_time(d->sv.clock);
	char why[STORE_WHY_MAX] = "";
	int r = store_open(d->sv.state_dir, &options, &now, &d->sv.store, why);

	if (r < 0) {
		log_say(d->sv.log, LOG_CRIT, NULL, "%s: %s", d->sv.state_dir,
			why[0] != '\0' ? why : strerror(-r));
		return r;
	}
	on_health(d);
	r = names_new(&d->sv, &d->sv.names);
	return r < 0 ? r : repository_new(&d->sv, &d->sv.repository);
}

/* The records can be read: the station is as they say. */
static int
on_load(void *ctx)
{
	struct daemon *d = ctx;
	char paused[8] = "";
	int r = quarantine_load(d->sv.quarantine);

	if (r == 0)
		r = names_load(d->sv.names);
	if (r == 0)
		r = store_get(d->sv.store, STORE_STATION, "paused", paused, sizeof(paused));
	if (r < 0)
		return r;
	if (strcmp(paused, "yes") == 0)
		fleet_pause(d->sv.fleet);
	/* WHY before the selection: with that drones begin, and the batch says how many may. */
	r = batches_load(d->sv.batches);
	if (r == 0)
		r = selection_load(&d->sv);
	if (r < 0)
		return r;
	quarantine_recall(d->sv.quarantine);
	repository_tidy_later(d->sv.repository);
	return 0;
}

static const char *
label_of(void *ctx, const char *port)
{
	return ports_label(((struct daemon *)ctx)->sv.ports, port);
}

static void
on_arrived(void *ctx, const struct sighting *s)
{
	dispatch_sighted(((struct daemon *)ctx)->dispatch, s);
}

static int
open_ports(struct daemon *d)
{
	int r = ports_new(&d->sv, on_arrived, d, &d->sv.ports);

	if (r == 0)
		r = quarantine_new(&d->sv, &d->sv.quarantine);
	return r < 0 ? r : batches_new(&d->sv, &d->sv.batches);
}

static unsigned
described_as(void *ctx, const struct sighting *s)
{
	return settings_described_as(((struct daemon *)ctx)->sv.settings, s);
}

static int
open_records(struct daemon *d)
{
	struct recorder_options recorder = { .label = label_of,
					     .described_as = described_as,
					     .load = on_load,
					     .health = on_health,
					     .ctx = d };
	int r = recorder_new(&d->sv, &recorder, &d->sv.recorder);

	if (r == 0)
		r = records_walk_new(&d->sv, on_health, d, &d->sv.walk);
	if (r == 0)
		r = stats_new(&d->sv, &d->sv.stats);
	return r < 0 ? r : counters_new(&d->sv, &d->sv.counters);
}

static void
on_client_work(void *ctx, bool begins)
{
	struct daemon *d = ctx;

	if (begins) {
		(void)turns_begin(&d->turns, LOOP_CLIENT); /* it is never within other work */
		return;
	}
	turns_end(&d->turns, LOOP_IDLE);
	dispatch_run(d->dispatch); /* what handlers asked of the fleet */
}

static int
open_control(struct daemon *d)
{
	return control_open(&d->sv, on_client_work, d);
}

static bool
admit(void *ctx, const struct sighting *s)
{
	struct daemon *d = ctx;

	if (!ports_admit(d->sv.ports, s))
		return false;
	quarantine_follow_path(d->sv.quarantine, s);
	return true;
}

static bool
dismiss(void *ctx, const char *port, uint64_t arrival)
{
	return ports_dismiss(((struct daemon *)ctx)->sv.ports, port, arrival);
}

static int
back_up(void *ctx, const struct request *r)
{
	return rescue_backup(((struct daemon *)ctx)->sv.rescue, r);
}

static void
on_wake(void *ctx)
{
	dispatch_tick(((struct daemon *)ctx)->dispatch);
}

static void
on_wake_wanted(void *ctx, uint64_t at_us)
{
	struct daemon *d = ctx;

	if (alarm_set(d->wake, at_us) < 0)
		log_say(d->sv.log, LOG_ERR, NULL, "the clock cannot be asked to wake the service");
}

static void
on_ran(void *ctx)
{
	status_stream_changed(((struct daemon *)ctx)->sv.stream);
}

static int
open_dispatch(struct daemon *d)
{
	struct dispatch_options options = {
		/* Clients are answered when it is recorded and logged. */
		.listeners = { { recorder_tell, d->sv.recorder },
			       { quarantine_tell, d->sv.quarantine },
			       { batches_tell, d->sv.batches },
			       { eventlog_tell, &d->sv },
			       { counters_tell, d->sv.counters },
			       { rescue_tell, d->sv.rescue } },
		.admit = admit,
		.dismiss = dismiss,
		.backup = back_up,
		.wake = on_wake_wanted,
		.ran = on_ran,
		.ctx = d,
	};

	int r = alarm_new(d->sv.base, on_wake, d, &d->wake);

	return r < 0 ? r : dispatch_new(&d->sv, &options, &d->dispatch);
}

static int
open_bus(struct daemon *d)
{
	const struct device *profile;
	int r = usb_bus_new(d->sv.base, &dispatch_usb, d->dispatch, &d->bus);

	if (r < 0) {
		log_say(d->sv.log, LOG_CRIT, NULL, "USB cannot be used: %s", strerror(-r));
		return r;
	}
	dispatch_set_bus(d->dispatch, d->bus);
	r = watch_new(d->sv.base, &dispatch_watch, d->dispatch, &d->watch);
	if (r < 0) {
		log_say(d->sv.log, LOG_CRIT, NULL, "cannot monitor USB devices: %s", strerror(-r));
		return r;
	}
	for (size_t i = 0; (profile = settings_profile(d->sv.settings, i)) != NULL; i++) {
		r = fleet_add_profile(d->sv.fleet, profile);
		if (r == 0)
			r = watch_also(d->watch, profile->vid, profile->pid);
		if (r < 0)
			log_say(d->sv.log, LOG_ERR, NULL,
				"[device %s]: cannot monitor such devices: %s", profile->name,
				strerror(-r));
	}
	return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int
open_lifecycle(struct daemon *d)
{
	return lifecycle_new(&d->sv, d->dispatch, &d->lifecycle);
}

static int
open_fleet(struct daemon *d)
{
	struct fleet_options options;
	char error[SETTINGS_ERROR_MAX];
	int r = settings_load(d->sv.config_file, NULL, &d->sv.settings, error);

	if (r < 0) {
		log_say(d->sv.log, LOG_CRIT, NULL, "%s", error);
		return r;
	}
	options = settings_fleet_options(d->sv.settings);
	return fleet_new(&options, &d->sv.fleet);
}

/* In the order in which one needs the other; store and socket are open before any device is
 * touched. */
static int
build(struct daemon *d)
{
	static int (*const steps[])(struct daemon * d) = {
		open_fleet,   open_store,    open_ports,     open_records,
		open_control, open_dispatch, open_lifecycle, open_bus,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && r >= 0; i++)
		r = steps[i](d);
	return r;
}

int
daemon_new(struct event_base *base, const struct daemon_options *options,
	   struct daemon **ret_daemon)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int r = -ENOMEM;

	if (d == NULL)
		goto out;
	d->sv.base = base;
	d->turns.base = base;
	d->sv.turns = &d->turns;
	d->sv.config_file = options->config_file;
	d->sv.state_dir = options->state_dir;
	d->sv.socket_path = options->socket_path;
	r = log_new(LOG_INFO, &d->sv.log);
	if (r == 0)
		r = clock_new(&d->sv.clock);
	if (r == 0)
		r = notify_new(&d->sv.notify);
	if (r < 0)
		goto out;
	r = build(d);
	if (r < 0) {
		notify_trouble(d->sv.notify, r);
		goto out;
	}
	*ret_daemon = d;
	d = NULL; /* the caller's now */
out:
	daemon_free(d);
	return r;
}

int
daemon_run(struct daemon *d)
{
	struct log_about about = { .id = LOG_ID_STARTED };
	int r;

	log_say(d->sv.log, LOG_NOTICE, &about, "cfdfud %s: watching for Crazyflies",
		PACKAGE_VERSION);
	r = lifecycle_run(d->lifecycle);
	if (r < 0) {
		log_say(d->sv.log, LOG_CRIT, NULL, "the event loop failed");
		return EXIT_FAILURE;
	}
	log_say(d->sv.log, LOG_NOTICE, NULL, "stopped");
	return r > 0 ? EX_TEMPFAIL : EXIT_SUCCESS;
}

void
daemon_free(struct daemon *d)
{
	struct store_time now;

	if (d == NULL)
		return;
	watch_free(d->watch);
	lifecycle_free(d->lifecycle);
	usb_bus_free(d->bus);
	dispatch_free(d->dispatch);
	alarm_free(d->wake);
	control_close(&d->sv);
	counters_free(d->sv.counters);
	stats_free(d->sv.stats);
	records_walk_free(d->sv.walk);
	recorder_free(d->sv.recorder);
	batches_free(d->sv.batches);
	quarantine_free(d->sv.quarantine);
	ports_free(d->sv.ports);
	repository_free(d->sv.repository);
	names_free(d->sv.names);
	if (d->sv.store != NULL) {
		now = clock_time(d->sv.clock);
		store_close(d->sv.store, &now);
	}
	fleet_free(d->sv.fleet);
	settings_free(d->sv.settings);
	notify_free(d->sv.notify);
	clock_free(d->sv.clock);
	log_free(d->sv.log);
	free(d);
}
