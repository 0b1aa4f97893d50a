/* SPDX-License-Identifier: MIT */
/* Shared by the files of daemon/app; nobody else includes it. */
#ifndef APP_APP_PARTS_H
#define APP_APP_PARTS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "app/api.h"
#include "app/app.h"
#include "app/clock.h"
#include "app/dispatch.h"
#include "app/settings.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/recorder.h"
#include "app/records_walk.h"
#include "app/turns.h"
#include "app/target.h"
#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"
#include "ctl/server.h"
#include "store/store.h"

#define APP_BUSES_MAX 64 /* LIMIT: buses that are compared with what they were before */

/* A bus and the controller that its number belongs to. */
struct bus_place {
	unsigned bus;
	char controller[PATH_TEXT_MAX], before[PATH_TEXT_MAX]; /* before: "" the same as ever */
};

struct app {
	struct app_options options;
	struct event_base *base;
	struct clock *clock;
	struct settings *settings;
	struct log *log;
	struct notify *notify;
	struct store *store;
	struct fleet *fleet;
	struct usb_bus *bus;
	struct watch *watch;
	struct server *server;
	struct recorder *recorder;
	struct records_walk *walk;
	struct dispatch *dispatch;
	struct api api;
	struct turns turns; /* of the loop: how long they take */
	struct wake *wake;  /* what the fleet waits for */
	struct event *second;
	struct event *signals[3];
	json_t *brake; /* type Brake: why the station has paused itself; NULL: it has not */
	struct repository *repository;
	struct sighting outside[FLEET_SLOTS_MAX];
	size_t outside_count;
	struct bus_place buses[APP_BUSES_MAX]; /* that something was sighted on in this run */
	size_t bus_count;
	bool settled[FLEET_SLOTS_MAX]; /* the quarantine of this slot goes by its path */
	bool ports_changed; /* a slot that was taken from the station has perhaps a drone at work */
	char change_group[SETTINGS_NAME_MAX]; /* of those who may change things */
	uint64_t idle_since_us;
	int64_t slept_ms;	  /* CLOCK_BOOTTIME - CLOCK_MONOTONIC when looked last */
	uint64_t progress_due_us; /* a long check or repair: when the manager is told next */
	unsigned seconds;
	uint64_t stop_at_us;	/* when what is still at work is interrupted */
	bool stopping, stopped; /* told to stop; nobody is waited for any more */
	enum store_health told_health;
	int exit_status;
};

/* apply.c: the configuration in force. */
struct fleet_options apply_options(const struct settings *c);
int apply_load(const struct app_options *options, struct settings **ret_settings,
	       char error[SETTINGS_ERROR_MAX]) MUST_CHECK;
void apply_config(struct app *a);
void apply_devices(struct app *a); /* once, when there is a watch */
void apply_again(struct app *a);   /* SIGHUP */
/* The label of a port, by its device path, too, where that is known; NULL. */
const char *apply_label(const struct app *a, const char *port);
/* For the dispatch: is it ours?  Else it is kept in mind. */
bool apply_admit(void *ctx, const struct sighting *s);
bool apply_gone_outside(void *ctx, const char *port, uint64_t arrival); /* it was one of them */
unsigned apply_described_as(void *ctx, const struct sighting *s);
bool apply_is_outside_drone(const struct sighting *s); /* a drone, as far as can be seen */
void apply_ports_taken(struct app *a);		       /* each second */

/* place.c: ports by their controllers' device paths, whatever the numbers of the buses are. */
void place_sighted(struct app *a, const struct sighting *s); /* its slot is known; before its job */
/* The quarantine of a port is that of its device path, where that is known. */
void place_set_aside(struct app *a, const char *port, bool aside);

/* load.c: the recorder, its slow walk, and dispatch; store and fleet are there.  -errno. */
int app_open_records(struct app *a) MUST_CHECK;
int app_open_api(struct app *a) MUST_CHECK;
void app_close_api(struct app *a);
int app_open_dispatch(struct app *a) MUST_CHECK;

/* journal.c: listeners of the dispatch. */
void journal_tell(void *ctx, const struct fleet_event *event);	  /* says it in the log */
void quarantine_tell(void *ctx, const struct fleet_event *event); /* records what is set aside */
struct log_about journal_slot(const struct app *a, const char *port); /* borrows port */
void journal_health(void *ctx); /* says it when the records' health has changed */

/* harm.c: the brake has fallen, what of it is recorded, and how it is lifted. */
void harm_stopped(struct app *a);	 /* records it */
void harm_say(struct app *a);		 /* in the log; after that */
int harm_load(struct app *a) MUST_CHECK; /* what is set aside, and why the station is paused */
void harm_recall(struct app *a);	 /* endings before the start are counted */
json_t *harm_resumed(struct app *a);	 /* what it was paused for, the caller's; or NULL */
/* Drones get this image again.  -ENOENT: it is not set aside; else the error of recording it. */
int harm_release(struct app *a, const uint8_t *sha256) MUST_CHECK;

#endif
