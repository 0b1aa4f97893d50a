/* SPDX-License-Identifier: MIT */
/* The store as its callers see it, on a healthy disk. */
#include "config.h"

#include "test_store_util.h"

struct rows {
	int count;
	int64_t ids[64];
	struct store_attempt last;
	char text[24][128]; /* of the last, see keep() */
	size_t stage_count;
	char first_stage[32];
	int64_t first_ms;
};

static void
on_row(void *ctx, const struct store_attempt *a)
{
	struct rows *r = ctx;
	const char *texts[] = { a->port,	  a->label,	    a->serial,	a->dfu_serial,
				a->platform,	  a->firmware_name, a->verdict, a->fault,
				a->step,	  a->message,	    a->flags,	a->version_before,
				a->version_after, a->fault_class,   a->kind };

	if (r->count < 64)
		r->ids[r->count] = a->id;
	r->count++;
	r->last = *a;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		copy_text(r->text[i], sizeof(r->text[i]), texts[i] != NULL ? texts[i] : "(null)");
	r->stage_count = a->stage_count;
	if (a->stage_count > 0) {
		copy_text(r->first_stage, sizeof(r->first_stage), a->stages[0].name);
		r->first_ms = a->stages[0].ms;
	}
}

static struct rows
history(const struct store_filter *f)
{
	struct rows r = { 0 };

	int n = store_history(store, f, on_row, &r);

	assert_int_equal(n, r.count);
	return r;
}

#define TEST_SET_UP(name) TEST_WITH(name, open_test_store, close_test_store)

TEST_SET_UP(an_attempt_is_seen_as_it_was_recorded)
{
	const struct store_stage stages[] = { { "asking", 120 }, { "erasing \"all\"\n", 3100 } };
	struct store_ending e = failed;
	struct store_begin b = drone_at("1-4", "1234567890ABCDEF12345678");
	struct store_time now = at(10);
	struct rows r = { 0 };
	int64_t id;

	b.label = "A1";
	b.flags = "no-serial";
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	assert_int_equal(store_attempt_get(store, id, on_row, &r),
			 -ENOENT); /* not before it is durable */
	commit_at(store, 11);
	r = history(&(struct store_filter){ .verdict = "running" });
	assert_int_equal(r.count, 1);
	assert_int_equal(r.last.ended_ms, -1);
	assert_string_equal(r.text[6], "(null)");
	e.stages = stages;
	e.stage_count = 2;
	e.dfu_serial = "AABBCCDDEEFF";
	e.flags = "retry=1";
	end_at(store, id, &e, 5010);
	commit_at(store, 5011);
	memset(&r, 0, sizeof(r));
	assert_int_equal(store_attempt_get(store, id, on_row, &r), 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.last.started_ms, WALL_MS + 10);
	assert_int_equal(r.last.ended_ms, WALL_MS + 5010);
	assert_string_equal(r.text[0], "1-4");
	assert_string_equal(r.text[1], "A1");
	assert_string_equal(r.text[3], "AABBCCDDEEFF");
	assert_string_equal(r.text[6], "fail");
	assert_string_equal(r.text[7], "verify");
	assert_string_equal(r.text[8], "verifying");
	assert_string_equal(r.text[10], "no-serial retry=1");
	assert_string_equal(r.text[13], "device");
	assert_string_equal(r.text[14], "flash");
	assert_int_equal(r.last.address, 0x08008000);
	assert_int_equal(r.last.duration_ms, 5000);
	assert_true(r.last.synchronised);
	assert_int_equal(r.stage_count, 2);
	assert_string_equal(r.first_stage, "asking");
	assert_int_equal(r.first_ms, 120);
}

TEST_SET_UP(the_view_has_exactly_the_promised_columns)
{
	assert_string_equal(
	    ask_db(dir, "SELECT group_concat(name, ',') FROM pragma_table_info('attempts')"),
	    "id,started_at,ended_at,port,label,serial,dfu_serial,platform,firmware_name,firmware_"
	    "version,"
	    "firmware_sha256,version_before,version_after,verdict,fault,step,address,bytes_written,"
	    "sectors_erased,transfers,duration_ms,message,kind,batch,ready,target,path,nrf_version,"
	    "uuid,signer");
}

