/* SPDX-License-Identifier: MIT */
/*
 * One slot: what is plugged in on a port, its job, how the last one ended, and what becomes of it
 * when its job is over.  Nothing here knows of another slot.  For slots.c and the fleet alone.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/watch.h"
#include "core/event.h"
#include "core/image.h"
#include "core/job.h"
#include "core/policy.h"
#include "cfdfu/device.h"

#define SLOT_PROFILES_MAX 17 /* LIMIT: the family and 16 [device] sections */
#define SLOT_CLOSES_MAX 4    /* LIMIT: handles of one slot that are still to be closed */
#define SLOT_ARRIVALS 12     /* LIMIT: arrivals remembered for telling a flapping port */
#define SLOT_CAUSE_MAX 128

/* How the last job at flashing ended, or what it found out; that is what the slot shows. */
struct slot_ending {
	struct job_record shown; /* its image is not held */
	const char *idle_reason; /* why there is no job; static; NULL: what the last one said */
	uint8_t sha256[IMAGE_SHA256_BYTES]; /* of the image that it is done with */
	bool done;			    /* had its ending, since it was plugged in */
	bool ended;			    /* shown holds a verdict */
	bool foreign;			    /* looked at, none of ours */
	bool in_batch;			    /* what is shown ended in the batch that runs */
};

struct slot_handle {
	uint64_t dev; /* open or opening; 0 none */
	uint64_t closing[SLOT_CLOSES_MAX];
	unsigned closing_count;
};

/* A block that waits for room behind the translator. */
struct slot_held {
	uint64_t dev; /* it is for; 0: there is none */
	struct usb_xfer xfer;
};

/* The future of the slot when its job is over, and how the next job was asked for. */
struct slot_next {
	bool again;	    /* a new job as soon as the old one is over */
	bool reselected;    /* the selection has changed while its job was under way */
	bool replaced;	    /* what is plugged in came while the old one's job was not over */
	bool asked, forced; /* of the job that begins anew */
};

/* The whole drone beside its STM32's bytes, in this stay; what was seen and judged is with the
 * ending.  An order is what an operator wants as soon as a look at it has given way. */
struct slot_whole {
	bool due;		/* it is to be looked at, or just is */
	unsigned decks_tried;	/* BIT(number in the condition): written by itself, once a stay */
	unsigned decks_written; /* likewise: with success, in whichever job */
	char nrf_wanted[32];	/* the version that its release brings; "" none */
	/* Of one drone, when it was first asked; the last one was just now.  Kept after it left. */
	char crasher[SERIAL_TEXT_MAX];
	uint8_t crashes;
	bool crashed;
	bool ordered;
	struct job_setup order; /* holds its images */
};

struct slot_quarantine {
	enum port_quarantine port; /* why the port is, NONE when not */
	bool drone;		   /* the drone that is here is */
	unsigned failures;	   /* of the port, in a row */
	uint64_t arrivals_us[SLOT_ARRIVALS];
	unsigned arrival_at;
};

/* The common cause that took several drones at once (dip.h). */
struct slot_cause {
	uint64_t hold_us; /* the ending waits until then for others that vanished, too; 0 no */
	bool known;	  /* has been looked into */
	char text[SLOT_CAUSE_MAX]; /* "" nothing */
};

struct slot_told {
	uint64_t revision;
	unsigned events; /* BIT(event_kind) still to be told */
	enum step step;
	unsigned percent;    /* of the job under way, as it is kept at times */
	uint64_t percent_us; /* since when it is */
	uint64_t boot_us;    /* time of booting and confirming, as the job's percent counts it */
};

/* How much of a slot would be missed, least first. */
enum slot_worth {
	SLOT_WORTH_NOTHING,
	SLOT_WORTH_ENDING,   /* it shows how its last drone ended; the records have that, too */
	SLOT_WORTH_FAILURES, /* its failures in a row are counted */
	SLOT_WORTH_LABEL,    /* the operator has named it */
	SLOT_WORTH_KEEPING,  /* in use, or quarantined: it is not given back */
};

