/* SPDX-License-Identifier: MIT */
/* The store's tables beside attempts: drones, ports, catalogue, settings, acts; text limits. */
#include "config.h"

#include "test_store_whole.h"

static struct store_time now;

static int
set_up(void **state)
{
	now = at(10);
	return open_test_store(state);
}

static int
tear_down(void **state)
{
	close_store(store);
	assert_station_is_whole(dir);
	return remove_test_dir(state);
}

struct seen_drone {
	int count;
	struct store_drone d;
	char serial[32], dfu[32], loader[32], quirks[32], ports[128], verdict[16], firmware[32],
	    why[32];
};

static void
on_drone(void *ctx, const struct store_drone *d)
{
	struct seen_drone *s = ctx;

	s->count++;
	s->d = *d;
	copy_text(s->serial, sizeof(s->serial), d->serial);
	copy_text(s->dfu, sizeof(s->dfu), d->dfu_serial);
	copy_text(s->loader, sizeof(s->loader), d->loader_sha256);
	copy_text(s->quirks, sizeof(s->quirks), d->quirks);
	copy_text(s->ports, sizeof(s->ports), d->failed_ports);
	copy_text(s->verdict, sizeof(s->verdict), d->last_verdict);
	copy_text(s->firmware, sizeof(s->firmware), d->last_firmware);
	copy_text(s->why, sizeof(s->why), d->quarantined_why);
}

static struct seen_drone
find(const char *serial, const char *dfu)
{
	struct seen_drone s = { 0 };
	int r = store_drone_find(store, serial, dfu, on_drone, &s);

	assert_int_equal(r, s.count);
	return s;
}

static void
note(const struct store_drone_facts *f)
{
	assert_int_equal(store_drone_note(store, f, &now), 0);
	commit_at(store, 10);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(a_drone_is_remembered_by_either_serial)
{
	struct seen_drone s;

	note(&(struct store_drone_facts){ .serial = "AAAA",
					  .dfu_serial = "D1",
					  .platform = "cf2",
					  .loader_sha256 = "abcd",
					  .quirks = "obey" });
	s = find("aaaa", NULL);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.dfu, "D1");
	assert_string_equal(s.loader, "abcd");
	assert_int_equal(s.d.first_seen_ms, WALL_MS + 10);
	assert_int_equal(find(NULL, "d1").d.id, s.d.id);
	assert_int_equal(find("D1", "D1").d.id, s.d.id);
	assert_int_equal(find("AAAA", "AAAA").d.id, s.d.id);
	assert_int_equal(find("BBBB", "D1").count, 0); /* that would be another drone */
	assert_int_equal(find(NULL, NULL).count, 0);
	note(&(struct store_drone_facts){ .serial = "AAAA", .quirks = "" });
	assert_string_equal(find("AAAA", NULL).quirks, "");
	assert_string_equal(find("AAAA", NULL).loader, "abcd");
	assert_int_equal(
	    store_drone_note(store, &(struct store_drone_facts){ .platform = "cf2" }, &now),
	    -EINVAL);
}

TEST_SET_UP(unchanged_facts_are_not_recorded_again)
{
	const struct store_drone_facts f = { .serial = "AAAA", .version = "1" };
	uint64_t queued;

	note(&f);
	queued = store_queued(store);
	note(&f);
	assert_true(store_queued(store) == queued);
	now = at(120000);
	note(&f);
	assert_true(store_queued(store) == queued + 1);
	now = at(5); /* the clock was set back */
	note(&f);
	assert_true(store_queued(store) == queued + 2);
}

TEST_SET_UP(a_drone_met_in_dfu_first_becomes_one_with_its_run_time_self)
{
	struct store_begin b = { .port = "1-1", .dfu_serial = "D1" };
	int64_t id;

	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	end_at(store, id, &failed, 20);
	commit_at(store, 20);
	assert_int_equal(store_drone_quarantine(store, "D1", "worn", &now), 0);
	note(&(struct store_drone_facts){ .dfu_serial = "D1", .loader_sha256 = "abcd" });
	note(
	    &(struct store_drone_facts){ .serial = "AAAA" }); /* not known yet that these are one */
	note(&(struct store_drone_facts){ .serial = "AAAA", .dfu_serial = "D1" });
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM drone"), "1");
	assert_string_equal(find("AAAA", NULL).loader, "abcd");
	assert_string_equal(find("AAAA", NULL).why, "worn");
	assert_string_equal(
	    ask_db(dir, "SELECT count(*) FROM attempt a JOIN drone d ON a.drone = d.id"), "1");
	/* and without the detour: the nameless one gets its name */
	note(&(struct store_drone_facts){ .dfu_serial = "D2" });
	note(&(struct store_drone_facts){ .serial = "BBBB", .dfu_serial = "D2" });
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM drone"), "2");
	assert_string_equal(find(NULL, "D2").serial, "BBBB");
}

