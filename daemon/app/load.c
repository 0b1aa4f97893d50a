/* SPDX-License-Identifier: MIT */
/* The recorder and dispatch, put together; the state of the station, read from the records. */
#include "config.h"

#include <string.h>

#include "app/acts.h"
#include "app/app_parts.h"
#include "app/backups.h"
#include "app/eventlog.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "app/selection.h"
#include "app/status_stream.h"
#include "app/wake.h"

static int
load(void *ctx)
{
	struct app *a = ctx;
	char paused[8] = "";
	int r = quarantine_load(a->quarantine);

	if (r == 0)
		r = store_get(a->store, STORE_STATION, "paused", paused, sizeof(paused));
	if (r < 0)
		return r;
	if (strcmp(paused, "yes") == 0)
		fleet_pause(a->fleet);
	r = selection_load(a->selection);
	if (r < 0)
		return r;
	quarantine_recall(a->quarantine);
	repository_tidy_later(a->repository);
	return 0;
}

/* ---- put together --------------------------------------------------------------------------- */

static void
on_wake(void *ctx)
{
	dispatch_tick(((struct app *)ctx)->dispatch);
}

void
app_health(void *ctx)
{
	struct app *a = ctx;
	char why[STORE_WHY_MAX];
	enum store_health health = store_health(a->store, why);
	struct log_about about = { .id = LOG_ID_DEGRADED };

	if (health == a->told_health)
		return;
	a->told_health = health;
	if (health == STORE_OK)
		log_say(a->log, LOG_NOTICE, NULL, "the records can be written again");
	else
		log_say(a->log, health == STORE_DEGRADED ? LOG_CRIT : LOG_WARNING, &about, "%s",
			why);
}

static const char *
label_of(void *ctx, const char *port)
{
	return ports_label(((struct app *)ctx)->ports, port);
}

static bool
admit(void *ctx, const struct sighting *s)
{
	struct app *a = ctx;

	if (!ports_admit(a->ports, s))
		return false;
	quarantine_follow_path(a->quarantine, s);
	return true;
}

static bool
dismiss(void *ctx, const char *port, uint64_t arrival)
{
	return ports_remove_foreign(((struct app *)ctx)->ports, port, arrival);
}

static void
on_arrived(void *ctx, const struct sighting *s)
{
	dispatch_sighted(((struct app *)ctx)->dispatch, s);
}

int
app_open_ports(struct app *a)
{
	struct ports_options ports = { .settings = a->settings,
				       .clock = a->clock,
				       .fleet = a->fleet,
				       .store = a->store,
				       .log = a->log,
				       .arrived = on_arrived,
				       .ctx = a };
	struct quarantine_options quarantine = { .settings = a->settings,
						 .clock = a->clock,
						 .fleet = a->fleet,
						 .store = a->store,
						 .log = a->log };
	struct eventlog_options eventlog = { .log = a->log, .fleet = a->fleet };
	int r = ports_new(&ports, &a->ports);

	if (r < 0)
		return r;
	quarantine.ports = a->ports;
	r = quarantine_new(&quarantine, &a->quarantine);
	if (r < 0)
		return r;
	eventlog.ports = a->ports;
	eventlog.quarantine = a->quarantine;
	return eventlog_new(&eventlog, &a->eventlog);
}

static void
on_wake_wanted(void *ctx, uint64_t at_us)
{
	wake_at(((struct app *)ctx)->wake, at_us);
}

int
app_open_records(struct app *a)
{
	struct recorder_options recorder = { .store = a->store,
					     .fleet = a->fleet,
					     .log = a->log,
					     .turns = &a->turns,
					     .clock = a->clock,
					     .label = label_of,
					     .described_as = apply_described_as,
					     .load = load,
					     .health = app_health,
					     .ctx = a };
	struct records_walk_options walk = { .base = a->base,
					     .store = a->store,
					     .log = a->log,
					     .turns = &a->turns,
					     .clock = a->clock,
					     .health = app_health,
					     .ctx = a };
	int r = recorder_new(&recorder, &a->recorder);

	return r < 0 ? r : records_walk_new(&walk, &a->walk);
}

static int
keep_backup(void *ctx, const struct job_record *r, const uint8_t *data, size_t size)
{
	return backups_keep(ctx, r, data, size);
}

int
app_open_api(struct app *a)
{
	struct rescue_options rescue = { .fleet = a->fleet,
					 .log = a->log,
					 .label = label_of,
					 .keep = keep_backup,
					 .ended = api_rescue_ended,
					 .ctx = a };
	struct selection_options selection = { .fleet = a->fleet,
					       .store = a->store,
					       .repository = a->repository,
					       .ports = a->ports,
					       .settings = a->settings,
					       .clock = a->clock,
					       .log = a->log };
	struct api *api = &a->api;
	int r = selection_new(&selection, &a->selection);

	if (r < 0)
		return r;
	*api = (struct api){ .fleet = a->fleet,
			     .store = a->store,
			     .log = a->log,
			     .ports = a->ports,
			     .quarantine = a->quarantine,
			     .recorder = a->recorder,
			     .walk = a->walk,
			     .repository = a->repository,
			     .selection = a->selection,
			     .settings = a->settings,
			     .clock = a->clock,
			     .turns = &a->turns,
			     .state_dir = a->options.state_dir };
	r = acts_new(a->store, a->log, a->clock, &api->acts);
	if (r == 0)
		r = rescue_new(&rescue, &api->rescue);
	if (r == 0)
		r = status_stream_new(a->base, &a->turns, api, &api->stream);
	return r;
}

void
app_close_api(struct app *a)
{
	status_stream_free(a->api.stream);
	rescue_free(a->api.rescue);
	acts_free(a->api.acts);
	selection_free(a->selection);
}

static int
rescue_backup_of(void *ctx, const struct request *c)
{
	return rescue_backup(((struct app *)ctx)->api.rescue, c);
}

static void
on_ran(void *ctx)
{
	status_stream_changed(((struct app *)ctx)->api.stream);
}

int
app_open_dispatch(struct app *a)
{
	struct dispatch_options options = {
		.fleet = a->fleet,
		.recorder = a->recorder,
		.turns = &a->turns,
		/* Clients are answered when it is recorded and logged. */
		.listeners = { { recorder_tell, a->recorder },
			       { quarantine_tell, a->quarantine },
			       { eventlog_tell, a->eventlog },
			       { rescue_tell, a->api.rescue } },
		.admit = admit,
		.dismiss = dismiss,
		.backup = rescue_backup_of,
		.wake = on_wake_wanted,
		.ran = on_ran,
		.ctx = a,
	};
	int r = wake_new(a->base, on_wake, a, &a->wake);

	return r < 0 ? r : dispatch_new(&options, &a->dispatch);
}
