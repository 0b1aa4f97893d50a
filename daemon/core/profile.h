/* SPDX-License-Identifier: MIT */
/*
 * What kind of DfuSe device a drone is: where its application lives, what must never be touched,
 * how it is entered and left.  The Crazyflie family is built in; others are described by [device]
 * sections.
 */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/layout.h"

#define PROFILE_ALTS_MAX 8 /* LIMIT: memories of one device that can be programmed */
#define PROFILE_RANGES_MAX 8
#define PROFILE_NAME_MAX 32

struct profile_range {
	uint32_t addr, bytes;
};

struct profile {
	char name[PROFILE_NAME_MAX];
	uint16_t vid, pid;     /* in DFU mode */
	bool family;	       /* a Crazyflie: OTP, loader audit, run-time mode, platforms */
	uint32_t app_addr;     /* where the application begins, in alternate 0 */
	uint32_t loader_addr;  /* the protected range, in alternate 0: never erased or written */
	uint32_t loader_bytes; /* 0 = none */
	struct profile_range protect[PROFILE_RANGES_MAX]; /* further such ranges */
	size_t protect_count;
	bool leave; /* leaving starts the application (false: stay in DFU mode) */
	bool map_given[PROFILE_ALTS_MAX]; /* map[] is the authority and the device has to agree; */
	struct layout map[PROFILE_ALTS_MAX]; /* else "as the device says" */
};

/* The Crazyflie family on the STM32F405 (doc/protocol.md 6, 9.3); static. */
const struct profile *profile_crazyflie(void);

#endif
