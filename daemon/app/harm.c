/* SPDX-License-Identifier: MIT */
/*
 * The brake has fallen: what is said, what is recorded, and how it is lifted.
 *
 * On disk: the station is paused, why ("brake", type Brake of the interface), which images are set
 * aside, and from which attempt on endings count ("brake-since").
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_parts.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"
#include "firmware/digest.h"

enum {
	NAMED_MAX = 12, /* LIMIT: slots named; the record has room for so many */
	RECALL_MAX = 64 /* LIMIT: endings before the start that are counted */
};

static const char *
place_of(struct app *a, const char *port)
{
	const char *label = apply_label(a, port);

	return label != NULL ? label : port;
}

/* "3 drones in a row did not start with cf2-2025.12 (A1, A3, B2)" */
static void
compose(struct app *a, const struct brake_run *run, char *out, size_t size)
{
	int n = snprintf(out, size, "%u drone%s in a row %s with %s (", run->count,
			 run->count == 1 ? "" : "s", brake_deed(run->fault), run->firmware);

	for (unsigned i = 0; i < run->count && n >= 0 && (size_t)n < size; i++) {
		if (i == NAMED_MAX) {
			n += snprintf(out + n, size - (size_t)n, " and %u more", run->count - i);
			break;
		}
		n += snprintf(out + n, size - (size_t)n, "%s%s", i > 0 ? ", " : "",
			      place_of(a, run->drones[i].port));
	}
	if (n >= 0 && (size_t)n < size)
		(void)snprintf(out + n, size - (size_t)n, ")");
}

static json_t *
brake_json(struct app *a, const struct brake_run *run)
{
	char message[640];
	json_t *slots = json_array();

	compose(a, run, message, sizeof(message));
	for (unsigned i = 0; i < run->count && i < NAMED_MAX; i++)
		(void)json_array_append_new(slots, json_string(run->drones[i].port));
	return json_pack("{s:s, s:s, s:i, s:o, s:s}", "firmware", run->firmware, "fault",
			 fault_name(run->fault), "count", (int)run->count, "slots", slots,
			 "message", message);
}

static int
keep_aside(struct app *a, const uint8_t *sha256, const char *reason)
{
	struct store_time now = clock_time(a->clock);
	char sum[DIGEST_TEXT_MAX];

	digest_format(sha256, sum);
	return store_set(a->store, STORE_ASIDE, sum, reason, &now);
}

/* All of it in one commit, with the verdict that it came with. */
static int
record(struct app *a, const struct brake_run *run)
{
	struct store_time now = clock_time(a->clock);
	char *text = json_dumps(a->brake, JSON_COMPACT);
	struct store_act act = {
		.uid = -1, .pid = -1, .user = "cfdfud", .method = "Brake", .arguments = text
	};
	const char *reason = policy_quarantined(fleet_policy(a->fleet), run->sha256);
	int r = text != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = store_act(a->store, &act, &now);
	if (r == 0)
		r = store_set(a->store, STORE_STATION, "paused", "yes", &now);
	if (r == 0)
		r = store_set(a->store, STORE_STATION, "brake", text, &now);
	if (r == 0 && reason != NULL)
		r = keep_aside(a, run->sha256, reason);
	free(text);
	return r;
}

void
harm_stopped(struct app *a)
{
	const struct brake_run *run = fleet_brake(a->fleet);
	int r;

	if (run == NULL)
		return; /* resumed already */
	json_decref(a->brake);
	a->brake = brake_json(a, run);
	r = record(a, run);
	if (r < 0)
		log_say(a->log, LOG_ERR, NULL,
			"why the station has paused itself is not recorded: %s", strerror(-r));
}

void
harm_say(struct app *a)
{
	const struct brake_run *run = fleet_brake(a->fleet);
	struct log_about about = { .id = LOG_ID_BRAKE };

	if (run == NULL)
		return; /* resumed already */
	about.fault = fault_name(run->fault);
	log_say(a->log, LOG_ERR, &about,
		"the station has paused itself: %s; that firmware is set aside. 'cfdfuctl resume' "
		"goes on without it, 'cfdfuctl firmware release NAME' gives it to drones again",
		json_string_value(json_object_get(a->brake, "message")));
}

/* ---- after the start ------------------------------------------------------------------------ */

static void
on_aside(void *ctx, const char *sum, const char *reason)
{
	struct app *a = ctx;
	uint8_t sha256[DIGEST_BYTES];

	if (!digest_parse(sum, sha256) || reason[0] == '\0')
		return;
	if (policy_quarantine(fleet_policy(a->fleet), sha256, reason) < 0)
		log_say(a->log, LOG_ERR, NULL, "%s: set aside, and there is no room to remember it",
			sum);
}

