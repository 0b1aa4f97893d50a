/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "app/clock.h"
#include "app/control.h"
#include "app/dispatch.h"
#include "app/eventlog.h"
#include "app/lifecycle.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/records_walk.h"
#include "app/reload.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "app/selection.h"
#include "app/settings.h"
#include "app/turns.h"
#include "app/wake.h"
#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"
#include "store/store.h"

enum { REPAIR_STEP_MS = 60000 }; /* a repair says within this that it goes on */

struct daemon {
	struct daemon_options options;
	struct event_base *base;
	struct clock *clock;
	struct log *log;
	struct notify *notify;
	struct settings *settings;
	struct fleet *fleet;
	struct store *store;
	enum store_health health; /* as it was said last */
	struct repository *repository;
	struct ports *ports;
	struct quarantine *quarantine;
	struct eventlog eventlog;
	struct recorder *recorder;
	struct records_walk *walk;
	struct selection *selection;
	struct turns turns;
	struct wake *wake;
	struct dispatch *dispatch;
	struct control *control;
	struct reload reload;
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

	if (notify_working(d->notify, clock_now_us(), REPAIR_STEP_MS) &&
	    (d->recorder == NULL || !recorder_loaded(d->recorder)))
		notify_status(d->notify, "looking through the records");
}

static void
on_health(void *ctx)
{
	struct daemon *d = ctx;
	char why[STORE_WHY_MAX];
	enum store_health health = store_health(d->store, why);
	struct log_about about = { .id = LOG_ID_DEGRADED };

	if (health == d->health)
		return;
	d->health = health;
	if (health == STORE_OK)
		log_say(d->log, LOG_NOTICE, NULL, "the records can be written again");
	else
		log_say(d->log, health == STORE_DEGRADED ? LOG_CRIT : LOG_WARNING, &about, "%s",
			why);
}

static int
open_store(struct daemon *d)
{
	struct store_options options = { .floor_bytes = d->settings->free_space_floor_bytes,
					 .progress = on_store_progress,
					 .progress_ctx = d };
	struct store_time now = clock_time(d->clock);
	char why[STORE_WHY_MAX] = "";
	int r = store_open(d->options.state_dir, &options, &now, &d->store, why);

	if (r < 0) {
		log_say(d->log, LOG_CRIT, NULL, "%s: %s", d->options.state_dir,
			why[0] != '\0' ? why : strerror(-r));
		return r;
	}
	on_health(d);
	r = repository_new(d->store, d->log, d->clock, &d->repository);
	for (size_t i = 0; i < d->settings->device_count && r == 0; i++)
		r = repository_add_device(d->repository, &d->settings->devices[i].device);
	return r;
}

/* The records can be read: the station is as they say. */
static int
on_load(void *ctx)
{
	struct daemon *d = ctx;
	char paused[8] = "";
	int r = quarantine_load(d->quarantine);

	if (r == 0)
		r = store_get(d->store, STORE_STATION, "paused", paused, sizeof(paused));
	if (r < 0)
		return r;
	if (strcmp(paused, "yes") == 0)
		fleet_pause(d->fleet);
	r = selection_load(d->selection);
	if (r < 0)
		return r;
	quarantine_recall(d->quarantine);
	repository_tidy_later(d->repository);
	return 0;
}

static const char *
label_of(void *ctx, const char *port)
{
	return ports_label(((struct daemon *)ctx)->ports, port);
}

static void
on_arrived(void *ctx, const struct sighting *s)
{
	dispatch_sighted(((struct daemon *)ctx)->dispatch, s);
}

static int
open_ports(struct daemon *d)
{
	struct ports_options ports = { .settings = d->settings,
				       .clock = d->clock,
				       .fleet = d->fleet,
				       .store = d->store,
				       .log = d->log,
				       .arrived = on_arrived,
				       .ctx = d };
	struct quarantine_options quarantine = { .settings = d->settings,
						 .clock = d->clock,
						 .fleet = d->fleet,
						 .store = d->store,
						 .log = d->log };
	int r = ports_new(&ports, &d->ports);

	quarantine.ports = d->ports;
	if (r == 0)
		r = quarantine_new(&quarantine, &d->quarantine);
	d->eventlog = (struct eventlog){ d->log, d->fleet, d->ports, d->quarantine };
	return r;
}

