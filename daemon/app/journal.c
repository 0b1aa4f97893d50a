/* SPDX-License-Identifier: MIT */
/* An event of the fleet becomes a log line. */
#include "config.h"

#include <string.h>

#include "app/app_parts.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"
#include "core/platform.h"

struct log_about
journal_slot(const struct app *a, const char *port)
{
	return (struct log_about){ .port = port, .label = apply_label(a, port) };
}

static void
say_ended(struct app *a, const struct fleet_event *e, const struct slot_view *v)
{
	const struct job_record *r = e->record;
	bool bad = r->verdict.kind == VERDICT_FAIL || r->verdict.kind == VERDICT_INTERRUPTED;
	struct log_about about = journal_slot(a, v->port);

	about.id = LOG_ID_ATTEMPT_ENDED;
	about.serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	about.verdict = verdict_name(r->verdict.kind);
	about.fault = fault_name(r->verdict.fault);
	about.step = step_name(r->verdict.step);
	about.attempt = r->id;
	log_say(a->log, bad ? LOG_WARNING : LOG_NOTICE, &about, "%s: %s",
		verdict_name(r->verdict.kind), r->message);
	if (r->loader_changed)
		log_say(
		    a->log, LOG_WARNING, &about,
		    "its boot loader's sector is not what it was when this drone was seen last");
	if (r->loader_read && !r->loader_blank && !r->loader_recognised)
		log_say(a->log, LOG_WARNING, &about,
			"its boot loader's sector does not look like cf2loader");
}

/* WHY: what came and went too often has no attempt that could say who it is. */
static const char *
serial_of(const struct slot_view *v, const struct job_record *r)
{
	const char *serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;

	if (serial[0] != '\0')
		return serial;
	return v->serial[0] != '\0' ? v->serial : v->dfu_serial;
}

static void
say_quarantined(struct app *a, const struct slot_view *v, const struct job_record *r, bool drone)
{
	struct log_about about = journal_slot(a, v->port);

	about.id = LOG_ID_QUARANTINED;
	about.serial = serial_of(v, r);
	log_say(a->log, LOG_ERR, &about,
		"%s is set aside after failures in a row; 'cfdfuctl port release SLOT' lifts it",
		drone ? "the drone" : "the port");
}

static void
say_step(struct app *a, const struct fleet_event *e, const struct slot_view *v)
{
	const struct job_record *r = e->record;
	struct log_about about = journal_slot(a, v->port);

	about.serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	about.step = step_name(v->step);
	about.attempt = r->id;
	if (v->active && about.step != NULL)
		log_say(a->log, LOG_DEBUG, &about, "%s", about.step);
}

static void
say_common_cause(struct app *a, unsigned slot)
{
	const char *cause = fleet_common_cause(a->fleet, slot);
	struct log_about about = { .id = LOG_ID_COMMON_CAUSE };

	if (cause != NULL)
		log_say(a->log, LOG_ERR, &about, "%s", cause);
}

void
journal_tell(void *ctx, const struct fleet_event *e)
{
	struct app *a = ctx;
	struct slot_view v;
	struct log_about about;

	fleet_view(a->fleet, e->slot, clock_now_us(), &v);
	about = journal_slot(a, v.port);
	about.serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
	switch (e->kind) {
	case EVENT_SEEN:
		log_say(a->log, LOG_INFO, &about, "plugged in, %s mode",
			v.mode == SLOT_DFU ? "DFU" : "run-time");
		return;
	case EVENT_LEFT:
		if (!v.active) /* between two modes it is nobody's news */
			log_say(a->log, LOG_INFO, &about, "unplugged");
		return;
	case EVENT_STEP:
		say_step(a, e, &v);
		return;
	case EVENT_ENDED:
		say_ended(a, e, &v);
		return;
	case EVENT_IDLE:
		if (v.message[0] != '\0') /* else it has begun anew already */
			log_say(a->log, LOG_INFO, &about, "nothing to do: %s", v.message);
		return;
	case EVENT_FOREIGN:
		about.id = LOG_ID_FOREIGN;
		log_say(a->log, LOG_NOTICE, &about, "left alone: %s", v.message);
		return;
	case EVENT_QUARANTINED:
	case EVENT_DRONE_QUARANTINED:
		say_quarantined(a, &v, e->record, e->kind == EVENT_DRONE_QUARANTINED);
		return;
	case EVENT_COMMON_CAUSE:
		say_common_cause(a, e->slot);
		return;
	case EVENT_BRAKE:
		harm_say(a);
		return;
	case EVENT_SPECIAL_ENDED:
		if (e->record->verdict.kind != VERDICT_NONE) {
			say_ended(a, e, &v);
			return;
		}
		log_say(a->log, LOG_INFO, &about, "nothing was done: %s", e->record->message);
		return;
	case EVENT_COUNT:
		return;
	}
}

/* ---- what is set aside ---------------------------------------------------------------------- */

static void
record_quarantine(struct app *a, const struct slot_view *v, const struct job_record *r, bool drone)
{
	struct log_about about = journal_slot(a, v->port);
	struct store_time now = clock_time(a->clock);
	const char *serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	int e = 0;

	if (!drone) {
		place_set_aside(a, v->port, true);
		e = store_port_quarantine(a->store, v->port,
					  v->message[0] != '\0' ? v->message : "failures in a row",
					  &now);
	} else if (serial[0] != '\0')
		e = store_drone_quarantine(a->store, serial, "failed on several ports", &now);
	about.serial = serial_of(v, r);
	if (e < 0)
		log_say(a->log, LOG_ERR, &about, "its quarantine is not recorded: %s",
			strerror(-e));
}

void
quarantine_tell(void *ctx, const struct fleet_event *event)
{
	struct app *a = ctx;
	struct slot_view v;

	if (event->kind == EVENT_BRAKE)
		harm_stopped(a);
	if (event->kind != EVENT_QUARANTINED && event->kind != EVENT_DRONE_QUARANTINED)
		return;
	fleet_view(a->fleet, event->slot, clock_now_us(), &v);
	record_quarantine(a, &v, event->record, event->kind == EVENT_DRONE_QUARANTINED);
}

/* ---- the records' health -------------------------------------------------------------------- */

void
journal_health(void *ctx)
{
	struct app *a = ctx;
	char why[STORE_WHY_MAX];
	enum store_health health = store_health(a->store, why);
	struct log_about about = { .id = LOG_ID_DEGRADED };

	if (health == a->told_health)
		return;
	a->told_health = health;
	if (health == STORE_OK)
		log_say(a->log, LOG_NOTICE, NULL, "the records can be written again");
	else
		log_say(a->log, health == STORE_DEGRADED ? LOG_CRIT : LOG_WARNING, &about, "%s",
			why);
}
