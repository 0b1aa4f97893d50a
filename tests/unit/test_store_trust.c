/* SPDX-License-Identifier: MIT */
/* The store's own files are not trusted when they differ from what it wrote. */
#include "config.h"

#include "test_store_whole.h"

#include <sys/file.h>
#include <sys/wait.h>

/* ---- the catalogue -------------------------------------------------------------------------- */

#define TEST_SET_UP(name) TEST_WITH(name, make_test_dir, remove_test_dir)

TEST_SET_UP(a_replaced_row_of_the_catalogue_keeps_its_place)
{
	struct store_firmware f = { .name = "a", .sha256 = "00", .file = "1.dfu" };
	struct store_time now = at(5);
	struct store *s;

	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_firmware_replace(s, &f, &now), -ENOENT);
	assert_int_equal(store_firmware_add(s, &f, &now), 0);
	assert_int_equal(store_firmware_add(s, &f, &now), -EEXIST);
	f.name = "b";
	assert_int_equal(store_firmware_add(s, &f, &now), 0);
	f = (struct store_firmware){ .name = "a", .sha256 = "00", .file = "2.dfu", .notes = "x" };
	assert_int_equal(store_firmware_replace(s, &f, &now), 0);
	f.file = NULL;
	assert_int_equal(store_firmware_replace(s, &f, &now), -EINVAL);
	close_store(s);
	for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
		assert_string_equal(
		    ask_db(dir, "SELECT group_concat(name || file || ifnull(notes, '-'), ' ') FROM"
				" (SELECT * FROM firmware ORDER BY id)"),
		    "a2.dfux b1.dfu-");
		assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
		(void)open_ready(dir, &small_options, &s);
		close_store(s);
	}
	(void)assert_files_agree(dir);
}

/* ---- the header of the database ------------------------------------------------------------- */

/* Three attempts; closed as it should be.  Returns the number of records. */
static int64_t
fill(void)
{
	struct store *s;

	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < 3; i++) {
		end_at(s, begin_at(s, "1-1", "s1", i), i == 1 ? &failed : &passed, i);
		commit_at(s, i);
	}
	close_store(s);
	return assert_files_agree(dir);
}

static void
remove_damaged(void)
{
	char command[PATH_BYTES + 64];

	(void)snprintf(command, sizeof(command), "rm -f %s/*.damaged* %s/cfdfud.db*", dir, dir);
	assert_int_equal(system(command), 0);
}

static void
remove_damaged_copies(void)
{
	char command[PATH_BYTES + 64];

	(void)snprintf(command, sizeof(command), "rm -f %s/*.damaged* %s/*-rebuilt", dir, dir);
	assert_int_equal(system(command), 0);
}

/* WHY every bit: which of them SQLite minds, and how, is its business and changes. */
TEST_SET_UP(any_bit_of_the_header_may_flip_and_nothing_is_lost)
{
	struct store_time now = at(1000);
	char *db, *audit, why[STORE_WHY_MAX];
	size_t db_size, audit_size;

	(void)fill();
	read_whole(DB_FILE, &db, &db_size);
	read_whole(AUDIT_FILE, &audit, &audit_size);
	for (unsigned bit = 0; bit < 800; bit++) {
		struct store *s = NULL;
		int r;

		remove_damaged();
		write_whole(AUDIT_FILE, audit, audit_size);
		db[bit / 8] ^= (char)(1 << bit % 8);
		write_whole(DB_FILE, db, db_size);
		db[bit / 8] ^= (char)(1 << bit % 8);
		r = store_open(dir, &small_options, &now, &s, why);
		if (r < 0 || store_health(s, why) == STORE_DEGRADED)
			print_error("byte %u, bit %u: %s\n", bit / 8, bit % 8, why);
		assert_int_equal(r, 0);
		assert_true(health_of(s) != STORE_DEGRADED);
		store_close(s, &now);
		(void)assert_files_agree(dir);
		assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts"), "3");
		assert_string_equal(ask_db(dir, "PRAGMA integrity_check"), "ok");
	}
	free(db);
	free(audit);
}

