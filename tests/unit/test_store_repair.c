/* SPDX-License-Identifier: MIT */
/* Damaged, lost and foreign files that the store finds when it opens (doc/faults.md D6-D8). */
#include "config.h"

#include "test_store_whole.h"

#define CONDITION "{\"ready\":\"no\",\"nrf\":{\"version\":\"2025.12\"}}"

static void
add_part(struct store *s, const struct store_time *now)
{
	assert_int_equal(store_part_put(s,
					&(struct store_part){ .firmware = "cf2-2025.02",
							      .target = "nrf51",
							      .type = "fw",
							      .version = "2025.02",
							      .soft_device = "sd-s130",
							      .file = "01.bin",
							      .file_sha256 = "01",
							      .size_bytes = 30000 },
					now),
			 0);
}

/* A bit of everything: six attempts, drones, ports, catalogue, settings, acts.  Closed cleanly. */
static void
fill(const char *path)
{
	struct store *s;
	struct store_time now = at(5);
	struct store_stage stage = { "writing", 1234 };
	struct store_ending e = failed;

	(void)open_ready(path, &small_options, &s);
	assert_int_equal(
	    store_firmware_add(s,
			       &(struct store_firmware){ .name = "cf2-2025.02",
							 .sha256 = "00",
							 .file = "00.dfu",
							 .platforms = 2,
							 .size_bytes = 243176,
							 .notes = "its nRF51 part stays" },
			       &now),
	    0);
	add_part(s, &now);
	assert_int_equal(store_set(s, STORE_SELECTED, "cf2", "cf2-2025.02", &now), 0);
	assert_int_equal(store_set(s, STORE_STATION, "paused", "yes", &now), 0);
	assert_int_equal(store_set(s, STORE_STATION, "paused", NULL, &now), 0);
	assert_int_equal(store_set(s, STORE_PLATFORM, "1-3", "flapper", &now), 0);
	assert_int_equal(store_drone_note(s,
					  &(struct store_drone_facts){ .serial = "s1",
								       .dfu_serial = "d1",
								       .loader_sha256 = "abcd",
								       .board_type = "CF21",
								       .quirks = "obey",
								       .nrf_version = "2025.02",
								       .radio = "80",
								       .decks = "[]" },
					  &now),
			 0);
	assert_int_equal(store_act(s,
				   &(struct store_act){ .uid = 1000,
							.user = "kim",
							.pid = 7,
							.method = "Select",
							.arguments = "{\"name\":\"x\\\\y\"}" },
				   &now),
			 0);
	e.stages = &stage;
	e.stage_count = 1;
	for (int i = 0; i < 6; i++) {
		char serial[8];
		int64_t id;

		(void)snprintf(serial, sizeof(serial), "s%d", i % 3);
		id = begin_at(s, i % 2 == 0 ? "1-1" : "1-2", serial, 10 * i);
		commit_at(s, 10 * i + 1);
		end_at(s, id, i % 3 == 1 ? &e : &passed, 10 * i + 5);
		if (i % 2 == 1)
			assert_int_equal(store_attempt_condition(s, id, CONDITION, &now), 0);
		commit_at(s, 10 * i + 6);
	}
	assert_int_equal(store_port_quarantine(s, "1-2", "three failures", &now), 0);
	close_store(s);
}

/* Everything that is told again after a rebuild, as one text. */
static const char *
picture(void)
{
	static char out[16384];
	const char *const questions[] = {
		"SELECT group_concat(id || started_at || ended_at || port || ifnull(label, '-') || "
		"serial ||"
		" ifnull(dfu_serial, '-') || firmware_name || verdict || ifnull(fault, '-') || "
		"ifnull(step, '-') ||"
		" ifnull(address, '-') || bytes_written || duration_ms || message, ';') FROM "
		"attempts",
		"SELECT group_concat(id || ifnull(serial, '') || ifnull(dfu_serial, '') || "
		"ifnull(loader_sha256, '') ||"
		" ifnull(quirks, '') || failures || last_verdict || last_attempt, ';') FROM drone",
		"SELECT group_concat(port || ifnull(label, '') || failures || ifnull(aside_why, "
		"''), ';') FROM port",
		"SELECT group_concat(name || sha256 || file || platforms || notes, ';') FROM "
		"firmware",
		"SELECT group_concat(firmware || target || type || version || soft_device || file "
		"|| file_sha256 || size_bytes, ';') FROM part",
		"SELECT group_concat(scope || name || value, ';') FROM setting WHERE scope <> "
		"'store'",
		"SELECT group_concat(uid || user || method || arguments, ';') FROM acts",
		"SELECT group_concat(stages, ';') FROM attempt",
		"SELECT group_concat(uuid || target || ifnull(ready, '-') || ifnull(nrf_version, "
		"'-'), ';') FROM attempts",
		"SELECT group_concat(ifnull(nrf_version, '-') || ifnull(radio, '-') || "
		"ifnull(decks, '-'), ';') FROM drone",
	};

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const char *a = ask_db(dir, questions[i]);

		assert_true(strlen(out) + strlen(a) + 2 < sizeof(out));
		strcat(out, a);
		strcat(out, "\n");
	}
	return out;
}

