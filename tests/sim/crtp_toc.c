/* SPDX-License-Identifier: MIT */
/*
 * Tables of contents of parameters and log variables (doc/protocol.md 2.4, doc/beyond-dfu.md 5,
 * 11): a small one, which is walked fast, or one of the size of the real firmware's, with what was
 * recorded of it at its place and filler in between.
 */
#include "config.h"

#include "sim/drone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

enum type {
	U8 = 0x08,
	U16 = 0x09,
	U32 = 0x0A,
	I8 = 0x00,
	I16 = 0x01,
	I32 = 0x02,
	FLOAT = 0x06,
	EXT = TOC_EXTENDED,
	CORE = 0x20,
	RO = TOC_READ_ONLY
};

static const struct toc_item small_params[] = {
	{ "firmware", "revision0", U32 | RO, TOC_REVISION0, 0 },
	{ "firmware", "revision1", U16 | RO, TOC_REVISION1, 0 },
	{ "firmware", "modified", U8 | RO, TOC_MODIFIED, 0 },
	{ "cpu", "flash", U16 | RO, TOC_FLASH_KIB, 0 },
	{ "cpu", "id0", U32 | RO, TOC_ID0, 0 },
	{ "cpu", "id1", U32 | RO, TOC_ID1, 0 },
	{ "cpu", "id2", U32 | RO, TOC_ID2, 0 },
	{ "system", "selftestPassed", I8 | RO, TOC_SELFTEST, 0 },
	{ "system", "arm", I8, TOC_FIXED, 0 },
	{ "system", "storageStats", U8, TOC_FIXED, 0 },
	{ "imu_sensors", "BMP3XX", U8 | RO, TOC_FIXED, 1 },
	{ "imu_tests", "imuPassed", U8 | RO, TOC_FIXED, 1 },
	{ "stabilizer", "estimator", U8, TOC_FIXED, 1 },
	{ "stabilizer", "controller", U8, TOC_FIXED, 1 },
	{ "stabilizer", "stop", U8, TOC_FIXED, 0 },
	{ "pid_attitude", "roll_kp", FLOAT, TOC_FIXED, 0x40C00000 },
	{ "pid_attitude", "roll_ki", FLOAT, TOC_FIXED, 0x40400000 },
	{ "pid_attitude", "roll_kd", FLOAT, TOC_FIXED, 0 },
	{ "pid_attitude", "pitch_kp", FLOAT, TOC_FIXED, 0x40C00000 },
	{ "pid_attitude", "pitch_ki", FLOAT, TOC_FIXED, 0x40400000 },
	{ "pid_attitude", "pitch_kd", FLOAT, TOC_FIXED, 0 },
	{ "pid_attitude", "yaw_kp", FLOAT, TOC_FIXED, 0x40C00000 },
	{ "pid_rate", "roll_kp", FLOAT, TOC_FIXED, 0x437A0000 },
	{ "pid_rate", "pitch_kp", FLOAT, TOC_FIXED, 0x437A0000 },
	{ "pid_rate", "yaw_kp", FLOAT, TOC_FIXED, 0x42F00000 },
	{ "posCtlPid", "xKp", FLOAT, TOC_FIXED, 0x40000000 },
	{ "posCtlPid", "yKp", FLOAT, TOC_FIXED, 0x40000000 },
	{ "posCtlPid", "zKp", FLOAT, TOC_FIXED, 0x40000000 },
	{ "posCtlPid", "thrustBase", U16, TOC_FIXED, 36000 },
	{ "posCtlPid", "thrustMin", U16, TOC_FIXED, 20000 },
	{ "ring", "effect", U8, TOC_FIXED, 6 },
	{ "ring", "headlightEnable", U8, TOC_FIXED, 0 },
	{ "ring", "fadeTime", FLOAT, TOC_FIXED, 0x3F000000 },
	{ "sound", "effect", U8, TOC_FIXED, 0 },
	{ "sound", "freq", U16, TOC_FIXED, 4000 },
	{ "led", "bitmask", U8, TOC_FIXED, 0 },
	{ "pm", "lowVoltage", FLOAT, TOC_FIXED, 0x404CCCCD },
	{ "pm", "criticalLowVoltage", FLOAT, TOC_FIXED, 0x40400000 },
	{ "kalman", "resetEstimation", U8, TOC_FIXED, 0 },
	{ "kalman", "initialX", FLOAT, TOC_FIXED, 0 },
	{ "kalman", "initialY", FLOAT, TOC_FIXED, 0 },
	{ "kalman", "initialZ", FLOAT, TOC_FIXED, 0 },
	{ "commander", "enHighLevel", U8, TOC_FIXED, 1 },
	{ "loco", "mode", U8, TOC_FIXED, 0 },
	{ "motorPowerSet", "enable", U8, TOC_FIXED, 0 },
	{ "motorPowerSet", "m1", U16, TOC_FIXED, 0 },
	{ "health", "startPropTest", U8, TOC_FIXED, 0 },
	{ "usd", "canLog", U8 | RO, TOC_FIXED, 0 },
	{ "system", "assertInfo", U8, TOC_ASSERT_INFO, 0 },
	{ "system", "doAssert", U8, TOC_DO_ASSERT, 0 },
	{ "deck", "bcFlow2", U8 | RO, TOC_DECK, 0 },
	{ "deck", "bcLighthouse4", U8 | RO, TOC_DECK, 0 },
	{ "deck", "bcAI", U8 | RO, TOC_DECK, 0 },
	{ "deck", "bcColorLedBot", U8 | RO, TOC_DECK, 0 },
	{ "deck", "bcColorLedTop", U8 | RO, TOC_DECK, 0 },
};

