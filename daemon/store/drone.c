/* SPDX-License-Identifier: MIT */
/* Drones and ports: recording facts, quarantine, and finding them. */
#include "config.h"

#include "store/store_internal.h"

#include <errno.h>
#include <sqlite3.h>
#include <strings.h>

#define NOTE_AGAIN_MS 60000 /* LIMIT: last_seen is not worth a record more often */

static void
drone_of_row(sqlite3_stmt *st, struct store_drone *d)
{
	*d = (struct store_drone){
		.id = sqlite3_column_int64(st, 0),
		.serial = db_text(st, 1),
		.dfu_serial = db_text(st, 2),
		.platform = db_text(st, 3),
		.device_type = db_text(st, 4),
		.board_type = db_text(st, 5),
		.loader_sha256 = db_text(st, 6),
		.version = db_text(st, 7),
		.quirks = db_text(st, 8),
		.first_seen_ms = sqlite3_column_int64(st, 9),
		.last_seen_ms = sqlite3_column_int64(st, 10),
		.last_attempt = sqlite3_column_int64(st, 11),
		.last_verdict = db_text(st, 12),
		.last_firmware = db_text(st, 13),
		.last_sha256 = db_text(st, 14),
		.failures = (unsigned)sqlite3_column_int64(st, 15),
		.failed_ports = db_text(st, 16),
		.failed_port_count = (unsigned)sqlite3_column_int64(st, 17),
		.quarantined_ms = sqlite3_column_int64(st, 18),
		.quarantined_why = db_text(st, 19),
		.shares_dfu_serial = sqlite3_column_int(st, 20) != 0,
		.nrf_version = db_text(st, 21),
		.radio = db_text(st, 22),
		.decks = db_text(st, 23),
	};
}

static int
find_drone(struct store *s, const char *serial, const char *dfu_serial,
	   void (*each)(void *ctx, const struct store_drone *d), void *ctx)
{
	struct store_drone d;
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_DRONE, &st, "tt", serial, dfu_serial);

	if (r > 0) {
		drone_of_row(st, &d);
		each(ctx, &d);
		(void)sqlite3_reset(st); /* after a row: cannot fail */
	}
	return r;
}

int
store_drone_find(struct store *s, const char *serial, const char *dfu_serial,
		 void (*each)(void *ctx, const struct store_drone *d), void *ctx)
{
	bool either = serial != NULL && dfu_serial != NULL && strcasecmp(serial, dfu_serial) == 0;
	int r = store_usable(s);

	if (r == 0)
		r = find_drone(s, serial, either ? NULL : dfu_serial, each, ctx);
	if (r == 0 && either)
		r = find_drone(s, NULL, dfu_serial, each, ctx);
	return r;
}

int
store_drone_begins(struct store *s, const char *prefix, unsigned limit,
		   void (*each)(void *ctx, const char *serial, const char *dfu_serial), void *ctx)
{
	char behind[STORE_NAME_MAX];
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r < 0)
		return r;
	if (!text_present(prefix) || strlen(prefix) + 1 >= sizeof(behind))
		return 0;
	/* Sorts behind all serials that begin so: DEL is behind all their characters. */
	(void)snprintf(behind, sizeof(behind), "%s\x7f", prefix);
	r = db_ask(s->files.db, DB_DRONES_FROM, &st, "ttn", prefix, behind, (int64_t)limit);
	for (; r > 0; r = db_step(s->files.db, st))
		each(ctx, db_text(st, 0), db_text(st, 1));
	return r;
}

struct comparison {
	const struct store_drone_facts *facts;
	int64_t now_ms;
	bool known; /* nothing of it is news */
};

static bool
is_news(const char *fact, const char *known)
{
	return text_present(fact) && (known == NULL || strcmp(fact, known) != 0);
}

static bool
is_other_serial(const char *fact, const char *known)
{
	return text_present(fact) && (known == NULL || strcasecmp(fact, known) != 0);
}

