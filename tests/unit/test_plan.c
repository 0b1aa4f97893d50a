/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/plan: random images on random memory maps, carried out on a flash that knows
 * what flash can do.
 */
#include "config.h"

#include "core/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "sim/rng.h"

#define ALTS 2
#define SPAN 0x4000U /* bytes of each memory's address space that the tests look at */
#define SEGMENTS_MAX 6

/* The flash of one device, byte for byte, and what was done to it. */
struct memory {
	uint32_t base;
	uint8_t now[SPAN], wanted[SPAN], before[SPAN];
	bool image[SPAN];	/* the image has this byte */
	uint8_t programs[SPAN]; /* since it was erased */
	uint8_t verified[SPAN]; /* read back equal since it was changed */
	bool erased[SPAN];	/* ever */
};

struct trial {
	struct rng rng;
	struct device profile;
	struct layout map[ALTS];
	struct plan_options options;
	struct memory memory[ALTS];
	struct image *image;
	struct plan *plan;
	uint32_t page, page_to; /* first page, relative to the base; equal: none */
	uint32_t word_to;	/* of its first word, which comes last; page: none */
	unsigned flips;		/* reads that will still bring a wrong bit */
	unsigned strays;	/* blocks that will still be programmed at another place */
	bool strayed;
	unsigned ops, erases, programs, reads;
};

static uint32_t
rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)rng_between(r, 0, n - 1);
}

/* ---- drawing ----------------------------------------------------------------------------- */

static void
draw_map(struct trial *t, unsigned alt)
{
	struct layout *l = &t->map[alt];
	uint32_t addr = t->memory[alt].base;

	memset(l, 0, sizeof(*l));
	l->run_count = 1 + rng_below(&t->rng, 4);
	for (size_t i = 0; i < l->run_count; i++) {
		struct layout_run *r = &l->runs[i];

		r->addr = addr;
		r->sector_bytes = 64U << rng_below(&t->rng, 5);
		r->count = 1 + rng_below(&t->rng, 3);
		r->access = rng_below(&t->rng, 40) == 0 ? rng_below(&t->rng, 8) : 7;
		if (rng_below(&t->rng, 60) == 0)
			r->sector_bytes++;
		addr += r->count * r->sector_bytes;
		if (rng_below(&t->rng, 8) == 0)
			addr += 1 + rng_below(&t->rng, 300);
	}
}

/* A place near the start, the end or a boundary of a sector, or anywhere. */
static uint32_t
draw_place(struct trial *t, unsigned alt)
{
	const struct layout *l = &t->map[alt];
	const struct layout_run *r = &l->runs[rng_below(&t->rng, (uint32_t)l->run_count)];
	uint32_t at =
	    r->addr - t->memory[alt].base + rng_below(&t->rng, r->count + 1) * r->sector_bytes;

	if (rng_below(&t->rng, 5) == 0)
		at += rng_below(&t->rng, 40) - 20;
	if (rng_below(&t->rng, 5) == 0)
		at = rng_below(&t->rng, SPAN / 4);
	return at < SPAN ? at : 0;
}

static void
draw_profile(struct trial *t)
{
	struct device *p = &t->profile;

	memset(p, 0, sizeof(*p));
	p->app_addr = t->memory[0].base;
	if (rng_below(&t->rng, 4) == 0)
		p->app_addr += draw_place(t, 0);
	p->loader_addr = t->memory[0].base;
	if (p->app_addr > p->loader_addr && rng_below(&t->rng, 2) == 0)
		p->loader_bytes = rng_below(&t->rng, p->app_addr - p->loader_addr + 1);
	p->protect_count = rng_below(&t->rng, 8) == 0;
	p->protect[0].first = t->memory[0].base + draw_place(t, 0);
	p->protect[0].last = p->protect[0].first + rng_below(&t->rng, 64);
}

