/* SPDX-License-Identifier: MIT */
/*
 * The product's dispatch and recorder over the simulated world: its clock, its bus and its log are
 * here, and what the world reports waits here until the loop is free, as in a kernel.
 */
#include "config.h"

#include "flow/station.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/clock.h"
#include "app/dispatch.h"
#include "app/log.h"
#include "app/recorder.h"
#include "cfdfu/usb_port.h"
#include "core/ident.h"
#include "core/outcome.h"
#include "flow/station_parts.h"

#define WALL_MS 1767225600000 /* 2026-01-01 */
#define SECOND_US 1000000ULL

/*
 * WHY a variable of the file: clock, log and SQLite's VFS are free functions of the process, which
 * drives one station at a time.
 */
static struct station *current;

struct station *
shell_current(void)
{
	return current;
}

/* ---- clock and log ----------------------------------------------------------------------- */

uint64_t
clock_now_us(void)
{
	return station_now_us(current);
}

struct store_time
clock_time(const struct clock *c)
{
	int64_t now_ms = (int64_t)(clock_now_us() / 1000);

	(void)c;
	return (struct store_time){ .wall_ms = WALL_MS + now_ms,
				    .mono_ms = now_ms,
				    .boot_id = "flow",
				    .synchronised = true };
}

uint64_t
shell_virtual_us(int64_t wall_ms)
{
	return (uint64_t)(wall_ms - WALL_MS) * 1000;
}

void
log_say(struct log *l, int priority, const struct log_about *about, const char *format, ...)
{
	va_list args;

	(void)l;
	(void)priority;
	if (!current->options.verbose)
		return;
	printf("%9.3f s  %-6s ", (double)clock_now_us() / 1e6, about != NULL ? about->port : "");
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* ---- bus --------------------------------------------------------------------------------- */

static struct seat *
seat_of_dev(struct station *s, uint64_t dev)
{
	for (size_t i = 0; i < s->seat_count; i++)
		if (s->seats[i].dev == dev)
			return &s->seats[i];
	return NULL;
}

int
usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port)
{
	uint64_t arrival = world_node_arrival(node);
	int r;

	(void)bus;
	check_open(current, station_seat(current, port), id, arrival);
	r = world_open(current->world, id, arrival);
	if (r < 0)
		station_break(current, "I15: an open on %s is refused: %d", port, r);
	return r;
}

int
usb_submit(struct usb_bus *bus, uint64_t id, const struct usb_xfer *xfer)
{
	struct station *s = current;
	struct seat *seat = seat_of_dev(s, id);
	struct request c = { .kind = REQUEST_XFER, .dev = id, .xfer = *xfer };
	int r;

	(void)bus;
	if (seat == NULL) {
		station_break(s, "I11: a transfer without an open handle");
		return -ENODEV;
	}
	check_xfer(s, seat, xfer);
	c.slot = (unsigned)fleet_find(s->fleet, seat->port);
	if (s->on_submit != NULL)
		s->on_submit(s->on_submit_ctx, &c);
	r = world_submit(s->world, id, xfer);
	if (r < 0 && r != -ENODEV)
		station_break(s, "I11: a transfer on %s is refused: %d", seat->port, r);
	seat->in_flight = r == 0;
	return r;
}

void
usb_close(struct usb_bus *bus, uint64_t id)
{
	struct seat *seat = seat_of_dev(current, id);

	(void)bus;
	if (seat == NULL)
		station_break(current, "I11: a handle is closed that is not open");
	else
		seat->dev = 0;
	world_close(current->world, id);
}

/* ---- the world's reports, as the kernel keeps them --------------------------------------- */

static struct report *
add_report(struct station *s, enum report_kind kind)
{
	struct report *r;

	if (s->report_end == STATION_REPORTS_MAX) {
		station_break(s, "more than %d reports wait", STATION_REPORTS_MAX);
		s->report_end--;
	}
	r = &s->reports[s->report_end++];
	r->kind = kind;
	return r;
}

static void
on_sighted(void *ctx, const struct sighting *sighting)
{
	add_report(ctx, REPORT_SIGHTED)->sighting = *sighting;
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct report *r = add_report(ctx, REPORT_GONE);

	copy_text(r->sighting.port, sizeof(r->sighting.port), port);
	r->sighting.arrival = arrival;
}

