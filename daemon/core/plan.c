/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/plan_internal.h"

static const struct {
	unsigned next;
	uint8_t todo; /* what it takes off the parts; PAGE to WORD_CHECK: the first page alone */
} phases[PLAN_PHASE_COUNT] = {
#define S(x) BIT(PLAN_##x)
	[PLAN_COMPARE] = { S(COMPARE) | S(ERASE) | S(DONE) | S(FAILED), TODO_COMPARE },
	[PLAN_ERASE] = { S(WRITE), TODO_ERASE },
	[PLAN_WRITE] = { S(VERIFY), TODO_WRITE },
	[PLAN_VERIFY] = { S(PAGE) | S(ERASE) | S(DONE) | S(FAILED), TODO_VERIFY },
	[PLAN_PAGE] = { S(PAGE_CHECK), 0 },
	[PLAN_PAGE_CHECK] = { S(WORD) | S(ERASE) | S(DONE) | S(FAILED), 0 },
	[PLAN_WORD] = { S(WORD_CHECK), 0 },
	[PLAN_WORD_CHECK] = { S(ERASE) | S(DONE) | S(FAILED), 0 },
#undef S
};

/* The only place where the phase changes. */
static void
enter(struct plan *p, enum plan_phase phase)
{
	assert((phases[p->phase].next & BIT(phase)) != 0);
	p->phase = phase;
	p->under_way = phases[phase].todo;
}

static bool
is_page_phase(enum plan_phase phase)
{
	return phase >= PLAN_PAGE && phase <= PLAN_WORD_CHECK;
}

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

/* The page whose presence makes the image bootable: the block at the application's base. */
static void
find_first_page(struct plan *p, const struct device *profile)
{
	p->boot = p->count;
	for (size_t i = 0; i < p->count; i++) {
		struct part *part = &p->parts[i];
		uint32_t room = part->is.to - profile->app_addr;

		if (part->is.alt != 0 || part->is.from != profile->app_addr)
			continue;
		p->boot = i;
		p->page_addr = profile->app_addr;
		p->page_to =
		    part->is.from + (room < p->options.block_bytes ? room : p->options.block_bytes);
		p->word_to =
		    part->is.from + (room < p->options.word_bytes ? room : p->options.word_bytes);
	}
}

static void start_phase(struct plan *p, enum plan_phase phase);
static void settle(struct plan *p);

/* Takes the sectors over.  Where none is to be looked at, all count as different. */
static int
make_parts(struct plan *p, const struct coverage *c)
{
	p->parts = calloc(c->count, sizeof(*p->parts));
	if (p->parts == NULL)
		return -ENOMEM;
	p->count = p->end = p->round_end = c->count;
	for (size_t i = 0; i < p->count; i++) {
		p->parts[i].is = c->sectors[i];
		p->parts[i].todo = p->options.compare ? TODO_COMPARE : 0;
		p->parts[i].content = p->options.compare ? CONTENT_UNKNOWN : CONTENT_OTHER;
	}
	return 0;
}

int
plan_new(struct image *image, const struct device *profile,
	 const struct layout *const maps[DEVICE_ALTS_MAX], const struct plan_options *options,
	 struct plan **ret_plan, const char **ret_why)
{
	struct coverage c = { .image = image,
			      .profile = profile,
			      .maps = maps,
			      .write_protected = options->write_protected };
	struct plan *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (p == NULL)
		goto out;
	p->image = image_ref(image);
	p->options = *options;
	r = coverage_find(&c);
	if (r == 0)
		r = make_parts(p, &c);
	if (r < 0)
		goto out;
	find_first_page(p, profile);
	if (profile->family && p->boot == p->count) {
		c.why = "the image does not begin where the application has to begin";
		r = -EPERM;
		goto out;
	}
	start_phase(p, PLAN_COMPARE);
	if (!options->compare)
		settle(p);
	*ret_plan = p;
	p = NULL; /* the caller's now */
out:
	if (r < 0)
		*ret_why = c.why != NULL ? c.why : "out of memory";
	free(c.sectors);
	plan_free(p);
	return r;
}

/* ---- walking -------------------------------------------------------------------------------- */

static uint32_t
first_pos(const struct plan *p, size_t i)
{
	/* WHY: the first page is written and checked by phases of its own. */
	if (i == p->boot && (p->phase == PLAN_WRITE || p->phase == PLAN_VERIFY))
		return p->page_to;
	return p->parts[i].is.from;
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
	unsigned todo = p->under_way;

	if (p->phase == PLAN_ERASE && boot_is_here(p) && (p->parts[p->boot].todo & todo) != 0)
		return p->boot;
	for (size_t i = p->round_first; i < p->round_end; i++)
		if ((p->parts[i].todo & todo) != 0)
			return i;
	return p->count;
}

