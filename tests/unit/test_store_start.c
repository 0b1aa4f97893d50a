/* SPDX-License-Identifier: MIT */
/* Starting: what is refused, what is migrated, what a dead daemon left behind (doc/faults.md
 * D12-D14, S1, S2). */
#include "config.h"

#include "test_store_whole.h"

#include <sys/wait.h>

#include "store/schema.h"

/* The audit file of a daemon that started once, which said so of the database's version. */
static void
set_recorded_schema(const char *version)
{
	uint8_t prev[RECORD_HASH_BYTES] = { 0 };
	FILE *f = fopen(in_dir(dir, AUDIT_FILE), "w");
	char line[AUDIT_LINE_MAX];
	struct record *r = calloc(1, sizeof(*r) + 256);

	assert_non_null(f);
	assert_non_null(r);
	r->kind = RECORD_START;
	r->seq = 1;
	(void)snprintf(r->body, 256, "{\"at\":1,\"mono\":1,\"sync\":1,\"schema\":%s}", version);
	r->body_size = strlen(r->body);
	record_hash(prev, r->seq, "start", r->body, r->body_size, r->hash);
	assert_int_equal(fwrite(line, audit_format(r, line), 1, f), 1);
	assert_int_equal(fclose(f), 0);
	free(r);
}

static void
make_db(const char *where, const char *sql)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open(in_dir(where, DB_FILE), &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

#define TEST_SET_UP(name) TEST_WITH(name, make_test_dir, remove_test_dir)

TEST_SET_UP(a_newer_or_foreign_database_is_refused_untouched)
{
	struct store_time now = at(0);
	struct store *s = NULL;
	char why[STORE_WHY_MAX];
	int64_t size;

	close_store(open_store(dir, &small_options));
	change_db(dir, "PRAGMA user_version = 99");
	set_recorded_schema("99");
	size = file_size(in_dir(dir, AUDIT_FILE));
	assert_int_equal(store_open(dir, &small_options, &now, &s, why), -EPROTO);
	assert_null(s);
	assert_non_null(strstr(why, "newer"));
	assert_int_equal(file_size(in_dir(dir, AUDIT_FILE)), size);
	assert_string_equal(ask_db(dir, "PRAGMA user_version"), "99");
	/* a database without our tables is another program's, with any files beside it */
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	set_recorded_schema("3");
	make_db(dir, "PRAGMA application_id = 5; CREATE TABLE theirs (x)");
	assert_int_equal(store_open(dir, &small_options, &now, &s, why), -EPROTO);
	assert_non_null(strstr(why, "another program"));
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM theirs"), "0");
}

TEST_SET_UP(the_second_daemon_is_refused)
{
	struct store_time now = at(0);
	struct store *s, *second = NULL;
	char why[STORE_WHY_MAX];

	s = open_store(dir, &small_options);
	assert_int_equal(store_open(dir, &small_options, &now, &second, why), -EBUSY);
	assert_non_null(strstr(why, "another cfdfud"));
	close_store(s);
	s = open_store(dir, &small_options);
	close_store(s);
}

TEST_SET_UP(a_directory_that_cannot_be_is_refused_with_its_name)
{
	struct store_time now = at(0);
	struct store *s = NULL;
	char why[STORE_WHY_MAX];

	assert_int_equal(store_open("/nowhere/at/all", NULL, &now, &s, why), -ENOENT);
	assert_non_null(strstr(why, "/nowhere/at/all"));
	assert_int_equal(store_open("/dev/null", NULL, &now, &s, why), -ENOTDIR);
	assert_null(s);
}

struct told {
	int count;
	int64_t ids[8];
	unsigned crashes;
	bool unclean;
	char port[16], serial[16], dfu[16], sha[80];
};

static void
on_interrupted(void *ctx, const struct store_interrupted *i)
{
	struct told *t = ctx;

	t->ids[t->count++] = i->id;
	t->crashes = i->crashes;
	t->unclean = i->unclean;
	copy_text(t->port, sizeof(t->port), i->port);
	copy_text(t->serial, sizeof(t->serial), i->serial);
	copy_text(t->dfu, sizeof(t->dfu), i->dfu_serial);
	copy_text(t->sha, sizeof(t->sha), i->firmware_sha256);
}

static struct told
restart(struct store **ret)
{
	struct store_time now = at(1000);
	struct told t = { 0 };
	int64_t id;

	*ret = open_store(dir, &small_options);
	assert_int_equal(
	    store_attempt_begin(*ret, &(struct store_begin){ .port = "1-1" }, &now, &id),
	    -EINPROGRESS);
	assert_int_equal(store_interrupt_running(*ret, &interrupted, &now, on_interrupted, &t), 0);
	return t;
}

TEST_SET_UP(attempts_left_running_are_interrupted_exactly_once)
{
	struct store *s;
	struct store_time now = at(1);
	struct told t;

	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(
	    store_drone_note(s, &(struct store_drone_facts){ .serial = "s1", .dfu_serial = "d1" },
			     &now),
	    0);
	(void)begin_at(s, "1-1", "s0", 5);
	end_at(s, 1, &passed, 6);
	(void)begin_at(s, "1-2", "s1", 5);
	commit_at(s, 7);
	(void)begin_at(s, "1-3", "s2", 8); /* never committed */
	store_close(s, NULL);
	t = restart(&s);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.ids[0], 2);
	assert_true(t.unclean);
	assert_int_equal(t.crashes, 1);
	assert_string_equal(t.port, "1-2");
	assert_string_equal(t.serial, "s1");
	assert_string_equal(t.dfu, "d1");
	assert_int_equal(strlen(t.sha), 64);
	assert_int_equal(store_attempt_end(s, 2, &passed, &now), -EALREADY);
	store_close(s, NULL);
	t = restart(&s);
	assert_int_equal(t.count, 0);
	close_store(s);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts WHERE id = 2"),
			    "interrupted");
	assert_station_is_whole(dir);
}