static void
keep_bytes(struct report *r, const uint8_t *data, size_t length)
{
	r->length = data != NULL ? length : 0;
	r->has_data = data != NULL;
	if (data != NULL)
		memcpy(r->data, data, length);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct report *r = add_report(ctx, REPORT_OPENED);

	r->id = id;
	r->error = error;
	keep_bytes(r, descriptors, length);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct report *r = add_report(ctx, REPORT_ENDED);

	(void)kind;
	r->id = id;
	r->status = status;
	keep_bytes(r, data, length);
	r->length = length;
}

const struct world_callbacks shell_world = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
};

/* The history of a drone when it shows itself; a running job keeps what it was told before. */
static void
learn(struct seat *seat, const struct sighting *sighting, const struct drone_history *history,
      bool active)
{
	bool tells = ident_kind_of(sighting) != IDENT_DFU ||
		     (ident_dfu_serial_valid(sighting->serial) && !history->shares_dfu_serial);

	seat->interrupted_last = history->interrupted;
	if (active) {
		seat->interrupted = seat->interrupted || (tells && history->interrupted);
		return;
	}
	seat->known = history->known && tells;
	seat->interrupted = history->interrupted;
}

static void
deliver_sighted(struct station *s, const struct sighting *sighting)
{
	struct drone_history history;
	struct slot_view v;

	recorder_history(s->recorder, sighting, &history);
	learn(station_seat(s, sighting->port), sighting, &history,
	      station_view(s, sighting->port, &v) && v.active);
	dispatch_watch.sighted(s->dispatch, sighting);
}

static void
deliver_gone(struct station *s, const struct sighting *gone)
{
	struct seat *seat = station_seat(s, gone->port);

	if (seat->arrival == gone->arrival)
		seat->gone = true;
	dispatch_watch.gone(s->dispatch, gone->port, gone->arrival);
}

static void
deliver_opened(struct station *s, const struct report *r)
{
	struct seat *seat = seat_of_dev(s, r->id);

	if (seat != NULL) {
		seat->opened = r->error == 0;
		if (r->error < 0)
			seat->dev = 0;
	}
	dispatch_usb.opened(s->dispatch, r->id, r->error, r->has_data ? r->data : NULL, r->length);
}

static void
deliver_ended(struct station *s, const struct report *r)
{
	struct seat *seat = seat_of_dev(s, r->id);

	/* CONTRACT: a transfer of a handle that was closed meanwhile is not reported. */
	if (seat == NULL)
		return;
	seat->in_flight = false;
	dispatch_usb.ended(s->dispatch, r->id, r->status, r->has_data ? r->data : NULL, r->length);
}

void
shell_deliver(struct station *s)
{
	while (s->report_next < s->report_end && s->broken[0] == '\0') {
		const struct report *r = &s->reports[s->report_next++];

		if (r->kind == REPORT_SIGHTED)
			deliver_sighted(s, &r->sighting);
		else if (r->kind == REPORT_GONE)
			deliver_gone(s, &r->sighting);
		else if (r->kind == REPORT_OPENED)
			deliver_opened(s, r);
		else
			deliver_ended(s, r);
	}
	s->report_next = s->report_end = 0;
}

/* ---- callbacks of dispatch and the recorder ---------------------------------------------- */

static bool
admit(void *ctx, const struct sighting *s)
{
	(void)ctx;
	(void)s;
	return true;
}

static bool
dismiss(void *ctx, const char *port, uint64_t arrival)
{
	(void)ctx;
	(void)port;
	(void)arrival;
	return false;
}

static int
backup(void *ctx, const struct request *c)
{
	(void)ctx;
	(void)c;
	return 0;
}

static void
wake(void *ctx, uint64_t at_us)
{
	struct station *s = ctx;

	if (at_us < s->wake_us)
		s->wake_us = at_us;
}

static void
ran(void *ctx)
{
	(void)ctx;
}

static const char *
label(void *ctx, const char *port)
{
	(void)ctx;
	(void)port;
	return NULL;
}

