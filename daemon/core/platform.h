/* SPDX-License-Identifier: MIT */
/*
 * The names of drones and images of the Crazyflie family, and the platforms that follow from them.
 * Sets of platforms are bit masks: BIT(PLATFORM_CF2) | ...; 0 is "nothing known".
 */
#ifndef CORE_PLATFORM_H
#define CORE_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include "cfdfu/platform.h"

#define OTP_BYTES 512	 /* 16 blocks of 32 (doc/protocol.md 9.4) */
#define BOARD_TYPE_MAX 8 /* "CF21", with room; includes the NUL */

/* "cf2", "cf21bl", "bolt", "tag", "flapper", "other"; "unknown" for 0 and out of range. */
const char *platform_name(enum platform p);

/* Exact, case-sensitive; PLATFORM_UNKNOWN for anything else (NULL included). */
enum platform platform_by_name(const char *name);

/* The platforms whose firmware accepts this OTP type ("CF21" -> cf2 and flapper); 0 unknown. */
unsigned platforms_of_board(const char *type);

/*
 * The platform whose firmware answers this device type text over CRTP ("Crazyflie 2.1", "Flapper
 * (CF 2.1)"); exact match on the whole text, PLATFORM_UNKNOWN for others.
 */
enum platform platform_of_device_type(const char *text);

/*
 * Board type from the OTP area (doc/protocol.md 9.4): the first 32-byte block that does not begin
 * with 0.  Returns 1 and writes ret_type; 0 when that block is blank (0xFF: the firmware then
 * assumes CF20 - the caller decides whether to), negative errno when the text is not
 * "0;TYPE[;...]" (-EINVAL) or length is short (-EMSGSIZE).  ret_type holds only [A-Z0-9].
 */
int platform_parse_otp(const uint8_t *otp, size_t length, char ret_type[BOARD_TYPE_MAX]);

/*
 * The platforms named by an image's table of supported devices: bits, from the board types in it
 * and the names beside them ("Flapper (CF 2.1)" is flapper, not cf2).  0 unknown.
 */
unsigned platforms_of_table_entry(const char *type, const char *name);

/*
 * The platform of a drone from three sources: the operator's rule, its firmware's own word over
 * CRTP, the board type in its OTP.  A Flapper is one only by the operator's rule.
 */
struct platform_sources {
	enum platform rule, crtp; /* UNKNOWN: says nothing */
	unsigned board;		  /* platforms that it may be; 0 says nothing */
};

/* NULL, or the sentence that says which source contradicts which. */
const char *platform_sources_conflict(const struct platform_sources *s);
/* Of sources that do not contradict one another; UNKNOWN: not decided. */
enum platform platform_sources_decide(const struct platform_sources *s);
/* All that it might be; every bit when no source says anything. */
unsigned platform_sources_possible(const struct platform_sources *s);

#endif
