/* SPDX-License-Identifier: MIT */
/* The fleet's records on their way to the store, and what the store remembers on its way to the
 * fleet. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/wake.h"
#include "app/app_parts.h"
#include "app/repository.h"
#include "app/selection.h"
#include "core/ident.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "firmware/digest.h"

enum {
	CRASHES_MAX = 3, /* doc/faults.md S2: a port that was active in so many crashes in a row */
	LOOK_SHARE = 20,
	WALK_SLICE_US = 2000, /* LIMIT: how long the walk through the records holds up a drone */
	WALK_EVERY_S = 3600,
	WALK_PAUSE_US = 6000, /* between two slices of one that was asked for */
};

/* ---- after the start ------------------------------------------------------------------------ */

static void
on_interrupted(void *ctx, const struct store_interrupted *i)
{
	struct app *a = ctx;
	struct log_about about = journal_slot(a, i->port);

	about.id = LOG_ID_ATTEMPT_ENDED;
	about.serial = i->serial != NULL ? i->serial : i->dfu_serial;
	about.attempt = i->id;
	about.verdict = verdict_name(VERDICT_INTERRUPTED);
	log_say(a->log, LOG_WARNING, &about,
		"attempt %lld was cut off%s; the drone is taken up again", (long long)i->id,
		i->unclean ? " when the service was killed" : "");
}

static void
close_interrupted(struct app *a)
{
	struct verdict v = { .kind = VERDICT_INTERRUPTED };
	struct store_time now = clock_time(a->clock);
	char message[JOB_MESSAGE_MAX];
	struct store_ending e = { .verdict = VERDICT_INTERRUPTED,
				  .verdict_name = verdict_name(VERDICT_INTERRUPTED),
				  .address = -1,
				  .message = message };
	int r;

	outcome_message(&v, NULL, message, sizeof(message));
	r = store_interrupt_running(a->store, &e, &now, on_interrupted, a);
	a->closed = r == 0;
	/* WHY: said once, at the start; it is tried again each second. */
	if (r < 0 && a->seconds == 0)
		log_say(a->log, LOG_ERR, NULL, "interrupted attempts cannot be closed yet: %s",
			strerror(-r));
}

struct crashed {
	char port[16][PORT_TEXT_MAX]; /* LIMIT: more crash candidates than that are looked at next
					 time */
	size_t count;
	struct app *app;
};

static void
on_port(void *ctx, const struct store_port *p)
{
	struct crashed *c = ctx;
	bool crashes = p->crashes >= CRASHES_MAX && p->quarantined_ms == 0;
	bool plain = p->failures == 0 && p->quarantined_ms == 0 && !crashes;

	/* LIMIT: places for drones are not given away to ports that were used years ago. */
	if (plain && (fleet_slots(c->app->fleet) >= FLEET_SLOTS_MAX / 2 ||
		      !settings_ports_match(&c->app->settings->ports, p->port, NULL)))
		return;
	if (fleet_port(c->app->fleet, p->port, p->failures, p->quarantined_ms != 0 || crashes) < 0)
		return;
	if (crashes && c->count < sizeof(c->port) / sizeof(c->port[0]))
		copy_text(c->port[c->count++], PORT_TEXT_MAX, p->port);
}

static int
load_ports(struct app *a)
{
	struct crashed c = { .app = a };
	struct store_time now = clock_time(a->clock);
	int e = store_port_each(a->store, on_port, &c);

	if (e < 0)
		return e;
	for (size_t i = 0; i < c.count; i++) {
		struct log_about about = journal_slot(a, c.port[i]);
		int r = store_port_quarantine(
		    a->store, c.port[i], "active in three crashes of the service in a row", &now);

		about.id = LOG_ID_QUARANTINED;
		log_say(a->log, LOG_ERR, &about,
			"set aside, it was active in %d crashes of the service in a row%s",
			CRASHES_MAX, r < 0 ? " (not recorded)" : "");
	}
	return 0;
}

/* The drones that came while the records could not be read. */
static void
load_histories(struct app *a)
{
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		const struct sighting *s = fleet_sighting(a->fleet, i);
		struct drone_history history;

		if (s == NULL)
			continue;
		records_history(a, s, &history);
		fleet_history(a->fleet, i, &history, clock_now_us());
	}
}

