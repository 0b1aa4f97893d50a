/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/recall.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "core/fleet.h"
#include "core/ident.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "firmware/digest.h"
#include "store/store.h"

enum {
	COMPARED_MAX =
	    512,	 /* LIMIT: attempts; some milliseconds, for a device that is unknown else */
	RECALL_MAX = 64, /* LIMIT: endings before the start that are counted */
	PASSED_MAX = 64, /* LIMIT: attempts of other kinds between them */
};

static void
on_drone(void *ctx, const struct store_drone *d)
{
	struct drone_history *p = ctx;
	const char *last = d->last_verdict != NULL ? d->last_verdict : "";
	enum verdict_kind v = verdict_by_name(last);

	p->known = true;
	p->interrupted = history_interrupted_by(v);
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

/* ---- in DFU mode, and its DFU serial is new ------------------------------------------------- */

struct search {
	const struct sighting *sighting;
	char serial[SERIAL_TEXT_MAX]; /* run-time; "" not found */
	enum platform platform;
};

static void
on_attempt(void *ctx, const struct store_attempt *at)
{
	struct search *search = ctx;

	if (search->serial[0] != '\0' || at->serial == NULL ||
	    ident_runtime_dfu(at->serial, search->sighting->serial) != IDENT_SAME)
		return;
	copy_text(search->serial, sizeof(search->serial), at->serial);
	search->platform = platform_by_name(at->platform);
}

/*
 * An attempt that begins at run time has no DFU serial before DFU mode is reached.  When it ends
 * before that, or the service dies, the drone is recognised by its run-time serial, from which the
 * DFU serial is made.
 */
static int
find_by_runtime_serial(struct store *store, const struct sighting *s, struct drone_history *history)
{
	struct store_filter f = { .limit = COMPARED_MAX };
	struct search search = { .sighting = s };
	int n = store_history(store, &f, on_attempt, &search);

	if (n < 0 || search.serial[0] == '\0')
		return n < 0 ? n : 0;
	n = store_drone_find(store, search.serial, NULL, on_drone, history);
	if (history->platform == PLATFORM_UNKNOWN) /* WHY: a drone's is recorded at the end */
		history->platform = search.platform;
	return n;
}

/* ---- in DFU mode without a usable serial ---------------------------------------------------- */

struct last_attempt {
	const char *port;
	struct drone_history *history;
};

static void
on_last_attempt(void *ctx, const struct store_attempt *at)
{
	const struct last_attempt *l = ctx;

	/* WHY: one on a deck or the radio configuration leaves no drone in DFU mode. */
	if (strcmp(at->port, l->port) != 0 || at->verdict == NULL ||
	    strcmp(at->target, "stm32") != 0 || verdict_by_name(at->verdict) != VERDICT_INTERRUPTED)
		return;
	l->history->known = l->history->interrupted = true;
	l->history->platform = platform_by_name(at->platform);
	copy_text(l->history->serial, sizeof(l->history->serial), at->serial);
}

/* Such a device is ours if its port has an open attempt (doc/promises.md 4). */
static int
find_by_port(struct store *store, const struct sighting *s, struct drone_history *history)
{
	struct store_filter f = { .slot = s->port, .limit = 1 };
	struct last_attempt l = { s->port, history };
	int n = store_history(store, &f, on_last_attempt, &l);

	return n < 0 ? n : 0;
}

int
recall_drone(struct store *store, const struct sighting *s, struct drone_history *history)
{
	enum ident_kind kind = ident_kind_of(s);
	int r = 0;

	if (kind == IDENT_RUNTIME && ident_runtime_serial_valid(s->serial))
		r = store_drone_find(store, s->serial, NULL, on_drone, history);
	else if (kind == IDENT_DFU && !ident_dfu_serial_valid(s->serial))
		r = find_by_port(store, s, history);
	else if (kind == IDENT_DFU) {
		r = store_drone_find(store, NULL, s->serial, on_drone, history);
		if (r == 0)
			r = find_by_runtime_serial(store, s, history);
	}
	return r < 0 ? r : 0;
}

/* ---- endings, for the brake ------------------------------------------------------------------ */

struct ending {
	int64_t id, ended_ms;
	uint8_t sha256[DIGEST_BYTES];
	char firmware[IMAGE_TEXT_MAX], serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX];
	char port[PORT_TEXT_MAX];
	struct verdict verdict;
};

struct endings {
	struct ending list[RECALL_MAX];
	size_t count;
	unsigned looked;
	int64_t after;
};

static bool
is_far_enough(void *ctx)
{
	struct endings *all = ctx;

	return ++all->looked >= RECALL_MAX + PASSED_MAX;
}

static bool
has_flag(const struct store_attempt *at, const char *flag)
{
	return at->flags != NULL && strstr(at->flags, flag) != NULL;
}

static void
on_ending(void *ctx, const struct store_attempt *at)
{
	struct endings *all = ctx;
	struct ending *e = &all->list[all->count];
	bool twin = has_flag(at, "dup-serial");

	if (all->count == RECALL_MAX || at->id <= all->after || at->verdict == NULL ||
	    at->firmware_sha256 == NULL || has_flag(at, "common-cause") ||
	    !digest_parse(at->firmware_sha256, e->sha256))
		return;
	e->id = at->id;
	e->ended_ms = at->ended_ms;
	e->verdict = (struct verdict){ .kind = verdict_by_name(at->verdict),
				       .fault = fault_by_name(at->fault),
				       .step = step_by_name(at->step) };
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
	const struct ending *x = a, *y = b;

	if (x->ended_ms != y->ended_ms)
		return x->ended_ms < y->ended_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void
recall_endings(struct store *store, struct fleet *fleet, int64_t after)
{
	struct endings *all = calloc(1, sizeof(*all));
	struct store_filter f = { .limit = RECALL_MAX, .kind = "flash", .enough = is_far_enough };

	if (all == NULL)
		return;
	all->after = after;
	if (store_history(store, &f, on_ending, all) < 0)
		all->count = 0;
	qsort(all->list, all->count, sizeof(all->list[0]), by_end);
	for (size_t i = 0; i < all->count; i++) {
		const struct ending *e = &all->list[i];
		struct update_ending u = { .sha256 = e->sha256,
					   .firmware = e->firmware,
					   .verdict = e->verdict,
					   .serial = e->serial,
					   .dfu_serial = e->dfu_serial,
					   .port = e->port };

		fleet_recall(fleet, &u, clock_now_us());
	}
	free(all);
}
