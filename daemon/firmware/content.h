/* SPDX-License-Identifier: MIT */
/*
 * The content of a Crazyflie image (doc/firmware.md 2-4 and 6): vectors, true base, table of
 * supported devices, version, revision.  Reads, never judges; any bytes are fine.
 */
#ifndef FIRMWARE_CONTENT_H
#define FIRMWARE_CONTENT_H

#include "cfdfu/platform.h"
#include "core/image.h"

#define CONTENT_RECORDS_MAX 16 /* LIMIT: five boards is the most seen (doc/firmware.md 3) */

enum content_base {
	CONTENT_BASE_UNDECIDED = 0, /* too short, no vector table, or no witness at all */
	CONTENT_BASE_RIGHT,	    /* the default handler is a branch to itself at this place */
	CONTENT_BASE_WRONG,	    /* ... and at another place, linked_at, but not at this one */
};

enum content_flag { CONTENT_UNKNOWN = 0, CONTENT_NO, CONTENT_YES };

/* One record of the table of supported devices. */
struct content_record {
	char type[8];  /* "CF21" */
	char name[32]; /* "Crazyflie 2.1" */
	uint32_t addr;
	unsigned platforms; /* bits; 0: not one of ours */
};

/* Where an image ends by its own words, and what its end looks like: content_end.c. */
struct content_end {
	uint32_t data;	      /* behind what the start code copies; 0: start code not recognised */
	uint32_t mark;	      /* behind the end mark; 0: there is none */
	uint32_t blank_bytes; /* before that end, all 0x00 or all 0xFF; 0: as whole images end */
	uint32_t hole_addr;   /* of the first blank 2 KiB before that end; 0: none */
	uint32_t gap_addr;    /* of the first bytes before that end that are in no piece; 0: none */
	uint32_t gap_bytes;   /* how many; what a linker leaves between two sections is none */
};

struct content {
	uint32_t addr; /* of the first byte of internal flash that the image has */
	uint32_t size; /* from there to the end of the last one, gaps included */
	bool vectors;  /* the first eight bytes are there: the next two are set */
	uint32_t initial_sp;
	uint32_t reset;
	enum content_base base;
	uint32_t linked_at;	  /* RIGHT: addr; WRONG: where; else 0 */
	uint32_t default_handler; /* most common vector, 0 when there is no table */
	unsigned default_count;
	unsigned handlers_outside; /* of the 98 vectors: not 0, and outside of the image */
	unsigned system_outside;   /* of the first 16, which every Cortex-M has; without reset */
	struct content_record records[CONTENT_RECORDS_MAX];
	size_t record_count;
	unsigned platforms; /* union over the records; 0 nothing found */
	char version[32];   /* tag as the drone will say it; "" none found; "NA" is a tag */
	char revision[16];  /* 12 hex digits; "" none found */
	enum content_flag modified;
	enum content_flag trailer; /* of 16 bytes, to tag and revision; UNKNOWN: none */
	bool loader;		   /* has the tables that only cf2loader has */
	bool bitcraze;	  /* stack, texts or table as only builds of Bitcraze's sources have */
	bool new_records; /* its records are of the form since 2022.09 */
	struct content_end end;
};

/*
 * Reads what segments (any order, alternate 0 in the flash from 0x08000000 only) say.  -ENOMEM when
 * more than one segment has to be flattened (1 MiB); nothing to read is not an error: all zero.
 */
int content_read(const struct segment *segments, size_t count,
		 struct content *ret_content) MUST_CHECK;

/* The same of one contiguous piece at addr. */
void content_read_bytes(const uint8_t *data, size_t size, uint32_t addr,
			struct content *ret_content);

/*
 * The platforms of an image by content (bits; 0: unknown), manifest and operator (UNKNOWN: nothing
 * said): each of the two restricts the platforms of the content, is used alone where the content
 * names none, and is ignored where it contradicts (judge_image() refuses that).
 */
unsigned content_narrow(unsigned content, enum platform manifest, enum platform user_platform);

#endif
