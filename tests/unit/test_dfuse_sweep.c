/* SPDX-License-Identifier: MIT */
/* Core/dfuse under every answer there can be, at every request of every operation. */
#include "config.h"

#include "core/dfuse.h"

#include <string.h>

#include "test.h"

#include "dfuse_rom.h"

/*
 * Of one operation, whatever the device answers: a millisecond apart for the allowance of a write.
 */
#define REQUESTS_MAX 5200
#define DURATION_MAX_US 60000000 /* and how long it may take with 0.4 ms a transfer */

enum meeting { MET_IDLE, MET_ERROR, MET_BUSY, MET_LOADING, MET_UPLOADING, MET_COUNT };

/* One conversation: an operation, what came before it, and a twist. */
struct scene {
	enum dfuse_op op;
	enum meeting met;
	bool obey;
	struct twist twist;
};

struct outcome {
	bool ended;
	struct verdict failure;
	bool failed;
	unsigned requests, spoilt;
	struct rom rom;
	struct dfuse_counters counters;
};

static const uint8_t page[ROM_TRANSFER] = { 1, 2, 3 };

static void
say(const struct scene *s, const struct outcome *o, const char *what)
{
	fail_msg("operation %d met %d obey %d, answers %u to %u: transfer %d done %d, state %d, "
		 "status %d, poll %d: %s (fault %d after %u requests)",
		 s->op, s->met, s->obey, s->twist.at, s->twist.at + s->twist.count - 1,
		 s->twist.status, s->twist.done, s->twist.state, s->twist.code, s->twist.poll_ms,
		 what, o->failure.fault, o->requests);
}

static void
meet(struct dfuse *d, struct rom *rom, enum meeting met, uint64_t *now_us)
{
	struct dfuse_operation before = { DFUSE_OP_CLEAN, 0, ROM_WINDOW, 16, page };

	if (met == MET_ERROR) {
		rom->state = DFU_STATE_ERROR;
		rom->code = DFU_STATUS_ERR_WRITE;
		return;
	}
	dfuse_begin(d, &before, *now_us);
	assert_true(rom_talk(rom, d, now_us));
	if (met == MET_LOADING || met == MET_UPLOADING) {
		before.op = met == MET_LOADING ? DFUSE_OP_PROGRAM : DFUSE_OP_READ;
		dfuse_begin(d, &before, *now_us);
		assert_true(rom_talk(rom, d, now_us));
	} else if (met == MET_BUSY) {
		rom->state = DFU_STATE_DNBUSY;
		rom->busy_left = 3;
	}
	assert_false(dfuse_failed(d));
}

static void
play(const struct scene *s, struct outcome *o)
{
	struct dfuse_operation req = { s->op, 0, ROM_WINDOW + ROM_TRANSFER, 64, page };
	static struct dfuse d;
	struct pace pace;
	uint64_t now_us = 1000000, began;

	memset(o, 0, sizeof(*o));
	pace_init(&pace, s->obey);
	rom_init(&o->rom);
	dfuse_init(&d, ROM_TRANSFER, &pace);
	dfuse_allow(&d, 0, ROM_WINDOW, ROM_WINDOW_BYTES);
	dfuse_allow_feature(&d);
	meet(&d, &o->rom, s->met, &now_us);
	if (s->op == DFUSE_OP_FEATURE)
		req = (struct dfuse_operation){ s->op, 3, ROM_FEATURE, 4, page };
	o->rom.twist = s->twist;
	o->rom.requests = o->rom.questions = 0;
	d.counters = (struct dfuse_counters){ 0 };
	began = now_us;
	dfuse_begin(&d, &req, now_us);
	o->ended = rom_talk(&o->rom, &d, &now_us);
	o->failed = dfuse_failed(&d);
	o->failure = dfuse_failure(&d);
	o->requests = o->rom.requests;
	o->spoilt = o->rom.spoilt;
	o->counters = d.counters;
	if (!o->ended || o->requests > REQUESTS_MAX)
		say(s, o, "it does not end");
	if (now_us - began > DURATION_MAX_US)
		say(s, o, "it takes too long");
	if (o->rom.offence != NULL)
		say(s, o, o->rom.offence);
	if (o->failed != (o->failure.fault != FAULT_NONE) ||
	    o->failed != (o->failure.kind == VERDICT_FAIL))
		say(s, o, "a failure and its fault do not agree");
	if (o->counters.transfers != o->requests)
		say(s, o, "transfers are counted wrong");
}

