/* SPDX-License-Identifier: MIT */
/* An event of a slot, for those who log, record and show it.  A plain value. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

struct job_record;

/* Why a port is quarantined. */
enum port_quarantine {
	PORT_QUARANTINE_NONE, /* it is not */
	PORT_QUARANTINE_FAILURES,
	PORT_QUARANTINE_FLAPPING,
	PORT_QUARANTINE_CRASHES, /* at work here in crashes of the service */
};

enum event_kind {
	EVENT_SEEN,	   /* something is plugged in */
	EVENT_LEFT,	   /* and is gone */
	EVENT_STEP,	   /* a job has reached another step */
	EVENT_ENDED,	   /* a verdict, durable */
	EVENT_IDLE,	   /* looked at, nothing to do */
	EVENT_FOREIGN,	   /* looked at, none of ours */
	EVENT_QUARANTINED, /* the slot is quarantined now */
	EVENT_DRONE_QUARANTINED,
	EVENT_COMMON_CAUSE,  /* several drones vanished at once: fleet_common_cause() */
	EVENT_BRAKE,	     /* with this slot's ending: fleet_brake() says what holds now */
	EVENT_SPECIAL_ENDED, /* a reading or a rescue; without a verdict: it came to nothing */
	EVENT_CONDITION,     /* the whole drone was looked at: .record has what was seen */
	EVENT_BATCH_STOPPED, /* with this slot's ending: batch_stopped(fleet_batch()) says why */
	EVENT_COUNT
};

struct fleet_event {
	enum event_kind kind;
	unsigned slot;
	const struct job_record *record; /* of the job, or of what the slot shows; as a request's */
};

#endif