static void
damage(const char *name, off_t offset, size_t size)
{
	char junk[4096];
	int fd = open(in_dir(dir, name), O_WRONLY);

	memset(junk, 0xA5, sizeof(junk));
	assert_true(fd >= 0);
	for (; size > 0; size -= size < sizeof(junk) ? size : sizeof(junk), offset += sizeof(junk))
		assert_true(pwrite(fd, junk, size < sizeof(junk) ? size : sizeof(junk), offset) >
			    0);
	(void)close(fd);
}

static int
count_files(const char *part)
{
	char command[PATH_BYTES + 64];
	FILE *p;
	int n = -1;

	(void)snprintf(command, sizeof(command), "ls -A %s | grep -c -- '%s'", dir, part);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	(void)pclose(p);
	return n;
}

/* Opens, expects an alarm (or none), closes; the picture is what it was. */
static void
assert_recovers(const char *before, bool alarm)
{
	struct store *s;
	char why[STORE_WHY_MAX];

	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_health(s, why), alarm ? STORE_ALARM : STORE_OK);
	assert_true(alarm == (why[0] != '\0'));
	store_acknowledge(s);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
	assert_string_equal(picture(), before);
	assert_station_is_whole(dir);
}

#define TEST_SET_UP(name) TEST_WITH(name, make_test_dir, remove_test_dir)

TEST_SET_UP(healthy_records_open_without_a_message)
{
	char before[16384];

	fill(dir);
	strcpy(before, picture());
	assert_recovers(before, false);
	assert_int_equal(count_files("damaged"), 0);
}

TEST_SET_UP(a_database_damaged_anywhere_is_set_aside_and_rebuilt)
{
	char before[16384];
	off_t size;

	fill(dir);
	strcpy(before, picture());
	size = (off_t)file_size(in_dir(dir, DB_FILE));
	damage(DB_FILE, 0, 16); /* header: not a database */
	assert_recovers(before, true);
	assert_int_equal(count_files("\\.damaged$"), 1);
	damage(DB_FILE, 100, 4000); /* the schema's page */
	assert_recovers(before, true);
	damage(DB_FILE, 4096, (size_t)size - 4096); /* all that follows */
	assert_recovers(before, true);
	assert_int_equal(truncate(in_dir(dir, DB_FILE), 5000), 0);
	assert_recovers(before, true);
	assert_int_equal(truncate(in_dir(dir, DB_FILE), size / 8192 * 4096), 0);
	assert_recovers(before, true);
	assert_int_equal(count_files("\\.damaged$"), 5);
}

TEST_SET_UP(a_database_that_was_removed_or_emptied_is_rebuilt)
{
	char before[16384];

	fill(dir);
	strcpy(before, picture());
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	assert_recovers(before, true);
	assert_int_equal(truncate(in_dir(dir, DB_FILE), 0), 0);
	assert_recovers(before, true);
}

TEST_SET_UP(an_older_copy_of_the_database_gets_the_missing_records)
{
	char before[16384], command[PATH_BYTES * 3];
	struct store *s;

	fill(dir);
	(void)snprintf(command, sizeof(command), "cp %s/cfdfud.db %s/old", dir, dir);
	assert_int_equal(system(command), 0);
	(void)open_ready(dir, &small_options, &s);
	end_at(s, begin_at(s, "1-3", "s9", 100), &passed, 200);
	close_store(s);
	strcpy(before, picture());
	(void)snprintf(command, sizeof(command), "mv %s/old %s/cfdfud.db", dir, dir);
	assert_int_equal(system(command), 0);
	assert_recovers(before, true);
	assert_int_equal(count_files("damaged"), 0);
}

/* D7: SQLite takes the frames before the damage for the whole log and finds nothing wrong. */
TEST_SET_UP(a_damaged_write_ahead_log_loses_nothing)
{
	char before[16384];
	struct store *s;
	off_t size;

	fill(dir);
	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < 20; i++) {
		end_at(s, begin_at(s, "1-3", "s9", 100 + i), &passed, 200 + i);
		commit_at(s, 300);
	}
	strcpy(before, picture());
	store_close(s, NULL); /* killed: the log stays */
	size = (off_t)file_size(in_dir(dir, DB_FILE "-wal"));
	assert_true(size > 8192);
	damage(DB_FILE "-wal", size / 3, 4);
	(void)unlink(in_dir(dir, DB_FILE "-shm"));
	assert_recovers(before, true);
}

