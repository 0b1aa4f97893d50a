/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/flash.h"

#include <assert.h>
#include <errno.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"
#include "core/options.h"

enum {
	OTP_ALT = 2,
	FEATURE_ALT = 3,
	FEATURE_BYTES = 4,
	FEATURE_WORD = 3, /* 2.7-3.6 V: 32-bit parallelism (doc/protocol.md 5, inferred) */
};

#define OTP_ADDR 0x1FFF7800U
#define FEATURE_ADDR 0xFFFF0000U

static const unsigned next_stages[FLASH_STAGE_COUNT] = {
#define S(x) BIT(FLASH_##x)
	[FLASH_MAPS] = S(CLEAN) | S(OVER),
	[FLASH_CLEAN] = S(OTP) | S(PROBED) | S(OVER),
	[FLASH_OTP] = S(OPTIONS) | S(OVER),
	[FLASH_OPTIONS] = S(LOADER) | S(OVER),
	[FLASH_LOADER] = S(PROBED) | S(OVER),
	[FLASH_PROBED] = S(BACKUP) | S(FEATURE) | S(WORK) | S(LEAVE_TURN) | S(OVER),
	[FLASH_BACKUP] = S(PROBED) | S(OVER),
	[FLASH_FEATURE] = S(CHECK_FEATURE) | S(WORK) | S(OVER),
	[FLASH_CHECK_FEATURE] = S(WORK) | S(OVER),
	[FLASH_WORK] = S(WRITE_TURN) | S(LEAVE_TURN) | S(OVER),
	[FLASH_WRITE_TURN] = S(WORK) | S(LEAVE_TURN) | S(OVER),
	[FLASH_LEAVE_TURN] = S(LEAVE) | S(OVER),
	[FLASH_LEAVE] = S(OVER),
	[FLASH_OVER] = 0,
#undef S
};

/* The only place where the stage changes. */
static void
enter(struct flash *f, enum flash_stage stage)
{
	assert(stage == f->stage || (next_stages[f->stage] & BIT(stage)) != 0);
	f->stage = stage;
	f->at = 0;
	f->under_way = false;
}

static void
give_up(struct flash *f, enum fault fault, const char *why)
{
	f->verdict =
	    (struct verdict){ .kind = VERDICT_FAIL, .fault = fault, .step = flash_step(f) };
	f->why = why;
	enter(f, FLASH_OVER);
}

void
flash_init(struct flash *f, const struct flash_options *options, const struct pace *pace)
{
	memset(f, 0, sizeof(*f));
	f->options = *options;
	f->dfuse.pace = *pace;
}

void
flash_done(struct flash *f)
{
	plan_free(f->plan);
	f->plan = NULL;
}

void
flash_opened(struct flash *f, const uint8_t *descriptors, size_t length)
{
	const char *why;
	struct pace pace = f->dfuse.pace;
	struct dfuse_counters counters = f->dfuse.counters;

	if (descr_parse_dfu(descriptors, length, &f->descr, &why) < 0) {
		give_up(f, FAULT_DESCRIPTOR, why);
		return;
	}
	dfuse_init(&f->dfuse, f->descr.transfer_bytes, &pace);
	f->dfuse.counters = counters;
	maps_init(&f->maps, &f->descr);
}

void
flash_again(struct flash *f)
{
	struct pace pace = f->dfuse.pace;
	struct dfuse_counters counters = f->dfuse.counters;

	flash_done(f);
	dfuse_init(&f->dfuse, f->descr.transfer_bytes, &pace);
	f->dfuse.counters = counters;
	maps_init(&f->maps, &f->descr);
	f->verdict = (struct verdict){ 0 };
	f->why = NULL;
	f->write_granted = false;
	f->stage = FLASH_MAPS; /* a new visit, not a transition of the old one */
	f->at = 0;
	f->under_way = false;
}

/* ---- maps ----------------------------------------------------------------------------------- */

