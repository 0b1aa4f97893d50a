/* SPDX-License-Identifier: MIT */
/* cfdfuctl, the program, against a scripted service: what it asks, what it shows, how it exits. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client_run.h"

static struct run r;

#define STATION                                                                                    \
	"\"station\":{\"state\":\"armed\",\"selected\":[{\"platform\":\"cf2\",\"name\":\"rel\","   \
	"\"version\":\"2025.02\",\"sha256\":\"3fa9c1d2aabbccdd\"}],\"counts\":{\"present\":3,"     \
	"\"active\":1,\"pass\":1,\"unchanged\":0,\"failed\":1,\"skipped\":0},\"health\":\"ok\","   \
	"\"eta_s\":83}"

#define SLOT_BUSY SLOT_AT("writing")

#define SLOT_AT(step)                                                                              \
	"{\"port\":\"1-4\",\"label\":\"A1\",\"present\":true,\"mode\":\"dfu\",\"serial\":"         \
	"\"002B00353234510C37333439\",\"dfu_serial\":\"207D36753834\",\"platform\":\"cf2\","       \
	"\"state\":\"" step "\",\"percent\":45,\"eta_s\":12,\"verdict\":null,\"fault\":null,"      \
	"\"step\":\"" step "\",\"message\":\"\",\"attempt\":7,\"safe_to_unplug\":false}"

#define SLOT_ENDED(port, serial, verdict, message)                                                 \
	"{\"port\":\"" port                                                                        \
	"\",\"label\":null,\"present\":true,\"mode\":\"runtime\",\"serial\":\"" serial             \
	"\",\"state\":\"ended\",\"percent\":100,\"verdict\":\"" verdict                            \
	"\",\"message\":\"" message "\",\"attempt\":8,\"safe_to_unplug\":true}"

#define STATUS                                                                                     \
	"{\"parameters\":{" STATION ",\"slots\":[" SLOT_BUSY                                       \
	"," SLOT_ENDED("1-5", "AA", "pass", "Flashed and confirmed.") "," SLOT_ENDED(              \
	    "1-6", "BB", "fail", "No answer. Replug it.") "]}}"

#define WATCH(full, slots)                                                                         \
	"{\"parameters\":{" STATION ",\"slots\":[" slots "],\"full\":" full ",\"lost\":false},"    \
	"\"continues\":true}"

static const char *const no_replies[] = { NULL };

static void
run(const char *words, const char *reply)
{
	const char *const replies[] = { reply, NULL };

	client_run(&r, words, replies, NULL);
}

static void
expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
expect_request(const char *expected)
{
	char line[2048];

	snprintf(line, sizeof(line), "%s\n", expected);
	assert_string_equal(r.requests, line);
}

TEST(status_prints_a_header_one_row_per_slot_and_the_drones_to_unplug)
{
	run("status", STATUS);
	assert_int_equal(r.status, EXIT_OK);
	assert_string_equal(
	    r.out,
	    "Station armed: drones are flashed as they are plugged in.\n"
	    "Firmware: cf2 = rel, version 2025.02 [3fa9c1d2aabb]\n"
	    "3 present, 1 active, 1 pass, 0 unchanged, 1 failed, 0 skipped, 1:23 to go\n"
	    "\n"
	    "SLOT LABEL SERIAL                   MODE    STATE   DONE VERDICT UNPLUG MESSAGE\n"
	    "1-6        BB                       runtime ended        fail    aside  No answer. "
	    "Replug it.\n"
	    "1-4  A1    002B00353234510C37333439 dfu     writing  45% -       NO     \n"
	    "1-5        AA                       runtime ended        pass    yes    Flashed and "
	    "confirmed.\n"
	    "\n"
	    "Take away (done): 1-5.\n"
	    "Set aside: 1-6 (FAIL).\n"
	    "Leave plugged in: A1.\n"
	    "\n"
	    "3 drones: 1 PASS, 1 AT WORK, 1 FAILED: 1-6\n");
	assert_string_equal(r.err, "");
	expect_request("{\"method\":\"org.cfdfu.Station.GetStatus\",\"parameters\":{}}");
}

TEST(status_can_be_of_failed_drones_alone)
{
	run("status --failed", STATUS);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.out, "1-6        BB");
	expect(r.out, "1 drone: 1 FAILED: 1-6\n");
	assert_null(strstr(r.out, "1-5"));
	run("--json status --failed", STATUS);
	assert_null(strstr(r.out, "\"1-4\""));
	expect(r.out, "\"1-6\"");
	run("status --failed", "{\"parameters\":{" STATION ",\"slots\":[" SLOT_BUSY "]}}");
	expect(r.out, "No drone has failed.");
}

TEST(bare_cfdfuctl_is_status_and_status_takes_a_target)
{
	run("", STATUS);
	assert_int_equal(r.status, EXIT_OK);
	expect_request("{\"method\":\"org.cfdfu.Station.GetStatus\",\"parameters\":{}}");
	run("status A1", STATUS);
	expect_request("{\"method\":\"org.cfdfu.Station.GetStatus\",\"parameters\":{\"target\":"
		       "\"A1\"}}");
}

TEST(json_is_exactly_the_parameters_of_the_reply)
{
	run("--json status", "{\"parameters\":{\"station\":{\"x\":1},\"slots\":[]}}");
	assert_string_equal(r.out, "{\"station\":{\"x\":1},\"slots\":[]}\n");
	run("pause --json", "{\"parameters\":{\"active\":2}}");
	assert_string_equal(r.out, "{\"active\":2}\n");
	assert_int_equal(r.status, EXIT_OK);
}

TEST(texts_of_devices_cannot_control_the_terminal)
{
	run("status",
	    "{\"parameters\":{\"station\":{},\"slots\":[{\"port\":\"1-4\",\"present\":true,"
	    "\"label\":\"\\u001b[2J\",\"serial\":\"a\\nb\\u009b31m\",\"message\":\"\\u202ex\"}]}}");
	assert_int_equal(r.status, EXIT_OK);
	assert_null(strchr(r.out, '\033'));
	assert_null(strstr(r.out, "\xc2\x9b"));
	assert_null(strstr(r.out, "\xe2\x80\xae"));
	expect(r.out, "?[2J");
	run("--json status", "{\"parameters\":{\"s\":\"\\u001b\\u009b\\u202e\"}}");
	assert_string_equal(r.out, "{\"s\":\"\\u001B\\u009B\\u202E\"}\n");
}

TEST(an_empty_station_and_a_paused_degraded_one_say_so)
{
	run("status",
	    "{\"parameters\":{\"station\":{\"state\":\"paused\",\"selected\":[],\"counts\":{},"
	    "\"health\":\"degraded\",\"reason\":\"disk full\"},\"slots\":[]}}");
	expect(r.out, "Station PAUSED");
	expect(r.out, "DEGRADED, nothing is flashed: disk full");
	expect(r.out, "Firmware: none selected");
	expect(r.out, "Nothing is plugged in.");
}

TEST(without_a_daemon_the_client_tells_how_to_start_it)
{
	client_run(&r, "status", NULL, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	expect(r.err, "is not running");
	expect(r.err, "systemctl start cfdfud");
	client_run(&r, "status", no_replies, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	expect(r.err, "closed the connection");
	client_run(&r, "--json status", NULL, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	assert_string_equal(r.out, "");
	expect(r.err, "{\"error\":\"org.cfdfu.Client.NoService\",\"parameters\":{\"reason\":\"");
	client_run(&r, "status --json", no_replies, NULL);
	expect(r.err, "{\"error\":\"org.cfdfu.Client.ConnectionLost\"");
}

static const struct {
	const char *reply;
	int status;
	const char *says;
} errors[] = {
	{ "{\"error\":\"org.cfdfu.Station.NotPermitted\",\"parameters\":{\"group\":\"cfdfu\"}}",
	  EXIT_REFUSED, "members of the group cfdfu" },
	{ "{\"error\":\"org.cfdfu.Station.NoSuchSlot\",\"parameters\":{\"target\":\"9-9\"}}",
	  EXIT_REFUSED, "there is no slot or drone \"9-9\"" },
	{ "{\"error\":\"org.cfdfu.Station.AmbiguousTarget\",\"parameters\":{\"target\":\"3300\","
	  "\"candidates\":[\"330041\",\"330042\"],\"reason\":\"say more\"}}",
	  EXIT_REFUSED, "\"3300\" is the beginning of several serials" },
	{ "{\"error\":\"org.cfdfu.Station.NoSuchAttempt\",\"parameters\":{\"id\":7}}", EXIT_REFUSED,
	  "there is no attempt 7" },
	{ "{\"error\":\"org.cfdfu.Station.Degraded\",\"parameters\":{\"reason\":\"disk\"}}",
	  EXIT_REFUSED, "degraded" },
	{ "{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{\"reason\":\"not now\"}}",
	  EXIT_REFUSED, "not now" },
	{ "{\"error\":\"org.cfdfu.Station.Failed\",\"parameters\":{\"reason\":\"it broke\"}}",
	  EXIT_DRONE_FAILED, "it broke" },
	{ "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
	  "\"target\"}}",
	  EXIT_USAGE, "target" },
	{ "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.B\"}}",
	  EXIT_REFUSED, "another version" },
	{ "{\"error\":\"org.cfdfu.Station.Unheard\",\"parameters\":{}}", EXIT_REFUSED, "Unheard" },
	{ "{\"nonsense", EXIT_REFUSED, "invalid reply" },
	{ "[]", EXIT_REFUSED, "invalid reply" },
};

TEST(every_error_is_a_sentence_and_an_exit_status)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		run("status", errors[i].reply);
		assert_int_equal(r.status, errors[i].status);
		assert_string_equal(r.out, "");
		expect(r.err, errors[i].says);
	}
	run("--json pause", errors[0].reply);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "{\"error\":\"org.cfdfu.Station.NotPermitted\",\"parameters\":{\"group\"");
}

static const char *const nonsense[] = {
	"bogus",
	"--bogus",
	"-x",
	"status a b",
	"status --count 3",
	"watch a b",
	"wait x",
	"wait --count",
	"wait --count 0",
	"wait --count -1",
	"wait --count 1x",
	"wait --timeout y",
	"firmware",
	"firmware bogus",
	"firmware add",
	"firmware add a b --name x",
	"firmware add a b --source x",
	"firmware check a --loader --application",
	"firmware add a --platform q",
	"firmware add a --address zz",
	"firmware show",
	"firmware select",
	"firmware select a b",
	"firmware select a --platform drone",
	"firmware deselect drone",
	"firmware deselect cf2 --for 1-4",
	"firmware add a --name b/c",
	"firmware add a --name -b",
	"firmware --nonsense list",
	"firmware remove",
	"firmware release",
	"firmware check",
	"firmware check a --address 0x1ffffffff",
	"firmware make",
	"firmware make a.dfu",
	"firmware make a.dfu b:999",
	"firmware make a.dfu :1",
	"firmware extract",
	"pause x",
	"resume x",
	"retry",
	"retry --failed 1-4",
	"history x",
	"history --limit 0",
	"history --limit",
	"history --since never",
	"history --verdict good",
	"history --until 2026-13-45",
	"history --csv --json",
	"show",
	"show 1 2",
	"port",
	"port release",
	"port release --all x",
	"port bogus",
	"platform set",
	"platform set 1-4",
	"platform set 1-4 drone",
	"recover-loader",
	"recover-loader 1-4",
	"backup",
	"backup 1-4",
	"doctor x",
	"config x",
	"--socket",
	"-H",
	"-H -oProxyCommand=x status",
};

TEST(an_invalid_command_line_prints_the_usage_and_exits_with_2)
{
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		client_run(&r, nonsense[i], no_replies, NULL);
		if (r.status != EXIT_USAGE)
			fail_msg("\"%s\" exits with %d:\n%s%s", nonsense[i], r.status, r.out,
				 r.err);
		assert_string_equal(r.out, "");
		assert_string_equal(r.requests, "");
		assert_true(strlen(r.err) > 0);
	}
}

TEST(the_option_that_is_refused_is_named)
{
	client_run(&r, "-xj status", no_replies, NULL);
	expect(r.err, "unknown option: -x\n");
	client_run(&r, "firmware check -dash.bin", no_replies, NULL);
	expect(r.err, "unknown option: -d\n");
	client_run(&r, "status --frob", no_replies, NULL);
	expect(r.err, "unknown option: --frob\n");
	client_run(&r, "wait --count", no_replies, NULL);
	expect(r.err, "--count needs a value\n");
}

TEST(options_for_all_commands_may_stand_between_the_words_of_one)
{
	run("firmware --json list", "{\"parameters\":{\"firmware\":[]}}");
	assert_string_equal(r.out, "{\"firmware\":[]}\n");
	assert_int_equal(r.status, EXIT_OK);
	client_run(&r, "firmware --json", no_replies, NULL);
	assert_int_equal(r.status, EXIT_USAGE);
	client_run(&r, "firmware --help", no_replies, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.out, "usage: cfdfuctl firmware COMMAND");
}

TEST(a_verdict_may_be_said_in_capitals)
{
	run("history --verdict NEEDS-Button", "{\"parameters\":{\"attempts\":[],\"next\":null}}");
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "\"verdict\":\"needs-button\"");
}

TEST(invalid_utf8_arguments_are_refused)
{
	client_run(&r, "port release \xff", no_replies, NULL);
	assert_int_equal(r.status, EXIT_USAGE);
	assert_string_equal(r.requests, "");
	client_run(&r, "retry 1-4 \xff", no_replies, NULL);
	assert_int_equal(r.status, EXIT_USAGE);
	assert_string_equal(r.requests, "");
}

TEST(control_commands_send_the_right_requests)
{
	static const struct {
		const char *words, *request, *reply, *out;
	} cases[] = {
		{ "pause", "Pause\",\"parameters\":{}}", "{\"active\":2}", "2 at work." },
		{ "resume", "Resume\",\"parameters\":{}}", "{\"active\":0}", "Resumed." },
		{ "restart", "Restart\",\"parameters\":{}}", "{\"active\":2}", "2 at work." },
		{ "retry 1-4 A2 --force",
		  "Retry\",\"parameters\":{\"targets\":[\"1-4\",\"A2\"],\"force\":true}}",
		  "{\"queued\":[\"1-4\",\"1-5\"]}", "Queued: 1-4, 1-5\n" },
		{ "retry --failed", "Retry\",\"parameters\":{\"failed\":true}}", "{\"queued\":[]}",
		  "Nothing to retry: no drone that is plugged in has failed." },
		{ "port release 1-4", "ReleasePort\",\"parameters\":{\"target\":\"1-4\"}}",
		  "{\"released\":[\"1-4\"],\"names\":[\"A3 (1-4)\"]}", "Released: A3 (1-4)\n" },
		{ "port release --all", "ReleasePort\",\"parameters\":{}}", "{\"released\":[]}",
		  "Nothing was set aside." },
		{ "platform set 1-4 flapper",
		  "SetPlatformRule\",\"parameters\":{\"target\":\"1-4\",\"platform\":\"flapper\"}}",
		  "{\"rules\":[{\"target\":\"1-4\",\"platform\":\"flapper\"}]}",
		  "1-4 is flapper\n" },
		{ "platform set 1-4 none", "SetPlatformRule\",\"parameters\":{\"target\":\"1-4\"}}",
		  "{\"rules\":[]}", "No rules" },
		{ "firmware select rel", "SelectFirmware\",\"parameters\":{\"name\":\"rel\"}}",
		  "{\"firmware\":{},\"selected\":[{\"platform\":\"cf2\",\"name\":\"rel\","
		  "\"version\":\"1\",\"sha256\":\"0011223344556677\"}]}",
		  "cf2: rel, version 1 [001122334455]\n" },
		{ "firmware select rel --for 1-4",
		  "SelectFirmware\",\"parameters\":{\"name\":\"rel\",\"target\":\"1-4\"}}",
		  "{\"firmware\":{},\"selected\":[]}", "rel is the firmware for 1-4." },
		{ "firmware deselect cf2",
		  "DeselectFirmware\",\"parameters\":{\"platform\":\"cf2\"}}", "{\"selected\":[]}",
		  "Nothing is selected" },
		{ "firmware remove rel", "RemoveFirmware\",\"parameters\":{\"name\":\"rel\"}}",
		  "{}", "Removed." },
		{ "firmware release rel", "ReleaseFirmware\",\"parameters\":{\"name\":\"rel\"}}",
		  "{\"firmware\":{},\"paused\":true}", "after 'cfdfuctl resume'." },
		{ "resume", "Resume\",\"parameters\":{}}",
		  "{\"active\":0,\"brake\":{\"firmware\":\"rel\",\"fault\":\"no-boot\",\"count\":3,"
		  "\"slots\":[\"1-1\"],\"message\":\"3 drones in a row did not start with rel\"}}",
		  "the station had paused itself: 3 drones in a row did not start with rel.\nrel "
		  "stays set aside" },
		{ "config", "GetConfig\",\"parameters\":{}}",
		  "{\"settings\":[{\"section\":\"flash\",\"key\":\"leave\",\"value\":"
		  "\"application\",\"origin\":\"/etc/x:3\"}]}",
		  "[flash]\nleave = application  ; /etc/x:3\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char reply[1024], request[256];

		snprintf(reply, sizeof(reply), "{\"parameters\":%s}", cases[i].reply);
		snprintf(request, sizeof(request), "{\"method\":\"org.cfdfu.Station.%s",
			 cases[i].request);
		run(cases[i].words, reply);
		assert_int_equal(r.status, EXIT_OK);
		expect_request(request);
		expect(r.out, cases[i].out);
	}
}

TEST(wait_prints_endings_as_they_come_and_tells_failure)
{
	const char *const replies[] = { WATCH("true", SLOT_BUSY),
					WATCH("false", SLOT_ENDED("1-4", "CC", "pass", "Good.")),
					NULL };
	const char *const bad[] = {
		WATCH("true", SLOT_BUSY "," SLOT_ENDED("1-6", "BB", "fail", "No answer.")),
		WATCH("false", SLOT_ENDED("1-4", "CC", "needs-power-cycle", "Replug.")), NULL
	};

	client_run(&r, "wait", replies, NULL);
	assert_int_equal(r.status, EXIT_OK);
	assert_string_equal(r.out, "pass 1-4 CC: Good.\n");
	assert_string_equal(r.err, "1 ended, 0 failed\n");
	client_run(&r, "wait --count 2", bad, NULL);
	assert_int_equal(r.status, EXIT_DRONE_FAILED);
	assert_string_equal(r.err,
			    "2 ended, 1 failed\nfailed: 1-6 (FAIL)\n"
			    "power-cycle these (they have not been seen to start): 1-4 (needs a "
			    "power cycle)\n");
	assert_string_equal(r.out, "fail 1-6 BB: No answer.\nneeds-power-cycle 1-4 CC: Replug.\n");
	expect_request("{\"method\":\"org.cfdfu.Station.Watch\",\"parameters\":{},\"more\":true}");
}

TEST(wait_counts_each_drone_once_with_its_last_ending)
{
	const char *const replies[] = {
		WATCH("true", SLOT_ENDED("1-6", "BB", "fail", "x")),
		WATCH(
		    "false",
		    "{\"port\":\"1-6\",\"present\":true,\"serial\":\"BB\",\"state\":\"writing\"}"),
		WATCH("false", SLOT_ENDED("1-6", "BB", "pass", "y")),
		WATCH("false", SLOT_ENDED("1-6", "BB", "pass", "y")),
		WATCH("false", SLOT_ENDED("1-6", "DD", "pass", "z")),
		NULL
	};

	client_run(&r, "wait -n 2", replies, NULL);
	assert_int_equal(r.status, EXIT_OK);
	assert_string_equal(r.out, "fail 1-6 BB: x\npass 1-6 BB: y\npass 1-6 DD: z\n");
}

/* A station that has a drone, and nothing begun. */
#define IDLE(state, selected, class)                                                               \
	"{\"parameters\":{\"station\":{\"state\":\"" state "\",\"selected\":[" selected            \
	"]},\"slots\":[{\"port\":\"1-4\",\"present\":true,\"state\":"                              \
	"\"idle\",\"class\":\"" class "\",\"verdict\":null}],"                                     \
				      "\"full\":true,\"lost\":false}"                              \
				      ",\"continues\":true}"

