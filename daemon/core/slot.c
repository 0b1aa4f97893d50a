/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/slot.h"

#include <assert.h>
#include <string.h>

#include "cfdfu/util.h"
#include "core/event.h"
#include "core/ident.h"
#include "core/outcome.h"

enum {
	FLAP_WINDOW_US = 60000000, /* doc/faults.md U19 */
	/* WHY: to estimate costs more than a transfer does; a percent is a tenth of a second. */
	PERCENT_KEPT_US = 50000,
};

/* ---- questions ------------------------------------------------------------------------------ */

bool
slot_is_candidate(const struct slot *s)
{
	return s->profile_count > 0;
}

bool
slot_is_running(const struct slot *s)
{
	return s->job != NULL && !job_published(s->job);
}

bool
slot_is_at_work(const struct slot *s)
{
	return slot_is_running(s) && !job_only_looks(s->job);
}

bool
slot_is_quarantined(const struct slot *s)
{
	return s->quarantine.port != PORT_QUARANTINE_NONE || s->quarantine.drone;
}

static bool
is_in_use(const struct slot *s)
{
	return s->present || s->job != NULL || s->queued || s->told.events != 0 ||
	       s->handle.dev != 0 || s->handle.closing_count > 0;
}

enum slot_worth
slot_worth(const struct slot *s)
{
	if (is_in_use(s) || s->quarantine.port != PORT_QUARANTINE_NONE)
		return SLOT_WORTH_KEEPING;
	if (s->label[0] != '\0')
		return SLOT_WORTH_LABEL;
	if (s->quarantine.failures > 0)
		return SLOT_WORTH_FAILURES;
	return s->ending.ended ? SLOT_WORTH_ENDING : SLOT_WORTH_NOTHING;
}

bool
slot_is_forgotten(const struct slot *s, uint64_t now_us)
{
	return s->left_us != 0 && now_us - s->left_us >= FLAP_WINDOW_US &&
	       slot_worth(s) == SLOT_WORTH_NOTHING;
}

bool
slot_has_not_begun(const struct slot *s)
{
	return s->job != NULL && job_stage(s->job) < JOB_ENDING && !job_touched(s->job) &&
	       !job_begun(s->job);
}

const char *
slot_serial(const struct slot *s)
{
	if (s->job != NULL && job_record(s->job)->serial[0] != '\0')
		return job_record(s->job)->serial;
	return s->sighting.serial;
}

const struct job_record *
slot_record(const struct slot *s)
{
	/* A job that only speaks to the drone learns nothing of what it is. */
	return s->job != NULL && job_kind_reboots(job_record(s->job)->kind) ? job_record(s->job)
									    : &s->ending.shown;
}

enum policy_answer
slot_ask_policy(const struct slot *s, const struct policy *p, struct policy_choice *ret_choice)
{
	const struct job_record *r = slot_record(s);
	bool runtime = ident_kind_of(&s->sighting) == IDENT_RUNTIME;
	struct policy_drone d = { .port = s->sighting.port,
				  .path = s->sighting.path,
				  .label = s->label,
				  .runtime_serial = r->serial,
				  .dfu_serial = r->dfu_serial,
				  .crtp = r->platform };

	if (d.runtime_serial[0] == '\0')
		d.runtime_serial = runtime ? s->sighting.serial : s->history.serial;
	if (d.dfu_serial[0] == '\0')
		d.dfu_serial = runtime ? s->history.dfu_serial : s->sighting.serial;
	if (d.crtp == PLATFORM_UNKNOWN)
		d.crtp = s->history.platform;
	return policy_choose(p, &d, ret_choice);
}

struct image *
slot_image(const struct slot *s, const struct policy *policy)
{
	struct policy_choice choice;

	return slot_ask_policy(s, policy, &choice) == POLICY_USE ? choice.image : NULL;
}

bool
slot_wants_another_image(const struct slot *s, const struct policy *policy)
{
	struct policy_choice choice;
	enum policy_answer answer = slot_ask_policy(s, policy, &choice);

	if (answer == POLICY_ASK_OTP)
		return true;
	return answer == POLICY_USE && !slot_is_done_with(s, choice.image);
}

