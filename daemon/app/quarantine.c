/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/ports.h"
#include "app/recall.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/event.h"
#include "core/fleet.h"
#include "core/outcome.h"
#include "firmware/digest.h"
#include "store/store.h"

#define BY_PATH "aside " /* the name of a setting: with the device path behind it */

enum {
	CRASHES_MAX = 3,
	CRASHED_MAX =
	    16,	       /* LIMIT: more ports that were active in crashes wait for the next start */
	NAMED_MAX = 12 /* LIMIT: slots named; the record has room for so many */
};

struct quarantine {
	const struct services *sv;
	json_t *brake;
	uint64_t followed[FLEET_SLOTS_MAX]; /* fleet_stay() whose quarantine is that of its path */
};

int
quarantine_new(const struct services *sv, struct quarantine **ret_quarantine)
{
	struct quarantine *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -ENOMEM;
	q->sv = sv;
	*ret_quarantine = q;
	return 0;
}

void
quarantine_free(struct quarantine *q)
{
	if (q == NULL)
		return;
	json_decref(q->brake);
	free(q);
}

static struct policy *
policy_of(const struct quarantine *q)
{
	return fleet_policy(q->sv->fleet);
}

/* A setting of the station; value NULL: forgotten. */
static int
put(struct quarantine *q, const char *name, const char *value)
{
	struct store_time now = clock_time(q->sv->clock);

	return store_set(q->sv->store, STORE_STATION, name, value, &now);
}

static int
put_port(struct quarantine *q, const char *port, const char *reason)
{
	struct store_time now = clock_time(q->sv->clock);

	return store_port_quarantine(q->sv->store, port, reason, &now);
}

static int
put_drone(struct quarantine *q, const char *serial, const char *reason)
{
	struct store_time now = clock_time(q->sv->clock);

	return store_drone_quarantine(q->sv->store, serial, reason, &now);
}

static int
put_image(struct quarantine *q, const uint8_t *sha256, const char *reason)
{
	struct store_time now = clock_time(q->sv->clock);
	char sum[DIGEST_TEXT_MAX];

	digest_format(sha256, sum);
	return store_set(q->sv->store, STORE_QUARANTINED, sum, reason, &now);
}

static void
say_lost(struct quarantine *q, const struct log_about *about, const char *what, int error)
{
	if (error < 0)
		log_say(q->sv->log, LOG_WARNING, about, "%s is not recorded: %s", what,
			strerror(-error));
}

/* ---- ports by their device path ------------------------------------------------------------- */

static void
name_path(const char *path, char *ret_name, size_t size)
{
	(void)snprintf(ret_name, size, BY_PATH "%s", path);
}

static void
put_path(struct quarantine *q, const char *name, const char *port)
{
	say_lost(q, NULL, name, put(q, name, port));
}

/* Of the slot's path, where that is known: else the record by port is all there is. */
static void
keep_by_path(struct quarantine *q, unsigned slot, const char *port, bool quarantined)
{
	const char *path = fleet_path(q->sv->fleet, slot);
	char name[STORE_NAME_MAX + 8], value[PORT_TEXT_MAX];

	if (path[0] == '\0')
		return;
	name_path(path, name, sizeof(name));
	if (quarantined || store_get(q->sv->store, STORE_STATION, name, value, sizeof(value)) != 0)
		put_path(q, name, quarantined ? port : NULL);
}

struct owner {
	const char *port, *path;
	bool other;
};

static void
on_setting(void *ctx, const char *name, const char *value)
{
	struct owner *o = ctx;

	if (strncmp(name, BY_PATH, strlen(BY_PATH)) == 0 && strcmp(value, o->port) == 0 &&
	    strcmp(name + strlen(BY_PATH), o->path) != 0)
		o->other = true;
}

/* Was the port that is recorded as quarantined another place then, which has its own record? */
static bool
was_another_place(struct quarantine *q, const struct sighting *s)
{
	struct owner o = { .port = s->port, .path = s->path };

	return store_each(q->sv->store, STORE_STATION, on_setting, &o) >= 0 && o.other;
}

