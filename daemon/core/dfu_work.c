/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfu_work.h"

#include <errno.h>
#include <stdlib.h>

enum {
	FEATURE_ALT = 3,
	FEATURE_BYTES = 4,
	FEATURE_WORD = 3, /* 2.7-3.6 V: 32-bit parallelism (doc/protocol.md 5, inferred) */
};

/*
 * WHY rounds: drones that erase all there is before they write leave their hub's translator idle,
 * and want it all at once later.  WHY not a sector at a time: each round costs four requests, and
 * other devices have pages of 2 KiB (doc/rack.md 8).
 */
#define ROUND_BYTES (64U * 1024)

/*
 * SPEC: doc/protocol.md 9.3: cf2loader starts whatever does not begin with a blank word.  WHY not
 * on other devices: some can program units of eight bytes only, each once.
 */
#define FIRST_WORD_BYTES 4

#define FEATURE_ADDR 0xFFFF0000U

/* ---- beginning ------------------------------------------------------------------------------ */

/* The rescue job: the loader's range is what is written, and nothing else. */
static const char *
turn_to_loader(const struct image *image, struct device *p)
{
	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *s = image_segment(image, i);

		if (s->alt != 0 || s->addr < p->loader_addr || s->size > p->loader_bytes ||
		    s->addr - p->loader_addr > p->loader_bytes - s->size)
			return "the boot loader's image does not fit the boot loader's sector";
	}
	p->app_addr = p->loader_addr;
	p->loader_bytes = 0;
	return NULL;
}

/* Does any part of it begin or end in the middle of a half-word? */
static bool
is_odd(const struct image *image)
{
	uint32_t ends = 0;

	for (size_t i = 0; i < image_segment_count(image); i++)
		ends |= image_segment(image, i)->addr | image_segment(image, i)->size;
	return ends % 2 != 0;
}

int
dfu_work_begin(struct dfu_work *w, const struct dfu_probe *probe, struct image *image,
	       const struct dfu_work_options *options, const char **ret_why)
{
	const struct layout *maps[DEVICE_ALTS_MAX] = { 0 };
	struct plan_options plan_options = { .compare = options->compare,
					     .trust_blank = options->trust_blank,
					     .block_bytes = probe->descr.transfer_bytes,
					     .write_protected = probe->write_protected,
					     .round_bytes = ROUND_BYTES };
	struct device profile = *probe->profile;
	const char *why = NULL;

	if (profile.family)
		plan_options.word_bytes = FIRST_WORD_BYTES;
	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		maps[i] = probe->maps.known[i] ? &probe->maps.map[i] : NULL;
	if (options->loader_only)
		why = turn_to_loader(image, &profile);
	if (why != NULL) {
		*ret_why = why;
		return -EPERM;
	}
	if (is_odd(image) || profile.family) {
		w->padded = malloc(probe->descr.transfer_bytes);
		*ret_why = "out of memory";
		if (w->padded == NULL)
			return -ENOMEM;
	}
	w->stage = options->word && profile.family ? DFU_WORK_FEATURE : DFU_WORK_PLAN;
	return plan_new(image, &profile, maps, &plan_options, &w->plan, ret_why);
}

void
dfu_work_end(struct dfu_work *w)
{
	plan_free(w->plan);
	free(w->padded);
	w->plan = NULL;
	w->padded = NULL;
}

void
dfu_work_allow(const struct dfu_work *w, const struct dfu_probe *probe, bool loader_only,
	       struct dfuse *d)
{
	const struct device *p = probe->profile;

	for (uint8_t alt = 0; alt < DEVICE_ALTS_MAX; alt++) {
		uint32_t from = 0, to = UINT32_MAX;

		if (!probe->maps.known[alt] || (p->family && alt != 0))
			continue;
		if (loader_only) {
			from = p->loader_addr;
			to = p->loader_addr + p->loader_bytes;
		} else if (alt == 0) {
			from = p->app_addr;
			if (p->family)
				to = CRAZYFLIE_FLASH_END + 1;
		}
		dfuse_allow(d, alt, from, to - from);
	}
	if (w->stage == DFU_WORK_FEATURE)
		dfuse_allow_feature(d);
}

/* ---- operations ----------------------------------------------------------------------------- */

static struct dfuse_operation
program_of(struct dfu_work *w, const struct plan_op *op)
{
	/* WHY the first word with the page, as 0xFF: both have one address, which is set once. */
	uint32_t before = op->lead + (op->addr - op->lead) % 2;
	uint32_t length = before + op->length + (op->addr + op->length) % 2;
	const uint8_t *data = op->data;

	if (length != op->length) {
		/* SPEC: 2 to 2048 bytes, even (doc/protocol.md 3.3); 0xFF changes nothing in flash.
		 */
		memset(w->padded, 0xFF, length);
		memcpy(w->padded + before, data, op->length);
		data = w->padded;
	}
	return (struct dfuse_operation){ DFUSE_OP_PROGRAM, op->alt, op->addr - before, length,
					 data };
}

