/* SPDX-License-Identifier: MIT */
/* The kinds of devices that the judge knows: the Crazyflie, and what a description says of others.
 */
#include "config.h"

#include "firmware/judge.h"

#include "core/profile.h"

#define RAM_ADDR 0x20000000U
#define RAM_BYTES_ANY 0x00100000U /* LIMIT: more than any STM32 has; how much is not described */

const struct judge_profile *
judge_any_device(void)
{
	static const struct judge_profile any = { .name = "any DfuSe device" };

	return &any;
}

const struct judge_profile *
judge_crazyflie(void)
{
	static const struct judge_profile profile = {
		.name = "Crazyflie",
		.crazyflie = true,
		.app_addr = JUDGE_APP_ADDR,
		.protect = { { JUDGE_LOADER_ADDR, JUDGE_LOADER_BYTES_MAX } },
		.protect_count = 1,
		.ram_addr = RAM_ADDR,
		.ram_bytes = 0x00020000U,
		.ccm_addr = 0x10000000U,
		.ccm_bytes = 0x00010000U,
	};

	return &profile;
}

void
judge_profile_of(const struct profile *p, struct judge_profile *ret)
{
	*ret = (struct judge_profile){ .name = p->name,
				       .app_addr = p->app_addr,
				       .ram_addr = RAM_ADDR,
				       .ram_bytes = p->app_addr != 0 ? RAM_BYTES_ANY : 0 };
	for (uint8_t alt = 0; alt < PROFILE_ALTS_MAX; alt++)
		if (p->map_given[alt])
			ret->memories[ret->memory_count++] =
			    (struct judge_memory){ alt, &p->map[alt] };
	if (p->loader_bytes > 0)
		ret->protect[ret->protect_count++] =
		    (struct profile_range){ p->loader_addr, p->loader_bytes };
	for (size_t i = 0; i < p->protect_count; i++)
		ret->protect[ret->protect_count++] = p->protect[i];
}