/* Forgets what was recorded of a number that is another place now, be that seen yet or not. */
static void
release_number(struct quarantine *q, const char *port)
{
	int slot = fleet_find(q->sv->fleet, port);
	struct log_about about = ports_about(q->sv->ports, port);

	if (slot >= 0)
		(void)fleet_release(q->sv->fleet, (unsigned)slot, clock_now_us()); /* if it was */
	say_lost(q, &about, "its release", put_port(q, port, NULL));
}

static bool
is_followed(const struct quarantine *q, unsigned slot)
{
	return q->followed[slot] == fleet_stay(q->sv->fleet, slot);
}

/* The place is quarantined, and has another number than then. */
static void
move_to(struct quarantine *q, const struct sighting *s, const char *name, const char *port)
{
	struct log_about about = ports_about(q->sv->ports, s->port);
	int old = fleet_find(q->sv->fleet, port);
	enum port_quarantine why = PORT_QUARANTINE_FAILURES; /* if its number was released */

	if (old >= 0 && fleet_port_quarantine(q->sv->fleet, (unsigned)old) != PORT_QUARANTINE_NONE)
		why = fleet_port_quarantine(q->sv->fleet, (unsigned)old);
	about.id = LOG_ID_QUARANTINED;
	log_say(q->sv->log, LOG_WARNING, &about,
		"set aside: it is the port that was %s, by device path %s", port, s->path);
	if (strcmp(port, s->port) != 0 && (old < 0 || !is_followed(q, (unsigned)old)))
		release_number(q, port);
	if (fleet_recall_port(q->sv->fleet, s->port, q->sv->settings->quarantine, why) == 0 &&
	    put_port(q, s->port, fleet_quarantine_reason(why)) == 0)
		put_path(q, name, s->port);
}

void
quarantine_follow_path(struct quarantine *q, const struct sighting *s)
{
	int slot = fleet_find(q->sv->fleet, s->port), r;
	char name[STORE_NAME_MAX + 8], port[PORT_TEXT_MAX];
	struct log_about about = ports_about(q->sv->ports, s->port);
	bool by_port;

	/* WHY once: within a run a quarantine is known by the port that it has. */
	if (!ports_compare_bus(q->sv->ports, s) || slot < 0 || is_followed(q, (unsigned)slot))
		return;
	q->followed[slot] = fleet_stay(q->sv->fleet, (unsigned)slot);
	by_port = fleet_port_quarantine(q->sv->fleet, (unsigned)slot) != PORT_QUARANTINE_NONE;
	name_path(s->path, name, sizeof(name));
	r = store_get(q->sv->store, STORE_STATION, name, port, sizeof(port));
	if (r > 0 && !by_port) {
		move_to(q, s, name, port);
	} else if (r == 0 && by_port && was_another_place(q, s)) {
		log_say(q->sv->log, LOG_NOTICE, &about,
			"not set aside: the port that was had this number on another controller");
		release_number(q, s->port);
	} else if (r == 0 && by_port) {
		put_path(q, name, s->port);
	}
}

/* ---- begun by the fleet --------------------------------------------------------------------- */

static void
save_port(struct quarantine *q, unsigned slot)
{
	struct log_about about;
	enum port_quarantine why = fleet_port_quarantine(q->sv->fleet, slot);
	struct slot_view v;

	fleet_view(q->sv->fleet, slot, clock_now_us(), &v);
	about = ports_about(q->sv->ports, v.port);
	keep_by_path(q, slot, v.port, true);
	if (why != PORT_QUARANTINE_FAILURES || v.message[0] == '\0')
		v.message = fleet_quarantine_reason(why);
	say_lost(q, &about, "its quarantine", put_port(q, v.port, v.message));
}

static void
save_drone(struct quarantine *q, const struct job_record *r)
{
	struct log_about about = ports_about(q->sv->ports, r->port);

	about.serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	if (about.serial[0] != '\0')
		say_lost(q, &about, "its quarantine",
			 put_drone(q, about.serial, "failed on several ports"));
}