/*
 * Types of log variables: 1 u8, 2 u16, 3 u32, 4 i8, 7 float.  The battery comes last: a client
 * that knows its number in 2026.08 begins at the end, and asks about as much as of the real table.
 */
static const struct toc_item small_logs[] = {
	{ "stabilizer", "roll", 7, TOC_FIXED, 0 },
	{ "stabilizer", "pitch", 7, TOC_FIXED, 0 },
	{ "stabilizer", "yaw", 7, TOC_FIXED, 0 },
	{ "pm", "vbat", 7, TOC_VBAT, 0 },
	{ "pm", "chargeCurrent", 7, TOC_PM_CURRENT, 0 },
	{ "pm", "batteryLevel", 1, TOC_PM_LEVEL, 0 },
	{ "pm", "state", 4, TOC_PM_STATE, 0 },
	{ "pm", "vbatMV", 2, TOC_VBAT_MV, 0 },
};

/* SPEC: tests/fixtures/crtp-2026.08.txt; 130 of the 305 are extended. */
enum { REAL_PARAMS = 305, REAL_EXTENDED = 130, REAL_LOGS = 482 };

struct real_item {
	uint16_t id;
	struct toc_item item;
};

static const struct real_item real_params[] = {
	{ 0, { "colAv", "enable", U8 | CORE, TOC_FIXED, 0 } },
	{ 17, { "cppm", "rateRoll", FLOAT | EXT, TOC_TUNED, 0x44340000 } },
	{ 18, { "cppm", "ratePitch", FLOAT | EXT, TOC_TUNED, 0x44340000 } },
	{ 49, { "memTst", "resetW", U8, TOC_FIXED, 0 } },
	{ 67, { "system", "selftestPassed", I8 | RO | CORE, TOC_SELFTEST, 0 } },
	{ 68, { "system", "assertInfo", U8, TOC_ASSERT_INFO, 0 } },
	{ 71, { "cpu", "flash", U16 | RO | CORE, TOC_FLASH_KIB, 0 } },
	{ 72, { "cpu", "id0", U32 | RO | CORE, TOC_ID0, 0 } },
	{ 73, { "cpu", "id1", U32 | RO | CORE, TOC_ID1, 0 } },
	{ 74, { "cpu", "id2", U32 | RO | CORE, TOC_ID2, 0 } },
	{ 257, { "pm", "lowVoltage", FLOAT | CORE | EXT, TOC_FIXED, 0x404CCCCD } },
	{ 280, { "deck", "bcFlow2", U8 | RO | CORE, TOC_DECK, 0 } },
	{ 296, { "deck", "bcLighthouse4", U8 | RO | CORE, TOC_DECK, 0 } },
	{ 302, { "firmware", "revision0", U32 | RO | CORE, TOC_REVISION0, 0 } },
	{ 303, { "firmware", "revision1", U16 | RO | CORE, TOC_REVISION1, 0 } },
	{ 304, { "firmware", "modified", U8 | RO | CORE, TOC_MODIFIED, 0 } },
};

static const struct real_item real_logs[] = {
	{ 0, { "colAv", "latency", 3, TOC_FIXED, 0 } },
	{ 425, { "pm", "vbat", 7, TOC_VBAT, 0 } },
	{ 426, { "pm", "vbatMV", 2, TOC_VBAT_MV, 0 } },
	{ 430, { "pm", "chargeCurrent", 7, TOC_PM_CURRENT, 0 } },
	{ 431, { "pm", "state", 4, TOC_PM_STATE, 0 } },
	{ 432, { "pm", "batteryLevel", 1, TOC_PM_LEVEL, 0 } },
};

#define REAL_PARAMS_CRC 0xF9A30542U
#define REAL_LOGS_CRC 0x49E6A47CU
#define REAL_VERSION "2026.08 +2"

size_t
toc_count(const struct drone *d, enum toc_which which)
{
	if (d->config.tables == DRONE_TABLES_REAL)
		return which == TOC_PARAMS ? REAL_PARAMS : REAL_LOGS;
	return which == TOC_PARAMS ? ARRAY_LEN(small_params) : ARRAY_LEN(small_logs);
}

