/* SPDX-License-Identifier: MIT */
/* No text of a service steers the terminal, whichever member it is in and whichever command prints
 * it. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"
#include "client_run.h"

#define OBJECT_MAX 400000
/* Colours, a bell, a C1 control sequence, the line's start, and text from right to left. */
#define EVIL "\\u001b[31m\\u0007\\u009b2J\\r\\n\\u202e"

static struct run r;

/* Every member that a reply may have as a text, as a list of texts, as an object, as a list of
 * them. */
static const char *const texts[] = {
	"port",		 "label",	 "serial",	    "dfu_serial",
	"platform",	 "state",	 "verdict",	    "fault",
	"step",		 "message",	 "version_before",  "version_after",
	"advice",	 "mode",	 "class",	    "name",
	"version",	 "revision",	 "sha256",	    "reason",
	"text",		 "fix",		 "level",	    "code",
	"section",	 "key",		 "value",	    "origin",
	"target",	 "added_at",	 "added_by",	    "started_at",
	"ended_at",	 "kind",	 "firmware_name",   "firmware_version",
	"action",	 "wanted",	 "first_seen",	    "last_seen",
	"last_verdict",	 "last_version", "parameter",	    "method",
	"group",	 "device_type",	 "board",	    "loader_sha256",
	"health",	 "note",	 "firmware_sha256", "source_name",
	"source_sha256",
};
static const char *const text_lists[] = { "platforms",	  "notes",    "quirks",
					  "queued",	  "released", "candidates",
					  "selected_for", "outside",  "ports" };
static const char *const object_lists[] = { "slots",	"attempts", "stages",	"checks",
					    "rules",	"settings", "findings", "plans",
					    "elements", "selected", "own",	"replaced",
					    "kept",	"affected" };
static const char *const objects[] = { "station", "attempt", "drone", "counts" };

static void
append(char *out, const char *text)
{
	size_t used = strlen(out);

	assert_true(used + strlen(text) + 1 < OBJECT_MAX);
	memcpy(out + used, text, strlen(text) + 1);
}

static void
add(char *out, const char *key, const char *before, const char *tag, const char *after)
{
	append(out, "\"");
	append(out, key);
	append(out, before);
	append(out, tag);
	append(out, EVIL);
	append(out, after);
}

/* The member "firmware" is a text, an object or a list of objects, depending on the method. */
enum firmware { FIRMWARE_TEXT, FIRMWARE_OBJECT, FIRMWARE_LIST };

static void
add_object(char *out, const char *tag, enum firmware firmware, unsigned depth)
{
	append(out, "{\"id\":1,\"present\":true,\"percent\":5,\"bytes\":1,\"active\":1,"
		    "\"retry_possible\":true,\"quarantined\":true,\"full\":true,");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add(out, texts[i], "\":\"", tag, "\",");
	for (size_t i = 0; i < ARRAY_LEN(text_lists); i++)
		add(out, text_lists[i], "\":[\"", tag, "\"],");
	if (firmware == FIRMWARE_TEXT || depth == 0)
		add(out, "firmware", "\":\"", tag, "\",");
	for (size_t i = 0; depth > 0 && i < ARRAY_LEN(object_lists); i++) {
		append(out, "\"");
		append(out, object_lists[i]);
		append(out, "\":[");
		add_object(out, tag, FIRMWARE_TEXT, 0);
		append(out, "],");
	}
	for (size_t i = 0; depth > 0 && i < ARRAY_LEN(objects); i++) {
		append(out, "\"");
		append(out, objects[i]);
		append(out, "\":");
		add_object(out, tag, FIRMWARE_TEXT, depth - 1);
		append(out, ",");
	}
	if (firmware != FIRMWARE_TEXT && depth > 0) {
		append(out, firmware == FIRMWARE_LIST ? "\"firmware\":[" : "\"firmware\":");
		add_object(out, tag, FIRMWARE_TEXT, depth - 1);
		append(out, firmware == FIRMWARE_LIST ? "]," : ",");
	}
	append(out, "\"last\":0}");
}

static char *
reply(const char *before, const char *tag, enum firmware firmware)
{
	char *out = calloc(1, OBJECT_MAX);

	assert_non_null(out);
	append(out, before);
	append(out, "\"parameters\":");
	add_object(out, tag, firmware, 2);
	append(out, "}");
	return out;
}

