/* SPDX-License-Identifier: MIT */
/* The audit file by itself: lines that lie, files that are damaged, large, foreign or put together.
 */
#include "config.h"

#include "test_store_whole.h"

/* Bit by bit: another way than the store's. */
static uint32_t
crc_of(const char *text, size_t size)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < size; i++) {
		crc ^= (uint8_t)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
	}
	return ~crc;
}

/* A line of the given parts, with the right CRC and, unless hash is given, the right hash. */
static size_t
make_line(char *out, const char *head, const char *kind, const char *prev, const char *hash,
	  const char *body)
{
	uint8_t own[RECORD_HASH_BYTES], zero[RECORD_HASH_BYTES] = { 0 };
	char hex[65];
	int n;

	record_hash(zero, 1, kind, body, strlen(body), own);
	(void)sodium_bin2hex(hex, sizeof(hex), own, sizeof(own));
	n = snprintf(out, AUDIT_LINE_MAX, "%s\"%s\",\"prev\":\"%s\",\"hash\":\"%s\",\"body\":%s",
		     head, kind, prev, hash != NULL ? hash : hex, body);
	n += snprintf(out + n, AUDIT_LINE_MAX - (size_t)n, ",\"crc\":\"%08x\"}",
		      crc_of(out, (size_t)n));
	return (size_t)n;
}

static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";

#define TEST_SET_UP(name) TEST_WITH(name, make_test_dir, remove_test_dir)

TEST_SET_UP(a_line_is_taken_only_when_every_part_is_right)
{
	static const struct {
		const char *head, *kind, *prev, *hash;
	} bad[] = {
		{ "{\"SEQ\":1,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":0,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":-1,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":1,\"kinds\":", "act", zeros, NULL },
		{ "{\"seq\":1,\"kind\":", "", zeros, NULL },
		{ "{\"seq\":1,\"kind\":", "act", "00", NULL },
		{ "{\"seq\":2,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":1,\"kind\":", "act", zeros, "ff" },
		{ "{\"seq\":1,\"kind\":", "act", zeros, zeros },
		{ "{\"seq\":9999999999999999999,\"kind\":", "act", zeros, NULL },
		{ "{\"seq\":1,\"kind\":", "act",
		  "G000000000000000000000000000000000000000000000000000000000000000", NULL },
		{ "{\"seq\":1,\"kind\":", "act",
		  "0G00000000000000000000000000000000000000000000000000000000000000", NULL },
		{ "{\"seq\":1,\"kind\":", "act",
		  "00:0000000000000000000000000000000000000000000000000000000000000", NULL },
	};
	static char line[AUDIT_LINE_MAX + 64], big[RECORD_BODY_MAX + 1];
	struct audit_line l;
	size_t n;

	assert_true(sodium_init() >= 0);
	n = make_line(line, "{\"seq\":1,\"kind\":", "act", zeros, NULL, "{}");
	assert_int_equal(audit_parse(line, n, &l), 0);
	assert_int_equal(l.body_size, 2);
	for (size_t i = 0; i < n; i++) { /* shorter, and with any byte changed */
		assert_int_equal(audit_parse(line, i, &l), -EBADMSG);
		line[i] ^= 1;
		assert_int_equal(audit_parse(line, n, &l), -EBADMSG);
		line[i] ^= 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		n = make_line(line, bad[i].head, bad[i].kind, bad[i].prev, bad[i].hash, "{}");
		assert_int_equal(audit_parse(line, n, &l), -EBADMSG);
	}
	n = make_line(line, "{\"seq\":1,\"kind\":", "nothing", zeros, NULL, "{}");
	assert_int_equal(audit_parse(line, n, &l), -EPROTO); /* of a kind that is still to come */
	n = make_line(line, "{\"seq\":1,\"kind\":", "nothing", zeros, zeros, "{}");
	assert_int_equal(audit_parse(line, n, &l), -EBADMSG);
	/* a CRC over anything does not make it a line */
	for (size_t cut = 0; cut < 200; cut++) {
		int m;

		n = make_line(line, "{\"seq\":1,\"kind\":", "act", zeros, NULL, "{}") - 18;
		m = snprintf(line + (cut < n ? cut : n - 1), 64, ",\"crc\":\"%08x\"}",
			     crc_of(line, cut < n ? cut : n - 1));
		assert_int_equal(audit_parse(line, (cut < n ? cut : n - 1) + (size_t)m, &l),
				 -EBADMSG);
	}
	memset(big, ' ', sizeof(big) - 1);
	n = make_line(line, "{\"seq\":1,\"kind\":", "act", zeros, NULL, big);
	assert_int_equal(audit_parse(line, n, &l), -EBADMSG);
}

