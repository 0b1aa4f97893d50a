/* SPDX-License-Identifier: MIT */
/*
 * One piece of work on one drone, across its re-enumerations: an update from being seen to exactly
 * one ending, or what looks after the running drone as a whole (enum job_kind).
 *
 *   ASK --> SWITCH --> REQUEST --> AWAIT_DFU --> FLASH --> AWAIT_RUNTIME --> CONFIRM
 *
 *   SWITCH    --> AWAIT_DFU                      asked before, and slow to go
 *   AWAIT_DFU --> SWITCH                         came back as it was, or has perhaps not even left
 *   FLASH     --> AWAIT_DFU                      lost by a reset of the port
 *   AWAIT_RUNTIME --> FLASH                      still in DFU mode: it is to leave once more
 *   any of these --> ENDING --> LIGHT --> OVER   with a verdict
 *   any of these --> OVER                        nothing to do for it: no attempt
 *
 *   A drone that is found in DFU mode begins at FLASH.
 *
 *   The other kinds, while the firmware runs:
 *
 *   CHECK --> OVER                                        a check-up; healthy
 *   CHECK --> RESTART --> AWAIT_RESTART --> CHECK         something needs new power
 *   [CHECK -->] WRITE --> ENDING --> OVER                 a deck, the radio configuration
 *   SHOW --> OVER                                         its light
 *
 *   ASK            version and type over CRTP                          [follow_runtime]
 *   SWITCH         waits for its permits; the attempt's row is written [attempt_switch_next]
 *   REQUEST        the reboot request, or the question whether it is   [follow_runtime]
 *                  still there
 *   AWAIT_DFU      decided by the bus, not by the return code          [travel_arrived,
 *                                                                       travel_is_late]
 *   FLASH          the session in DFU mode                             [follow_dfu_next]
 *   AWAIT_RUNTIME  after leaving                                       [travel_arrived,
 *                                                                       travel_is_late]
 *   CONFIRM        version over CRTP                                   [follow_runtime]
 *   ENDING         the verdict is on its way to the disk               [job_recorded]
 *   LIGHT          pass or fail shown on the drone, after the record   [follow_runtime]
 *   CHECK, WRITE, SHOW, RESTART                                        [checkup_follow]
 *   AWAIT_RESTART  back, or not                                        [checkup_returned,
 *                                                                       checkup_is_late]
 *
 * INVARIANT: nothing is erased before the attempt's row is durable; no verdict is visible before it
 *            is.
 * INVARIANT: each stage has a deadline or a bounded number of transfers; each retry is counted.
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/platform.h"
#include "cfdfu/watch.h"
#include "core/attempt.h"
#include "core/crtp.h"
#include "core/history.h"
#include "core/policy.h"
#include "cfdfu/device.h"
#include "core/request.h"
#include "core/sched.h"

enum job_adopt { JOB_ADOPT_NEVER, JOB_ADOPT_KNOWN, JOB_ADOPT_RECOGNISED, JOB_ADOPT_PORT };
enum job_skip { JOB_SKIP_READBACK, JOB_SKIP_VERSION, JOB_SKIP_NEVER };

/* The configuration, for all jobs. */
struct job_options {
	enum job_adopt adopt;
	enum job_skip skip;
	bool obey;	   /* pacing = obey */
	bool word;	   /* parallelism = word */
	bool leave_loader; /* leave = loader */
	bool light;
	bool backup; /* keep a copy of a drone never seen before */
	uint32_t dfu_timeout_us, boot_timeout_us;
	uint64_t attempt_timeout_us;
	uint32_t link_patience_us; /* from its appearing to the first question */
	bool power_cycle;	   /* where something needs it and the drone can */
	bool deck_update;	   /* decks with the wrong firmware get that of the release */
	uint16_t low_battery_mv;   /* warned below; 0 never */
};

/*
 * Everything a job is told when it begins; all borrowed for its life but the options, the sighting
 * and the history.
 */
