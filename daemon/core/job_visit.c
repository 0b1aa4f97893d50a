/* SPDX-License-Identifier: MIT */
/* The part of a job that deals with the drone in DFU mode: probing, deciding, the flash
 * conversation, leaving. */
#include "config.h"

#include "core/job_parts.h"

#include <stdlib.h>

#include "cfdfu/util.h"
#include "core/ident.h"
#include "core/outcome.h"

enum {
	RESET_TRIES = 1,
	RESET_TIMEOUT_MS = 5000,
	BACKUP_BYTES_MAX = 0x1000000, /* LIMIT: the largest memory that is described */
};

/* Nothing that an earlier conversation decided or half did counts for the next one. */
static void
begin_anew(struct job *j)
{
	j->decided = false;
	j->backup_wanted = j->backup_done; /* half a copy is none */
}

void
visit_begin(struct job *j, const struct sighting *s, uint64_t now_us)
{
	const struct job_options *o = j->setup.options;
	struct flash_options options = {
		.profiles = j->setup.profiles,
		.profile_count = j->setup.profile_count,
		.leave_loader = o->leave_loader,
		.word = o->word,
		.compare = o->skip != JOB_SKIP_NEVER && !j->setup.force,
		/* WHY: an erase that was cut off can leave cells that read blank and are not
		   stable. */
		.trust_blank =
		    !j->history.doubtful && (!j->history.known || !j->history.interrupted),
		.own = j->own,
		.loader = j->setup.kind == JOB_RECOVER_LOADER,
	};
	struct pace pace;

	(void)now_us;
	pace_init(&pace, o->obey || j->record.obey);
	pace.stalls_early = j->record.obey;
	visit_account(j);
	flash_done(&j->flash);
	flash_init(&j->flash, &options, &pace);
	j->record.no_serial = !ident_dfu_serial_valid(s->serial);
	copy_text(j->record.dfu_serial, sizeof(j->record.dfu_serial), s->serial);
	j->vanished = false;
	begin_anew(j);
}

void
visit_opened(struct job *j, const uint8_t *descriptors, size_t length, uint64_t now_us)
{
	(void)now_us;
	flash_opened(&j->flash, descriptors, length);
}

/* Adds what the conversation counted to the record; its counters begin again. */
void
visit_account(struct job *j)
{
	struct flash *f = &j->flash;
	struct dfuse_counters *c = &f->dfuse.counters;

	j->record.bytes_written += c->bytes_written;
	j->record.sectors_erased += c->erases;
	j->record.transfers += c->transfers;
	j->record.recoveries += c->recoveries;
	j->record.obey = j->record.obey || f->dfuse.pace.stalls_early;
	j->record.word_refused = j->record.word_refused || f->word_refused;
	if (f->plan != NULL)
		j->record.repairs = plan_repairs(f->plan);
	memset(c, 0, sizeof(*c));
}

/* INVARIANT: the only place that says that every byte of the image was read back equal. */
static void
visit_verified(struct job *j)
{
	const struct plan *plan = j->flash.plan;

	if (plan == NULL || plan_phase(plan) != PLAN_DONE)
		return; /* a visit that only left the ROM proves nothing */
	j->verified = true;
	/* WHY: after a reset the plan begins anew, and finds what was written before it. */
	j->unchanged = plan_unchanged(plan) && !choose_has_written(j);
	/* What we brought back ourselves is no change to warn of. */
	if (j->setup.kind == JOB_RECOVER_LOADER && !j->unchanged)
		copy_text(j->record.loader_sha256, sizeof(j->record.loader_sha256),
			  j->setup.loader_sha256);
}

void
visit_left(struct job *j, uint64_t now_us)
{
	visit_verified(j);
	visit_account(j);
	job_enter(j, JOB_AWAIT_RUNTIME, now_us);
	j->deadline_us = now_us + j->setup.options->boot_timeout_us;
}

/* ---- deciding ------------------------------------------------------------------------------- */

static void
foreign(struct job *j, const char *reason, uint64_t now_us)
{
	visit_account(j);
	j->foreign = true;
	job_end_idle(j, reason, now_us);
}