/* "3 drones in a row did not start with cf2-2025.12 (A1, A3, B2)" */
static void
compose(const struct quarantine *q, const struct brake_run *run, char *out, size_t size)
{
	int n = snprintf(out, size, "%u drone%s in a row %s with %s (", run->count,
			 run->count == 1 ? "" : "s", brake_deed(run->fault), run->firmware);

	for (unsigned i = 0; i < run->count && n >= 0 && (size_t)n < size; i++) {
		if (i == NAMED_MAX) {
			n += snprintf(out + n, size - (size_t)n, " and %u more", run->count - i);
			break;
		}
		n += snprintf(out + n, size - (size_t)n, "%s%s", i > 0 ? ", " : "",
			      ports_name(q->sv->ports, run->drones[i].port));
	}
	if (n >= 0 && (size_t)n < size)
		(void)snprintf(out + n, size - (size_t)n, ")");
}

static json_t *
brake_json(const struct quarantine *q, const struct brake_run *run)
{
	char message[640];
	json_t *slots = json_array();

	compose(q, run, message, sizeof(message));
	for (unsigned i = 0; i < run->count && i < NAMED_MAX; i++)
		(void)json_array_append_new(slots, json_string(run->drones[i].port));
	return json_pack("{s:s, s:s, s:i, s:o, s:s}", "firmware", run->firmware, "fault",
			 fault_name(run->fault), "count", (int)run->count, "slots", slots,
			 "message", message);
}

/* All of it in one commit, with the verdict that it came with. */
static int
put_brake(struct quarantine *q, const struct brake_run *run)
{
	struct store_time now = clock_time(q->sv->clock);
	char *text = json_dumps(q->brake, JSON_COMPACT);
	struct store_act act = {
		.uid = -1, .pid = -1, .user = "cfdfud", .method = "Brake", .arguments = text
	};
	const char *reason = policy_quarantined(policy_of(q), run->sha256);
	int r = text != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = store_act(q->sv->store, &act, &now);
	if (r == 0)
		r = put(q, "paused", "yes");
	if (r == 0)
		r = put(q, "brake", text);
	if (r == 0 && reason != NULL)
		r = put_image(q, run->sha256, reason);
	free(text);
	return r;
}

static void
save_brake(struct quarantine *q)
{
	const struct brake_run *run = fleet_brake(q->sv->fleet);

	if (run == NULL)
		return; /* resumed already */
	json_decref(q->brake);
	q->brake = brake_json(q, run);
	say_lost(q, NULL, "that the station has paused itself", put_brake(q, run));
}

void
quarantine_tell(void *ctx, const struct fleet_event *event)
{
	struct quarantine *q = ctx;

	if (event->kind == EVENT_QUARANTINED)
		save_port(q, event->slot);
	else if (event->kind == EVENT_DRONE_QUARANTINED)
		save_drone(q, event->record);
	else if (event->kind == EVENT_BRAKE)
		save_brake(q);
}

/* ---- after the start ------------------------------------------------------------------------ */

struct crashed {
	struct quarantine *quarantine;
	char port[CRASHED_MAX][PORT_TEXT_MAX];
	size_t count;
};

static void
on_port(void *ctx, const struct store_port *p)
{
	struct crashed *c = ctx;
	const struct services *sv = c->quarantine->sv;
	bool crashes = p->crashes >= CRASHES_MAX && p->quarantined_ms == 0;
	enum port_quarantine why = p->quarantined_ms != 0
				       ? fleet_quarantine_by_reason(p->quarantined_why)
				   : crashes ? PORT_QUARANTINE_CRASHES
					     : PORT_QUARANTINE_NONE;
	bool plain = p->failures == 0 && why == PORT_QUARANTINE_NONE;

	/* LIMIT: slots for drones are not given away to ports that were used years ago. */
	if (plain && (fleet_slots(sv->fleet) >= FLEET_SLOTS_MAX / 2 ||
		      !settings_ports_match(&sv->settings->ports, p->port, NULL)))
		return;
	if (fleet_recall_port(sv->fleet, p->port, p->failures, why) < 0)
		return;
	if (crashes && c->count < CRASHED_MAX)
		copy_text(c->port[c->count++], PORT_TEXT_MAX, p->port);
}