int
harm_load(struct app *a)
{
	char text[STORE_MESSAGE_MAX] = "";
	int r = store_each(a->store, STORE_ASIDE, on_aside, a);

	if (r >= 0)
		r = store_get(a->store, STORE_STATION, "brake", text, sizeof(text));
	if (r < 0)
		return r;
	json_decref(a->brake);
	a->brake = text[0] != '\0' ? json_loads(text, 0, NULL) : NULL;
	return 0;
}

/* An ending of before the start. */
struct past_ending {
	int64_t id, ended_ms;
	uint8_t sha256[DIGEST_BYTES];
	char firmware[IMAGE_TEXT_MAX], serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX];
	char port[PORT_TEXT_MAX];
	enum verdict_kind verdict;
	enum fault fault;
	enum step step;
};

struct past_endings {
	struct past_ending list[RECALL_MAX];
	size_t count;
	int64_t since; /* attempts after this one */
};

static bool
has_flag(const struct store_attempt *at, const char *flag)
{
	return at->flags != NULL && strstr(at->flags, flag) != NULL;
}

static void
on_ending(void *ctx, const struct store_attempt *at)
{
	struct past_endings *all = ctx;
	struct past_ending *e = &all->list[all->count];
	bool twin = has_flag(at, "dup-serial");

	if (all->count == RECALL_MAX || at->id <= all->since || at->verdict == NULL ||
	    at->firmware_sha256 == NULL || (at->kind != NULL && strcmp(at->kind, "flash") != 0) ||
	    has_flag(at, "common-cause") || !digest_parse(at->firmware_sha256, e->sha256))
		return;
	e->id = at->id;
	e->ended_ms = at->ended_ms;
	e->verdict = verdict_by_name(at->verdict);
	e->fault = fault_by_name(at->fault);
	e->step = step_by_name(at->step);
	copy_text(e->firmware, sizeof(e->firmware), at->firmware_name);
	copy_text(e->serial, sizeof(e->serial), twin ? "" : at->serial);
	copy_text(e->dfu_serial, sizeof(e->dfu_serial),
		  twin || has_flag(at, "no-serial") ? "" : at->dfu_serial);
	copy_text(e->port, sizeof(e->port), at->port);
	all->count++;
}

static int
by_end(const void *a, const void *b)
{
	const struct past_ending *x = a, *y = b;

	if (x->ended_ms != y->ended_ms)
		return x->ended_ms < y->ended_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
on_newest(void *ctx, const struct store_attempt *at)
{
	*(int64_t *)ctx = at->id;
}

/* Endings until now do not count any more, also after a restart. */
static int
begin_count(struct app *a)
{
	struct store_filter f = { .limit = 1 };
	struct store_time now = clock_time(a->clock);
	char since[24];
	int64_t newest = 0;
	int r = store_history(a->store, &f, on_newest, &newest);

	(void)snprintf(since, sizeof(since), "%lld", (long long)newest);
	if (r >= 0)
		r = store_set(a->store, STORE_STATION, "brake-since", since, &now);
	return r < 0 ? r : 0;
}

void
harm_recall(struct app *a)
{
	struct past_endings *all = calloc(1, sizeof(*all));
	struct store_filter f = { .limit = RECALL_MAX };
	char since[24] = "";

	if (all == NULL)
		return; /* WHY: it counts from here on then */
	if (store_get(a->store, STORE_STATION, "brake-since", since, sizeof(since)) > 0)
		all->since = strtoll(since, NULL, 10);
	else if (begin_count(a) == 0) /* records of a daemon that did not count */
		all->since = INT64_MAX;
	if (store_history(a->store, &f, on_ending, all) < 0)
		all->count = 0;
	qsort(all->list, all->count, sizeof(all->list[0]), by_end);
	for (size_t i = 0; i < all->count; i++) {
		const struct past_ending *p = &all->list[i];
		struct brake_ending e = { p->sha256, p->firmware, p->verdict,	 p->fault,
					  p->step,   p->serial,	  p->dfu_serial, p->port };

		fleet_recall(a->fleet, &e, clock_now_us());
	}
	free(all);
}

/* ---- lifted --------------------------------------------------------------------------------- */

json_t *
harm_resumed(struct app *a)
{
	struct store_time now = clock_time(a->clock);
	json_t *brake = a->brake;
	int r = begin_count(a);

	a->brake = NULL;
	if (r == 0)
		r = store_set(a->store, STORE_STATION, "brake", NULL, &now);
	if (r < 0)
		log_say(a->log, LOG_WARNING, NULL, "that the brake is lifted is not recorded: %s",
			strerror(-r));
	return brake;
}

int
harm_release(struct app *a, const uint8_t *sha256)
{
	int r;

	if (policy_quarantined(fleet_policy(a->fleet), sha256) == NULL)
		return -ENOENT;
	r = keep_aside(a, sha256, NULL);
	if (r == 0)
		r = begin_count(a);
	if (r == 0)
		(void)fleet_release_image(a->fleet, sha256, clock_now_us()); /* it was, see above */
	return r;
}
