/* SPDX-License-Identifier: MIT */
/* wire/varlink and wire/text: framing, shapes, limits, and text made harmless. */
#include "config.h"

#include "wire/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "wire/text.h"

static struct varlink_in *
new_in(size_t max)
{
	struct varlink_in *in = NULL;

	assert_int_equal(varlink_in_new(max, &in), 0);
	return in;
}

static void
add(struct varlink_in *in, const char *bytes, size_t count)
{
	assert_int_equal(varlink_in_add(in, bytes, count), 0);
}

static void
expect_message(struct varlink_in *in, const char *expected)
{
	const char *text;
	size_t count;

	assert_int_equal(varlink_in_next(in, &text, &count), 1);
	assert_int_equal(count, strlen(expected));
	assert_string_equal(text, expected);
}

static void
expect_none(struct varlink_in *in)
{
	const char *text;
	size_t count;

	assert_int_equal(varlink_in_next(in, &text, &count), 0);
}

TEST(messages_come_out_whole_however_the_bytes_arrive)
{
	static const char stream[] = "{\"a\":1}\0{}\0\0{\"method\":\"a.B\"}";

	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		struct varlink_in *in = new_in(64);
		const char *expected[] = { "{\"a\":1}", "{}", "", "{\"method\":\"a.B\"}" };
		size_t got = 0;

		for (size_t at = 0; at < sizeof(stream); at += piece) {
			size_t left = sizeof(stream) - at;
			const char *text;
			size_t count;

			add(in, stream + at, left < piece ? left : piece);
			while (varlink_in_next(in, &text, &count) == 1)
				assert_string_equal(text, expected[got++]);
		}
		assert_int_equal(got, ARRAY_LEN(expected));
		assert_int_equal(varlink_in_consumed(in), sizeof(stream));
		assert_int_equal(varlink_in_added(in), sizeof(stream));
		varlink_in_free(in);
	}
}

TEST(a_message_without_end_is_given_up_at_the_limit)
{
	struct varlink_in *in = new_in(16);
	const char *text;
	size_t count;

	add(in, "123456789012345", 15);
	expect_none(in);
	assert_true(varlink_in_added(in) > varlink_in_consumed(in));
	assert_int_equal(varlink_in_room(in), 1);
	assert_int_equal(varlink_in_add(in, "ab", 2), -ENOBUFS);
	add(in, "6", 1);
	assert_int_equal(varlink_in_room(in), 0);
	assert_int_equal(varlink_in_next(in, &text, &count), -EMSGSIZE);
	varlink_in_free(in);
	in = new_in(16);
	add(in, "123456789012345", 16);
	expect_message(in, "123456789012345");
	expect_none(in);
	varlink_in_free(in);
	varlink_in_free(NULL);
}

TEST(the_buffer_is_used_again_and_again)
{
	struct varlink_in *in = new_in(4096);
	char big[3000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 50; i++) {
		add(in, big, sizeof(big));
		add(in, "tail", 5);
		expect_message(in, big);
		expect_message(in, "tail");
	}
	assert_int_equal(varlink_in_consumed(in), 50 * (sizeof(big) + 5));
	varlink_in_free(in);
}

static void
refuse_call(const char *text)
{
	struct varlink_call call = { .whole = NULL };
	const char *why = NULL;

	assert_int_equal(varlink_parse_call(text, strlen(text), &call, &why), -EINVAL);
	assert_non_null(why);
	assert_null(call.whole);
}

TEST(calls_are_read)
{
	static const char text[] = "{\"method\":\"org.cfdfu.Station.Watch\",\"parameters\":{\"a\":"
				   "[1]},\"more\":true,\"oneway\":null,\"unknown\":7}";
	struct varlink_call call;
	const char *why;

	assert_int_equal(varlink_parse_call(text, strlen(text), &call, &why), 0);
	assert_string_equal(call.method, "org.cfdfu.Station.Watch");
	assert_true(call.more);
	assert_false(call.oneway);
	assert_false(call.upgrade);
	assert_int_equal(json_object_size(call.parameters), 1);
	varlink_call_done(&call);
	varlink_call_done(&call);
	assert_int_equal(varlink_parse_call("{\"method\":\"a.B\"}", 16, &call, &why), 0);
	assert_int_equal(json_object_size(call.parameters), 0);
	varlink_call_done(&call);
	assert_int_equal(
	    varlink_parse_call("{\"method\":\"a.B\",\"parameters\":null}", 34, &call, &why), 0);
	varlink_call_done(&call);
}

