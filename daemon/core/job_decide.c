/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_decide.h"

#include "cfdfu/util.h"
#include "core/platform.h"
#include "core/runtime_session.h"

bool
job_kind_reboots(enum job_kind kind)
{
	return kind == JOB_UPDATE || kind == JOB_RECOVER_LOADER || kind == JOB_BACKUP;
}

static struct decision
skip(enum fault fault, const char *why)
{
	return (struct decision){ .kind = DECIDE_SKIP, .fault = fault, .why = why };
}

static struct policy_drone
policy_drone(const struct job_facts *k)
{
	return (struct policy_drone){ .port = k->record->port,
				      .path = k->setup->path,
				      .label = k->setup->label,
				      .runtime_serial = k->record->serial,
				      .dfu_serial = k->record->dfu_serial,
				      .crtp = k->record->platform };
}

/* ---- in run-time mode ----------------------------------------------------------------------- */

static bool
version_proves_it(const struct job_facts *k, const struct image *image)
{
	const struct image_label *label = image_label(image);
	const struct crtp_answers *a = k->answers;

	if (k->setup->options->skip != JOB_SKIP_VERSION || k->setup->force)
		return false;
	/* WHY: the text is a label; only a clean build of the same commit comes near to proof. */
	return label->version[0] != '\0' && strcmp(label->version, a->version) == 0 &&
	       a->build_known && !a->modified && label->revision[0] != '\0' &&
	       strcmp(label->revision, a->revision) == 0;
}

struct decision
job_decide_running(const struct job_facts *k)
{
	struct policy_drone d = policy_drone(k);
	struct policy_choice choice;

	if (!supervisor_allows_reboot(&k->record->condition))
		return (struct decision){ .kind = DECIDE_IDLE,
					  .why = "It flies, or is armed by hand, and is not "
						 "rebooted: when it is at rest, 'cfdfuctl retry "
						 "SLOT', or plug it in again." };
	if (k->setup->kind != JOB_UPDATE)
		return (struct decision){ .kind = DECIDE_GO_ON };
	switch (policy_choose(k->setup->policy, &d, &choice)) { /* NEVER: another value */
	case POLICY_USE:
		return (struct decision){ .kind = version_proves_it(k, choice.image)
						      ? DECIDE_UNCHANGED
						      : DECIDE_GO_ON,
					  .image = choice.image,
					  .platform = choice.platform };
	case POLICY_ASK_OTP:
		break;
	case POLICY_NO_IMAGE:
		return (struct decision){ .kind = DECIDE_IDLE, .why = choice.why };
	case POLICY_QUARANTINED:
		return (struct decision){ .kind = DECIDE_QUARANTINED, .image = choice.image };
	case POLICY_DISAGREE:
		return skip(FAULT_PLATFORM, choice.why);
	case POLICY_UNKNOWN:
		return skip(FAULT_PLATFORM_UNKNOWN, choice.why);
	}
	return (struct decision){ .kind = DECIDE_GO_ON };
}

bool
job_is_asked_again(const struct job_facts *k)
{
	struct policy_drone d = policy_drone(k);
	struct policy_choice choice;

	return k->setup->kind == JOB_UPDATE && policy_knows_flappers(k->setup->policy) &&
	       policy_choose(k->setup->policy, &d, &choice) == POLICY_ASK_OTP;
}

/* ---- in DFU mode ---------------------------------------------------------------------------- */

/* A drone that was found in DFU mode: may it be adopted? (doc/promises.md 1, promise 1) */
static bool
is_ours(const struct job_facts *k)
{
	bool known = k->history->known && !k->history->shares_dfu_serial && !k->record->no_serial;
	const struct dfu_probe *f = k->found;

	/* WHY: a begun attempt stays ours after a reset; a rescue was requested for this port. */
	if (k->sent_by_us || k->begun || k->history->interrupted || k->setup->kind != JOB_UPDATE)
		return true;
	switch (k->setup->options->adopt) {
	case JOB_ADOPT_NEVER:
		return false;
	case JOB_ADOPT_KNOWN:
		return known;
	case JOB_ADOPT_RECOGNISED:
		/* WHY: a blank OTP names nothing; any F405 board has one. */
		return known || !f->profile->family ||
		       (f->otp == DFU_OTP_TYPE && platforms_of_board(f->board) != 0);
	case JOB_ADOPT_PORT:
		return true;
	}
	return false;
}

bool
job_is_foreign(const struct job_facts *k)
{
	return !k->sent_by_us && !k->history->known && !k->history->interrupted && !k->begun &&
	       k->setup->kind == JOB_UPDATE && k->setup->options->adopt != JOB_ADOPT_PORT;
}

bool
job_is_barred(const struct job_facts *k)
{
	const struct image *image = k->record->image;

	return k->setup->kind == JOB_UPDATE && image != NULL && !k->modified &&
	       policy_quarantined(k->setup->policy, image_label(image)->sha256) != NULL;
}