/* Segments that do not overlap, in the address order of their memory.  Returns how many. */
static size_t
draw_segments(struct trial *t, struct segment *segments, uint8_t *bytes)
{
	size_t n = 0;

	for (uint8_t alt = 0; alt < ALTS; alt++) {
		struct memory *m = &t->memory[alt];
		uint32_t at = draw_place(t, alt);

		if (alt == 0 && rng_below(&t->rng, 3) != 0)
			at = t->profile.app_addr - m->base;
		for (size_t i = rng_below(&t->rng, SEGMENTS_MAX); i > 0; i--) {
			uint32_t size = 1 + rng_below(&t->rng, rng_below(&t->rng, 2) ? 900 : 20);

			if (at + size > SPAN)
				break;
			for (uint32_t k = at; k < at + size; k++) {
				m->image[k] = true;
				m->wanted[k] = bytes[k] = rng_below(&t->rng, 9) == 0
							      ? 0xFF
							      : (uint8_t)rng_below(&t->rng, 256);
			}
			segments[n++] = (struct segment){ alt, m->base + at, size, m->wanted + at };
			at += size + (rng_below(&t->rng, 2) ? 0 : rng_below(&t->rng, 700));
		}
	}
	return n;
}

/* Content of the flash: the image, other bytes or nothing, a sector's worth at a time. */
static void
draw_content(struct trial *t)
{
	bool same = rng_below(&t->rng, 8) == 0;

	for (unsigned alt = 0; alt < ALTS; alt++) {
		struct memory *m = &t->memory[alt];
		uint32_t kind = rng_below(&t->rng, 4);

		for (uint32_t at = 0; at < SPAN; at++) {
			if (at % 128 == 0 && rng_below(&t->rng, 2) == 0)
				kind = rng_below(&t->rng, 4);
			if (same)
				kind = 1;
			m->now[at] = kind == 0	? 0xFF
				     : kind < 3 ? (m->image[at] ? m->wanted[at] : 0xFF)
						: (uint8_t)rng_below(&t->rng, 256);
			m->before[at] = m->now[at];
		}
	}
}

/* ---- judging ----------------------------------------------------------------------------- */

static bool
is_protected(const struct device *p, uint32_t addr, uint32_t size)
{
	uint64_t end = (uint64_t)addr + size;

	if (p->loader_bytes > 0 && addr < (uint64_t)p->loader_addr + p->loader_bytes &&
	    end > p->loader_addr)
		return true;
	for (size_t i = 0; i < p->protect_count; i++)
		if (addr <= p->protect[i].last && end > p->protect[i].first)
			return true;
	return false;
}

/* By the definition, a byte at a time: may this image be planned for? */
static bool
is_acceptable(const struct trial *t)
{
	for (unsigned alt = 0; alt < ALTS; alt++)
		for (uint32_t at = 0; at < SPAN; at++) {
			struct sector s;

			if (!t->memory[alt].image[at])
				continue;
			if (!layout_sector_at(&t->map[alt], t->memory[alt].base + at, &s))
				return false;
			if (s.access != 7 || s.addr % 2 != 0 || s.size % 2 != 0)
				return false;
			if (alt == 0 && (is_protected(&t->profile, s.addr, s.size) ||
					 s.addr < t->profile.app_addr))
				return false;
		}
	return true;
}

static void
find_page(struct trial *t)
{
	const struct memory *m = &t->memory[0];
	uint32_t at = t->profile.app_addr - m->base;
	struct sector s;

	t->page = t->page_to = t->word_to = 0;
	if (at >= SPAN || !m->image[at] || !layout_sector_at(&t->map[0], t->profile.app_addr, &s))
		return;
	t->page = at;
	t->page_to = at + t->options.block_bytes;
	if (t->page_to > s.addr + s.size - m->base)
		t->page_to = s.addr + s.size - m->base;
	t->word_to = at + t->options.word_bytes;
	if (t->word_to > t->page_to)
		t->word_to = t->page_to;
}

/* INVARIANT: once its memory is being changed, the first page is blank until all else is there,
 * and its first word until the rest of it is there and read back. */
static void
check_first_page(const struct trial *t, const struct plan_op *op, uint32_t at)
{
	const struct memory *m = &t->memory[0];
	bool word = at >= t->page && at < t->word_to;

	if (t->page == t->page_to || op->alt != 0 || t->strayed || op->kind != PLAN_OP_PROGRAM)
		return;
	if (at >= t->page && at < t->page_to) {
		uint32_t to = word ? t->word_to : t->page_to;

		for (uint32_t k = 0; k < SPAN; k++)
			if (m->image[k] && (k < t->page || k >= to) &&
			    (m->now[k] != m->wanted[k] || (word && !m->verified[k])))
				fail_msg("the first page is written before byte %x", k);
	}
	for (uint32_t k = t->page; k < t->page_to && !word; k++)
		assert_true(!m->image[k] || m->now[k] == 0xFF || (at >= t->page && k < at));
	for (uint32_t k = t->page; k < t->word_to && !word; k++)
		assert_true(!m->image[k] || m->now[k] == 0xFF);
}

