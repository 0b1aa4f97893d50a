/* SPDX-License-Identifier: MIT */
/*
 * The conversations with one drone while its firmware runs: the questions, the reboot request, the
 * questions again, the check-up, work on its memories, the light.  One task at a time; decides
 * nothing about what follows.
 *
 *   ASK, LIGHT, MEMORY       one CRTP conversation                        [conversation_over]
 *   POWER_CYCLE, UNLINK
 *   CONFIRM                  several: it is asked again where an answer   [is_asked_again]
 *                            may have been lost
 *   CHECK                    several: what is not known yet, until its    [is_checked_again]
 *                            self-test is over and its decks have started
 *   REBOOT                   one vendor request                           [requested]
 *   PING --> REBOOT          is it still there?  Then it is asked again   [pinged]
 *
 * INVARIANT: each retry is counted, over all tasks of a job; the rounds of CHECK by time.
 * INVARIANT: the link is given back between the rounds, and at every end.
 */
#ifndef CORE_RUNTIME_SESSION_H
#define CORE_RUNTIME_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/condition.h"
#include "core/crtp.h"
#include "core/request.h"

enum runtime_task {
	RUNTIME_IDLE,
	RUNTIME_ASK,
	RUNTIME_REBOOT,
	RUNTIME_PING,
	RUNTIME_CONFIRM,
	RUNTIME_LIGHT,
	RUNTIME_CHECK,
	RUNTIME_MEMORY,
	RUNTIME_POWER_CYCLE,
	RUNTIME_UNLINK,
};

enum runtime_result {
	RUNTIME_UNDER_WAY,
	RUNTIME_ANSWERED,  /* ASK, CONFIRM, CHECK: the answers are what they are; LIGHT: shown;
			      MEMORY: its engine is over, or was told of silence; UNLINK: done;
			      POWER_CYCLE: not requested: it cannot, or did not answer */
	RUNTIME_GONE,	   /* a transfer said so, the bus has not yet: runtime_session_crashed() */
	RUNTIME_REQUESTED, /* REBOOT, POWER_CYCLE: the bus decides whether it follows */
	RUNTIME_LEFT,	   /* PING: no answer, it must be on its way */
	RUNTIME_REFUSED,   /* PING: there, whatever is asked: runtime_session_refusal() */
};

/* Embedded in its owner; all members are private.  All zero before its first task. */
struct runtime_session {
	struct crtp crtp;
	struct crtp_answers answers; /* of ASK, and of the first round of CHECK */
	struct crtp_tocs *tocs;	     /* borrowed; NULL: none */
	struct condition *condition; /* borrowed; NULL: nothing of it is wanted */
	enum runtime_task task;
	enum runtime_result result;
	const char *expected; /* CONFIRM: this version, borrowed; "": any */
	uint8_t requests, pings, confirms, returns;
	bool request_error;		     /* the reboot request did not end with success */
	bool left_at_once;		     /* it was gone when that ended */
	unsigned topics;		     /* CHECK: those in hand */
	uint64_t check_since_us, settled_us; /* CHECK: began; the self-test was over.  0 not yet */
	uint64_t link_after_us;		     /* no link request before this */
	uint64_t pause_until_us;
	uint32_t transfers;
};

/*
 * For its life: tocs, where variables are in a build (shared, learned); condition, filled with all
 * that the drone says, its console's text too.  Both borrowed, NULL: none.
 */
void runtime_session_init(struct runtime_session *s, struct crtp_tocs *tocs,
			  struct condition *condition);

/*
 * It came to its bus in run-time mode; patience_us: not to be linked before that has passed, since
 * a firmware that is asked too early resets itself (doc/beyond-dfu.md 11.1).  Not told: no
 * patience.  The condition is left as it is.
 */
void runtime_session_appeared(struct runtime_session *s, uint32_t patience_us, uint64_t now_us);

/* Version, type, supervisor, battery; build: also which build it is. */
void runtime_session_ask(struct runtime_session *s, bool build);
void runtime_session_reboot(struct runtime_session *s);
void runtime_session_ping(struct runtime_session *s);
/* expected: a version that it is asked for more than once; borrowed; "": any will do. */
void runtime_session_confirm(struct runtime_session *s, const char *expected);
void runtime_session_light(struct runtime_session *s, enum crtp_light light);
/*
 * Everything that is only looked at: CRTP_CHECKUP, what is not known again and again until the
 * drone's self-test is over, with its decks and the battery some seconds longer.  A self-test that
 * is not passed after ten seconds has failed.  ANSWERED sets condition.looked.
 */
void runtime_session_check(struct runtime_session *s);
/* Operations of an engine (borrowed) within one hold of the link. */
void runtime_session_memory(struct runtime_session *s, const struct memory_engine *engine);
/* Looks for the memory that asks the nRF51 for it, and writes 02 at its address 3. */
void runtime_session_power_cycle(struct runtime_session *s);
/* Gives back the link that a conversation took which was cut off, or a daemon that died. */
void runtime_session_unlink(struct runtime_session *s);

/* REQUEST_NOTHING: the task is over. */
void runtime_session_next(struct runtime_session *s, uint64_t now_us, struct request *ret_request);
enum runtime_result runtime_session_ended(struct runtime_session *s, enum usb_status status,
					  const uint8_t *data, size_t length, uint64_t now_us);

/* Its answers when it was asked last, or while it is confirmed. */
const struct crtp_answers *runtime_session_answers(const struct runtime_session *s);
/* The link was taken and is not known to be given back: runtime_session_unlink() is due. */
bool runtime_session_linked(const struct runtime_session *s);
/*
 * The link was requested in this conversation, and nothing was answered: when it is gone now, it
 * was probably our question that reset it (doc/beyond-dfu.md 11.1).  Its next start fails its
 * self-test.
 */
bool runtime_session_crashed(const struct runtime_session *s);
/* The reboot request was answered by its leaving the bus. */
bool runtime_session_left_at_once(const struct runtime_session *s);
/* It came back in run-time mode.  True: it may be asked once more. */
bool runtime_session_may_ask_again(struct runtime_session *s) MUST_CHECK;
/* RUNTIME_REFUSED: how the job ends.  ret_why: static words beside it, or NULL. */
struct verdict runtime_session_refusal(const struct runtime_session *s, const char **ret_why);
/* Transfers since the last time it was asked. */
uint32_t runtime_session_take_transfers(struct runtime_session *s);

/* May it be rebooted, by what its supervisor says?  A drone that does not say is not held back. */
bool supervisor_allows_reboot(const struct condition *c);

#endif
