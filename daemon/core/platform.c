/* SPDX-License-Identifier: MIT */
/*
 * The names the Crazyflie family goes by: our own, those in the OTP, those told over CRTP.
 * Sources: doc/protocol.md 9.4, doc/firmware.md 3.
 */
#include "config.h"

#include "core/platform.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cfdfu/util.h"

#define OTP_BLOCK_BYTES 32

static const char *const names[PLATFORM_COUNT] = {
	[PLATFORM_UNKNOWN] = "unknown", [PLATFORM_CF2] = "cf2", [PLATFORM_CF21BL] = "cf21bl",
	[PLATFORM_BOLT] = "bolt",	[PLATFORM_TAG] = "tag", [PLATFORM_FLAPPER] = "flapper",
	[PLATFORM_OTHER] = "other",
};

/* SPEC: doc/protocol.md 9.4.  The Flapper has no board of its own. */
static const struct {
	const char *type;
	unsigned platforms;
} boards[] = {
	{ "CF20", BIT(PLATFORM_CF2) },
	{ "CF21", BIT(PLATFORM_CF2) | BIT(PLATFORM_FLAPPER) },
	{ "C21B", BIT(PLATFORM_CF21BL) },
	{ "RZ10", BIT(PLATFORM_BOLT) },
	{ "CB10", BIT(PLATFORM_BOLT) | BIT(PLATFORM_FLAPPER) },
	{ "CB11", BIT(PLATFORM_BOLT) | BIT(PLATFORM_FLAPPER) },
	{ "RR10", BIT(PLATFORM_TAG) },
};

static const struct {
	const char *text;
	enum platform platform;
} device_types[] = {
	{ "Crazyflie 2.0", PLATFORM_CF2 },
	{ "Crazyflie 2.1", PLATFORM_CF2 },
	{ "Crazyflie 2.1 Brushless", PLATFORM_CF21BL },
	{ "Crazyflie Bolt", PLATFORM_BOLT },
	{ "Crazyflie Bolt 1.1", PLATFORM_BOLT },
	{ "Roadrunner 1.0", PLATFORM_TAG },
	{ "Flapper (CF 2.1)", PLATFORM_FLAPPER },
	{ "Flapper (Bolt 1.0)", PLATFORM_FLAPPER },
	{ "Flapper (Bolt 1.1)", PLATFORM_FLAPPER },
};

const char *
platform_name(enum platform p)
{
	return (unsigned)p < PLATFORM_COUNT ? names[p] : names[PLATFORM_UNKNOWN];
}

enum platform
platform_by_name(const char *name)
{
	if (name == NULL)
		return PLATFORM_UNKNOWN;
	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (strcmp(names[p], name) == 0)
			return (enum platform)p;
	return PLATFORM_UNKNOWN;
}

unsigned
platforms_of_board(const char *type)
{
	if (type == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(boards); i++)
		if (strcmp(boards[i].type, type) == 0)
			return boards[i].platforms;
	return 0;
}

enum platform
platform_of_device_type(const char *text)
{
	if (text == NULL)
		return PLATFORM_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(device_types); i++)
		if (strcmp(device_types[i].text, text) == 0)
			return device_types[i].platform;
	return PLATFORM_UNKNOWN;
}

static bool
is_type_character(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
ends_type(uint8_t c)
{
	return c == ';' || c == '\0' || c == 0xFF;
}

static int
parse_otp_block(const uint8_t block[OTP_BLOCK_BYTES], char ret_type[BOARD_TYPE_MAX])
{
	const uint8_t *type = block + 2;
	size_t n = 0;

	if (block[0] != '0' || block[1] != ';')
		return -EINVAL;
	while (n < BOARD_TYPE_MAX - 1 && is_type_character(type[n]))
		n++;
	if (n == 0 || !ends_type(type[n]))
		return -EINVAL;
	memcpy(ret_type, type, n);
	ret_type[n] = '\0';
	return 1;
}

int
platform_parse_otp(const uint8_t *otp, size_t length, char ret_type[BOARD_TYPE_MAX])
{
	if (length < OTP_BYTES)
		return -EMSGSIZE;
	for (size_t at = 0; at < OTP_BYTES; at += OTP_BLOCK_BYTES) {
		if (otp[at] == 0x00)
			continue; /* a block that was struck out after use */
		if (otp[at] == 0xFF)
			return 0;
		return parse_otp_block(otp + at, ret_type);
	}
	return 0; /* all struck out: the firmware falls back as it does for a blank one */
}

unsigned
platforms_of_table_entry(const char *type, const char *name)
{
	unsigned board = platforms_of_board(type);
	enum platform named = platform_of_device_type(name);

	/* WHY: own builds rename their device; then the board still says what the image cannot be.
	 */
	return named != PLATFORM_UNKNOWN ? board & BIT(named) : board;
}

/* ---- a drone from three sources ------------------------------------------------------------- */

/* The platforms that share a board with another one: only firmware or the operator tells them
 * apart. */
#define FLAPPER_KIN (BIT(PLATFORM_FLAPPER) | BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT))

/* Can one and the same drone be called both? */
static bool
are_kin(enum platform a, enum platform b)
{
	if (a == b)
		return true;
	return (a == PLATFORM_FLAPPER || b == PLATFORM_FLAPPER) && (FLAPPER_KIN & BIT(a)) != 0 &&
	       (FLAPPER_KIN & BIT(b)) != 0;
}

const char *
platform_sources_conflict(const struct platform_sources *s)
{
	if (s->rule != PLATFORM_UNKNOWN && s->board != 0 && (s->board & BIT(s->rule)) == 0)
		return "The platform rule contradicts the board type in the drone's OTP.";
	if (s->rule != PLATFORM_UNKNOWN && s->crtp != PLATFORM_UNKNOWN &&
	    !are_kin(s->rule, s->crtp))
		return "The platform rule contradicts what the drone's firmware calls itself.";
	if (s->crtp != PLATFORM_UNKNOWN && s->board != 0 && (s->board & BIT(s->crtp)) == 0)
		return "The drone's firmware calls itself another platform than its OTP says.";
	return NULL;
}

/* A board without the operator's word for a Flapper: each has exactly one other platform. */
static enum platform
platform_of_boards(unsigned board)
{
	unsigned plain = board & ~BIT(PLATFORM_FLAPPER);

	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (plain == BIT(p))
			return (enum platform)p;
	return PLATFORM_UNKNOWN;
}

enum platform
platform_sources_decide(const struct platform_sources *s)
{
	if (s->rule != PLATFORM_UNKNOWN)
		return s->rule;
	if (s->crtp == PLATFORM_FLAPPER)
		return PLATFORM_UNKNOWN;
	return s->crtp != PLATFORM_UNKNOWN ? s->crtp : platform_of_boards(s->board);
}

unsigned
platform_sources_possible(const struct platform_sources *s)
{
	unsigned said = s->board;

	if (s->rule != PLATFORM_UNKNOWN)
		said |= BIT(s->rule);
	if (s->crtp != PLATFORM_UNKNOWN)
		said |= s->crtp == PLATFORM_FLAPPER ? FLAPPER_KIN : BIT(s->crtp);
	return said != 0 ? said : ~0U;
}