TEST_SET_UP(an_audit_file_that_lost_its_end_is_written_on)
{
	char before[16384];
	int64_t lines, size;

	fill(dir);
	strcpy(before, picture());
	lines = assert_files_agree(dir);
	size = file_size(in_dir(dir, AUDIT_FILE));
	assert_int_equal(truncate(in_dir(dir, AUDIT_FILE), size - 700), 0); /* torn within a line */
	assert_recovers(before, true);
	assert_true(assert_files_agree(dir) >= lines);
	assert_int_equal(count_files("torn"), 1);
	damage(AUDIT_FILE, file_size(in_dir(dir, AUDIT_FILE)) - 100, 50);
	assert_recovers(before, true);
}

TEST_SET_UP(a_missing_or_foreign_audit_file_is_written_again)
{
	char before[16384], command[PATH_BYTES * 3];
	char *other;

	fill(dir);
	strcpy(before, picture());
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	assert_recovers(before, true);
	damage(AUDIT_FILE, 0, (size_t)file_size(in_dir(dir, AUDIT_FILE)));
	assert_recovers(before, true);
	other = strdup(dir);
	dir = make_dir();
	{
		struct store *s;

		(void)open_ready(dir, &small_options, &s);
		close_store(s);
	}
	(void)snprintf(command, sizeof(command), "cp %s/audit.jsonl %s/audit.jsonl", dir, other);
	assert_int_equal(system(command), 0);
	remove_tree(dir);
	strcpy(dir, other);
	free(other);
	assert_recovers(before, true);
	assert_int_equal(count_files("audit.jsonl-.*damaged"), 1);
}

TEST_SET_UP(a_database_of_another_station_is_set_aside)
{
	char before[16384], command[PATH_BYTES * 3];
	char *mine;

	fill(dir);
	strcpy(before, picture());
	mine = strdup(dir);
	dir = make_dir();
	fill(dir);
	(void)snprintf(command, sizeof(command), "cp %s/cfdfud.db %s/cfdfud.db", dir, mine);
	assert_int_equal(system(command), 0);
	remove_tree(dir);
	strcpy(dir, mine);
	free(mine);
	assert_recovers(before, true);
	assert_int_equal(count_files("\\.damaged$"), 1);
}

TEST_SET_UP(lines_that_cannot_be_read_leave_marked_places_when_rebuilding)
{
	struct store *s;
	char why[STORE_WHY_MAX];
	int64_t lines;

	fill(dir);
	lines = assert_files_agree(dir);
	damage(AUDIT_FILE, file_size(in_dir(dir, AUDIT_FILE)) / 2, 4);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "parts of which cannot be read"));
	close_store(s);
	assert_true(strcmp(ask_db(dir, "SELECT count(*) FROM record WHERE kind = 'lost'"), "0") !=
		    0);
	assert_string_equal(ask_db(dir, "SELECT count(*) - max(seq) FROM record"), "0");
	assert_true(atoll(ask_db(dir, "SELECT max(seq) FROM record")) > lines);
	/* and once more, without a word: the gap is known */
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
}

static void
count_step(void *ctx)
{
	++*(int *)ctx;
}

TEST_SET_UP(a_rebuild_of_many_records_goes_over_several_transactions)
{
	int steps = 0;
	struct store_options o = { .ballast_bytes = 65536,
				   .floor_bytes = 1,
				   .progress = count_step,
				   .progress_ctx = &steps };
	struct store *s;
	int64_t lines;

	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < 2500; i++) {
		end_at(s, begin_at(s, "1-1", "s", i), &passed, i);
		if (i % 500 == 499)
			commit_at(s, i);
	}
	close_store(s);
	lines = assert_files_agree(dir);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	(void)open_ready(dir, &o, &s);
	close_store(s);
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	(void)open_ready(dir, &o, &s);
	assert_int_equal(health_of(s), STORE_ALARM);
	assert_true(steps >= 4);
	close_store(s);
	assert_true(assert_files_agree(dir) > lines);
	assert_station_is_whole(dir);
	/* an opening after an unclean end does not go through them */
	(void)open_ready(dir, &small_options, &s);
	store_close(s, NULL);
	steps = 0;
	(void)open_ready(dir, &o, &s);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(steps, 0);
	close_store(s);
}

TEST_MAIN(NULL)
