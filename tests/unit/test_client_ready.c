/* SPDX-License-Identifier: MIT */
/* cfdfuctl status, wait: the whole drone beside its verdict. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"
#include "client/overview.h"
#include "client/screen.h"
#include "client/slots.h"
#include "test.h"

#include "client_run.h"

#define STATION                                                                                    \
	"\"station\":{\"state\":\"armed\",\"selected\":[{\"platform\":\"cf2\",\"name\":\"x\","     \
	"\"sha256\":\"\"}],\"counts\":{\"present\":3}}"

static struct run run;

/* A drone with right bytes: what is said of it as a whole. */
static json_t *
drone(const char *port, const char *ready, bool checking, const char *left)
{
	json_t *remaining = json_array();

	if (left != NULL)
		(void)json_array_append_new(remaining, json_pack("{s:s, s:s}", "what", left, "text",
								 "Switch it off and on."));
	return json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s?, s:b, s:o, s:s, s:i, s:i}",
			 "port", port, "present", 1, "mode", "runtime", "state", "ended", "class",
			 "pass", "verdict", "pass", "message", "Done.", "ready", ready, "checking",
			 checking, "remaining", remaining, "ready_note", "It says no self-test.",
			 "battery_mv", 4011, "attempt", 7);
}

TEST(only_a_drone_that_is_ready_is_taken_away)
{
	static const struct {
		const char *ready;
		bool checking;
		const char *left;
		enum slot_fate place;
		const char *words, *text;
	} rows[] = {
		{ "yes", false, NULL, SLOT_FATE_DONE, "READY", "" },
		{ "no", false, "power-cycle", SLOT_FATE_ASIDE, "NOT READY: power-cycle",
		  "NOT READY: Switch it off and on." },
		{ "unknown", false, NULL, SLOT_FATE_UNSURE, "readiness unknown",
		  "Not seen to be ready: It says no self-test." },
		{ "unknown", true, NULL, SLOT_FATE_ACTIVE, "checking", "" },
		{ NULL, false, NULL, SLOT_FATE_DONE, "", "" }, /* by an older service */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *slot = drone("1-1", rows[i].ready, rows[i].checking, rows[i].left);
		char words[128];

		assert_int_equal(slot_fate(slot), SLOT_FATE_DONE);
		assert_int_equal(slot_place(slot), rows[i].place);
		slot_ready_words(slot, words, sizeof(words));
		assert_string_equal(words, rows[i].words);
		assert_string_equal(slot_ready_text(slot).s, rows[i].text);
		assert_int_equal(slot_severity(slot), rows[i].place == SLOT_FATE_ASIDE ? 2 : 0);
		assert_false(slot_has_failed(slot));
		json_decref(slot);
	}
}

TEST(one_that_failed_says_nothing_of_being_ready)
{
	json_t *slot = drone("1-1", "no", false, "deck");
	char words[128];

	(void)json_object_set_new(slot, "class", json_string("fail"));
	slot_ready_words(slot, words, sizeof(words));
	assert_string_equal(words, "");
	assert_string_equal(slot_ready_text(slot).s, "");
	assert_int_equal(slot_place(slot), SLOT_FATE_ASIDE);
	json_decref(slot);
}

static json_t *
rack(void)
{
	return json_pack("[o, o, o, o]", drone("1-1", "yes", false, NULL),
			 drone("1-2", "no", false, "power-cycle"),
			 drone("1-3", "unknown", false, NULL), drone("1-4", "unknown", true, NULL));
}

TEST(the_lines_below_the_table_tell_them_apart)
{
	json_t *slots = rack();
	char text[1024];

	overview_unplug(slots, text, sizeof(text));
	assert_string_equal(text, "Take away (done): 1-1.\n"
				  "Flashed, but not seen to be ready: 1-3.\n"
				  "Set aside: 1-2 (NOT READY: power-cycle).\n"
				  "Leave plugged in: 1-4 (checking).");
	overview_sum(slots, text, sizeof(text));
	assert_string_equal(text, "4 drones: 4 PASS; 1 READY, 1 NOT READY: 1-2");
	json_decref(slots);
}