static void
write_records(int count)
{
	struct store *s;

	(void)open_ready(dir, &small_options, &s);
	for (int i = 0; i < count; i++) {
		end_at(s, begin_at(s, "1-1", "s", i), &passed, i);
		if (i % 400 == 399)
			commit_at(s, i);
	}
	close_store(s);
}

static void
overwrite(off_t offset, const char *bytes, size_t size)
{
	int fd = open(in_dir(dir, AUDIT_FILE), O_WRONLY);

	assert_true(fd >= 0 && pwrite(fd, bytes, size, offset) == (ssize_t)size);
	(void)close(fd);
}

static int64_t
seek_to(const struct audit *a, int64_t seq)
{
	struct audit_reader *r = NULL;
	struct audit_line l = { 0 };
	off_t offset;
	int n;

	assert_int_equal(audit_seek(a, seq, &offset), 0);
	assert_int_equal(audit_reader_new(a, offset, &r), 0);
	n = audit_next(r, &l);
	audit_reader_free(r);
	return n > 0 ? l.seq : -1;
}

TEST_SET_UP(any_line_is_found_in_a_large_file_even_with_holes)
{
	static char hole[300000];
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	struct audit a;

	write_records(1500);
	assert_int_equal(audit_open(&a, dirfd, "t", -1), 0);
	for (int64_t seq = 1; seq <= a.last_seq; seq += 97)
		assert_int_equal(seek_to(&a, seq), seq);
	assert_int_equal(seek_to(&a, a.last_seq), a.last_seq);
	assert_int_equal(seek_to(&a, a.last_seq + 1), -1);
	overwrite(700000, hole, sizeof(hole)); /* longer than any line, and than the window */
	for (int64_t seq = 1; seq <= a.last_seq; seq += 97)
		assert_true(seek_to(&a, seq) >= seq);
	assert_int_equal(seek_to(&a, 5), 5);
	assert_int_equal(seek_to(&a, a.last_seq - 5), a.last_seq - 5);
	audit_close(&a);
	(void)close(dirfd);
}

TEST_SET_UP(the_last_good_line_is_found_behind_a_long_torn_end)
{
	static char junk[1200000];
	struct store *s;
	char text[16];

	write_records(3);
	memset(junk, 'x', sizeof(junk));
	overwrite((off_t)file_size(in_dir(dir, AUDIT_FILE)), junk, sizeof(junk));
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_ALARM);
	close_store(s);
	assert_station_is_whole(dir);
	copy_text(text, sizeof(text), ask_db(dir, "SELECT count(*) FROM attempts"));
	assert_string_equal(text, "3");
}

