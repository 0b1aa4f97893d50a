/* SPDX-License-Identifier: MIT */
/* cfdfuctl batch, stats: against a service that answers as the interface says. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cfdfu/util.h"
#include "test.h"

#include "client_run.h"

#define SUM "9f3c00aa11bb22cc33dd44ee55ff66779f3c00aa11bb22cc33dd44ee55ff6677"
/* clang-format off */
#define BATCH \
	"\"batch\":{\"name\":\"spring\",\"started_at\":\"2026-11-30T12:00:00.000Z\"," \
	"\"ended_at\":null,\"started_by\":\"ada\",\"expect\":4,\"canary\":1,\"stop_after\":3," \
	"\"drones\":3,\"good\":2,\"ready\":1,\"failed\":1,\"first_good\":1,\"stopped\":null," \
	"\"waits_for\":[\"A3 (1-4)\"],\"missing\":[{\"text\":\"B4 (1-9) had no drone yet.\"}]," \
	"\"record_hash\":\"" SUM "\"}"
#define ATTEMPT(id, port, serial, verdict, more) \
	"{\"id\":" id ",\"port\":\"" port "\",\"serial\":" serial ",\"verdict\":\"" verdict "\"," \
	"\"firmware_name\":\"new\",\"firmware_version\":\"2026.08\"," \
	"\"firmware_sha256\":\"" SUM "\"," \
	"\"transfers\":400,\"started_at\":\"2026-11-30T12:00:01.000Z\"," more "}"
#define YIELD(key, name, attempts, failed) \
	"{\"key\":\"" key "\",\"name\":" name ",\"attempts\":" attempts ",\"drones\":3," \
	"\"first\":3,\"first_good\":1,\"low\":0.0615,\"high\":0.7923,\"pass\":2,\"unchanged\":0," \
	"\"failed\":" failed ",\"skipped\":0,\"interrupted\":0," \
	"\"faults\":[{\"fault\":\"stuck\",\"count\":" failed "}]," \
	"\"stages\":[{\"step\":\"erasing\",\"count\":5," \
	"\"p50_ms\":4200,\"p95_ms\":5900,\"p99_ms\":6100}]}"
#define STATS(groups) \
	"\"total\":" YIELD("", "null", "5", "2") ",\"groups\":[" groups "]," \
	"\"findings\":[{\"kind\":\"slot\",\"key\":\"1-4\",\"name\":\"A3\"," \
	"\"text\":\"Slot A3 (1-4) is bad: 2 drones failed.\"}]," \
	"\"attempts\":5,\"more\":false"
/* clang-format on */

static struct run run;

static void
expect(const char *words, const char *const *replies, int status, const char *out, const char *err)
{
	client_run(&run, words, replies, "");
	if (run.status != status || strstr(run.out, out) == NULL || strstr(run.err, err) == NULL)
		fail_msg("%s: %d\n%s\n%s", words, run.status, run.out, run.err);
}

static void
prints(const char *text)
{
	if (strstr(run.out, text) == NULL)
		fail_msg("not there: %s\n%s", text, run.out);
}

static unsigned
lines(const char *text)
{
	unsigned n = 0;

	while ((text = strchr(text, '\n')) != NULL && *++text != '\0')
		n++;
	return n + 1;
}

#define REPLY(members) "{\"parameters\":{" members "}}"

