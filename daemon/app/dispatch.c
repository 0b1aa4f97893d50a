/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "app/clock.h"
#include "app/recorder.h"
#include "app/services.h"
#include "app/turns.h"
#include "firmware/content.h"
#include "firmware/digest.h"

enum { WAKE_AHEAD_US = 2000000 };

struct dispatch {
	const struct services *sv;
	struct dispatch_options options;
	struct usb_bus *bus;
	bool running;
};

int
dispatch_new(const struct services *sv, const struct dispatch_options *options,
	     struct dispatch **ret_d)
{
	struct dispatch *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->options = *options;
	d->sv = sv;
	*ret_d = d;
	return 0;
}

void
dispatch_free(struct dispatch *d)
{
	free(d);
}

void
dispatch_set_bus(struct dispatch *d, struct usb_bus *bus)
{
	d->bus = bus;
}

/* ---- commands of the fleet ------------------------------------------------------------------ */

static void
perform_digest(struct dispatch *d, const struct request *c)
{
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];
	struct content content;

	digest_bytes(c->data, c->length, sha256);
	digest_format(sha256, text);
	content_read_bytes(c->data, c->length, c->addr, &content);
	fleet_digest(d->sv->fleet, c->slot, text, content.loader);
}

static void
perform_open(struct dispatch *d, const struct request *c)
{
	int r = usb_open(d->bus, c->dev, c->node, c->record->port);

	if (r < 0)
		fleet_opened(d->sv->fleet, c->dev, r, NULL, 0, clock_now_us());
}

static void
perform_xfer(struct dispatch *d, const struct request *c)
{
	int r = usb_submit(d->bus, c->dev, &c->xfer);

	if (r < 0)
		fleet_ended(d->sv->fleet, c->dev,
			    r == -ENODEV   ? USB_GONE
			    : r == -ENOMEM ? USB_NOMEM
					   : USB_IO,
			    NULL, 0, clock_now_us());
}

static void
tell(struct dispatch *d, const struct fleet_event *event)
{
	const struct dispatch_listener *l = d->options.listeners;

	for (size_t i = 0; i < DISPATCH_LISTENERS_MAX && l[i].tell != NULL; i++)
		l[i].tell(l[i].ctx, event);
}

static void
perform(struct dispatch *d, const struct request *c)
{
	switch (c->kind) { /* NEVER: the first four stay inside the core */
	case REQUEST_NOTHING:
	case REQUEST_PAUSE:
	case REQUEST_PERMIT:
	case REQUEST_OVER:
		return;
	case REQUEST_OPEN:
		perform_open(d, c);
		return;
	case REQUEST_XFER:
		perform_xfer(d, c);
		return;
	case REQUEST_CLOSE:
		usb_close(d->bus, c->dev);
		return;
	case REQUEST_BEGIN:
		recorder_begin(d->sv->recorder, c->slot, c->record);
		return;
	case REQUEST_END:
		recorder_end(d->sv->recorder, c->slot, c->record);
		return;
	case REQUEST_DIGEST:
		perform_digest(d, c);
		return;
	case REQUEST_BACKUP:
		fleet_backed_up(d->sv->fleet, c->slot, d->options.backup(d->options.ctx, c));
		return;
	case REQUEST_EVENT:
		tell(d, &c->event);
		return;
	}
}

/*
 * Carries out what the fleet wants.  commit: and makes durable what is queued; else that waits for
 * the next turn of the loop, with the records of all that happens in this one.
 */
static void
run(struct dispatch *d, bool commit)
{
	enum loop_work before = turns_begin(d->sv->turns, LOOP_DEVICE);
	struct request c;
	uint64_t now_us, due_us;

	assert(!d->running);
	d->running = true;
	do {
		now_us = clock_now_us();
		/* INVARIANT: finite, each drone has a bounded number of commands between two
		 * events. */
		while (fleet_next(d->sv->fleet, now_us, &c))
			perform(d, &c);
	} while (commit && recorder_commit(d->sv->recorder));
	d->running = false;
	due_us = recorder_wants_commit(d->sv->recorder) ? now_us : fleet_deadline_us(d->sv->fleet);
	/* A later deadline needs no timer yet: this is called at least each second. */
	if (due_us < now_us + WAKE_AHEAD_US)
		d->options.wake(d->options.ctx, due_us);
	d->options.ran(d->options.ctx);
	turns_end(d->sv->turns, before);
}

void
dispatch_run(struct dispatch *d)
{
	run(d, true);
}

void
dispatch_tick(struct dispatch *d)
{
	enum loop_work before = turns_begin(d->sv->turns, LOOP_DEVICE);

	fleet_tick(d->sv->fleet, clock_now_us());
	dispatch_run(d);
	turns_end(d->sv->turns, before);
}

/* ---- the bus -------------------------------------------------------------------------------- */

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct dispatch *d = ctx;

	fleet_opened(d->sv->fleet, id, error, descriptors, length, clock_now_us());
	run(d, false);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_status status, const uint8_t *data, size_t length)
{
	struct dispatch *d = ctx;
	enum loop_work before = turns_begin(d->sv->turns, LOOP_DEVICE);

	fleet_ended(d->sv->fleet, id, status, data, length, clock_now_us());
	run(d, false);
	turns_end(d->sv->turns, before);
}

static void
on_closed(void *ctx, uint64_t id)
{
	(void)ctx;
	(void)id; /* handles are numbered once and never used again */
}

const struct usb_callbacks dispatch_usb = { on_opened, on_ended, on_closed };

/* ---- the watch ------------------------------------------------------------------------------ */

void
dispatch_sighted(struct dispatch *d, const struct sighting *s)
{
	enum loop_work before = turns_begin(d->sv->turns, LOOP_STORE);
	bool ours = d->options.admit(d->options.ctx, s);
	struct drone_history history;

	if (ours)
		recorder_history(d->sv->recorder, s, &history);
	turns_end(d->sv->turns, before);
	if (ours)
		fleet_sighted(d->sv->fleet, s, &history, clock_now_us());
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	dispatch_sighted(ctx, s);
	run(ctx, false);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct dispatch *d = ctx;

	if (!d->options.dismiss(d->options.ctx, port, arrival))
		fleet_gone(d->sv->fleet, port, arrival, clock_now_us());
	run(d, false);
}

const struct watch_callbacks dispatch_watch = { on_sighted, on_gone };
