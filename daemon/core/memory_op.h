/* SPDX-License-Identifier: MIT */
/*
 * Operations on the memories of a running drone (CRTP port 4, doc/beyond-dfu.md 2), as an engine
 * names them and the conversation carries them out, one after another, within one hold of the link.
 *
 * INVARIANT: never more than MEMORY_BYTES_MAX bytes, never a memory that was not enumerated: the
 *            firmware resets itself on either.
 */
#ifndef CORE_MEMORY_OP_H
#define CORE_MEMORY_OP_H

#include <stdint.h>

#define MEMORY_BYTES_MAX 24 /* SPEC: more is an assertion of the firmware */

enum memory_op_kind {
	MEMORY_OVER,  /* nothing more */
	MEMORY_PAUSE, /* until .until_us, the link held */
	MEMORY_READ,
	MEMORY_WRITE, /* never repeated: an answer that is lost is MEMORY_SILENT */
};

struct memory_op {
	enum memory_op_kind kind;
	uint8_t memory; /* its number on this drone, now */
	uint8_t length; /* MEMORY_BYTES_MAX at most */
	uint32_t addr;
	const uint8_t *data;  /* WRITE; good until the answer */
	uint32_t patience_ms; /* for the answer; 0: as for any question */
	uint64_t until_us;
};

enum memory_result {
	MEMORY_OK,
	MEMORY_REFUSED, /* the firmware's EIO */
	MEMORY_SILENT,	/* no answer in time, or the transfer failed */
};

/* An engine that names operations; borrowed by the conversation for its life. */
struct memory_engine {
	void *ctx;
	void (*next)(void *ctx, uint64_t now_us, struct memory_op *ret_op);
	/* data: what was read, of the length asked for; MEMORY_OK of a READ only. */
	void (*done)(void *ctx, enum memory_result result, const uint8_t *data, uint64_t now_us);
};

#endif