/* A batch of three drones, of which 51AA was tried three times, on two pages of history. */
static const char *const report[] = {
	REPLY(BATCH),
	REPLY(
	    "\"next\":10,\"attempts\":["
	    /* clang-format off */
	      ATTEMPT("14", "1-5", "\"53CC\"", "fail", "\"dfu_serial\":\"D3\",\"fault\":\"stuck\","
	              "\"message\":\"=1+1 <b onclick=\\\"x\\\">&\\u202e\"") ","
	      ATTEMPT("13", "1-4", "\"51AA\"", "pass", "\"dfu_serial\":\"D1\","
	              "\"version_before\":null,\"version_after\":\"2026.08\",\"ready\":\"yes\"") ","
	      ATTEMPT("12", "1-4", "null", "interrupted", "\"dfu_serial\":\"D1\"") "]"),
	REPLY("\"next\":null,\"attempts\":["
	      "{\"id\":9,\"port\":\"1-7\",\"serial\":\"54DD\",\"verdict\":null},"
	      ATTEMPT("8", "1-6", "\"52BB\"", "pass", "\"version_before\":\"2025.02\"") ","
	      ATTEMPT("7", "1-2", "\"51AA\"", "fail", "\"version_before\":\"2024.01\"") "]"),
	/* clang-format on */
	REPLY(STATS(YIELD("1-4", "\"A3\"", "3", "2"))),
	REPLY(STATS(YIELD("51AA", "\"<Ada>\"", "3", "1") "," YIELD("52BB", "null", "1", "0"))), NULL
};

TEST(a_batch_begins_with_what_is_asked_of_it)
{
	const char *replies[] = { REPLY(BATCH), NULL };

	expect("batch start spring --expect 4 --canary 0 --stop-after 3", replies, 0,
	       "Batch spring\n", "");
	assert_non_null(strstr(run.requests, "{\"name\":\"spring\",\"expect\":4,\"canary\":0,"
					     "\"stop_after\":3}"));
	prints("stops after  3\n");
	assert_null(strstr(run.out, "missing"));
	expect("batch show", replies, 0, "good at once 1\n", "");
	prints("waits for    A3 (1-4)");
	prints("missing      B4 (1-9) had no drone yet.");
	expect("--json batch show spring", replies, 0, "{\"batch\":{\"name\":\"spring\"", "");
}

TEST(batches_are_listed)
{
	const char *replies[] = { REPLY(
				      "\"batches\":[{\"name\":\"spring\",\"drones\":3,\"good\":2,"
				      "\"stopped\":\"Canary A3 failed.\"},{\"name\":\"old\","
				      "\"ended_at\":\"2026-01-01T00:00:00.000Z\"}],\"more\":true"),
				  NULL };
	const char *none[] = { REPLY("\"batches\":[],\"more\":false"), NULL };

	expect("batch list", replies, 0, "Older ones are not shown", "");
	prints("Canary A3 failed.");
	expect("batch list", none, 0, "No batch yet", "");
}

TEST(the_end_of_a_batch_is_its_report)
{
	const char *replies[] = { report[0], report[0], report[1], report[2],
				  report[3], report[4], NULL };

	expect("batch end", replies, 0, "at fault     Slot A3 (1-4) is bad", "");
	assert_non_null(strstr(run.requests, "GetBatch\",\"parameters\":{\"name\":\"spring\"}"));
	prints("2024.01 -> 2026.08");
	/* The one that failed is first; attempts of one drone are one row. */
	assert_true(strstr(run.out, "53CC") < strstr(run.out, "51AA"));
	assert_null(strstr(strstr(run.out, "51AA") + 1, "51AA"));
	assert_null(strstr(run.out, "54DD"));
}

TEST(each_drone_is_a_line_for_the_spreadsheet)
{
	expect("batch report --csv", report, 0, ",uuid,signer,name,attempts,first_verdict\r\n14,",
	       "");
	prints("\"'=1+1 <b onclick=\"\"x\"\">&?\"");
	prints(",<Ada>,3,fail\r\n");
	prints(",,1,pass\r\n");
	expect("batch report spring --json", report, 0, "\"first_verdict\":\"fail\"", "");
	prints("\"stats\":{\"slot\":{\"total\":");
}