struct slot {
	struct sighting sighting; /* what is here, or was last; port "": it was given back */
	struct drone_history history;
	struct job *job;
	struct slot_ending ending;
	struct job_record special; /* of the last job of another kind; its image is not held */
	const struct device *profiles[SLOT_PROFILES_MAX]; /* what its device may be, in order */
	size_t profile_count;
	struct slot_handle handle;
	struct slot_held held;
	struct slot_next next;
	struct slot_whole whole;
	struct slot_quarantine quarantine;
	struct slot_cause cause;
	struct slot_told told;
	uint64_t wake_us;    /* when its job is to be asked again; 0 never */
	unsigned progress;   /* stage and step when permits were looked at last; 0 not yet */
	uint64_t left_us;    /* when it became empty; 0: nothing was plugged in yet */
	uint64_t stay;	     /* number of the port's stay in this slot: another port has another */
	unsigned controller; /* its number (arrivals.h), once something was sighted */
	bool present;
	bool queued;	   /* in the work queue */
	bool foreign_port; /* taken from the station: nothing begins here */
	bool in_batch;	   /* its job began in the batch that runs */
	char label[SERIAL_TEXT_MAX];
};

/* ---- questions ---- */

bool slot_is_candidate(const struct slot *s);	/* may its device be touched at all? */
bool slot_is_running(const struct slot *s);	/* a job whose verdict is not told yet */
bool slot_is_at_work(const struct slot *s);	/* ... that does more than look */
bool slot_is_quarantined(const struct slot *s); /* the port, or the drone */
enum slot_worth slot_worth(const struct slot *s);
/* Its port can neither be missed nor, as time goes, be told as flapping. */
bool slot_is_forgotten(const struct slot *s, uint64_t now_us);
/* Its job has changed nothing, and nothing is or will be recorded of it. */
bool slot_has_not_begun(const struct slot *s);
/* Its drone's run-time serial, also while that is in DFU mode, where it is known; "" unknown. */
const char *slot_serial(const struct slot *s);
/* It has had its ending with this image, since it was plugged in. */
bool slot_is_done_with(const struct slot *s, const struct image *image);
/* The record of its job, or of the last one. */
const struct job_record *slot_record(const struct slot *s);
/* Which image its drone, as far as it is known, would get by this policy. */
enum policy_answer slot_ask_policy(const struct slot *s, const struct policy *p,
				   struct policy_choice *ret_choice);
/* The image that its drone, as far as it is known, would get by this policy; NULL none. */
struct image *slot_image(const struct slot *s, const struct policy *policy);
/* Would its drone get another image now than the one it is done with? */
bool slot_wants_another_image(const struct slot *s, const struct policy *policy);
/* 0 to 99, never less than before; -1 while there is nothing to tell. */
int slot_percent(const struct slot *s, uint64_t now_us);

/* ---- events ---- */

/* The device that came; list, count: the profiles that the station knows. */
void slot_put(struct slot *s, const struct sighting *sighting, const struct drone_history *history,
	      const struct device *list, size_t count);
/* An arrival; true when there were too many in a short time. */
bool slot_is_flapping(struct slot *s, uint64_t now_us);
/* Keeps how far the job has come; before what may change its estimate. */
void slot_keep_percent(struct slot *s, uint64_t now_us);
/* The handle, if there is one, has to be closed; its transfer is not reported any more. */
void slot_drop_device(struct slot *s);
/* A copy of a job's record that outlives the job: it does not hold the image. */
void slot_keep_record(struct job_record *copy, const struct job_record *r);
void slot_forget_ending(struct slot *s);
/* Its drone has left: what was seen of it as a whole holds no more. */
void slot_forget_whole(struct slot *s);
void slot_keep_order(struct slot *s, const struct job_setup *order); /* NULL: none any more */
/* A job at flashing has ended: that is shown, and not done again with the image it was for. */
void slot_end(struct slot *s, const struct job_record *r, const struct policy *policy);
/* Failures in a row, of the port and of a drone that fails wherever it is plugged in; limit: those
 * that quarantine it; 0 never. */
void slot_count(struct slot *s, const struct job_record *r, unsigned limit);
/* Keeps what the ended attempt taught, for the next job on the same drone. */
void slot_learn(struct slot *s, const struct job_record *r);
/* Lifts the quarantine and forgets what led to it; false: there was none. */
bool slot_release(struct slot *s);

#endif