/* Moves to the first part that this phase has to do with; later phases when there is none. */
static void
start_phase(struct plan *p, enum plan_phase phase)
{
	enter(p, phase);
	if (is_page_phase(phase)) {
		p->at = p->boot;
		p->pos = phase < PLAN_WORD ? p->word_to : p->page_addr;
		return;
	}
	p->at = first_part(p);
	p->pos = p->at < p->count ? first_pos(p, p->at) : 0;
}

/* The sectors from this one on that are erased, written and verified together. */
static void
enter_round(struct plan *p, size_t first)
{
	uint64_t bytes = 0;

	p->round_first = p->round_end = first;
	do
		bytes += p->parts[p->round_end++].is.size;
	while (p->round_end < p->end &&
	       bytes + p->parts[p->round_end].is.size <= p->options.round_bytes);
	start_phase(p, PLAN_ERASE);
}

static void
enter_memory(struct plan *p, size_t first)
{
	p->first = p->end = first;
	while (p->end < p->count && p->parts[p->end].is.alt == p->parts[first].is.alt)
		p->end++;
	enter_round(p, first);
}

static bool
is_in_doubt(const struct plan *p)
{
	for (size_t i = p->first; i < p->end; i++)
		if ((p->parts[i].todo & TODO_VERIFY) != 0)
			return true;
	return false;
}

/* The last round is verified: what is to be verified again, the first page, the next memory, or
 * the end. */
static void
memory_done(struct plan *p)
{
	if (is_in_doubt(p))
		enter_round(p, p->first);
	else if (boot_is_here(p) && plan_page_is_due(p))
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
		if (p->phase == PLAN_COMPARE) {
			settle(p);
			return;
		}
		if (p->phase == PLAN_ERASE)
			start_phase(p, PLAN_WRITE);
		else if (p->phase == PLAN_WRITE)
			start_phase(p, PLAN_VERIFY);
		else if (p->phase == PLAN_VERIFY && p->round_end < p->end)
			enter_round(p, p->round_end);
		else if (p->phase == PLAN_VERIFY)
			memory_done(p);
		else
			return;
	}
}

/* INVARIANT: work that cannot be finished is not begun: nothing is erased when this is found. */
static bool
is_refused(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->parts[i].todo == 0 || !p->parts[i].is.write_protected)
			continue;
		p->wrong_addr = p->parts[i].is.addr;
		p->failure = PLAN_FAILURE_PROTECTED;
		enter(p, PLAN_FAILED);
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
		if (p->boot < p->count && p->parts[i].is.alt == p->parts[p->boot].is.alt)
			p->boot_changed = p->boot_changed || differs;
	}
	for (size_t i = 0; i < p->count && p->changed; i++) {
		struct part *part = &p->parts[i];

		/* WHY: the boot sector goes first and comes back last whenever its memory changes.
		 */
		if (part->content == CONTENT_EQUAL && (i != p->boot || !p->boot_changed))
			continue;
		part_rewrite(part, p->options.trust_blank);
	}
	if (!p->changed) {
		start_phase(p, PLAN_DONE);
	} else if (!is_refused(p)) {
		enter_memory(p, 0);
		next_phase(p);
	}
}

/* This part is through with the phase. */
static void
part_done(struct plan *p)
{
	p->parts[p->at].todo &= (uint8_t)~p->under_way;
	p->at = first_part(p);
	p->pos = p->at < p->count ? first_pos(p, p->at) : 0;
	next_phase(p);
}

/* The first page without its first word, that read back, the word, that read back: all of it is
 * there. */
static void
page_phase_done(struct plan *p)
{
	if (p->phase == PLAN_PAGE || p->phase == PLAN_WORD) {
		start_phase(p, p->phase == PLAN_PAGE ? PLAN_PAGE_CHECK : PLAN_WORD_CHECK);
	} else if (p->phase == PLAN_PAGE_CHECK && p->word_to > p->page_addr) {
		start_phase(p, PLAN_WORD);
	} else {
		p->page_done = true;
		memory_done(p);
		next_phase(p);
	}
}

