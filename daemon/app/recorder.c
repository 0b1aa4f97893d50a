/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/recorder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/batches.h"
#include "app/clock.h"
#include "app/log.h"
#include "app/recall.h"
#include "app/services.h"
#include "app/turns.h"
#include "app/whole.h"
#include "core/ident.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "firmware/digest.h"
#include "store/store.h"

enum {
	PENDING_MAX = 2 * FLEET_SLOTS_MAX, /* LIMIT: one record per slot, and a spare */
	LOOK_SHARE = 20,
};

/* A record whose commit the fleet is waiting for. */
struct pending {
	unsigned slot;
	int64_t id;
	uint64_t seq; /* durable when store_durable() has reached it */
};

struct recorder {
	const struct services *sv;
	struct recorder_options o;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	bool closed;	      /* interrupted attempts of the last run have got their ending */
	bool loaded;	      /* what the records say of the station has been read */
	bool said_unclosed;   /* that they have not got it yet */
	bool history_missing; /* a drone came while the records could not be read */
	bool commit_failed;   /* recorder_check() tries again, not every event of the bus */
	uint64_t look_due_us; /* recorder_look(): not before */
	uint64_t patient_seq; /* what is queued up to here can wait for recorder_check() */
};

int
recorder_new(const struct services *sv, const struct recorder_options *options,
	     struct recorder **ret_recorder)
{
	struct recorder *rc = calloc(1, sizeof(*rc));

	if (rc == NULL)
		return -ENOMEM;
	rc->sv = sv;
	rc->o = *options;
	*ret_recorder = rc;
	return 0;
}

void
recorder_free(struct recorder *rc)
{
	free(rc);
}

static const char *
label_of(const struct recorder *rc, const char *port)
{
	return rc->o.label(rc->o.ctx, port);
}

static struct log_about
about_port(const struct recorder *rc, const char *port)
{
	return (struct log_about){ .port = port, .label = label_of(rc, port) };
}

/* ---- after the start ------------------------------------------------------------------------ */

static void
on_interrupted(void *ctx, const struct store_interrupted *i)
{
	struct recorder *rc = ctx;
	struct log_about about = about_port(rc, i->port);

	about.id = LOG_ID_ATTEMPT_ENDED;
	about.serial = i->serial != NULL ? i->serial : i->dfu_serial;
	about.attempt = i->id;
	about.verdict = verdict_name(VERDICT_INTERRUPTED);
	log_say(rc->sv->log, LOG_WARNING, &about,
		"attempt %lld was cut off%s; the drone is taken up again", (long long)i->id,
		i->unclean ? " when the service was killed" : "");
}

static void
close_interrupted(struct recorder *rc)
{
	struct verdict v = { .kind = VERDICT_INTERRUPTED };
	struct store_time now = clock_time(rc->sv->clock);
	char message[JOB_MESSAGE_MAX];
	struct store_ending e = { .verdict = VERDICT_INTERRUPTED,
				  .verdict_name = verdict_name(VERDICT_INTERRUPTED),
				  .address = -1,
				  .message = message };
	int r;

	outcome_message(&v, NULL, message, sizeof(message));
	r = store_interrupt_running(rc->sv->store, &e, &now, on_interrupted, rc);
	rc->closed = r == 0;
	/* WHY: said once; it is tried again each second. */
	if (r < 0 && !rc->said_unclosed)
		log_say(rc->sv->log, LOG_ERR, NULL, "interrupted attempts cannot be closed yet: %s",
			strerror(-r));
	rc->said_unclosed = r < 0;
}

/* The drones that came while the records could not be read. */
static void
load_histories(struct recorder *rc)
{
	for (unsigned i = 0; i < fleet_slots(rc->sv->fleet); i++) {
		const struct sighting *s = fleet_sighting(rc->sv->fleet, i);
		struct drone_history history;

		if (s == NULL)
			continue;
		recorder_history(rc, s, &history);
		fleet_history(rc->sv->fleet, i, &history, clock_now_us());
	}
}

/* Reads the part that is missing since the start, if the records can be read by now. */
void
recorder_start(struct recorder *rc)
{
	if (!rc->closed) {
		close_interrupted(rc);
		/* WHY: a drone that came before was not known as interrupted. */
		rc->history_missing = rc->history_missing || (rc->closed && rc->loaded);
	}
	if (rc->loaded || rc->o.load(rc->o.ctx) < 0)
		return;
	rc->loaded = true;
	load_histories(rc);
	(void)recorder_commit(rc);
}