TEST(wait_times_out_with_5_and_ends_at_once_when_nothing_is_there)
{
	const char *const busy[] = { WATCH("true", SLOT_BUSY), NULL };
	const char *const empty[] = { WATCH("true", ""), NULL };
	const char *const paused[] = { IDLE("paused", "{\"platform\":\"cf2\"}", "waiting"), NULL };
	const char *const unselected[] = { IDLE("paused", "", "unserved"), NULL };

	client_run(&r, "wait --timeout 1", busy, NULL);
	assert_int_equal(r.status, EXIT_TIMED_OUT);
	assert_string_equal(r.err, "0 ended, 0 failed; timed out\nnot ended: A1 (writing)\n");
	client_run(&r, "wait", empty, NULL);
	assert_int_equal(r.status, EXIT_NOTHING_THERE);
	assert_string_equal(r.err, "nothing is plugged in, and nothing has ended\n");
	client_run(&r, "wait --timeout 0", empty, NULL);
	assert_int_equal(r.status, EXIT_NOTHING_THERE);
	client_run(&r, "wait --timeout 5", paused, NULL);
	assert_int_equal(r.status, EXIT_TIMED_OUT);
	expect(r.err, "the station is paused");
	client_run(&r, "wait --timeout 9", unselected, NULL);
	assert_int_equal(r.status, EXIT_DRONE_FAILED);
	expect(r.err, "there is no firmware for them: 1-4");
	client_run(&r, "wait --count 1 --timeout 0", empty, NULL);
	assert_int_equal(r.status, EXIT_TIMED_OUT);
	expect(r.err, "1 more is expected");
}

