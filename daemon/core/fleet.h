/* SPDX-License-Identifier: MIT */
/*
 * The whole station as a pure machine: events in, requests out.  Composes slots, jobs, permits and
 * policy for all drones; owns no clock, no descriptor, no record.
 *
 * How to drive it: report an event, then drain fleet_next() and carry each request out, then arm
 * one timer for fleet_deadline_us() that reports fleet_tick().  Requests are answered by later
 * events:
 *
 *   REQUEST_OPEN     [fleet_opened]
 *   REQUEST_XFER     [fleet_ended]
 *   REQUEST_CLOSE    nothing
 *   REQUEST_BEGIN    [fleet_recorded], once it is durable, or an error
 *   REQUEST_END      [fleet_recorded], likewise
 *   REQUEST_DIGEST   [fleet_digest], may be at once
 *   REQUEST_BACKUP   [fleet_backed_up], may be at once
 *   REQUEST_EVENT    nothing
 *
 * A slot is a port's for as long as something is there or known of it.  An empty one without
 * history is given back when another port comes, and its number may then be that port's:
 * fleet_stay() tells them apart.
 *
 * INVARIANT: at most one transfer per device; none after its CLOSE; nothing for a device that is
 *            gone.
 * INVARIANT: one drone's trouble changes nothing for another but the order of permits.
 */
#ifndef CORE_FLEET_H
#define CORE_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/batch.h"
#include "core/brake.h"
#include "core/event.h"
#include "core/job.h"
#include "core/policy.h"
#include "core/request.h"
#include "core/sched.h"
#include "core/slot_class.h"

#define FLEET_SLOTS_MAX SCHED_SLOTS_MAX
#define FLEET_NEVER UINT64_MAX

struct fleet;

struct fleet_options {
	struct job_options job;
	struct sched_limits limits;
	unsigned quarantine; /* failures in a row; 0 never */
	unsigned brake;	     /* drones harmed alike by one image, in a row; 0 never */
};

enum slot_mode { SLOT_NONE, SLOT_RUNTIME, SLOT_DFU };

enum slot_state {
	SLOT_ABSENT,
	SLOT_IDLE,
	SLOT_FOREIGN,
	SLOT_QUARANTINED,
	SLOT_WAITING, /* for a permit to begin */
	SLOT_WORKING, /* at .step */
	SLOT_ENDED,
};

/* A slot as it is shown.  Plain value; pointers good until the next call into the fleet. */
struct slot_view {
	const char *port;
	bool present;
	enum slot_mode mode;
	const char *serial, *dfu_serial; /* "" unknown */
	enum platform platform;
	enum slot_state state;
	int percent;		/* -1 none */
	struct verdict verdict; /* kind NONE: none yet */
	enum slot_class class;
	enum step step; /* of the running attempt, or where it ended */
	const char *message;
	const char *quarantine_words; /* a sentence to follow the message, static; or NULL */
	const char *whole_words;      /* likewise, on the drone as a whole: what to do with it */
	const char *version_before, *version_after; /* "" unknown */
	int64_t attempt;			    /* 0 none */
	bool in_batch;				    /* it is of the batch that runs */
	bool active;				    /* and not to be unplugged */
	bool begun; /* something was recorded of it, or done to the drone */
	bool retry_possible;
	const struct condition *condition; /* never NULL */
	const struct readiness *readiness; /* never NULL */
};

/* The fate of a drone if nothing changes now. */
enum plan_action {
	ACTION_NONE,	/* nothing is there, or nothing is selected for it */
	ACTION_FLASH,	/* it gets the image */
	ACTION_CHECK,	/* it says it has the image: looked at, most likely unchanged */
	ACTION_LOOK,	/* something is selected, but only DFU mode can tell what it is */
	ACTION_WAIT,	/* it would have its turn, but the station holds it back */
	ACTION_RUNNING, /* it has its turn */
	ACTION_DONE,	/* it has had its ending with this image */
	ACTION_SKIPPED,
	ACTION_FOREIGN,
	ACTION_QUARANTINED,
};