void
records_load(struct app *a)
{
	char paused[8] = "";
	int r;

	if (!a->closed)
		close_interrupted(a);
	if (a->loaded)
		return;
	r = load_ports(a);
	if (r == 0)
		r = store_get(a->store, STORE_STATION, "paused", paused, sizeof(paused));
	if (r >= 0)
		r = harm_load(a);
	if (r < 0)
		return;
	if (strcmp(paused, "yes") == 0)
		fleet_pause(a->fleet);
	load_histories(a);
	a->loaded = selection_load(a) == 0;
	if (a->loaded)
		harm_recall(a);
	if (a->loaded)
		repository_tidy_later(a->repository);
	(void)records_commit(a);
}

/* ---- what is known of a drone --------------------------------------------------------------- */

static void
on_drone(void *ctx, const struct store_drone *d)
{
	struct drone_history *p = ctx;
	const char *last = d->last_verdict != NULL ? d->last_verdict : "";
	enum verdict_kind v = verdict_by_name(last);

	p->known = true;
	p->interrupted = v == VERDICT_INTERRUPTED || v == VERDICT_FAIL;
	p->shares_dfu_serial = d->shares_dfu_serial;
	p->quarantined = d->quarantined_ms != 0;
	p->obey = d->quirks != NULL && strstr(d->quirks, "obey") != NULL;
	p->platform = platform_by_name(d->platform);
	p->failures = d->failures;
	p->failed_ports = d->failed_port_count;
	copy_text(p->serial, sizeof(p->serial), d->serial);
	copy_text(p->dfu_serial, sizeof(p->dfu_serial), d->dfu_serial);
	copy_text(p->loader_sha256, sizeof(p->loader_sha256), d->loader_sha256);
}

struct last_attempt {
	const char *port;
	struct drone_history *history;
};

static void
on_last_attempt(void *ctx, const struct store_attempt *at)
{
	const struct last_attempt *l = ctx;

	if (strcmp(at->port, l->port) != 0 || at->verdict == NULL ||
	    verdict_by_name(at->verdict) != VERDICT_INTERRUPTED)
		return;
	l->history->known = l->history->interrupted = true;
	l->history->platform = platform_by_name(at->platform);
	copy_text(l->history->serial, sizeof(l->history->serial), at->serial);
}

/* A device in DFU mode without a usable serial is ours if its port has an open attempt (design
 * promise 4). */
static int
history_by_port(struct app *a, const struct sighting *s, struct drone_history *history)
{
	struct store_filter f = { .slot = s->port, .limit = 1 };
	struct last_attempt l = { s->port, history };
	int n = store_history(a->store, &f, on_last_attempt, &l);

	return n < 0 ? n : 0;
}

void
records_history(struct app *a, const struct sighting *s, struct drone_history *ret_history)
{
	struct log_about about = journal_slot(a, s->port);
	int r = 0;

	memset(ret_history, 0, sizeof(*ret_history));
	for (size_t i = 0; i < a->settings->device_count; i++)
		if (settings_device_matches(&a->settings->devices[i], s))
			/* Profile 0 is the family; the others were added last first. */
			ret_history->described_as |= BIT(a->settings->device_count - i);
	if (ident_kind_of(s) == IDENT_RUNTIME && ident_runtime_serial_valid(s->serial))
		r = store_drone_find(a->store, s->serial, NULL, on_drone, ret_history);
	else if (ident_kind_of(s) == IDENT_DFU && ident_dfu_serial_valid(s->serial))
		r = store_drone_find(a->store, NULL, s->serial, on_drone, ret_history);
	else if (ident_kind_of(s) == IDENT_DFU)
		r = history_by_port(a, s, ret_history);
	if (r < 0) {
		a->history_missing = true;
		about.serial = s->serial;
		log_say(a->log, LOG_WARNING, &about, "the records cannot be read: %s",
			strerror(-r));
	}
}

void
records_drone(struct app *a, const struct job_record *r)
{
	bool dfu_serial = ident_dfu_serial_valid(r->dfu_serial);
	struct log_about about = journal_slot(a, r->port);
	struct store_drone_facts f = {
		.serial = ident_runtime_serial_valid(r->serial) ? r->serial : NULL,
		.dfu_serial = dfu_serial ? r->dfu_serial : NULL,
		.platform = r->platform != PLATFORM_UNKNOWN ? platform_name(r->platform) : NULL,
		.device_type = r->type[0] != '\0' ? r->type : NULL,
		.board_type = r->board[0] != '\0' ? r->board : NULL,
		.loader_sha256 = r->loader_read ? r->loader_sha256 : NULL,
		.quirks = r->obey ? "obey" : NULL,
	};
	struct store_time now = clock_time(a->clock);
	int e;

	about.serial = f.serial != NULL ? f.serial : f.dfu_serial;
	f.version = r->version_after[0] != '\0'	   ? r->version_after
		    : r->version_before[0] != '\0' ? r->version_before
						   : NULL;
	if (f.serial == NULL && f.dfu_serial == NULL)
		return;
	e = store_drone_note(a->store, &f, &now);
	if (e < 0)
		log_say(a->log, LOG_WARNING, &about,
			"what was learned of the drone is not recorded: %s", strerror(-e));
}

