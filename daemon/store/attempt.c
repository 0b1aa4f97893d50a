/* SPDX-License-Identifier: MIT */
/* Beginnings and endings of attempts, and the ones a dead daemon left without an ending. */
#include "config.h"

#include "store/store_internal.h"

#include <errno.h>
#include <sqlite3.h>

#define SHA256_TEXT_MAX 65
#define CONDITION_MAX (RECORD_BODY_MAX / 2) /* LIMIT: leaves room for the rest of its record */

int
store_attempt_begin(struct store *s, const struct store_begin *b, const struct store_time *now,
		    int64_t *ret_id)
{
	struct body body;
	int r = store_ready(s, now);

	if (r < 0)
		return r;
	if (!text_present(b->port))
		return -EINVAL;
	if (s->running.count == STORE_OPEN_MAX)
		return -E2BIG;
	body_begin(&body);
	body_int(&body, "id", s->running.next_id);
	body_moment(&body, now);
	body_text(&body, "kind", text_present(b->kind) ? b->kind : "flash", STORE_NAME_MAX);
	body_text(&body, "port", b->port, STORE_NAME_MAX);
	body_text(&body, "label", b->label, STORE_NAME_MAX);
	body_text(&body, "serial", b->serial, STORE_NAME_MAX);
	body_text(&body, "dfu_serial", b->dfu_serial, STORE_NAME_MAX);
	body_text(&body, "platform", b->platform, STORE_NAME_MAX);
	body_text(&body, "firmware", b->firmware_name, STORE_NAME_MAX);
	body_text(&body, "version", b->firmware_version, STORE_NAME_MAX);
	body_text(&body, "sha256", b->firmware_sha256, SHA256_TEXT_MAX);
	body_text(&body, "version_before", b->version_before, STORE_NAME_MAX);
	body_text(&body, "flags", b->flags, STORE_NAME_MAX);
	body_text(&body, "target", b->target, STORE_NAME_MAX);
	body_text(&body, "radio_before", b->radio_before, STORE_NAME_MAX);
	if (b->batch > 0)
		body_int(&body, "batch", b->batch);
	body_text(&body, "signer", b->signer, STORE_NAME_MAX);
	r = store_queue(s, RECORD_BEGIN, s->running.next_id, &body);
	if (r < 0)
		return r;
	s->running.ids[s->running.count++] = s->running.next_id;
	*ret_id = s->running.next_id++;
	return 0;
}

/* [["asking",120],["erasing",3100]]: as SQLite's JSON functions write it, so that it can be made
 * again. */
static void
stages_text(const struct store_ending *e, struct body *out)
{
	size_t count = e->stage_count < STORE_STAGES_MAX ? e->stage_count : STORE_STAGES_MAX;

	body_list_begin(out);
	for (size_t i = 0; i < count; i++)
		body_list_pair(out, e->stages[i].name, e->stages[i].ms, STORE_NAME_MAX);
	body_list_end(out);
}

static void
number_and_name(struct body *b, const char *code_key, int code, const char *key, const char *name)
{
	if (!text_present(name))
		return;
	body_int(b, code_key, code);
	body_text(b, key, name, STORE_NAME_MAX);
}