/* Pointers are good until the next call into the fleet, or change of the policy asked. */
struct fleet_plan {
	enum plan_action action;
	struct image *image; /* what is selected for it, or NULL */
	enum policy_by by;
	const char *version_before; /* what it says it runs; "" unknown */
	const char *why;	    /* a sentence */
	const char *choice_why;	    /* the policy's own */
	bool is_bad;		    /* its last ending was none of the good ones */
	bool due;		    /* it gets the image, now or when what holds it back is over */
};

/*
 * active: being worked on or queued; ended: slots by the verdict that they show, also those that
 * are quarantined now; failed: the sum of those that count so; of: slots by class.
 */
struct fleet_counts {
	unsigned present, active, failed;
	unsigned ended[VERDICT_COUNT], of[SLOT_CLASS_COUNT];
};

int fleet_new(const struct fleet_options *options, struct fleet **ret_fleet) MUST_CHECK;
void fleet_free(struct fleet *f);
void fleet_set_options(struct fleet *f, const struct fleet_options *options);

/* A further kind of device, tried after the family's profile, in order.  Copied.  -E2BIG: there are
 * SLOT_PROFILES_MAX. */
int fleet_add_profile(struct fleet *f, const struct device *p) MUST_CHECK;

/* The operator's selection; after changes to it call fleet_selection_changed(). */
struct policy *fleet_policy(struct fleet *f);
void fleet_selection_changed(struct fleet *f, uint64_t now_us);

/* ---- events ---- */

/* history: what the records know of the drone; copied. */
void fleet_sighted(struct fleet *f, const struct sighting *s, const struct drone_history *history,
		   uint64_t now_us);
void fleet_gone(struct fleet *f, const char *port, uint64_t arrival, uint64_t now_us);
void fleet_opened(struct fleet *f, uint64_t dev, int error, const uint8_t *descriptors,
		  size_t length, uint64_t now_us);
void fleet_ended(struct fleet *f, uint64_t dev, enum usb_status status, const uint8_t *data,
		 size_t length, uint64_t now_us);
void fleet_recorded(struct fleet *f, unsigned slot, int error, int64_t id, uint64_t now_us);
/* recognised: the bytes look like cf2loader. */
void fleet_digest(struct fleet *f, unsigned slot, const char *sha256_hex, bool recognised);
void fleet_backed_up(struct fleet *f, unsigned slot, int error);
void fleet_tick(struct fleet *f, uint64_t now_us);

/*
 * The drone on this slot as the records know it, when they could not be read as it came.  A job
 * that has begun nothing yet is restarted with that.
 */
void fleet_history(struct fleet *f, unsigned slot, const struct drone_history *history,
		   uint64_t now_us);

/* The machine was suspended: running jobs are aborted and restarted (doc/faults.md K9). */
void fleet_slept(struct fleet *f, uint64_t now_us);

/* ---- requests ---- */

bool fleet_next(struct fleet *f, uint64_t now_us, struct request *ret_request);
uint64_t fleet_deadline_us(const struct fleet *f);

/* ---- the operator ---- */

void fleet_pause(struct fleet *f);
void fleet_resume(struct fleet *f, uint64_t now_us);
bool fleet_paused(const struct fleet *f);

/*
 * The image that has harmed several drones in a row in the same way: the fleet has paused itself
 * and quarantined the image in its policy.  NULL: it has not, or was resumed since.  Good until the
 * next call into the fleet.
 */
const struct brake_run *fleet_brake(const struct fleet *f);
/* An ending that the records tell of, in their order, after the start: counted like one's own. */
void fleet_recall(struct fleet *f, const struct update_ending *e, uint64_t now_us);
/* Drones get this image again; the count restarts.  False: it was not quarantined. */
bool fleet_release_image(struct fleet *f, const uint8_t sha256[IMAGE_SHA256_BYTES],
			 uint64_t now_us);

/*
 * The batch that runs (batch.h): updates whose row is asked for while it does are in it, and starts
 * wait as it says.  When it stops, the fleet pauses; fleet_resume() is for both.  It is recalled
 * after a restart: begun, then each ending that the records have of it, in their order.  Its end
 * leaves a fleet that it has paused as it is.  -EBUSY: one runs; else as batch_new().
 */
