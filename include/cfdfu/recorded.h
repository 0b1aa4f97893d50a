/* SPDX-License-Identifier: MIT */
/* Attempts at flashing as the records tell them, for those who count.  Texts are borrowed. */
#ifndef CFDFU_RECORDED_H
#define CFDFU_RECORDED_H

#include "cfdfu/outcome.h"

/* An attempt, for sums (daemon/core/yield.h). */
struct yield_fact {
	int64_t id, started_ms;
	int64_t drone, image, batch; /* row numbers, under 2^30; 0 none */
	const char *port;
	enum verdict_kind verdict; /* NONE: it runs, or is not of kind flash */
	enum fault fault;
	uint32_t bytes_written;
	const char *stages; /* [["asking",120],["erasing",3100]] */
};

/* The ending of an update (daemon/core/brake.h, daemon/core/batch.h). */
struct update_ending {
	const uint8_t *sha256; /* of the image; NULL none */
	const char *firmware;
	struct verdict verdict;
	const char *serial, *dfu_serial; /* "" also where they tell no drone from another */
	const char *port, *label;	 /* label NULL or "": none */
	bool ready;			 /* its drone as a whole, as far as it is known yet */
	bool forgiven;			 /* recalled, and the operator has resumed since */
};

/* Different drones: by their last ending in the batch, and first_good by their first. */
struct batch_counts {
	unsigned drones;
	unsigned good;	 /* pass, unchanged */
	unsigned ready;	 /* of these */
	unsigned failed; /* fail, needs-button, interrupted */
	unsigned first_good;
};

#endif