static unsigned
described_as(void *ctx, const struct sighting *s)
{
	return settings_described_as(((struct daemon *)ctx)->settings, s);
}

static int
open_records(struct daemon *d)
{
	struct recorder_options recorder = { .store = d->store,
					     .fleet = d->fleet,
					     .log = d->log,
					     .turns = &d->turns,
					     .clock = d->clock,
					     .label = label_of,
					     .described_as = described_as,
					     .load = on_load,
					     .health = on_health,
					     .ctx = d };
	struct records_walk_options walk = { .base = d->base,
					     .store = d->store,
					     .log = d->log,
					     .turns = &d->turns,
					     .clock = d->clock,
					     .health = on_health,
					     .ctx = d };
	struct selection_options selection = { .fleet = d->fleet,
					       .store = d->store,
					       .repository = d->repository,
					       .ports = d->ports,
					       .settings = d->settings,
					       .clock = d->clock,
					       .log = d->log };
	int r = recorder_new(&recorder, &d->recorder);

	if (r == 0)
		r = records_walk_new(&walk, &d->walk);
	return r < 0 ? r : selection_new(&selection, &d->selection);
}

static void
on_requests_done(void *ctx)
{
	dispatch_run(((struct daemon *)ctx)->dispatch);
}

static int
open_control(struct daemon *d)
{
	struct control_options options = { .base = d->base,
					   .socket_path = d->options.socket_path,
					   .requests_done = on_requests_done,
					   .ctx = d };

	options.api = (struct api){ .fleet = d->fleet,
				    .store = d->store,
				    .log = d->log,
				    .ports = d->ports,
				    .quarantine = d->quarantine,
				    .recorder = d->recorder,
				    .walk = d->walk,
				    .repository = d->repository,
				    .selection = d->selection,
				    .settings = d->settings,
				    .clock = d->clock,
				    .turns = &d->turns,
				    .state_dir = d->options.state_dir };
	return control_new(&options, &d->control);
}

static bool
admit(void *ctx, const struct sighting *s)
{
	struct daemon *d = ctx;

	if (!ports_admit(d->ports, s))
		return false;
	quarantine_follow_path(d->quarantine, s);
	return true;
}

static bool
dismiss(void *ctx, const char *port, uint64_t arrival)
{
	return ports_remove_foreign(((struct daemon *)ctx)->ports, port, arrival);
}

static int
back_up(void *ctx, const struct request *r)
{
	return rescue_backup(control_rescue(((struct daemon *)ctx)->control), r);
}

static void
on_wake(void *ctx)
{
	dispatch_tick(((struct daemon *)ctx)->dispatch);
}

static void
on_wake_wanted(void *ctx, uint64_t at_us)
{
	wake_at(((struct daemon *)ctx)->wake, at_us);
}

static void
on_ran(void *ctx)
{
	control_changed(((struct daemon *)ctx)->control);
}

static int
open_dispatch(struct daemon *d)
{
	struct dispatch_options options = {
		.fleet = d->fleet,
		.recorder = d->recorder,
		.turns = &d->turns,
		/* Clients are answered when it is recorded and logged. */
		.listeners = { { recorder_tell, d->recorder },
			       { quarantine_tell, d->quarantine },
			       { eventlog_tell, &d->eventlog },
			       { rescue_tell, control_rescue(d->control) } },
		.admit = admit,
		.dismiss = dismiss,
		.backup = back_up,
		.wake = on_wake_wanted,
		.ran = on_ran,
		.ctx = d,
	};
	int r = wake_new(d->base, on_wake, d, &d->wake);

	return r < 0 ? r : dispatch_new(&options, &d->dispatch);
}