/* A drone that was found in DFU mode: may it be adopted? (design promise 1) */
static bool
is_ours(const struct job *j)
{
	bool known = j->history.known && !j->history.shares_dfu_serial && !j->record.no_serial;
	const struct flash *f = &j->flash;

	/* WHY: no reset makes a stranger of what was begun; a rescue was asked for by name. */
	if (j->own || j->begun != BEGUN_NO || j->history.interrupted || j->setup.kind != JOB_UPDATE)
		return true;
	switch (j->setup.options->adopt) {
	case JOB_ADOPT_NEVER:
		return false;
	case JOB_ADOPT_KNOWN:
		return known;
	case JOB_ADOPT_RECOGNISED:
		/* WHY: a blank OTP names nothing; any F405 board has one. */
		return known || !f->profile->family ||
		       (f->otp == FLASH_OTP_TYPE && platforms_of_board(f->board) != 0);
	case JOB_ADOPT_PORT:
		return true;
	}
	return false;
}

/* The first memory as far as it is readable in one piece: past its end a ROM may hang. */
static void
find_backup_range(const struct layout *map, uint32_t *ret_addr, uint32_t *ret_bytes)
{
	struct sector s;
	bool more = layout_sector_at(map, map->runs[0].addr, &s); /* a map has a run at least */

	*ret_addr = map->runs[0].addr;
	*ret_bytes = 0;
	while (more && s.addr == *ret_addr + *ret_bytes && (s.access & LAYOUT_READABLE) != 0 &&
	       s.size <= BACKUP_BYTES_MAX - *ret_bytes) {
		*ret_bytes += s.size;
		more = layout_next_sector(map, &s, &s);
	}
}

/* INVARIANT: what a job needs is allocated before the first erase. */
static bool
prepare_backup(struct job *j, uint64_t now_us)
{
	if (j->backup != NULL)
		return true;
	find_backup_range(&j->flash.maps.map[0], &j->backup_addr, &j->backup_bytes);
	if (j->backup_bytes == 0) {
		job_fail(j, FAULT_IMAGE, STEP_PROBING, now_us);
		return false;
	}
	j->backup = malloc(j->backup_bytes);
	if (j->backup == NULL) {
		job_fail(j, FAULT_NO_MEMORY, STEP_PROBING, now_us);
		return false;
	}
	return true;
}

/* The rescue and reading jobs do not ask for a platform. */
static bool
prepare_special(struct job *j, uint64_t now_us)
{
	if (j->setup.kind == JOB_BACKUP)
		return prepare_backup(j, now_us);
	if (!j->flash.profile->family) {
		choose_skip(j, FAULT_NONE,
			    "only a Crazyflie's boot loader is brought back; nothing was written",
			    now_us);
		return false;
	}
	if (j->record.loader_recognised && !j->setup.force) {
		choose_skip(
		    j, FAULT_NONE,
		    "the boot loader there is in order; nothing was written. Use --force to write "
		    "it all the same",
		    now_us);
		return false;
	}
	choose_use(j, j->setup.image);
	return true;
}

static bool
wants_backup(const struct job *j)
{
	return j->setup.options->backup && !j->history.known && j->flash.profile->family;
}

/* FLASH_PROBED for the first time: everything that reading could tell is known. */
static void
decide(struct job *j, uint64_t now_us)
{
	const struct flash *f = &j->flash;

	copy_text(j->record.board, sizeof(j->record.board), f->board);
	if (!is_ours(j)) {
		foreign(j,
			"A device in DFU mode of unknown origin: left alone. Plug it in while it "
			"runs, or allow it with 'adopt' in the configuration.",
			now_us);
		return;
	}
	if (j->setup.kind == JOB_UPDATE) {
		if (!choose_image(j, now_us))
			return;
		if (f->profile->family && f->loader_blank) {
			job_fail(j, FAULT_LOADER_BLANK, STEP_PROBING, now_us);
			return;
		}
	} else if (!prepare_special(j, now_us)) {
		return;
	}
	if (j->setup.kind == JOB_UPDATE && wants_backup(j) && !prepare_backup(j, now_us))
		return;
	j->decided = true;
}

