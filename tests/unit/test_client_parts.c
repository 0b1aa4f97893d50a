/* SPDX-License-Identifier: MIT */
/* Parts of cfdfuctl: times, numbers, the screen, the doctor's checks, the table against the manual.
 */
#include "config.h"

#include "client/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "client/checks.h"
#include "client/command.h"
#include "client/help.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/screen.h"
#include "client/slots.h"
#include "client/when.h"

#define NOON 1763640000 /* 2025-11-20 12:00:00 UTC */

static void
expect_when(const char *text, const char *iso)
{
	char got[WHEN_TEXT_MAX];

	assert_true(when_parse(text, NOON, got));
	assert_string_equal(got, iso);
}

TEST(times_are_read_as_people_write_them)
{
	static const char *const bad[] = { "",
					   "x",
					   "3",
					   "3x",
					   "d",
					   "-3d",
					   "3dd",
					   "2025-13-01",
					   "2025-11-20x",
					   "tomorrow",
					   "99999999999999999999d",
					   "12:34:56:78",
					   "2025-11-20 25:00" };
	char got[WHEN_TEXT_MAX];

	setenv("TZ", "Europe/Stockholm", 1);
	tzset();
	expect_when("now", "2025-11-20T12:00:00.000Z");
	expect_when("90s", "2025-11-20T11:58:30.000Z");
	expect_when("30m", "2025-11-20T11:30:00.000Z");
	expect_when("2h", "2025-11-20T10:00:00.000Z");
	expect_when("3d", "2025-11-17T12:00:00.000Z");
	expect_when("1w", "2025-11-13T12:00:00.000Z");
	expect_when("1h30m", "2025-11-20T10:30:00.000Z");
	expect_when("today", "2025-11-19T23:00:00.000Z");
	expect_when("yesterday", "2025-11-18T23:00:00.000Z");
	expect_when("2025-07-01", "2025-06-30T22:00:00.000Z");
	expect_when("2025-11-20 12:34", "2025-11-20T11:34:00.000Z");
	expect_when("2025-11-20T12:34:56", "2025-11-20T11:34:56.000Z");
	expect_when("2025-11-20T12:34:56.789Z", "2025-11-20T12:34:56.000Z");
	expect_when("2025-11-20Z", "2025-11-20T00:00:00.000Z");
	expect_when("08:15", "2025-11-20T07:15:00.000Z");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (when_parse(bad[i], NOON, got))
			fail_msg("\"%s\" became %s", bad[i], got);
	setenv("TZ", "UTC", 1);
	tzset();
}

TEST(durations_are_read_alike_everywhere)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} rows[] = {
		{ "0", 0 },	   { "600", 600 },	 { "90s", 90 },	   { "5m", 300 },
		{ "1h30m", 5400 }, { "1h30m15s", 5415 }, { "2d", 172800 }, { "", -1 },
		{ "soon", -1 },	   { "5x", -1 },	 { "30m2h", -1 },  { "1h30", -1 },
		{ "-5m", -1 },	   { "5 m", -1 },	 { "m", -1 },	   { "99999999999m", -1 }
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t seconds = -1;

		if (!when_duration(rows[i].text, &seconds))
			seconds = -1;
		if (seconds != rows[i].seconds)
			fail_msg("\"%s\" became %lld", rows[i].text, (long long)seconds);
	}
}

TEST(numbers_and_times_are_written_for_people)
{
	char t[32];
	uint64_t n;

	format_number(t, sizeof(t), 0);
	assert_string_equal(t, "0");
	format_number(t, sizeof(t), 999);
	assert_string_equal(t, "999");
	format_number(t, sizeof(t), 1234567);
	assert_string_equal(t, "1,234,567");
	format_number(t, sizeof(t), -123456);
	assert_string_equal(t, "-123,456");
	format_seconds(t, sizeof(t), 59);
	assert_string_equal(t, "0:59");
	format_seconds(t, sizeof(t), 3723);
	assert_string_equal(t, "1:02:03");
	format_ms(t, sizeof(t), 999);
	assert_string_equal(t, "999 ms");
	format_ms(t, sizeof(t), 59999);
	assert_string_equal(t, "59.9 s");
	format_ms(t, sizeof(t), 61000);
	assert_string_equal(t, "1:01");
	format_time(t, sizeof(t), "not a time");
	assert_string_equal(t, "not a time");
	assert_true(number_parse("0x10", 16, &n) && n == 16);
	assert_true(number_parse("010", 16, &n) && n == 10);
	assert_false(number_parse("17", 16, &n));
	assert_false(number_parse("99999999999999999999", UINT64_MAX, &n));
	assert_false(number_parse("", 16, &n));
	assert_false(number_parse(" 1", 16, &n));
}