TEST(invalid_calls_are_refused)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"null",
		"1",
		"\"x\"",
		"{}",
		"{\"method\":1}",
		"{\"method\":\"\"}",
		"{\"method\":\"NoDot\"}",
		"{\"method\":\"a.b\"}",
		"{\"method\":\"a.\"}",
		"{\"method\":\".B\"}",
		"{\"method\":\"a b.C\"}",
		"{\"method\":\"a.B\\u0000\"}",
		"{\"method\":\"a.B\",\"method\":\"a.B\"}",
		"{\"method\":\"a.B\",\"parameters\":[]}",
		"{\"method\":\"a.B\",\"parameters\":\"x\"}",
		"{\"method\":\"a.B\",\"more\":1}",
		"{\"method\":\"a.B\",\"oneway\":\"true\"}",
		"{\"method\":\"a.B\",\"upgrade\":{}}",
		"{\"method\":\"a.B\"} x",
		"{\"method\":\"\xff.B\"}",
		"{\"method\":\"a.B\",\"parameters\":{\"n\":123456789012345678901234567890}}",
		"{\"method\":\"a.B\",\"parameters\":{\"n\":1e999}}",
		"{'method':'a.B'}",
		"{\"method\":\"a.B\",}",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse_call(bad[i]);
}

/* {"method":"a.B","parameters":{"x":[[...]]}}, arrays levels of them. */
static int
parse_nested(size_t arrays)
{
	static char text[70000];
	struct varlink_call call = { .whole = NULL };
	const char *why;
	size_t used = (size_t)sprintf(text, "{\"method\":\"a.B\",\"parameters\":{\"x\":");
	int r;

	memset(text + used, '[', arrays);
	memset(text + used + arrays, ']', arrays);
	used += 2 * arrays;
	used += (size_t)sprintf(text + used, "}}");
	r = varlink_parse_call(text, used, &call, &why);
	varlink_call_done(&call);
	return r;
}

TEST(nesting_ends_at_the_limit)
{
	static const char brackets[] = "{\"method\":\"a.B\",\"parameters\":{\"x\":\"[[[[[[[[[[[[[[["
				       "[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[\"}}";
	struct varlink_call call;
	const char *why;

	assert_int_equal(parse_nested(PROTO_DEPTH_MAX - 2), 0);
	assert_int_equal(parse_nested(PROTO_DEPTH_MAX - 1), -EINVAL);
	assert_int_equal(parse_nested(30000), -EINVAL);
	assert_int_equal(varlink_parse_call(brackets, strlen(brackets), &call, &why), 0);
	varlink_call_done(&call);
}

TEST(replies_are_read_and_refused)
{
	static const char *const bad[] = { "[]",
					   "{\"error\":1}",
					   "{\"parameters\":1}",
					   "{\"continues\":1}",
					   "{\"error\":{}}",
					   "{\"parameters" };
	static const char good[] = "{\"error\":\"a.B\",\"parameters\":{\"x\":1},"
				   "\"continues\":true}";
	struct varlink_reply reply;
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(varlink_parse_reply(bad[i], strlen(bad[i]), &reply, &why),
				 -EINVAL);
	assert_int_equal(varlink_parse_reply(good, strlen(good), &reply, &why), 0);
	assert_string_equal(reply.error, "a.B");
	assert_true(reply.continues);
	varlink_reply_done(&reply);
	assert_int_equal(varlink_parse_reply("{\"error\":null}", 14, &reply, &why), 0);
	assert_null(reply.error);
	assert_false(reply.continues);
	varlink_reply_done(&reply);
}

