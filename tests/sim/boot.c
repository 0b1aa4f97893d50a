/* SPDX-License-Identifier: MIT */
/*
 * The program that starts after a reset or a leave, by boot pins, cf2loader and flash content
 * (doc/protocol.md 3.6, 9.3, 9.4; doc/firmware.md 2 to 4).  An application must have plausible
 * vectors and, in its table of supported devices, the type that is burnt into the drone's OTP;
 * otherwise nothing appears on the bus.
 */
#include "config.h"

#include "sim/drone.h"

#include <ctype.h>
#include <string.h>

#include "sim/model.h"

#define LOADER_ADDR 0x08000000U
#define LOADER_BYTES 7256
#define VECTORS 16	 /* looked at; the first of every Cortex-M table */
#define VERSION_BYTES 29 /* SPEC: doc/protocol.md 2.4: what fits into the answer */
#define DIGITS "0123456789"
#define WINDOW_BEFORE 64
#define WINDOW_AFTER 64

static const struct {
	char type[5];
	const char *text;
} type_texts[] = {
	{ "CF20", "Crazyflie 2.0" },	       { "CF21", "Crazyflie 2.1" },
	{ "C21B", "Crazyflie 2.1 Brushless" }, { "RZ10", "Crazyflie Bolt" },
	{ "CB10", "Crazyflie Bolt" },	       { "CB11", "Crazyflie Bolt 1.1" },
	{ "RR10", "Roadrunner 1.0" },
};

/*
 * As delivered: something with the marks of cf2loader (doc/firmware.md 6) and the platform in the
 * OTP.
 */
int
boot_prepare(struct drone *d)
{
	static const uint8_t pins[6] = { 0x04, 0x10, 0x01, 0x40, 0x07, 0x80 };
	uint8_t image[LOADER_BYTES];
	struct rng filler;
	uint32_t at = LOADER_ADDR;
	size_t otp_length = strlen(d->config.otp);
	int r;

	if (d->config.model != DRONE_CRAZYFLIE)
		return 0;
	rng_init(&filler, 1); /* the same on every drone */
	for (unsigned i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)rng_next(&filler);
	put_le32(image, 0x20005000);
	for (unsigned i = 1; i < 98; i++)
		put_le32(image + 4 * i, i == 1 ? 0x080002BDU : 0x08000301U);
	for (unsigned i = 7; i <= 10; i++)
		put_le32(image + 4 * i, 0);
	put_le32(image + 4 * 13, 0);
	memset(image + 392, 0, 56);
	put_le16(image + 0x300, 0xE7FE);
	memcpy(image + 0x1C00, pins, sizeof(pins));
	for (unsigned i = 0; i < 12; i++) {
		struct chip_sector s = chip_sector_at(d->chip->memory, at);

		put_le32(image + 0x1C0C + 4 * i, s.base);
		at = s.base + s.size;
	}
	r = memory_set(&d->memory[0], 0, image, sizeof(image));
	if (r == 0)
		r = memory_set(&d->memory[2], 0, (const uint8_t *)d->config.otp, otp_length);
	return r;
}

void
boot_flash_changed(struct drone *d)
{
	d->findings.valid = false;
}

/* "0;CF21;...": the first block that does not start with 0x00; blank counts as CF20. */
void
boot_otp_type(const struct drone *d, char type[5])
{
	const struct memory *otp = &d->memory[2];
	uint8_t block[32];

	memcpy(type, "CF20", 5);
	if (d->chip->memories < 3)
		return;
	for (unsigned i = 0; i < 16; i++) {
		memory_read(otp, i * 32, block, sizeof(block));
		if (block[0] == 0x00)
			continue;
		if (block[0] == '0' && block[1] == ';') {
			memcpy(type, block + 2, 4);
			type[4] = '\0';
		}
		return;
	}
}

const char *
boot_type_text(struct drone *d)
{
	char type[5];

	if (boot_look(d)->type_text[0] != '\0')
		return d->findings.type_text;
	boot_otp_type(d, type);
	for (unsigned i = 0; i < ARRAY_LEN(type_texts); i++)
		if (strcmp(type_texts[i].type, type) == 0)
			return type_texts[i].text;
	return "Unknown";
}

