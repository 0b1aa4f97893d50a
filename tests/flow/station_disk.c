/* SPDX-License-Identifier: MIT */
/* The simulated disk: rows, commits that take time or fail, and what a crash leaves of them. */
#include "config.h"

#include "flow/station.h"

#include "core/ident.h"
#include "core/outcome.h"
#include "flow/station_parts.h"

struct station_row *
disk_row(struct station *s, int64_t id)
{
	return id > 0 && (size_t)id <= s->row_count ? &s->rows[id - 1] : NULL;
}

static void
fill_row(struct station_row *row, const struct job_record *r)
{
	row->record = *r;
	row->record.image = NULL;
	copy_text(row->port, sizeof(row->port), r->port);
	copy_text(row->serial, sizeof(row->serial), r->serial);
	copy_text(row->dfu_serial, sizeof(row->dfu_serial), r->dfu_serial);
	if (r->image != NULL) {
		row->has_image = true;
		memcpy(row->sha256, image_label(r->image)->sha256, sizeof(row->sha256));
	}
}

static void
ask_commit(struct station *s, unsigned slot, int64_t id, bool end)
{
	uint64_t due = station_now_us(s) + s->options.commit_us;
	struct commit *last = s->commit_count > 0 ? &s->commits[s->commit_count - 1] : NULL;

	if (s->commit_count == STATION_COMMITS_MAX) {
		station_break(s, "I15: more than %d commits wait", STATION_COMMITS_MAX);
		return;
	}
	if (last != NULL && last->due_us > due)
		due = last->due_us; /* one writer: in order */
	s->commits[s->commit_count++] = (struct commit){ slot, id, end, due };
}

void
disk_begin(struct station *s, const struct request *c)
{
	struct station_row *row;

	for (size_t i = 0; i < s->row_count; i++)
		if (s->rows[i].durable && !s->rows[i].verdict_durable &&
		    strcmp(s->rows[i].port, c->record->port) == 0)
			station_break(s, "I9: two attempts on port %s", c->record->port);
	if (c->record->id != 0)
		station_break(s, "I7: attempt %d begins twice", (int)c->record->id);
	if (s->row_count == STATION_ROWS_MAX) {
		station_break(s, "more than %d rows", STATION_ROWS_MAX);
		return;
	}
	row = &s->rows[s->row_count];
	memset(row, 0, sizeof(*row));
	row->id = (int64_t)++s->row_count;
	row->begun_us = station_now_us(s);
	fill_row(row, c->record);
	ask_commit(s, c->slot, row->id, false);
}

void
disk_end(struct station *s, const struct request *c)
{
	struct station_row *row = disk_row(s, c->record->id);

	if (row == NULL || !row->durable) {
		station_break(s, "I7: an ending without a durable beginning");
		return;
	}
	if (row->verdict_durable)
		station_break(s, "I7: a second ending for attempt %d", (int)row->id);
	if (row->has_image && c->record->image != NULL &&
	    memcmp(row->sha256, image_label(c->record->image)->sha256, sizeof(row->sha256)) != 0)
		station_break(s, "I8: the image changed during attempt %d", (int)row->id);
	if (!row->judged)
		check_ending(s, row, c->record);
	else if (c->record->verdict.kind != row->record.verdict.kind)
		station_break(s, "I7: attempt %d changed its verdict", (int)row->id);
	row->judged = true;
	row->ended_us = station_now_us(s);
	fill_row(row, c->record);
	ask_commit(s, c->slot, row->id, true);
}

static void
make_durable(struct station *s, const struct commit *c)
{
	struct station_row *row = disk_row(s, c->id);

	s->commit_total++;
	if (!c->end) {
		row->durable = true;
		return;
	}
	row->verdict = row->record.verdict;
	row->verdict_durable = true;
	row->order = s->commit_total;
	row->endings++;
}

/* A beginning that never was; its number is used again when nothing came after it. */
static void
forget_row(struct station *s, int64_t id)
{
	if ((size_t)id == s->row_count)
		s->row_count--;
}

void
disk_commit_due(struct station *s)
{
	while (s->commit_count > 0 && s->commits[0].due_us <= station_now_us(s)) {
		struct commit c = s->commits[0];

		memmove(&s->commits[0], &s->commits[1], --s->commit_count * sizeof(s->commits[0]));
		if (s->disk_error != 0) {
			if (!c.end)
				forget_row(s, c.id);
			fleet_recorded(s->fleet, c.slot, -s->disk_error, 0, station_now_us(s));
			continue;
		}
		make_durable(s, &c);
		fleet_recorded(s->fleet, c.slot, 0, c.id, station_now_us(s));
	}
}

uint64_t
disk_due_us(const struct station *s)
{
	return s->commit_count > 0 ? s->commits[0].due_us : WORLD_NEVER;
}

void
disk_crash(struct station *s)
{
	/* Of what was on its way some has arrived, in order, and nobody was told. */
	size_t landed = s->disk_error == 0 && s->commit_count > 0
			    ? rng_next(&s->rng) % (s->commit_count + 1)
			    : 0;

	for (size_t i = 0; i < landed; i++)
		make_durable(s, &s->commits[i]);
	s->commit_count = 0;
	while (s->row_count > 0 && !s->rows[s->row_count - 1].durable)
		s->row_count--;
	for (size_t i = 0; i < s->row_count; i++) {
		struct station_row *row = &s->rows[i];

		if (!row->durable || row->verdict_durable)
			continue;
		/*
		 * Every attempt that still runs on disk is interrupted, once (doc/faults.md
		 * S1).
		 */
		row->verdict = (struct verdict){ .kind = VERDICT_INTERRUPTED };
		row->verdict_durable = true;
		row->endings++;
	}
}