static int
open_bus(struct daemon *d)
{
	const struct device *profile;
	int r = usb_bus_new(d->base, &dispatch_usb, d->dispatch, &d->bus);

	if (r < 0) {
		log_say(d->log, LOG_CRIT, NULL, "USB cannot be used: %s", strerror(-r));
		return r;
	}
	dispatch_set_bus(d->dispatch, d->bus);
	r = watch_new(d->base, &dispatch_watch, d->dispatch, &d->watch);
	if (r < 0) {
		log_say(d->log, LOG_CRIT, NULL, "cannot monitor USB devices: %s", strerror(-r));
		return r;
	}
	for (size_t i = 0; (profile = settings_profile(d->settings, i)) != NULL; i++) {
		r = fleet_add_profile(d->fleet, profile);
		if (r == 0)
			r = watch_also(d->watch, profile->vid, profile->pid);
		if (r < 0)
			log_say(d->log, LOG_ERR, NULL,
				"[device %s]: cannot monitor such devices: %s", profile->name,
				strerror(-r));
	}
	return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
on_second(void *ctx, unsigned seconds)
{
	struct daemon *d = ctx;

	recorder_check(d->recorder, seconds % 60 == 0);
	repository_tidy(d->repository);
	selection_heal(d->selection);
	if (recorder_loaded(d->recorder))
		records_walk_on(d->walk);
	ports_check(d->ports);
}

static void
on_reload(void *ctx)
{
	struct daemon *d = ctx;

	reload_again(&d->reload);
	dispatch_run(d->dispatch);
}

static int
open_lifecycle(struct daemon *d)
{
	struct lifecycle_options options = { .base = d->base,
					     .settings = d->settings,
					     .log = d->log,
					     .notify = d->notify,
					     .fleet = d->fleet,
					     .store = d->store,
					     .server = control_server(d->control),
					     .dispatch = d->dispatch,
					     .turns = &d->turns,
					     .second = on_second,
					     .reload = on_reload,
					     .ctx = d };

	d->reload = (struct reload){ .config_file = d->options.config_file,
				     .settings = d->settings,
				     .log = d->log,
				     .notify = d->notify,
				     .fleet = d->fleet,
				     .ports = d->ports,
				     .recorder = d->recorder,
				     .selection = d->selection };
	reload_first(&d->reload);
	recorder_start(d->recorder);
	return lifecycle_new(&options, &d->lifecycle);
}

static int
open_fleet(struct daemon *d)
{
	struct fleet_options options;
	char error[SETTINGS_ERROR_MAX];
	int r = settings_load(d->options.config_file, NULL, &d->settings, error);

	if (r < 0) {
		log_say(d->log, LOG_CRIT, NULL, "%s", error);
		return r;
	}
	options = settings_fleet_options(d->settings);
	return fleet_new(&options, &d->fleet);
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
	d->base = base;
	d->turns.base = base;
	d->options = *options;
	r = log_new(LOG_INFO, &d->log);
	if (r == 0)
		r = clock_new(&d->clock);
	if (r == 0)
		r = notify_new(&d->notify);
	if (r < 0)
		goto out;
	r = build(d);
	if (r < 0) {
		notify_trouble(d->notify, r);
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

	log_say(d->log, LOG_NOTICE, &about, "cfdfud %s: watching for Crazyflies", PACKAGE_VERSION);
	if (lifecycle_run(d->lifecycle) < 0) {
		log_say(d->log, LOG_CRIT, NULL, "the event loop failed");
		return EXIT_FAILURE;
	}
	log_say(d->log, LOG_NOTICE, NULL, "stopped");
	return EXIT_SUCCESS;
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
	wake_free(d->wake);
	control_free(d->control);
	selection_free(d->selection);
	records_walk_free(d->walk);
	recorder_free(d->recorder);
	quarantine_free(d->quarantine);
	ports_free(d->ports);
	repository_free(d->repository);
	if (d->store != NULL) {
		now = clock_time(d->clock);
		store_close(d->store, &now);
	}
	fleet_free(d->fleet);
	settings_free(d->settings);
	notify_free(d->notify);
	clock_free(d->clock);
	log_free(d->log);
	free(d);
}
