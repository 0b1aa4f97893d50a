/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_checkup.h"

#include "cfdfu/util.h"
#include "core/checkup.h"

enum {
	GOES_WITHIN_US =
	    2000000,		 /* doc/beyond-dfu.md 6: an older nRF51 says yes and does nothing */
	HANDS_BACK_US = 3000000, /* WHY: it may have come up only now (doc/beyond-dfu.md 11.1) */
};

static void
check(struct attempt *a, struct runtime_session *runtime, uint64_t now_us)
{
	attempt_enter(a, JOB_CHECK, now_us);
	runtime_session_check(runtime);
}

static void
write(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
      uint64_t now_us)
{
	const char *why = job_write_init(k->write, k->setup, &a->record.condition);

	if (why != NULL) {
		attempt_end_idle(a, why, now_us);
		return;
	}
	attempt_enter(a, JOB_WRITE, now_us);
	runtime_session_memory(runtime, &k->write->engine);
}

void
checkup_begin(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
	      uint64_t now_us)
{
	if (k->setup->hands_back) {
		attempt_enter(a, JOB_SHOW, now_us);
		attempt_pause(a, now_us + HANDS_BACK_US);
		runtime_session_unlink(runtime);
	} else if (k->setup->kind == JOB_IDENTIFY) {
		attempt_enter(a, JOB_SHOW, now_us);
		runtime_session_light(runtime, CRTP_LIGHT_PASS);
	} else if (k->setup->kind != JOB_CHECKUP && a->record.condition.looked) {
		write(k, a, runtime, now_us);
	} else {
		check(a, runtime, now_us);
	}
}

static void
checked(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
	uint64_t now_us)
{
	struct job_record *r = &a->record;

	if (r->kind != JOB_CHECKUP) {
		write(k, a, runtime, now_us);
	} else if (checkup_wants_power_cycle(&r->condition, k->setup->options)) {
		attempt_enter(a, JOB_RESTART, now_us);
		a->rebooted = true;
		runtime_session_power_cycle(runtime);
	} else {
		attempt_end_idle(a, "", now_us);
	}
}

static void
written(struct attempt *a, const struct job_write *write_state, uint64_t now_us)
{
	const char *why;
	struct verdict v = job_write_verdict(write_state, &a->record.condition, &why);

	a->record.bytes_written += job_write_bytes(write_state);
	attempt_finish(a, v, why, now_us);
}

static void
ignored(struct attempt *a, uint64_t now_us)
{
	a->record.condition.power_cycle = POWER_CYCLE_IGNORED;
	attempt_end_idle(a, "", now_us);
}

void
checkup_follow(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
	       enum runtime_result result, uint64_t now_us)
{
	a->record.transfers += runtime_session_take_transfers(runtime);
	if (result == RUNTIME_UNDER_WAY)
		return;
	if (result == RUNTIME_GONE) {
		attempt_await_gone(a, now_us);
	} else if (a->stage == JOB_CHECK) {
		checked(k, a, runtime, now_us);
	} else if (a->stage == JOB_WRITE) {
		written(a, k->write, now_us);
	} else if (a->stage == JOB_SHOW) {
		attempt_end_idle(a, "Its light was shown.", now_us);
	} else if (result == RUNTIME_REQUESTED) {
		/* The bus decides: an older nRF51 answers and does nothing. */
		attempt_await(a, JOB_AWAIT_RESTART, runtime_session_left_at_once(runtime),
			      runtime_session_left_at_once(runtime)
				  ? checkup_return_us(&a->record.condition)
				  : GOES_WITHIN_US,
			      now_us);
	} else {
		ignored(a, now_us);
	}
}

void
checkup_returned(struct attempt *a, struct runtime_session *runtime, bool runs, uint64_t now_us)
{
	checkup_started_anew(&a->record.condition, true);
	if (runs)
		check(a, runtime, now_us);
	else
		attempt_end_idle(a, "", now_us);
}

void
checkup_is_late(struct attempt *a, uint64_t now_us)
{
	if (!a->vanished) {
		ignored(a, now_us);
		return;
	}
	a->record.condition.power_cycle = POWER_CYCLE_LOST;
	attempt_end_idle(a, "", now_us);
}
