/* SPDX-License-Identifier: MIT */
/* Which class a slot is in (cfdfu/slot_class.h), from what is known of it. */
#ifndef CORE_SLOT_CLASS_H
#define CORE_SLOT_CLASS_H

#include <stdbool.h>

#include "cfdfu/outcome.h"
#include "cfdfu/slot_class.h"

struct slot_facts {
	bool present;	  /* something is plugged in */
	bool running;	  /* a job whose ending is not recorded yet */
	bool again;	  /* a new job as soon as the old one is over */
	bool quarantined; /* the port, or the drone that is there */
	bool foreign;
	bool held;		   /* the station begins nothing now, and has something to begin */
	enum verdict_kind verdict; /* of the last attempt at flashing; NONE: nothing has ended */
};

enum slot_class slot_class_of(const struct slot_facts *facts);

/* True for fail, needs-button and interrupted. */
bool slot_class_failed(enum verdict_kind verdict);

/* "pass"; the name of a verdict's class is the verdict's name. */
const char *slot_class_name(enum slot_class c);

#endif