TEST_SET_UP(records_that_do_not_fit_the_tables_keep_their_place_when_rebuilding)
{
	static const char *const bodies[] = {
		"{\"id\":\"one\",\"at\":5}",
		"{\"id\":1,\"at\":\"never\",\"mono\":0,\"sync\":1,\"kind\":\"k\",\"port\":\"p\"}",
		"{}",
		"not json at all",
		"{\"id\":1}",
	};
	char line[AUDIT_LINE_MAX];
	struct audit_line l;
	struct audit a;
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	struct store *s;

	write_records(1);
	assert_int_equal(audit_open(&a, dirfd, "t", -1), 0);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct record *r = calloc(1, sizeof(*r) + strlen(bodies[i]) + 1);

		assert_non_null(r);
		r->kind = i == 4 ? RECORD_END : RECORD_BEGIN;
		r->seq = a.last_seq + 1;
		memcpy(r->prev, a.last_hash, sizeof(r->prev));
		r->body_size = strlen(bodies[i]);
		memcpy(r->body, bodies[i], r->body_size);
		record_hash(r->prev, r->seq, record_kind_name(r->kind), r->body, r->body_size,
			    r->hash);
		assert_int_equal(audit_parse(line, audit_format(r, line) - 1, &l), 0);
		assert_int_equal(audit_append(&a, r), 0);
		assert_int_equal(audit_sync(&a, r), 0);
		free(r);
	}
	audit_close(&a);
	(void)close(dirfd);
	for (int again = 0; again < 2; again++) {
		(void)open_ready(dir, &small_options, &s);
		assert_int_equal(health_of(s), STORE_ALARM);
		end_at(s, begin_at(s, "1-1", "s", 5), &passed, 6);
		commit_at(s, 7);
		close_store(s);
		assert_string_equal(ask_db(dir, "SELECT count(*) - max(seq) FROM record"), "0");
		assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	}
}

/* The end of another file was appended: every line is whole, but the chain is not. */
TEST_SET_UP(a_broken_chain_is_reported_once_and_does_not_stop_the_station)
{
	char command[PATH_BYTES * 3], mine[PATH_BYTES];
	struct store *s;

	write_records(2);
	strcpy(mine, dir);
	dir = make_dir();
	write_records(6);
	(void)snprintf(command, sizeof(command), "tail -n 5 %s/audit.jsonl >> %s/audit.jsonl", dir,
		       mine);
	assert_int_equal(system(command), 0);
	remove_tree(dir);
	strcpy(dir, mine);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_ALARM);
	end_at(s, begin_at(s, "1-1", "s", 5), &passed, 6);
	commit_at(s, 7);
	close_store(s);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
	assert_string_equal(ask_db(dir, "SELECT count(*) - max(seq) FROM record"), "0");
}

TEST_SET_UP(a_gap_at_the_very_end_of_the_database_is_bridged_by_the_next_line)
{
	struct store *s;
	int64_t seq;
	FILE *f;
	char *text = NULL;
	size_t room = 0;
	off_t at_line = 0;

	write_records(4);
	seq = assert_files_agree(dir);
	/* the database ends at seq - 3, and that line is unreadable */
	change_db(dir, "DROP TRIGGER attempt_stays; DELETE FROM record WHERE seq > (SELECT "
		       "max(seq) - 3 FROM record)");
	f = fopen(in_dir(dir, AUDIT_FILE), "r");
	assert_non_null(f);
	for (int64_t i = 1; i < seq - 3; i++) {
		assert_true(getline(&text, &room, f) > 0);
		at_line = ftello(f);
	}
	(void)fclose(f);
	free(text);
	overwrite(at_line + 20, "#", 1);
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(health_of(s), STORE_ALARM);
	close_store(s);
	assert_string_equal(ask_db(dir, "SELECT count(*) - max(seq) FROM record"), "0");
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts WHERE verdict = 'pass'"),
			    "4");
}

TEST_SET_UP(damaged_files_are_put_away_only_so_often)
{
	struct store_time now = at(5);
	char why[STORE_WHY_MAX];
	struct store *s;
	int n = 0;

	write_records(1);
	s = open_store(dir, &small_options);
	for (; n < 20 && health_of(s) != STORE_DEGRADED; n++) {
		FILE *f;

		assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
		f = fopen(in_dir(dir, DB_FILE), "w");
		assert_non_null(f);
		for (int i = 0; i < 5000; i++)
			assert_true(fputs("not a database ", f) >= 0);
		(void)fclose(f);
		(void)store_check(s, &now);
	}
	assert_int_equal(n, 9);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_int_equal(store_check(s, &now), 0);
	store_close(s, NULL);
}

TEST_MAIN(NULL)