/* ---- what is known of a drone ------------------------------------------------------------ */

static bool
is_failure(const struct station_row *row)
{
	const struct verdict *v = &row->verdict;
	enum fault_class c = fault_class_of(v->fault);

	return v->kind == VERDICT_FAIL && !row->record.common &&
	       (c == CLASS_DEVICE || c == CLASS_PORT);
}

static bool
is_success(const struct verdict *v)
{
	return v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED;
}

/* Is this row about the drone that was sighted?  A serial of all clones names nobody. */
static bool
is_about(const struct station_row *row, const struct sighting *s)
{
	if (!row->verdict_durable)
		return false;
	if (ident_kind_of(s) != IDENT_DFU)
		return ident_runtime_serial_valid(s->serial) && strcmp(row->serial, s->serial) == 0;
	if (ident_dfu_serial_valid(s->serial) && strcmp(row->dfu_serial, s->serial) == 0)
		return true;
	if (row->serial[0] != '\0' && ident_runtime_dfu(row->serial, s->serial) == IDENT_SAME)
		return true;
	/* An open attempt on its port makes a drone that says nothing ours (design promise 4). */
	return row->verdict.kind == VERDICT_INTERRUPTED && strcmp(row->port, s->port) == 0 &&
	       !ident_dfu_serial_valid(s->serial);
}

static bool
shares_dfu_serial(const struct station *s, const char *dfu_serial, const char *serial)
{
	for (size_t i = 0; i < s->row_count; i++)
		if (s->rows[i].durable && dfu_serial[0] != '\0' &&
		    strcmp(s->rows[i].dfu_serial, dfu_serial) == 0 &&
		    s->rows[i].serial[0] != '\0' && strcmp(s->rows[i].serial, serial) != 0)
			return true;
	return false;
}

/* Its failures in a row, and on how many ports. */
static void
count_failures(const struct station *s, const char *serial, struct drone_history *history)
{
	const char *ports[8];
	unsigned n = 0;

	for (size_t i = s->row_count; i-- > 0 && serial[0] != '\0';) {
		const struct station_row *row = &s->rows[i];
		unsigned k = 0;

		if (!row->verdict_durable || strcmp(row->serial, serial) != 0)
			continue;
		if (is_success(&row->verdict))
			break;
		if (!is_failure(row))
			continue;
		history->failures++;
		while (k < n && strcmp(ports[k], row->port) != 0)
			k++;
		if (k == n && n < ARRAY_LEN(ports))
			ports[n++] = row->port;
	}
	history->failed_ports = n;
}

static void
learn(struct drone_history *history, const struct station_row *row)
{
	history->known = true;
	history->interrupted =
	    row->verdict.kind == VERDICT_INTERRUPTED || row->verdict.kind == VERDICT_FAIL;
	history->platform = row->record.platform;
	history->obey = row->record.obey;
	copy_text(history->serial, sizeof(history->serial), row->serial);
	copy_text(history->dfu_serial, sizeof(history->dfu_serial), row->dfu_serial);
	copy_text(history->loader_sha256, sizeof(history->loader_sha256),
		  row->record.loader_sha256);
}

void
disk_look_up(struct station *s, const struct sighting *sighting, struct drone_history *history)
{
	memset(history, 0, sizeof(*history));
	for (size_t i = s->row_count; i-- > 0 && !history->known;)
		if (is_about(&s->rows[i], sighting))
			learn(history, &s->rows[i]);
	if (!history->known)
		return;
	history->shares_dfu_serial = shares_dfu_serial(s, history->dfu_serial, history->serial);
	count_failures(s, history->serial, history);
	for (size_t i = 0; i < s->aside_count; i++)
		history->quarantined =
		    history->quarantined || strcmp(s->aside_serials[i], history->serial) == 0;
}

void
disk_aside(struct station *s, const char *serial, bool aside)
{
	size_t i = 0;

	if (serial == NULL || serial[0] == '\0')
		return;
	while (i < s->aside_count && strcmp(s->aside_serials[i], serial) != 0)
		i++;
	if (aside && i == s->aside_count && i < STATION_ASIDE_MAX)
		copy_text(s->aside_serials[s->aside_count++], SERIAL_TEXT_MAX, serial);
	if (!aside && i < s->aside_count)
		memmove(s->aside_serials[i], s->aside_serials[i + 1],
			(--s->aside_count - i) * SERIAL_TEXT_MAX);
}

/* What the records say of the ports, to a daemon that starts. */
void
disk_tell_fleet(struct station *s, struct fleet *fresh)
{
	for (size_t k = 0; k < s->seat_count; k++) {
		const char *port = s->seats[k].port;
		unsigned failures = 0;

		for (size_t i = s->row_count; i-- > 0;) {
			const struct station_row *row = &s->rows[i];

			if (!row->verdict_durable || strcmp(row->port, port) != 0)
				continue;
			if (is_success(&row->verdict))
				break;
			failures += is_failure(row);
		}
		if (fleet_recall_port(fresh, port, failures, s->seats[k].aside) < 0)
			station_break(s, "I15: no slot for port %s", port);
	}
}

void
station_disk(struct station *s, int error)
{
	s->disk_error = error;
}

void
station_disk_slow(struct station *s, uint32_t commit_us)
{
	s->options.commit_us = commit_us;
}

size_t
station_rows(const struct station *s)
{
	return s->row_count;
}

const struct station_row *
station_row(const struct station *s, size_t i)
{
	return &s->rows[i];
}

const struct station_row *
station_last(const struct station *s, const char *port)
{
	for (size_t i = s->row_count; i-- > 0;)
		if (s->rows[i].durable && strcmp(s->rows[i].port, port) == 0)
			return &s->rows[i];
	return NULL;
}
