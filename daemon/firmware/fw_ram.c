/* SPDX-License-Identifier: MIT */
/*
 * Leaves out the parts of a file that are for RAM.  HEX and S-record files describe the whole
 * address space of a program; a Crazyflie build's own cf2.hex has 40 zero bytes for RAM (section
 * .nzds, doc/firmware.md 5b).  A debugger loads them, a flash memory never holds them.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include <inttypes.h>

#include "firmware/places.h"

#define NOTES_MAX 4 /* LIMIT: so many pieces by their own note */

/* Counts of what was left out. */
struct left {
	size_t pieces;
	uint64_t bytes;
};

static void
note(struct fw_loading *l, const struct fw_element *e, const struct place *ram, struct left *left)
{
	left->bytes += e->size;
	l->facts->altered = true;
	if (++left->pieces <= NOTES_MAX)
		fw_warn(l->facts, "left out: %" PRIu32 " bytes for %s at 0x%08" PRIX32, e->size,
			ram->words, e->addr);
}

/* Element i is gone: its target has one less, those behind it begin earlier. */
static void
shorten_target(struct fw_facts *f, size_t i)
{
	for (size_t t = 0; t < f->target_count; t++) {
		struct fw_target *target = &f->targets[t];

		if (i < target->element_first)
			target->element_first--;
		else if (i - target->element_first < target->element_count)
			target->element_count--;
	}
}

static int
partly(struct fw_loading *l, const struct fw_element *e, const struct place *ram)
{
	return fw_refuse(l, e->offset,
			 "%" PRIu32 " bytes at 0x%08" PRIX32 " lie only partly in %s (0x%08" PRIX32
			 " to 0x%08" PRIX32 "): neither flash memory nor to be left out",
			 e->size, e->addr, ram->words, ram->first, ram->last);
}

int
fw_leave_out_ram(struct fw_loading *l)
{
	struct fw_facts *f = l->facts;
	struct left left = { 0 };
	size_t kept = 0, gone = 0;

	for (size_t i = 0; i < f->element_count; i++) {
		const struct fw_element e = f->elements[i];
		uint32_t last = e.addr + (e.size - 1);
		const struct place *ram =
		    e.alt == 0 ? place_touched(PLACE_RAM, e.addr, last) : NULL;

		if (ram != NULL && (e.addr < ram->first || last > ram->last))
			return partly(l, &e, ram);
		if (ram != NULL) {
			note(l, &e, ram, &left);
			shorten_target(f, i - gone++);
			continue;
		}
		f->elements[kept] = e;
		l->segments[kept++] = l->segments[i];
	}
	if (left.pieces > NOTES_MAX)
		fw_warn(f, "left out: %zu more pieces for RAM (%" PRIu64 " bytes in all)",
			left.pieces - NOTES_MAX, left.bytes);
	f->element_count = l->segment_count = kept;
	if (kept == 0 && left.pieces > 0)
		return fw_refuse(l, 0,
				 "all of its %" PRIu64 " bytes are for RAM: a debugger's program, "
				 "not firmware for the flash memory",
				 left.bytes);
	return 0;
}