TEST(written_messages_are_read_back)
{
	json_t *parameters = json_pack("{s:s,s:i}", "text", "a \"quote\"", "n", 7);
	struct varlink_reply reply;
	struct varlink_call call;
	const char *why;
	size_t count;
	char *text;

	assert_int_equal(varlink_format_call("a.B", parameters, VARLINK_MORE | VARLINK_ONEWAY, 1000,
					     &text, &count),
			 0);
	assert_int_equal(text[count - 1], '\0');
	assert_int_equal(strlen(text), count - 1);
	assert_int_equal(varlink_parse_call(text, count - 1, &call, &why), 0);
	assert_true(call.more && call.oneway);
	assert_true(json_equal(call.parameters, parameters));
	varlink_call_done(&call);
	free(text);
	assert_int_equal(varlink_format_reply("a.E", NULL, VARLINK_CONTINUES, 1000, &text, &count),
			 0);
	assert_string_equal(text, "{\"error\":\"a.E\",\"parameters\":{},\"continues\":true}");
	assert_int_equal(varlink_parse_reply(text, count - 1, &reply, &why), 0);
	varlink_reply_done(&reply);
	free(text);
	json_decref(parameters);
}

TEST(a_message_over_the_limit_is_not_written)
{
	size_t count;
	char *text;

	assert_int_equal(varlink_format_reply(NULL, NULL, 0, 17, &text, &count), -EMSGSIZE);
	assert_int_equal(varlink_format_reply(NULL, NULL, 0, 18, &text, &count), 0);
	assert_int_equal(count, 18);
	free(text);
}

TEST(names_of_methods_are_split)
{
	assert_int_equal(varlink_interface_length("org.cfdfu.Station.Pause"), 17);
	assert_int_equal(varlink_interface_length("org.cfdfu.Station.pause"), 0);
	assert_int_equal(varlink_interface_length("Pause"), 0);
	assert_int_equal(varlink_interface_length("a.Pause\n"), 0);
}

static void
expect_clean(const char *src, const char *expected)
{
	char out[64];

	assert_int_equal(text_clean(out, sizeof(out), src), strlen(expected));
	assert_string_equal(out, expected);
}

TEST(control_characters_and_tricks_become_question_marks)
{
	expect_clean("Crazyflie 2.1", "Crazyflie 2.1");
	expect_clean(NULL, "");
	expect_clean("a\x1b[31mb\n\tc\x7f", "a?[31mb??c?");
	expect_clean("\xc2\x9b"
		     "31m",
		     "?31m"); /* C1: CSI */
	expect_clean("\xe2\x80\xae"
		     "txt.exe",
		     "?txt.exe");	     /* right-to-left override */
	expect_clean("\xe2\x80\xa8", "?");   /* line separator */
	expect_clean("\xef\xbb\xbfx", "?x"); /* byte order mark */
	expect_clean("gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x81", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x81");
}

TEST(invalid_utf8_becomes_question_marks)
{
	expect_clean("\xff\xfe", "??");
	expect_clean("\xc0\xaf", "??");		  /* over-long '/' */
	expect_clean("\xe0\x80\xaf", "???");	  /* over-long */
	expect_clean("\xed\xa0\x80", "???");	  /* lone surrogate */
	expect_clean("\xf4\x90\x80\x80", "????"); /* above U+10FFFF */
	expect_clean("x\xc3", "x?");		  /* cut */
	expect_clean("\x80\xbf", "??");
}

TEST(text_is_cut_between_characters)
{
	char out[4];

	assert_int_equal(text_clean(out, sizeof(out), "ab\xc3\xbc"), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(text_clean(out, sizeof(out), "a\xc3\xbc"), 3);
	assert_int_equal(text_clean(out, 1, "abc"), 0);
}

TEST(text_becomes_json)
{
	json_t *j = text_json("a\x1b\xff");

	assert_string_equal(json_string_value(j), "a??");
	json_decref(j);
	j = text_json(NULL);
	assert_true(json_is_null(j));
	json_decref(j);
}

TEST_MAIN(NULL)