/* ---- looking through the flash ---- */

static uint32_t
word_at(const struct memory *m, uint32_t addr)
{
	uint8_t b[4];

	memory_read(m, addr - m->chip->base, b, 4);
	return get_le32(b);
}

/* Would the processor survive its first steps with this vector table? */
static bool
vectors_are_plausible(const struct drone *d, uint32_t table, uint32_t low, uint32_t high)
{
	const struct memory *m = &d->memory[0];
	uint32_t sp = word_at(m, table);
	uint8_t code[2];

	/*
	 * QUIRK: doc/firmware.md 2: genuine images start with 0x2001FFFF; the core masks the low
	 * bits.
	 */
	if (sp <= 0x20000000 || sp > d->chip->ram_end)
		return false;
	for (unsigned i = 1; i < VECTORS; i++) {
		uint32_t v = word_at(m, table + 4 * i);

		if (v == 0 && i > 1)
			continue;
		if (!(v & 1) || v - 1 < low || v - 1 > high - 2)
			return false;
		memory_read(m, v - 1 - m->chip->base, code, 2);
		if (get_le16(code) == 0xFFFF)
			return false;
	}
	return true;
}

static bool
is_name(const uint8_t *p, size_t size)
{
	size_t n = 0;

	while (n < size && isprint(p[n]))
		n++;
	if (n == 0 || n == size)
		return false;
	for (; n < size; n++)
		if (p[n] != 0)
			return false;
	return true;
}

/* SPEC: doc/firmware.md 3: 44 bytes since 2022.09, 32 before. */
static bool
is_record(const uint8_t *p, size_t name_size)
{
	size_t sensor = 5 + name_size, end = (sensor + 2 + 3) & ~(size_t)3;
	uint32_t pointer = get_le32(p + end);

	for (unsigned i = 0; i < 4; i++)
		if (!isupper(p[i]) && !isdigit(p[i]))
			return false;
	if (p[4] != 0 || !is_name(p + 5, name_size) || p[sensor] > 15 || p[sensor + 1] > 1)
		return false;
	for (size_t i = sensor + 2; i < end; i++)
		if (p[i] != 0)
			return false;
	return (pointer >= 0x20000000 && pointer < 0x20020000) ||
	       (pointer >= 0x08004000 && pointer < 0x08100000);
}

static bool
is_revision(const uint8_t *p)
{
	for (unsigned i = 0; i < 12; i++)
		if (!isdigit(p[i]) && (p[i] < 'a' || p[i] > 'f'))
			return false;
	return p[12] == 0;
}

/*
 * p points at the NUL between tag and revision, which is at addr; before: readable bytes in front
 * of it.  SPEC: doc/firmware.md 4 and 5b: a tag is any text.
 */
static void
take_version(struct findings *f, const uint8_t *p, size_t before, uint32_t addr)
{
	size_t n = 0;

	while (n < before && n < VERSION_BYTES && isprint(p[-1 - (long)n]))
		n++;
	if (n == 0 || f->version[0] != '\0')
		return;
	memcpy(f->version, p - n, n);
	f->version[n] = '\0';
	memcpy(f->revision, p + 1, 12);
	f->revision[12] = '\0';
	f->revision_addr = addr + 1;
}

/* A text of the flash at addr, of at most size - 1 characters; "" when there is none. */
static void
read_text(const struct memory *m, uint32_t addr, char *text, uint32_t size)
{
	uint32_t n = 0;

	memset(text, 0, size);
	if (addr < m->chip->base || addr - m->chip->base > m->chip->size - size)
		return;
	memory_read(m, addr - m->chip->base, (uint8_t *)text, size - 1);
	while (isprint((unsigned char)text[n]))
		n++;
	text[n] = '\0';
}

/*
 * SPEC: doc/firmware.md 4: an image ends with pointers to tag, revision and commit count, and the
 * mark; in some builds the count, a number, is first and the tag last.
 */
