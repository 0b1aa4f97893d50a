/* SPDX-License-Identifier: MIT */
/* An opening reads little, however many attempts there are; the rest is found while the station
 * works (doc/faults.md D6, D7, A7.2 item 7). */
#include "config.h"

#include "test_store_work.h"

#include "store/store_internal.h"

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

/* As a station that works; closed in order. */
static void
fill(int attempts)
{
	struct store *s;
	char port[16], serial[16];

	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < attempts; i++) {
		(void)snprintf(port, sizeof(port), "1-%d", i % 7);
		(void)snprintf(serial, sizeof(serial), "s%d", i % 20);
		end_at(s, begin_at(s, port, serial, i), i % 9 == 8 ? &failed : &passed, i);
		if (i % 50 == 49)
			commit_at(s, i);
	}
	close_store(s);
}

static void
ignore_attempt(void *ctx, const struct store_attempt *a)
{
	(void)ctx;
	(void)a;
}

static void
ignore_drone(void *ctx, const struct store_drone *d)
{
	(void)ctx;
	(void)d;
}

/* Until the first drone has been looked up, after a kill with an attempt running. */
static unsigned long long
bytes_of_a_start(void)
{
	struct store_filter newest = { .limit = 64 };
	struct store *s;

	(void)open_ready(dir, &on_unsafe, &s);
	(void)begin_at(s, "1-1", "s1", 1);
	commit_at(s, 2);
	store_close(s, NULL);
	disk_reset((struct disk){ 0 });
	assert_int_equal(open_ready(dir, &on_unsafe, &s), 1);
	assert_true(store_history(s, &newest, ignore_attempt, NULL) > 0);
	assert_int_equal(store_drone_find(s, "s1", NULL, ignore_drone, NULL), 1);
	store_close(s, NULL);
	return disk.bytes_read;
}

TEST_SET_UP(an_opening_reads_no_more_of_many_attempts_than_of_few)
{
	unsigned long long few, many;

	fill(400);
	few = bytes_of_a_start();
	fill(8000);
	many = bytes_of_a_start();
	/* a level more in each of the trees */
	if (many > few + 64 * 4096)
		print_error("%llu bytes of few, %llu of many\n", few, many);
	assert_true(many <= few + 64 * 4096);
	assert_true(many < 2 << 20);
}

/* ---- what is found later -------------------------------------------------------------------- */

static bool
go_on_a_little(void *ctx)
{
	return ++*(unsigned *)ctx % 50 != 0;
}

/* A slice of the walk, or of making the database again. */
static int
slice(struct store *s)
{
	struct store_time now = at(5000);
	unsigned lines = 0;

	return store_walk(s, &now, go_on_a_little, &lines);
}

static int
walk_to_its_end(struct store *s)
{
	int r;

	store_walk_again(s);
	while ((r = slice(s)) > 0)
		continue;
	return r;
}

/* A page that is none: in the middle of the attempts' own. */
static void
damage_page(int64_t page, const char *bytes, size_t size, off_t within)
{
	int fd = open(in_dir(dir, DB_FILE), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, (off_t)(page - 1) * 4096 + within), size);
	(void)close(fd);
}

static int64_t
page_of_first_attempts(void)
{
	return strtoll(ask_db(dir, "SELECT pageno FROM dbstat WHERE name = 'attempt'"
				   " AND pagetype = 'leaf' ORDER BY path LIMIT 1"),
		       NULL, 10);
}

static void
make_damaged(void)
{
	char junk[4096];

	memset(junk, 0xA5, sizeof(junk));
	fill(700);
	damage_page(page_of_first_attempts(), junk, sizeof(junk), 0);
}

TEST_SET_UP(damage_found_at_work_holds_endings_back_until_the_database_is_made_again)
{
	struct store_time now = at(5000);
	char why[STORE_WHY_MAX];
	unsigned slices = 0;
	struct store *s;
	int64_t id, other;

	make_damaged();
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_OK); /* it is old, and nothing rests on it yet */
	id = begin_at(s, "1-1", "s1", 4000);
	commit_at(s, 4000);
	assert_int_equal(walk_to_its_end(s), -EAGAIN);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "cfdfud.db is damaged: database disk image is malformed"));
	assert_int_equal(store_ready(s, &now), -EIO);
	end_at(s, id, &passed, 5000);
	assert_int_equal(store_commit(s, &now), -EIO); /* it may not be announced */
	assert_true(store_durable(s) < store_queued(s));
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "made again from the audit file: "));
	assert_int_equal(
	    store_attempt_begin(s, &(struct store_begin){ .port = "1-1" }, &now, &other), -EIO);
	for (; s->files.db == NULL; slices++)
		assert_int_equal(slice(s), 1);
	assert_true(slices > 20); /* and never for long */
	assert_true(store_durable(s) < store_queued(s));
	commit_at(s, 5001);
	assert_true(store_durable(s) == store_queued(s));
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "cfdfud.db is damaged: database disk image is malformed; it "
				    "was set aside ("));
	assert_non_null(strstr(why, ") and rebuilt"));
	assert_int_equal(walk_to_its_end(s), 0);
	close_store(s);
	assert_station_is_whole(dir);
	assert_string_equal(ask_db(dir, "SELECT count(*) || verdict FROM attempts WHERE id > 700"),
			    "1pass");
}