static void
do_erase(struct trial *t, const struct plan_op *op)
{
	struct memory *m = &t->memory[op->alt];
	bool covered = false;
	struct sector s;

	assert_true(layout_sector_at(&t->map[op->alt], op->addr, &s));
	assert_int_equal(s.addr, op->addr);
	assert_int_equal(s.size, op->length);
	for (uint32_t k = s.addr - m->base; k < s.addr - m->base + s.size; k++) {
		m->now[k] = 0xFF;
		m->programs[k] = m->verified[k] = 0;
		m->erased[k] = true;
		covered = covered || m->image[k];
	}
	assert_true(covered);
	t->erases++;
	plan_erased(t->plan);
}

/* Elsewhere in this memory: the device programs there what was not meant for it. */
static void
go_astray(struct trial *t, const struct plan_op *op)
{
	struct memory *m = &t->memory[op->alt];
	uint32_t at = op->addr - m->base, there = draw_place(t, op->alt);

	if (there + op->length > SPAN || (there < at + op->length && at < there + op->length))
		return;
	t->strays--;
	t->strayed = true;
	for (uint32_t k = 0; k < op->length; k++) {
		m->now[there + k] &= op->data[k];
		m->before[there + k] &= op->data[k];
	}
}

static void
do_program(struct trial *t, const struct plan_op *op)
{
	struct memory *m = &t->memory[op->alt];
	uint32_t at = op->addr - m->base;
	unsigned strays = t->strays;

	if (strays > 0 && rng_below(&t->rng, 4) == 0)
		go_astray(t, op);
	for (uint32_t k = 0; k < op->length && t->strays == strays; k++) {
		assert_true(m->image[at + k]);
		assert_int_equal(op->data[k], m->wanted[at + k]);
		assert_true(t->strayed || m->now[at + k] == 0xFF);
		assert_true(m->programs[at + k]++ == 0 || t->strayed);
		m->now[at + k] &= op->data[k];
	}
	t->programs++;
	plan_programmed(t->plan);
}

static void
do_read(struct trial *t, const struct plan_op *op)
{
	struct memory *m = &t->memory[op->alt];
	uint32_t at = op->addr - m->base;
	uint8_t data[4096];

	memcpy(data, m->now + at, op->length);
	if (t->flips > 0 && rng_below(&t->rng, 3) == 0) {
		t->flips--;
		data[rng_below(&t->rng, op->length)] ^= 0x10;
	}
	if (memcmp(data, op->data, op->length) == 0)
		memset(m->verified + at, 1, op->length);
	t->reads++;
	plan_read_back(t->plan, data, op->length);
}

/* One operation: checked against the map, done to the flash, reported. */
static bool
step(struct trial *t)
{
	struct plan_op op, again;
	struct sector s;
	uint32_t odd;

	if (!plan_next(t->plan, &op))
		return false;
	assert_true(plan_next(t->plan, &again));
	assert_memory_equal(&op, &again, sizeof(op));
	assert_true(op.alt < ALTS && op.length > 0);
	assert_true(layout_sector_at(&t->map[op.alt], op.addr, &s));
	assert_true(op.addr - s.addr + op.length <= s.size);
	check_first_page(t, &op, op.addr - t->memory[op.alt].base);
	odd = op.addr % 2 + (op.addr + op.length) % 2;
	if (op.kind != PLAN_OP_ERASE)
		assert_true(op.lead + op.length + odd <= t->options.block_bytes);
	if (op.lead > 0)
		assert_int_equal(op.addr - op.lead, t->profile.app_addr);
	switch (op.kind) {
	case PLAN_OP_ERASE:
		do_erase(t, &op);
		break;
	case PLAN_OP_PROGRAM:
		do_program(t, &op);
		break;
	case PLAN_OP_READ:
		do_read(t, &op);
		break;
	}
	assert_true(++t->ops < 100000);
	return true;
}