/* Whole, with its sums, and of a kind that this program does not know. */
static void
make_foreign_line(const uint8_t prev[RECORD_HASH_BYTES], int64_t seq, char *line, char *scratch)
{
	char prev_hex[65], hash_hex[65];
	uint8_t hash[RECORD_HASH_BYTES];
	uint32_t crc = 0xFFFFFFFF;
	int n;

	record_hash(prev, seq, "to-come", "{}", 2, hash);
	(void)sodium_bin2hex(prev_hex, sizeof(prev_hex), prev, RECORD_HASH_BYTES);
	(void)sodium_bin2hex(hash_hex, sizeof(hash_hex), hash, sizeof(hash));
	n = snprintf(scratch, 512,
		     "{\"seq\":%lld,\"kind\":\"to-come\",\"prev\":\"%s\",\"hash\":\"%s\","
		     "\"body\":{}",
		     (long long)seq, prev_hex, hash_hex);
	for (int i = 0; i < 8 * n; i++) { /* CRC-32 of IEEE 802.3, a bit at a time */
		uint32_t bit = (uint32_t)(uint8_t)scratch[i / 8] >> i % 8 & 1;

		crc = crc >> 1 ^ (((crc ^ bit) & 1) != 0 ? 0xEDB88320 : 0);
	}
	(void)snprintf(line, AUDIT_LINE_MAX, "%s,\"crc\":\"%08x\"}\n", scratch, ~crc);
}

TEST_SET_UP(an_audit_file_of_a_newer_program_is_refused_untouched)
{
	struct store_time now = at(1000);
	uint8_t prev[RECORD_HASH_BYTES];
	char line[AUDIT_LINE_MAX], why[STORE_WHY_MAX], body[512];
	struct audit_line l;
	struct audit_reader *reader = NULL;
	struct store *s = NULL;
	struct audit a;
	int64_t size;
	int dirfd;
	FILE *f;

	(void)fill();
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(audit_open(&a, dirfd, "test", -1), 0);
	assert_int_equal(audit_reader_new(&a, 0, &reader), 0);
	while (audit_next(reader, &l) > 0)
		memcpy(prev, l.hash, sizeof(prev));
	audit_reader_free(reader);
	make_foreign_line(prev, a.last_seq + 1, line, body);
	audit_close(&a);
	(void)close(dirfd);
	f = fopen(in_dir(dir, AUDIT_FILE), "a");
	assert_true(f != NULL && fputs(line, f) >= 0);
	assert_int_equal(fclose(f), 0);
	size = file_size(in_dir(dir, AUDIT_FILE));
	assert_int_equal(store_open(dir, &small_options, &now, &s, why), -EPROTO);
	assert_non_null(strstr(why, "newer cfdfud"));
	assert_int_equal(file_size(in_dir(dir, AUDIT_FILE)), size);
}

/* ---- numbers -------------------------------------------------------------------------------- */

TEST_SET_UP(a_number_is_never_given_twice_whatever_became_of_its_row)
{
	struct store *s;

	(void)fill();
	change_db(dir, "DROP TRIGGER attempt_stays; DELETE FROM attempt WHERE id >= 2");
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(begin_at(s, "1-2", "s2", 100), 4);
	store_close(s, NULL);
}

/* ---- one daemon on one directory ------------------------------------------------------------ */

TEST_SET_UP(without_its_lock_file_the_directory_is_still_locked)
{
	struct store_time now = at(10);
	struct store *s, *second = NULL;
	char why[STORE_WHY_MAX];
	int fd;

	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(unlink(in_dir(dir, "lock")), 0);
	assert_int_equal(store_open(dir, &small_options, &now, &second, why), -EBUSY);
	assert_non_null(strstr(why, "another cfdfud"));
	store_watch(s);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "lock file was removed"));
	assert_int_equal(access(in_dir(dir, "lock"), F_OK), 0);
	store_acknowledge(s);
	/* one of another daemon, that knows nothing of the directory's lock */
	assert_int_equal(unlink(in_dir(dir, "lock")), 0);
	fd = open(in_dir(dir, "lock"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	end_at(s, begin_at(s, "1-1", "s", 20), &passed, 21);
	now = at(22);
	assert_int_not_equal(store_commit(s, &now), 0);
	assert_true(store_durable(s) < store_queued(s));
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "another cfdfud"));
	assert_int_not_equal(store_ready(s, &now), 0);
	(void)close(fd);
	(void)store_check(s, &now);
	assert_true(health_of(s) != STORE_DEGRADED);
	assert_true(store_durable(s) == store_queued(s));
	close_store(s);
	assert_station_is_whole(dir);
}

