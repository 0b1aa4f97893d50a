/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/plan_parts.h"

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	image_unref(p->image);
	free(p->parts);
	free(p);
}

/* ---- building ------------------------------------------------------------------------------- */

/* Does its number in the map have its bit among those that cannot be written? */
static bool
is_write_protected(const struct plan *p, const struct layout *map, const struct sector *sector,
		   uint8_t alt)
{
	uint32_t left = alt == 0 ? p->options.write_protected : 0;
	struct sector s;
	bool more = left != 0 && layout_sector_at(map, map->runs[0].addr, &s);

	for (; more && s.addr != sector->addr && left != 0; left >>= 1)
		more = layout_next_sector(map, &s, &s);
	return more && (left & 1) != 0;
}

static int
add_part(struct plan *p, const struct segment *s, size_t segment, const struct layout *map,
	 const struct sector *sector)
{
	uint32_t from = s->addr > sector->addr ? s->addr : sector->addr;
	uint32_t end = sector->addr + (sector->size - 1);
	uint32_t last = s->addr + (s->size - 1);
	struct part *part = p->count > 0 ? &p->parts[p->count - 1] : NULL;

	last = last < end ? last : end;
	if (part != NULL && part->alt == s->alt && part->addr == sector->addr) {
		part->to = last + 1;
		return 0;
	}
	if (p->count == PLAN_SECTORS_MAX)
		return -E2BIG;
	if (p->count == p->room) {
		size_t room = p->room > 0 ? p->room * 2 : 16;
		struct part *parts = realloc(p->parts, room * sizeof(*parts));

		if (parts == NULL)
			return -ENOMEM;
		p->parts = parts;
		p->room = room;
	}
	p->parts[p->count++] =
	    (struct part){ .addr = sector->addr,
			   .size = sector->size,
			   .from = from,
			   .to = last + 1,
			   .first_segment = segment,
			   .alt = s->alt,
			   .write_protected = is_write_protected(p, map, sector, s->alt) };
	return 0;
}

static bool
is_protected(const struct device *profile, const struct sector *s)
{
	struct device_range range;

	return device_protects(profile, s->addr, s->addr + (s->size - 1), &range);
}

static int
add_segment(struct plan *p, const struct device *profile, const struct layout *map, size_t index,
	    const char **why)
{
	const struct segment *s = image_segment(p->image, index);
	struct sector sector;
	uint32_t done = 0;
	int r;

	while (done < s->size) {
		if (!layout_sector_at(map, s->addr + done, &sector)) {
			*why = "part of the image lies outside the device's memory";
			return -EPERM;
		}
		if (s->alt == 0 && is_protected(profile, &sector)) {
			*why = "part of the image lies in the boot loader's sector";
			return -EPERM;
		}
		if (s->alt == 0 && sector.addr < profile->app_addr) {
			*why =
			    "part of the image lies below the place where the application begins";
			return -EPERM;
		}
		if ((sector.addr | sector.size) % 2 != 0) {
			*why = "part of the image lies in a sector of an odd size or place";
			return -EPERM;
		}
		if ((sector.access & 7) != 7) {
			*why = "part of the image lies in a sector that the device does not let us "
			       "read, erase and write";
			return -EPERM;
		}
		r = add_part(p, s, index, map, &sector);
		if (r < 0)
			return r;
		done = sector.addr + sector.size - s->addr;
		if (sector.addr + sector.size < s->addr)
			break; /* the sector ends at 2^32: nothing can follow */
	}
	return 0;
}

/* The page whose presence makes the image bootable: the block at the application's base. */
static void
find_first_page(struct plan *p, const struct device *profile)
{
	p->boot = p->count;
	for (size_t i = 0; i < p->count; i++) {
		struct part *part = &p->parts[i];
		uint32_t room = part->to - profile->app_addr;

		if (part->alt != 0 || part->from != profile->app_addr)
			continue;
		p->boot = i;
		p->page_addr = profile->app_addr;
		p->page_to =
		    part->from + (room < p->options.block_bytes ? room : p->options.block_bytes);
	}
}

static void start_phase(struct plan *p, enum plan_phase phase);
static void settle(struct plan *p);

