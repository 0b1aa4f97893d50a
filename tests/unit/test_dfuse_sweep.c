/* SPDX-License-Identifier: MIT */
/* Core/dfuse under every answer there can be, at every request of every operation. */
#include "config.h"

#include "core/dfuse.h"

#include "test.h"

#include "dfu_bench.h"

/*
 * Of one operation, whatever the device answers: a millisecond apart for the allowance of a write.
 */
#define REQUESTS_MAX 5200
#define DURATION_MAX_US 60000000ULL /* and how long it may take */
#define AT (DFU_FLASH + DFU_TRANSFER)

enum meeting { MET_IDLE, MET_ERROR, MET_BUSY, MET_LOADING, MET_UPLOADING, MET_COUNT };

/* One conversation: an operation, what came before it, and a misfortune. */
struct scene {
	enum dfuse_op op;
	enum meeting met;
	bool obey;
	struct fate fate;
};

static struct dfu_bench t;
static struct verdict failure;

static void
say(const struct scene *s, const char *what)
{
	char fate[128];

	fate_print(&s->fate, fate, sizeof(fate));
	fail_msg("operation %d met %d obey %d, %s: %s (fault %d after %u requests)", s->op, s->met,
		 s->obey, fate, what, failure.fault, t.requests);
}

static void
meet(const struct scene *s)
{
	struct drone_config c;

	dfu_config_init(&c);
	if (s->met == MET_BUSY) { /* for some questions, a millisecond apart */
		c.kind = DRONE_KIND_DNBUSY;
		c.timing.flash_permille = 4;
	}
	dfu_meet(&t, &c, s->obey);
	dfuse_allow_feature(&t.d);
	assert_int_equal(drone_load(t.b.d, AT, "what is read", s->op == DFUSE_OP_READ ? 12 : 0), 0);
	if (s->met == MET_ERROR)
		return;
	dfu_do(&t, DFUSE_OP_CLEAN, 0, 0);
	if (s->met == MET_LOADING)
		dfu_do(&t, DFUSE_OP_PROGRAM, DFU_FLASH, 16);
	else if (s->met == MET_UPLOADING)
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH, 16);
	else if (s->met == MET_BUSY)
		dfu_leave_in(&t, DFU_STATE_DNBUSY);
}

static void
play(const struct scene *s)
{
	struct dfuse_operation req = { s->op, 0, AT, 64, dfu_page };
	uint64_t began;

	meet(s);
	if (s->op == DFUSE_OP_FEATURE)
		req = (struct dfuse_operation){ s->op, 3, DFU_FEATURE, 4, dfu_page };
	assert_int_equal(drone_arm(t.b.d, &s->fate), 0);
	t.requests = t.questions = 0;
	t.d.counters = (struct dfuse_counters){ 0 };
	began = t.b.now;
	if (!dfu_try(&t, &req) || t.requests > REQUESTS_MAX)
		say(s, "it does not end");
	failure = dfuse_failure(&t.d);
	if (t.b.now - began > DURATION_MAX_US)
		say(s, "it takes too long");
	if (dfu_offence(&t) != NULL)
		say(s, dfu_offence(&t));
	if (dfuse_failed(&t.d) != (failure.fault != FAULT_NONE) ||
	    dfuse_failed(&t.d) != (failure.kind == VERDICT_FAIL))
		say(s, "a failure and its fault do not agree");
	if (t.d.counters.transfers != t.requests)
		say(s, "transfers are counted wrong");
}

