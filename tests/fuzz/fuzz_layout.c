/* SPDX-License-Identifier: MIT */
/* Any bytes as a DfuSe memory string: refused with a place, or sectors that bear being walked over.
 */
#include "config.h"

#include "cfdfu/device.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(const struct layout *l)
{
	struct sector s, same;
	uint32_t index = 0;

	assert(layout_sector_at(l, l->runs[0].addr, &s));
	do {
		assert(s.index == index++ && s.size > 0);
		assert(s.addr + (s.size - 1) >= s.addr);
		assert(layout_sector_at(l, s.addr + (s.size - 1), &same) && same.index == s.index);
		assert(layout_covers(l, s.addr, s.size, s.access));
	} while (index < 4096 && layout_next_sector(l, &s, &s)); /* LIMIT: time, not correctness */
	assert(index <= LAYOUT_SECTORS_MAX);
	assert(layout_same(l, l));
	(void)layout_same(l,
			  &device_crazyflie()->map[0]); /* WHY: only its memory accesses matter */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	struct layout l;
	size_t at = size + 1;

	if (layout_parse((const char *)data, size, &l, &why, &at) == 0)
		walk(&l);
	else
		assert(why != NULL && at <= size);
	return 0;
}
