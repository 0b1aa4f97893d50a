/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_message.h"

#include "cfdfu/util.h"
#include "core/image.h"
#include "core/outcome.h"

static void
add_words(struct job_record *r, const char *before, const char *words, const char *after)
{
	size_t n = strlen(r->message);

	(void)snprintf(r->message + n, sizeof(r->message) - n, "%s%s%s", before, words, after);
}

/* An image for several memories: how each of them fared. */
static void
add_targets(struct job_record *r, const struct plan *plan)
{
	char words[96];
	unsigned targets = 0;
	bool failed = false; /* WHY: those after it were not begun: the plan goes one by one */

	for (uint8_t alt = 0; plan != NULL && alt < DEVICE_ALTS_MAX; alt++)
		targets += plan_target_verified(plan, alt) >= 0;
	for (uint8_t alt = 0; targets > 1 && alt < DEVICE_ALTS_MAX; alt++) {
		int verified = plan_target_verified(plan, alt);

		if (verified < 0)
			continue;
		(void)snprintf(words, sizeof(words), "target %u %s", alt,
			       verified > 0 ? "pass"
			       : failed	    ? "not begun"
					    : "fail");
		failed = failed || verified == 0;
		add_words(r, "; ", words, "");
	}
}

/* The rescue and reading jobs end well in words of their own; NULL: the common ones do. */
static const char *
special_message(const struct job_record *r)
{
	enum verdict_kind v = r->verdict.kind;
	bool well = v == VERDICT_PASS || v == VERDICT_UNCHANGED;

	switch (r->kind) {
	case JOB_RECOVER_LOADER:
		if (v == VERDICT_NEEDS_POWER_CYCLE)
			return "The boot loader is written and read back equal. Remove USB and the "
			       "battery, then "
			       "plug the drone in again; it is flashed then.";
		return well ? "The boot loader is in place, read back equal." : NULL;
	case JOB_BACKUP:
		if (v == VERDICT_NEEDS_POWER_CYCLE)
			return "Read; nothing was written. The drone did not restart by itself: "
			       "remove USB and "
			       "the battery, then plug it in again.";
		return well ? "Read; nothing was written." : NULL;
	case JOB_DECK:
		return v == VERDICT_PASS ? "The deck's firmware is written and read back equal."
		       : v == VERDICT_UNCHANGED ? "The deck already holds this firmware; nothing "
						  "was written."
						: NULL;
	case JOB_EEPROM:
		return v == VERDICT_PASS ? "The radio configuration is written and read back "
					   "equal; it counts from the drone's next start."
		       : v == VERDICT_UNCHANGED
			   ? "The drone already has this radio configuration; nothing was written."
			   : NULL;
	case JOB_UPDATE:
	case JOB_CHECKUP:
	case JOB_IDENTIFY:
	case JOB_KIND_COUNT:
		break;
	}
	return NULL;
}

const char *
job_message_unopened(enum fault fault)
{
	if (fault == FAULT_PERMISSION)
		return "A device in DFU mode that the station may not open: install the udev rule "
		       "that comes with it, then plug it in again.";
	if (fault == FAULT_BUSY)
		return "A device in DFU mode that another program holds: close that (dfu-util, "
		       "fwupd, a virtual machine), then retry.";
	if (fault == FAULT_NO_MEMORY)
		return "The computer had no memory left to look at this device in DFU mode: retry.";
	return "A device in DFU mode that cannot be opened: unplug it and plug it in again.";
}

void
job_message_foreign(const char *why, char *ret_text, size_t size)
{
	(void)snprintf(ret_text, size,
		       "A device in DFU mode that is left alone: %s. If it is a Crazyflie, unplug "
		       "it and plug it in while it runs; any other kind is described in a section "
		       "[device] of the configuration.",
		       why != NULL ? why : "it did not let itself be identified");
}

void
job_message_compose(struct job_record *r, const struct dfu_session *dfu, const char *why)
{
	struct verdict told = r->verdict;
	const struct verdict *v = &told;
	const struct device *p = dfu_session_found(dfu)->profile;

	bool own_words = true;

	/* WHY: of the STM32's firmware, which is whole, the steps would say that it is not. */
	if (r->kind == JOB_DECK || r->kind == JOB_EEPROM) {
		told.step = STEP_NONE;
		told.has_addr = false;
	}
	/* INVARIANT: the words promise no more than was seen. */
	if (v->kind == VERDICT_PASS && p != NULL && !p->family)
		copy_text(
		    r->message, sizeof(r->message),
		    "Flashed and read back equal; this kind of device cannot be asked what it "
		    "runs. It is safe to unplug.");
	else if (special_message(r) != NULL)
		copy_text(r->message, sizeof(r->message), special_message(r));
	else
		own_words = false;
	if (!own_words && p != NULL && !p->family)
		outcome_described_message(v, why, r->message, sizeof(r->message));
	else if (!own_words)
		outcome_message(v, why, r->message, sizeof(r->message));
	if (own_words && why != NULL)
		add_words(r, " (", why, ")");
	add_targets(r, dfu_session_plan(dfu));
	if (r->kind == JOB_UPDATE && (v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED) &&
	    r->image != NULL && image_part_count(r->image) > 0)
		add_words(r, " This is about its STM32; 'ready' is also about its nRF51 and decks",
			  ".", "");
	if (r->low_battery_mv != 0) {
		char words[64];

		(void)snprintf(words, sizeof(words), "%u.%02u V", r->low_battery_mv / 1000U,
			       r->low_battery_mv % 1000U / 10U);
		add_words(r, " Its battery was low when it began: ", words, ".");
	}
	if (r->kind == JOB_UPDATE && r->image != NULL && image_label(r->image)->incomplete)
		add_words(r, " ",
			  "Nothing shows that its image is whole: it was added with "
			  "--incomplete.",
			  "");
}

void
job_message_target(struct job_record *r, const char *deck)
{
	if (r->kind == JOB_DECK)
		(void)snprintf(r->target, sizeof(r->target), "deck:%s", deck);
	else
		copy_text(r->target, sizeof(r->target), r->kind == JOB_EEPROM ? "eeprom" : "stm32");
}

void
job_message_blame(struct job_record *r, const char *words)
{
	r->common = true;
	add_words(r, " ", words, "");
}

void
job_message_quarantined(const struct policy *policy, const struct image *image, char *ret_text,
			size_t size)
{
	const struct image_label *label = image_label(image);

	(void)snprintf(ret_text, size,
		       "Its firmware %s is set aside: %s. Select another, or lift that with "
		       "'cfdfuctl firmware release %s'.",
		       label->name, policy_quarantined(policy, label->sha256), label->name);
}
