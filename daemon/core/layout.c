/* SPDX-License-Identifier: MIT */
/*
 * Reads the memory-layout strings of DfuSe devices and answers questions about sectors.
 * SPEC: UM0424 section 4.3.2:
 *   '@' name '/' 0xADDR '/' run {',' run} { '/' 0xADDR '/' run {',' run} }
 *   run = count '*' size multiplier type
 */
#include "config.h"

#include "cfdfu/layout.h"

#include <errno.h>
#include <string.h>

#define ADDRESS_SPACE ((uint64_t)1 << 32)

/* The text being read, the first thing wrong with it, and what is known so far. */
struct reader {
	const char *text;
	size_t length;
	size_t at;
	const char *why;
	uint64_t addr;	       /* where the next run begins */
	uint32_t sector_count; /* of all runs so far */
	bool device_feature;
	struct layout layout;
};

static bool
fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* The character at hand; NUL at the end, which no text contains (see cut_tail). */
static char
peek(const struct reader *r)
{
	return r->at < r->length ? r->text[r->at] : '\0';
}

static bool
take(struct reader *r, char wanted)
{
	if (peek(r) != wanted)
		return false;
	r->at++;
	return true;
}

static void
skip_blanks(struct reader *r)
{
	while (take(r, ' '))
		;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Any number of digits, as long as the value fits in 32 bits. */
static bool
read_number(struct reader *r, unsigned base, uint32_t *ret_value)
{
	uint64_t value = 0;
	size_t begin = r->at;

	for (; (unsigned)digit_value(peek(r)) < base; r->at++) {
		value = value * base + (unsigned)digit_value(peek(r));
		if (value > UINT32_MAX)
			return fail(r, "a number does not fit in 32 bits");
	}
	if (r->at == begin)
		return fail(r, "a number is missing");
	*ret_value = (uint32_t)value;
	return true;
}

/* QUIRK: F405 writes a blank for bytes ("01*016 e"), others write nothing at all ("01*016e"). */
static uint32_t
read_multiplier(struct reader *r)
{
	if (take(r, 'K'))
		return 1024;
	if (take(r, 'M'))
		return 1024 * 1024;
	if (!take(r, 'B'))
		skip_blanks(r);
	return 1;
}

static bool
read_access(struct reader *r, unsigned *ret_access)
{
	char c = peek(r);
	bool known = c >= 'a' && c <= 'g';

	if (known)
		r->at++;
	/* QUIRK: whatever is written there, F4 parts read and write this one (dfu-util does the
	 * same). */
	if (r->device_feature)
		*ret_access = LAYOUT_READABLE | LAYOUT_WRITABLE;
	else if (known)
		*ret_access = (unsigned)c & 7;
	else
		return fail(r, "the access letter (a to g) is missing");
	return true;
}

static bool
add_run(struct reader *r, uint32_t count, uint64_t sector_bytes, unsigned access)
{
	if (count == 0)
		return fail(r, "a run of no sectors");
	if (sector_bytes == 0)
		return fail(r, "sectors of no bytes");
	if (count > LAYOUT_SECTORS_MAX - r->sector_count)
		return fail(r, "more sectors than any memory has");
	if (sector_bytes > (ADDRESS_SPACE - r->addr) / count)
		return fail(r, "sectors reach beyond the end of the address space");
	if (r->layout.run_count == LAYOUT_RUNS_MAX)
		return fail(r, "more runs of sectors than any memory has");
	r->layout.runs[r->layout.run_count++] = (struct layout_run){
		.addr = (uint32_t)r->addr,
		.count = count,
		.sector_bytes = (uint32_t)sector_bytes,
		.access = access,
	};
	r->sector_count += count;
	r->addr += count * sector_bytes;
	return true;
}

static bool
read_run(struct reader *r)
{
	uint32_t count, size, multiplier;
	unsigned access;
	size_t begin;

	skip_blanks(r);
	begin = r->at;
	if (!read_number(r, 10, &count))
		return false;
	if (!take(r, '*'))
		return fail(r, "'*' is missing between the count and the size of sectors");
	if (!read_number(r, 10, &size))
		return false;
	multiplier = read_multiplier(r);
	if (!read_access(r, &access))
		return false;
	if (!add_run(r, count, (uint64_t)size * multiplier, access)) {
		r->at = begin;
		return false;
	}
	return true;
}

static bool
read_address(struct reader *r)
{
	size_t begin = r->at;
	uint32_t addr;

	if (!take(r, '0') || (!take(r, 'x') && !take(r, 'X')))
		return fail(r, "the address does not begin with 0x");
	if (!read_number(r, 16, &addr))
		return false;
	if (addr < r->addr) {
		r->at = begin;
		return fail(r, "regions overlap or descend");
	}
	r->addr = addr;
	if (!take(r, '/'))
		return fail(r, "'/' is missing after the address");
	return true;
}

static bool
read_regions(struct reader *r)
{
	do {
		if (!take(r, '/'))
			return fail(r, "'/' is missing before an address");
		if (!read_address(r))
			return false;
		do {
			if (!read_run(r))
				return false;
		} while (take(r, ','));
	} while (r->at < r->length);
	return true;
}

static void
read_name(struct reader *r)
{
	char *name = r->layout.name;
	size_t n = 0;

	(void)take(r, '@'); /* QUIRK: not every device sends it */
	skip_blanks(r);
	for (; peek(r) != '/' && r->at < r->length; r->at++) {
		char c = peek(r);

		if (n < LAYOUT_NAME_MAX - 1)
			name[n++] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (n > 0 && name[n - 1] == ' ')
		n--;
	name[n] = '\0';
	r->device_feature = strcmp(name, "Device Feature") == 0;
}

/* QUIRK: F427 announces more characters than it has; what follows a NUL is not text. */
static size_t
cut_tail(const char *text, size_t length)
{
	const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;

	if (nul != NULL)
		length = (size_t)(nul - text);
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

int
layout_parse(const char *text, size_t length, struct layout *ret_layout, const char **ret_why,
	     size_t *ret_at)
{
	struct reader r = { .text = text };

	if (length > LAYOUT_TEXT_MAX) {
		r.at = LAYOUT_TEXT_MAX;
		(void)fail(&r, "longer than a string descriptor can be");
	} else {
		r.length = cut_tail(text, length);
		read_name(&r);
		if (read_regions(&r)) {
			*ret_layout = r.layout;
			return 0;
		}
	}
	if (ret_why != NULL)
		*ret_why = r.why;
	if (ret_at != NULL)
		*ret_at = r.at;
	return -EINVAL;
}

static uint64_t
run_end(const struct layout_run *run)
{
	return run->addr + (uint64_t)run->count * run->sector_bytes;
}

static void
get_sector(const struct layout_run *run, uint32_t nth, uint32_t first_index,
	   struct sector *ret_sector)
{
	*ret_sector = (struct sector){
		.addr = run->addr + nth * run->sector_bytes,
		.size = run->sector_bytes,
		.access = run->access,
		.index = first_index + nth,
	};
}

bool
layout_sector_at(const struct layout *l, uint32_t addr, struct sector *ret_sector)
{
	uint32_t index = 0;

	for (size_t i = 0; i < l->run_count; i++) {
		const struct layout_run *run = &l->runs[i];

		if (addr >= run->addr && addr < run_end(run)) {
			get_sector(run, (addr - run->addr) / run->sector_bytes, index, ret_sector);
			return true;
		}
		index += run->count;
	}
	return false;
}

bool
layout_next_sector(const struct layout *l, const struct sector *s, struct sector *ret_sector)
{
	uint32_t wanted = s->index + 1, index = 0;

	for (size_t i = 0; i < l->run_count; i++) {
		if (wanted - index < l->runs[i].count) {
			get_sector(&l->runs[i], wanted - index, index, ret_sector);
			return true;
		}
		index += l->runs[i].count;
	}
	return false;
}

bool
layout_covers(const struct layout *l, uint32_t addr, uint32_t length, unsigned access)
{
	uint64_t at = addr, end = at + length;

	for (size_t i = 0; i < l->run_count && at < end; i++) {
		const struct layout_run *run = &l->runs[i];

		if (run_end(run) <= at)
			continue;
		if (run->addr > at || (run->access & access) != access)
			return false;
		at = run_end(run);
	}
	return at >= end;
}

/* Where a walk over the sectors of a layout is: how many of a run's sectors are behind it. */
struct walk {
	const struct layout *layout;
	size_t run;
	uint32_t passed;
};

static bool
walk_ended(const struct walk *w)
{
	return w->run == w->layout->run_count;
}

static uint32_t
walk_left(const struct walk *w)
{
	return w->layout->runs[w->run].count - w->passed;
}

static void
walk_on(struct walk *w, uint32_t count)
{
	w->passed += count;
	if (w->passed == w->layout->runs[w->run].count) {
		w->passed = 0;
		w->run++;
	}
}

static bool
walk_same(const struct walk *a, const struct walk *b)
{
	struct sector s, t;

	get_sector(&a->layout->runs[a->run], a->passed, 0, &s);
	get_sector(&b->layout->runs[b->run], b->passed, 0, &t);
	return s.addr == t.addr && s.size == t.size && s.access == t.access;
}

bool
layout_same(const struct layout *a, const struct layout *b)
{
	struct walk wa = { .layout = a }, wb = { .layout = b };

	/* WHY: side by side, for "02*016Kg,02*016Kg" is the same memory as "04*016Kg". */
	while (!walk_ended(&wa) && !walk_ended(&wb)) {
		uint32_t step = walk_left(&wa) < walk_left(&wb) ? walk_left(&wa) : walk_left(&wb);

		if (!walk_same(&wa, &wb))
			return false;
		walk_on(&wa, step);
		walk_on(&wb, step);
	}
	return walk_ended(&wa) && walk_ended(&wb);
}
