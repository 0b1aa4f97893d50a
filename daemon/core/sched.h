/* SPDX-License-Identifier: MIT */
/*
 * Permits to go on: limits on what drones do at the same time, first come first served within a
 * limit.
 *
 *   PERMIT_START    one more drone under way             at most active_max on the station
 *   PERMIT_SWITCH   a mode switch                        at most switch_max on a controller;
 *                                                        stagger_us apart, on a controller or a
 *                                                        hub
 *   PERMIT_WRITE    erase, write, verify                 at most writers_max behind one
 *                                                        transaction translator
 *   PERMIT_LEAVE    becoming a run-time drone again      while the controller has endpoint contexts
 *                                                        left (doc/protocol.md 10, rows 10 and 12),
 *                                                        or has held more than endpoints_max once;
 *                                                        waits leave_wait_us at most
 *   PERMIT_BLOCK    one block on its way, of a drone     with blocks_learned, at most what its
 *                   that has PERMIT_WRITE                translator carries well (translator.h);
 *                                                        asked for by sched_block()
 *
 *   [sched_ask] --> waiting --[sched_next]--> granted --[sched_release]--> none
 *
 * INVARIANT: a limit holds at every instant; a permit that is waited for is granted as soon as
 *            there is room.
 * INVARIANT: no call looks at more than the groups (controllers, hubs, translators) that have
 *            a slot waiting; sched_place() looks for the group of a name that is new to the slot.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/watch.h"

enum permit {
	PERMIT_NONE,
	PERMIT_START,
	PERMIT_SWITCH,
	PERMIT_WRITE,
	PERMIT_LEAVE,
	PERMIT_BLOCK,
	PERMIT_COUNT
};

#define SCHED_RUNTIME_ENDPOINTS 6 /* SPEC: control, CRTP 2, CDC 3 (doc/protocol.md 10, row 10) */
#define SCHED_SLOTS_MAX 512	  /* LIMIT: slots of a fleet */
#define SCHED_NEVER UINT64_MAX

struct sched_limits { /* 0 = no limit */
	unsigned active_max;
	unsigned switch_max;
	unsigned writers_max;
	unsigned endpoints_max; /* endpoint contexts of one controller */
	uint32_t stagger_us;
	bool stagger_hubs; /* each hub for itself, and not each controller */
	bool blocks_learned;
	uint32_t leave_wait_us;
};

struct sched;

int sched_new(const struct sched_limits *limits, struct sched **ret_sched) MUST_CHECK;
void sched_free(struct sched *s);
void sched_set_limits(struct sched *s, const struct sched_limits *limits);

/* While held, no further drone gets PERMIT_START; those that have it go on. */
void sched_hold_starts(struct sched *s, bool hold);

/* Where slot is plugged in (NULL: where it was, at first nowhere), and how many endpoint contexts
 * its device takes now (0: nothing there). */
void sched_place(struct sched *s, unsigned slot, const struct sighting *where, unsigned endpoints);

/* Slot is given back: its permits, and its place in the groups. */
void sched_forget(struct sched *s, unsigned slot);

/* Slot asks for a permit; asking again changes nothing. */
void sched_ask(struct sched *s, unsigned slot, enum permit permit, uint64_t now_us);

/* Slot does not need it any more, granted or waiting. */
void sched_release(struct sched *s, unsigned slot, enum permit permit);
void sched_release_all(struct sched *s, unsigned slot);

/* A block of data is to go: may it now?  Otherwise it waits for PERMIT_BLOCK.  teaches: how long
 * it takes is compared with other such blocks. */
bool sched_block(struct sched *s, unsigned slot, bool teaches, uint64_t now_us) MUST_CHECK;
/* The transfer of slot, a block or not, has ended. */
void sched_block_ended(struct sched *s, unsigned slot, bool well, uint64_t now_us);

bool sched_has(const struct sched *s, unsigned slot, enum permit permit);
bool sched_waits(const struct sched *s, unsigned slot, enum permit permit);

/* The next permit that can be granted now; it is granted by this call. */
bool sched_next(struct sched *s, uint64_t now_us, unsigned *ret_slot, enum permit *ret_permit);

/* When sched_next() may say something new without any other call; SCHED_NEVER. */
uint64_t sched_deadline_us(const struct sched *s);

#endif
