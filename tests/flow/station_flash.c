/* SPDX-License-Identifier: MIT */
/* The flash of one drone, as the invariants of station_check.c look at it. */
#include "config.h"

#include "flow/station_parts.h"

#include <string.h>

#define APP_ADDR 0x08004000U
#define LOADER_ADDR 0x08000000U

/* Does the drone hold the image, apart from a stretch that does not count? */
bool
check_equal(struct station *s, struct drone *d, const struct image *image, uint32_t except_addr,
	    uint32_t except_bytes)
{
	uint8_t chunk[1024];

	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *g = image_segment(image, i);

		for (uint32_t at = 0; at < g->size; at += sizeof(chunk)) {
			uint32_t n =
			    g->size - at < sizeof(chunk) ? g->size - at : (uint32_t)sizeof(chunk);

			drone_peek(d, station_now_us(s), g->addr + at, chunk, n);
			for (uint32_t k = 0; k < n; k++)
				if (chunk[k] != g->data[at + k] &&
				    g->addr + at + k - except_addr >= except_bytes)
					return false;
		}
	}
	return true;
}

uint64_t
check_loader_hash(struct station *s, struct drone *d)
{
	uint8_t loader[APP_ADDR - LOADER_ADDR];
	uint64_t h = 0xCBF29CE484222325ULL, word;

	drone_peek(d, station_now_us(s), LOADER_ADDR, loader, sizeof(loader));
	for (size_t i = 0; i < sizeof(loader); i += sizeof(word)) {
		memcpy(&word, loader + i, sizeof(word));
		h = (h ^ word) * 0x100000001B3ULL;
	}
	return h;
}

bool
check_word_is_blank(struct station *s, struct drone *d)
{
	uint8_t word[4];

	drone_peek(d, station_now_us(s), APP_ADDR, word, sizeof(word));
	return get_le32(word) == 0xFFFFFFFFU;
}
