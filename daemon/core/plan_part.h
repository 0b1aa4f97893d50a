/* SPDX-License-Identifier: MIT */
/* One sector that an image covers: its contents as they were read, and the work that is left. */
#ifndef CORE_PLAN_PART_H
#define CORE_PLAN_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "core/coverage.h"
#include "core/pace.h"

/* The work that is left with a sector. */
enum {
	TODO_COMPARE = 1,
	TODO_ERASE = 2,
	TODO_WRITE = 4,
	TODO_VERIFY = 8,
	TODO_CHANGE = TODO_ERASE | TODO_WRITE | TODO_VERIFY
};

/* The part that the image covers, as it was read. */
enum content { CONTENT_UNKNOWN, CONTENT_EQUAL, CONTENT_BLANK, CONTENT_OTHER };

/* Embedded in its plan, which reads it and takes off what is done. */
struct part {
	struct covered is;
	uint8_t todo;
	uint8_t content;
	/* private */
	bool all_equal, all_blank; /* so far, while it is being read */
	bool repaired;
	bool untouched;	   /* the block below read the same after having been erased and written */
	uint32_t old_addr; /* the block in which it differed before anything was done to it ... */
	uint32_t old_sum;  /* ... and a sum of what that held; old_length 0: not known */
	uint32_t old_length;
};

/* A stretch of it was read for the first time. */
void part_compared(struct part *part, const struct stretch *image, const uint8_t *data);

/* It is to hold the image.  trust_blank: a sector that reads blank needs no erase. */
void part_rewrite(struct part *part, bool trust_blank);

/*
 * A stretch read back wrong: erase and write it once more.  False: that was done before.
 * ret_untouched: it holds what it held before it was erased.
 */
bool part_repair(struct part *part, const struct stretch *image, const uint8_t *data,
		 bool *ret_untouched) MUST_CHECK;

/* Some of the work on it; done: bytes of the kind that is under way. */
struct part_work {
	unsigned todo, under_way;
	uint32_t done;
};

/* Work on several sectors, added up. */
struct part_sum {
	uint64_t bytes_written, bytes_moved; /* moved: sent or read */
	uint64_t erases_us;		     /* as the pace expected when they were added */
	uint32_t questions;		     /* requests that move no data */
};

void part_add(struct part_sum *sum, const struct part *part, struct part_work work,
	      const struct pace *pace, uint32_t block_bytes);

/* How long that takes, as the pace expects it. */
uint64_t part_sum_us(const struct part_sum *sum, const struct pace *pace, uint32_t block_bytes);

#endif
