/* SPDX-License-Identifier: MIT */
/* Parameters and log variables: tables of contents, reading, one log block (doc/protocol.md 2.4).
 * */
#include "config.h"

#include "sim/drone.h"

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
	RO = 0x40
};

enum source { FIXED = 0, REVISION0, REVISION1, MODIFIED, FLASH_KIB, ID0, ID1, ID2, SELFTEST };

struct item {
	const char *group, *name;
	uint8_t type;
	enum source source;
	uint32_t value;
};

static const struct item params[] = {
	{ "firmware", "revision0", U32 | RO, REVISION0, 0 },
	{ "firmware", "revision1", U16 | RO, REVISION1, 0 },
	{ "firmware", "modified", U8 | RO, MODIFIED, 0 },
	{ "cpu", "flash", U16 | RO, FLASH_KIB, 0 },
	{ "cpu", "id0", U32 | RO, ID0, 0 },
	{ "cpu", "id1", U32 | RO, ID1, 0 },
	{ "cpu", "id2", U32 | RO, ID2, 0 },
	{ "system", "selftestPassed", I8 | RO, SELFTEST, 0 },
	{ "system", "arm", I8, FIXED, 0 },
	{ "system", "storageStats", U8, FIXED, 0 },
	{ "imu_sensors", "BMP3XX", U8 | RO, FIXED, 1 },
	{ "imu_tests", "imuPassed", U8 | RO, FIXED, 1 },
	{ "stabilizer", "estimator", U8, FIXED, 1 },
	{ "stabilizer", "controller", U8, FIXED, 1 },
	{ "stabilizer", "stop", U8, FIXED, 0 },
	{ "pid_attitude", "roll_kp", FLOAT, FIXED, 0x40C00000 },
	{ "pid_attitude", "roll_ki", FLOAT, FIXED, 0x40400000 },
	{ "pid_attitude", "roll_kd", FLOAT, FIXED, 0 },
	{ "pid_attitude", "pitch_kp", FLOAT, FIXED, 0x40C00000 },
	{ "pid_attitude", "pitch_ki", FLOAT, FIXED, 0x40400000 },
	{ "pid_attitude", "pitch_kd", FLOAT, FIXED, 0 },
	{ "pid_attitude", "yaw_kp", FLOAT, FIXED, 0x40C00000 },
	{ "pid_rate", "roll_kp", FLOAT, FIXED, 0x437A0000 },
	{ "pid_rate", "pitch_kp", FLOAT, FIXED, 0x437A0000 },
	{ "pid_rate", "yaw_kp", FLOAT, FIXED, 0x42F00000 },
	{ "posCtlPid", "xKp", FLOAT, FIXED, 0x40000000 },
	{ "posCtlPid", "yKp", FLOAT, FIXED, 0x40000000 },
	{ "posCtlPid", "zKp", FLOAT, FIXED, 0x40000000 },
	{ "posCtlPid", "thrustBase", U16, FIXED, 36000 },
	{ "posCtlPid", "thrustMin", U16, FIXED, 20000 },
	{ "ring", "effect", U8, FIXED, 6 },
	{ "ring", "headlightEnable", U8, FIXED, 0 },
	{ "ring", "fadeTime", FLOAT, FIXED, 0x3F000000 },
	{ "sound", "effect", U8, FIXED, 0 },
	{ "sound", "freq", U16, FIXED, 4000 },
	{ "led", "bitmask", U8, FIXED, 0 },
	{ "pm", "lowVoltage", FLOAT, FIXED, 0x404CCCCD },
	{ "pm", "criticalLowVoltage", FLOAT, FIXED, 0x40400000 },
	{ "kalman", "resetEstimation", U8, FIXED, 0 },
	{ "kalman", "initialX", FLOAT, FIXED, 0 },
	{ "kalman", "initialY", FLOAT, FIXED, 0 },
	{ "kalman", "initialZ", FLOAT, FIXED, 0 },
	{ "commander", "enHighLevel", U8, FIXED, 1 },
	{ "loco", "mode", U8, FIXED, 0 },
	{ "motorPowerSet", "enable", U8, FIXED, 0 },
	{ "motorPowerSet", "m1", U16, FIXED, 0 },
	{ "health", "startPropTest", U8, FIXED, 0 },
	{ "usd", "canLog", U8 | RO, FIXED, 0 },
};

static const struct item logs[] = {
	{ "pm", "vbat", 7, FIXED, 0x4079999A },					/* 3.9 V */
	{ "pm", "vbatMV", 2, FIXED, 3900 },	{ "pm", "state", 4, FIXED, 1 }, /* charging */
	{ "pm", "batteryLevel", 1, FIXED, 80 }, { "stabilizer", "roll", 7, FIXED, 0 },
	{ "stabilizer", "pitch", 7, FIXED, 0 }, { "stabilizer", "yaw", 7, FIXED, 0 },
};