static bool
take_mark(struct findings *f, const struct memory *m, const uint8_t *pointers)
{
	char tag[VERSION_BYTES + 1], revision[14], last[VERSION_BYTES + 1];
	bool beside;

	read_text(m, get_le32(pointers), tag, sizeof(tag));
	read_text(m, get_le32(pointers + 4), revision, sizeof(revision));
	read_text(m, get_le32(pointers + 8), last, sizeof(last));
	/* WHY: behind a shorter image the end of a longer one may be left over. */
	if (f->version[0] != '\0' && f->revision_addr < get_le32(pointers + 4))
		return false;
	if (tag[0] == '\0' || last[0] == '\0' || strspn(revision, "0123456789abcdef") != 12 ||
	    revision[12] != '\0')
		return false;
	beside = get_le32(pointers) + strlen(tag) + 1 == get_le32(pointers + 4) &&
		 get_le32(pointers + 8) + strlen(last) + 1 != get_le32(pointers);
	if (strspn(tag, DIGITS) == strlen(tag) && (!beside || strspn(last, DIGITS) != strlen(last)))
		copy_text(f->version, sizeof(f->version), last);
	else
		copy_text(f->version, sizeof(f->version), tag);
	copy_text(f->revision, sizeof(f->revision), revision);
	return true;
}

/* The image's own pointers have priority; images without them are scanned for texts. */
static bool
scan_marks(struct drone *d, uint32_t offset)
{
	const struct memory *m = &d->memory[0];
	uint8_t b[12 + MEMORY_PAGE];
	uint32_t from = offset >= 12 ? offset - 12 : 0;

	memory_read(m, from, b, offset - from + MEMORY_PAGE);
	for (uint32_t at = 12; at + 4 <= offset - from + MEMORY_PAGE; at += 4)
		if (get_le32(b + at) == 0xAAAAAAAA && take_mark(&d->findings, m, b + at - 12))
			return true;
	return false;
}

static void
scan_page(struct drone *d, uint32_t offset, const char *type)
{
	const struct memory *m = &d->memory[0];
	struct findings *f = &d->findings;
	uint8_t b[WINDOW_BEFORE + MEMORY_PAGE + WINDOW_AFTER];
	uint32_t from = offset >= WINDOW_BEFORE ? offset - WINDOW_BEFORE : 0;
	uint32_t to = offset + MEMORY_PAGE + WINDOW_AFTER;
	const uint8_t *page, *end;

	if (to > m->chip->size)
		to = m->chip->size;
	memset(b, 0xFF, sizeof(b));
	memory_read(m, from, b, to - from);
	page = b + (offset - from);
	end = page + MEMORY_PAGE;
	for (const uint8_t *p = page; p < end; p += 4) {
		if (p[4] != 0 || p[0] < '0' || p[0] > 'Z')
			continue;
		if (!is_record(p, 30) && !is_record(p, 20))
			continue;
		f->types++;
		if (memcmp(p, type, 4) != 0)
			continue;
		f->fits = true;
		copy_text(f->type_text, sizeof(f->type_text), (const char *)p + 5);
	}
	for (const uint8_t *p = page; (p = memchr(p, 0, (size_t)(end - p))) != NULL; p++)
		if (is_revision(p + 1))
			take_version(f, p, (size_t)(p - b),
				     m->chip->base + from + (uint32_t)(p - b));
}

/* SPEC: doc/firmware.md 4: u16, two bytes apart the u32, production flag, modified flag. */
static void
scan_modified(struct drone *d, uint32_t offset, uint32_t high, uint16_t low)
{
	uint8_t b[MEMORY_PAGE + 16];
	const struct memory *m = &d->memory[0];
	uint32_t n = sizeof(b);

	if (n > m->chip->size - offset)
		n = m->chip->size - offset;
	memory_read(m, offset, b, n);
	for (uint32_t i = 0; i + 10 <= n; i += 4)
		if (get_le32(b + i + 4) == high && get_le16(b + i) == low && b[i + 9] <= 1) {
			d->findings.modified = b[i + 9];
			d->findings.modified_known = true;
			return;
		}
}

static void
scan_revision(struct drone *d, uint32_t first)
{
	uint64_t value = 0;

	for (const char *p = d->findings.revision; *p != '\0'; p++)
		value = value << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
	for (uint32_t at = first; at < d->memory[0].chip->size; at += MEMORY_PAGE)
		if (!d->findings.modified_known && !memory_page_is_blank(&d->memory[0], at))
			scan_modified(d, at, (uint32_t)(value >> 16), (uint16_t)value);
}