static void
maps_over(struct flash *f)
{
	const char *why = NULL;

	f->dfuse.counters.transfers += f->maps.transfers;
	if (maps_fault(&f->maps) != FAULT_NONE) {
		give_up(f, maps_fault(&f->maps), NULL);
		return;
	}
	/* INVARIANT: the profile's map is the authority, the device has to agree (doc/faults.md
	 * H3). */
	f->profile = maps_choose(&f->maps, f->options.profiles, f->options.profile_count,
				 f->options.own, &why);
	if (f->profile == NULL)
		give_up(
		    f, f->maps.unread_fault != FAULT_NONE ? f->maps.unread_fault : FAULT_WRONG_CHIP,
		    why);
	else
		enter(f, FLASH_CLEAN);
}

/* ---- operations ----------------------------------------------------------------------------- */

static void
begin(struct flash *f, enum dfuse_op op, uint8_t alt, uint32_t addr, uint32_t length,
      const uint8_t *data, uint64_t now_us)
{
	struct dfuse_request req = { op, alt, addr, length, data };

	dfuse_begin(&f->dfuse, &req, now_us);
	f->under_way = true;
}

static uint32_t
block_at(const struct flash *f, uint32_t total)
{
	uint32_t left = total - f->at;

	return left < f->descr.transfer_bytes ? left : f->descr.transfer_bytes;
}

static void
begin_program(struct flash *f, const struct plan_op *op, uint64_t now_us)
{
	uint32_t before = op->addr % 2;
	uint32_t length = before + op->length + (op->addr + op->length) % 2;
	const uint8_t *data = op->data;

	if (length != op->length) {
		/* SPEC: 2 to 2048 bytes, even (doc/protocol.md 3.3); 0xFF changes nothing in flash.
		 */
		assert(length <= sizeof(f->padded));
		memset(f->padded, 0xFF, length);
		memcpy(f->padded + before, data, op->length);
		data = f->padded;
	}
	begin(f, DFUSE_OP_PROGRAM, op->alt, op->addr - before, length, data, now_us);
}

static void
plan_failed(struct flash *f)
{
	static const struct {
		enum fault fault;
		const char *why;
	} ways[] = {
		{ FAULT_VERIFY, NULL }, /* PLAN_FAILURE_READ_BACK */
		{ FAULT_PROTECTED, "erased and written twice, the sector holds what it held" },
		{ FAULT_PROTECTED, "its option bytes protect this sector; nothing was erased" },
	};
	enum plan_failure failure = plan_failure(f->plan);

	give_up(f, ways[failure].fault, ways[failure].why);
	f->verdict.addr = plan_wrong_addr(f->plan);
	f->verdict.has_addr = true;
	if (failure == PLAN_FAILURE_PROTECTED)
		f->verdict.step = STEP_COMPARING;
}

static void
begin_work(struct flash *f, uint64_t now_us)
{
	struct plan_op op;

	if (!plan_next(f->plan, &op)) {
		if (plan_phase(f->plan) == PLAN_FAILED) {
			plan_failed(f);
		} else {
			enter(f, FLASH_LEAVE_TURN);
		}
		return;
	}
	if (op.kind == PLAN_OP_READ) {
		begin(f, DFUSE_OP_READ, op.alt, op.addr, op.length, NULL, now_us);
		return;
	}
	if (!f->write_granted) {
		enter(f, FLASH_WRITE_TURN);
		return;
	}
	if (op.kind == PLAN_OP_ERASE)
		begin(f, DFUSE_OP_ERASE, op.alt, op.addr, op.length, NULL, now_us);
	else
		begin_program(f, &op, now_us);
}