TEST_SET_UP(killed_at_any_moment_of_making_the_database_again_nothing_is_lost)
{
	struct store_time now = at(5000);
	struct store *s;

	for (unsigned kill = 0; kill < 26; kill += 5) {
		remove_tree(dir);
		make_damaged();
		(void)open_ready(dir, &small_options, &s);
		(void)begin_at(s, "1-1", "s1", 4000);
		commit_at(s, 4000);
		for (unsigned i = 0; i < kill + 3; i++)
			if (slice(s) < 0)
				(void)store_check(s, &now);
		store_close(s, NULL);
		assert_int_equal(open_ready(dir, &small_options, &s), 1);
		assert_true(health_of(s) != STORE_DEGRADED);
		if (walk_to_its_end(s) < 0)
			while (s->files.db == NULL)
				if (slice(s) < 0)
					(void)store_check(s, &now);
		close_store(s);
		assert_station_is_whole(dir);
	}
}

TEST_SET_UP(an_index_that_lacks_an_attempt_is_damage)
{
	struct store_time now = at(5000);
	char why[STORE_WHY_MAX];
	struct store *s;

	fill(300);
	change_db(dir, "DROP INDEX attempt_port; CREATE INDEX attempt_port"
		       " ON attempt (port, segment, started_ms) WHERE id <> 7;"
		       "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX"
		       " attempt_port ON attempt (port, segment, started_ms)'"
		       " WHERE name = 'attempt_port'");
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(walk_to_its_end(s), -EAGAIN);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "cfdfud.db is damaged: attempt 7 is missing from an index"));
	(void)store_check(s, &now);
	while (s->files.db == NULL)
		assert_int_equal(slice(s), 1);
	close_store(s);
	assert_station_is_whole(dir);
}

/* Or an attempt would get a second ending. */
TEST_SET_UP(what_runs_is_asked_of_the_rows_and_not_of_their_index_alone)
{
	struct store *s;

	fill(300);
	change_db(dir, "DROP INDEX attempt_open; CREATE INDEX attempt_open ON attempt (id);"
		       "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX"
		       " attempt_open ON attempt (id) WHERE end_seq IS NULL'"
		       " WHERE name = 'attempt_open'");
	assert_int_equal(open_ready(dir, &small_options, &s), 0);
	close_store(s);
	(void)assert_files_agree(dir);
}

/* Found when opening or by the walk; mended at once, or by the next start. */
TEST_SET_UP(any_page_may_be_damaged_and_nothing_is_lost)
{
	static const char junk[] = "\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5";
	struct store_time now = at(5000);
	char *db, *audit;
	struct store *s;
	size_t db_size, audit_size;
	int found = 0;

	fill(300);
	read_whole(DB_FILE, &db, &db_size);
	read_whole(AUDIT_FILE, &audit, &audit_size);
	for (int64_t page = 2; page <= (int64_t)db_size / 4096; page += 2) {
		remove_tree(dir);
		assert_int_equal(mkdir(dir, 0750), 0);
		write_whole(AUDIT_FILE, audit, audit_size);
		write_whole(DB_FILE, db, db_size);
		damage_page(page, junk, sizeof(junk) - 1, page % 3 == 0 ? 0 : page * 97 % 4080);
		for (int starts = 0; starts < 2; starts++) {
			(void)open_ready(dir, &small_options, &s);
			if (walk_to_its_end(s) < 0)
				while (s->files.db == NULL)
					if (slice(s) < 0)
						(void)store_check(s, &now);
			found += health_of(s) != STORE_OK;
			close_store(s);
		}
		assert_station_is_whole(dir);
		assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts"), "300");
	}
	/* not all bytes of a page are in use */
	if (found <= (int)(db_size / 4096) / 5)
		print_error("%d of %d\n", found, (int)(db_size / 4096) / 2);
	assert_true(found > (int)(db_size / 4096) / 5);
	free(db);
	free(audit);
}

/* ---- across starts -------------------------------------------------------------------------- */

/* Some slices, a minute apart; then it is killed. */
static struct store_walk
walk_a_little_and_die(int slices)
{
	struct store_time now;
	struct store_walk w;
	unsigned lines = 0;
	struct store *s;

	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < slices; i++) {
		now = at(60000 * (i + 1));
		assert_int_equal(store_walk(s, &now, go_on_a_little, &lines), 1);
	}
	store_walk_state(s, &w);
	store_close(s, NULL);
	return w;
}

TEST_SET_UP(a_walk_that_was_cut_off_goes_on_after_the_next_start)
{
	struct store_walk w;
	struct store *s;
	FILE *f;

	fill(500);
	assert_int_equal(walk_a_little_and_die(3).compared, 150);
	assert_int_equal(walk_a_little_and_die(4).compared, 350);
	f = fopen(in_dir(dir, WALK_PLACE), "r+");
	assert_true(f != NULL && fputs("999", f) >= 0); /* is no line's beginning */
	assert_int_equal(fclose(f), 0);
	assert_int_equal(walk_a_little_and_die(2).compared, 100);
	(void)open_ready(dir, &small_options, &s);
	while (slice(s) > 0)
		continue;
	store_walk_state(s, &w);
	assert_int_equal(w.compared, w.total);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(access(in_dir(dir, WALK_PLACE), F_OK), -1);
	close_store(s);
}

TEST_SET_UP(a_walk_that_was_cut_off_behind_a_difference_finds_it_again)
{
	struct store *s;

	fill(500);
	change_db(dir, "UPDATE attempt SET version_before = '2099.01' WHERE id = 40");
	assert_true(walk_a_little_and_die(4).differences > 0);
	(void)open_ready(dir, &small_options, &s);
	while (slice(s) > 0)
		continue;
	assert_int_equal(health_of(s), STORE_ALARM);
	close_store(s);
	(void)open_ready(dir, &small_options, &s);
	close_store(s);
	assert_station_is_whole(dir);
	assert_string_equal(ask_db(dir, "SELECT version_before FROM attempts WHERE id = 40"),
			    "2024.10");
}

static int
register_disk(void **state)
{
	(void)state;
	disk_set_up();
	return 0;
}

TEST_MAIN(register_disk)