TEST(watch_without_a_terminal_prints_one_line_per_change)
{
	const char *const replies[] = {
		WATCH("true", SLOT_BUSY), WATCH("false", SLOT_BUSY),
		"{\"parameters\":{" STATION ",\"slots\":[" SLOT_ENDED(
		    "1-4", "CC", "pass",
		    "Good.") "],\"full\":false,\"lost\":true},\"continues\":true}",
		"{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{\"reason\":\"stopping\"}}",
		NULL
	};

	client_run(&r, "watch", replies, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.out, " A1 (1-4) flashing\n");
	expect(r.out, "(some changes were missed)\n");
	expect(r.out, " 1-4 pass: Good.\n");
	assert_null(strchr(r.out, '\033'));
	client_run(&r, "--json watch 1-4", replies, NULL);
	assert_int_equal(r.out[0], '{');
	expect(r.requests, "\"parameters\":{\"target\":\"1-4\"}");
}

TEST(steps_that_take_turns_are_one_line_of_watch)
{
	const char *const replies[] = {
		WATCH("true", SLOT_AT("comparing")),
		WATCH("false", SLOT_AT("erasing")),
		WATCH("false", SLOT_AT("writing")),
		WATCH("false", SLOT_AT("verifying")),
		WATCH("false", SLOT_AT("erasing")),
		WATCH("false", SLOT_AT("first-page")),
		WATCH("false", SLOT_AT("leaving")),
		"{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{\"reason\":\"stopping\"}}",
		NULL
	};
	const char *flashing;

	client_run(&r, "watch", replies, NULL);
	expect(r.out, " A1 (1-4) comparing\n");
	flashing = strstr(r.out, " A1 (1-4) flashing\n");
	assert_non_null(flashing);
	assert_null(strstr(flashing + 1, " A1 (1-4) flashing"));
	assert_null(strstr(r.out, "writing"));
	expect(flashing, " A1 (1-4) leaving\n");
}

TEST_MAIN(NULL)