/* Begins the operation that the stage needs now, if it needs one. */
static void
next_operation(struct flash *f, uint64_t now_us)
{
	static const uint8_t word[FEATURE_BYTES] = { FEATURE_WORD };

	switch (f->stage) {
	case FLASH_CLEAN:
		begin(f, DFUSE_OP_CLEAN, 0, 0, 0, NULL, now_us);
		return;
	case FLASH_OTP:
		begin(f, DFUSE_OP_READ, OTP_ALT, OTP_ADDR, block_at(f, OTP_BYTES), NULL, now_us);
		return;
	case FLASH_OPTIONS:
		begin(f, DFUSE_OP_READ, OPTIONS_ALT, OPTIONS_ADDR, OPTIONS_BYTES, NULL, now_us);
		return;
	case FLASH_LOADER:
		begin(f, DFUSE_OP_READ, 0, f->profile->loader_addr + f->at,
		      block_at(f, FLASH_LOADER_BYTES), NULL, now_us);
		return;
	case FLASH_BACKUP:
		begin(f, DFUSE_OP_READ, 0, f->backup_addr + f->at, block_at(f, f->backup_bytes),
		      NULL, now_us);
		return;
	case FLASH_FEATURE:
		begin(f, DFUSE_OP_FEATURE, FEATURE_ALT, FEATURE_ADDR, FEATURE_BYTES, word, now_us);
		return;
	case FLASH_CHECK_FEATURE:
		begin(f, DFUSE_OP_READ, FEATURE_ALT, FEATURE_ADDR, FEATURE_BYTES, NULL, now_us);
		return;
	case FLASH_WORK:
		begin_work(f, now_us);
		return;
	case FLASH_LEAVE:
		begin(f, DFUSE_OP_LEAVE, 0,
		      f->options.leave_loader && f->profile->family ? f->profile->loader_addr
								    : f->profile->app_addr,
		      0, NULL, now_us);
		return;
	case FLASH_MAPS:
	case FLASH_PROBED:
	case FLASH_WRITE_TURN:
	case FLASH_LEAVE_TURN:
	case FLASH_OVER:
	case FLASH_STAGE_COUNT:
		return;
	}
}

void
flash_next(struct flash *f, uint64_t now_us, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (f->stage == FLASH_MAPS) {
		maps_next(&f->maps, ret_request);
		if (ret_request->kind != REQUEST_OVER)
			return;
		memset(ret_request, 0, sizeof(*ret_request));
		maps_over(f);
	}
	if (!f->under_way)
		next_operation(f, now_us);
	if (f->under_way)
		dfuse_next(&f->dfuse, now_us, ret_request);
	else if (f->stage == FLASH_OVER)
		ret_request->kind = REQUEST_OVER;
}

/* ---- results -------------------------------------------------------------------------------- */

static void
otp_read(struct flash *f)
{
	uint32_t length;
	const uint8_t *otp = dfuse_data(&f->dfuse, &length);
	int r;

	/* WHY: a small wTransferSize needs several reads; the loader's buffer is free so far. */
	memcpy(f->loader + f->at, otp, length);
	f->at += length;
	if (f->at < OTP_BYTES)
		return;
	r = platform_parse_otp(f->loader, OTP_BYTES, f->board);
	f->otp = r > 0 ? FLASH_OTP_TYPE : r == 0 ? FLASH_OTP_BLANK : FLASH_OTP_NONE;
	enter(f, FLASH_OPTIONS);
}

static void
options_read(struct flash *f)
{
	uint32_t length;

	f->write_protected = options_write_protected(dfuse_data(&f->dfuse, &length));
	enter(f, FLASH_LOADER);
}

static void
loader_read(struct flash *f)
{
	uint32_t length;
	const uint8_t *data = dfuse_data(&f->dfuse, &length);

	memcpy(f->loader + f->at, data, length);
	f->at += length;
	if (f->at < FLASH_LOADER_BYTES)
		return;
	f->loader_blank = true;
	for (size_t i = 0; i < FLASH_LOADER_BYTES && f->loader_blank; i++)
		f->loader_blank = f->loader[i] == 0xFF;
	enter(f, FLASH_PROBED);
}

