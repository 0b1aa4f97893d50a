/* SPDX-License-Identifier: MIT */
/*
 * How a slot counts: each slot is in exactly one class.  The one definition, for counters, for
 * `retry --failed`, for `wait`, and for what may be taken away.  Names: daemon/core/slot_class.c.
 */
#ifndef CFDFU_SLOT_CLASS_H
#define CFDFU_SLOT_CLASS_H

enum slot_class {
	SLOT_CLASS_ABSENT = 0, /* nothing is plugged in, and nothing has ended there */
	SLOT_CLASS_ACTIVE,     /* a job is under way, or its ending is not recorded yet */
	SLOT_CLASS_WAITING,    /* plugged in; its job begins when the station may begin one */
	/* the ending of the last attempt, also when the drone is gone */
	SLOT_CLASS_PASS,
	SLOT_CLASS_UNCHANGED,
	SLOT_CLASS_NEEDS_POWER_CYCLE,
	SLOT_CLASS_NEEDS_BUTTON,
	SLOT_CLASS_FAIL,
	SLOT_CLASS_SKIPPED,
	SLOT_CLASS_INTERRUPTED,
	/* plugged in, and nothing is done with it */
	SLOT_CLASS_QUARANTINED, /* port or drone is quarantined until it is released */
	SLOT_CLASS_FOREIGN,	/* not known to be a Crazyflie */
	SLOT_CLASS_UNSERVED,	/* no firmware for it */
	SLOT_CLASS_COUNT
};

#endif