const struct findings *
boot_look(struct drone *d)
{
	const struct memory *m = &d->memory[0];
	uint32_t app = d->chip->application_addr, end = m->chip->base + m->chip->size;
	uint32_t first = (app - m->chip->base) & ~(uint32_t)(MEMORY_PAGE - 1);
	char type[5];

	if (d->findings.valid)
		return &d->findings;
	memset(&d->findings, 0, sizeof(d->findings));
	d->findings.valid = true;
	d->findings.blank = word_at(m, app) == 0xFFFFFFFF;
	if (d->findings.blank)
		return &d->findings;
	d->findings.vectors_ok = vectors_are_plausible(d, app, app, end);
	boot_otp_type(d, type);
	for (uint32_t at = first; at < m->chip->size; at += MEMORY_PAGE)
		if (!memory_page_is_blank(m, at))
			scan_page(d, at, type);
	for (uint32_t at = first; at < m->chip->size; at += MEMORY_PAGE)
		if (!memory_page_is_blank(m, at) && scan_marks(d, at))
			break;
	if (d->findings.revision[0] != '\0')
		scan_revision(d, first);
	return &d->findings;
}

/* ---- decisions ---- */

static bool
application_starts(struct drone *d)
{
	const struct findings *f = boot_look(d);

	if (f->blank || !f->vectors_ok)
		return false;
	if (d->config.model != DRONE_CRAZYFLIE || d->config.boots_anything)
		return true;
	/* SPEC: doc/protocol.md 9.4: the wrong platform stops before USB is started. */
	return f->fits;
}

bool
drone_would_boot(struct drone *d, uint64_t now_us)
{
	rom_settle(d, now_us);
	return application_starts(d);
}

static bool
loader_is_there(const struct drone *d)
{
	return vectors_are_plausible(d, LOADER_ADDR, LOADER_ADDR, 0x08004000);
}

/*
 * Not a Crazyflie: the application has no USB; the resident loader shows up when there is no
 * application.
 */
static enum drone_personality
decide_other(struct drone *d, enum boot_via via)
{
	switch (d->config.model) {
	case DRONE_OTHER_VCP:
		return DRONE_RUNTIME;
	case DRONE_OTHER_DFU:
		return DRONE_ROM;
	case DRONE_F10X_MEDIUM:
	case DRONE_F10X_HIGH:
	case DRONE_EVAL:
	case DRONE_CRAZYFLIE:
	case DRONE_MODEL_COUNT:
		break;
	}
	(void)via;
	return application_starts(d) ? DRONE_OFF : DRONE_ROM;
}

enum drone_personality
boot_decide(struct drone *d, enum boot_via via, uint32_t addr, bool by_button)
{
	uint32_t app = d->chip->application_addr;

	if (d->config.model != DRONE_CRAZYFLIE)
		return decide_other(d, via);
	if (via == BOOT_JUMP && addr == app && application_starts(d)) {
		/* SPEC: doc/protocol.md 3.6: after button entry VTOR is not the application's. */
		return by_button && !d->config.button_boots ? DRONE_OFF : DRONE_RUNTIME;
	}
	if (via == BOOT_JUMP && addr == app && boot_look(d)->vectors_ok)
		return DRONE_OFF; /* runs, finds the wrong platform, stops */
	if (via == BOOT_JUMP && addr == LOADER_ADDR && loader_is_there(d) && by_button &&
	    d->config.button_boots)
		return application_starts(d) ? DRONE_RUNTIME : DRONE_OFF;
	/* Through a reset, or cf2loader looking at the pins: BOOT0 high leads to the ROM again. */
	if (by_button)
		return DRONE_ROM;
	if (!loader_is_there(d))
		return DRONE_OFF;
	return application_starts(d) ? DRONE_RUNTIME : DRONE_OFF;
}

const char *
drone_version(struct drone *d, uint64_t now_us)
{
	rom_settle(d, now_us);
	copy_text(d->cached_version, sizeof(d->cached_version),
		  d->config.version[0] != '\0' ? d->config.version : boot_look(d)->version);
	return d->cached_version;
}
