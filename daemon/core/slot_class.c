/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/slot_class.h"

#include <assert.h>

#include "core/outcome.h"

/* The classes of endings are in the order of the verdicts. */
static enum slot_class
class_of_verdict(enum verdict_kind verdict)
{
	_Static_assert(SLOT_CLASS_INTERRUPTED - SLOT_CLASS_PASS ==
			   VERDICT_INTERRUPTED - VERDICT_PASS,
		       "one class for each verdict");
	return verdict == VERDICT_NONE
		   ? SLOT_CLASS_ABSENT
		   : (enum slot_class)(SLOT_CLASS_PASS + (verdict - VERDICT_PASS));
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
		[SLOT_CLASS_ABSENT] = "absent",	  [SLOT_CLASS_ACTIVE] = "active",
		[SLOT_CLASS_WAITING] = "waiting", [SLOT_CLASS_QUARANTINED] = "quarantined",
		[SLOT_CLASS_FOREIGN] = "foreign", [SLOT_CLASS_UNSERVED] = "unserved",
	};

	assert(c < SLOT_CLASS_COUNT);
	if (c >= SLOT_CLASS_PASS && c <= SLOT_CLASS_INTERRUPTED)
		return verdict_name((enum verdict_kind)(VERDICT_PASS + (c - SLOT_CLASS_PASS)));
	return names[c];
}