static void
want_permit(struct job *j, enum permit permit, uint64_t now_us, struct request *w)
{
	if (j->waiting_permit)
		return;
	j->waiting_permit = true;
	j->permit_asked_us = now_us;
	w->kind = REQUEST_PERMIT;
	w->permit = permit;
}

/* What has to be there before the first change: digest, row, backup. Then the plan begins. */
static void
probed_next(struct job *j, uint64_t now_us, struct request *w)
{
	struct flash *f = &j->flash;

	if (j->only_leave) {
		flash_only_leave(f);
		return;
	}
	if (f->profile->family && !j->digest_done) {
		if (!j->digest_wanted) {
			j->digest_wanted = true;
			w->kind = REQUEST_DIGEST;
			w->data = f->loader;
			w->addr = f->profile->loader_addr;
			w->length = FLASH_LOADER_BYTES;
		}
		return;
	}
	if (!j->decided)
		decide(j, now_us);
	if (j->only_leave) {
		flash_only_leave(f);
		return;
	}
	if (!j->decided)
		return;
	if (!j->started) {
		want_permit(j, PERMIT_START, now_us, w);
		return;
	}
	if (j->begun != BEGUN_YES) {
		if (j->begun == BEGUN_NO) {
			j->begun = BEGUN_ASKED;
			w->kind = REQUEST_BEGIN;
		}
		return;
	}
	if (j->backup != NULL && !j->backup_wanted) {
		j->backup_wanted = true;
		flash_backup(f, j->backup_addr, j->backup_bytes, j->backup);
		return;
	}
	if (j->backup != NULL && !j->backup_done) {
		w->kind = REQUEST_BACKUP;
		w->data = j->backup;
		w->length = j->backup_bytes;
		w->addr = w->app_addr = j->backup_addr;
		if (f->profile->app_addr - j->backup_addr < j->backup_bytes)
			w->app_addr = f->profile->app_addr;
		return;
	}
	if (j->setup.kind == JOB_BACKUP)
		flash_only_leave(f);
	else
		flash_run(f, j->record.image);
}

/* ---- the conversation ----------------------------------------------------------------------- */

/* Nothing but its being in DFU mode on an allowed port speaks for it, and that is not enough. */
static bool
is_stranger(const struct job *j)
{
	return !j->own && !j->history.known && !j->history.interrupted && j->begun == BEGUN_NO &&
	       j->setup.kind == JOB_UPDATE && j->setup.options->adopt != JOB_ADOPT_PORT;
}

/* INVARIANT: what could not be looked at gets no attempt: one that failed would make it ours. */
bool
visit_host_failed(struct job *j, enum fault fault, uint64_t now_us)
{
	if (j->stage != JOB_FLASH || j->decided || !is_stranger(j) ||
	    fault_class_of(fault) != CLASS_HOST)
		return false;
	job_end_idle(j, job_stranger_words(fault), now_us);
	return true;
}

/* Faults that a reset of the port can cure; the others are final. */
static bool
ladder_goes_on(struct job *j, enum fault fault)
{
	if (fault != FAULT_SILENT && fault != FAULT_STALL && fault != FAULT_STUCK &&
	    fault != FAULT_PROTOCOL && fault != FAULT_BUS)
		return false;
	return j->reset_tries++ < RESET_TRIES;
}

/* A drone that holds what it was to hold, or was not to be written, and only would not leave, has
 * not failed. */
static void
finish_failed(struct job *j, struct verdict v, const char *why, uint64_t now_us)
{
	if (v.step == STEP_LEAVING && j->parting.kind != VERDICT_NONE) {
		v = j->parting;
		why = "it would not leave DFU mode: remove USB and, if there is one, the battery, "
		      "then plug it in again";
	} else if (v.step == STEP_LEAVING && j->verified) {
		v.kind = VERDICT_NEEDS_POWER_CYCLE;
		v.fault = FAULT_NO_LEAVE;
	}
	job_finish(j, v, why, now_us);
}