/* ---- what is known of a drone --------------------------------------------------------------- */

void
recorder_history(struct recorder *rc, const struct sighting *s, struct drone_history *ret_history)
{
	struct log_about about = about_port(rc, s->port);
	int r;

	memset(ret_history, 0, sizeof(*ret_history));
	ret_history->described_as = rc->o.described_as(rc->o.ctx, s);
	r = recall_drone(rc->sv->store, s, ret_history);
	if (r < 0) {
		rc->history_missing = true;
		about.serial = s->serial;
		log_say(rc->sv->log, LOG_WARNING, &about, "the records cannot be read: %s",
			strerror(-r));
	}
}

static void
note_drone(struct recorder *rc, const struct job_record *r, bool with_loader)
{
	const struct condition *c = &r->condition;
	bool dfu_serial = ident_dfu_serial_valid(r->dfu_serial);
	char *radio, *decks;
	struct log_about about = about_port(rc, r->port);
	struct store_drone_facts f = {
		.serial = ident_runtime_serial_valid(r->serial) ? r->serial : NULL,
		.dfu_serial = dfu_serial ? r->dfu_serial : NULL,
		.platform = r->platform != PLATFORM_UNKNOWN ? platform_name(r->platform) : NULL,
		.device_type = r->type[0] != '\0' ? r->type : NULL,
		.board_type = r->board[0] != '\0' ? r->board : NULL,
		.loader_sha256 = with_loader && r->loader_read ? r->loader_sha256 : NULL,
		.quirks = r->obey ? "obey" : NULL,
		.nrf_version = c->nrf_version[0] != '\0' ? c->nrf_version : NULL,
	};
	struct store_time now = clock_time(rc->sv->clock);
	int e;

	about.serial = f.serial != NULL ? f.serial : f.dfu_serial;
	f.version = r->version_after[0] != '\0'	   ? r->version_after
		    : r->version_before[0] != '\0' ? r->version_before
						   : NULL;
	if (f.serial == NULL && f.dfu_serial == NULL)
		return;
	radio = whole_text(whole_radio(&c->radio));
	decks = c->decks_known ? whole_text(whole_decks(c)) : NULL;
	f.radio = radio;
	f.decks = decks;
	e = store_drone_note(rc->sv->store, &f, &now);
	free(radio);
	free(decks);
	if (e < 0)
		log_say(rc->sv->log, LOG_WARNING, &about,
			"what was learned of the drone is not recorded: %s", strerror(-e));
}

/* ---- attempts ------------------------------------------------------------------------------- */

/* Of those that have a row. */
static const char *const kinds[JOB_KIND_COUNT] = {
	[JOB_UPDATE] = "flash", [JOB_RECOVER_LOADER] = "loader", [JOB_BACKUP] = "backup",
	[JOB_DECK] = "deck",	[JOB_EEPROM] = "eeprom",
};

const char *
recorder_kind_name(enum job_kind kind)
{
	return kinds[kind];
}

static void
put_flags(const struct job_record *r, char *out, size_t size)
{
	int n =
	    snprintf(out, size, "%s%s%s%s%s%s%s", r->adopted ? " adopted" : "",
		     r->retry ? " asked-again" : "", r->no_serial ? " no-serial" : "",
		     r->dup_serial ? " dup-serial" : "", r->word_refused ? " word-refused" : "",
		     r->loader_changed ? " loader-changed" : "", r->common ? " common-cause" : "");

	if (r->repairs > 0 && n >= 0 && (size_t)n < size)
		(void)snprintf(out + n, size - (size_t)n, " retry=%u", r->repairs);
}

static void
expect(struct recorder *rc, unsigned slot, int64_t id)
{
	assert(rc->pending_count < PENDING_MAX);
	rc->pending[rc->pending_count++] =
	    (struct pending){ slot, id, store_queued(rc->sv->store) };
}

