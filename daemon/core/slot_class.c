/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/slot_class.h"

#include <assert.h>

static enum slot_class
class_of_verdict(enum verdict_kind verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return SLOT_CLASS_PASS;
	case VERDICT_UNCHANGED:
		return SLOT_CLASS_UNCHANGED;
	case VERDICT_NEEDS_POWER_CYCLE:
		return SLOT_CLASS_NEEDS_POWER_CYCLE;
	case VERDICT_NEEDS_BUTTON:
		return SLOT_CLASS_NEEDS_BUTTON;
	case VERDICT_FAIL:
		return SLOT_CLASS_FAIL;
	case VERDICT_SKIPPED:
		return SLOT_CLASS_SKIPPED;
	case VERDICT_INTERRUPTED:
		return SLOT_CLASS_INTERRUPTED;
	case VERDICT_NONE:
	case VERDICT_COUNT:
		break;
	}
	return SLOT_CLASS_ABSENT;
}

enum slot_class
slot_class_of(const struct slot_facts *f)
{
	if (f->running)
		return SLOT_CLASS_ACTIVE;
	/* WHY before the verdict: nothing becomes of this slot until an operator releases it. */
	if (f->present && f->quarantined)
		return SLOT_CLASS_QUARANTINED;
	if (f->present && f->again)
		return SLOT_CLASS_WAITING;
	if (f->verdict != VERDICT_NONE || !f->present)
		return class_of_verdict(f->verdict);
	if (f->foreign)
		return SLOT_CLASS_FOREIGN;
	return f->held ? SLOT_CLASS_WAITING : SLOT_CLASS_UNSERVED;
}

bool
slot_class_failed(enum verdict_kind verdict)
{
	return verdict == VERDICT_FAIL || verdict == VERDICT_NEEDS_BUTTON ||
	       verdict == VERDICT_INTERRUPTED;
}

const char *
slot_class_name(enum slot_class c)
{
	static const char *const names[] = {
		[SLOT_CLASS_ABSENT] = "absent",
		[SLOT_CLASS_ACTIVE] = "active",
		[SLOT_CLASS_WAITING] = "waiting",
		[SLOT_CLASS_PASS] = "pass",
		[SLOT_CLASS_UNCHANGED] = "unchanged",
		[SLOT_CLASS_NEEDS_POWER_CYCLE] = "needs-power-cycle",
		[SLOT_CLASS_NEEDS_BUTTON] = "needs-button",
		[SLOT_CLASS_FAIL] = "fail",
		[SLOT_CLASS_SKIPPED] = "skipped",
		[SLOT_CLASS_INTERRUPTED] = "interrupted",
		[SLOT_CLASS_QUARANTINED] = "quarantined",
		[SLOT_CLASS_FOREIGN] = "foreign",
		[SLOT_CLASS_UNSERVED] = "unserved",
	};

	assert(c < SLOT_CLASS_COUNT);
	return names[c];
}
