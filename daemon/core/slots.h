/* SPDX-License-Identifier: MIT */
/*
 * All slots of a station, the jobs that they are given, and the queue of those that have something
 * to say.  For the fleet's own files.
 *
 *   free --[slots_add]--> a port's --[slots_tidy, or slots_add for another port]--> free
 *
 *   nothing --[slots_consider, start]--> a job --[slots_over]--> nothing, or the next job
 *                                                                     [chain_next]
 */
#ifndef CORE_SLOTS_H
#define CORE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arrivals.h"
#include "core/crtp.h"
#include "core/deadlines.h"
#include "core/event.h"
#include "core/sched.h"
#include "core/slot.h"

struct slots {
	/* WHY at once: pages that are not used cost nothing, and jobs point into their slot. */
	struct slot *list; /* SCHED_SLOTS_MAX */
	unsigned count;	   /* slots [0, count) may be in use, all others are free */
	unsigned used;
	uint64_t stays, given_back;	 /* since the fleet's beginning */
	unsigned queue[SCHED_SLOTS_MAX]; /* ring of slots with something to say */
	unsigned queue_at, queue_count;
	struct deadlines deadlines; /* of the slots that are not in the queue */
	struct arrivals arrivals;
	uint64_t boot_us;		/* time of booting and confirming, learned */
	unsigned boots;			/* from so many */
	struct crtp_tocs toc;		/* shared by all jobs */
	const struct job_options *jobs; /* borrowed, as are these: */
	struct policy *policy;
	struct sched *sched;
	bool paused, stopping;
	bool held; /* starts wait for those that have their permit */
};

int slots_find(const struct slots *ss, const char *port); /* -ENOENT */
/*
 * Its number, also a known one.  When all slots are in use, the one that is missed least is given
 * back for it (enum slot_worth; of equal ones that which is empty longest).  -E2BIG: none can be.
 */
int slots_add(struct slots *ss, const char *port);
bool slots_is_used(const struct slots *ss, unsigned slot);
/* Gives back those that are empty since a while and without history. */
void slots_tidy(struct slots *ss, uint64_t now_us);

/* There is something to ask this slot for: a request, an event, a new job. */
void slots_enqueue(struct slots *ss, unsigned slot);
void slots_dequeue(struct slots *ss); /* the slot at the head has nothing more to say */
void slots_tell(struct slots *ss, unsigned slot, enum event_kind kind);

/* Marks the attempts of drones that are here at the same time and show one serial. */
void slots_mark_twins(struct slots *ss, unsigned slot);
/* Gives what is plugged in its job, when it may have one. */
void slots_consider(struct slots *ss, unsigned slot, uint64_t now_us);
void slots_consider_all(struct slots *ss, uint64_t now_us);
/* A running drone that gets no job: one that an earlier service was killed at would be deaf to its
 * radio, so its link goes back to that, once. */
void slots_hand_back(struct slots *ss, unsigned slot, uint64_t now_us);
/* A job that has done nothing yet, from its beginning, as it was asked for. */
void slots_begin_anew(struct slots *ss, unsigned slot, uint64_t now_us);
void slots_stop(struct slots *ss, unsigned slot, uint64_t now_us); /* its job, as interrupted */
void slots_over(struct slots *ss, unsigned slot, uint64_t now_us);

/* This is wanted of the drone: at once, or when the job that only looks at it has given way. */
void slots_order(struct slots *ss, unsigned slot, const struct job_setup *wanted, uint64_t now_us);
/* Its job only looks at the drone, which is to be considered anew: it gives way. */
void slots_give_way(struct slots *ss, unsigned slot, uint64_t now_us);

/* ---- slots_chain.c: what follows a job on the same slot ---- */

/* update --> checkup --> [deck --> checkup]...; false: nothing follows. */
bool chain_next(struct slots *ss, unsigned slot, struct job_setup *ret_setup);
void chain_job_over(struct slots *ss, unsigned slot); /* its job is over, and still there */
/* Judged anew, with those whose radio address it shares or shared; told where that changes. */
void chain_judge(struct slots *ss, unsigned slot);
void chain_left(struct slots *ss, unsigned slot); /* its drone has left */

void slots_pause(struct slots *ss, bool paused);
void slots_hold(struct slots *ss, bool held);

#endif
