/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/plan_part.h"

#include <string.h>

#include "cfdfu/util.h"

/* FNV-1a by words: it tells whether a block changed at all, of which thousands of bits had to. */
static uint32_t
sum_of(const uint8_t *data, uint32_t length)
{
	uint32_t sum = 2166136261U;

	for (; length >= 4; data += 4, length -= 4)
		sum = (sum ^ get_le32(data)) * 16777619U;
	while (length-- > 0)
		sum = (sum ^ *data++) * 16777619U;
	return sum;
}

void
part_compared(struct part *part, const struct stretch *image, const uint8_t *data)
{
	if (image->addr == part->is.from)
		part->all_equal = part->all_blank = true;
	part->all_equal = part->all_equal && memcmp(data, image->data, image->length) == 0;
	part->all_blank =
	    part->all_blank && data[0] == 0xFF && memcmp(data, data + 1, image->length - 1) == 0;
	/* WHY: an image may be blank where the flash is; then it is equal. */
	part->content = part->all_equal	  ? CONTENT_EQUAL
			: part->all_blank ? CONTENT_BLANK
					  : CONTENT_OTHER;
	if (part->content != CONTENT_OTHER)
		return;
	part->old_addr = image->addr;
	part->old_length = image->length;
	part->old_sum = sum_of(data, image->length);
}

void
part_rewrite(struct part *part, bool trust_blank)
{
	part->todo = TODO_WRITE | TODO_VERIFY;
	if (part->content != CONTENT_BLANK || !trust_blank)
		part->todo |= TODO_ERASE;
}

bool
part_repair(struct part *part, const struct stretch *image, const uint8_t *data,
	    bool *ret_untouched)
{
	bool same = part->old_length == image->length && part->old_addr == image->addr &&
		    part->old_sum == sum_of(data, image->length);

	*ret_untouched = same && (part->untouched || !part->repaired);
	part->untouched = same;
	if (part->repaired)
		return false;
	part->repaired = true;
	part->todo = TODO_CHANGE;
	return true;
}

void
part_add(struct part_sum *sum, const struct part *part, struct part_work work,
	 const struct pace *pace, uint32_t block_bytes)
{
	uint32_t bytes = part->is.to - part->is.from;

	if ((work.todo & TODO_COMPARE) != 0)
		sum->bytes_moved += block_bytes; /* one block tells most sectors apart */
	if ((work.todo & TODO_ERASE) != 0) {
		sum->erases_us += pace_whole_us(pace, PACE_ERASE, part->is.size);
		sum->questions += 3;
	}
	if ((work.todo & TODO_WRITE) != 0) {
		uint32_t left = work.under_way == TODO_WRITE ? bytes - work.done : bytes;

		sum->bytes_written += left;
		sum->bytes_moved += left;
		sum->questions += 2 * ((left + block_bytes - 1) / block_bytes);
	}
	if ((work.todo & TODO_VERIFY) != 0)
		sum->bytes_moved += work.under_way == TODO_VERIFY ? bytes - work.done : bytes;
}

uint64_t
part_sum_us(const struct part_sum *sum, const struct pace *pace, uint32_t block_bytes)
{
	uint64_t program_us = pace_whole_us(pace, PACE_PROGRAM, block_bytes);

	return sum->erases_us + (uint64_t)sum->questions * pace->status_us +
	       (sum->bytes_moved * pace->block_us + sum->bytes_written * program_us) / block_bytes;
}