static void
check_estimate(const struct trial *t, const struct pace *pace)
{
	uint64_t left, total;

	plan_reckon(t->plan, pace);
	plan_estimate(t->plan, &left, &total);
	assert_true(left <= total);
	if (plan_phase(t->plan) == PLAN_DONE || plan_phase(t->plan) == PLAN_FAILED)
		assert_int_equal(left, 0);
	else if (plan_phase(t->plan) < PLAN_PAGE)
		assert_true(left > 0);
}

static void
check_result(const struct trial *t)
{
	bool has[ALTS] = { false };

	for (unsigned alt = 0; alt < ALTS; alt++)
		for (uint32_t at = 0; at < SPAN; at++) {
			const struct memory *m = &t->memory[alt];

			if (!m->erased[at] && !m->image[at])
				assert_int_equal(m->now[at], m->before[at]);
			if (!m->image[at] || plan_phase(t->plan) == PLAN_FAILED)
				continue;
			has[alt] = true;
			assert_int_equal(m->now[at], m->wanted[at]);
			assert_int_equal(m->verified[at], 1);
			assert_true(m->programs[at] <= 1);
		}
	if (plan_phase(t->plan) == PLAN_FAILED)
		return;
	assert_int_equal(plan_phase(t->plan), PLAN_DONE);
	assert_int_equal(plan_unchanged(t->plan), t->erases + t->programs == 0);
	for (uint8_t alt = 0; alt < ALTS; alt++)
		assert_int_equal(plan_target_verified(t->plan, alt), has[alt] ? 1 : -1);
}

/* ---- properties -------------------------------------------------------------------------- */

static struct trial *
draw(uint64_t seed, uint32_t base0, uint32_t base1)
{
	static struct trial trial;
	static uint8_t bytes[SPAN];
	const struct layout *maps[DEVICE_ALTS_MAX] = { &trial.map[0], &trial.map[1] };
	struct segment segments[2 * SEGMENTS_MAX];
	static const struct image_label label;
	const char *why = NULL;
	size_t n;
	int r;

	memset(&trial, 0, sizeof(trial));
	trial.rng.state = seed;
	trial.memory[0].base = base0;
	trial.memory[1].base = base1;
	draw_map(&trial, 0);
	draw_map(&trial, 1);
	draw_profile(&trial);
	trial.options = (struct plan_options){
		rng_below(&trial.rng, 3) > 0,	  rng_below(&trial.rng, 2) > 0,
		64U << rng_below(&trial.rng, 4),  0,
		32U << rng_below(&trial.rng, 10), rng_below(&trial.rng, 3) > 0 ? 4 : 0
	};
	n = draw_segments(&trial, segments, bytes);
	if (n == 0)
		return NULL;
	draw_content(&trial);
	assert_int_equal(image_new(segments, n, &label, &trial.image), 0);
	r = plan_new(trial.image, &trial.profile, maps, &trial.options, &trial.plan, &why);
	image_unref(trial.image);
	if (r < 0) {
		assert_int_equal(r, -EPERM);
		assert_non_null(why);
		assert_false(is_acceptable(&trial));
		return NULL;
	}
	assert_true(is_acceptable(&trial));
	find_page(&trial);
	return &trial;
}

static unsigned
run_many(uint64_t first, unsigned count, uint32_t base0, uint32_t base1)
{
	struct pace pace;
	unsigned ran = 0;

	pace_init(&pace, false);
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct trial *t = draw(seed, base0, base1);

		if (t == NULL)
			continue;
		/* WHY not both: a wrong bit may make a byte that went astray look right. */
		if (seed % 3 == 0)
			t->flips = rng_below(&t->rng, 4);
		else if (seed % 7 == 0)
			t->strays = 1;
		do
			check_estimate(t, &pace);
		while (step(t));
		check_result(t);
		plan_free(t->plan);
		ran++;
	}
	return ran;
}

TEST(any_image_on_any_map_is_done_inside_its_sectors_and_first_page_last)
{
	assert_true(run_many(1, 4000, 0x08000000, 0) > 500);
}

TEST_MAIN(NULL)