void
recorder_begin(struct recorder *rc, unsigned slot, const struct job_record *r)
{
	char sha256[DIGEST_TEXT_MAX] = "", flags[128] = "", radio[2 * RADIO_BLOCK_BYTES + 1] = "";
	const struct image_label *label = r->image != NULL ? image_label(r->image) : NULL;
	struct store_time now = clock_time(rc->sv->clock);
	struct store_begin b = { .kind = kinds[r->kind],
				 .target = r->target,
				 .radio_before = radio,
				 .port = r->port,
				 .label = label_of(rc, r->port),
				 .serial = r->serial,
				 .dfu_serial = r->dfu_serial,
				 .version_before = r->version_before,
				 .flags = flags,
				 .batch = r->kind == JOB_UPDATE ? batches_id(rc->sv->batches) : 0 };
	int64_t id = 0;
	int e;

	if (r->platform != PLATFORM_UNKNOWN)
		b.platform = platform_name(r->platform);
	if (label != NULL) {
		digest_format(label->sha256, sha256);
		b.firmware_name = label->name;
		b.firmware_version = label->version;
		b.firmware_sha256 = sha256;
		b.signer = label->signer;
	}
	/* WHY before it is written: so it can be put back as it was. */
	for (size_t i = 0;
	     r->kind == JOB_EEPROM && r->condition.radio.read && i < RADIO_BLOCK_BYTES; i++)
		(void)snprintf(radio + 2 * i, 3, "%02x", r->condition.radio.bytes[i]);
	put_flags(r, flags, sizeof(flags));
	e = store_attempt_begin(rc->sv->store, &b, &now, &id);
	if (e < 0)
		fleet_recorded(rc->sv->fleet, slot, e, 0, clock_now_us());
	else
		expect(rc, slot, id);
}

/* WHY flashing alone: that a drone can be read says nothing of whether it can be flashed. */
static enum store_count
count_of(const struct job_record *r)
{
	const struct verdict *v = &r->verdict;

	if (r->kind != JOB_UPDATE)
		return STORE_COUNT_KEEP;
	if (v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED)
		return STORE_COUNT_CLEARED;
	return verdict_counts_against(v) && !r->common ? STORE_COUNT_FAILED : STORE_COUNT_KEEP;
}

static size_t
put_stages(const struct job_record *r, struct store_stage stages[STEP_COUNT])
{
	size_t n = 0;

	for (enum step s = STEP_NONE + 1; s < STEP_COUNT; s++)
		if (r->stage_us[s] > 0)
			stages[n++] =
			    (struct store_stage){ step_name(s), (int64_t)(r->stage_us[s] / 1000) };
	return n;
}

void
recorder_end(struct recorder *rc, unsigned slot, const struct job_record *r)
{
	const struct verdict *v = &r->verdict;
	struct store_stage stages[STEP_COUNT];
	struct store_time now = clock_time(rc->sv->clock);
	char flags[128] = "";
	struct store_ending e = {
		.verdict = (int)v->kind,
		.fault = (int)v->fault,
		.fault_class = (int)fault_class_of(v->fault),
		.step = (int)v->step,
		.verdict_name = verdict_name(v->kind),
		.fault_name = fault_name(v->fault),
		.fault_class_name =
		    v->fault != FAULT_NONE ? fault_class_name(fault_class_of(v->fault)) : NULL,
		.step_name = step_name(v->step),
		.address = v->has_addr ? (int64_t)v->addr : -1,
		.bytes_written = r->bytes_written,
		.sectors_erased = r->sectors_erased,
		.transfers = r->transfers,
		.version_after = r->version_after,
		.message = r->message,
		.flags = flags,
		.serial = r->serial,
		.dfu_serial = r->dfu_serial,
		.version_before = r->version_before,
		.stages = stages,
		.stage_count = put_stages(r, stages),
		.port_count = count_of(r),
		.drone_count = count_of(r),
	};
	int error;

	if (r->platform != PLATFORM_UNKNOWN)
		e.platform = platform_name(r->platform);
	put_flags(r, flags, sizeof(flags));
	note_drone(rc, r, true);
	error = store_attempt_end(rc->sv->store, r->id, &e, &now);
	if (error < 0 && error != -EALREADY)
		fleet_recorded(rc->sv->fleet, slot, error, 0, clock_now_us());
	else
		expect(rc, slot, r->id);
}

static bool
answer(struct recorder *rc)
{
	uint64_t durable = store_durable(rc->sv->store);
	size_t kept = 0;
	bool any = false;

	for (size_t i = 0; i < rc->pending_count; i++) {
		struct pending p = rc->pending[i];

		if (p.seq > durable) {
			rc->pending[kept++] = p;
			continue;
		}
		fleet_recorded(rc->sv->fleet, p.slot, 0, p.id, clock_now_us());
		any = true;
	}
	rc->pending_count = kept;
	return any;
}