/*
 * INVARIANT: the pinned image is held against the OTP itself, for the policy judges what is
 * selected now, which may be another image or none.
 */
static bool
pinned_image_fits(const struct image *pinned, const struct policy_drone *d, enum platform taken_for)
{
	unsigned fits = image_label(pinned)->platforms;

	if (d->board != 0 && d->crtp != PLATFORM_UNKNOWN && (d->board & BIT(d->crtp)) == 0)
		return false;
	if (fits == 0)
		return true;
	return (d->board == 0 || (fits & d->board) != 0) &&
	       (taken_for == PLATFORM_UNKNOWN || (fits & BIT(taken_for)) != 0);
}

static struct decision
decide_image(const struct job_facts *k)
{
	const struct dfu_probe *f = k->found;
	const struct image *pinned = k->record->image;
	struct policy_drone d = policy_drone(k);
	struct policy_choice choice;
	enum policy_answer answer;

	if (!f->profile->family)
		d.crtp = PLATFORM_OTHER;
	d.board_read = f->otp == DFU_OTP_TYPE ||
		       (f->otp == DFU_OTP_BLANK && (k->sent_by_us || k->history->known));
	/* SPEC: what the firmware assumes of a blank one (doc/protocol.md 9.4) */
	if (d.board_read)
		d.board = platforms_of_board(f->otp == DFU_OTP_TYPE ? f->board : "CF20");
	answer = policy_choose(k->setup->policy, &d, &choice);
	if (pinned != NULL && !pinned_image_fits(pinned, &d, choice.platform))
		return skip(FAULT_PLATFORM,
			    "the firmware that this attempt began with is for another platform "
			    "than the drone's OTP says");
	if (answer == POLICY_NO_IMAGE && pinned == NULL) {
		if (!k->touched) /* no image, no row: it has not begun */
			return (struct decision){ .kind = DECIDE_IDLE, .why = choice.why };
		return skip(FAULT_PLATFORM, choice.why);
	}
	if (job_is_barred(k) || (answer == POLICY_QUARANTINED && pinned == NULL))
		return (struct decision){ .kind = DECIDE_QUARANTINED, .image = choice.image };
	/* INVARIANT: a selection that changes under way does not change a running job. */
	if (answer == POLICY_USE || answer == POLICY_NO_IMAGE || answer == POLICY_QUARANTINED)
		return (struct decision){ .kind = DECIDE_GO_ON,
					  .image = answer == POLICY_USE ? choice.image : NULL,
					  .platform = choice.platform };
	return skip(answer == POLICY_DISAGREE ? FAULT_PLATFORM : FAULT_PLATFORM_UNKNOWN,
		    choice.why);
}

/* The rescue job does not ask for a platform. */
static struct decision
decide_rescue(const struct job_facts *k)
{
	if (!k->found->profile->family)
		return skip(FAULT_NONE,
			    "only a Crazyflie's boot loader is brought back; nothing was written");
	if (k->record->loader_recognised && !k->setup->force)
		return skip(FAULT_NONE,
			    "the boot loader there is in order; nothing was written. Use --force "
			    "to write it all the same");
	return (struct decision){ .kind = DECIDE_GO_ON, .image = k->setup->image };
}

struct decision
job_decide_in_dfu(const struct job_facts *k)
{
	bool family = k->found->profile->family;
	struct decision decision;

	if (!is_ours(k))
		return (struct decision){
			.kind = DECIDE_FOREIGN,
			.why = "A device in DFU mode of unknown origin: left alone. Plug it in "
			       "while it runs, or allow it with 'adopt' in the configuration."
		};
	if (k->setup->kind == JOB_BACKUP)
		return (struct decision){ .kind = DECIDE_GO_ON, .backup = true };
	if (k->setup->kind == JOB_RECOVER_LOADER)
		return decide_rescue(k);
	decision = decide_image(k);
	if (decision.kind != DECIDE_GO_ON)
		return decision;
	decision.backup = k->setup->options->backup && !k->history->known && family;
	if (family && k->found->loader_blank) {
		decision.kind = DECIDE_FAIL;
		decision.fault = FAULT_LOADER_BLANK;
	}
	return decision;
}

/* ---- the end -------------------------------------------------------------------------------- */

struct verdict
job_proven_verdict(enum job_kind kind, struct dfu_proof proof, int backup_error, enum step step)
{
	if (kind == JOB_BACKUP && backup_error < 0)
		return (struct verdict){ .kind = VERDICT_FAIL,
					 .fault = FAULT_STORAGE,
					 .step = STEP_BACKING_UP,
					 .sys_errno = -backup_error };
	if (kind == JOB_BACKUP)
		return (struct verdict){ .kind = VERDICT_UNCHANGED, .step = step };
	if (!proof.verified)
		return (struct verdict){ .kind = VERDICT_FAIL,
					 .fault = FAULT_VERIFY,
					 .step = STEP_VERIFYING };
	return (struct verdict){ .kind = proof.unchanged ? VERDICT_UNCHANGED : VERDICT_PASS,
				 .step = step };
}