static int
build(struct plan *p, const struct device *profile, const struct layout *const maps[],
      const char **why)
{
	int r;

	for (size_t i = 0; i < image_segment_count(p->image); i++) {
		const struct segment *s = image_segment(p->image, i);

		if (s->alt >= DEVICE_ALTS_MAX || maps[s->alt] == NULL) {
			*why = "the image has a part for a memory that the device does not have";
			return -EPERM;
		}
		if (profile->family && s->alt != 0) {
			*why = "only the internal flash of a Crazyflie may be written";
			return -EPERM;
		}
		r = add_segment(p, profile, maps[s->alt], i, why);
		if (r < 0)
			return r;
	}
	find_first_page(p, profile);
	if (profile->family && p->boot == p->count) {
		*why = "the image does not begin where the application has to begin";
		return -EPERM;
	}
	return 0;
}

int
plan_new(struct image *image, const struct device *profile,
	 const struct layout *const maps[DEVICE_ALTS_MAX], const struct plan_options *options,
	 struct plan **ret_plan, const char **ret_why)
{
	struct plan *p = calloc(1, sizeof(*p));
	const char *why = "out of memory";
	int r = -ENOMEM;

	if (p == NULL)
		goto out;
	p->image = image_ref(image);
	p->options = *options;
	r = build(p, profile, maps, &why);
	if (r < 0)
		goto out;
	for (size_t i = 0; i < p->count; i++)
		p->parts[i].todo = TODO_COMPARE;
	p->end = p->count;
	start_phase(p, PLAN_COMPARE);
	if (!options->compare) {
		for (size_t i = 0; i < p->count; i++) {
			p->parts[i].todo = 0;
			p->parts[i].content = CONTENT_OTHER;
		}
		settle(p);
	}
	*ret_plan = p;
	p = NULL; /* the caller's now */
out:
	if (r < 0)
		*ret_why = why;
	plan_free(p);
	return r;
}

/* ---- walking -------------------------------------------------------------------------------- */

static unsigned
todo_of_phase(enum plan_phase phase)
{
	switch (phase) { /* NEVER: another value */
	case PLAN_COMPARE:
		return TODO_COMPARE;
	case PLAN_ERASE:
		return TODO_ERASE;
	case PLAN_WRITE:
		return TODO_WRITE;
	case PLAN_VERIFY:
		return TODO_VERIFY;
	case PLAN_PAGE:
	case PLAN_PAGE_CHECK:
	case PLAN_DONE:
	case PLAN_FAILED:
	case PLAN_PHASE_COUNT:
		break;
	}
	return 0;
}

static uint32_t
first_pos(const struct plan *p, size_t i)
{
	/* WHY: the first page is written and checked by phases of its own. */
	if (i == p->boot && (p->phase == PLAN_WRITE || p->phase == PLAN_VERIFY))
		return p->page_to;
	return p->parts[i].from;
}

static bool
boot_is_here(const struct plan *p)
{
	return p->boot >= p->first && p->boot < p->end;
}

/* The part the phase begins with: an erase begins with what makes the image bootable. */
static size_t
first_part(const struct plan *p)
{
	unsigned todo = todo_of_phase(p->phase);

	if (p->phase == PLAN_ERASE && boot_is_here(p) && (p->parts[p->boot].todo & todo) != 0)
		return p->boot;
	for (size_t i = p->first; i < p->end; i++)
		if ((p->parts[i].todo & todo) != 0)
			return i;
	return p->count;
}

/* Moves to the first part that this phase has to do with; later phases when there is none. */
static void
start_phase(struct plan *p, enum plan_phase phase)
{
	p->phase = phase;
	if (phase == PLAN_PAGE || phase == PLAN_PAGE_CHECK) {
		p->at = p->boot;
		p->pos = p->page_addr;
		return;
	}
	p->at = first_part(p);
	p->pos = p->at < p->count ? first_pos(p, p->at) : 0;
}

static void
enter_memory(struct plan *p, size_t first)
{
	p->first = p->end = first;
	while (p->end < p->count && p->parts[p->end].alt == p->parts[first].alt)
		p->end++;
	start_phase(p, PLAN_ERASE);
}

/* This memory is verified, but for its first page: that page, the next memory, or the end. */
static void
memory_done(struct plan *p)
{
	if (boot_is_here(p) && plan_page_is_due(p))
		start_phase(p, PLAN_PAGE);
	else if (p->end < p->count)
		enter_memory(p, p->end);
	else
		start_phase(p, PLAN_DONE);
}