bool
slot_is_done_with(const struct slot *s, const struct image *image)
{
	return s->ending.done &&
	       memcmp(image_label(image)->sha256, s->ending.sha256, IMAGE_SHA256_BYTES) == 0;
}

static bool
is_percent_kept(const struct slot *s, uint64_t now_us)
{
	return s->told.percent_us != 0 && now_us - s->told.percent_us < PERCENT_KEPT_US;
}

int
slot_percent(const struct slot *s, uint64_t now_us)
{
	uint64_t left, total;
	unsigned percent;

	if (!slot_is_at_work(s) || job_stage(s->job) == JOB_ASK ||
	    job_record(s->job)->kind == JOB_CHECKUP)
		return -1;
	/* WHY: estimates that are learned meanwhile change the sum; a bar must not go back.  The
	 * percent that is shown is kept already, or is kept before the next event can change it. */
	if (is_percent_kept(s, now_us))
		return (int)s->told.percent;
	job_estimate(s->job, now_us, s->told.boot_us, &left, &total);
	percent = total > left ? (unsigned)(100 - (left * 100 + total - 1) / total) : 0;
	percent = percent < 99 ? percent : 99;
	return (int)(percent > s->told.percent ? percent : s->told.percent);
}

/* ---- events --------------------------------------------------------------------------------- */

/* A device in DFU mode may be of the family, or what the operator described as such. */
static void
list_profiles(struct slot *s, const struct device *list, size_t count)
{
	s->profile_count = 0;
	for (size_t i = 0; i < count; i++)
		if (list[i].vid == s->sighting.vid && list[i].pid == s->sighting.pid &&
		    (list[i].family || (s->history.described_as & BIT(i)) != 0))
			s->profiles[s->profile_count++] = &list[i];
	/* WHY: a running drone is not in DFU mode yet, but will be. */
	if (ident_kind_of(&s->sighting) == IDENT_RUNTIME)
		s->profiles[s->profile_count++] = device_crazyflie();
}

void
slot_put(struct slot *s, const struct sighting *sighting, const struct drone_history *history,
	 const struct device *list, size_t count)
{
	s->sighting = *sighting;
	s->history = *history;
	s->present = true;
	s->quarantine.drone = history->quarantined;
	list_profiles(s, list, count);
	if (s->job != NULL)
		job_learn(s->job, sighting, history);
	if (!s->cause.known)
		s->cause.text[0] = '\0'; /* it is back: what took its neighbours has not taken it */
}

bool
slot_is_flapping(struct slot *s, uint64_t now_us)
{
	struct slot_quarantine *q = &s->quarantine;
	uint64_t oldest = q->arrivals_us[q->arrival_at];

	q->arrivals_us[q->arrival_at] = now_us;
	q->arrival_at = (q->arrival_at + 1) % SLOT_ARRIVALS;
	return oldest != 0 && now_us - oldest < FLAP_WINDOW_US;
}

void
slot_keep_percent(struct slot *s, uint64_t now_us)
{
	int percent;

	if (is_percent_kept(s, now_us))
		return;
	percent = slot_percent(s, now_us);
	if (percent < 0)
		return;
	s->told.percent = (unsigned)percent;
	s->told.percent_us = now_us;
}

void
slot_drop_device(struct slot *s)
{
	if (s->handle.dev == 0)
		return;
	assert(s->handle.closing_count < SLOT_CLOSES_MAX);
	s->handle.closing[s->handle.closing_count++] = s->handle.dev;
	s->handle.dev = 0;
}

void
slot_keep_record(struct job_record *copy, const struct job_record *r)
{
	*copy = *r;
	copy->image = NULL;
}

void
slot_forget_ending(struct slot *s)
{
	/* INVARIANT: a slot never shows the old verdict for a new device (doc/faults.md O3). */
	memset(&s->ending, 0, sizeof(s->ending));
	s->whole.decks_tried = s->whole.decks_written = 0;
	s->whole.nrf_wanted[0] = '\0';
	slot_forget_whole(s);
}

