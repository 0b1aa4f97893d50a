/* SPDX-License-Identifier: MIT */
/* The parts of releases that are kept with firmware of the catalogue. */
#include "config.h"

#include "store/store_internal.h"

#include <errno.h>
#include <sqlite3.h>

static void
part_of_row(sqlite3_stmt *st, struct store_part *p)
{
	*p = (struct store_part){
		.firmware = db_text(st, 0),
		.target = db_text(st, 1),
		.type = db_text(st, 2),
		.version = db_text(st, 3),
		.soft_device = db_text(st, 4),
		.file = db_text(st, 5),
		.file_sha256 = db_text(st, 6),
		.size_bytes = (uint64_t)sqlite3_column_int64(st, 7),
		.signer = db_text(st, 8),
	};
}

int
store_part_each(struct store *s, const char *firmware,
		void (*each)(void *ctx, const struct store_part *p), void *ctx)
{
	struct store_part p;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_PARTS, &st, "t", firmware);
	for (; r > 0; r = db_step(s->files.db, st)) {
		part_of_row(st, &p);
		each(ctx, &p);
	}
	return r;
}

struct counted {
	const struct store_part *part;
	unsigned others; /* of the same firmware */
};

static void
on_counted(void *ctx, const struct store_part *p)
{
	struct counted *c = ctx;

	c->others += strcmp(p->target, c->part->target) != 0 || strcmp(p->type, c->part->type) != 0;
}

static void
on_firmware(void *ctx, const struct store_firmware *f)
{
	(void)ctx;
	(void)f;
}

/* 0: it may be kept. */
static int
check_part(struct store *s, const struct store_part *p, const struct store_time *now)
{
	struct counted c = { p, 0 };
	int r;

	if (!text_present(p->target) || !text_present(p->type) || !text_present(p->file))
		return -EINVAL;
	/* The queue has to be in the tables before these are asked. */
	r = store_commit(s, now);
	if (r == 0)
		r = store_firmware_find(s, p->firmware, on_firmware, NULL);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = store_part_each(s, p->firmware, on_counted, &c);
	return r < 0 ? r : c.others >= STORE_PARTS_MAX ? -E2BIG : 0;
}

int
store_part_put(struct store *s, const struct store_part *p, const struct store_time *now)
{
	struct body b;
	int r = check_part(s, p, now);

	if (r < 0)
		return r;
	body_begin_at(&b, now);
	body_text(&b, "firmware", p->firmware, STORE_NAME_MAX);
	body_text(&b, "target", p->target, STORE_NAME_MAX);
	body_text(&b, "type", p->type, STORE_NAME_MAX);
	body_text(&b, "version", p->version, STORE_NAME_MAX);
	body_text(&b, "soft_device", p->soft_device, STORE_NAME_MAX);
	body_text(&b, "file", p->file, STORE_MESSAGE_MAX);
	body_text(&b, "file_sha256", p->file_sha256, STORE_NAME_MAX);
	body_int(&b, "size_bytes", (int64_t)p->size_bytes);
	body_text(&b, "signer", p->signer, STORE_NAME_MAX);
	return store_queue(s, RECORD_PART, 0, &b);
}