static int
load_ports(struct quarantine *q)
{
	struct crashed c = { .quarantine = q };
	int r = store_port_each(q->sv->store, on_port, &c);

	for (size_t i = 0; r >= 0 && i < c.count; i++) {
		struct log_about about = ports_about(q->sv->ports, c.port[i]);
		int e = put_port(q, c.port[i], fleet_quarantine_reason(PORT_QUARANTINE_CRASHES));

		about.id = LOG_ID_QUARANTINED;
		log_say(q->sv->log, LOG_ERR, &about,
			"set aside, it was active in %d crashes of the service in a row%s",
			CRASHES_MAX, e < 0 ? " (not recorded)" : "");
	}
	return r;
}

static void
on_image(void *ctx, const char *sum, const char *reason)
{
	struct quarantine *q = ctx;
	uint8_t sha256[DIGEST_BYTES];

	if (!digest_parse(sum, sha256) || reason[0] == '\0')
		return;
	if (policy_quarantine(policy_of(q), sha256, reason) < 0)
		log_say(q->sv->log, LOG_ERR, NULL,
			"%s: set aside, and there is no room to remember it", sum);
}

int
quarantine_load(struct quarantine *q)
{
	struct store *store = q->sv->store;
	char text[STORE_MESSAGE_MAX] = "";
	int r = load_ports(q);

	if (r >= 0)
		r = store_each(store, STORE_QUARANTINED, on_image, q);
	if (r >= 0)
		r = store_get(store, STORE_STATION, "brake", text, sizeof(text));
	if (r < 0)
		return r;
	json_decref(q->brake);
	q->brake = text[0] != '\0' ? json_loads(text, 0, NULL) : NULL;
	return 0;
}

static void
on_newest(void *ctx, const struct store_attempt *at)
{
	*(int64_t *)ctx = at->id;
}

/* Endings until now do not count any more, also after a restart. */
static int
begin_count(struct quarantine *q)
{
	struct store_filter f = { .limit = 1 };
	char since[24];
	int64_t newest = 0;
	int r = store_history(q->sv->store, &f, on_newest, &newest);

	(void)snprintf(since, sizeof(since), "%lld", (long long)newest);
	return r < 0 ? r : put(q, "brake-since", since);
}

void
quarantine_recall(struct quarantine *q)
{
	struct store *store = q->sv->store;
	char since[24] = "";
	int64_t after = 0;

	if (store_get(store, STORE_STATION, "brake-since", since, sizeof(since)) > 0)
		after = strtoll(since, NULL, 10);
	else if (begin_count(q) == 0) /* records of a daemon that did not count */
		after = INT64_MAX;
	recall_endings(store, q->sv->fleet, after);
}

/* ---- lifted --------------------------------------------------------------------------------- */

json_t *
quarantine_brake(const struct quarantine *q)
{
	return q->brake;
}

json_t *
quarantine_resumed(struct quarantine *q)
{
	json_t *brake = q->brake;
	int r = begin_count(q);

	q->brake = NULL;
	if (r == 0)
		r = put(q, "brake", NULL);
	say_lost(q, NULL, "that the brake is lifted", r);
	return brake;
}

bool
quarantine_release_slot(struct quarantine *q, unsigned slot)
{
	struct log_about about;
	struct slot_view v;
	int r;

	if (!fleet_release(q->sv->fleet, slot, clock_now_us()))
		return false;
	fleet_view(q->sv->fleet, slot, clock_now_us(), &v);
	about = ports_about(q->sv->ports, v.port);
	about.serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
	keep_by_path(q, slot, v.port, false);
	r = put_port(q, v.port, NULL);
	if (r == 0 && about.serial[0] != '\0')
		r = put_drone(q, about.serial, NULL);
	if (r != -ENOENT) /* WHY: a drone without a record was not quarantined */
		say_lost(q, &about, "its release", r);
	return true;
}

int
quarantine_release_image(struct quarantine *q, const uint8_t *sha256)
{
	int r;

	if (policy_quarantined(policy_of(q), sha256) == NULL)
		return -ENOENT;
	r = put_image(q, sha256, NULL);
	if (r == 0)
		r = begin_count(q);
	if (r == 0)
		(void)fleet_release_image(q->sv->fleet, sha256, clock_now_us()); /* it was */
	return r;
}