/* ---- attempts ------------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[JOB_UPDATE] = "flash",
	[JOB_RECOVER_LOADER] = "loader",
	[JOB_BACKUP] = "backup",
};

bool
records_kind_known(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
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
expect(struct app *a, unsigned slot, int64_t id)
{
	assert(a->pending_count < APP_PENDING_MAX);
	a->pending[a->pending_count++] = (struct pending){ slot, id, store_queued(a->store) };
}

void
records_begin(struct app *a, unsigned slot, const struct job_record *r)
{
	char sha256[DIGEST_TEXT_MAX] = "", flags[128] = "";
	const struct image_label *label = r->image != NULL ? image_label(r->image) : NULL;
	struct store_time now = clock_time(a->clock);
	struct store_begin b = { .kind = kinds[r->kind],
				 .port = r->port,
				 .label = apply_label(a, r->port),
				 .serial = text_or_null(r->serial),
				 .dfu_serial = text_or_null(r->dfu_serial),
				 .version_before = text_or_null(r->version_before),
				 .flags = flags };
	int64_t id = 0;
	int e;

	if (r->platform != PLATFORM_UNKNOWN)
		b.platform = platform_name(r->platform);
	if (label != NULL) {
		digest_format(label->sha256, sha256);
		b.firmware_name = text_or_null(label->name);
		b.firmware_version = text_or_null(label->version);
		b.firmware_sha256 = sha256;
	}
	put_flags(r, flags, sizeof(flags));
	e = store_attempt_begin(a->store, &b, &now, &id);
	if (e < 0)
		fleet_recorded(a->fleet, slot, e, 0, clock_now_us());
	else
		expect(a, slot, id);
}

/* WHY flashing alone: that a drone can be read says nothing of whether it can be flashed. */
static enum store_count
count_of(const struct job_record *r)
{
	const struct verdict *v = &r->verdict;
	enum fault_class c = fault_class_of(v->fault);

	if (r->kind != JOB_UPDATE)
		return STORE_COUNT_KEEP;
	if (v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED)
		return STORE_COUNT_CLEARED;
	return v->kind == VERDICT_FAIL && !r->common && (c == CLASS_DEVICE || c == CLASS_PORT)
		   ? STORE_COUNT_FAILED
		   : STORE_COUNT_KEEP;
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
records_end(struct app *a, unsigned slot, const struct job_record *r)
{
	const struct verdict *v = &r->verdict;
	struct store_stage stages[STEP_COUNT];
	struct store_time now = clock_time(a->clock);
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
		.version_after = text_or_null(r->version_after),
		.message = r->message,
		.flags = flags,
		.serial = text_or_null(r->serial),
		.dfu_serial = text_or_null(r->dfu_serial),
		.version_before = text_or_null(r->version_before),
		.stages = stages,
		.stage_count = put_stages(r, stages),
		.port_count = count_of(r),
		.drone_count = count_of(r),
	};
	int error;

	if (r->platform != PLATFORM_UNKNOWN)
		e.platform = platform_name(r->platform);
	put_flags(r, flags, sizeof(flags));
	records_drone(a, r);
	error = store_attempt_end(a->store, r->id, &e, &now);
	if (error < 0 && error != -EALREADY)
		fleet_recorded(a->fleet, slot, error, 0, clock_now_us());
	else
		expect(a, slot, r->id);
}

/* Tells the fleet of every record that has become durable. */
static bool
answer(struct app *a)
{
	uint64_t durable = store_durable(a->store);
	size_t kept = 0;
	bool any = false;

	for (size_t i = 0; i < a->pending_count; i++) {
		struct pending p = a->pending[i];

		if (p.seq > durable) {
			a->pending[kept++] = p;
			continue;
		}
		fleet_recorded(a->fleet, p.slot, 0, p.id, clock_now_us());
		any = true;
	}
	a->pending_count = kept;
	return any;
}

