/* SPDX-License-Identifier: MIT */
/* A DFU suffix that lets mutated bytes through to what lies behind its checksum. */
#ifndef FUZZ_FUZZ_SUFFIX_H
#define FUZZ_FUZZ_SUFFIX_H

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "cfdfu/util.h"

/* bytes ends in 16 bytes that are to be a suffix: signature, length and CRC are made right, ids
 * stay. */
static inline void
mend_suffix(uint8_t *bytes, size_t size)
{
	memcpy(bytes + size - 8, "UFD\x10", 4);
	put_le32(bytes + size - 4, ~(uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size - 4));
}

#endif
