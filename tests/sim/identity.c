/* SPDX-License-Identifier: MIT */
/*
 * Serial numbers from the unique id, as the two personalities make them (doc/protocol.md 1.3, 2.3).
 */
#include "config.h"

#include "sim/drone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
drone_serial_runtime(const uint8_t uid[12], char *text)
{
	for (unsigned i = 0; i < 12; i++)
		(void)snprintf(text + 2 * i, 3, "%02X", uid[i]);
}

void
drone_serial_rom(const uint8_t uid[12], enum drone_serial rule, char *text)
{
	uint32_t u0 = get_le32(uid), u2 = get_le32(uid + 8), sum = u0 + u2;
	unsigned plus =
	    rule == DRONE_SERIAL_PLUS_A || rule == DRONE_SERIAL_PLUS_A_NO_CARRY ? 0x0A : 0;

	if (rule == DRONE_SERIAL_MISSING || rule == DRONE_SERIAL_CUSTOM) {
		text[0] = '\0';
		return;
	}
	if (rule == DRONE_SERIAL_CONSTANT) {
		memcpy(text, "FFFFFFFEFFFF", 13);
		return;
	}
	if (rule == DRONE_SERIAL_NO_CARRY || rule == DRONE_SERIAL_PLUS_A_NO_CARRY) {
		sum = 0;
		for (unsigned i = 0; i < 4; i++)
			sum |= (uint32_t)(uint8_t)(uid[i] + uid[8 + i]) << 8 * i;
	}
	sum = (sum & 0xFFFF0000U) | ((sum + plus) & 0xFFFFU);
	(void)snprintf(text, 13, "%08X%02X%02X", (unsigned)sum, uid[7], uid[6]);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
drone_uid_parse(const char *text, uint8_t uid[12])
{
	uint8_t made[12];

	if (strlen(text) != 24)
		return -EINVAL;
	for (unsigned i = 0; i < 12; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		made[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(uid, made, sizeof(made));
	return 0;
}