/* WHY: "4 done" would send people to take away those that are not ready. */
TEST(where_lines_are_short_watch_tells_them_apart_too)
{
	static const struct screen how = { .rows = 4, .columns = 60 };
	json_t *list = rack(), *reply = json_pack("{s:b, s:o, s:{}}", "full", 1, "slots",
						  json_incref(list), "station");
	struct slots *slots;
	char *text;

	(void)json_array_append_new(list, drone("1-5", "yes", false, NULL));
	assert_int_equal(slots_new(&slots), 0);
	assert_int_equal(slots_apply(slots, reply, NULL, NULL), 0);
	text = screen_draw(slots, &how);
	assert_non_null(text);
	assert_non_null(strstr(text, "3 NOT READY (flashed): 1-2, 1-3, 1-4"));
	assert_non_null(strstr(text, "2 done: 1-1, 1-5"));
	free(text);
	slots_free(slots);
	json_decref(reply);
	json_decref(list);
}

static void
reply(char *text, size_t size, json_t *take_slots, const char *more)
{
	char *slots = json_dumps(take_slots, JSON_COMPACT);

	(void)snprintf(text, size, "{\"parameters\":{" STATION ",\"slots\":%s%s", slots, more);
	free(slots);
	json_decref(take_slots);
}

TEST(status_shows_the_whole_drone_bad_ones_first)
{
	char text[4096];
	const char *replies[] = { text, NULL };
	const char *bad, *good;

	reply(text, sizeof(text), rack(), "}}");
	client_run(&run, "status", replies, "");
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.out, "READY           VERDICT UNPLUG"));
	assert_non_null(strstr(run.out, "4.01 V"));
	assert_null(strstr(run.out, "NAME"));
	assert_non_null(strstr(run.out, "1-2: NOT READY: Switch it off and on."));
	assert_non_null(strstr(run.out, "1-3: Not seen to be ready: It says no self-test."));
	bad = strstr(run.out, "\n1-2 ");
	good = strstr(run.out, "\n1-1 ");
	assert_non_null(bad);
	assert_non_null(good);
	assert_true(bad < good);
}

/* The first reply has it under way, the second one at its end. */
static void
wait_for(const char *words, const char *ready, const char *left, int status, const char *out)
{
	char first[4096], second[4096];
	const char *replies[] = { first, second, NULL };

	reply(first, sizeof(first), json_pack("[o]", drone("1-1", "unknown", true, NULL)),
	      ",\"full\":true,\"lost\":false},\"continues\":true}");
	reply(second, sizeof(second), json_pack("[o]", drone("1-1", ready, false, left)),
	      ",\"full\":false,\"lost\":false},\"continues\":true}");
	client_run(&run, words, replies, "");
	if (run.status != status || strstr(run.out, out) == NULL)
		fail_msg("%s: %d\n%s\n%s", words, run.status, run.out, run.err);
}

TEST(wait_tells_an_ending_when_the_drone_was_looked_at)
{
	wait_for("wait", "yes", NULL, 0, "pass 1-1: Done. READY.\n");
	wait_for("wait", "no", "power-cycle", 0,
		 "pass 1-1: Done. NOT READY: Switch it off and on.\n");
	assert_non_null(strstr(run.err, "not seen to be ready: 1-1 (NOT READY: power-cycle)"));
	wait_for("wait --ready", "no", "power-cycle", 1, "NOT READY");
	wait_for("wait --ready", "unknown", NULL, 1, "Not seen to be ready");
	wait_for("wait --ready", "yes", NULL, 0, "READY.");
	wait_for("--json wait --ready", "no", "deck", 1, "\"not_ready\":[{");
}

TEST(watch_has_a_line_for_what_becomes_of_a_drone_after_its_verdict)
{
	char texts[3][4096];
	const char *const replies[] = {
		texts[0], texts[1], texts[2],
		"{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{\"reason\":\"stopping\"}}",
		NULL
	};
	const char *line;

	reply(texts[0], sizeof(texts[0]), json_pack("[o]", drone("1-1", "unknown", true, NULL)),
	      ",\"full\":true},\"continues\":true}");
	reply(texts[1], sizeof(texts[1]), json_pack("[o]", drone("1-1", "yes", false, NULL)),
	      ",\"full\":false},\"continues\":true}");
	reply(texts[2], sizeof(texts[2]), json_pack("[o]", drone("1-1", "no", false, "address")),
	      ",\"full\":false},\"continues\":true}");
	client_run(&run, "watch", replies, NULL);
	line = strstr(run.out, " 1-1 pass: Done.\n");
	assert_non_null(line);
	line = strstr(line, " 1-1 READY\n");
	assert_non_null(line);
	assert_non_null(strstr(line, " 1-1 NOT READY: address\n"));
}

TEST_MAIN(NULL)
