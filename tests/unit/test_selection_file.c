/* SPDX-License-Identifier: MIT */
/* firmware/selection_file: what a site selects, read whole or refused with words. */
#include "config.h"

#include "firmware/selection_file.h"

#include <errno.h>
#include <stdlib.h>

#include "test.h"

#define SUM "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY                                                                                      \
	"{\"platform\":\"cf2\",\"name\":\"2026.08\",\"version\":\"2026.08\",\"sha256\":\"" SUM     \
	"\",\"file\":\"cf2/firmware-cf2.zip\"}"
#define TIMES "\"valid_from\":\"2026-08-01T00:00:00Z\",\"valid_until\":\"2027-01-01T00:00:00Z\""
#define WHOLE                                                                                      \
	"{\"format\":1,\"serial\":12," TIMES ",\"firmware\":[" ENTRY                               \
	"],\"batch\":{\"expect\":25,\"canary\":2,\"stop_after\":3}}"

/* WHOLE with its first `from` replaced. */
static char *
with(const char *from, const char *to)
{
	static const char whole[] = WHOLE;
	const char *at = strstr(whole, from);
	size_t size = sizeof(whole) + strlen(to);
	char *text = malloc(size);

	assert_non_null(at);
	assert_non_null(text);
	snprintf(text, size, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
	return text;
}

TEST(a_selection_is_read)
{
	struct selection_file s;
	char why[SELECTION_WHY_MAX] = "";
	const struct selected_file *f = &s.files[PLATFORM_CF2];

	if (selection_file_read(WHOLE, strlen(WHOLE), &s, why) != 0)
		fail_msg("%s", why);
	assert_int_equal(s.serial, 12);
	assert_string_equal(s.valid_from, "2026-08-01T00:00:00Z");
	assert_string_equal(s.valid_until, "2027-01-01T00:00:00Z");
	assert_string_equal(f->name, "2026.08");
	assert_string_equal(f->path, "cf2/firmware-cf2.zip");
	assert_string_equal(f->sha256,
			    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	for (unsigned i = 0; i < PLATFORM_COUNT; i++)
		assert_true(i == PLATFORM_CF2 || s.files[i].name[0] == '\0');
}

TEST(the_terms_of_batches_may_be_left_out)
{
	struct selection_file s;
	char why[SELECTION_WHY_MAX] = "";
	static const char *const batches[] = { "", ",\"batch\":{}", ",\"batch\":{\"canary\":2}" };

	for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
		char *text =
		    with(",\"batch\":{\"expect\":25,\"canary\":2,\"stop_after\":3}", batches[i]);

		if (selection_file_read(text, strlen(text), &s, why) != 0)
			fail_msg("%s: %s", text, why);
		free(text);
	}
}

TEST(each_way_to_be_wrong_has_its_own_words)
{
	static const struct {
		const char *from, *to, *words;
	} wrong[] = {
		{ "{", "", "line 1: " },
		{ "{\"format\"", "[\"format\"", "line 1: " },
		{ "\"serial\":12", "\"serial\":12,\"serial\":13", "duplicate object key" },
		{ "\"format\":1", "\"format\":2", "only format 1 is known" },
		{ "\"format\":1", "\"format\":\"1\"", "Expected integer, got string" },
		{ "\"format\":1,", "", "Object item not found: format" },
		{ "\"serial\":12,", "", "Object item not found: serial" },
		{ "\"serial\":12", "\"serial\":0", "serial is not a number from 1 on" },
		{ "\"serial\":12", "\"serial\":-1", "serial is not a number from 1 on" },
		{ "\"serial\":12", "\"serial\":12.5", "Expected integer, got real" },
		{ "valid_until", "valid_untill", "Object item not found: valid_until" },
		{ "\"batch\"", "\"batches\"", "left unpacked: batches" },
		{ "\"canary\"", "\"canery\"", "left unpacked: canery" },
		{ "2026-08-01T00:00:00Z", "2026-08-01", "valid_from is not a time" },
		{ "2026-08-01T00:00:00Z", "2026-08-01T00:00:00+01", "valid_from is not a time" },
		{ "2027-01-01T00:00:00Z", "never", "valid_until is not a time" },
		{ "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z0", "valid_until is not a time" },
		{ "[" ENTRY "]", "{}", "firmware is not a list" },
		{ "[" ENTRY "]", "[12]", "firmware: Expected object, got integer" },
		{ "[" ENTRY "]", "[" ENTRY "," ENTRY "]", "two entries for platform cf2" },
		{ "\"cf2\"", "\"cf3\"", "unknown platform \"cf3\"" },
		{ "\"2026.08\"", "\"../2026.08\"",
		  "\"../2026.08\" cannot be the name of firmware" },
		{ "\"version\":\"2026.08\",", "", "firmware: Object item not found: version" },
		{ SUM, "0123", "2026.08: sha256 is not 64 hex digits" },
		{ SUM, "g" SUM, "2026.08: sha256 is not 64 hex digits" },
		{ "cf2/firmware-cf2.zip", "/etc/passwd", "/etc/passwd leaves the directory" },
		{ "cf2/firmware-cf2.zip", "../x.zip", "../x.zip leaves the directory" },
		{ "cf2/firmware-cf2.zip", "a/../../x", "a/../../x leaves the directory" },
		{ "cf2/firmware-cf2.zip", "a?b", "file is not made of up to 127 letters" },
		{ "cf2/firmware-cf2.zip", "%2e%2e/x", "file is not made of up to 127 letters" },
		{ "cf2/firmware-cf2.zip", "a b", "file is not made of up to 127 letters" },
		{ "cf2/firmware-cf2.zip", "x\\u0000", "line 1: " },
	};
	struct selection_file s;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char *text = with(wrong[i].from, wrong[i].to), why[SELECTION_WHY_MAX] = "";

		s.serial = -7;
		assert_int_equal(selection_file_read(text, strlen(text), &s, why), -EINVAL);
		if (strstr(why, wrong[i].words) == NULL)
			fail_msg("%s: %s, not %s", text, why, wrong[i].words);
		assert_int_equal(s.serial, -7);
		free(text);
	}
}

TEST(its_size_and_the_length_of_its_paths_are_limited)
{
	char text[SELECTION_BYTES_MAX + 2], path[SELECTION_PATH_MAX + 1], why[SELECTION_WHY_MAX];
	struct selection_file s;
	char *whole;

	memset(text, ' ', sizeof(text));
	memcpy(text, WHOLE, strlen(WHOLE));
	assert_int_equal(selection_file_read(text, SELECTION_BYTES_MAX, &s, why), 0);
	assert_int_equal(selection_file_read(text, SELECTION_BYTES_MAX + 1, &s, why), -EINVAL);
	assert_string_equal(why, "larger than 16384 bytes");
	memset(path, 'a', sizeof(path));
	path[SELECTION_PATH_MAX] = '\0';
	whole = with("cf2/firmware-cf2.zip", path);
	assert_int_equal(selection_file_read(whole, strlen(whole), &s, why), -EINVAL);
	free(whole);
	whole = with("cf2/firmware-cf2.zip", path + 1);
	assert_int_equal(selection_file_read(whole, strlen(whole), &s, why), 0);
	assert_string_equal(s.files[PLATFORM_CF2].path, path + 1);
	free(whole);
}

TEST_MAIN(NULL)
