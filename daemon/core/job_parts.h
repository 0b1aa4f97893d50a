/* SPDX-License-Identifier: MIT */
/* Shared by job.c (life), job_talk.c (run-time mode) and job_visit.c (DFU mode); nobody else
 * includes it. */
#ifndef CORE_JOB_PARTS_H
#define CORE_JOB_PARTS_H

#include "core/job.h"

enum device_state { DEVICE_CLOSED, DEVICE_OPENING, DEVICE_OPEN };
enum begun { BEGUN_NO, BEGUN_ASKED, BEGUN_YES };

struct job {
	struct job_setup setup;
	struct job_options options; /* as they were when it began: setup.options points here */
	struct job_record record;
	struct drone_history history;
	enum job_stage stage;
	enum device_state device;
	enum begun begun;
	bool present;	 /* something is plugged in and is ours */
	bool in_flight;	 /* a transfer has been wanted and not ended */
	bool vanished;	 /* it left the bus, as it should, and we wait for it */
	bool own;	 /* we sent it into DFU mode ourselves */
	bool decided;	 /* which image, in DFU mode */
	bool started;	 /* has its place among the active (PERMIT_START) */
	bool verified;	 /* every byte of the image was read back equal */
	bool unchanged;	 /* ... without anything having been written */
	bool only_leave; /* second visit: it would not leave */
	bool foreign;
	bool touched;	   /* rebooted, erased or written */
	bool ended_wanted; /* REQUEST_END is out */
	bool published;
	bool digest_wanted, digest_done, backup_wanted, backup_done;
	bool waiting_permit;
	struct verdict reset_verdict; /* what the reset of the port was to cure; NONE: none */
	struct verdict parting;	      /* kind != NONE: how it ends once the drone runs again */
	const char *parting_why;
	uint8_t open_tries, request_tries, look_tries, come_back_tries, reset_tries, leave_tries,
	    confirm_tries, nomem_tries;
	bool request_error; /* the reboot request did not end with success */
	bool look;	    /* ask whether it is still there, before anything else */
	bool want_reset;
	uint64_t pause_until_us, deadline_us, attempt_deadline_us, permit_asked_us;
	uint64_t crowd_us; /* of deadline_us: for others that are on their way */
	uint64_t step_since_us;
	enum step last_step;
	uint64_t arrival;
	struct crtp_answers answers;
	struct crtp crtp;
	struct flash flash;
	uint8_t *backup;  /* buffer of a backup; NULL */
	int backup_error; /* negative errno: it could not be kept */
	uint32_t backup_bytes, backup_addr;
};

/* job.c */
void job_enter(struct job *j, enum job_stage stage, uint64_t now_us);
void job_finish(struct job *j, struct verdict v, const char *why, uint64_t now_us);
void job_fail(struct job *j, enum fault fault, enum step step, uint64_t now_us);
struct verdict job_backup_verdict(const struct job *j, enum step step);
void job_end_idle(struct job *j, const char *reason, uint64_t now_us);
void job_await_gone(struct job *j, uint64_t now_us); /* a transfer said so, the bus has not yet */

/* job_message.c */
void job_compose_message(struct job *j, const char *why);
/* Static: the host's trouble with a device in DFU mode that nothing is known of. */
const char *job_stranger_words(enum fault fault);
void job_stranger_unknown(const char *why, char *ret_text, size_t size);

/* job_talk.c: run-time mode */
void talk_begin_ask(struct job *j, uint64_t now_us);
void talk_begin_confirm(struct job *j, uint64_t now_us);
void talk_begin_light(struct job *j, uint64_t now_us);
void talk_next(struct job *j, uint64_t now_us, struct request *w);
void talk_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
		uint64_t now_us);
void talk_switch_next(struct job *j, uint64_t now_us, struct request *w);
void talk_on_deadline(struct job *j, uint64_t now_us);
bool talk_sighted_again(struct job *j, const struct sighting *s, uint64_t now_us);

/* job_choose.c: which image, and whether it still may be written */
void choose_use(struct job *j, struct image *image); /* pins it, if none is */
bool choose_image(struct job *j, uint64_t now_us);   /* false: it has ended, or is to leave */
/* Ends it as skipped; a drone that we sent into DFU mode starts its firmware again first. */
void choose_skip(struct job *j, enum fault fault, const char *why, uint64_t now_us);
/* Has anything been erased or written, on this visit or before? */
bool choose_has_written(const struct job *j);
/* Its image is set aside and nothing is erased yet: the drone is left as it is. */
bool choose_barred(const struct job *j);
/* ... with words.  image: which it would have been, where none is pinned. */
void choose_leave_aside(struct job *j, const struct image *image, uint64_t now_us);

/* job_visit.c: DFU mode */
void visit_begin(struct job *j, const struct sighting *s, uint64_t now_us);
void visit_opened(struct job *j, const uint8_t *descriptors, size_t length, uint64_t now_us);
void visit_next(struct job *j, uint64_t now_us, struct request *w);
void visit_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
		 uint64_t now_us);
void visit_on_deadline(struct job *j, uint64_t now_us);
void visit_account(struct job *j);
/* A stranger that the host's trouble keeps from being looked at: over, without an attempt. */
bool visit_host_failed(struct job *j, enum fault fault, uint64_t now_us);
void visit_left(struct job *j, uint64_t now_us);

#endif