bool
recorder_wants_commit(const struct recorder *rc)
{
	uint64_t queued = store_queued(rc->sv->store), done = store_durable(rc->sv->store);

	return !rc->commit_failed && queued != done && queued != rc->patient_seq;
}

bool
recorder_commit(struct recorder *rc)
{
	enum loop_work before = turns_begin(rc->sv->turns, LOOP_STORE);
	struct store_time now;

	/* When it fails nothing is lost and nothing is told: recorder_check() goes on trying. */
	if (recorder_wants_commit(rc)) {
		now = clock_time(rc->sv->clock);
		if (store_commit(rc->sv->store, &now) < 0) {
			rc->commit_failed = true;
			rc->o.health(rc->o.ctx);
		}
	}
	turns_end(rc->sv->turns, before);
	return rc->pending_count > 0 && answer(rc);
}

static void
look(struct recorder *rc)
{
	struct store_time now = clock_time(rc->sv->clock);
	enum loop_work before = turns_begin(rc->sv->turns, LOOP_STORE);

	(void)store_check(rc->sv->store, &now); /* what it says is seen below */
	turns_end(rc->sv->turns, before);
	rc->commit_failed = store_queued(rc->sv->store) != store_durable(rc->sv->store);
	if (!rc->closed || !rc->loaded)
		recorder_start(rc);
	if (rc->loaded && rc->history_missing &&
	    store_health(rc->sv->store, NULL) != STORE_DEGRADED) {
		rc->history_missing = false;
		load_histories(rc);
	}
	rc->o.health(rc->o.ctx);
	(void)answer(rc);
}

void
recorder_check(struct recorder *rc, bool also_whole)
{
	struct store *store = rc->sv->store;
	bool waiting = store_queued(store) != store_durable(store);

	store_watch(store);
	if (waiting || !rc->closed || !rc->loaded || also_whole ||
	    store_health(store, NULL) == STORE_DEGRADED)
		look(rc);
}

void
recorder_look(struct recorder *rc, bool ordered)
{
	uint64_t began_us = clock_now_us(), took_us;

	if ((!ordered && began_us < rc->look_due_us) ||
	    (!rc->commit_failed && rc->closed && rc->loaded &&
	     store_health(rc->sv->store, NULL) != STORE_DEGRADED))
		return;
	look(rc);
	took_us = clock_now_us() - began_us;
	/* LIMIT: a twentieth of the loop's time, however many ask. */
	rc->look_due_us = began_us + LOOK_SHARE * took_us;
}

/* As it is shown.  Costs no commit of its own: of a kill the next check-up makes it again. */
static void
note_condition(struct recorder *rc, const struct fleet_event *event)
{
	struct store_time now = clock_time(rc->sv->clock);
	struct log_about about = about_port(rc, event->record->port);
	struct slot_view v;
	char *text;
	int e = -ENOMEM;

	fleet_view(rc->sv->fleet, event->slot, clock_now_us(), &v);
	text = whole_text(whole_slot(rc->sv, event->slot, &v));
	if (text != NULL)
		e = store_attempt_condition(rc->sv->store, event->record->id, text, &now);
	free(text);
	about.attempt = event->record->id;
	if (e < 0)
		log_say(rc->sv->log, LOG_WARNING, &about,
			"the condition of the drone is not recorded: %s", strerror(-e));
}

bool
recorder_loaded(const struct recorder *rc)
{
	return rc->loaded;
}

void
recorder_tell(void *ctx, const struct fleet_event *event)
{
	struct recorder *rc = ctx;
	const struct job_record *r = event->record;
	bool nothing = event->kind == EVENT_IDLE ||
		       (event->kind == EVENT_SPECIAL_ENDED && r->verdict.kind == VERDICT_NONE);
	bool condition = event->kind == EVENT_CONDITION;
	bool alone = condition && !recorder_wants_commit(rc);

	/* WHY not in DFU mode: a known drone may be changed (doc/promises.md 1). */
	if ((nothing || condition) && r->serial[0] != '\0')
		note_drone(rc, r, !condition); /* its loader may be restored since */
	if (condition && r->id > 0)
		note_condition(rc, event);
	if (alone)
		rc->patient_seq = store_queued(rc->sv->store);
}
