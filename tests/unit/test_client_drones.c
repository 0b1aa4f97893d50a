/* SPDX-License-Identifier: MIT */
/* cfdfuctl drone, deck, identify: shown first, done only with the operator's word. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cfdfu/util.h"
#include "test.h"

#include "client_run.h"

#define RADIO(address) "{\"channel\":80,\"rate\":\"2M\",\"address\":\"" address "\"}"
#define CHANGE(now, then) "\"now\":" RADIO(now) ",\"then\":" RADIO(then)
/* clang-format off */
#define PLAN \
	"\"plans\":[{\"port\":\"1-4\",\"label\":\"A3\",\"serial\":\"51AA\",\"name\":\"Ada\"," \
	CHANGE("E7E7E7E7E7", "E7E7E7E701") ",\"same\":false}]"
#define SAME \
	"\"plans\":[{\"port\":\"1-4\"," CHANGE("E7E7E7E701", "E7E7E7E701") ",\"same\":true}]"
/* clang-format on */

static struct run run;

static void
expect(const char *words, const char *const *replies, int status, const char *out, const char *err)
{
	client_run(&run, words, replies, "");
	if (run.status != status || strstr(run.out, out) == NULL || strstr(run.err, err) == NULL)
		fail_msg("%s: %d\n%s\n%s", words, run.status, run.out, run.err);
}

static const char *
reply(const char *members)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text), "{\"parameters\":{%s}}", members);
	return text;
}

TEST(nothing_is_written_without_the_word)
{
	const char *replies[] = { reply(PLAN ",\"name\":\"Ada\",\"results\":[]"), NULL };

	expect("drone set Ada --address E7E7E7E701", replies, 4, "", "say --yes when you mean it");
	assert_non_null(strstr(run.err, "A3 (1-4) 51AA Ada: 80 2M E7E7E7E7E7 -> 80 2M E7E7E7E701"));
	assert_null(strstr(run.requests, "yes"));
	expect("drone assign --base E7E7E7E701", replies, 4, "", "say --yes when you mean it");
	assert_null(strstr(run.requests, "yes"));
	expect("--json drone assign --base E7E7E7E701", replies, 4, "\"plans\":[", "NotAsked");
}

TEST(with_the_word_it_is_one_question_and_the_ending_tells)
{
	const char *good[] = { reply(PLAN ",\"results\":[{\"port\":\"1-4\",\"name\":\"A3 (1-4)\","
					  "\"verdict\":\"pass\",\"message\":\"Written.\"}]"),
			       NULL };
	char bad_text[4096];
	const char *bad[] = { bad_text, NULL };

	expect("drone set Ada --address E7E7E7E701 --channel 80 --yes", good, 0,
	       "pass A3 (1-4): Written.", "");
	assert_non_null(strstr(run.requests,
			       "\"target\":\"Ada\",\"address\":\"E7E7E7E701\",\"channel\":80,"
			       "\"yes\":true"));
	(void)snprintf(bad_text, sizeof(bad_text), "%s",
		       reply(PLAN
			     ",\"results\":[{\"port\":\"1-4\",\"name\":\"A3\",\"verdict\":null,"
			     "\"message\":\"Not begun: it is busy.\"}]"));
	expect("drone set Ada --address E7E7E7E701 --yes", bad, 1, "failed A3: Not begun", "");
}

TEST(what_is_so_already_is_not_written)
{
	const char *replies[] = { reply(SAME ",\"results\":[]"), NULL };

	expect("drone set A3 --address E7E7E7E701", replies, 0, "Nothing to write", "");
	expect("drone set A3 --address E7E7E7E701 --yes", replies, 0, "Nothing to write", "");
}

TEST(a_name_is_given_at_once)
{
	const char *replies[] = { reply("\"plans\":[],\"name\":\"Ada\",\"results\":[]"), NULL };

	expect("drone set 1-4 --name Ada", replies, 0, "Its name is Ada.", "");
	assert_non_null(strstr(run.requests, "\"target\":\"1-4\",\"name\":\"Ada\""));
}

TEST(command_lines_that_make_no_sense_are_refused)
{
	static const char *const lines[] = { "drone set",
					     "drone set A3",
					     "drone set A3 --channel 126",
					     "drone set A3 --restore --rate 1M",
					     "drone assign",
					     "drone assign --base 1 --by age",
					     "drone assign x --base 1",
					     "identify",
					     "deck list a b" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect(lines[i], NULL, 2, "", "");
}

TEST(drones_and_decks_are_listed)
{
	const char *drones[] = {
		reply(
		    "\"more\":false,\"drones\":[{\"serial\":\"51AA\",\"name\":\"Ada\","
		    "\"port\":\"1-4\",\"label\":\"A3\",\"ready\":\"no\",\"remaining\":["
		    "{\"what\":\"power-cycle\",\"text\":\"x\"},{\"what\":\"deck\",\"text\":\"y\"}],"
		    "\"radio\":" RADIO(
			"E7E7E7E701") ",\"battery_mv\":3912,\"decks\":["
				      "{\"name\":\"bcFlow2\",\"state\":\"present\"},"
				      "{\"name\":\"bcLighthouse4\",\"state\":\"not-started\"}]},"
				      "{\"serial\":\"52AA\",\"ready\":\"unknown\"}]"),
		NULL
	};
	char decks_text[4096];
	const char *decks[] = { decks_text, NULL };

	expect("drone list", drones, 0, "NOT READY", "");
	assert_non_null(strstr(run.out, "80 2M E7E7E7E701"));
	assert_non_null(strstr(run.out, "3.91 V"));
	assert_non_null(strstr(run.out, "bcFlow2, bcLighthouse4 (not-started)"));
	assert_non_null(strstr(run.out, "power-cycle, deck"));
	(void)snprintf(decks_text, sizeof(decks_text), "%s",
		       reply("\"decks\":[{\"port\":\"1-4\",\"deck\":\"bcLighthouse4\",\"state\":"
			     "\"needs-update\",\"wanted\":\"2026.08\",\"due\":true}]"));
	expect("deck list", decks, 0, "1 can be updated: cfdfuctl deck update", "");
}

TEST(decks_are_written_and_lights_shown_where_they_can_be)
{
	const char *none[] = { reply("\"plans\":[],\"results\":[]"), NULL };
	char lights_text[4096];
	const char *lights[] = { lights_text, NULL };

	expect("deck update", none, 0, "No deck wants a firmware", "");
	(void)snprintf(lights_text, sizeof(lights_text), "%s",
		       reply("\"slots\":[\"1-4\"],\"names\":[\"A3 (1-4)\"],\"refused\":[\"1-5: no "
			     "light: it is being worked on already.\"]"));
	expect("identify 1-4 1-5", lights, 4, "Light: A3 (1-4)", "1-5: no light");
}

TEST_MAIN(NULL)
