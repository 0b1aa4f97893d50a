/* SPDX-License-Identifier: MIT */
/* The records' knowledge of a drone, as far as it is about the one that is there. */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include <stdbool.h>

#include "cfdfu/outcome.h"
#include "cfdfu/platform.h"
#include "cfdfu/watch.h"

struct job_record;

/* Knowledge of the drone that was sighted. */
struct drone_history {
	bool known;
	bool interrupted;	/* its last attempt did not end well, or not at all: it is ours */
	bool shares_dfu_serial; /* its DFU serial does not identify it */
	bool quarantined;
	bool obey;		/* QUIRK kept from earlier sessions */
	bool doubtful;		/* so perhaps: what is blank may be half erased */
	enum platform platform; /* what its firmware called itself */
	char serial[SERIAL_TEXT_MAX];
	char dfu_serial[SERIAL_TEXT_MAX];
	char loader_sha256[65];
	unsigned failures, failed_ports;
	unsigned described_as; /* BIT(i): it may be profile i of fleet_add_profile(), 1 the first */
};

/* Of the drone that shows itself so: where its serial says nothing, only that of the port. */
struct drone_history history_of(const struct drone_history *history, const struct sighting *s);

/* The same drone shows itself in another mode, and the records say this of it then. */
void history_learn(struct drone_history *h, const struct drone_history *history,
		   const struct sighting *s);

/* An attempt that ended so has perhaps left the flash half written. */
bool history_interrupted_by(enum verdict_kind verdict);

/* Keeps what an ended attempt taught, for the next one on the same drone. */
void history_remember(struct drone_history *h, const struct job_record *r);

#endif
