/* SPDX-License-Identifier: MIT */
/*
 * The Crazyflie family's firmware platforms.  Numbers are stored and used as bit positions: append
 * only. Sources: doc/protocol.md 9.4 (OTP and device type texts), doc/firmware.md 3.
 */
#ifndef CFDFU_PLATFORM_H
#define CFDFU_PLATFORM_H

enum platform {
	PLATFORM_UNKNOWN = 0,
	PLATFORM_CF2 = 1,     /* Crazyflie 2.0, 2.1 */
	PLATFORM_CF21BL = 2,  /* Crazyflie 2.1 Brushless */
	PLATFORM_BOLT = 3,    /* Crazyflie Bolt, Bolt 1.1 */
	PLATFORM_TAG = 4,     /* Roadrunner */
	PLATFORM_FLAPPER = 5, /* Flapper, on Crazyflie 2.1 or Bolt boards */
	PLATFORM_OTHER = 6,   /* a device described by the operator in a [device] section */
	PLATFORM_COUNT
};

#endif