static void
visit_failed(struct job *j, uint64_t now_us)
{
	struct verdict v = j->flash.verdict;

	if (v.fault == FAULT_GONE) {
		job_await_gone(j, now_us);
		return;
	}
	/* WHY: not ours and not understood is a stranger, not a failure; it is not reset either. */
	if (visit_host_failed(j, v.fault, now_us))
		return;
	if (is_stranger(j)) {
		char reason[JOB_MESSAGE_MAX];

		job_stranger_unknown(j->flash.why, reason, sizeof(reason));
		foreign(j, reason, now_us);
		return;
	}
	visit_verified(j);
	if (ladder_goes_on(j, v.fault)) {
		j->want_reset = true;
		j->reset_verdict = v;
		return;
	}
	finish_failed(j, v, j->flash.why, now_us);
}

/* It has no run-time mode that we know: what was read back is the proof. */
static void
finish_unasked(struct job *j, uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_PASS, .step = STEP_LEAVING };

	if (j->setup.kind == JOB_BACKUP)
		v = job_backup_verdict(j, STEP_LEAVING);
	else if (!j->verified)
		v = (struct verdict){ VERDICT_FAIL, FAULT_VERIFY, STEP_VERIFYING, 0, 0, 0, false };
	else if (j->unchanged)
		v.kind = VERDICT_UNCHANGED;
	job_finish(j, v, NULL, now_us);
}

static void
visit_over(struct job *j, uint64_t now_us)
{
	struct flash *f = &j->flash;

	if (f->verdict.kind != VERDICT_NONE) {
		visit_failed(j, now_us);
		return;
	}
	if (!f->profile->family) {
		visit_verified(j);
		finish_unasked(j, now_us);
		return;
	}
	visit_left(j, now_us);
}

static void
want_reset(struct request *w)
{
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){ .kind = USB_RESET, .timeout_ms = RESET_TIMEOUT_MS };
}

void
visit_next(struct job *j, uint64_t now_us, struct request *w)
{
	struct flash *f = &j->flash;

	if (now_us < j->pause_until_us) {
		w->kind = REQUEST_PAUSE;
		w->until_us = j->pause_until_us;
		return;
	}
	if (j->want_reset) {
		want_reset(w);
		return;
	}
	flash_next(f, now_us, w);
	if (w->kind == REQUEST_OVER) {
		w->kind = REQUEST_NOTHING;
		visit_over(j, now_us);
		if (j->want_reset)
			want_reset(w);
		return;
	}
	if (w->kind != REQUEST_NOTHING)
		return;
	if (flash_stage(f) == FLASH_PROBED) {
		probed_next(j, now_us, w);
		if (w->kind == REQUEST_NOTHING && flash_stage(f) != FLASH_PROBED)
			visit_next(j, now_us, w); /* at most once: it has left PROBED */
	} else if (flash_stage(f) == FLASH_WRITE_TURN) {
		want_permit(j, PERMIT_WRITE, now_us, w);
	} else if (flash_stage(f) == FLASH_LEAVE_TURN) { /* NEVER: another stage wants something */
		want_permit(j, PERMIT_LEAVE, now_us, w);
	}
}

static void
reset_ended(struct job *j, enum usb_status status, uint64_t now_us)
{
	j->want_reset = false;
	if (status == USB_OK) {
		flash_again(&j->flash);
		begin_anew(j);
		return;
	}
	if (status != USB_GONE) {
		finish_failed(j, j->reset_verdict, "a reset of the port did not help", now_us);
		return;
	}
	/* It did not come back as it was: perhaps it enumerates anew. */
	visit_account(j);
	job_enter(j, JOB_AWAIT_DFU, now_us);
	j->vanished = true;
	j->deadline_us = now_us + j->setup.options->dfu_timeout_us;
}

void
visit_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
	    uint64_t now_us)
{
	if (j->want_reset)
		reset_ended(j, status, now_us);
	else
		flash_ended(&j->flash, status, data, length, now_us);
	if (j->flash.dfuse.counters.erases > 0 || j->flash.dfuse.counters.blocks_written > 0)
		j->touched = true;
}