/* Success means that it was done, the right number of times where that matters. */
static bool
was_done(const struct scene *s, const struct outcome *o)
{
	switch (s->op) {
	case DFUSE_OP_ERASE:
		return o->rom.erases > 0 && o->counters.erases == 1 &&
		       o->rom.last_addr == ROM_WINDOW + ROM_TRANSFER;
	case DFUSE_OP_PROGRAM:
		return o->rom.programs > 0 && o->counters.blocks_written == 1 &&
		       o->counters.bytes_written == 64 &&
		       o->rom.last_addr == ROM_WINDOW + ROM_TRANSFER;
	case DFUSE_OP_READ:
		return o->rom.uploads > 0 && o->counters.bytes_read == 64 &&
		       o->rom.last_addr == ROM_WINDOW + ROM_TRANSFER;
	case DFUSE_OP_FEATURE:
		return o->rom.programs > 0 && o->rom.last_addr == ROM_FEATURE;
	case DFUSE_OP_CLEAN:
		return o->rom.state == DFU_STATE_IDLE;
	case DFUSE_OP_NONE:
	case DFUSE_OP_SELECT:
	case DFUSE_OP_LEAVE:
		break;
	}
	return true;
}

static const enum dfuse_op ops[] = { DFUSE_OP_CLEAN, DFUSE_OP_SELECT,  DFUSE_OP_READ,
				     DFUSE_OP_ERASE, DFUSE_OP_PROGRAM, DFUSE_OP_FEATURE,
				     DFUSE_OP_LEAVE };

/* Calls back for every operation, from every beginning, in both ways of pacing. */
static unsigned
every_scene(unsigned (*check)(const struct scene *s, const struct outcome *plain))
{
	unsigned scenes = 0;

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		for (enum meeting met = 0; met < MET_COUNT; met++)
			for (int obey = 0; obey < 2; obey++) {
				struct scene s = { .op = ops[i], .met = met, .obey = obey };
				struct outcome o;

				s.twist.state = s.twist.code = s.twist.poll_ms = s.twist.length =
				    -1;
				play(&s, &o);
				if (o.failed)
					say(&s, &o, "it fails without a reason");
				if (!was_done(&s, &o))
					say(&s, &o, "it was not done");
				scenes += check(&s, &o);
			}
	return scenes;
}

/* ---- transfers that end badly ------------------------------------------------------------ */

static enum fault
fault_of_transfer(enum usb_status status)
{
	static const enum fault faults[USB_STATUS_COUNT] = {
		[USB_STALL] = FAULT_STALL,
		[USB_TIMEOUT] = FAULT_SILENT,
		[USB_IO] = FAULT_BUS,
		[USB_GONE] = FAULT_GONE,
		[USB_OVERFLOW] = FAULT_PROTOCOL,
		[USB_NOMEM] = FAULT_NO_MEMORY,
	};

	return faults[status];
}

static void
judge_transfer(const struct scene *s, const struct outcome *o)
{
	enum usb_status status = s->twist.status;
	bool ever = s->twist.count > 1;

	if (o->spoilt == 0)
		return;
	if (!o->failed) {
		/* Silence of a device that leaves is no error. */
		if ((ever || status == USB_GONE) && s->op != DFUSE_OP_LEAVE)
			say(s, o, "it succeeds against all odds");
		if (!was_done(s, o))
			say(s, o, "it was not done");
		return;
	}
	if (!ever && status != USB_GONE)
		say(s, o, "one fault is too much for it");
	if (o->failure.fault != fault_of_transfer(status))
		say(s, o, "the wrong fault");
}

static unsigned
every_bad_transfer(const struct scene *plain, const struct outcome *undisturbed)
{
	struct scene s = *plain;
	unsigned played = 0;

	for (enum usb_status status = USB_STALL; status < USB_STATUS_COUNT; status++)
		for (unsigned at = 0; at < undisturbed->requests; at++)
			for (int done = 0; done < 2; done++)
				for (unsigned count = 1; count <= ROM_FOREVER;
				     count += ROM_FOREVER - 1) {
					struct outcome o;

					s.twist.status = status;
					s.twist.at = at;
					/* A stall and an empty queue are answers, not losses. */
					s.twist.done =
					    done && status != USB_NOMEM && status != USB_STALL;
					s.twist.count = count;
					play(&s, &o);
					judge_transfer(&s, &o);
					played++;
				}
	return played;
}

