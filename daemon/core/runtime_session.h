/* SPDX-License-Identifier: MIT */
/*
 * The conversations with one drone while its firmware runs: the questions, the reboot request, the
 * questions again, the light.  One task at a time; decides nothing about what follows.
 *
 *   ASK, CONFIRM, LIGHT      one CRTP conversation; CONFIRM has several    [conversation_over]
 *   REBOOT                   one vendor request                           [requested]
 *   PING --> REBOOT          is it still there?  Then it is asked again   [pinged]
 *
 * INVARIANT: each retry is counted, over all tasks of a job.
 */
#ifndef CORE_RUNTIME_SESSION_H
#define CORE_RUNTIME_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/crtp.h"
#include "core/request.h"

enum runtime_task {
	RUNTIME_IDLE,
	RUNTIME_ASK,
	RUNTIME_REBOOT,
	RUNTIME_PING,
	RUNTIME_CONFIRM,
	RUNTIME_LIGHT,
};

enum runtime_result {
	RUNTIME_UNDER_WAY,
	RUNTIME_ANSWERED,  /* ASK, CONFIRM: the answers are what they are; LIGHT: shown */
	RUNTIME_GONE,	   /* a transfer said so, the bus has not yet */
	RUNTIME_REQUESTED, /* REBOOT: the bus decides whether it follows */
	RUNTIME_LEFT,	   /* PING: no answer, it must be on its way */
	RUNTIME_REFUSED,   /* PING: there, whatever is asked: runtime_session_refusal() */
};

/* Embedded in its owner; all members are private.  All zero before its first task. */
struct runtime_session {
	struct crtp crtp;
	struct crtp_answers answers; /* of ASK */
	struct crtp_toc *toc;	     /* borrowed; NULL: none */
	enum runtime_task task;
	enum runtime_result result;
	const char *expected; /* CONFIRM: this version, borrowed; "": any */
	uint8_t requests, pings, confirms, returns;
	bool request_error; /* the reboot request did not end with success */
	bool left_at_once;  /* it was gone when that ended */
	uint64_t pause_until_us;
	uint32_t transfers;
};

/* build: also which build it is, by way of toc (borrowed, learned). */
void runtime_session_ask(struct runtime_session *s, bool build, struct crtp_toc *toc);
void runtime_session_reboot(struct runtime_session *s);
void runtime_session_ping(struct runtime_session *s);
/* expected: a version that it is asked for more than once; borrowed; "": any will do. */
void runtime_session_confirm(struct runtime_session *s, const char *expected);
void runtime_session_light(struct runtime_session *s, enum crtp_light light);

/* REQUEST_NOTHING: the task is over. */
void runtime_session_next(struct runtime_session *s, uint64_t now_us, struct request *ret_request);
enum runtime_result runtime_session_ended(struct runtime_session *s, enum usb_status status,
					  const uint8_t *data, size_t length, uint64_t now_us);

/* Its answers when it was asked last, or while it is confirmed. */
const struct crtp_answers *runtime_session_answers(const struct runtime_session *s);
/* The reboot request was answered by its leaving the bus. */
bool runtime_session_left_at_once(const struct runtime_session *s);
/* It came back in run-time mode.  True: it may be asked once more. */
bool runtime_session_may_ask_again(struct runtime_session *s) MUST_CHECK;
/* RUNTIME_REFUSED: how the job ends.  ret_why: static words beside it, or NULL. */
struct verdict runtime_session_refusal(const struct runtime_session *s, const char **ret_why);
/* Transfers since the last time it was asked. */
uint32_t runtime_session_take_transfers(struct runtime_session *s);

#endif
