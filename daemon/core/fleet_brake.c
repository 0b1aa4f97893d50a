/* SPDX-License-Identifier: MIT */
/*
 * The brake: an image that harms several drones in a row stops the station (doc/promises.md 1,
 * promise 13).
 *
 *   falls      brake.h counts; the image is quarantined in the policy, the fleet is paused
 *   holds      jobs that wait for a permit go back to their beginning; running jobs that have
 *              erased nothing leave their drone as it is [job_is_barred]; those that have
 *              erased go on, for a half-written drone does not start either
 *   is lifted  fleet_resume(): the count restarts; the image stays quarantined until
 *              policy_release()
 *
 * LIMIT: drones that are past the erase when the first of them fails to start cannot be saved: of a
 * rack that was plugged in at one time that may be all.
 */
#include "config.h"

#include <string.h>

#include "core/fleet.h"
#include "core/fleet_internal.h"

const struct brake_run *
fleet_brake(const struct fleet *f)
{
	return f->fallen.fault != FAULT_NONE ? &f->fallen : NULL;
}

/* A job that only waits for a permit is no attempt yet; it would wait until the station resumes. */
void
fleet_call_back(struct fleet *f, const uint8_t *sha256, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slots.count; i++) {
		const struct slot *s = &f->slots.list[i];
		const struct job_record *r = s->job != NULL ? job_record(s->job) : NULL;

		if (r != NULL && slot_has_not_begun(s) &&
		    (sha256 == NULL ? r->kind == JOB_UPDATE
				    : r->image != NULL && memcmp(image_label(r->image)->sha256,
								 sha256, IMAGE_SHA256_BYTES) == 0))
			slots_begin_anew(&f->slots, i, now_us);
	}
}

static void
fall(struct fleet *f, const struct brake_run *run, uint64_t now_us)
{
	char reason[POLICY_REASON_MAX];
	unsigned last = run->count - 1;
	int slot = slots_add(&f->slots, run->drones[last].port);

	f->fallen = *run;
	brake_reason(run, reason);
	slots_pause(&f->slots, true);
	/* LIMIT: with POLICY_QUARANTINED_MAX images quarantined already, the pause has to do. */
	if (policy_quarantine(f->slots.policy, run->sha256, reason) == 0)
		fleet_call_back(f, run->sha256, now_us);
	if (slot >= 0) /* LIMIT: of a port that was remembered, and has no place now */
		slots_tell(&f->slots, (unsigned)slot, EVENT_BRAKE);
}

void
fleet_recall(struct fleet *f, const struct update_ending *e, uint64_t now_us)
{
	const struct brake_run *run = brake_ended(&f->brake, f->options.brake, e);

	if (run != NULL && policy_quarantined(f->slots.policy, run->sha256) == NULL)
		fall(f, run, now_us);
}