/* Each class of the interface, and what an operator does with a drone of it. */
TEST(drones_that_are_not_good_are_never_counted_as_good)
{
	static const struct {
		const char *class;
		enum slot_fate fate;
		bool failed;
		const char *words;
	} rows[] = {
		{ "absent", SLOT_FATE_NONE, false, "" },
		{ "active", SLOT_FATE_ACTIVE, false, "" },
		{ "waiting", SLOT_FATE_WAITING, false, "" },
		{ "pass", SLOT_FATE_DONE, false, "" },
		{ "unchanged", SLOT_FATE_DONE, false, "" },
		{ "needs-power-cycle", SLOT_FATE_ASIDE, false, "needs a power cycle: x while y" },
		{ "needs-button", SLOT_FATE_ASIDE, true, "needs the button" },
		{ "fail", SLOT_FATE_ASIDE, true, "FAIL: x while y" },
		{ "interrupted", SLOT_FATE_ASIDE, true, "interrupted: x while y" },
		{ "quarantined", SLOT_FATE_ASIDE, true, "quarantined, FAIL: x while y" },
		{ "skipped", SLOT_FATE_ALONE, false, "skipped: x while y" },
		{ "foreign", SLOT_FATE_ALONE, false, "foreign: x while y" },
		{ "unserved", SLOT_FATE_ALONE, false, "no firmware for it: x while y" },
		{ "what is to come", SLOT_FATE_ALONE, false, "unknown: x while y" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *slot = json_pack("{s:s, s:s, s:s, s:s}", "class", rows[i].class, "verdict",
					 "fail", "fault", "x", "step", "y");
		char words[128];

		slot_words(slot, words, sizeof(words));
		assert_string_equal(words, rows[i].words);
		assert_int_equal(slot_fate(slot), rows[i].fate);
		assert_int_equal(slot_has_failed(slot), rows[i].failed);
		json_decref(slot);
	}
}

/* For any reply: characters are whole or not there, and none controls the terminal. */
TEST(words_and_names_are_whole_characters)
{
	static const char *const letters[] = { "\u00e9", "\u6f22", "\U0001f681", "\u202e", "\x1b" };

	for (size_t i = 0; i < 300 * ARRAY_LEN(letters); i++) {
		char text[4 * 300 + 1] = "", words[128], name[96], short_name[96];
		json_t *slot;

		for (size_t k = 0; k <= i / ARRAY_LEN(letters); k++)
			strcat(text, letters[i % ARRAY_LEN(letters)]);
		slot =
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "class", "quarantined", "verdict",
			      text, "fault", text, "step", text, "port", text, "label", text);
		assert_non_null(slot);
		slot_words(slot, words, sizeof(words));
		slot_name(slot, name, sizeof(name));
		slot_short_name(NULL, slot, short_name, sizeof(short_name));
		json_decref(slot);
		slot = json_pack("[s, s, s]", words, name, short_name);
		assert_non_null(slot); /* it refuses what is no UTF-8 */
		json_decref(slot);
		assert_null(strstr(words, "\x1b"));
		assert_null(strstr(words, "\u202e"));
	}
}

/* A list that does not fit says how many it leaves out. */
TEST(no_list_of_drones_is_cut_in_silence)
{
	json_t *list = json_array();
	char text[200];

	for (int i = 1; i <= 120; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:s, s:b}", "port", json_sprintf("1-%d", i),
						"class", "pass", "present", 1));
	for (size_t size = 1; size <= sizeof(text); size++) {
		unsigned shown = 0, more = 0;
		const char *rest;

		overview_unplug(list, text, size);
		rest = strstr(text, " more.");
		if (rest == NULL) {
			assert_true(size < 64);
			continue;
		}
		while (rest > text && rest[-1] >= '0' && rest[-1] <= '9')
			rest--;
		more = (unsigned)strtoul(rest, NULL, 10);
		for (const char *c = text; (c = strstr(c, "1-")) != NULL; c++)
			shown++;
		assert_int_equal(shown + more, 120);
	}
	json_decref(list);
}

