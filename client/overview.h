/* SPDX-License-Identifier: MIT */
/* The station in a few lines: what status and watch have above and below their tables. */
#ifndef CLIENT_OVERVIEW_H
#define CLIENT_OVERVIEW_H

#include "client/slots.h"

/*
 * "Station armed. Firmware for cf2: NAME VERSION (3fa9c1d2...)" - a sentence or two, always
 * terminated.
 */
void overview_station(const json_t *station, char *dst, size_t size);

/* "Firmware: cf2 = NAME VERSION 3fa9...; ..." or that nothing is selected, and how to select. */
void overview_firmware(const json_t *station, char *dst, size_t size);

/* "16 present, 4 active, 10 pass, ... 1:23 to go" */
void overview_counts(const json_t *station, char *dst, size_t size);
/* The same; where that takes more than so many lines of so many cells, those that matter, the
 * failed ones first. */
void overview_counts_in(const json_t *station, size_t columns, size_t lines_max, char *dst,
			size_t size);

/*
 * The drones that are plugged in, a line for each thing to do with them, without a newline at the
 * end: "Take away (done): A1 (1-4), 1-5." "Set aside: B7 (FAIL: no-boot while booting)." "Left
 * alone: ..." "Leave plugged in: ..." "Not begun yet: ..."; lines of which there are none are left
 * out.
 */
void overview_unplug(const json_t *slots, char *dst, size_t size);

/*
 * The next thing for hands, a line for each with the slots that need it, in their order:
 * "A3, B7: Charge it."  Without a newline at the end; "" where there is nothing to do.
 */
void overview_todo(const json_t *slots, char *dst, size_t size);

/* "16 drones: 10 PASS, 1 UNCHANGED, 1 AT WORK, 4 FAILED: A3 B4 B5 B7" */
void overview_sum(const json_t *slots, char *dst, size_t size);

#endif