static int64_t
bounded(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void
ending_body(struct body *b, int64_t id, const struct store_ending *e, const struct store_time *now,
	    bool crash)
{
	struct body stages;

	body_begin(b);
	body_int(b, "id", id);
	body_moment(b, now);
	number_and_name(b, "verdict_code", e->verdict, "verdict", e->verdict_name);
	number_and_name(b, "fault_code", e->fault, "fault", e->fault_name);
	number_and_name(b, "class_code", e->fault_class, "class", e->fault_class_name);
	number_and_name(b, "step_code", e->step, "step", e->step_name);
	if (e->address >= 0)
		body_int(b, "address", e->address);
	body_int(b, "bytes_written", bounded(e->bytes_written));
	body_int(b, "sectors_erased", e->sectors_erased);
	body_int(b, "transfers", e->transfers);
	body_text(b, "version_after", e->version_after, STORE_NAME_MAX);
	body_text(b, "message", e->message, STORE_MESSAGE_MAX);
	body_text(b, "flags", e->flags, STORE_NAME_MAX);
	body_text(b, "serial", e->serial, STORE_NAME_MAX);
	body_text(b, "dfu_serial", e->dfu_serial, STORE_NAME_MAX);
	body_text(b, "platform", e->platform, STORE_NAME_MAX);
	body_text(b, "version_before", e->version_before, STORE_NAME_MAX);
	if (e->stage_count > 0) {
		stages_text(e, &stages);
		body_raw(b, "stages", stages.text);
	}
	if (e->port_count != STORE_COUNT_KEEP)
		body_int(b, "port_count", e->port_count);
	if (e->drone_count != STORE_COUNT_KEEP)
		body_int(b, "drone_count", e->drone_count);
	if (crash)
		body_int(b, "crash", 1);
}

static int
end_attempt(struct store *s, int64_t id, const struct store_ending *e, const struct store_time *now,
	    bool crash)
{
	struct body b;
	size_t i = 0;
	int r;

	while (i < s->running.count && s->running.ids[i] != id)
		i++;
	if (i ==
	    s->running.count) /* ids have no gaps: what was given out and is not open has ended */
		return id >= 1 && id < s->running.next_id ? -EALREADY : -ENOENT;
	if (!text_present(e->verdict_name))
		return -EINVAL;
	ending_body(&b, id, e, now, crash);
	r = store_queue(s, RECORD_END, id, &b);
	if (r == 0)
		s->running.ids[i] = s->running.ids[--s->running.count];
	return r;
}

int
store_attempt_end(struct store *s, int64_t id, const struct store_ending *e,
		  const struct store_time *now)
{
	return end_attempt(s, id, e, now, false);
}

/* A condition stands at the end of its record's body. */
static bool
ends_with(const char *body, size_t body_size, const char *condition)
{
	size_t size = strlen(condition);

	return body_size > size + 1 && memcmp(body + body_size - size - 1, condition, size) == 0;
}

/* Is it what was recorded last of this attempt, be it in the queue?  Where that cannot be read it
 * is recorded once more. */
static bool
is_recorded(struct store *s, int64_t id, const char *condition)
{
	const struct record *last = NULL;
	sqlite3_stmt *st;
	bool same = false;

	for (const struct record *q = s->queue.first; q != NULL; q = q->next)
		if (q->kind == RECORD_CONDITION && record_body_id(q->body) == id)
			last = q;
	if (last != NULL)
		return ends_with(last->body, last->body_size, condition);
	if (store_usable(s) == 0 && db_ask(s->files.db, DB_CONDITION, &st, "n", id) > 0) {
		same = ends_with(db_text(st, 0), (size_t)sqlite3_column_bytes(st, 0), condition);
		(void)sqlite3_reset(st); /* after a row: cannot fail */
	}
	return same;
}

int
store_attempt_condition(struct store *s, int64_t id, const char *condition,
			const struct store_time *now)
{
	struct body b;

	if (id < 1 || id >= s->running.next_id)
		return -ENOENT;
	if (condition[0] != '{' || strchr(condition, '\n') != NULL ||
	    strlen(condition) >= CONDITION_MAX)
		return -EINVAL;
	if (is_recorded(s, id, condition))
		return 0;
	body_begin(&b);
	body_int(&b, "id", id);
	body_moment(&b, now);
	body_raw(&b, "condition", condition);
	return store_queue(s, RECORD_CONDITION, 0, &b);
}

static int
end_left(struct store *s, const struct store_ending *e, const struct store_time *now)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->running.left_count; i++) {
		r = end_attempt(s, s->running.left_ids[i], e, now, s->running.unclean);
		if (r == -EALREADY)
			r = 0; /* queued by an earlier call that ran out of memory half way */
	}
	return r;
}

static int
tell_one(struct store *s, int64_t id, void (*each)(void *ctx, const struct store_interrupted *i),
	 void *ctx)
{
	sqlite3_stmt *st;
	struct store_interrupted i = { .id = id, .unclean = s->running.unclean };
	int r = db_ask(s->files.db, DB_INTERRUPTED, &st, "n", id);

	if (r <= 0)
		return r;
	i.kind = db_text(st, 0);
	i.port = db_text(st, 1);
	i.serial = db_text(st, 2);
	i.dfu_serial = db_text(st, 3);
	i.platform = db_text(st, 4);
	i.firmware_name = db_text(st, 5);
	i.firmware_sha256 = db_text(st, 6);
	i.flags = db_text(st, 7);
	i.crashes = (unsigned)sqlite3_column_int64(st, 8);
	each(ctx, &i);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	return 0;
}

int
store_interrupt_running(struct store *s, const struct store_ending *e, const struct store_time *now,
			void (*each)(void *ctx, const struct store_interrupted *i), void *ctx)
{
	int r = store_usable(s);

	if (r < 0 || s->running.interrupt_done)
		return r;
	if (!s->running.left_queued)
		r = end_left(s, e, now);
	if (r == 0) {
		s->running.left_queued = true;
		r = store_commit(s, now);
	}
	if (r < 0)
		return r;
	s->running.interrupt_done = true;
	for (size_t i = 0; r == 0 && i < s->running.left_count; i++)
		r = tell_one(s, s->running.left_ids[i], each, ctx);
	s->running.left_count = 0;
	return r;
}