static void
expect_clean(const char *words, const char *text)
{
	static const char *const bad[] = { "\033", "\a", "\xc2\x9b", "\r\n\r", "\xe2\x80\xae" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strstr(text, bad[i]) != NULL)
			fail_msg("%s prints what steers a terminal (%zu): %.400s", words, i, text);
}

static const struct {
	const char *words;
	enum firmware firmware;
	bool silent; /* it prints nothing of what the service says */
} lines[] = {
	{ "status", FIRMWARE_TEXT, false },
	{ "status --failed", FIRMWARE_TEXT, false },
	{ "show AAAA", FIRMWARE_TEXT, false },
	{ "show 1", FIRMWARE_TEXT, false },
	{ "plan", FIRMWARE_TEXT, false },
	{ "history", FIRMWARE_TEXT, false },
	{ "firmware list", FIRMWARE_LIST, false },
	{ "firmware show AAAA", FIRMWARE_OBJECT, false },
	{ "firmware select AAAA", FIRMWARE_OBJECT, false },
	{ "firmware deselect", FIRMWARE_TEXT, false },
	{ "firmware remove AAAA", FIRMWARE_TEXT, true },
	{ "firmware release AAAA", FIRMWARE_TEXT, true },
	{ "pause", FIRMWARE_TEXT, true },
	{ "resume", FIRMWARE_TEXT, true },
	{ "retry --failed", FIRMWARE_TEXT, false },
	{ "port release --all", FIRMWARE_TEXT, false },
	{ "platform set 1-1 cf2", FIRMWARE_TEXT, false },
	{ "config", FIRMWARE_TEXT, false },
	{ "doctor", FIRMWARE_TEXT, false },
	{ "wait --count 1 --timeout 0", FIRMWARE_TEXT, true },
};

TEST(no_reply_controls_the_terminal)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		char *good = reply("{", "x", lines[i].firmware);
		const char *const replies[] = { good, good, good, good, NULL };

		client_run(&r, lines[i].words, replies, NULL);
		expect_clean(lines[i].words, r.out);
		expect_clean(lines[i].words, r.err);
		if (!lines[i].silent && strstr(r.out, "x?") == NULL && strstr(r.err, "x?") == NULL)
			fail_msg("%s shows nothing of it: %s %s", lines[i].words, r.out, r.err);
		free(good);
	}
}

TEST(no_error_controls_the_terminal)
{
	static const char *const errors[] = {
		"NotPermitted",	 "NoSuchSlot",	    "NoSuchFirmware",
		"NoSuchAttempt", "NoSuchDrone",	    "NameTaken",
		"InUse",	 "ImageRefused",    "BadDescriptor",
		"Busy",		 "Degraded",	    "Failed",
		"Refused",	 "AmbiguousTarget", "Unknown\\u001b[31m",
	};

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		char before[128], *bad;

		(void)snprintf(before, sizeof(before), "{\"error\":\"org.cfdfu.Station.%s\",",
			       errors[i]);
		bad = reply(before, "x", FIRMWARE_TEXT);
		client_run(&r, "status", (const char *const[]){ bad, NULL }, NULL);
		expect_clean(errors[i], r.out);
		expect_clean(errors[i], r.err);
		free(bad);
	}
}

/* Line by line, as it is written to a file; two states, so that there is a change to tell of. */
TEST(no_status_update_controls_the_terminal)
{
	char *one = reply("{\"continues\":true,", "x", FIRMWARE_TEXT);
	char *two = reply("{\"continues\":true,", "y", FIRMWARE_TEXT);
	const char *const replies[] = { one, two,
					"{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{}}",
					NULL };

	client_run(&r, "watch", replies, NULL);
	assert_non_null(strstr(r.out, "y"));
	expect_clean("watch", r.out);
	expect_clean("watch", r.err);
	free(one);
	free(two);
}

TEST(no_list_of_candidates_controls_the_terminal)
{
	static const char *const replies[] = {
		"{\"error\":\"org.cfdfu.Station.AmbiguousTarget\",\"parameters\":{\"target\":"
		"\"AAAA\",\"candidates\":[\"AAAA1" EVIL "\",\"AAAA2" EVIL "\"],"
		"\"reason\":\"Several drones' serials begin so: say more of it.\"}}",
		NULL
	};

	client_run(&r, "show AAAA", replies, NULL);
	assert_non_null(strstr(r.err, "AAAA2?"));
	expect_clean("show", r.out);
	expect_clean("show", r.err);
}

TEST_MAIN(NULL)
