/* SPDX-License-Identifier: MIT */
/*
 * A drone's configuration: defaults, the key=value words of the command language, the timing
 * presets.
 */
#include "config.h"

#include "sim/drone.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip.h"
#include "sim/rng.h"

enum value_type {
	V_TEXT,
	V_BOOL,
	V_U16,
	V_U32,
	V_U64,
	V_WORD,
	V_UID,
	V_RANGE,
	V_PLATFORM,
	V_TIMING,
	V_INT,
	V_U8,
	V_ADDRESS,
	V_DECKS
};

struct key {
	const char *name;
	enum value_type type;
	size_t offset, size;
	const char *const *words; /* V_WORD */
};

static const char *const models[] = { "crazyflie", "other-vcp", "other-dfu", "f10x-medium",
				      "f10x-high", "eval",	NULL };
static const char *const kinds[] = { "nak", "dnbusy", "stall-early", NULL };
static const char *const serials[] = { "plain",	  "no-carry", "plus-a", "plus-a-no-carry",
				       "missing", "constant", "custom", NULL };
static const char *const descriptors[] = {
	"plain", "cut", "composite", "crowded", "changing", NULL
};
static const char *const eeproms[] = { "good", "bad-sum", "bad-magic", "blank", NULL };
static const char *const tables[] = { "small", "real", NULL };
static const char *const decks[] = { "none",	   "lighthouse", "lighthouse-wrong",
				     "led-bottom", "led-top",	 "led-old",
				     "ai",	   "flow",	 "multiranger",
				     NULL };
static const char *const rates[] = { "250K", "1M", "2M", NULL };
static const char *const reboots[] = { "eproto", "epipe", "nodev", "timeout", "success", NULL };

#define AT(member) offsetof(struct drone_config, member), sizeof(((struct drone_config *)0)->member)
/* clang-format off */
#define TEXT(name, member) { name, V_TEXT, AT(member), NULL }
#define FLAG(name, member) { name, V_BOOL, AT(member), NULL }
#define U32(name, member) { name, V_U32, AT(member), NULL }
#define WORD(name, member, words) { name, V_WORD, AT(member), words }
/* clang-format on */

static const struct key keys[] = {
	WORD("model", model, models),
	WORD("kind", kind, kinds),
	WORD("serial", serial, serials),
	WORD("reboot", reboot, reboots),
	WORD("descriptors", descriptors, descriptors),
	WORD("eeprom", eeprom, eeproms),
	WORD("tables", tables, tables),
	{ "supervisor", V_U16, AT(supervisor), NULL },
	U32("battery", battery_mv),
	U32("battery-state", battery_state),
	{ "rate", V_U8, AT(rate), rates },
	{ "deck", V_DECKS, AT(deck), decks },
	U32("bitstream-bytes", bitstream_bytes),
	U32("dark-permille", dark_permille),
	FLAG("led-version-stays", led_version_stays),
	{ "channel", V_U8, AT(channel), NULL },
	{ "address", V_ADDRESS, AT(address), NULL },
	TEXT("crash", crash),
	TEXT("selftest", selftest),
	TEXT("nrf", nrf),
	U32("selftest-ms", selftest_ms),
	U32("decks-ms", decks_ms),
	U32("early-ms", early_ms),
	U32("nrf-ms", nrf_ms),
	U32("console-lines", console_lines),
	U32("radio-packets", radio_packets),
	FLAG("console", console),
	{ "timing", V_TIMING, AT(timing), NULL },
	{ "platform", V_PLATFORM, AT(otp), NULL },
	{ "uid", V_UID, AT(uid), NULL },
	{ "gap", V_RANGE, AT(timing.gap_min_ms), NULL },
	{ "boot", V_RANGE, AT(timing.boot_min_ms), NULL },
	{ "leave", V_RANGE, AT(timing.leave_min_ms), NULL },
	{ "seed", V_U64, AT(seed), NULL },
	{ "modified", V_INT, AT(modified), NULL },
	{ "write-protected", V_U16, AT(write_protected), NULL },
	U32("transfer-size", transfer_size),
	U32("ignored-requests", ignored_requests),
	TEXT("otp", otp),
	TEXT("serial-text", serial_text),
	TEXT("layout0", layout[0]),
	TEXT("layout1", layout[1]),
	TEXT("layout2", layout[2]),
	TEXT("layout3", layout[3]),
	TEXT("product", product),
	TEXT("manufacturer", manufacturer),
	TEXT("version", version),
	TEXT("revision", revision),
	TEXT("type", type),
	FLAG("read-protected", read_protected),
	FLAG("options-readable", options_readable),
	FLAG("feature-readable", feature_readable),
	FLAG("feature-effective", feature_effective),
	FLAG("abort-busy-stalls", abort_busy_stalls),
	FLAG("button-boots", button_boots),
	FLAG("boots-anything", boots_anything),
	FLAG("one-interface", one_interface),
	FLAG("no-dfu-request", no_dfu_request),
	FLAG("no-type", no_type),
	FLAG("silent", silent),
	FLAG("count-standard", count_standard),
	U32("chatter", chatter),
	U32("poll-erase", poll_erase_ms),
	U32("poll-write", poll_write_ms),
	U32("poll-busy", poll_busy_ms),
	U32("control-us", timing.control_us),
	U32("byte-ns", timing.byte_ns),
	U32("crtp-us", timing.crtp_us),
	U32("flash-permille", timing.flash_permille),
	U32("application", application_addr),
};