bool
dfu_work_next(struct dfu_work *w, struct dfuse_operation *ret_operation)
{
	static const uint8_t word[FEATURE_BYTES] = { FEATURE_WORD };
	struct plan_op op;

	if (w->stage != DFU_WORK_PLAN) {
		bool set = w->stage == DFU_WORK_FEATURE;

		*ret_operation =
		    (struct dfuse_operation){ set ? DFUSE_OP_FEATURE : DFUSE_OP_READ, FEATURE_ALT,
					      FEATURE_ADDR, FEATURE_BYTES, set ? word : NULL };
		return true;
	}
	if (!plan_next(w->plan, &op))
		return false;
	if (op.kind == PLAN_OP_PROGRAM)
		*ret_operation = program_of(w, &op);
	else
		*ret_operation = (struct dfuse_operation){
			.op = op.kind == PLAN_OP_READ ? DFUSE_OP_READ : DFUSE_OP_ERASE,
			.alt = op.alt,
			.addr = op.addr - op.lead,
			.length = op.length + op.lead,
		};
	return true;
}

static void
feature_checked(struct dfu_work *w, struct dfuse *d)
{
	uint32_t length;
	const uint8_t *data = dfuse_data(d, &length);

	w->word_refused = length == 0 || data[0] != FEATURE_WORD;
	if (!w->word_refused)
		pace_set_word(&d->pace, true);
	w->stage = DFU_WORK_PLAN;
}

static void
plan_took(struct plan *p, struct dfuse *d)
{
	struct plan_op op;
	uint32_t length;
	const uint8_t *data;

	if (!plan_next(p, &op))
		return;
	switch (op.kind) {
	case PLAN_OP_READ:
		data = dfuse_data(d, &length);
		plan_read_back(p, data + op.lead, length - op.lead);
		return;
	case PLAN_OP_ERASE:
		plan_erased(p);
		return;
	case PLAN_OP_PROGRAM:
		d->counters.bytes_written -= op.lead; /* its place stayed blank */
		plan_programmed(p);
		return;
	}
}

void
dfu_work_took(struct dfu_work *w, struct dfuse *d)
{
	switch (w->stage) {
	case DFU_WORK_FEATURE:
		w->stage = DFU_WORK_CHECK_FEATURE;
		return;
	case DFU_WORK_CHECK_FEATURE:
		feature_checked(w, d);
		return;
	case DFU_WORK_PLAN:
		plan_took(w->plan, d);
		plan_reckon(w->plan, &d->pace);
		return;
	}
}

bool
dfu_work_forgives(struct dfu_work *w, enum fault fault)
{
	if (w->stage == DFU_WORK_PLAN || !dfu_probe_is_refusal(fault))
		return false;
	w->word_refused = true;
	w->stage = DFU_WORK_PLAN;
	return true;
}

/* ---- questions ------------------------------------------------------------------------------ */

struct verdict
dfu_work_verdict(const struct dfu_work *w, const char **ret_why)
{
	static const struct {
		enum fault fault;
		enum step step;
		const char *why;
	} ways[] = {
		[PLAN_FAILURE_READ_BACK] = { FAULT_VERIFY, STEP_VERIFYING, NULL },
		[PLAN_FAILURE_UNTOUCHED] = { FAULT_PROTECTED, STEP_VERIFYING,
					     "erased and written twice, the sector holds what it "
					     "held" },
		[PLAN_FAILURE_PROTECTED] = { FAULT_PROTECTED, STEP_COMPARING,
					     "its option bytes protect this sector; nothing was "
					     "erased" },
	};
	uint32_t addr;
	enum plan_failure failure = plan_failure(w->plan, &addr);

	if (plan_phase(w->plan) != PLAN_FAILED)
		return (struct verdict){ .kind = VERDICT_NONE };
	*ret_why = ways[failure].why;
	return (struct verdict){ .kind = VERDICT_FAIL,
				 .fault = ways[failure].fault,
				 .step = ways[failure].step,
				 .addr = addr,
				 .has_addr = true };
}

enum step
dfu_work_step(const struct dfu_work *w)
{
	if (w->stage != DFU_WORK_PLAN)
		return STEP_PROBING;
	switch (plan_phase(w->plan)) {
	case PLAN_COMPARE:
		return STEP_COMPARING;
	case PLAN_ERASE:
		return STEP_ERASING;
	case PLAN_WRITE:
		return STEP_WRITING;
	case PLAN_VERIFY:
	case PLAN_FAILED:
		return STEP_VERIFYING;
	case PLAN_PAGE:
	case PLAN_PAGE_CHECK:
	case PLAN_WORD:
	case PLAN_WORD_CHECK:
		return STEP_FIRST_PAGE;
	case PLAN_DONE:
	case PLAN_PHASE_COUNT:
		break;
	}
	return STEP_LEAVING;
}
