/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/checkup.h"

#include "core/readiness.h"
#include "core/runtime_session.h"

enum {
	RETURN_US = 10000000,
	RETURN_WITH_AI_US = 15000000, /* its nRF51 waits 5 s for it (doc/beyond-dfu.md 1) */
};

bool
checkup_wants_power_cycle(const struct condition *c, const struct job_options *options)
{
	const struct readiness_facts k = { .verdict = VERDICT_NONE };

	return options->power_cycle && c->can_power_cycle && c->power_cycle == POWER_CYCLE_NONE &&
	       readiness_needs_power_cycle(c, &k, NULL) && supervisor_allows_reboot(c);
}

uint32_t
checkup_return_us(const struct condition *c)
{
	for (unsigned i = 0; i < c->deck_count; i++)
		if (strncmp(c->decks[i].name, "bcAI", 4) == 0)
			return RETURN_WITH_AI_US;
	return RETURN_US;
}

void
checkup_started_anew(struct condition *c, bool by_power)
{
	struct condition before = *c;

	memset(c, 0, sizeof(*c));
	/* The report of a crash is said once; power takes it away. */
	memcpy(c->crash, before.crash, sizeof(c->crash));
	if (by_power) {
		c->power_cycle = POWER_CYCLE_DONE;
		return;
	}
	c->deck_pending = before.deck_pending; /* it had no new power */
	c->decks_written = before.decks_written;
}
