/* SPDX-License-Identifier: MIT */
/* The firmware's answers to CRTP packets, from a table (doc/protocol.md 2.4). */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define PORT_CHANNEL(header) ((header)&0xF3) /* SPEC: the two reserved bits may be set */

void
crtp_reply(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	if (!d->firmware.asserted)
		run_queue(d, now + d->config.timing.crtp_us, packet, length);
}

/* Console text arrives on the same pipe, at any time. */
static void
chatter(struct drone *d, uint64_t now)
{
	static const char *const lines[] = {
		"SYS: ----------------------------\n", "ESTIMATOR: Using Complementary\n",
		"DECK_CORE: 0 deck(s) found\n",	       "PM: Battery low?\n",
		"SYS: Build 12:0 (2025.12) CLEAN",     "CFGBLK: v1, verification [OK]\n",
	};
	unsigned n =
	    d->config.chatter > 0 ? (unsigned)(rng_next(&d->rng) % (d->config.chatter + 1)) : 0;

	while (n-- > 0) {
		const char *line = lines[d->run.console_line++ % ARRAY_LEN(lines)];
		uint8_t p[31] = { 0x00 };
		size_t length = strnlen(line, 30);

		memcpy(p + 1, line, length);
		run_queue(d, now + d->config.timing.crtp_us / 2, p, 1 + length);
	}
}

static void
reply_text(struct drone *d, uint64_t now, const uint8_t *in, const char *text)
{
	uint8_t p[32] = { in[0], in[1] };
	size_t n = strnlen(text, 29);

	memcpy(p + 2, text, n);
	crtp_reply(d, now, p, 2 + n);
}

/* SPEC: doc/protocol.md 2.4, first table: by release. */
static uint32_t
protocol_version(int release)
{
	static const struct {
		int release;
		uint32_t protocol;
	} table[] = { { 202604, 12 }, { 202509, 10 }, { 202502, 9 }, { 202410, 8 }, { 202311, 7 } };

	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		if (release >= table[i].release)
			return table[i].protocol;
	return 4;
}

static void
version_command(struct drone *d, uint64_t now, const uint8_t *in)
{
	uint8_t p[6] = { in[0], 0 };

	switch (in[1]) {
	case 0:
		put_le32(p + 2, protocol_version(d->firmware.release));
		crtp_reply(d, now, p, sizeof(p));
		break;
	case 1:
		reply_text(d, now, in, drone_version(d, now));
		break;
	case 2:
		if (!d->config.no_type)
			reply_text(d, now, in,
				   d->config.type[0] != '\0' ? d->config.type : boot_type_text(d));
		break;
	default: /* not answered */
		break;
	}
}

/* SPEC: doc/beyond-dfu.md 11.3: anything but the light is an echo. */
static void
platform_command(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	bool light = length > 1 && in[1] == 0x03;

	if (light && in[2] != 0)
		d->counters.lights_good++;
	else if (light)
		d->counters.lights_bad++;
	crtp_reply(d, now, in, light ? 1 : length);
}

static void
link_service(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	uint8_t p[31] = { in[0] };

	if ((in[0] & 3) == 0) { /* echo */
		crtp_reply(d, now, in, length);
		return;
	}
	memcpy(p + 1, "Bitcraze Crazyflie", 18);
	crtp_reply(d, now, p, sizeof(p));
}

/* SPEC: doc/beyond-dfu.md 5: since 2026.04; one bit a question, or all of them. */
static void
supervisor(struct drone *d, uint64_t now, const uint8_t *in)
{
	uint16_t bits = firmware_selftest_passed(d, now) ? d->config.supervisor : 0;
	uint8_t p[4] = { 0x90, (uint8_t)(0x80 | in[1]) };

	if (d->firmware.release < 202604 || in[1] == 0 || in[1] > 0x0C)
		return;
	if (in[1] == 0x0C)
		put_le16(p + 2, bits);
	else
		p[2] = bits >> (in[1] - 1) & 1;
	crtp_reply(d, now, p, in[1] == 0x0C ? 4 : 3);
}

/* SPEC: tests/fixtures/crtp-2026.08.txt: port 8 is known by this one only. */
static void
high_level(struct drone *d, uint64_t now, const uint8_t *in)
{
	if (in[1] == 0)
		crtp_reply(d, now, (const uint8_t[]){ in[0], 0, 0, 0, 0 }, 5);
}

void
crtp_answer(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	uint8_t in[40] = { 0 }; /* SPEC: a short packet reads as if it went on with zeros */

	memcpy(in, packet, length);
	chatter(d, now);
	switch (PORT_CHANNEL(packet[0])) {
	case 0xF0:
	case 0xF1:
		link_service(d, now, in, length);
		break;
	case 0xD0:
		platform_command(d, now, in, length);
		break;
	case 0xD1:
		version_command(d, now, in);
		break;
	case 0x20:
	case 0x21:
	case 0x22:
	case 0x23:
		crtp_param(d, now, packet, length);
		break;
	case 0x40:
	case 0x41:
	case 0x42:
		crtp_memory(d, now, packet, length);
		break;
	case 0x50:
	case 0x51:
		crtp_log(d, now, packet, length);
		break;
	case 0x80:
		high_level(d, now, in);
		break;
	case 0x90:
		supervisor(d, now, in);
		break;
	default:
		break;
	}
}