void
drone_config_init(struct drone_config *c, uint64_t seed)
{
	struct rng r;

	memset(c, 0, sizeof(*c));
	rng_init(&r, seed);
	c->seed = rng_next(&r);
	/* The shape of a real one: two small numbers, then lot text. */
	put_le16(c->uid, (uint16_t)rng_between(&r, 1, 0x7F));
	put_le16(c->uid + 2, (uint16_t)rng_between(&r, 1, 0x7F));
	c->uid[4] = (uint8_t)rng_between(&r, 1, 0x1F);
	for (unsigned i = 5; i < 12; i++)
		c->uid[i] = (uint8_t)rng_between(&r, 0x30, 0x39);
	/* WHY: twelve digits of lot text alone repeat; two seeds must not give one drone. */
	put_le16(c->uid + 10, (uint16_t)(0x3030 ^ (seed & 0xFFFF)));
	c->timing = (struct drone_timing){ .control_us = 350,
					   .byte_ns = 1200,
					   .flash_permille = 1000,
					   .crtp_us = 1500,
					   .gap_min_ms = 500,
					   .gap_max_ms = 1500,
					   .boot_min_ms = 600,
					   .boot_max_ms = 1500,
					   .leave_min_ms = 1,
					   .leave_max_ms = 50 };
	copy_text(c->otp, sizeof(c->otp), "0;CF21");
	c->options_readable = c->feature_readable = c->feature_effective = true;
	c->poll_erase_ms = 100;
	c->poll_write_ms = 104;
	c->chatter = 2;
	c->modified = -1;
	c->count_standard = true;
	c->application_addr = 0x08004000;
	c->selftest_ms = 300;
	c->decks_ms = 100;
	c->supervisor = 0x020E;
	c->battery_mv = 4050;
	c->battery_state = 1;
	c->nrf_ms = 400;
	c->console = true;
	c->channel = 80;
	c->rate = 2;
	c->address = 0xE7E7E7E7E7;
	copy_text(c->nrf, sizeof(c->nrf), "2025.12");
}

void
drone_timing_fast(struct drone_timing *t)
{
	*t = (struct drone_timing){ .control_us = 20,
				    .byte_ns = 24,
				    .flash_permille = 20,
				    .crtp_us = 100,
				    .gap_min_ms = 20,
				    .gap_max_ms = 40,
				    .boot_min_ms = 20,
				    .boot_max_ms = 40,
				    .leave_min_ms = 1,
				    .leave_max_ms = 3 };
}