/* The table's checksum changes with the build, as ids do between builds. */
static uint32_t
toc_crc(struct drone *d, const struct item *items, size_t count)
{
	uint32_t h = 2166136261U;

	for (const char *v = drone_version(d, d->now_us); *v != '\0'; v++)
		h = (h ^ (uint8_t)*v) * 16777619U;
	for (size_t i = 0; i < count; i++)
		for (const char *n = items[i].name; *n != '\0'; n++)
			h = (h ^ (uint8_t)*n) * 16777619U;
	return h;
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
value_of(struct drone *d, const struct item *i)
{
	switch (i->source) {
	case REVISION0:
		return revision(d, true);
	case REVISION1:
		return revision(d, false);
	case MODIFIED:
		return d->config.modified >= 0 ? (uint32_t)d->config.modified
					       : (uint32_t)boot_look(d)->modified;
	case FLASH_KIB:
		return d->chip->memory[0].size / 1024;
	case ID0:
	case ID1:
	case ID2:
		return get_le32(d->config.uid + 4 * (i->source - ID0));
	case SELFTEST:
		return firmware_selftest_passed(d, d->now_us);
	case FIXED:
		break;
	}
	return i->value;
}

static size_t
param_size(uint8_t type)
{
	unsigned t = type & 0x0F;

	if (t == FLOAT)
		return 4;
	return (size_t)1 << (t & 3);
}

/* 2: one item, 3: how many. */
static void
toc(struct drone *d, uint64_t now, const uint8_t *in, size_t length, const struct item *items,
    size_t count)
{
	uint8_t p[32] = { in[0], in[1] };
	size_t n, id;

	if (in[1] == 3) {
		put_le16(p + 2, (uint16_t)count);
		put_le32(p + 4, toc_crc(d, items, count));
		p[8] = 16;
		p[9] = 128;
		crtp_reply(d, now, p, items == logs ? 10 : 8);
		return;
	}
	if (in[1] != 2 || length < 4)
		return;
	id = get_le16(in + 2);
	p[2] = in[2];
	p[3] = in[3];
	n = 4;
	if (id < count) {
		size_t group = strlen(items[id].group) + 1, name = strlen(items[id].name) + 1;

		p[n++] = items[id].type;
		memcpy(p + n, items[id].group, group);
		memcpy(p + n + group, items[id].name, name);
		n += group + name;
	}
	crtp_reply(d, now, p, n);
}

static void
param_read(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	uint8_t p[8] = { in[0] };
	size_t id;

	if (length < 3)
		return;
	id = get_le16(in + 1);
	p[1] = in[1];
	p[2] = in[2];
	if (id >= ARRAY_LEN(params)) {
		p[3] = 2; /* ENOENT */
		crtp_reply(d, now, p, 4);
		return;
	}
	put_le32(p + 4, value_of(d, &params[id]));
	crtp_reply(d, now, p, 4 + param_size(params[id].type));
}

void
crtp_param(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	if (length < 2)
		return;
	if ((packet[0] & 3) == 0)
		toc(d, now, packet, length, params, ARRAY_LEN(params));
	else
		param_read(d, now, packet, length);
}

/* ---- log ---- */

static size_t
log_size(uint8_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 4, 1, 2, 4, 4, 2 };

	return type < sizeof(sizes) ? sizes[type] : 0;
}

void
crtp_log_sample(struct drone *d, uint64_t last_us)
{
	uint64_t at = last_us + d->run.log.period_us;
	uint8_t p[32] = { 0x52, d->run.log.id };
	size_t n = 5;

	put_le16(p + 2, (uint16_t)(at / 1000));
	p[4] = (uint8_t)(at / 1000 >> 16);
	for (unsigned i = 0; i < d->run.log.vars; i++) {
		const struct item *item = &logs[d->run.log.var[i]];
		uint8_t v[4];
		size_t size = log_size(item->type);

		if (n + size > sizeof(p))
			break;
		put_le32(v, item->value);
		memcpy(p + n, v, size);
		n += size;
	}
	run_queue(d, at, p, n);
}

/* Error numbers are the firmware's: 0, ENOENT 2, ENOEXEC 8. */
static uint8_t
log_create(struct drone *d, const uint8_t *in, size_t length)
{
	unsigned vars = 0;

	for (size_t at = 3; at + 3 <= length; at += 3) {
		unsigned id = get_le16(in + at + 1);

		if (id >= ARRAY_LEN(logs))
			return 2;
		if (vars == ARRAY_LEN(d->run.log.var))
			return 8;
		d->run.log.var[vars++] = (uint8_t)id;
	}
	d->run.log.vars = (uint8_t)vars;
	d->run.log.id = in[2];
	d->run.log.made = true;
	d->run.log.started = false;
	return 0;
}

void
crtp_log(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	uint8_t p[4] = { packet[0] };
	bool start = false;

	if (length < 2)
		return;
	if ((packet[0] & 3) == 0) {
		toc(d, now, packet, length, logs, ARRAY_LEN(logs));
		return;
	}
	if (length < 3)
		return;
	p[1] = packet[1];
	p[2] = packet[2];
	if (packet[1] == 6) {
		p[3] = log_create(d, packet, length);
	} else if (!d->run.log.made || d->run.log.id != packet[2]) {
		p[3] = 2;
	} else if (packet[1] == 8 && length >= 5) {
		d->run.log.period_us = get_le16(packet + 3) * 1000U;
		start = !d->run.log.started && d->run.log.period_us > 0;
		d->run.log.started = d->run.log.period_us > 0;
	} else if (packet[1] == 4 || packet[1] == 2) {
		d->run.log.started = false;
		d->run.log.made = packet[1] == 4;
	}
	crtp_reply(d, now, p, sizeof(p));
	if (start)
		crtp_log_sample(d, now + d->config.timing.crtp_us);
}