/* One of those that were not recorded: a name of its own. */
static void
filler(enum toc_which which, size_t id, struct toc_item *ret)
{
	bool extended = which == TOC_PARAMS && id >= 75 && id < 75 + REAL_EXTENDED - 3;

	*ret = (struct toc_item){ .group = "filler", .type = which == TOC_LOGS ? 1 : U8 };
	if (extended)
		ret->type |= EXT;
	(void)snprintf(ret->room, sizeof(ret->room), "item%u", (unsigned)id);
}

bool
toc_item(const struct drone *d, enum toc_which which, size_t id, struct toc_item *ret)
{
	const struct real_item *real = which == TOC_PARAMS ? real_params : real_logs;
	size_t count = which == TOC_PARAMS ? ARRAY_LEN(real_params) : ARRAY_LEN(real_logs);

	if (id >= toc_count(d, which))
		return false;
	if (d->config.tables == DRONE_TABLES_SMALL) {
		*ret = which == TOC_PARAMS ? small_params[id] : small_logs[id];
		return true;
	}
	filler(which, id, ret);
	for (size_t i = 0; i < count; i++)
		if (real[i].id == id)
			*ret = real[i].item;
	return true;
}

const char *
toc_name(const struct toc_item *i)
{
	return i->name != NULL ? i->name : i->room;
}

size_t
toc_param_bytes(const struct toc_item *i)
{
	return (i->type & 0x0F) == FLOAT ? 4 : (size_t)1 << (i->type & 3);
}

static uint32_t
hash(const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 16777619U;
	return h;
}

/* The table's checksum changes with the build, as ids do between builds. */
static uint32_t
toc_crc(struct drone *d, enum toc_which which)
{
	uint32_t of_build = hash(drone_version(d, d->now_us)), h = 0;
	struct toc_item item;

	if (d->config.tables == DRONE_TABLES_REAL)
		return (which == TOC_PARAMS ? REAL_PARAMS_CRC : REAL_LOGS_CRC) ^ of_build ^
		       hash(REAL_VERSION);
	for (size_t i = 0; toc_item(d, which, i, &item); i++)
		h = (h ^ hash(item.name)) * 16777619U;
	return h ^ of_build;
}

static uint32_t
revision(struct drone *d, bool high)
{
	const char *text =
	    d->config.revision[0] != '\0' ? d->config.revision : boot_look(d)->revision;
	uint64_t v = strtoull(text, NULL, 16);

	return high ? (uint32_t)(v >> 16) : (uint32_t)(v & 0xFFFF);
}

static uint32_t
as_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

uint32_t
toc_value(struct drone *d, uint64_t now, const struct toc_item *i)
{
	struct battery b;

	firmware_battery(d, now, &b);
	switch (i->source) {
	case TOC_REVISION0:
	case TOC_REVISION1:
		return revision(d, i->source == TOC_REVISION0);
	case TOC_MODIFIED:
		return d->config.modified >= 0 ? (uint32_t)d->config.modified
					       : (uint32_t)boot_look(d)->modified;
	case TOC_FLASH_KIB:
		return d->chip->memory[0].size / 1024;
	case TOC_ID0:
	case TOC_ID1:
	case TOC_ID2:
		return get_le32(d->config.uid + 4 * (i->source - TOC_ID0));
	case TOC_SELFTEST:
		return firmware_selftest_passed(d, now);
	case TOC_DECK:
		return deck_is_mounted(d, i->name);
	case TOC_VBAT:
		return as_bits((float)b.mv / 1000);
	case TOC_VBAT_MV:
		return b.mv;
	case TOC_PM_STATE:
		return (uint8_t)b.state;
	case TOC_PM_LEVEL:
		return b.level;
	case TOC_PM_CURRENT:
		return as_bits(b.current);
	case TOC_ASSERT_INFO:
	case TOC_DO_ASSERT:
	case TOC_TUNED:
	case TOC_FIXED:
		break;
	}
	return i->value;
}

void
toc_answer(struct drone *d, uint64_t now, const uint8_t *in, enum toc_which which)
{
	/* SPEC: doc/beyond-dfu.md 11.5: the reserved bits are not echoed here. */
	uint8_t p[32] = { (uint8_t)(in[0] & 0xF3), in[1] };
	struct toc_item item;
	int n;

	if (in[1] == 3) {
		put_le16(p + 2, (uint16_t)toc_count(d, which));
		put_le32(p + 4, toc_crc(d, which));
		p[8] = LOG_BLOCKS;
		p[9] = LOG_OPS;
		crtp_reply(d, now, p, which == TOC_LOGS ? 10 : 8);
	} else if (in[1] == 2 && !toc_item(d, which, get_le16(in + 2), &item)) {
		crtp_reply(d, now, p, 2);
	} else if (in[1] == 2) {
		p[2] = in[2];
		p[3] = in[3];
		p[4] = item.type;
		n = snprintf((char *)p + 5, sizeof(p) - 5, "%s%c%s", item.group, '\0',
			     toc_name(&item));
		crtp_reply(d, now, p, 5 + (size_t)n + 1);
	}
}
