/* SPDX-License-Identifier: MIT */
/* Text records whose checksums are right, so that mutated ones get through to what is behind them.
 */
#ifndef FUZZ_FUZZ_RECORDS_H
#define FUZZ_FUZZ_RECORDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline int
hex_digit(uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/*
 * A copy (free()) in which every line that begins with mark has its last two digits replaced, so
 * that its bytes from the skip-th character on add up to total.
 */
static inline uint8_t *
mend_records(const uint8_t *data, size_t size, char mark, size_t skip, uint8_t total)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t *copy = malloc(size + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t at = 0; at < size; at++) {
		size_t end = at + skip;
		uint8_t sum = 0;

		if (copy[at] != (uint8_t)mark)
			continue;
		while (end + 1 < size && hex_digit(copy[end]) >= 0 &&
		       hex_digit(copy[end + 1]) >= 0) {
			sum = (uint8_t)(sum + hex_digit(copy[end]) * 16 + hex_digit(copy[end + 1]));
			end += 2;
		}
		if (end < at + skip + 2)
			continue;
		sum = (uint8_t)(sum - hex_digit(copy[end - 2]) * 16 - hex_digit(copy[end - 1]));
		sum = (uint8_t)(total - sum);
		copy[end - 2] = (uint8_t)digits[sum >> 4];
		copy[end - 1] = (uint8_t)digits[sum & 15];
	}
	return copy;
}

#endif
