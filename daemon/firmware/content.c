/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/content.h"

#include <errno.h>
#include <stdlib.h>

#include "core/platform.h"
#include "firmware/content_end.h"
#include "firmware/content_text.h"

#define FLASH_ADDR 0x08000000U
#define FLASH_BYTES 0x00100000U
#define RAM_ADDR 0x20000000U
#define RAM_BYTES 0x00020000U
#define CCM_ADDR 0x10000000U
#define CCM_BYTES 0x00010000U

#define BUILD_STACK 0x2001FFFFU /* doc/firmware.md 2: always, and odd as no other firmware's */
#define VECTOR_WORDS 98
#define SYSTEM_VECTOR_WORDS 16
#define BRANCH_TO_SELF 0xE7FE
#define DEFAULT_COUNT_MIN 20 /* doc/firmware.md 2: 52-58 in applications, 89 in loaders */
#define BASE_STEP 0x400U

#define TYPE_BYTES 5
#define SENSORS_MAX 16
#define NAME_MIN 4

/* The two record forms: since 2022.09, and before. */
static const struct {
	uint32_t bytes, name_bytes;
} forms[] = { { 44, 30 }, { 32, 20 } };

struct view {
	const uint8_t *data;
	size_t size;
	uint32_t addr;
};

static bool
is_inside(const struct view *v, uint32_t addr)
{
	return addr >= v->addr && addr - v->addr < v->size;
}

static bool
is_between(uint32_t addr, uint32_t first, uint32_t bytes)
{
	return addr >= first && addr - first < bytes;
}

static void
read_vectors(const struct view *v, struct content *c)
{
	size_t words = v->size / 4 < VECTOR_WORDS ? v->size / 4 : VECTOR_WORDS;

	c->vectors = words >= 2;
	if (!c->vectors)
		return;
	c->initial_sp = get_le32(v->data);
	c->reset = get_le32(v->data + 4);
	for (size_t i = 1; i < words; i++) {
		uint32_t handler = get_le32(v->data + 4 * i);
		unsigned count = 0;

		if (handler == 0)
			continue;
		if (!is_inside(v, handler & ~1U)) {
			c->handlers_outside++;
			c->system_outside += i > 1 && i < SYSTEM_VECTOR_WORDS;
		}
		for (size_t k = i; k < words; k++)
			count += get_le32(v->data + 4 * k) == handler;
		if (words == VECTOR_WORDS && handler % 2 == 1 && count > c->default_count) {
			c->default_count = count;
			c->default_handler = handler;
		}
	}
}

/* Does the default handler branch to itself, were the image linked at base? */
static bool
loops_at(const struct view *v, const struct content *c, uint32_t base)
{
	uint32_t handler = c->default_handler & ~1U, at = handler - base;

	return c->default_count >= DEFAULT_COUNT_MIN && handler >= base && at < v->size &&
	       v->size - at >= 2 && get_le16(v->data + at) == BRANCH_TO_SELF;
}

/* Where a sector of an STM32F405 begins, or an application behind ST's loader for the STM32F10x. */
static bool
is_usual_base(uint32_t base)
{
	uint32_t at = base - FLASH_ADDR;

	return at < 0x10000 ? at % 0x4000 == 0 || at == 0x3000 : at == 0x10000 || at % 0x20000 == 0;
}

/*
 * Another base that a witness speaks for; 0 when there is none (0 is no flash address).
 * WHY the difference: the loop alone hits once in some ten thousand places by chance, so away from
 * sector starts the trailer has to agree.
 */
static uint32_t
find_other_base(const struct view *v, const struct content *c)
{
	uint32_t found = 0;

	for (uint32_t base = FLASH_ADDR; base < FLASH_ADDR + FLASH_BYTES; base += BASE_STEP) {
		bool loops = loops_at(v, c, base), trailer;

		if (base == v->addr || (!loops && c->trailer == CONTENT_UNKNOWN))
			continue;
		trailer = content_trailer_fits(v->data, v->size, base);
		if (trailer)
			return base;
		if (loops && found == 0 && is_usual_base(base))
			found = base;
	}
	return found;
}

static void
decide_base(const struct view *v, struct content *c)
{
	if (content_has_trailer(v->data, v->size))
		c->trailer =
		    content_trailer_fits(v->data, v->size, v->addr) ? CONTENT_YES : CONTENT_NO;
	if (loops_at(v, c, v->addr) || c->trailer == CONTENT_YES) {
		c->base = CONTENT_BASE_RIGHT;
		c->linked_at = v->addr;
		return;
	}
	c->linked_at = find_other_base(v, c);
	if (c->linked_at != 0)
		c->base = CONTENT_BASE_WRONG;
}

static bool
is_type(const uint8_t *p)
{
	for (int i = 0; i < TYPE_BYTES - 1; i++)
		if (!(p[i] >= 'A' && p[i] <= 'Z') && !(p[i] >= '0' && p[i] <= '9'))
			return false;
	return p[TYPE_BYTES - 1] == '\0';
}

/* Text, then NUL up to the end of the field. */
static bool
is_name(const uint8_t *p, size_t bytes)
{
	size_t n = 0;

	while (n < bytes && p[n] >= 0x20 && p[n] < 0x7F)
		n++;
	if (n < NAME_MIN || n == bytes)
		return false;
	while (n < bytes && p[n] == '\0')
		n++;
	return n == bytes;
}