int fleet_begin_batch(struct fleet *f, const struct batch_terms *terms) MUST_CHECK;
void fleet_recall_batch(struct fleet *f, const struct update_ending *e);
void fleet_end_batch(struct fleet *f);			/* what was held back for it may begin */
const struct batch *fleet_batch(const struct fleet *f); /* NULL: none runs */

/* Starts it again.  -ENODEV no device, -EBUSY running, -EPERM quarantined (release it, or force),
 * -EINVAL foreign. */
int fleet_retry(struct fleet *f, unsigned slot, bool force, uint64_t now_us);

/* A job of another kind on this slot; errors as fleet_retry().  Of wanted count kind, image (takes
 * its own reference), loader_sha256 and force, which here means the whole of it. */
int fleet_special(struct fleet *f, unsigned slot, const struct job_setup *wanted, uint64_t now_us);

/* A port as the records know it, before anything is plugged in; makes the slot known.  -E2BIG:
 * all slots are in use or quarantined. */
int fleet_recall_port(struct fleet *f, const char *port, unsigned failures,
		      enum port_quarantine quarantined);
/* A slot as the configuration has it.  Not ours: a job at work there is finished, none begins.
 *  label: "" or NULL none; fleet_selection_changed() after that. */
void fleet_configure_slot(struct fleet *f, unsigned slot, bool ours, const char *label);
enum port_quarantine fleet_port_quarantine(const struct fleet *f,
					   unsigned slot); /* the port, not its drone */
/* As the records have it, static.  Another text is the message of the last of the failures. */
const char *fleet_quarantine_reason(enum port_quarantine why);
enum port_quarantine fleet_quarantine_by_reason(const char *reason);
/* Lifts the quarantine; a present drone gets its job.  False: nothing was quarantined. */
bool fleet_release(struct fleet *f, unsigned slot, uint64_t now_us);

/* The service is to stop: nothing begins any more; what has not begun ends, what has goes on. */
void fleet_drain(struct fleet *f, uint64_t now_us);
/* Every running job ends as interrupted; the verdicts still have to be recorded. */
void fleet_stop(struct fleet *f, uint64_t now_us);

/* ---- questions ---- */

/* Slots are numbered below this; those that are free are shown as absent, with the port "". */
unsigned fleet_slots(const struct fleet *f);
bool fleet_is_used(const struct fleet *f, unsigned slot);
uint64_t fleet_stay(const struct fleet *f, unsigned slot); /* once for each port that gets it */
uint64_t fleet_given_back(const struct fleet *f);	   /* slots, since the fleet's beginning */
int fleet_find(const struct fleet *f, const char *port);   /* slot, or -ENOENT */
const char *fleet_port(const struct fleet *f, unsigned slot); /* borrowed until it is given back */
/* The device path of the slot's port, where something was sighted there; "" unknown. */
const char *fleet_path(const struct fleet *f, unsigned slot);
void fleet_set_path(struct fleet *f, unsigned slot, const char *path);
/* The device that is plugged in there, as it was sighted, until the next event; NULL: none. */
const struct sighting *fleet_sighting(const struct fleet *f, unsigned slot);
void fleet_view(const struct fleet *f, unsigned slot, uint64_t now_us, struct slot_view *ret_view);
/* As the interface has it; step: of the view, which names what a working slot is doing. */
const char *slot_state_name(enum slot_state state, enum step step);
void fleet_counts(const struct fleet *f, struct fleet_counts *ret_counts);
/* Touches nothing.  with: the fleet's own policy, or another one to see what that would do. */
void fleet_plan(const struct fleet *f, unsigned slot, const struct policy *with,
		struct fleet_plan *ret_plan);
const char *fleet_plan_name(enum plan_action action);
unsigned fleet_active(const struct fleet *f); /* jobs, also those that only wait */
/* Seconds to the slot's verdict, or to the last one; -1 none.  Plays the queue: O(slots^2). */
int fleet_slot_eta_s(const struct fleet *f, unsigned slot, uint64_t now_us);
int fleet_eta_s(const struct fleet *f, uint64_t now_us);
/* The sentence on what took this slot's drone together with others; NULL: nothing did. */
const char *fleet_common_cause(const struct fleet *f, unsigned slot);
/* Counts up with every change that a watcher could see on this slot. */
uint64_t fleet_revision(const struct fleet *f, unsigned slot);

#endif