/* Next stretch of image bytes in the part from pos on: in one segment, at most one block. */
static bool
next_stretch(struct plan *p, struct plan_op *op)
{
	const struct covered *c = &p->parts[p->at].is;
	uint32_t block = p->options.block_bytes, to = c->to;
	struct stretch s;

	if (is_page_phase(p->phase))
		to = p->phase < PLAN_WORD ? p->page_to : p->word_to;
	if (!covered_stretch(c, p->image, p->pos, to, &s))
		return false;
	p->pos = s.addr;
	/* WHY: data at an odd address are written from the byte before it (dfu_work.c). */
	if (s.length >= block)
		s.length = s.addr % 2 != 0 ? block - 1 : block;
	*op = (struct plan_op){ .alt = c->alt, .addr = s.addr, .length = s.length, .data = s.data };
	if ((p->phase == PLAN_PAGE || p->phase == PLAN_PAGE_CHECK) && s.addr == p->word_to)
		op->lead = p->word_to - p->page_addr;
	return true;
}

/* Nothing is left of the part in this phase. */
static void
nothing_left(struct plan *p)
{
	if (is_page_phase(p->phase))
		page_phase_done(p);
	else
		part_done(p);
}

bool
plan_next(struct plan *p, struct plan_op *ret_op)
{
	const struct part *part;

	while (p->phase != PLAN_DONE && p->phase != PLAN_FAILED) {
		part = &p->parts[p->at];
		if (p->phase == PLAN_ERASE) {
			*ret_op = (struct plan_op){ .kind = PLAN_OP_ERASE,
						    .alt = part->is.alt,
						    .addr = part->is.addr,
						    .length = part->is.size };
			return true;
		}
		if (next_stretch(p, ret_op)) {
			bool program = p->phase == PLAN_WRITE || p->phase == PLAN_PAGE ||
				       p->phase == PLAN_WORD;

			ret_op->kind = program ? PLAN_OP_PROGRAM : PLAN_OP_READ;
			return true;
		}
		/* A boot sector of a single page, a first page of a single word. */
		nothing_left(p);
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
		nothing_left(p);
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

	assert(p->phase == PLAN_WRITE || p->phase == PLAN_PAGE || p->phase == PLAN_WORD);
	if (!plan_next(p, &op)) /* NEVER: what is reported was named by this call */
		return;
	advance(p, op.length);
}

/* INVARIANT: decided a sector at a time; equal or blank needs every byte, a difference only one. */
static void
compared(struct plan *p, const struct stretch *image, const uint8_t *data)
{
	struct part *part = &p->parts[p->at];

	part_compared(part, image, data);
	/* WHY one block more of the first page's sector: what is verified of it begins behind that
	 * page, and a sector that cannot be written is known by what it held there. */
	if (part->content == CONTENT_OTHER && (p->at != p->boot || image->addr >= p->page_to))
		part_done(p);
	else
		advance(p, image->length);
}

/* WHY: what is missing in one sector may have been done to another that was right before. */
static void
doubt_all(struct plan *p)
{
	for (size_t i = p->first; i < p->end; i++)
		if (i != p->boot || p->page_to < p->parts[i].is.to)
			p->parts[i].todo |= TODO_VERIFY;
}

/* Erase and write the sector once more; a second time it is the device's fault. */
static void
sector_is_wrong(struct plan *p, uint32_t addr, const struct stretch *image, const uint8_t *data)
{
	bool untouched;
	bool again = part_repair(&p->parts[p->at], image, data, &untouched);

	p->wrong_addr = addr;
	p->failure = untouched ? PLAN_FAILURE_UNTOUCHED : PLAN_FAILURE_READ_BACK;
	p->repairs += again;
	if (!again) {
		enter(p, PLAN_FAILED);
		return;
	}
	doubt_all(p);
	enter_round(p, p->at);
}

void
plan_read_back(struct plan *p, const uint8_t *data, uint32_t length)
{
	struct plan_op op;
	struct stretch image;
	uint32_t bad;

	assert(p->phase == PLAN_COMPARE || p->phase == PLAN_VERIFY || is_page_phase(p->phase));
	if (!plan_next(p, &op)) /* NEVER: what is reported was named by this call */
		return;
	assert(length == op.length);
	image = (struct stretch){ op.addr, op.length, op.data };
	if (p->phase == PLAN_COMPARE) {
		compared(p, &image, data);
		return;
	}
	bad = stretch_difference(&image, data);
	if (bad < length) {
		sector_is_wrong(p, op.addr + bad, &image, data);
		return;
	}
	advance(p, length);
}