/* A station that is older than this client tells states and verdicts. */
TEST(slots_without_a_class_count_by_state_and_verdict)
{
	static const struct {
		const char *state, *verdict, *class;
	} rows[] = {
		{ "absent", NULL, "absent" },	    { "absent", "fail", "fail" },
		{ "ended", "pass", "pass" },	    { "quarantined", "fail", "quarantined" },
		{ "foreign", NULL, "foreign" },	    { "idle", NULL, "unserved" },
		{ "writing", NULL, "active" },	    { "waiting", NULL, "active" },
		{ NULL, "unchanged", "unchanged" }, { NULL, NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *slot =
		    json_pack("{s:s*, s:s*}", "state", rows[i].state, "verdict", rows[i].verdict);

		assert_string_equal(slot_class(slot), rows[i].class);
		json_decref(slot);
	}
}

static struct slots *
make_slots(int count)
{
	json_t *list = json_array(), *reply;
	struct slots *s = NULL;

	for (int i = 0; i < count; i++) {
		char port[16];

		snprintf(port, sizeof(port), "1-%d", i + 1);
		json_array_append_new(list, json_pack("{s:s}", "port", port));
	}
	reply = json_pack("{s:{s:s,s:[],s:{s:i}},s:o,s:b}", "station", "state", "armed", "selected",
			  "counts", "present", count, "slots", list, "full", 1);
	assert_int_equal(slots_new(&s), 0);
	assert_int_equal(slots_apply(s, reply, NULL, NULL), 0);
	json_decref(reply);
	return s;
}

TEST(bars_are_never_wider_than_asked)
{
	char bar[16];

	format_bar(bar, sizeof(bar), 10, -5);
	assert_string_equal(bar, "[..........]");
	format_bar(bar, sizeof(bar), 10, 99);
	assert_string_equal(bar, "[#########.]");
	format_bar(bar, sizeof(bar), 10, 1000);
	assert_string_equal(bar, "[##########]");
	format_bar(bar, 8, 10, 50);
	assert_string_equal(bar, "");
}

TEST(a_full_reply_forgets_what_it_does_not_name)
{
	struct slots *s = make_slots(3);
	json_t *reply = json_loads(
	    "{\"slots\":[{\"port\":\"1-10\"},{\"port\":\"1-9\"}],\"full\":true}", 0, NULL);
	json_t *list;

	assert_int_equal(slots_apply(s, reply, NULL, NULL), 0);
	list = slots_sorted(s);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(out_string(json_array_get(list, 0), "port"), "1-9");
	assert_non_null(slots_station(s));
	json_decref(list);
	json_decref(reply);
	slots_free(s);
}

static void
put_file(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "mkdir -p \"$(dirname %s%s)\"", root, path);
	assert_int_equal(system(full), 0);
	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* The level of a check of this name whose text has this part; NULL when there is none. */
static const char *
level_of(const json_t *list, const char *name, const char *part)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (strcmp(out_string(one, "name"), name) == 0 &&
		    strstr(out_string(one, "text"), part) != NULL)
			return out_string(one, "level");
	return NULL;
}