static void
backup_read(struct flash *f)
{
	uint32_t length;
	const uint8_t *data = dfuse_data(&f->dfuse, &length);

	memcpy(f->backup + f->at, data, length);
	f->at += length;
	if (f->at == f->backup_bytes)
		enter(f, FLASH_PROBED);
}

static void
feature_checked(struct flash *f)
{
	uint32_t length;
	const uint8_t *data = dfuse_data(&f->dfuse, &length);

	f->word_refused = length == 0 || data[0] != FEATURE_WORD;
	if (!f->word_refused)
		pace_set_word(&f->dfuse.pace, true);
	enter(f, FLASH_WORK);
}

static void
work_done(struct flash *f)
{
	struct plan_op op;
	uint32_t length;
	const uint8_t *data;

	if (!plan_next(f->plan, &op))
		return;
	switch (op.kind) {
	case PLAN_OP_READ:
		data = dfuse_data(&f->dfuse, &length);
		plan_read_back(f->plan, data, length);
		return;
	case PLAN_OP_ERASE:
		plan_erased(f->plan);
		return;
	case PLAN_OP_PROGRAM:
		plan_programmed(f->plan);
		return;
	}
}

static void
operation_done(struct flash *f)
{
	switch (f->stage) {
	case FLASH_CLEAN:
		enter(f, f->profile->family ? FLASH_OTP : FLASH_PROBED);
		return;
	case FLASH_OTP:
		otp_read(f);
		return;
	case FLASH_OPTIONS:
		options_read(f);
		return;
	case FLASH_LOADER:
		loader_read(f);
		return;
	case FLASH_BACKUP:
		backup_read(f);
		return;
	case FLASH_FEATURE:
		enter(f, FLASH_CHECK_FEATURE);
		return;
	case FLASH_CHECK_FEATURE:
		feature_checked(f);
		return;
	case FLASH_WORK:
		work_done(f);
		return;
	case FLASH_LEAVE:
		enter(f, FLASH_OVER);
		return;
	case FLASH_MAPS:
	case FLASH_PROBED:
	case FLASH_WRITE_TURN:
	case FLASH_LEAVE_TURN:
	case FLASH_OVER:
	case FLASH_STAGE_COUNT:
		return;
	}
}

/* OTP, option bytes and Device Feature are inferred (doc/protocol.md 5, 9.4): a device may refuse
 * them and live. */
static bool
is_optional(const struct flash *f, enum fault fault)
{
	if (fault != FAULT_REFUSED && fault != FAULT_STALL && fault != FAULT_PROTOCOL &&
	    fault != FAULT_PROTECTED)
		return false;
	return f->stage == FLASH_OTP || f->stage == FLASH_OPTIONS || f->stage == FLASH_FEATURE ||
	       f->stage == FLASH_CHECK_FEATURE;
}

/* Which request it was that got no answer, and how often; the verdict has the place. */
static void
say_unanswered(struct flash *f)
{
	unsigned times = dfuse_unanswered(&f->dfuse);
	const char *what = f->dfuse.req.op == DFUSE_OP_PROGRAM ? "the write"
			   : f->dfuse.req.op == DFUSE_OP_ERASE ? "the erase"
			   : f->dfuse.req.op == DFUSE_OP_READ  ? "the read"
							       : NULL;

	if (f->verdict.fault != FAULT_SILENT || what == NULL || times == 0)
		return;
	(void)snprintf(f->why_text, sizeof(f->why_text), "it did not answer %s, %u time%s", what,
		       times, times == 1 ? "" : "s");
	f->why = f->why_text;
}

