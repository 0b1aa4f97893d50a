/* SPDX-License-Identifier: MIT */
/*
 * Serials of one drone in its two lives: 96-bit UID at run time, 48 bits computed from it in DFU
 * mode. Sources: doc/protocol.md 1.3 and 2.3.
 */
#include "config.h"

#include "core/ident.h"

#include <string.h>
#include <strings.h>

#include "cfdfu/dfu.h"

#define HEX_DIGITS "0123456789ABCDEF0123456789abcdef"
#define RUNTIME_DIGITS 24
#define DFU_DIGITS 12
#define ROM_OFFSET 0x0A /* QUIRK: what ROMs of other F4 and F7 parts add (doc/protocol.md 1.3) */

/* Serials of parts without a UID of their own: they tell no two drones apart. */
static const char *const runtime_constants[] = {
	"000000000000000000000000",
	"FFFFFFFFFFFFFFFFFFFFFFFF",
};

static const char *const dfu_constants[] = {
	"000000000000",
	"FFFFFFFEFFFF",
	"FFFFFFFFFFFF",
};

enum ident_kind
ident_kind_of(const struct sighting *s)
{
	if (s->vid != ST_VID)
		return IDENT_OTHER;
	if (s->pid == ST_DFU_PID)
		return IDENT_DFU;
	if (s->pid == ST_VCP_PID && strcmp(s->manufacturer, "Bitcraze AB") == 0)
		return IDENT_RUNTIME;
	return IDENT_OTHER;
}

static uint8_t
hex_value(char c) /* a hex digit */
{
	return (uint8_t)((strchr(HEX_DIGITS, c) - HEX_DIGITS) % 16);
}

/* True when text is nothing but this many hex digits. */
static bool
is_hex(const char *text, size_t digits)
{
	return strspn(text, HEX_DIGITS) == digits && text[digits] == '\0';
}

static bool
is_one_of(const char *serial, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(serial, list[i]) == 0)
			return true;
	return false;
}

bool
ident_runtime_serial_valid(const char *serial)
{
	return is_hex(serial, RUNTIME_DIGITS);
}

bool
ident_dfu_serial_valid(const char *serial)
{
	return is_hex(serial, DFU_DIGITS) &&
	       !is_one_of(serial, dfu_constants, ARRAY_LEN(dfu_constants));
}

static bool
runtime_tells(const char *serial)
{
	return ident_runtime_serial_valid(serial) &&
	       !is_one_of(serial, runtime_constants, ARRAY_LEN(runtime_constants));
}

/* serial: valid run-time serial; the UID's bytes in memory order. */
static void
get_uid(const char *serial, uint8_t uid[RUNTIME_DIGITS / 2])
{
	for (size_t i = 0; i < RUNTIME_DIGITS / 2; i++)
		uid[i] = (uint8_t)(hex_value(serial[2 * i]) << 4 | hex_value(serial[2 * i + 1]));
}

/* Adds lane by lane; top_bits: the highest bit of each lane, out of which nothing is carried. */
static uint32_t
add_lanes(uint32_t a, uint32_t b, uint32_t top_bits)
{
	return ((a & ~top_bits) + (b & ~top_bits)) ^ ((a ^ b) & top_bits);
}

static void
write_dfu(uint32_t sum, const uint8_t *uid, char ret_dfu[DFU_DIGITS + 1])
{
	(void)snprintf(ret_dfu, DFU_DIGITS + 1, "%08X%02X%02X", (unsigned)sum, uid[7], uid[6]);
}

enum ident_match
ident_runtime_dfu(const char *runtime_serial, const char *dfu_serial)
{
	/* Carry runs through 32 bits, stops at half-words, stops at bytes. */
	static const uint32_t lanes[] = { 0x00000000, 0x80008000, 0x80808080 };
	/* Which part of the sum the offset is added to: none, lowest byte, low half-word, all of
	 * it. */
	static const uint32_t offset_masks[] = { 0, 0x000000FF, 0x0000FFFF, 0xFFFFFFFF };
	uint8_t uid[RUNTIME_DIGITS / 2];
	char candidate[DFU_DIGITS + 1];

	if (!runtime_tells(runtime_serial) || !ident_dfu_serial_valid(dfu_serial))
		return IDENT_UNKNOWN;
	get_uid(runtime_serial, uid);
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
		uint32_t sum = add_lanes(get_le32(uid), get_le32(uid + 8), lanes[i]);

		for (size_t k = 0; k < ARRAY_LEN(offset_masks); k++) {
			uint32_t mask = offset_masks[k];

			write_dfu((sum & ~mask) | ((sum + ROM_OFFSET) & mask), uid, candidate);
			if (strcasecmp(candidate, dfu_serial) == 0)
				return IDENT_SAME;
		}
	}
	return IDENT_DIFFERENT;
}

enum ident_match
ident_runtime_runtime(const char *a, const char *b)
{
	if (!runtime_tells(a) || !runtime_tells(b))
		return IDENT_UNKNOWN;
	return strcasecmp(a, b) == 0 ? IDENT_SAME : IDENT_DIFFERENT;
}

enum ident_match
ident_dfu_dfu(const char *a, const char *b)
{
	if (!ident_dfu_serial_valid(a) || !ident_dfu_serial_valid(b))
		return IDENT_UNKNOWN;
	return strcasecmp(a, b) == 0 ? IDENT_SAME : IDENT_DIFFERENT;
}