TEST_SET_UP(a_directory_that_was_replaced_is_not_written_to)
{
	struct store_time now = at(10);
	char away[PATH_BYTES + 8], why[STORE_WHY_MAX];
	struct store *s;

	(void)open_ready(dir, &small_options, &s);
	(void)snprintf(away, sizeof(away), "%s.away", dir);
	assert_int_equal(rename(dir, away), 0);
	for (int there = 0; there < 2; there++) { /* nothing of the name, another of the name */
		if (there)
			assert_int_equal(mkdir(dir, 0750), 0);
		store_watch(s);
		(void)store_check(s, &now);
		assert_int_equal(store_health(s, why), STORE_DEGRADED);
		assert_non_null(strstr(why, "moved or replaced"));
		assert_int_not_equal(store_ready(s, &now), 0);
	}
	assert_int_equal(rmdir(dir), 0); /* still empty */
	assert_int_equal(rename(away, dir), 0);
	(void)store_check(s, &now);
	assert_true(health_of(s) != STORE_DEGRADED);
	end_at(s, begin_at(s, "1-1", "s", 20), &passed, 21);
	close_store(s);
	assert_station_is_whole(dir);
}

/* ---- another writer ------------------------------------------------------------------------- */

TEST_SET_UP(foreign_writes_are_found_before_the_next_record)
{
	struct store *s;
	char why[STORE_WHY_MAX];
	FILE *f;

	(void)open_ready(dir, &small_options, &s);
	end_at(s, begin_at(s, "1-1", "s", 1), &passed, 2);
	commit_at(s, 3);
	f = fopen(in_dir(dir, AUDIT_FILE), "a");
	assert_non_null(f);
	assert_true(fputs("{\"seq\":99}\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	end_at(s, begin_at(s, "1-1", "s", 4), &passed, 5);
	commit_at(s, 6);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "torn"));
	(void)assert_files_agree(dir);
	store_acknowledge(s);
	change_db(dir, "INSERT INTO record SELECT max(seq) + 1, 'act', NULL, hash, hash, '{}'"
		       " FROM record");
	end_at(s, begin_at(s, "1-1", "s", 7), &passed, 8);
	commit_at(s, 9);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "differ from what was recorded"));
	close_store(s);
	assert_string_equal(ask_db(dir, "SELECT group_concat(verdict) FROM attempts"),
			    "pass,pass,pass");
}

/* ---- modes ---------------------------------------------------------------------------------- */

/* Another user than root, who may write anywhere. */
static void
as_plain_user(void (*test)(void))
{
	pid_t pid;
	int status;

	if (geteuid() == 0)
		assert_int_equal(chown(dir, 65534, 65534), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(3);
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
expect_degraded(const char *words)
{
	struct store_time now = at(10);
	struct store *s = open_store(dir, &small_options);
	char why[STORE_WHY_MAX];

	for (int i = 0; i < 10; i++)
		(void)store_check(s, &now);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	if (strstr(why, words) == NULL)
		print_error("%s: %s\n", words, why);
	assert_non_null(strstr(why, words));
	assert_true(strstr(why, "sudo ") != NULL);
	store_close(s, NULL);
}

static void
each_file_read_only_in_turn(void)
{
	static const char *const names[] = { DB_FILE, AUDIT_FILE, "lock" };
	struct store *s;
	char why[STORE_WHY_MAX];

	(void)open_ready(dir, &small_options, &s);
	store_close(s, NULL); /* killed: the log and its index stay */
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char words[64];

		(void)snprintf(words, sizeof(words), "%s cannot be written (mode 0444", names[i]);
		assert_int_equal(chmod(in_dir(dir, names[i]), 0444), 0);
		expect_degraded(words);
		assert_int_equal(chmod(in_dir(dir, names[i]), 0640), 0);
	}
	assert_int_equal(chmod(in_dir(dir, DB_FILE "-wal"), 0444), 0);
	expect_degraded("cfdfud.db-wal cannot be written");
	assert_int_equal(chmod(in_dir(dir, DB_FILE "-wal"), 0640), 0);
	/* what SQLite leaves when the database was read-only once */
	assert_int_equal(chmod(in_dir(dir, DB_FILE "-shm"), 0444), 0);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "cfdfud.db-shm could not be written (mode 0444)"));
	close_store(s);
	assert_station_is_whole(dir);
}

TEST_SET_UP(a_file_that_may_not_be_written_is_named_with_the_command)
{
	as_plain_user(each_file_read_only_in_turn);
}

/* ---- the slow walk -------------------------------------------------------------------------- */

static bool
no_more(void *ctx)
{
	++*(unsigned *)ctx;
	return false;
}

/* From the beginning to the end, a line at a time. */
static struct store_walk
walk_whole(struct store *s)
{
	struct store_time now = at(5000);
	struct store_walk w;
	unsigned lines = 0;
	int r;

	store_walk_again(s);
	while ((r = store_walk(s, &now, no_more, &lines)) > 0)
		continue;
	assert_int_equal(r, 0);
	store_walk_state(s, &w);
	assert_int_equal(w.compared, lines);
	assert_int_equal(w.whole_ms, now.wall_ms);
	return w;
}

