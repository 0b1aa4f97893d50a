/* SPDX-License-Identifier: MIT */
/* Unit tests of store/record: the texts and bodies that are hashed and kept for ever. */
#include "config.h"

#include "store/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* A text as it is stored when there is room for it. */
static const char *
cleaned(const char *text)
{
	static char out[64];
	size_t length = record_clean_text(text, out, sizeof(out));

	assert_int_equal(length, strlen(out));
	return out;
}

TEST(valid_utf_8_stays_and_everything_else_becomes_a_question_mark)
{
	static const struct {
		const char *text, *clean;
	} texts[] = {
		{ "plain ~", "plain ~" },
		{ "tab\tnew\nline\x7F", "tab new line " },
		{ "\xC2\xA0\xC3\xA9\xDF\xBF", "\xC2\xA0\xC3\xA9\xDF\xBF" },
		{ "\xC2\x80\xC2\x9F", "????" }, /* C1 controls */
		{ "\xC0\x80\xC1\xBF", "????" }, /* overlong */
		{ "\xC3(\xC3", "?(?" },		/* cut */
		{ "\xE0\xA0\x80\xEF\xBF\xBD", "\xE0\xA0\x80\xEF\xBF\xBD" },
		{ "\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80" },
		{ "\xE0\x9F\xBF", "???" }, /* overlong */
		{ "\xED\xA0\x80", "???" }, /* surrogate */
		{ "\xE2\x82", "??" },
		{ "\xE2_\x82", "?_?" },
		{ "\xE2\x82_", "??_" },
		{ "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF" },
		{ "\xF1\x80\x80\x80", "\xF1\x80\x80\x80" },
		{ "\xF0\x8F\xBF\xBF", "????" }, /* overlong */
		{ "\xF4\x90\x80\x80", "????" }, /* past the last */
		{ "\xF5\x80\x80\x80", "????" },
		{ "\xF0\x9F\x98", "???" },
		{ "\xF0_\x80\x80", "?_??" },
		{ "\xF0\x9F_\x80", "??_?" },
		{ "\xF0\x9F\x98_", "???_" },
		{ "\xFF\xFE\x80", "???" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(cleaned(texts[i].text), texts[i].clean);
	assert_string_equal(cleaned(NULL), "");
}

TEST(a_text_is_cut_between_characters)
{
	char out[8];

	assert_int_equal(record_clean_text("1234567", out, sizeof(out)), 7);
	assert_int_equal(record_clean_text("12345678", out, sizeof(out)), 7);
	assert_string_equal(out, "1234567");
	assert_int_equal(record_clean_text("12345\xE2\x82\xAC", out, sizeof(out)), 5);
	assert_string_equal(out, "12345");
	assert_int_equal(record_clean_text("1234\xE2\x82\xAC", out, sizeof(out)), 7);
}

TEST(a_body_is_one_flat_object)
{
	struct body b, list;

	body_begin(&b);
	body_int(&b, "n", -7);
	body_text(&b, "none", NULL, 9);
	body_text(&b, "empty", "", 9);
	body_text(&b, "t", "a\"b\\c\n", 9);
	body_text(&b, "cut", "1234567890", 5);
	body_text_or_empty(&b, "e", NULL, RECORD_BODY_MAX + 1);
	body_list_begin(&list);
	body_list_pair(&list, "x\"", 1, 9);
	body_list_pair(&list, "y", -2, RECORD_BODY_MAX + 1);
	body_list_end(&list);
	body_raw(&b, "l", list.text);
	assert_int_equal(body_end(&b), 0);
	assert_string_equal(b.text, "{\"n\":-7,\"t\":\"a\\\"b\\\\c \",\"cut\":\"1234\",\"e\":\"\","
				    "\"l\":[[\"x\\\"\",1],[\"y\",-2]]}");
	assert_int_equal(b.size, strlen(b.text));
	body_begin(&b);
	assert_int_equal(body_end(&b), 0);
	assert_string_equal(b.text, "{}");
}

TEST(a_body_that_does_not_fit_says_so_and_stays_inside)
{
	static char big[RECORD_BODY_MAX];
	struct body b;

	memset(big, 'a', sizeof(big) - 1);
	for (size_t room = 0; room < 12; room++) {
		body_begin(&b);
		big[RECORD_BODY_MAX - 12 + room] = '\0';
		body_text(&b, "k", big, sizeof(big));
		big[RECORD_BODY_MAX - 12 + room] = 'a';
		/* {"k":"..."} and its end take nine bytes beside the text. */
		assert_int_equal(body_end(&b), room <= 3 ? 0 : -E2BIG);
		assert_true(b.size < sizeof(b.text));
		assert_int_equal(b.text[b.size], '\0');
		body_int(&b, "more", 1); /* nothing comes after what did not fit */
		assert_int_equal(b.over, room <= 3 ? b.over : true);
	}
}

TEST(every_kind_has_a_name_that_finds_it_again)
{
	for (enum record_kind k = 0; k < RECORD_KIND_COUNT; k++) {
		const char *name = record_kind_name(k);

		assert_int_equal(record_kind_by_name(name, strlen(name)), k);
		assert_int_equal(record_kind_by_name(name, strlen(name) - 1), RECORD_KIND_COUNT);
		assert_int_equal(record_keeps_body(k), record_body_sql(k) == NULL);
		assert_non_null(record_steps(k));
	}
	assert_int_equal(record_kind_by_name("begun", 5), RECORD_KIND_COUNT);
	assert_int_equal(record_kind_by_name("", 0), RECORD_KIND_COUNT);
}

TEST(the_hash_depends_on_all_that_it_covers)
{
	static const uint8_t zero[RECORD_HASH_BYTES], one[RECORD_HASH_BYTES] = { 1 };
	uint8_t first[RECORD_HASH_BYTES], other[RECORD_HASH_BYTES];

	record_hash(zero, 1, "begin", "{}", 2, first);
	record_hash(zero, 1, "begin", "{}", 2, other);
	assert_memory_equal(first, other, sizeof(first));
	record_hash(one, 1, "begin", "{}", 2, other);
	assert_memory_not_equal(first, other, sizeof(first));
	record_hash(zero, 2, "begin", "{}", 2, other);
	assert_memory_not_equal(first, other, sizeof(first));
	record_hash(zero, 1, "end", "{}", 2, other);
	assert_memory_not_equal(first, other, sizeof(first));
	record_hash(zero, 1, "begin", "{ }", 3, other);
	assert_memory_not_equal(first, other, sizeof(first));
}

TEST_MAIN(NULL)