static void
on_id(void *ctx, const struct store_attempt *a)
{
	int *digits = ctx;

	*digits = *digits * 10 + (int)a->id;
}

TEST_SET_UP(two_drones_with_one_dfu_serial_are_reported)
{
	struct store_filter f = { .serial = "D1" };
	int rows = 0;

	note(&(struct store_drone_facts){ .serial = "AAAA", .dfu_serial = "D1" });
	assert_false(find("AAAA", NULL).d.shares_dfu_serial);
	note(&(struct store_drone_facts){ .serial = "BBBB", .dfu_serial = "D1" });
	assert_true(find("AAAA", NULL).d.shares_dfu_serial);
	assert_true(find(NULL, "D1").d.shares_dfu_serial);
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM drone"), "2");
	end_at(store, begin_at(store, "1-1", "AAAA", 1), &passed, 2);
	end_at(store, begin_at(store, "1-2", "BBBB", 1), &passed, 2);
	end_at(store, begin_at(store, "1-2", "CCCC", 1), &passed, 2);
	commit_at(store, 3);
	assert_int_equal(store_history(store, &f, on_id, &rows), 2); /* of both, newest first */
	assert_int_equal(rows, 21);
}

TEST_SET_UP(failures_in_a_row_are_counted_by_drone_and_port)
{
	struct seen_drone s;

	end_at(store, begin_at(store, "1-1", "AAAA", 1), &failed, 2);
	end_at(store, begin_at(store, "1-1", "AAAA", 3), &failed, 4);
	end_at(store, begin_at(store, "1-2", "AAAA", 5), &failed, 6);
	commit_at(store, 7);
	s = find("AAAA", NULL);
	assert_int_equal(s.d.failures, 3);
	assert_int_equal(s.d.failed_port_count, 2);
	assert_string_equal(s.ports, "1-1 1-2");
	assert_string_equal(s.verdict, "fail");
	assert_string_equal(s.firmware, "cf2-2025.02");
	assert_int_equal(s.d.last_attempt, 3);
	assert_string_equal(ask_db(dir, "SELECT group_concat(port || '=' || failures) FROM port"),
			    "1-1=2,1-2=1");
	end_at(store, begin_at(store, "1-1", "AAAA", 8), &interrupted,
	       9); /* says nothing of either */
	commit_at(store, 9);
	assert_int_equal(find("AAAA", NULL).d.failures, 3);
	end_at(store, begin_at(store, "1-1", "AAAA", 10), &passed, 11);
	commit_at(store, 12);
	assert_int_equal(find("AAAA", NULL).d.failures, 0);
	assert_int_equal(find("AAAA", NULL).d.failed_port_count, 0);
	assert_string_equal(ask_db(dir, "SELECT group_concat(port || '=' || failures) FROM port"),
			    "1-1=0,1-2=1");
}

TEST_SET_UP(failed_ports_of_a_drone_are_bounded)
{
	char port[16];

	for (int i = 0; i < STORE_FAIL_PORTS_MAX + 4; i++) {
		(void)snprintf(port, sizeof(port), "2-%d", i);
		end_at(store, begin_at(store, port, "AAAA", i), &failed, i + 1);
	}
	commit_at(store, 50);
	assert_int_equal(find("AAAA", NULL).d.failed_port_count, STORE_FAIL_PORTS_MAX);
	assert_int_equal(find("AAAA", NULL).d.failures, STORE_FAIL_PORTS_MAX + 4);
}

struct seen_port {
	const char *wanted;
	int count;
	struct store_port p;
	char why[64];
};

static void
on_port(void *ctx, const struct store_port *p)
{
	struct seen_port *s = ctx;

	if (strcmp(p->port, s->wanted) != 0)
		return;
	s->count++;
	s->p = *p;
	copy_text(s->why, sizeof(s->why), p->quarantined_why);
}

