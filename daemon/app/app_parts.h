/* SPDX-License-Identifier: MIT */
/* Shared by the files of daemon/app; nobody else includes it. */
#ifndef APP_APP_PARTS_H
#define APP_APP_PARTS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

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
#include "ctl/station_methods.h"
#include "store/store.h"

#define APP_BUSES_MAX 64    /* LIMIT: buses that are compared with what they were before */
#define APP_WATCHERS_MAX 80 /* LIMIT: more than the server has clients */

struct watcher {
	struct call *call;		/* NULL: free */
	char target[TARGET_TEXT_MAX];	/* "": all */
	uint64_t told[FLEET_SLOTS_MAX]; /* revision + 1 that this watcher has seen; 0 none */
	uint64_t station;		/* revision of the station that this watcher has seen */
	bool full, lost, blocked;
};

/* A rescue or reading under way: who asked, and where the bytes go. */
struct special {
	struct call *call; /* NULL: none, or its client went away */
	enum job_kind kind;
	int fd;	    /* of a backup; -1 */
	bool whole; /* backup: boot loader and all of the flash */
	bool force; /* recovery: also where a boot loader is in order */
	bool running;
	uint64_t bytes;	       /* of the backup's file */
	uint32_t addr, length; /* of what it holds */
	char sha256[65];
	int error; /* of writing to fd: negative errno */
};

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
	struct turns turns; /* of the loop: how long they take */
	struct wake *wake;  /* what the fleet waits for */
	struct event *second, *watch_timer;
	struct event *signals[3];
	struct watcher watchers[APP_WATCHERS_MAX];
	size_t watchers_left; /* of this round, the last first */
	json_t *station;      /* as it was told last */
	json_t *brake;	      /* type Brake: why the station has paused itself; NULL: it has not */
	uint64_t station_revision;
	struct repository *repository;
	struct special specials[FLEET_SLOTS_MAX];
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
	unsigned denied_minute, denied_count;
	uint64_t stop_at_us; /* when what is still at work is interrupted */
	bool watch_armed;
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

/* status.c: what there is to show, as JSON (types Station and Slot of the interface). */
json_t *status_station(struct app *a);
json_t *status_slot(struct app *a, unsigned slot);
json_t *status_text(const char *text);			   /* NULL or "" -> null */
json_t *status_words(const char *words, const char *port); /* with the port for SLOT */
json_t *status_time(int64_t wall_ms);			   /* ISO 8601; <= 0 -> null */

/* find.c: what a text of the operator's names.  records: also drones that are not plugged in. */
void find_target(struct app *a, const char *text, bool records, struct target *ret_target);
/* The same, among the slots; false after having answered that it names none, or several drones. */
bool find_slots(struct app *a, struct call *call, const char *text, struct target *ret_target);
/* Of one that names nothing, or is ambiguous. */
void find_refuse(struct app *a, struct call *call, const struct target *t);
/* Where one slot alone can be meant: true after having answered that the target is several. */
bool find_refuse_several(struct call *call, const struct target *t);

/* watchers.c: streams of GetStatus. */
void watchers_add(struct app *a, struct call *call, const char *target);
void watchers_drop(struct app *a, struct call *call);
void watchers_changed(void *ctx); /* something may be new: tell them soon */
void watchers_drained(struct app *a, struct call *call);

/* methods*.c: the handlers, one per entry of station_signatures. */
#define METHODS_HANDLER(name, ...) server_handler methods_##name;
STATION_METHODS(METHODS_HANDLER)
extern server_handler *const methods[];
void methods_gone(void *ctx, struct call *call);
void methods_drained(void *ctx, struct call *call);
/* acts.c: the audit of acts. */
void acts_begun(struct app *a, struct call *call); /* its answer comes when it has ended */
void acts_answered(void *ctx, struct call *call, const char *error, const json_t *parameters);
void acts_denied(void *ctx, const struct peer *peer, const char *method);
/* methods_firmware.c, methods_select.c */
/* A parameter that names a platform: false after having refused it. */
bool methods_platform(struct call *call, json_t *parameters, const char *name, enum platform *ret);
json_t *methods_firmware_row(struct app *a, const char *name); /* type Firmware, or NULL */
const char *methods_store_error(int error);	 /* the error to answer with, by a negative errno */
const char *methods_descriptor_error(int error); /* the same, of memfile_read() */
/* "WHAT: why not.", by the records' health where that is why. */
void methods_refuse_store(struct app *a, struct call *call, int error, const char *what);
void methods_no_firmware(struct call *call, const char *name);
/* An image of the catalogue by its name: 0, or -EALREADY after having refused. */
int methods_image(struct app *a, struct call *call, const char *name,
		  struct image **ret_image) MUST_CHECK;
/* Says why policy_platforms_for() did not take it. */
void methods_refuse_platforms(struct app *a, struct call *call, const struct image *image,
			      int error);

void rescue_tell(void *ctx, const struct fleet_event *event); /* a listener: answers who asked */
int rescue_backup(void *ctx, const struct request *c);	      /* REQUEST_BACKUP: keep the bytes */

#endif
