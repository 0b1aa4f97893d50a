/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/profile.h"

#include "cfdfu/dfu.h"

const struct profile *
profile_crazyflie(void)
{
	/* WHY: map[0] stays empty here; plan and flash use layout_f405() for the family. */
	static const struct profile crazyflie = {
		.name = "crazyflie",
		.vid = ST_VID,
		.pid = ST_DFU_PID,
		.family = true,
		.app_addr = 0x08004000,
		.loader_addr = 0x08000000,
		.loader_bytes = 0x4000,
		.leave = true,
	};

	return &crazyflie;
}