struct job_setup {
	enum job_kind kind;
	const struct job_options *options;
	const struct policy *policy;
	const struct device *const *profiles;
	size_t profile_count;
	const char *label;     /* of the slot, as it is called now; borrowed; NULL none */
	const char *path;      /* of its port, as struct sighting's; borrowed; NULL unknown */
	struct crtp_tocs *toc; /* shared by all jobs: where variables are, by build */
	struct image *image;   /* JOB_RECOVER_LOADER: what to write; else NULL */
	const struct condition *condition; /* of the drone, as it was seen in this stay; copied;
					      NULL: nothing was */
	uint32_t patience_us;	  /* at least so long from its appearing to the first question */
	char loader_sha256[65];	  /* JOB_RECOVER_LOADER: of the sector as it is to be */
	struct image *release;	  /* JOB_DECK: has the deck's firmware as a part; else NULL */
	char deck[DECK_NAME_MAX]; /* JOB_DECK: by name */
	struct radio_block radio; /* JOB_EEPROM: channel, rate and address as they are to be, or
				     bytes, when read is set: an old block, put back as it was */
	bool hands_back;	  /* JOB_CHECKUP: the link goes back to the radio, nothing else */
	bool retry;		  /* someone asked */
	bool force;		  /* ... and wants it written even when it is equal */
};

/* These switch to DFU mode; the others speak to the running drone only. */
bool job_kind_reboots(enum job_kind kind);

struct job;

int job_new(const struct job_setup *setup, const struct sighting *s,
	    const struct drone_history *history, uint64_t now_us, struct job **ret_job) MUST_CHECK;
void job_free(struct job *j);

void job_next(struct job *j, uint64_t now_us, struct request *ret_request);

/* The records' knowledge of the drone as it shows itself now; before job_sighted(). */
void job_learn(struct job *j, const struct sighting *s, const struct drone_history *history);

/* Another drone with the same serial is here. */
void job_shares_serial(struct job *j);

/* Events.  job_sighted() false: not this job's drone - it has ended because of it; handle the
 * sighting anew. */
bool job_sighted(struct job *j, const struct sighting *s, uint64_t now_us) MUST_CHECK;
void job_gone(struct job *j, uint64_t now_us);
void job_opened(struct job *j, int error, const uint8_t *descriptors, size_t length,
		uint64_t now_us);
void job_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
	       uint64_t now_us);
void job_granted(struct job *j, enum permit permit, uint64_t now_us);
void job_recorded(struct job *j, int error, int64_t id, uint64_t now_us);
void job_digest(struct job *j, const char *sha256_hex, bool recognised);
void job_backed_up(struct job *j, int error);
void job_tick(struct job *j, uint64_t now_us);

/*
 * Before a job_tick(): so many other drones on the same controller are on their way, too.  The
 * kernel brings up one device at a time, and without our udev rule none is told of before its hub's
 * last one is there (doc/rack.md 1), so this one is late only after as much time more.
 */
void job_allow_contention(struct job *j, unsigned others);
bool job_awaits(const struct job *j); /* its drone is on its way from one mode to the other */

/* Its ending, not recorded yet, has a cause that it shares with others.  words: a sentence. */
void job_blame(struct job *j, const char *words);

/* Ends it from outside: the service stops, the machine slept.  The verdict still goes to disk. */
void job_stop(struct job *j, enum verdict_kind kind, enum fault fault, uint64_t now_us);

uint64_t job_deadline_us(const struct job *j); /* UINT64_MAX: none */
enum job_stage job_stage(const struct job *j);
enum step job_step(const struct job *j);
const struct job_record *job_record(const struct job *j);
bool job_is_busy(const struct job *j); /* a transfer is in flight, and wanted: nothing to ask for */
bool job_forced(const struct job *j);  /* asked for with force */
bool job_published(const struct job *j); /* its verdict is on disk and may be told */
bool job_cut_short(const struct job *j); /* ended from outside, with the drone still there */
/* Nothing is written, recorded or restarted: it gives way to whatever is wanted of the drone. */
bool job_only_looks(const struct job *j);
bool job_is_cycling(const struct job *j); /* its power is switched off and on */
/* So much later is it asked since it crashed; 0: it did not. */
uint32_t job_patience_us(const struct job *j);
/* Times that the drone reset itself when it was first asked. */
unsigned job_crashes(const struct job *j);
bool job_foreign(const struct job *j); /* OVER: the device in DFU mode is none of ours */
bool job_begun(const struct job *j);   /* its row was asked for, whether it exists yet or not */
bool job_touched(const struct job *j); /* the drone was rebooted or changed */
/* Work left and in all, as far as it can be told; boot_us: what coming back usually takes. */
void job_estimate(const struct job *j, uint64_t now_us, uint64_t boot_us, uint64_t *ret_left_us,
		  uint64_t *ret_total_us);

#endif
