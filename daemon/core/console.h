/* SPDX-License-Identifier: MIT */
/*
 * The text that a Crazyflie's firmware writes to its console (CRTP port 0), put together into lines
 * and searched for what the condition wants to know (doc/beyond-dfu.md 7, 10.8).
 *
 * It comes in pieces that end anywhere; prefixes of lines vary with the module and the release.  A
 * report, never a proof: nothing is written to a drone because of it.
 *
 * INVARIANT: bounded memory; a line that is longer is searched as far as it was kept.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/condition.h"

#define CONSOLE_LINE_MAX 160 /* LIMIT: a report of a hard fault takes 125 */

/* All zero before its first piece, and when the firmware starts anew. */
struct console {
	char line[CONSOLE_LINE_MAX]; /* not terminated */
	uint8_t length;
};

/* A piece, without the packet's header; what its lines say goes into c. */
void console_take(struct console *k, const uint8_t *text, size_t length, struct condition *c);

#endif
