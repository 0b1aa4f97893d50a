/* SPDX-License-Identifier: MIT */
/*
 * The brake: an image that harms one drone after the other stops the station (design, promise 13).
 *
 *   falls      brake.h counts; the image is set aside in the policy, the fleet is paused
 *   holds      jobs that wait for their turn go back to their beginning; those that are under way
 *              and have erased nothing leave their drone as it is [choose_barred]; those that have
 *              erased go on, for a drone that is left half written does not start either
 *   is lifted  fleet_resume(): the count begins anew; the image stays set aside until
 *              policy_release()
 *
 * LIMIT: drones that are past the erase when the first of them fails to start cannot be saved: of a
 * rack that was plugged in at one time that may be all.
 */
#include "config.h"

#include "core/fleet.h"
#include "core/fleet_parts.h"

const struct brake_run *
fleet_brake(const struct fleet *f)
{
	return f->fallen.fault != FAULT_NONE ? &f->fallen : NULL;
}

/* A job that only waits for its turn is no attempt yet; it would wait until the station resumes. */
static void
call_back(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct slot *s = &f->slots[i];
		const struct image *image = s->job != NULL ? job_record(s->job)->image : NULL;

		if (image != NULL && fleet_has_not_begun(s) &&
		    policy_aside(f->policy, image_label(image)->sha256) != NULL)
			fleet_begin_anew(f, i, now_us);
	}
}

static void
fall(struct fleet *f, const struct brake_run *run, uint64_t now_us)
{
	char reason[POLICY_REASON_MAX];
	unsigned last = run->count - 1;
	int slot = fleet_add_slot(f, run->drones[last].port);

	f->fallen = *run;
	brake_reason(run, reason);
	fleet_pause(f);
	/* LIMIT: with POLICY_ASIDE_MAX images set aside already, being paused has to do. */
	if (policy_set_aside(f->policy, run->sha256, reason) == 0)
		call_back(f, now_us);
	if (slot >= 0) /* LIMIT: of a port that was remembered, and has no place now */
		fleet_tell(f, (unsigned)slot, EVENT_BRAKE);
}

void
fleet_recall(struct fleet *f, const struct brake_ending *e, uint64_t now_us)
{
	const struct brake_run *run = brake_ended(&f->brake, f->options.brake, e);

	if (run != NULL && policy_aside(f->policy, run->sha256) == NULL)
		fall(f, run, now_us);
}

/* The verdict of this job may be told: does it stop the station? */
void
fleet_count_harm(struct fleet *f, const struct job_record *r, uint64_t now_us)
{
	/* A serial that others have, too, tells no drone from another. */
	struct brake_ending e = { .verdict = r->verdict.kind,
				  .fault = r->verdict.fault,
				  .step = r->verdict.step,
				  .serial = r->dup_serial ? "" : r->serial,
				  .dfu_serial = r->dup_serial || r->no_serial ? "" : r->dfu_serial,
				  .port = r->port };

	if (r->kind != JOB_UPDATE || r->image == NULL || r->common)
		return;
	e.sha256 = image_label(r->image)->sha256;
	e.firmware = image_label(r->image)->name;
	fleet_recall(f, &e, now_us);
}

bool
fleet_release_image(struct fleet *f, const uint8_t sha256[IMAGE_SHA256_BYTES], uint64_t now_us)
{
	if (!policy_release(f->policy, sha256))
		return false;
	brake_forget(&f->brake);
	fleet_selection_changed(f, now_us);
	return true;
}
