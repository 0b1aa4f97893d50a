/* SPDX-License-Identifier: MIT */
/*
 * The application of a copy of the whole flash memory: `cfdfuctl backup --whole`, or what another
 * tool has read.  The boot loader's sector and what is blank or stale behind the application are
 * left out, so that an image made and flashed from a release comes back byte for byte.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include <inttypes.h>

#include "firmware/fw_make.h"
#include "firmware/judge.h"

#define APP_LAST (CRAZYFLIE_APP_ADDR + (CRAZYFLIE_APP_BYTES_MAX - 1))
#define SECTOR_STEP 0x4000U /* the sectors of an STM32F405 begin at multiples of the smallest */
#define BLANK_BYTES 2048U   /* doc/firmware.md 1: no image has so many blank bytes in a row */

/*
 * How much of a piece is the application's: up to a sector before whose beginning the flash memory
 * is blank (what follows is an older, longer image's), without what is blank at the end.
 */
static uint32_t
used_bytes(const uint8_t *data, uint32_t addr, uint32_t size)
{
	uint32_t used = size;

	for (uint32_t at = SECTOR_STEP - addr % SECTOR_STEP; at < size; at += SECTOR_STEP)
		if (at >= BLANK_BYTES && fw_used_bytes(data + at - BLANK_BYTES, BLANK_BYTES) == 0) {
			used = at;
			break;
		}
	return fw_used_bytes(data, used);
}

/* Cuts what lies below the application or behind the flash memory; false: nothing is left. */
static bool
clip(struct fw_element *e, struct segment *s)
{
	uint32_t last = e->addr + (e->size - 1), cut;

	if (e->alt != 0 || last < CRAZYFLIE_APP_ADDR || e->addr > APP_LAST)
		return false;
	if (last > APP_LAST)
		e->size -= last - APP_LAST;
	if (e->addr < CRAZYFLIE_APP_ADDR) {
		cut = CRAZYFLIE_APP_ADDR - e->addr;
		e->addr += cut;
		e->size -= cut;
		e->offset += cut;
		s->data += cut;
	}
	e->size = used_bytes(s->data, e->addr, e->size);
	s->addr = e->addr;
	s->size = e->size;
	return e->size > 0;
}

int
fw_take_application(struct fw_loading *l)
{
	struct fw_facts *f = l->facts;
	uint64_t before = 0, after = 0;
	size_t kept = 0;

	for (size_t i = 0; i < f->element_count; i++) {
		struct fw_element e = f->elements[i];
		struct segment s = l->segments[i];

		before += e.size;
		if (!clip(&e, &s))
			continue;
		after += e.size;
		f->elements[kept] = e;
		l->segments[kept++] = s;
	}
	f->element_count = l->segment_count = kept;
	f->target_count = 0; /* what is left is not what the targets were */
	f->altered = true;
	if (kept == 0)
		return fw_refuse(l, 0, "no application in it: nothing from 0x%08" PRIX32 " on",
				 CRAZYFLIE_APP_ADDR);
	fw_warn(f,
		"the application alone: %" PRIu64 " bytes from 0x%08" PRIX32 "; %" PRIu64
		" bytes of boot loader and blank or stale memory are left out",
		after, f->elements[0].addr, before - after);
	return 0;
}
