/* SPDX-License-Identifier: MIT */
/* Shared by fleet.c (events, commands) and fleet_view.c (questions); nobody else includes it. */
#ifndef CORE_FLEET_PARTS_H
#define CORE_FLEET_PARTS_H

#include "core/fleet.h"

#define SLOT_CLOSES_MAX 4 /* LIMIT: handles of one slot that are still to be closed */
#define CAUSE_TEXT_MAX 128
#define SLOT_ARRIVALS 12 /* LIMIT: arrivals remembered for telling a flapping port */

struct slot {
	struct sighting sighting;
	struct drone_history history;
	struct job *job;
	struct job_record shown;   /* of the last job at flashing; its image is not held */
	struct job_record special; /* of the last one of another kind, likewise */
	const char *idle_reason;   /* why there is no job; static; NULL: what the last one said */
	uint8_t done_sha256[IMAGE_SHA256_BYTES];
	const struct device *profiles[FLEET_PROFILES_MAX]; /* what its device may be, in order */
	size_t profile_count;
	uint64_t dev; /* open or opening handle; 0 none */
	uint64_t close_dev[SLOT_CLOSES_MAX];
	unsigned close_count;
	uint64_t wake_us;
	uint64_t arrivals_us[SLOT_ARRIVALS];
	unsigned arrival_at;
	uint64_t revision;
	unsigned events; /* BIT(event_kind) still to be told */
	unsigned failures;
	enum step told_step;
	unsigned percent_kept; /* of the job under way: the most that there was to show */
	uint64_t hold_us;      /* its ending waits until then for others that vanished, too; 0 no */
	bool cause_known;      /* ... has been looked into */
	char cause[CAUSE_TEXT_MAX]; /* what took several drones at once; "" nothing */
	bool present, foreign, quarantined, flapping;
	bool drone_quarantined; /* the drone that is here is set aside */
	bool done;		/* had its ending with this image, since it was plugged in */
	bool ended;		/* shown holds a verdict */
	bool again;		/* a new job as soon as the old one is over */
	bool reselected;	/* the selection has changed while its job was under way */
	bool replaced; /* what is plugged in came while the job of what was there was not over */
	bool queued;   /* in the work queue */
	bool not_ours; /* taken from the station: nothing begins here */
	bool asked, forced; /* of the job that begins anew */
	char label[SERIAL_TEXT_MAX];
};

struct fleet {
	struct fleet_options options;
	struct policy *policy;
	struct sched *sched;
	struct crtp_toc toc;
	struct device profiles[FLEET_PROFILES_MAX];
	const struct device *profile_list[FLEET_PROFILES_MAX];
	size_t profile_count;
	struct slot *slots; /* FLEET_SLOTS_MAX */
	unsigned slot_count;
	unsigned queue[FLEET_SLOTS_MAX]; /* ring of slots with something to do */
	unsigned queue_at, queue_count;
	uint64_t last_dev;
	uint64_t boot_us; /* what booting and confirming takes, learned */
	uint64_t work_us; /* the whole work on the last drone that passed; 0 none yet */
	bool paused, stopping;
	struct brake brake;
	struct brake_run fallen; /* fault NONE: the brake has not fallen */
};

/* fleet_view.c: keeps how far the job has come; called before what may change its estimate. */
void fleet_keep_percent(struct fleet *f, unsigned slot, uint64_t now_us);

/* fleet_eta.c */
int fleet_eta_of(const struct fleet *f, unsigned slot, uint64_t now_us); /* seconds; -1 unknown */

/* fleet_brake.c */
void fleet_count_harm(struct fleet *f, const struct job_record *r, uint64_t now_us);

/* fleet_dip.c: before an ending is recorded. */
bool fleet_waits_for_others(struct fleet *f, unsigned slot, uint64_t now_us);

/* fleet_orders.c */
void fleet_begin_anew(struct fleet *f, unsigned slot, uint64_t now_us); /* as it was asked for */

/* fleet.c */
int fleet_add_slot(struct fleet *f, const char *port); /* its number, or -E2BIG */
void fleet_enqueue(struct fleet *f, unsigned slot);    /* there is something to ask this slot for */
void fleet_tell(struct fleet *f, unsigned slot, enum event_kind kind);
void fleet_start_job(struct fleet *f, unsigned slot, const struct job_setup *wanted,
		     uint64_t now_us);
void fleet_consider(struct fleet *f, unsigned slot,
		    uint64_t now_us);	       /* gives it its job if it may have one */
bool fleet_is_candidate(const struct slot *s); /* may we touch it at all? */
bool fleet_has_not_begun(const struct slot *s);
const struct image *fleet_selected_for(const struct fleet *f, const struct slot *s);
bool fleet_wants_another_image(const struct fleet *f, const struct slot *s);
void fleet_forget_ending(struct slot *s);
void fleet_job_is_over(struct fleet *f, unsigned slot, uint64_t now_us);

#endif