bool
records_commit(struct app *a)
{
	enum loop_work before = turns_begin(&a->turns, LOOP_STORE);
	struct store_time now;

	/* When it fails nothing is lost and nothing is told: records_check() goes on trying. */
	if (!a->commit_failed && store_queued(a->store) != store_durable(a->store)) {
		now = clock_time(a->clock);
		if (store_commit(a->store, &now) < 0) {
			a->commit_failed = true;
			journal_health(a);
		}
	}
	turns_end(&a->turns, before);
	return a->pending_count > 0 && answer(a);
}

/* True: the fleet was answered, and may want more. */
static bool
look(struct app *a)
{
	struct store_time now = clock_time(a->clock);
	enum loop_work before;

	before = turns_begin(&a->turns, LOOP_STORE);
	(void)store_check(a->store, &now); /* what it says is seen below */
	turns_end(&a->turns, before);
	a->commit_failed = store_queued(a->store) != store_durable(a->store);
	if (!a->closed || !a->loaded)
		records_load(a);
	if (a->loaded && a->history_missing && store_health(a->store, NULL) != STORE_DEGRADED) {
		a->history_missing = false;
		load_histories(a);
	}
	journal_health(a);
	return answer(a);
}

void
records_check(struct app *a)
{
	bool waiting = store_queued(a->store) != store_durable(a->store);

	store_watch(a->store);
	if ((waiting || !a->closed || !a->loaded ||
	     store_health(a->store, NULL) == STORE_DEGRADED || a->seconds % 60 == 0) &&
	    look(a))
		pump(a);
	records_tidy(a);
	selection_heal(a);
}

void
records_look(struct app *a, bool ordered)
{
	uint64_t began_us = clock_now_us(), took_us;

	if ((!ordered && began_us < a->look_due_us) ||
	    (!a->commit_failed && store_health(a->store, NULL) != STORE_DEGRADED))
		return;
	if (look(a))
		wake_at(a->wake, began_us);
	took_us = clock_now_us() - began_us;
	/* LIMIT: a twentieth of the loop's time, however many ask. */
	a->look_due_us = began_us + LOOK_SHARE * took_us;
}

void
records_tidy(struct app *a)
{
	if (!a->loaded || store_queued(a->store) != store_durable(a->store))
		return;
	repository_tidy(a->repository);
}

/* ---- the slow walk through the records ------------------------------------------------------- */

static bool
slice_goes_on(void *ctx)
{
	struct app *a = ctx;

	return clock_now_us() - a->slice_us < WALK_SLICE_US;
}

static int
walk_slice(struct app *a)
{
	struct store_time now = clock_time(a->clock);
	enum loop_work before = turns_begin(&a->turns, LOOP_STORE);
	int r;

	a->slice_us = clock_now_us();
	r = store_walk(a->store, &now, slice_goes_on, a);
	a->walk_error = r < 0 && r != -EAGAIN ? r : 0;
	turns_end(&a->turns, before);
	journal_health(a);
	return r;
}

void
records_walk(struct app *a)
{
	if (!a->closed || records_walking(a) || a->seconds < a->walk_due)
		return;
	if (walk_slice(a) == 0) /* to the end; what it found is in the health */
		a->walk_due = a->seconds + WALK_EVERY_S;
}

static void
on_walker(evutil_socket_t fd, short what, void *ctx)
{
	struct timeval pause = { .tv_usec = WALK_PAUSE_US }, later = { .tv_sec = 1 };
	struct app *a = ctx;
	int r = walk_slice(a);

	(void)fd;
	(void)what;
	if (r < 0 && r != -EAGAIN)
		return; /* WHY: the doctor says so; waiting for it would have no end */
	if (r != 0 && event_add(a->walker, r == 1 ? &pause : &later) < 0)
		log_say(a->log, LOG_ERR, NULL, "the walk through the records cannot go on");
}

bool
records_walking(struct app *a)
{
	return a->walker != NULL && event_pending(a->walker, EV_TIMEOUT, NULL) != 0;
}

int
records_walk_now(struct app *a)
{
	struct timeval now = { 0 };

	if (records_walking(a))
		return 0;
	if (a->walker == NULL)
		a->walker = evtimer_new(a->base, on_walker, a);
	if (a->walker == NULL)
		return -ENOMEM;
	/* After devices and clients. */
	(void)event_priority_set(a->walker, event_base_get_npriorities(a->base) - 1);
	store_walk_again(a->store);
	return event_add(a->walker, &now) < 0 ? -ENOMEM : 0;
}
