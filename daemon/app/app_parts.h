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
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/records_walk.h"
#include "app/turns.h"
#include "app/target.h"
#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"
#include "ctl/server.h"
#include "store/store.h"

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
	struct ports *ports;
	struct quarantine *quarantine;
	struct eventlog *eventlog;
	struct recorder *recorder;
	struct records_walk *walk;
	struct dispatch *dispatch;
	struct api api;
	struct turns turns; /* of the loop: how long they take */
	struct wake *wake;  /* what the fleet waits for */
	struct event *second;
	struct event *signals[3];
	struct repository *repository;
	struct selection *selection;
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
unsigned apply_described_as(void *ctx, const struct sighting *s);

/* load.c: the recorder, its slow walk, and dispatch; store and fleet are there.  -errno. */
int app_open_records(struct app *a) MUST_CHECK;
int app_open_api(struct app *a) MUST_CHECK;
void app_close_api(struct app *a);
int app_open_dispatch(struct app *a) MUST_CHECK;

void app_health(void *ctx); /* says it in the log when the records' health has changed */
int app_open_ports(struct app *a) MUST_CHECK;

#endif
