/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/history.h"

#include "core/ident.h"

/* A DFU serial is about this drone only if no other drone shows the same one (doc/protocol.md 1.3).
 */
static bool
tells(const struct drone_history *history, const struct sighting *s)
{
	return ident_kind_of(s) == IDENT_RUNTIME ||
	       (ident_dfu_serial_valid(s->serial) && !history->shares_dfu_serial);
}

struct drone_history
history_of(const struct drone_history *history, const struct sighting *s)
{
	if (tells(history, s))
		return *history;
	/* WHY: "interrupted" and doubt are said of the port where the serial says nothing. */
	return (struct drone_history){ .known = history->interrupted,
				       .interrupted = history->interrupted,
				       .doubtful = history->doubtful,
				       .shares_dfu_serial = history->shares_dfu_serial,
				       .described_as = history->described_as };
}

void
history_learn(struct drone_history *h, const struct drone_history *history,
	      const struct sighting *s)
{
	/* WHY: its run-time serial may be new to the records, and its DFU serial not. */
	if (history->known && history->interrupted && tells(history, s))
		h->doubtful = true;
}