/* doc/firmware.md 3: sensor number, flag, padding, pointer. */
static bool
is_record(const struct view *v, size_t at, size_t form)
{
	const uint8_t *p = v->data + at, *end = p + forms[form].bytes;
	const uint8_t *after = p + TYPE_BYTES + forms[form].name_bytes;
	uint32_t pointer;

	if (v->size - at < forms[form].bytes || !is_type(p) ||
	    !is_name(p + TYPE_BYTES, forms[form].name_bytes))
		return false;
	if (after[0] >= SENSORS_MAX || after[1] > 1)
		return false;
	for (const uint8_t *pad = after + 2; pad < end - 4; pad++)
		if (*pad != 0)
			return false;
	pointer = get_le32(end - 4);
	return is_between(pointer, RAM_ADDR, RAM_BYTES) ||
	       is_between(pointer, CCM_ADDR, CCM_BYTES) || is_inside(v, pointer);
}

static void
add_record(const struct view *v, size_t at, struct content *c)
{
	const char *p = (const char *)v->data + at;
	struct content_record *r = &c->records[c->record_count];

	if (c->record_count == CONTENT_RECORDS_MAX)
		return;
	copy_text(r->type, sizeof(r->type), p);
	copy_text(r->name, sizeof(r->name), p + TYPE_BYTES);
	r->addr = v->addr + (uint32_t)at;
	r->platforms = platforms_of_table_entry(r->type, r->name);
	c->platforms |= r->platforms;
	c->record_count++;
}

static void
find_records(const struct view *v, struct content *c)
{
	size_t at = -v->addr % 4;

	while (at + forms[1].bytes <= v->size) {
		size_t form = 0;

		while (form < ARRAY_LEN(forms) && !is_record(v, at, form))
			form++;
		if (form == ARRAY_LEN(forms)) {
			at += 4;
			continue;
		}
		add_record(v, at, c);
		c->new_records = form == 0;
		at += forms[form].bytes;
	}
}

/* doc/firmware.md 6: the twelve sector addresses, and six bytes just before them. */
static bool
has_loader_tables(const struct view *v)
{
	static const uint8_t telling[] = { 0x04, 0x10, 0x01, 0x40, 0x07, 0x80 };
	uint8_t table[48];
	uint32_t sector = FLASH_ADDR;
	const uint8_t *found, *near;

	for (unsigned i = 0; i < 12; i++) {
		put_le32(table + 4 * i, sector);
		sector += i < 4 ? 0x4000 : i == 4 ? 0x10000 : 0x20000;
	}
	found = memmem(v->data, v->size, table, sizeof(table));
	if (found == NULL)
		return false;
	near = found - v->data > 16 ? found - 16 : v->data;
	return memmem(near, (size_t)(found - near), telling, sizeof(telling)) != NULL;
}

void
content_read_bytes(const uint8_t *data, size_t size, uint32_t addr, struct content *ret_content)
{
	struct view v = { .data = data, .size = size, .addr = addr };
	struct content *c = ret_content;

	memset(c, 0, sizeof(*c));
	if (size == 0)
		return;
	c->addr = addr;
	c->size = (uint32_t)size;
	read_vectors(&v, c);
	decide_base(&v, c);
	find_records(&v, c);
	c->loader = has_loader_tables(&v);
	content_find_end(data, size, c);
	if (c->end.mark != 0)
		c->trailer = CONTENT_YES; /* also where the file goes on behind it */
	content_find_version(data, c->end.mark != 0 ? c->end.mark - addr : size, c);
	c->bitcraze = (c->vectors && c->initial_sp == BUILD_STACK) || c->record_count > 0 ||
		      (c->version[0] != '\0' && c->revision[0] != '\0');
}

/* The part of s that lies in internal flash: its size, 0 when none; it begins at *ret_addr. */
static uint32_t
in_flash(const struct segment *s, uint32_t *ret_addr)
{
	uint64_t end = (uint64_t)s->addr + s->size, flash_end = (uint64_t)FLASH_ADDR + FLASH_BYTES;
	uint32_t first = s->addr > FLASH_ADDR ? s->addr : FLASH_ADDR;

	if (end > flash_end)
		end = flash_end;
	*ret_addr = first;
	return s->alt == 0 && end > first ? (uint32_t)(end - first) : 0;
}

int
content_read(const struct segment *segments, size_t count, struct content *ret_content)
{
	uint32_t first = UINT32_MAX, last = 0, addr;
	size_t pieces = 0, only = 0;
	uint8_t *flat;

	for (size_t i = 0; i < count; i++) {
		uint32_t size = in_flash(&segments[i], &addr);

		if (size == 0)
			continue;
		pieces++;
		only = i;
		first = addr < first ? addr : first;
		last = addr + (size - 1) > last ? addr + (size - 1) : last;
	}
	if (pieces <= 1) {
		const uint8_t *data = pieces == 1 ? segments[only].data : NULL;

		if (data != NULL)
			data += first - segments[only].addr;
		content_read_bytes(data, pieces == 1 ? (size_t)(last - first) + 1 : 0, first,
				   ret_content);
		return 0;
	}
	flat = malloc((size_t)(last - first) + 1);
	if (flat == NULL)
		return -ENOMEM;
	memset(flat, 0xFF, (size_t)(last - first) + 1);
	for (size_t i = 0; i < count; i++) {
		uint32_t size = in_flash(&segments[i], &addr);

		if (size > 0)
			memcpy(flat + (addr - first), segments[i].data + (addr - segments[i].addr),
			       size);
	}
	content_read_bytes(flat, (size_t)(last - first) + 1, first, ret_content);
	content_find_gap(segments, count, ret_content);
	free(flat);
	return 0;
}

static unsigned
narrow_by(unsigned platforms, enum platform word)
{
	if (word == PLATFORM_UNKNOWN)
		return platforms;
	return platforms == 0 || (platforms & BIT(word)) != 0 ? BIT(word) : platforms;
}

unsigned
content_narrow(unsigned content, enum platform manifest, enum platform user_platform)
{
	return narrow_by(narrow_by(content, manifest), user_platform);
}