/* Success means that it was done, the right number of times where that matters. */
static bool
was_done(const struct scene *s)
{
	const struct drone_counters *n = drone_counters(t.b.d);
	uint32_t length;

	switch (s->op) {
	case DFUSE_OP_ERASE:
		return n->sector_erases[1] > 0 && t.d.counters.erases == 1;
	case DFUSE_OP_PROGRAM:
		return t.d.counters.blocks_written == 1 && t.d.counters.bytes_written == 64 &&
		       dfu_flash_is(&t, AT, dfu_page, 64);
	case DFUSE_OP_READ:
		return t.d.counters.bytes_read == 64 &&
		       memcmp(dfuse_data(&t.d, &length), "what is read\xFF", 13) == 0;
	case DFUSE_OP_FEATURE:
		return n->feature_writes > 0;
	case DFUSE_OP_CLEAN:
		return drone_dfu_state(t.b.d) == DFU_STATE_IDLE;
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
every_scene(unsigned (*check)(const struct scene *plain, unsigned requests, unsigned questions))
{
	unsigned scenes = 0;

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		for (enum meeting met = 0; met < MET_COUNT; met++)
			for (int obey = 0; obey < 2; obey++) {
				struct scene s = { .op = ops[i], .met = met, .obey = obey };

				play(&s);
				if (dfuse_failed(&t.d))
					say(&s, "it fails without a reason");
				if (!was_done(&s))
					say(&s, "it was not done");
				scenes += check(&s, t.requests, t.questions);
			}
	return scenes;
}

/* ---- transfers that end badly ------------------------------------------------------------ */

static void
judge_transfer(const struct scene *s, enum fault fault)
{
	bool ever = s->fate.count > 1 || fault == FAULT_GONE || fault == FAULT_PROTECTED;

	if (drone_counters(t.b.d)->fates == 0)
		return;
	if (!dfuse_failed(&t.d)) {
		/* Silence of a device that leaves is no error. */
		if (ever && s->op != DFUSE_OP_LEAVE)
			say(s, "it succeeds against all odds");
		if (!was_done(s))
			say(s, "it was not done");
		return;
	}
	if (!ever)
		say(s, "one fault is too much for it");
	if (failure.fault != fault)
		say(s, "the wrong fault");
}

static unsigned
every_bad_transfer(const struct scene *plain, unsigned requests, unsigned questions)
{
	static const struct {
		struct fate fate;
		enum fault fault;
	} bad[] = {
		{ { .kind = FATE_STALL }, FAULT_STALL },
		{ { .kind = FATE_NO_ANSWER }, FAULT_SILENT },
		{ { .kind = FATE_LATE, .value = 200000, .has_value = true }, FAULT_SILENT },
		{ { .kind = FATE_EPROTO }, FAULT_BUS },
		{ { .kind = FATE_LOST_ACK }, FAULT_BUS },
		{ { .kind = FATE_DISCONNECT }, FAULT_GONE },
		{ { .kind = FATE_OVERFLOW }, FAULT_PROTOCOL },
		{ { .kind = FATE_NOMEM }, FAULT_NO_MEMORY },
		{ { .kind = FATE_STATUS, .on = FATE_ON_DNLOAD }, FAULT_REFUSED },
		{ { .kind = FATE_STATUS, .on = FATE_ON_DNLOAD, .value = 11, .has_value = true },
		  FAULT_PROTECTED },
	};
	struct scene s = *plain;
	unsigned played = 0;

	(void)questions;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		for (unsigned at = 1; at <= requests; at++)
			for (int ever = 0; ever < 2; ever++) {
				s.fate = bad[i].fate;
				s.fate.at = at;
				s.fate.count = ever ? UINT32_MAX : 1;
				play(&s);
				judge_transfer(&s, bad[i].fault);
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
is_fit(const struct scene *s, int state, int code)
{
	enum fault fault = failure.fault;

	/* A lie that leads to requests out of place ends in the device's own, true error. */
	if (fault == FAULT_REFUSED &&
	    (failure.dfu_status != code || code == DFU_STATUS_ERR_UNKNOWN))
		return true;
	switch (state) {
	case DFU_STATE_ERROR:
		if (fault == FAULT_NO_LEAVE)
			return s->op == DFUSE_OP_LEAVE;
		if (fault == FAULT_PROTECTED || fault == FAULT_REFUSED)
			return (code == DFU_STATUS_ERR_VENDOR) == (fault == FAULT_PROTECTED);
		return fault == FAULT_PROTOCOL || fault == FAULT_STALL;
	case DFU_STATE_DNBUSY:
		return fault == FAULT_STUCK || fault == FAULT_STALL;
	default:
		return fault == FAULT_PROTOCOL || fault == FAULT_STALL;
	}
}

static void
play_answer(struct scene *s, int state, int code, unsigned at, unsigned count)
{
	s->fate = (struct fate){ .kind = FATE_WRONG_STATE,
				 .on = FATE_ON_GETSTATUS,
				 .at = at,
				 .count = count,
				 .value = (uint32_t)(code << 8 | state),
				 .has_value = true };
	play(s);
}

static unsigned
every_answer(const struct scene *plain, unsigned requests, unsigned questions)
{
	static const unsigned counts[] = { 1, 2, UINT32_MAX };
	struct scene s = *plain;
	unsigned played = 0;

	(void)requests;
	if (s.obey && s.met != MET_IDLE)
		return 0; /* WHY: 40,000 conversations are enough */
	for (int state = 0; state <= 12; state++)
		for (int code = 0; code <= DFU_STATUS_COUNT; code++)
			for (unsigned i = 0; i < 3 * questions; i++) {
				int shown = state == 12 ? 255 : state;
				uint8_t told;

				play_answer(&s, shown, code, 1 + i / 3, counts[i % 3]);
				told = failure.dfu_status;
				if (dfuse_failed(&t.d) && !is_fit(&s, shown, code))
					say(&s, "the wrong fault");
				if (told != 0 && told != code && told != DFU_STATUS_ERR_UNKNOWN &&
				    (s.met != MET_ERROR || told != DFU_STATUS_ERR_FIRMWARE))
					say(&s, "a status that the device did not give");
				played++;
			}
	return played;
}

TEST(every_state_and_status_at_every_question_ends_with_a_fitting_fault)
{
	assert_true(every_scene(every_answer) > 10000);
}

static unsigned
every_error_that_stays(const struct scene *plain, unsigned requests, unsigned questions)
{
	struct scene s = *plain;
	unsigned played = 0;

	(void)requests;
	if (s.op == DFUSE_OP_LEAVE || s.op == DFUSE_OP_CLEAN)
		return 0;
	for (int code = 1; code <= DFU_STATUS_COUNT; code++)
		for (unsigned at = 1; at <= questions; at++) {
			play_answer(&s, DFU_STATE_DNLOAD_IDLE, code, at, UINT32_MAX);
			if (!dfuse_failed(&t.d))
				say(&s, "an operation over with an error counts as done");
			played++;
		}
	return played;
}

TEST(an_operation_that_is_over_with_an_error_status_is_not_done)
{
	assert_true(every_scene(every_error_that_stays) > 1000);
}

TEST_MAIN(NULL)