static struct seen_port
find_port(const char *port)
{
	struct seen_port s = { .wanted = port };

	assert_int_equal(store_port_each(store, on_port, &s), 0);
	return s;
}

TEST_SET_UP(a_quarantine_lasts_until_it_is_released)
{
	end_at(store, begin_at(store, "1-1", "AAAA", 1), &failed, 2);
	assert_int_equal(store_port_quarantine(store, "1-1", "three in a row", &now), 0);
	commit_at(store, 3);
	assert_int_equal(store_drone_quarantine(store, "aaaa", "on two ports", &now), 0);
	commit_at(store, 3);
	assert_string_equal(find_port("1-1").why, "three in a row");
	assert_int_equal(find_port("1-1").p.quarantined_ms, WALL_MS + 10);
	assert_string_equal(find("AAAA", NULL).why, "on two ports");
	assert_int_equal(store_port_quarantine(store, "1-1", NULL, &now), 0);
	assert_int_equal(store_drone_quarantine(store, "AAAA", NULL, &now), 0);
	commit_at(store, 4);
	assert_int_equal(find_port("1-1").p.quarantined_ms, 0);
	assert_int_equal(find_port("1-1").p.failures, 0);
	assert_int_equal(find("AAAA", NULL).d.quarantined_ms, 0);
	assert_int_equal(find("AAAA", NULL).d.failures, 0);
	assert_int_equal(find_port("9-9").count, 0);
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM port"), "1");
	assert_int_equal(store_port_quarantine(store, "", "x", &now), -EINVAL);
	assert_int_equal(store_drone_quarantine(store, "", "x", &now), -EINVAL);
	assert_int_equal(store_drone_quarantine(store, "unknown", "x", &now), -ENOENT);
}

struct seen_firmware {
	int count;
	struct store_firmware f;
	char names[128], notes[64], by[32];
};

static void
on_firmware(void *ctx, const struct store_firmware *f)
{
	struct seen_firmware *s = ctx;

	s->count++;
	s->f = *f;
	(void)snprintf(s->names + strlen(s->names), sizeof(s->names) - strlen(s->names), "%s ",
		       f->name);
	copy_text(s->notes, sizeof(s->notes), f->notes);
	copy_text(s->by, sizeof(s->by), f->added_by);
}

TEST_SET_UP(the_catalogue_keeps_names_unique_and_selected_images_in_place)
{
	struct store_firmware f = { .name = "a",
				    .sha256 = "00",
				    .file = "00.dfu",
				    .platforms = 6,
				    .size_bytes = 5,
				    .notes = "n",
				    .added_by = "kim" };
	struct seen_firmware s = { 0 };
	char long_name[STORE_NAME_MAX + 1] = "";

	assert_int_equal(store_firmware_add(store, &f, &now), 0);
	assert_int_equal(store_firmware_add(store, &f, &now),
			 -EEXIST); /* even before a commit of ours */
	f.name = "b";
	f.incomplete = true;
	assert_int_equal(store_firmware_add(store, &f, &now), 0);
	f.name = NULL;
	assert_int_equal(store_firmware_add(store, &f, &now), -EINVAL);
	f.name = "a\nb";
	assert_int_equal(store_firmware_add(store, &f, &now), -EINVAL);
	memset(long_name, 'x', sizeof(long_name) - 1);
	f.name = long_name;
	assert_int_equal(store_firmware_add(store, &f, &now), -EINVAL);
	assert_int_equal(store_set(store, STORE_SELECTED, "cf2", "nothing", &now), -ENOENT);
	assert_int_equal(store_set(store, STORE_SELECTED, "cf2", "a", &now), 0);
	assert_int_equal(store_set(store, STORE_OWN, "1-4", "b", &now), 0);
	assert_int_equal(store_firmware_remove(store, "a", &now), -EBUSY);
	assert_int_equal(store_firmware_remove(store, "b", &now), -EBUSY);
	assert_int_equal(store_firmware_remove(store, "c", &now), -ENOENT);
	assert_int_equal(store_set(store, STORE_SELECTED, "cf2", NULL, &now), 0);
	assert_int_equal(store_firmware_remove(store, "a", &now), 0);
	commit_at(store, 20);
	assert_int_equal(store_firmware_each(store, on_firmware, &s), 0);
	assert_string_equal(s.names, "b ");
	memset(&s, 0, sizeof(s));
	assert_int_equal(store_firmware_find(store, "b", on_firmware, &s), 1);
	assert_int_equal(s.f.platforms, 6);
	assert_true(s.f.incomplete);
	assert_int_equal(s.f.size_bytes, 5);
	assert_int_equal(s.f.added_ms, WALL_MS + 10);
	assert_string_equal(s.by, "kim");
	assert_int_equal(store_firmware_find(store, "a", on_firmware, &s), 0);
}