TEST_SET_UP(foreign_changes_of_the_database_are_found_and_rebuilt)
{
	static const char *const changes[] = {
		"DROP TRIGGER attempt_ends_once; UPDATE attempt SET verdict = 'pass' WHERE id = 2",
		"UPDATE attempt SET version_before = '2099.01' WHERE id = 1",
		"DROP TRIGGER attempt_stays; DELETE FROM attempt WHERE id = 1",
		"DROP TRIGGER attempt_stays; DELETE FROM attempt WHERE id = 3",
		"INSERT INTO attempt SELECT id + 10, begin_seq, end_seq, segment, started_ms,"
		" started_mono_ms, started_boot, started_sync, drone, kind, '9-9', label, serial,"
		" dfu_serial, platform, image, version_before, flags, ended_ms, ended_mono_ms,"
		" ended_boot, ended_sync, verdict_code, verdict, fault_code, fault, class_code,"
		" class, step_code, step, address, bytes_written, sectors_erased, transfers,"
		" version_after, message, end_flags, late_serial, late_dfu_serial, late_platform,"
		" late_version_before, stages, port_count, drone_count, crash, target,"
		" radio_before, condition_seq, batch, signer FROM attempt"
		" WHERE id = 1",
		"DELETE FROM record WHERE seq = 4",
		"UPDATE record SET body = '{}' WHERE kind = 'start'",
		"UPDATE act SET user = 'another'",
		"DELETE FROM act",
	};
	struct store_act act = { .uid = 1, .pid = 2, .user = "kim", .method = "Pause" };
	struct store_time now = at(100);
	struct store *s;
	char why[STORE_WHY_MAX];

	(void)fill();
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_act(s, &act, &now), 0);
	commit_at(s, 100);
	assert_int_equal(walk_whole(s).differences, 0);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		change_db(dir, changes[i]);
		(void)open_ready(dir, &small_options, &s);
		assert_int_equal(health_of(s), STORE_OK); /* its end fits */
		if (walk_whole(s).differences == 0)
			print_error("%s\n", changes[i]);
		assert_int_not_equal(walk_whole(s).differences, 0);
		assert_int_equal(store_health(s, why), STORE_ALARM);
		assert_non_null(strstr(why, "in the database as it was recorded"));
		assert_non_null(strstr(why, "sudo systemctl restart cfdfud"));
		close_store(s);
		(void)open_ready(dir, &small_options, &s);
		assert_int_equal(store_health(s, why), STORE_ALARM);
		assert_non_null(strstr(why, "differed from what was recorded"));
		assert_int_equal(walk_whole(s).differences, 0);
		close_store(s);
		assert_string_equal(
		    ask_db(dir, "SELECT group_concat(id || verdict || version_before, ' ')"
				" FROM attempts"),
		    "1pass2024.10 2fail2024.10 3pass2024.10");
		assert_string_equal(ask_db(dir, "SELECT group_concat(user) FROM act"), "kim");
		assert_station_is_whole(dir);
		remove_damaged_copies();
	}
}

/* A rebuild that changes nothing is not made again at each start. */
TEST_SET_UP(differences_after_a_rebuild_are_reported_and_not_rebuilt_again)
{
	static const char change[] = "UPDATE attempt SET version_before = 'x' WHERE id = 1";
	struct store *s;
	char why[STORE_WHY_MAX];

	(void)fill();
	for (int i = 0; i < 2; i++) {
		change_db(dir, change);
		(void)open_ready(dir, &small_options, &s);
		assert_int_not_equal(walk_whole(s).differences, 0);
		assert_int_equal(store_health(s, why), STORE_ALARM);
		assert_int_equal(strstr(why, "even after rebuilding") != NULL, i == 1);
		close_store(s);
		(void)open_ready(dir, &small_options, &s);
		assert_int_equal(health_of(s), i == 0 ? STORE_ALARM : STORE_OK);
		close_store(s);
	}
}

TEST_SET_UP(a_line_that_cannot_be_read_is_told_and_the_database_kept)
{
	struct store *s;
	char *audit, why[STORE_WHY_MAX];
	size_t size;

	(void)fill();
	read_whole(AUDIT_FILE, &audit, &size);
	audit[size / 2] ^= 1;
	write_whole(AUDIT_FILE, audit, size);
	free(audit);
	(void)open_ready(dir, &small_options, &s);
	(void)walk_whole(s);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "1 lines of the audit file cannot be read"));
	close_store(s);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
}

TEST_MAIN(NULL)