TEST(doctor_finds_each_problem_of_the_installation)
{
	char root[] = "/tmp/cfdfu-doctor-XXXXXX", command[64];
	json_t *list = json_array();

	assert_non_null(mkdtemp(root));
	checks_run(root, false, list);
	assert_string_equal(level_of(list, "udev-rule", "not installed"), "fail");
	assert_string_equal(level_of(list, "service", "not running"), "fail");
	assert_string_equal(level_of(list, "usb", "no USB"), "fail");
	json_array_clear(list);
	put_file(root, "/proc/12/comm", "fwupd\n");
	put_file(root, "/proc/13/comm", "ModemManager\n");
	put_file(root, "/proc/14/comm", "cfdfud\n");
	put_file(root, "/lib/udev/rules.d/70-cfdfud.rules",
		 "ENV{ID_SEAT}==\"\", ENV{ID_SEAT}=\"seat0\"\n");
	put_file(root, "/sys/bus/usb/devices/1-4/idVendor", "0483\n");
	put_file(root, "/sys/bus/usb/devices/1-4/idProduct", "5740\n");
	put_file(root, "/sys/bus/usb/devices/1-4/manufacturer", "Bitcraze AB\n");
	put_file(root, "/sys/bus/usb/devices/1-4/busnum", "1\n");
	put_file(root, "/sys/bus/usb/devices/1-4/devnum", "9\n");
	put_file(root, "/sys/bus/usb/devices/1-4/power/control", "auto\n");
	put_file(root, "/sys/bus/usb/devices/1-5/idVendor", "0483\n");
	put_file(root, "/sys/bus/usb/devices/1-5/idProduct", "5740\n");
	put_file(root, "/sys/bus/usb/devices/1-5/manufacturer", "Another maker\n");
	checks_run(root, false, list);
	assert_string_equal(level_of(list, "fwupd", "is running"), "warn");
	assert_string_equal(level_of(list, "modemmanager", "is running"), "warn");
	assert_string_equal(level_of(list, "service", "does not answer"), "fail");
	assert_string_equal(level_of(list, "udev-rule", "is installed"), "ok");
	assert_string_equal(level_of(list, "node", "has no node"), "fail");
	assert_string_equal(level_of(list, "autosuspend", "1-4"), "warn");
	assert_null(level_of(list, "node", "1-5"));
	json_array_clear(list);
	checks_run(root, true, list);
	assert_string_equal(level_of(list, "service", "answers"), "ok");
	json_array_clear(list);
	put_file(root, "/etc/udev/rules.d/70-cfdfud.rules", "");
	put_file(root, "/dev/bus/usb/001/009", "");
	checks_run(root, false, list);
	assert_string_equal(level_of(list, "udev-rule", "masked"), "fail");
	assert_non_null(level_of(list, "node", "1-4"));
	json_decref(list);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* The manual page, whole. */
static char *
read_manual(void)
{
	const char *dir = getenv("srcdir");
	char path[512];
	char *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/client/cfdfuctl.1", dir != NULL ? dir : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* "\n.It Fl n , -count Ar N\n" or "\n.It Fl -all\n" between from and to. */
static void
expect_option(const char *from, const char *to, const struct command_option *o, const char *command)
{
	char line[128];
	const char *found;

	if (o->letter != 0)
		snprintf(line, sizeof(line), "\n.It Fl %c , -%s", o->letter, o->name);
	else
		snprintf(line, sizeof(line), "\n.It Fl -%s", o->name);
	found = strstr(from, line);
	if (found == NULL || found >= to)
		fail_msg("%s --%s is not in the manual", command, o->name);
	found += strlen(line);
	if ((strncmp(found, " Ar ", 4) == 0 || strncmp(found, " Oo Ar ", 7) == 0) !=
	    (o->value != NULL))
		fail_msg("%s --%s: the manual disagrees about its value", command, o->name);
}

static size_t
count_options(const char *from, const char *to)
{
	size_t n = 0;

	while ((from = strstr(from, "\n.It Fl ")) != NULL && from < to) {
		from++;
		n++;
	}
	return n;
}

TEST(the_manual_has_each_command_with_each_option_and_no_other)
{
	char *manual = read_manual();
	size_t documented = 0, count = 0, globals = 0;
	const char *end = manual + strlen(manual);

	for (const char *m = manual; (m = strstr(m, "\n.It Cm ")) != NULL; m++)
		documented++;
	for (; commands[count] != NULL; count++) {
		const struct command_desc *c = commands[count];
		const char *from, *to;
		char head[64];
		size_t options = 0;

		snprintf(head, sizeof(head), "\n.It Cm %s", c->name);
		from = strstr(manual, head);
		if (from == NULL)
			fail_msg("%s is not in the manual", c->name);
		if (from[strlen(head)] != '\n' && from[strlen(head)] != ' ')
			fail_msg("%s is not in the manual", c->name);
		to = strstr(from + 1, "\n.It Cm ");
		if (to == NULL)
			to = end;
		for (; c->options[options].name != NULL; options++)
			expect_option(from, to, &c->options[options], c->name);
		assert_int_equal(count_options(from, to), options);
	}
	assert_int_equal(documented, count);
	for (; global_options[globals].name != NULL; globals++)
		expect_option(manual, strstr(manual, "\n.Ss "), &global_options[globals],
			      "cfdfuctl");
	assert_int_equal(count_options(manual, strstr(manual, "\n.Ss ")), globals);
	free(manual);
}

TEST(no_option_hides_another)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command_option *own = commands[i]->options;

		assert_true(commands[i]->args_max >= commands[i]->args_min);
		for (size_t a = 0; own[a].name != NULL; a++) {
			for (size_t b = a + 1; own[b].name != NULL; b++) {
				assert_string_not_equal(own[a].name, own[b].name);
				assert_true(own[a].letter == 0 || own[a].letter != own[b].letter);
			}
			for (size_t g = 0; global_options[g].name != NULL; g++) {
				assert_string_not_equal(own[a].name, global_options[g].name);
				assert_true(own[a].letter == 0 ||
					    own[a].letter != global_options[g].letter);
			}
		}
	}
}

TEST_MAIN(NULL)