/* The phase has nothing left: which one is next? */
static void
next_phase(struct plan *p)
{
	while (p->at == p->count) {
		switch (p->phase) { /* NEVER: another value */
		case PLAN_COMPARE:
			settle(p);
			return;
		case PLAN_ERASE:
			start_phase(p, PLAN_WRITE);
			break;
		case PLAN_WRITE:
			start_phase(p, PLAN_VERIFY);
			break;
		case PLAN_VERIFY:
			memory_done(p);
			break;
		case PLAN_PAGE:
		case PLAN_PAGE_CHECK:
		case PLAN_DONE:
		case PLAN_FAILED:
		case PLAN_PHASE_COUNT:
			return;
		}
	}
}

/* INVARIANT: what cannot be finished is not begun: nothing has been erased when this is found. */
static bool
is_refused(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->parts[i].todo == 0 || !p->parts[i].write_protected)
			continue;
		p->wrong_addr = p->parts[i].addr;
		p->failure = PLAN_FAILURE_PROTECTED;
		p->phase = PLAN_FAILED;
		return true;
	}
	return false;
}

/* Everything was compared: what has to be done? */
static void
settle(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		bool differs = p->parts[i].content != CONTENT_EQUAL;

		p->changed = p->changed || differs;
		if (p->boot < p->count && p->parts[i].alt == p->parts[p->boot].alt)
			p->boot_changed = p->boot_changed || differs;
	}
	for (size_t i = 0; i < p->count && p->changed; i++) {
		struct part *part = &p->parts[i];

		/* WHY: the boot sector goes first and comes back last whenever its memory changes.
		 */
		if (part->content == CONTENT_EQUAL && (i != p->boot || !p->boot_changed))
			continue;
		part->todo = TODO_WRITE | TODO_VERIFY;
		if (part->content != CONTENT_BLANK || !p->options.trust_blank)
			part->todo |= TODO_ERASE;
	}
	if (!p->changed) {
		start_phase(p, PLAN_DONE);
		return;
	}
	if (is_refused(p))
		return;
	enter_memory(p, 0);
	next_phase(p);
}

/* This part is through with the phase. */
static void
part_done(struct plan *p)
{
	p->parts[p->at].todo &= (uint8_t)~todo_of_phase(p->phase);
	p->at = first_part(p);
	p->pos = p->at < p->count ? first_pos(p, p->at) : 0;
	next_phase(p);
}

/* The segment that covers pos, or the next one after it inside the part. */
static const struct segment *
segment_at(const struct plan *p, const struct part *part, uint32_t *pos)
{
	size_t i = part->first_segment;
	const struct segment *s = image_segment(p->image, i);

	/* INVARIANT: a part ends with a byte of the image, so there is one. */
	while (*pos >= s->addr && *pos - s->addr >= s->size)
		s = image_segment(p->image, ++i);
	if (*pos < s->addr)
		*pos = s->addr;
	return s;
}

/* Next stretch of image bytes in the part from pos on: in one segment, at most one block. */
static bool
next_stretch(struct plan *p, struct plan_op *op)
{
	const struct part *part = &p->parts[p->at];
	uint32_t limit =
	    p->phase == PLAN_PAGE || p->phase == PLAN_PAGE_CHECK ? p->page_to : part->to;
	const struct segment *s;
	uint32_t room;

	if (p->pos == limit)
		return false;
	s = segment_at(p, part, &p->pos);
	if (p->pos - part->addr >= limit - part->addr)
		return false;
	room = s->addr + s->size - p->pos;
	if (room > limit - p->pos)
		room = limit - p->pos;
	if (room > p->options.block_bytes)
		room = p->options.block_bytes;
	/* WHY: what begins at an odd address is written from the byte before it (flash.c). */
	if (p->pos % 2 != 0 && room == p->options.block_bytes)
		room--;
	*op = (struct plan_op){ .alt = part->alt,
				.addr = p->pos,
				.length = room,
				.data = s->data + (p->pos - s->addr) };
	return true;
}

bool
plan_next(struct plan *p, struct plan_op *ret_op)
{
	const struct part *part;

	while (p->phase != PLAN_DONE && p->phase != PLAN_FAILED) {
		part = &p->parts[p->at];
		if (p->phase == PLAN_ERASE) {
			*ret_op = (struct plan_op){ .kind = PLAN_OP_ERASE,
						    .alt = part->alt,
						    .addr = part->addr,
						    .length = part->size };
			return true;
		}
		if (next_stretch(p, ret_op)) {
			bool program = p->phase == PLAN_WRITE || p->phase == PLAN_PAGE;

			ret_op->kind = program ? PLAN_OP_PROGRAM : PLAN_OP_READ;
			return true;
		}
		/* Only a boot sector of a single page has nothing but that page. */
		part_done(p);
	}
	return false;
}

