/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/history.h"

#include "cfdfu/util.h"
#include "core/attempt.h"
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

bool
history_interrupted_by(enum verdict_kind v)
{
	return v == VERDICT_FAIL || v == VERDICT_INTERRUPTED;
}

void
history_remember(struct drone_history *h, const struct job_record *r)
{
	h->known = true;
	h->interrupted = history_interrupted_by(r->verdict.kind);
	h->obey = h->obey || r->obey;
	if (r->platform != PLATFORM_UNKNOWN)
		h->platform = r->platform;
	if (r->serial[0] != '\0')
		copy_text(h->serial, sizeof(h->serial), r->serial);
	if (r->dfu_serial[0] != '\0')
		copy_text(h->dfu_serial, sizeof(h->dfu_serial), r->dfu_serial);
	if (r->loader_read)
		copy_text(h->loader_sha256, sizeof(h->loader_sha256), r->loader_sha256);
}