const char *
drone_config_key(size_t index)
{
	return index < ARRAY_LEN(keys) ? keys[index].name : NULL;
}

const char *
drone_deck_word(enum drone_deck deck)
{
	return (unsigned)deck < DRONE_DECK_COUNT ? decks[deck] : "";
}

/* ---- setting ---- */

static int
parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int
set_number(const char *value, uint64_t max, void *at)
{
	uint64_t v;
	int r = parse_u64(value, max, &v);

	if (r < 0)
		return r;
	if (max == UINT16_MAX)
		*(uint16_t *)at = (uint16_t)v;
	else if (max == UINT32_MAX)
		*(uint32_t *)at = (uint32_t)v;
	else
		*(uint64_t *)at = v;
	return 0;
}

/* "800" or "500-1500", into two numbers side by side. */
static int
set_range(const char *value, uint32_t *at)
{
	uint64_t low, high;
	char copy[32], *dash;

	copy_text(copy, sizeof(copy), value);
	dash = strchr(copy, '-');
	if (dash != NULL)
		*dash++ = '\0';
	if (parse_u64(copy, UINT32_MAX, &low) < 0 ||
	    parse_u64(dash != NULL ? dash : copy, UINT32_MAX, &high) < 0 || low > high)
		return -EINVAL;
	at[0] = (uint32_t)low;
	at[1] = (uint32_t)high;
	return 0;
}

static int
set_bool(const char *value, bool *at)
{
	static const char *const yes[] = { "yes", "1", "on", "true" };
	static const char *const no[] = { "no", "0", "off", "false" };

	for (unsigned i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(value, yes[i]) == 0) {
			*at = true;
			return 0;
		}
		if (strcmp(value, no[i]) == 0) {
			*at = false;
			return 0;
		}
	}
	return -EINVAL;
}

static int
set_word(const char *value, const char *const *words, void *at)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0) {
			*(unsigned *)at = i; /* every enum here is an unsigned int */
			return 0;
		}
	return -EINVAL;
}

/* A number up to 255, or one of the words, by its place. */
static int
set_u8(const char *value, const char *const *words, uint8_t *at)
{
	uint64_t v = 0;

	if (words == NULL) {
		if (parse_u64(value, UINT8_MAX, &v) < 0)
			return -EINVAL;
	} else {
		while (words[v] != NULL && strcmp(words[v], value) != 0)
			v++;
		if (words[v] == NULL)
			return -EINVAL;
	}
	*at = (uint8_t)v;
	return 0;
}

/* "lighthouse,led-top": up to four. */
static int
set_decks(const char *value, const char *const *words, uint8_t *at)
{
	uint8_t deck[DRONE_DECKS_MAX] = { 0 };
	unsigned n = 0;

	for (;;) {
		size_t length = strcspn(value, ",");
		char word[32];

		if (n == DRONE_DECKS_MAX || length >= sizeof(word))
			return -EINVAL;
		memcpy(word, value, length);
		word[length] = '\0';
		if (set_u8(word, words, &deck[n++]) < 0)
			return -EINVAL;
		if (value[length] == '\0')
			break;
		value += length + 1;
	}
	memcpy(at, deck, sizeof(deck));
	return 0;
}

/* Ten hex digits: "E7E7E7E701". */
static int
set_address(const char *value, uint64_t *at)
{
	if (strlen(value) != 10 || strspn(value, "0123456789abcdefABCDEF") != 10)
		return -EINVAL;
	*at = strtoull(value, NULL, 16);
	return 0;
}

static int
set_text(const char *value, char *at, size_t size)
{
	if (strlen(value) >= size)
		return -EINVAL;
	copy_text(at, size, value);
	return 0;
}