TEST_SET_UP(an_attempt_has_exactly_one_ending)
{
	int64_t id = begin_at(store, "1-1", "S", 1);
	struct store_time now = at(2);
	sqlite3 *h;

	assert_int_equal(store_attempt_end(store, 99, &passed, &now), -ENOENT);
	assert_int_equal(store_attempt_end(store, 0, &passed, &now), -ENOENT);
	assert_int_equal(
	    store_attempt_end(store, id, &(struct store_ending){ .address = -1 }, &now), -EINVAL);
	end_at(store, id, &passed, 3);
	assert_int_equal(store_attempt_end(store, id, &failed, &now), -EALREADY);
	commit_at(store, 4);
	assert_int_equal(store_attempt_end(store, id, &failed, &now), -EALREADY);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_int_equal(sqlite3_open(in_dir(dir, "cfdfud.db"), &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "UPDATE attempt SET verdict = 'fail'", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_exec(h, "DELETE FROM attempt", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

TEST_SET_UP(nothing_is_visible_before_the_commit)
{
	uint64_t before = store_queued(store);
	int64_t id = begin_at(store, "1-1", "S", 1);

	assert_true(store_queued(store) > before);
	assert_true(store_durable(store) == before);
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts"), "0");
	end_at(store, id, &passed, 2);
	commit_at(store, 3);
	assert_true(store_durable(store) == store_queued(store));
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts"), "1");
}

TEST_SET_UP(every_filter_finds_its_rows_newest_first)
{
	char serial[8], port[8];

	for (int i = 0; i < 40; i++) {
		int64_t id;

		(void)snprintf(serial, sizeof(serial), "s%d", i % 5);
		(void)snprintf(port, sizeof(port), "1-%d", i % 4);
		/* the clock is set back by an hour half way */
		id = begin_at(store, port, serial, i < 20 ? i * 1000 : i * 1000 - 3600000);
		if (i != 39)
			end_at(store, id, i % 3 == 0 ? &failed : &passed, i * 1000 + 500);
	}
	commit_at(store, 50000);
	assert_int_equal(history(&(struct store_filter){ 0 }).count, 40);
	struct rows r = history(&(struct store_filter){ .serial = "S3" });
	assert_int_equal(r.count, 8);
	assert_int_equal(r.ids[0], 39);
	assert_int_equal(r.ids[7], 4);
	r = history(&(struct store_filter){ .slot = "1-2", .verdict = "fail" });
	assert_int_equal(r.count, 3);
	r = history(&(struct store_filter){ .verdict = "fail", .limit = 3 });
	assert_int_equal(r.count, 3);
	assert_int_equal(r.ids[0], 37);
	r = history(&(struct store_filter){ .verdict = "running" });
	assert_int_equal(r.count, 1);
	assert_int_equal(r.ids[0], 40);
	r = history(
	    &(struct store_filter){ .since_ms = WALL_MS + 5000, .until_ms = WALL_MS + 8000 });
	assert_int_equal(r.count, 3);
	assert_int_equal(r.ids[0], 8);
	r = history(&(struct store_filter){ .before_id = 21, .limit = 2 });
	assert_int_equal(r.ids[0], 20);
	assert_int_equal(r.ids[1], 19);
	r = history(&(struct store_filter){ .before_id = 22, .limit = 2 });
	assert_int_equal(r.ids[0], 21);
	assert_int_equal(r.ids[1], 20);
	assert_int_equal(history(&(struct store_filter){ .kind = "flash" }).count, 40);
	assert_int_equal(history(&(struct store_filter){ .kind = "backup" }).count, 0);
	assert_int_equal(history(&(struct store_filter){ .slot = "9-9" }).count, 0);
	assert_int_equal(history(&(struct store_filter){ .serial = "unknown" }).count, 0);
}

TEST_MAIN(NULL)