TEST(a_failed_transfer_costs_a_try_and_a_lasting_failure_has_its_own_fault)
{
	assert_true(every_scene(every_bad_transfer) > 4000);
}

/* ---- answers to GETSTATUS ---------------------------------------------------------------- */

/* True if this fault is a correct report of the device's answer. */
static bool
is_fit(const struct scene *s, const struct verdict *failure)
{
	const struct twist *t = &s->twist;
	enum fault fault = failure->fault;

	/* A lie that leads to requests out of place ends in the device's own, true error. */
	if (fault == FAULT_REFUSED &&
	    (failure->dfu_status != t->code || t->code == DFU_STATUS_ERR_STALLEDPKT))
		return true;
	switch (t->state) {
	case DFU_STATE_ERROR:
		if (fault == FAULT_NO_LEAVE)
			return s->op == DFUSE_OP_LEAVE;
		if (fault == FAULT_PROTECTED || fault == FAULT_REFUSED)
			return (t->code == DFU_STATUS_ERR_VENDOR) == (fault == FAULT_PROTECTED);
		return fault == FAULT_PROTOCOL || fault == FAULT_STALL;
	case DFU_STATE_DNBUSY:
		return fault == FAULT_STUCK || fault == FAULT_STALL;
	default:
		return fault == FAULT_PROTOCOL || fault == FAULT_STALL;
	}
}

static unsigned
play_answer(struct scene *s, int state, int code, unsigned at, unsigned count)
{
	struct outcome o;

	s->twist = (struct twist){ .at = at,
				   .count = count,
				   .only_status = true,
				   .done = true,
				   .state = state,
				   .code = code,
				   .poll_ms = -1,
				   .length = -1 };
	play(s, &o);
	if (o.failed && !is_fit(s, &o.failure))
		say(s, &o, "the wrong fault");
	if (o.failed && o.failure.dfu_status != 0 && o.failure.dfu_status != code &&
	    o.failure.dfu_status != DFU_STATUS_ERR_STALLEDPKT)
		say(s, &o, "a status that the device did not give");
	return 1;
}

static unsigned
every_answer(const struct scene *plain, const struct outcome *undisturbed)
{
	struct scene s = *plain;
	unsigned played = 0;

	if (s.obey && s.met != MET_IDLE)
		return 0; /* WHY: 40,000 conversations are enough */
	for (int state = 0; state <= 12; state++)
		for (int code = 0; code <= DFU_STATUS_COUNT; code++)
			for (unsigned at = 0; at < undisturbed->rom.questions; at++) {
				int shown = state == 12 ? 255 : state;

				played += play_answer(&s, shown, code, at, 1);
				played += play_answer(&s, shown, code, at, 2);
				played += play_answer(&s, shown, code, at, ROM_FOREVER);
			}
	return played;
}

TEST(every_state_and_status_at_every_question_ends_with_a_fitting_fault)
{
	assert_true(every_scene(every_answer) > 10000);
}

static unsigned
every_error_that_stays(const struct scene *plain, const struct outcome *undisturbed)
{
	struct scene s = *plain;
	unsigned played = 0;

	(void)undisturbed;
	if (s.op == DFUSE_OP_LEAVE || s.op == DFUSE_OP_CLEAN)
		return 0;
	for (int code = 1; code <= DFU_STATUS_COUNT; code++)
		for (unsigned at = 0; at < undisturbed->rom.questions; at++) {
			struct outcome o;

			s.twist = (struct twist){ .at = at,
						  .count = ROM_FOREVER,
						  .only_status = true,
						  .done = true,
						  .state = DFU_STATE_DNLOAD_IDLE,
						  .code = code,
						  .poll_ms = -1,
						  .length = -1 };
			play(&s, &o);
			if (!o.failed)
				say(&s, &o, "an operation over with an error counts as done");
			played++;
		}
	return played;
}

TEST(an_operation_that_is_over_with_an_error_status_is_not_done)
{
	assert_true(every_scene(every_error_that_stays) > 1000);
}

TEST_MAIN(NULL)