static void
on_setting(void *ctx, const char *name, const char *value)
{
	strcat(strcat(strcat(strcat(ctx, name), "="), value), " ");
}

TEST_SET_UP(settings_are_set_read_listed_and_removed)
{
	char value[8], list[128] = "";

	assert_int_equal(store_set(store, STORE_STATION, "paused", "yes", &now), 0);
	assert_int_equal(store_set(store, STORE_STATION, "a", "longer than that", &now), 0);
	assert_int_equal(store_get(store, STORE_STATION, "paused", value, sizeof(value)),
			 0); /* not committed */
	commit_at(store, 11);
	assert_int_equal(store_get(store, STORE_STATION, "paused", value, sizeof(value)), 1);
	assert_string_equal(value, "yes");
	assert_int_equal(store_get(store, STORE_STATION, "a", value, sizeof(value)), -E2BIG);
	assert_int_equal(store_get(store, STORE_PLATFORM, "paused", value, sizeof(value)), 0);
	assert_int_equal(store_each(store, STORE_STATION, on_setting, list), 0);
	assert_string_equal(list, "a=longer than that paused=yes ");
	assert_int_equal(store_set(store, STORE_STATION, "paused", NULL, &now), 0);
	commit_at(store, 12);
	assert_int_equal(store_get(store, STORE_STATION, "paused", value, sizeof(value)), 0);
	assert_int_equal(store_set(store, STORE_STATION, "", "x", &now), -EINVAL);
}

TEST_SET_UP(operator_actions_are_kept)
{
	assert_int_equal(
	    store_act(store,
		      &(struct store_act){ .uid = 0, .user = "root", .pid = 1, .method = "Pause" },
		      &now),
	    0);
	assert_int_equal(store_act(store,
				   &(struct store_act){ .uid = 1000,
							.pid = -1,
							.method = "Select",
							.arguments = "{\"name\": \"x\"}" },
				   &now),
			 0);
	assert_int_equal(store_act(store, &(struct store_act){ .uid = 1 }, &now), -EINVAL);
	commit_at(store, 11);
	assert_string_equal(
	    ask_db(dir, "SELECT group_concat(concat, ';') FROM (SELECT at || ' ' || uid || ' ' ||"
			" ifnull(user, '-') || ' ' || method || ' ' || ifnull(arguments, '-')"
			" AS concat FROM acts ORDER BY id DESC)"),
	    "2025-01-02T03:04:05.688Z 1000 - Select {\"name\": \"x\"};"
	    "2025-01-02T03:04:05.688Z 0 root Pause -");
}

static void
on_message(void *ctx, const struct store_attempt *a)
{
	copy_text(ctx, 4096, a->message);
}

static void
check_message(const char *in, const char *expected)
{
	struct store_ending e = passed;
	char out[4096] = "";
	int64_t id = begin_at(store, "1-1", "AAAA", 1);

	e.message = in;
	end_at(store, id, &e, 2);
	commit_at(store, 3);
	assert_int_equal(store_attempt_get(store, id, on_message, out), 0);
	assert_string_equal(out, expected);
}

TEST_SET_UP(texts_of_devices_are_made_harmless)
{
	check_message("plain", "plain");
	check_message("", "");
	check_message("a\tb\nc\x7f", "a b c ");
	check_message("quote \" and \\ backslash", "quote \" and \\ backslash");
	check_message("\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x81",
		      "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x81");
	check_message("\xff\xc3(\xe2\x82", "?\?(?\?");
	check_message("\xc0\xaf\xe0\x80\xaf\xed\xa0\x80", "????????"); /* overlong, surrogate */
	check_message("\xf0\x80\x80\xaf\xf4\x90\x80\x80\xf5", "?????????");
	check_message("\xc2\x9b"
		      "31m",
		      "?\?31m"); /* a terminal's CSI */
	check_message("</script>'; DROP TABLE attempt; --", "</script>'; DROP TABLE attempt; --");
}