static void
operation_failed(struct flash *f)
{
	struct verdict v = dfuse_failure(&f->dfuse);

	if (is_optional(f, v.fault)) {
		dfuse_forgive(&f->dfuse);
		if (f->stage == FLASH_OTP) {
			f->otp = FLASH_OTP_NONE;
			enter(f, FLASH_OPTIONS);
		} else if (f->stage == FLASH_OPTIONS) {
			enter(f, FLASH_LOADER);
		} else {
			f->word_refused = true;
			enter(f, FLASH_WORK);
		}
		return;
	}
	v.step = flash_step(f);
	f->verdict = v;
	say_unanswered(f);
	enter(f, FLASH_OVER);
}

void
flash_ended(struct flash *f, enum usb_status status, const uint8_t *data, size_t length,
	    uint64_t now_us)
{
	if (f->stage == FLASH_MAPS) {
		maps_ended(&f->maps, status, data, length);
		return;
	}
	if (!f->under_way)
		return;
	dfuse_ended(&f->dfuse, status, data, length, now_us);
	if (!dfuse_over(&f->dfuse))
		return;
	f->under_way = false;
	if (dfuse_failed(&f->dfuse))
		operation_failed(f);
	else
		operation_done(f);
}

/* ---- decisions from above ------------------------------------------------------------------- */

static void
open_windows(struct flash *f)
{
	const struct device *p = f->profile;

	for (uint8_t alt = 0; alt < DEVICE_ALTS_MAX; alt++) {
		uint32_t from = 0, to = UINT32_MAX;

		if (!f->maps.known[alt] || (p->family && alt != 0))
			continue;
		if (f->options.loader) {
			from = p->loader_addr;
			to = p->loader_addr + p->loader_bytes;
		} else if (alt == 0) {
			from = p->app_addr;
			if (p->family)
				to = CRAZYFLIE_FLASH_END + 1;
		}
		dfuse_allow(&f->dfuse, alt, from, to - from);
	}
}

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

static int
make_plan(struct flash *f, struct image *image, const char **why)
{
	const struct layout *maps[DEVICE_ALTS_MAX] = { 0 };
	struct plan_options options = { .compare = f->options.compare,
					.trust_blank = f->options.trust_blank,
					.block_bytes = f->descr.transfer_bytes,
					.write_protected = f->write_protected };
	struct device profile = *f->profile;

	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		maps[i] = f->maps.known[i] ? &f->maps.map[i] : NULL;
	if (f->options.loader)
		*why = turn_to_loader(image, &profile);
	if (*why != NULL)
		return -EPERM;
	return plan_new(image, &profile, maps, &options, &f->plan, why);
}

void
flash_run(struct flash *f, struct image *image)
{
	const char *why = NULL;
	int r;

	assert(f->stage == FLASH_PROBED);
	r = make_plan(f, image, &why);
	if (r < 0) {
		give_up(f, r == -ENOMEM ? FAULT_NO_MEMORY : FAULT_IMAGE, why);
		return;
	}
	open_windows(f);
	if (f->options.word && f->profile->family) {
		dfuse_allow_feature(&f->dfuse);
		enter(f, FLASH_FEATURE);
		return;
	}
	enter(f, FLASH_WORK);
}

void
flash_backup(struct flash *f, uint32_t addr, uint32_t bytes, uint8_t *backup)
{
	assert(f->stage == FLASH_PROBED && bytes > 0);
	f->backup_addr = addr;
	f->backup_bytes = bytes;
	f->backup = backup;
	enter(f, FLASH_BACKUP);
}

void
flash_only_leave(struct flash *f)
{
	assert(f->stage == FLASH_PROBED || f->stage == FLASH_WRITE_TURN);
	enter(f, FLASH_LEAVE_TURN);
}

void
flash_granted(struct flash *f)
{
	if (f->stage == FLASH_WRITE_TURN) {
		f->write_granted = true;
		enter(f, FLASH_WORK);
	} else if (f->stage == FLASH_LEAVE_TURN) {
		enter(f, f->profile->leave ? FLASH_LEAVE : FLASH_OVER);
	}
}