TEST_SET_UP(crashes_are_counted_by_port_and_only_in_a_row)
{
	struct store *s;
	struct told t;

	(void)open_ready(dir, &small_options, &s);
	for (unsigned i = 1; i <= 3; i++) {
		(void)begin_at(s, "1-2", "poison", 5);
		commit_at(s, 7);
		store_close(s, NULL);
		t = restart(&s);
		assert_int_equal(t.crashes, i);
	}
	/* a crash with another port active ends the row */
	end_at(s, begin_at(s, "1-5", "good", 5), &passed, 6);
	(void)begin_at(s, "1-4", "other", 5);
	commit_at(s, 7);
	store_close(s, NULL);
	t = restart(&s);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.crashes, 1);
	close_store(s);
	assert_string_equal(ask_db(dir, "SELECT group_concat(port || '=' || crashes) FROM port"),
			    "1-2=0,1-4=1,1-5=0");
	/* and so does a stop in order, even of a daemon that left attempts running */
	(void)open_ready(dir, &small_options, &s);
	(void)begin_at(s, "1-4", "other", 5);
	close_store(s);
	t = restart(&s);
	assert_int_equal(t.count, 1);
	assert_false(t.unclean);
	assert_int_equal(t.crashes, 0);
	close_store(s);
}

/* D13: a migration killed at any step is continued from there. */
TEST_SET_UP(a_migration_killed_anywhere_is_done_again)
{
	struct store *s;
	sqlite3 *h;

	for (size_t done = 0; done <= schema_step_count; done++) {
		for (int within = 0; within < 2; within++) {
			char pragma[96];
			pid_t pid;
			int status;

			(void)unlink(in_dir(dir, DB_FILE));
			pid = fork();
			if (pid == 0) { /* dies with a transaction open, or between two */
				if (sqlite3_open(in_dir(dir, DB_FILE), &h) != SQLITE_OK)
					_exit(1);
				for (size_t i = 0; i < done; i++) {
					(void)snprintf(pragma, sizeof(pragma),
						       "PRAGMA application_id = %d;"
						       "PRAGMA user_version = %zu",
						       SCHEMA_APPLICATION_ID, i + 1);
					if (sqlite3_exec(h, schema_steps[i], NULL, NULL, NULL) !=
						SQLITE_OK ||
					    sqlite3_exec(h, pragma, NULL, NULL, NULL) != SQLITE_OK)
						_exit(2);
				}
				if (within == 1 && done < schema_step_count &&
				    (sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
					 SQLITE_OK ||
				     sqlite3_exec(h, schema_steps[done], NULL, NULL, NULL) !=
					 SQLITE_OK))
					_exit(3);
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(status, 0);
			(void)unlink(in_dir(dir, AUDIT_FILE));
			(void)open_ready(dir, &small_options, &s);
			end_at(s, begin_at(s, "1-1", "s", 5), &passed, 6);
			assert_int_equal(health_of(s), STORE_OK);
			close_store(s);
			assert_station_is_whole(dir);
		}
	}
}

TEST_MAIN(NULL)