TEST(drones_are_told_apart_by_what_they_have_shown_of_themselves)
{
	/* clang-format off */
	static const char *const replies[] = { REPLY(BATCH), REPLY("\"next\":null,\"attempts\":["
		ATTEMPT("9", "1-5", "null", "fail", "\"dfu_serial\":\"D5\"") ","
		ATTEMPT("8", "1-1", "null", "fail", "\"dfu_serial\":null") ","
		ATTEMPT("7", "1-1", "null", "fail", "\"dfu_serial\":null") ","
		ATTEMPT("6", "1-2", "null", "fail", "\"dfu_serial\":null") ","
		ATTEMPT("5", "1-3", "\"51AA\"", "pass", "\"dfu_serial\":\"FFFFFFFEFFFF\"") ","
		ATTEMPT("4", "1-4", "\"52BB\"", "pass", "\"dfu_serial\":\"FFFFFFFEFFFF\"") ","
		ATTEMPT("3", "1-5", "\"53CC\"", "pass", "\"dfu_serial\":\"D5\"") "]"),
		REPLY(STATS("")), REPLY(STATS("")), NULL };
	/* clang-format on */

	expect("batch report --csv", replies, 0, "", "");
	prints("1-1,,,");
	prints("1-2,,,");
	prints(",51AA,FFFFFFFEFFFF,");
	prints(",52BB,FFFFFFFEFFFF,");
	prints(",53CC,D5,");
	assert_int_equal(lines(run.out), 6);
}

TEST(the_page_shows_hostile_texts_as_texts)
{
	expect("batch report --html", report, 0, "<!DOCTYPE html>", "");
	prints("=1+1 &lt;b onclick=&quot;x&quot;&gt;&amp;?");
	prints("&lt;Ada&gt; <code>51AA</code><td>2024.01 &rarr; 2026.08");
	prints("attempt 13, read back: 9f3c00aa11bb");
	prints("width=133.3 y=3"); /* two of three attempts in A3 */
	prints("4.2 s, 95 % within 5.9 s; 5 times");
	assert_null(strstr(run.out, "<b o"));
	assert_null(strstr(run.out, "<Ada"));
	assert_null(strstr(run.out, "http:"));
}

TEST(yield_is_a_table_with_findings)
{
	expect("stats --batch spring --since 2026-01-31Z", &report[3], 0,
	       "Slot A3 (1-4) is bad: 2 drones failed.", "");
	assert_non_null(strstr(run.requests, "{\"batch\":\"spring\",\"since\":\"2026-01-31T"));
	prints("A3 (1-4) 1 of 3 (6-79 %)");
	prints("erasing  4.2 s 5.9 s 6.1 s\n");
	prints("stuck 2");
}

TEST(the_status_tells_of_the_batch)
{
#define STATION(members)                                                                           \
	REPLY("\"station\":{\"selected\":[],\"counts\":{}," members "},\"slots\":[]")
	const char *runs[] = { STATION("\"state\":\"armed\"," BATCH), NULL };
	const char *stopped[] = { STATION("\"state\":\"paused\",\"paused_by\":\"batch\",\"batch\":{"
					  "\"name\":\"x\",\"stopped\":\"Batch x has stopped.\"}"),
				  NULL };

	expect("status", runs, 0, "; batch spring: 2 of 4 good, 1 failed, waits for A3 (1-4)\n",
	       "");
	expect("status", stopped, 0, "Station PAUSED ITSELF: Batch x has stopped.\n", "");
}

TEST(a_batch_that_is_not_there_is_said)
{
	const char *replies[] = { "{\"error\":\"org.cfdfu.Station.NoSuchBatch\","
				  "\"parameters\":{\"name\":\"sprnig\"}}",
				  NULL };

	const char *none[] = { "{\"error\":\"org.cfdfu.Station.NoSuchBatch\","
			       "\"parameters\":{\"name\":\"\"}}",
			       NULL };

	expect("batch report sprnig", replies, 4, "", "there is no batch \"sprnig\"");
	expect("batch show", none, 4, "", "there is no batch\n");
}

TEST(command_lines_that_make_no_sense_are_refused)
{
	static const char *const lines[] = {
		"batch start",	  "batch start x --expect 0",  "batch start x --canary -1",
		"batch end x",	  "batch report --html --csv", "batch report --json --csv",
		"stats --by age", "stats --since never"
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect(lines[i], NULL, 2, "", "");
}

TEST_MAIN(NULL)
