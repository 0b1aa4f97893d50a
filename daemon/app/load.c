/* SPDX-License-Identifier: MIT */
/* The recorder and dispatch, put together; the state of the station, read from the records. */
#include "config.h"

#include <string.h>

#include "app/acts.h"
#include "app/app_parts.h"
#include "app/backups.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "app/selection.h"
#include "app/status_stream.h"
#include "app/wake.h"

enum {
	CRASHES_MAX = 3, /* doc/faults.md S2: a port that was active in so many crashes in a row */
};

struct crashed {
	char port[16][PORT_TEXT_MAX]; /* LIMIT: more crash candidates than that are looked at next
					 time */
	size_t count;
	struct app *app;
};

static void
on_port(void *ctx, const struct store_port *p)
{
	struct crashed *c = ctx;
	bool crashes = p->crashes >= CRASHES_MAX && p->quarantined_ms == 0;
	bool plain = p->failures == 0 && p->quarantined_ms == 0 && !crashes;

	/* LIMIT: places for drones are not given away to ports that were used years ago. */
	if (plain && (fleet_slots(c->app->fleet) >= FLEET_SLOTS_MAX / 2 ||
		      !settings_ports_match(&c->app->settings->ports, p->port, NULL)))
		return;
	if (fleet_recall_port(c->app->fleet, p->port, p->failures,
			      p->quarantined_ms != 0 || crashes) < 0)
		return;
	if (crashes && c->count < sizeof(c->port) / sizeof(c->port[0]))
		copy_text(c->port[c->count++], PORT_TEXT_MAX, p->port);
}

static int
load_ports(struct app *a)
{
	struct crashed c = { .app = a };
	struct store_time now = clock_time(a->clock);
	int e = store_port_each(a->store, on_port, &c);

	if (e < 0)
		return e;
	for (size_t i = 0; i < c.count; i++) {
		struct log_about about = journal_slot(a, c.port[i]);
		int r = store_port_quarantine(
		    a->store, c.port[i], "active in three crashes of the service in a row", &now);

		about.id = LOG_ID_QUARANTINED;
		log_say(a->log, LOG_ERR, &about,
			"set aside, it was active in %d crashes of the service in a row%s",
			CRASHES_MAX, r < 0 ? " (not recorded)" : "");
	}
	return 0;
}

static int
load(void *ctx)
{
	struct app *a = ctx;
	char paused[8] = "";
	int r = load_ports(a);

	if (r == 0)
		r = store_get(a->store, STORE_STATION, "paused", paused, sizeof(paused));
	if (r >= 0)
		r = harm_load(a);
	if (r < 0)
		return r;
	if (strcmp(paused, "yes") == 0)
		fleet_pause(a->fleet);
	r = selection_load(a);
	if (r < 0)
		return r;
	harm_recall(a);
	repository_tidy_later(a->repository);
	return 0;
}

/* ---- put together --------------------------------------------------------------------------- */

static void
on_wake(void *ctx)
{
	dispatch_tick(((struct app *)ctx)->dispatch);
}

static const char *
label_of(void *ctx, const char *port)
{
	return apply_label(ctx, port);
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
					     .health = journal_health,
					     .ctx = a };
	struct records_walk_options walk = { .base = a->base,
					     .store = a->store,
					     .log = a->log,
					     .turns = &a->turns,
					     .clock = a->clock,
					     .health = journal_health,
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
	struct api *api = &a->api;
	int r;

	*api = (struct api){ .app = a,
			     .fleet = a->fleet,
			     .store = a->store,
			     .log = a->log,
			     .recorder = a->recorder,
			     .walk = a->walk,
			     .repository = a->repository,
			     .settings = a->settings,
			     .clock = a->clock };
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
			       { quarantine_tell, a },
			       { journal_tell, a },
			       { rescue_tell, a->api.rescue } },
		.admit = apply_admit,
		.dismiss = apply_gone_outside,
		.backup = rescue_backup_of,
		.wake = on_wake_wanted,
		.ran = on_ran,
		.ctx = a,
	};
	int r = wake_new(a->base, on_wake, a, &a->wake);

	return r < 0 ? r : dispatch_new(&options, &a->dispatch);
}
