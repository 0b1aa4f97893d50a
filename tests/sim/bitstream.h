/* SPDX-License-Identifier: MIT */
/*
 * Bitstreams of the Lighthouse deck that are none, but have the CRC-32 that a firmware requires
 * (doc/beyond-dfu.md 4.2): for decks, and for releases that bring one.
 */
#ifndef SIM_BITSTREAM_H
#define SIM_BITSTREAM_H

#include <stddef.h>
#include <stdint.h>

#define BITSTREAM_CRC 0x563A0D3EU /* of 2026.08 */
#define BITSTREAM_BYTES 104092U
#define BITSTREAM_CRC_BEFORE 0x112BC794U
#define BITSTREAM_BYTES_BEFORE 104093U

/* length: 4 at least, and the size of to; a CRC and length always give the same bytes. */
void bitstream_make(uint32_t crc, uint8_t *to, size_t length);
/* CRC-32 as in zip files. */
uint32_t bitstream_crc(const uint8_t *data, size_t length);

#endif