/* ---- results -------------------------------------------------------------------------------- */

static void
advance(struct plan *p, uint32_t length)
{
	struct plan_op op;

	p->pos += length;
	if (!next_stretch(p, &op))
		part_done(p);
}

void
plan_erased(struct plan *p)
{
	assert(p->phase == PLAN_ERASE);
	part_done(p);
}

void
plan_programmed(struct plan *p)
{
	struct plan_op op;

	assert(p->phase == PLAN_WRITE || p->phase == PLAN_PAGE);
	if (!plan_next(p, &op)) /* NEVER: what is reported was named by this call */
		return;
	if (p->phase == PLAN_WRITE) {
		advance(p, op.length);
		return;
	}
	p->pos += op.length;
	if (!next_stretch(p, &op))
		start_phase(p, PLAN_PAGE_CHECK);
}

/* FNV-1a: it tells whether a block changed at all, of which some million bits had to. */
static uint32_t
sum_of(const uint8_t *data, uint32_t length)
{
	uint32_t sum = 2166136261U;

	for (uint32_t i = 0; i < length; i++)
		sum = (sum ^ data[i]) * 16777619U;
	return sum;
}

/* INVARIANT: decided a sector at a time; equal or blank needs every byte, a difference only one. */
static void
compared(struct plan *p, const struct plan_op *op, const uint8_t *data)
{
	struct part *part = &p->parts[p->at];

	if (p->pos == part->from)
		part->all_equal = part->all_blank = true;
	part->all_equal = part->all_equal && memcmp(data, op->data, op->length) == 0;
	for (uint32_t i = 0; i < op->length && part->all_blank; i++)
		part->all_blank = data[i] == 0xFF;
	/* WHY: an image may be blank where the flash is; then it is equal. */
	part->content = part->all_equal	  ? CONTENT_EQUAL
			: part->all_blank ? CONTENT_BLANK
					  : CONTENT_OTHER;
	if (part->content == CONTENT_OTHER) {
		part->old_addr = op->addr;
		part->old_length = op->length;
		part->old_check = sum_of(data, op->length);
	}
	/* WHY one block more of the first page's sector: what is verified of it begins behind that
	 * page, and a sector that cannot be written is known by what it held there. */
	if (part->content == CONTENT_OTHER && (p->at != p->boot || op->addr >= p->page_to))
		part_done(p);
	else
		advance(p, op->length);
}

static uint32_t
first_difference(const struct plan_op *op, const uint8_t *data)
{
	uint32_t i = 0;

	while (i < op->length && data[i] == op->data[i])
		i++;
	return i;
}

/* Erase and write the sector once more; a second time it is the device's fault. */
static void
sector_is_wrong(struct plan *p, uint32_t addr, const struct plan_op *op, const uint8_t *data)
{
	struct part *part = &p->parts[p->at];
	bool same = part->old_length == op->length && part->old_addr == op->addr &&
		    part->old_check == sum_of(data, op->length);

	p->wrong_addr = addr;
	p->failure = same && (part->untouched || !part->repaired) ? PLAN_FAILURE_UNTOUCHED
								  : PLAN_FAILURE_READ_BACK;
	part->untouched = same;
	if (part->repaired) {
		p->phase = PLAN_FAILED;
		return;
	}
	part->repaired = true;
	p->repairs++;
	part->todo = TODO_ERASE | TODO_WRITE | TODO_VERIFY;
	start_phase(p, PLAN_ERASE);
}

void
plan_read_back(struct plan *p, const uint8_t *data, uint32_t length)
{
	struct plan_op op;
	uint32_t bad;

	assert(p->phase == PLAN_COMPARE || p->phase == PLAN_VERIFY || p->phase == PLAN_PAGE_CHECK);
	if (!plan_next(p, &op)) /* NEVER: what is reported was named by this call */
		return;
	assert(length == op.length);
	if (p->phase == PLAN_COMPARE) {
		compared(p, &op, data);
		return;
	}
	bad = first_difference(&op, data);
	if (bad < op.length) {
		sector_is_wrong(p, op.addr + bad, &op, data);
		return;
	}
	if (p->phase == PLAN_VERIFY) {
		advance(p, op.length);
		return;
	}
	p->pos += op.length;
	if (next_stretch(p, &op))
		return;
	p->page_done = true;
	memory_done(p);
	next_phase(p);
}
