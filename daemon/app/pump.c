/* SPDX-License-Identifier: MIT */
/* Events of the bus and the clock into the fleet, the fleet's commands out: the only place where
 * they meet. */
#include "config.h"

#include <errno.h>

#include "app/wake.h"
#include "app/app_parts.h"
#include "firmware/content.h"
#include "firmware/digest.h"

enum { WAKE_AHEAD_US = 2000000 };

static void
perform_digest(struct app *a, const struct request *c)
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];
	struct content content;

	digest_bytes(c->data, c->length, sha256);
	digest_format(sha256, text);
	content_read_bytes(c->data, c->length, c->addr, &content);
	fleet_digest(a->fleet, c->slot, text, content.loader);
}

static void
perform_open(struct app *a, const struct request *c)
{
	int r = usb_open(a->bus, c->dev, c->node, c->record->port);

	if (r < 0)
		fleet_opened(a->fleet, c->dev, r, NULL, 0, clock_now_us());
}

static void
perform_xfer(struct app *a, const struct request *c)
{
	int r = usb_submit(a->bus, c->dev, &c->xfer);

	if (r < 0)
		fleet_ended(a->fleet, c->dev,
			    r == -ENODEV   ? USB_GONE
			    : r == -ENOMEM ? USB_NOMEM
					   : USB_IO,
			    NULL, 0, clock_now_us());
}

static void
perform(struct app *a, const struct request *c)
{
	switch (c->kind) { /* NEVER: the first four stay inside the core */
	case REQUEST_NOTHING:
	case REQUEST_PAUSE:
	case REQUEST_PERMIT:
	case REQUEST_OVER:
		return;
	case REQUEST_OPEN:
		perform_open(a, c);
		return;
	case REQUEST_XFER:
		perform_xfer(a, c);
		return;
	case REQUEST_CLOSE:
		usb_close(a->bus, c->dev);
		return;
	case REQUEST_BEGIN:
		records_begin(a, c->slot, c->record);
		return;
	case REQUEST_END:
		records_end(a, c->slot, c->record);
		return;
	case REQUEST_DIGEST:
		perform_digest(a, c);
		return;
	case REQUEST_BACKUP:
		fleet_backed_up(a->fleet, c->slot, rescue_backup(a, c->slot, c));
		return;
	case REQUEST_EVENT:
		journal_note(a, &c->event);
		return;
	}
}

void
pump(struct app *a)
{
	enum loop_work before = turns_begin(&a->turns, LOOP_DEVICE);
	struct request c;
	uint64_t now_us, due_us;

	do {
		now_us = clock_now_us();
		/* INVARIANT: finite, each drone has a bounded number of commands between two
		 * events. */
		while (fleet_next(a->fleet, now_us, &c))
			perform(a, &c);
	} while (records_commit(a));
	due_us = fleet_deadline_us(a->fleet);
	/* What is due later is asked for later: the second's timer pumps, too. */
	if (due_us < now_us + WAKE_AHEAD_US)
		wake_at(a->wake, due_us);
	watchers_changed(a);
	turns_end(&a->turns, before);
}

/* ---- the bus -------------------------------------------------------------------------------- */

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct app *a = ctx;

	fleet_opened(a->fleet, id, error, descriptors, length, clock_now_us());
	pump(a);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_status status, const uint8_t *data, size_t length)
{
	struct app *a = ctx;
	enum loop_work before = turns_begin(&a->turns, LOOP_DEVICE);

	fleet_ended(a->fleet, id, status, data, length, clock_now_us());
	pump(a);
	turns_end(&a->turns, before);
}

static void
on_closed(void *ctx, uint64_t id)
{
	(void)ctx;
	(void)id; /* handles are numbered once and never used again */
}

void
pump_sighted(struct app *a, const struct sighting *s)
{
	enum loop_work before;
	struct drone_history history;
	struct log_about about;

	if (apply_slot(a, s->port, s->path) < 0) {
		about = journal_slot(a, s->port);
		log_say(a->log, LOG_ERR, &about, "not looked at, there are %d slots already",
			FLEET_SLOTS_MAX);
		return;
	}
	before = turns_begin(&a->turns, LOOP_STORE);
	place_sighted(a, s);
	records_history(a, s, &history);
	turns_end(&a->turns, before);
	fleet_sighted(a->fleet, s, &history, clock_now_us());
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	struct app *a = ctx;

	if (!apply_is_ours(a, s)) {
		apply_leave_outside(a, s);
		watchers_changed(a);
		return;
	}
	pump_sighted(a, s);
	pump(a);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct app *a = ctx;

	if (apply_gone_outside(a, port, arrival)) {
		watchers_changed(a);
		return;
	}
	fleet_gone(a->fleet, port, arrival, clock_now_us());
	pump(a);
}

const struct usb_callbacks pump_usb = { on_opened, on_ended, on_closed };
const struct watch_callbacks pump_watch = { on_sighted, on_gone };