static void
compare_facts(void *ctx, const struct store_drone *d)
{
	struct comparison *c = ctx;
	const struct store_drone_facts *f = c->facts;
	const char *quirks = d->quirks != NULL ? d->quirks : "";

	c->known =
	    !is_other_serial(f->serial, d->serial) &&
	    !is_other_serial(f->dfu_serial, d->dfu_serial) && !is_news(f->platform, d->platform) &&
	    !is_news(f->device_type, d->device_type) && !is_news(f->board_type, d->board_type) &&
	    !is_news(f->loader_sha256, d->loader_sha256) && !is_news(f->version, d->version) &&
	    !is_news(f->nrf_version, d->nrf_version) && !is_news(f->radio, d->radio) &&
	    !is_news(f->decks, d->decks) && (f->quirks == NULL || strcmp(f->quirks, quirks) == 0) &&
	    c->now_ms >= d->last_seen_ms && c->now_ms - d->last_seen_ms < NOTE_AGAIN_MS;
}

int
store_drone_note(struct store *s, const struct store_drone_facts *f, const struct store_time *now)
{
	struct comparison c = { .facts = f, .now_ms = now->wall_ms };
	struct body b;
	int r;

	if (!text_present(f->serial) && !text_present(f->dfu_serial))
		return -EINVAL;
	r = store_drone_find(s, f->serial, f->dfu_serial, compare_facts, &c);
	if (r < 0 || c.known)
		return r < 0 ? r : 0;
	body_begin_at(&b, now);
	body_text(&b, "serial", f->serial, STORE_NAME_MAX);
	body_text(&b, "dfu_serial", f->dfu_serial, STORE_NAME_MAX);
	body_text(&b, "platform", f->platform, STORE_NAME_MAX);
	body_text(&b, "device_type", f->device_type, STORE_NAME_MAX);
	body_text(&b, "board_type", f->board_type, STORE_NAME_MAX);
	body_text(&b, "loader_sha256", f->loader_sha256, STORE_NAME_MAX);
	body_text(&b, "version", f->version, STORE_NAME_MAX);
	if (f->quirks != NULL)
		body_text_or_empty(&b, "quirks", f->quirks, STORE_NAME_MAX);
	body_text(&b, "nrf_version", f->nrf_version, STORE_NAME_MAX);
	body_text(&b, "radio", f->radio, STORE_NAME_MAX);
	body_text(&b, "decks", f->decks, STORE_MESSAGE_MAX);
	return store_queue(s, RECORD_DRONE, 0, &b);
}

static int
queue_quarantine(struct store *s, enum record_kind kind, const char *key, const char *value,
		 const char *why, const struct store_time *now)
{
	struct body b;

	body_begin_at(&b, now);
	body_text(&b, key, value, STORE_NAME_MAX);
	body_text(&b, "why", why, STORE_MESSAGE_MAX);
	return store_queue(s, kind, 0, &b);
}

static void
ignore_drone(void *ctx, const struct store_drone *d)
{
	(void)ctx; /* only whether there is one matters */
	(void)d;
}

int
store_drone_quarantine(struct store *s, const char *serial, const char *why,
		       const struct store_time *now)
{
	int r;

	if (!text_present(serial))
		return -EINVAL;
	r = store_drone_find(s, serial, serial, ignore_drone, NULL);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return queue_quarantine(s, RECORD_DRONE_QUARANTINE, "serial", serial, why, now);
}

static void
port_of_row(sqlite3_stmt *st, struct store_port *p)
{
	*p = (struct store_port){
		.port = db_text(st, 0),
		.label = db_text(st, 1),
		.failures = (unsigned)sqlite3_column_int64(st, 2),
		.crashes = (unsigned)sqlite3_column_int64(st, 3),
		.quarantined_ms = sqlite3_column_int64(st, 4),
		.quarantined_why = db_text(st, 5),
	};
}

int
store_port_each(struct store *s, void (*each)(void *ctx, const struct store_port *p), void *ctx)
{
	struct store_port p;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_PORTS, &st, "");
	for (; r > 0; r = db_step(s->files.db, st)) {
		port_of_row(st, &p);
		each(ctx, &p);
	}
	return r;
}

int
store_port_quarantine(struct store *s, const char *port, const char *why,
		      const struct store_time *now)
{
	if (!text_present(port))
		return -EINVAL;
	return queue_quarantine(s, RECORD_PORT_QUARANTINE, "port", port, why, now);
}