static unsigned
described_as(void *ctx, const struct sighting *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static void
health(void *ctx)
{
	(void)ctx;
}

static void
on_port(void *ctx, const struct store_port *p)
{
	struct station *s = ctx;

	if (fleet_recall_port(s->fleet, p->port, p->failures,
			      p->quarantined_ms != 0 ? PORT_QUARANTINE_FAILURES
						     : PORT_QUARANTINE_NONE) < 0)
		station_break(s, "I15: no slot for port %s", p->port);
}

static int
load(void *ctx)
{
	struct station *s = ctx;
	int r = store_port_each(s->store, on_port, s);

	return r < 0 ? r : 0;
}

static void
quarantine_tell(void *ctx, const struct fleet_event *e)
{
	struct station *s = ctx;
	struct store_time now = clock_time(NULL);
	struct seat *seat;

	if (e->kind == EVENT_BRAKE)
		s->braked = true;
	if (e->kind != EVENT_QUARANTINED && e->kind != EVENT_DRONE_QUARANTINED)
		return;
	seat = station_seat_of_slot(s, e->slot);
	seat->aside = true;
	whole_quarantined(s, seat->port);
	/* WHY: a full queue of a disk that takes nothing refuses, and then nothing is kept. */
	if (e->kind == EVENT_QUARANTINED)
		(void)!store_port_quarantine(s->store, seat->port, "failures in a row", &now);
	else if (e->record->serial[0] != '\0')
		(void)!store_drone_quarantine(s->store, e->record->serial,
					      "failed on several ports", &now);
}

static void
ending_tell(void *ctx, const struct fleet_event *e)
{
	struct station *s = ctx;

	if (e->kind != EVENT_ENDED &&
	    (e->kind != EVENT_SPECIAL_ENDED || e->record->verdict.kind == VERDICT_NONE))
		return;
	check_told(s, e);
	brake_told(s, e->record);
	batch_told(s);
	station_mix(s, (uint64_t)e->record->verdict.kind * 1000 + e->record->verdict.fault);
	if (e->record->verdict.kind == VERDICT_PASS)
		s->flashes++;
	if (s->options.verbose)
		printf("%9.3f s  %-6s attempt %d %s: %s\n", (double)station_now_us(s) / 1e6,
		       e->record->port, (int)e->record->id, verdict_name(e->record->verdict.kind),
		       e->record->message);
}

/* ---- life -------------------------------------------------------------------------------- */

void
shell_start(struct station *s, bool fresh)
{
	struct recorder_options recorder = { .label = label,
					     .described_as = described_as,
					     .load = load,
					     .health = health,
					     .ctx = s };
	struct dispatch_options dispatch = { .admit = admit,
					     .dismiss = dismiss,
					     .backup = backup,
					     .wake = wake,
					     .ran = ran,
					     .ctx = s };

	current = s;
	s->wake_us = WORLD_NEVER;
	s->report_next = s->report_end = 0;
	if (fresh)
		disk_reset(s);
	disk_open(s);
	s->sv = (struct services){ .fleet = s->fleet, .store = s->store, .turns = &s->turns };
	if (recorder_new(&s->sv, &recorder, &s->recorder) < 0)
		abort();
	s->sv.recorder = s->recorder;
	dispatch.listeners[0] = (struct dispatch_listener){ recorder_tell, s->recorder };
	dispatch.listeners[1] = (struct dispatch_listener){ quarantine_tell, s };
	dispatch.listeners[2] = (struct dispatch_listener){ ending_tell, s };
	if (dispatch_new(&s->sv, &dispatch, &s->dispatch) < 0)
		abort();
	recorder_start(s->recorder);
	disk_look(s);
}

void
shell_stop(struct station *s, enum disk_end end)
{
	current = s;
	dispatch_free(s->dispatch);
	recorder_free(s->recorder);
	s->dispatch = NULL;
	s->recorder = NULL;
	disk_close(s, end);
	current = NULL;
}

/* Is there anything that waits for the clock alone? */
static bool
needs_seconds(const struct station *s)
{
	return fleet_deadline_us(s->fleet) != FLEET_NEVER || !recorder_loaded(s->recorder) ||
	       store_queued(s->store) != store_durable(s->store) ||
	       store_health(s->store, NULL) == STORE_DEGRADED;
}

uint64_t
shell_due_us(struct station *s)
{
	if (!needs_seconds(s))
		return s->wake_us;
	if (s->second_us + SECOND_US <= station_now_us(s)) /* it was not needed for a while */
		s->second_us = station_now_us(s) / SECOND_US * SECOND_US;
	return s->wake_us < s->second_us + SECOND_US ? s->wake_us : s->second_us + SECOND_US;
}

void
shell_tick(struct station *s)
{
	uint64_t now_us = station_now_us(s);

	if (s->wake_us <= now_us) {
		s->wake_us = WORLD_NEVER;
		dispatch_tick(s->dispatch);
	}
	if (s->second_us + SECOND_US > now_us)
		return;
	s->second_us += SECOND_US;
	disk_go_on(s);
	recorder_check(s->recorder, s->second_us / SECOND_US % 60 == 0);
	dispatch_run(s->dispatch);
}
