/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/eventlog.h"

#include <stdio.h>
#include <string.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/reply.h"
#include "app/services.h"
#include "core/event.h"
#include "core/fleet.h"
#include "core/outcome.h"

/* The drone as the record knows it. */
static const char *
serial_of(const struct job_record *r)
{
	return r->serial[0] != '\0' ? r->serial : r->dfu_serial;
}

static void
add_word(char *words, size_t size, const char *word)
{
	size_t used = strlen(words);

	(void)snprintf(words + used, size - used, "%s%s", used > 0 ? " " : "", word);
}

static void
say_ended(struct log *log, struct log_about about, const struct job_record *r)
{
	bool bad = r->verdict.kind == VERDICT_FAIL || r->verdict.kind == VERDICT_INTERRUPTED;

	about.id = LOG_ID_ATTEMPT_ENDED;
	about.serial = serial_of(r);
	about.verdict = verdict_name(r->verdict.kind);
	about.fault = fault_name(r->verdict.fault);
	about.step = step_name(r->verdict.step);
	about.attempt = r->id;
	log_say(log, bad ? LOG_WARNING : LOG_NOTICE, &about, "%s: %s",
		verdict_name(r->verdict.kind), r->message);
	if (r->loader_changed)
		log_say(log, LOG_WARNING, &about,
			"boot loader changed since this drone was last seen");
	if (r->loader_read && !r->loader_blank && !r->loader_recognised)
		log_say(log, LOG_WARNING, &about,
			"the boot loader's sector does not look like cf2loader");
}

/* WHY the sentences of all that is left: the line is read where no screen is. */
static void
say_condition(struct log *log, struct log_about about, const struct job_record *r,
	      const struct slot_view *v)
{
	const struct readiness *is = v->readiness;
	char words[LOG_LINE_MAX] = "", text[LOG_LINE_MAX] = "";
	json_t *named;

	for (enum rest i = 0; i < REST_COUNT; i++) {
		if ((is->rests & BIT(i)) == 0)
			continue;
		add_word(words, sizeof(words), rest_name(i));
		add_word(text, sizeof(text), is->text[i]);
	}
	about.id = LOG_ID_CONDITION;
	about.attempt = r->id;
	about.ready = ready_name(is->ready);
	about.remaining = words;
	named = reply_words(text, about.port);
	log_say(log, is->ready == READY_NO ? LOG_WARNING : LOG_NOTICE, &about, "ready: %s%s%s",
		about.ready, text[0] != '\0' ? ". " : "", json_string_value(named));
	json_decref(named);
}

static void
say_quarantined(struct log *log, struct log_about about, const struct fleet_event *c)
{
	const char *serial = serial_of(c->record);

	about.id = LOG_ID_QUARANTINED;
	if (serial[0] != '\0') /* WHY: a drone that came and went too often has no record of it */
		about.serial = serial;
	log_say(log, LOG_ERR, &about,
		"%s is set aside after failures in a row; 'cfdfuctl port release %s' lifts it",
		c->kind == EVENT_DRONE_QUARANTINED ? "the drone" : "the port", about.port);
}

static void
say_step(struct log *log, struct log_about about, const struct job_record *r,
	 const struct slot_view *v)
{
	about.serial = serial_of(r);
	about.step = step_name(v->step);
	about.attempt = r->id;
	if (v->active && about.step != NULL)
		log_say(log, LOG_DEBUG, &about, "%s", about.step);
}

static void
say_brake(const struct services *sv)
{
	const json_t *brake = quarantine_brake(sv->quarantine);
	struct log_about about = { .id = LOG_ID_BRAKE };

	if (brake == NULL)
		return; /* resumed already */
	about.fault = json_string_value(json_object_get(brake, "fault"));
	log_say(sv->log, LOG_ERR, &about,
		"the station has paused itself: %s; that firmware is set aside. 'cfdfuctl resume' "
		"goes on without it, 'cfdfuctl firmware release %s' gives it to drones again",
		json_string_value(json_object_get(brake, "message")),
		json_string_value(json_object_get(brake, "firmware")));
}

static void
say_common_cause(const struct services *sv, unsigned slot)
{
	const char *cause = fleet_common_cause(sv->fleet, slot);
	struct log_about about = { .id = LOG_ID_COMMON_CAUSE };

	if (cause != NULL)
		log_say(sv->log, LOG_ERR, &about, "%s", cause);
}

void
eventlog_tell(void *ctx, const struct fleet_event *event)
{
	const struct services *sv = ctx;
	struct log *log = sv->log;
	struct log_about about;
	struct slot_view v;

	fleet_view(sv->fleet, event->slot, clock_now_us(), &v);
	about = ports_about(sv->ports, v.port);
	about.serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
	switch (event->kind) {
	case EVENT_SEEN:
		log_say(log, LOG_INFO, &about, "plugged in, %s mode",
			v.mode == SLOT_DFU ? "DFU" : "run-time");
		return;
	case EVENT_LEFT:
		if (!v.active) /* not between two modes */
			log_say(log, LOG_INFO, &about, "unplugged");
		return;
	case EVENT_STEP:
		say_step(log, about, event->record, &v);
		return;
	case EVENT_ENDED:
		say_ended(log, about, event->record);
		return;
	case EVENT_IDLE:
		if (v.message[0] != '\0') /* else it has begun anew already */
			log_say(log, LOG_INFO, &about, "nothing to do: %s", v.message);
		return;
	case EVENT_FOREIGN:
		about.id = LOG_ID_FOREIGN;
		log_say(log, LOG_NOTICE, &about, "ignored: %s", v.message);
		return;
	case EVENT_QUARANTINED:
	case EVENT_DRONE_QUARANTINED:
		say_quarantined(log, about, event);
		return;
	case EVENT_COMMON_CAUSE:
		say_common_cause(sv, event->slot);
		return;
	case EVENT_BRAKE:
		say_brake(sv);
		return;
	case EVENT_BATCH_STOPPED:
		log_say(log, LOG_ERR, &about, "%s", batch_stopped(fleet_batch(sv->fleet)));
		return;
	case EVENT_SPECIAL_ENDED:
		if (event->record->verdict.kind != VERDICT_NONE)
			say_ended(log, about, event->record);
		else if (event->record->kind != JOB_CHECKUP && event->record->kind != JOB_IDENTIFY)
			log_say(log, LOG_INFO, &about, "nothing was done: %s",
				event->record->message);
		return;
	case EVENT_CONDITION:
		say_condition(log, about, event->record, &v);
		return;
	case EVENT_COUNT:
		return;
	}
}