/* "CF21" as OTP text; "none" = blank. */
static int
set_platform(const char *value, char *at, size_t size)
{
	if (strcmp(value, "none") == 0)
		return set_text("", at, size);
	if (strlen(value) != 4)
		return -EINVAL;
	(void)snprintf(at, size, "0;%s", value);
	return 0;
}

static int
set_timing(const char *value, struct drone_timing *t)
{
	struct drone_config fresh;

	drone_config_init(&fresh, 0);
	if (strcmp(value, "fast") == 0)
		drone_timing_fast(t);
	else if (strcmp(value, "typical") == 0)
		*t = fresh.timing;
	else
		return -EINVAL;
	return 0;
}

static int
set_key(const struct key *k, const char *value, void *at)
{
	uint64_t v;

	switch (k->type) {
	case V_TEXT:
		return set_text(value, at, k->size);
	case V_BOOL:
		return set_bool(value, at);
	case V_U16:
		return set_number(value, UINT16_MAX, at);
	case V_U32:
		return set_number(value, UINT32_MAX, at);
	case V_U64:
		return set_number(value, UINT64_MAX, at);
	case V_WORD:
		return set_word(value, k->words, at);
	case V_UID:
		return drone_uid_parse(value, at);
	case V_RANGE:
		return set_range(value, at);
	case V_PLATFORM:
		return set_platform(value, at, k->size);
	case V_TIMING:
		return set_timing(value, at);
	case V_U8:
		return set_u8(value, k->words, at);
	case V_DECKS:
		return set_decks(value, k->words, at);
	case V_ADDRESS:
		return set_address(value, at);
	case V_INT:
		if (parse_u64(value, 1, &v) < 0)
			return -EINVAL;
		*(int *)at = (int)v;
		return 0;
	}
	return -EINVAL;
}

int
drone_config_set(struct drone_config *c, const char *key, const char *value, char *error,
		 size_t error_size)
{
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		if (set_key(&keys[i], value, (char *)c + keys[i].offset) == 0)
			return 0;
		(void)snprintf(error, error_size, "%s: '%s' is not a value for it", key, value);
		return -EINVAL;
	}
	(void)snprintf(error, error_size, "a drone has no '%s'", key);
	return -EINVAL;
}

/* ---- the floor ---- */

/* Sectors of one memory touched by any segment, each once. */
static uint64_t
erase_floor_us(const struct chip_memory *m, const struct drone_segment *segments, size_t count,
	       unsigned p)
{
	uint64_t sum = 0;

	for (uint32_t at = 0; at < m->size;) {
		struct chip_sector s = chip_sector_at(m, m->base + at);
		bool touched = false;

		if (s.size == 0)
			return 0;
		for (size_t i = 0; i < count && !touched; i++)
			touched = segments[i].length > 0 && segments[i].addr < s.base + s.size &&
				  segments[i].addr + (segments[i].length - 1) >= s.base;
		if (touched)
			sum += s.run->erase_us[p];
		at += s.size;
	}
	return sum;
}

void
drone_floor(const struct drone_config *c, const struct drone_segment *segments, size_t count,
	    unsigned unit, struct drone_floor *ret_floor)
{
	const struct chip *chip = chip_of(c->model);
	unsigned p = unit >= 4 ? 2 : unit / 2;
	uint64_t scale = c->timing.flash_permille, bytes = 0;
	struct drone_floor f = { 0 };

	for (unsigned i = 0; i < chip->memories; i++)
		f.erase_us += erase_floor_us(&chip->memory[i], segments, count, p) * scale / 1000;
	for (size_t i = 0; i < count; i++) {
		const struct chip_memory *m = chip_memory_at(chip, segments[i].addr);

		bytes += segments[i].length;
		if (m != NULL)
			f.program_us += (segments[i].length + (1U << p) - 1) / (1U << p) *
					(uint64_t)m->program_us[p] * scale / 1000;
	}
	f.send_us = f.read_us = bytes * c->timing.byte_ns / 1000;
	*ret_floor = f;
}