void
slot_forget_whole(struct slot *s)
{
	memset(&s->ending.shown.condition, 0, sizeof(s->ending.shown.condition));
	memset(&s->ending.shown.readiness, 0, sizeof(s->ending.shown.readiness));
	s->whole.due = false;
}

void
slot_keep_order(struct slot *s, const struct job_setup *order)
{
	struct job_setup old = s->whole.order;

	s->whole.ordered = order != NULL;
	s->whole.order = order != NULL ? *order : (struct job_setup){ .kind = JOB_UPDATE };
	if (s->whole.order.image != NULL)
		(void)image_ref(s->whole.order.image);
	if (s->whole.order.release != NULL)
		(void)image_ref(s->whole.order.release);
	image_unref(old.image);
	image_unref(old.release);
}

static void
note_nrf51(struct slot *s, const struct image *release)
{
	const struct image_part *part = image_part_for(release, "nrf51");

	/* WHY: a release without a word for its part has one version. */
	copy_text(s->whole.nrf_wanted, sizeof(s->whole.nrf_wanted),
		  part == NULL		     ? ""
		  : part->version[0] != '\0' ? part->version
					     : image_label(release)->version);
}

void
slot_end(struct slot *s, const struct job_record *r, const struct policy *policy)
{
	const struct image *with;

	slot_keep_record(&s->ending.shown, r);
	s->ending.ended = s->ending.done = true;
	memset(s->ending.sha256, 0, sizeof(s->ending.sha256));
	with = r->image != NULL ? r->image : slot_image(s, policy);
	note_nrf51(s, with);
	if (with != NULL && r->verdict.fault != FAULT_IMAGE_QUARANTINED)
		memcpy(s->ending.sha256, image_label(with)->sha256, sizeof(s->ending.sha256));
}

/* Is the drone of this record the one that is plugged in now?  Its history belongs to it alone. */
static bool
still_holds(const struct slot *s, const struct job_record *r)
{
	const char *serial = s->sighting.serial;

	if (!s->next.replaced)
		return true;
	if (ident_kind_of(&s->sighting) == IDENT_RUNTIME)
		return ident_runtime_runtime(r->serial, serial) == IDENT_SAME;
	return ident_dfu_dfu(r->dfu_serial, serial) == IDENT_SAME ||
	       ident_runtime_dfu(r->serial, serial) == IDENT_SAME;
}

void
slot_count(struct slot *s, const struct job_record *r, unsigned limit)
{
	struct slot_quarantine *q = &s->quarantine;

	if (r->verdict.kind == VERDICT_PASS || r->verdict.kind == VERDICT_UNCHANGED)
		q->failures = s->history.failures = 0;
	if (!verdict_counts_against(&r->verdict) || r->common)
		return;
	q->failures++;
	if (limit > 0 && q->failures >= limit && q->port == PORT_QUARANTINE_NONE) {
		q->port = PORT_QUARANTINE_FAILURES;
		s->told.events |= BIT(EVENT_QUARANTINED);
	}
	if (limit == 0 || !still_holds(s, r))
		return;
	s->history.failures++;
	/* WHY: the store counts the ports; this failure is perhaps on a new one, which it will know
	 * next time. */
	if (s->history.failures >= limit && s->history.failed_ports >= 2 && !q->drone) {
		q->drone = true;
		s->told.events |= BIT(EVENT_DRONE_QUARANTINED);
	}
}

void
slot_learn(struct slot *s, const struct job_record *r)
{
	if (still_holds(s, r))
		history_remember(&s->history, r);
	else if (history_interrupted_by(r->verdict.kind))
		/* WHY: a device without a serial may be the one that has just failed. */
		s->history.doubtful = true;
}

bool
slot_release(struct slot *s)
{
	/* WHY: releasing all slots does not do those again that are done. */
	if (!slot_is_quarantined(s))
		return false;
	memset(&s->quarantine, 0, sizeof(s->quarantine));
	s->history.failures = s->history.failed_ports = 0;
	s->told.revision++;
	return true;
}