TEST_SET_UP(texts_are_cut_at_their_limit_and_never_within_a_character)
{
	char in[STORE_MESSAGE_MAX * 2], out[STORE_MESSAGE_MAX];

	memset(in, 'x', sizeof(in) - 1);
	in[sizeof(in) - 1] = '\0';
	memset(out, 'x', sizeof(out) - 1);
	out[sizeof(out) - 1] = '\0';
	check_message(in, out);
	memcpy(in + STORE_MESSAGE_MAX - 2, "\xe2\x82\xac", 3);
	out[STORE_MESSAGE_MAX - 2] = '\0';
	check_message(in, out);
}

/* Everything at its limit, and everything escaped, still fits a record. */
TEST_SET_UP(the_largest_ending_fits)
{
	static char quotes[4096];
	struct store_stage stages[STORE_STAGES_MAX + 5];
	struct store_ending e = failed;
	int64_t id = begin_at(store, "1-1", "AAAA", 1);

	memset(quotes, '"', sizeof(quotes) - 1);
	e.verdict_name = e.fault_name = e.fault_class_name = e.step_name = quotes;
	e.version_after = e.message = e.flags = e.serial = e.dfu_serial = quotes;
	e.platform = e.version_before = quotes;
	e.bytes_written = UINT64_MAX;
	e.stages = stages;
	e.stage_count = ARRAY_LEN(stages);
	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		stages[i] = (struct store_stage){ quotes, INT64_MIN };
	end_at(store, id, &e, 2);
	commit_at(store, 3);
	assert_string_equal(ask_db(dir, "SELECT json_array_length(stages) FROM attempt"), "32");
	assert_string_equal(ask_db(dir, "SELECT bytes_written FROM attempts"),
			    "9223372036854775807");
}

TEST_SET_UP(open_attempts_and_the_queue_are_bounded)
{
	struct store_begin b = drone_at("1-1", "AAAA");
	int64_t id, last = 0;
	int r = 0, n = 0;

	while ((r = store_attempt_begin(store, &b, &now, &id)) == 0)
		last = id;
	assert_int_equal(r, -E2BIG);
	assert_int_equal(last, STORE_OPEN_MAX);
	/* without a commit the queue fills up; there is room for every ending all the same */
	while ((r = store_set(store, STORE_STATION, "x", "y", &now)) == 0)
		n++;
	assert_int_equal(r, -E2BIG);
	assert_in_range(n, 1000, STORE_QUEUE_MAX);
	for (id = 1; id <= last; id++)
		end_at(store, id, &passed, 50);
	commit_at(store, 60);
	assert_true(store_durable(store) == store_queued(store));
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	end_at(store, id, &passed, 70);
}

TEST_SET_UP(counts_by_verdict_are_kept)
{
	end_at(store, begin_at(store, "1-1", "AAAA", 1), &failed, 2);
	end_at(store, begin_at(store, "1-1", "AAAA", 1), &passed, 2);
	end_at(store, begin_at(store, "1-1", "AAAA", 1), &passed, 2);
	(void)begin_at(store, "1-1", "AAAA", 1);
	commit_at(store, 3);
	assert_string_equal(ask_db(dir, "SELECT group_concat(verdict || '=' || n) FROM tally"),
			    "fail=1,pass=2");
	end_at(store, 4, &passed, 9);
}

/* S6: no time that a broken clock can give is refused or breaks the view. */
TEST_SET_UP(any_time_is_taken)
{
	struct store_time times[] = { { .wall_ms = 0 },
				      { .wall_ms = -5, .mono_ms = -5 },
				      { .wall_ms = INT64_C(253402300799999) },
				      { .wall_ms = 86400000, .boot_id = "x" } };
	struct store_begin b = drone_at("1-1", "AAAA");

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t id;

		assert_int_equal(store_attempt_begin(store, &b, &times[i], &id), 0);
		assert_int_equal(store_attempt_end(store, id, &passed, &times[i]), 0);
		assert_int_equal(store_commit(store, &times[i]), 0);
	}
	assert_string_equal(ask_db(dir, "SELECT group_concat(started_at, ' ') FROM attempts"),
			    "1970-01-01T00:00:00.000Z 1970-01-01T00:00:00.000Z "
			    "9999-12-31T23:59:59.999Z 1970-01-02T00:00:00.000Z");
	assert_string_equal(
	    ask_db(dir, "SELECT group_concat(id || ':' || segment, ' ') FROM attempt"),
	    "1:0 2:0 3:0 4:1");
}

TEST_MAIN(NULL)
