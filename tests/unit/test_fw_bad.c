/* SPDX-License-Identifier: MIT */
/* Every bad file is refused, by the loader or by the judge, with a sentence that names its own
 * reason. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/image.h"
#include "firmware/fw.h"
#include "firmware/judge.h"
#include "fixtures/bad.h"

/* The sentence that refuses these bytes; "" when nothing does. */
static void
find_reason(const uint8_t *bytes, size_t size, char *out, size_t out_size)
{
	struct fw_input in = { .data = bytes, .size = size, .addr = FW_ADDR_DEFAULT };
	struct image *image = NULL;
	struct fw_facts *facts = NULL;
	struct fw_error error = { 0 };
	struct judge_options options = { 0 };
	struct judgement j;

	out[0] = '\0';
	if (fw_load(&in, &image, &facts, &error) < 0) {
		assert_null(image);
		assert_null(facts);
		copy_text(out, out_size, error.text);
		return;
	}
	options.manifest = facts->release.platform;
	assert_int_equal(judge_image(image, &options, &j), 0);
	if (!j.accepted)
		copy_text(out, out_size, judge_reason(&j));
	fw_facts_free(facts);
	image_unref(image);
}

TEST(every_bad_file_is_refused_with_its_own_reason)
{
	const struct bad_file *f;
	unsigned wrong = 0;
	size_t count = 0;

	for (; (f = bad_file(count)) != NULL; count++) {
		uint8_t *bytes = NULL;
		size_t size = 0;
		char reason[256];

		assert_int_equal(bad_make(f, &bytes, &size), 0);
		find_reason(bytes, size, reason, sizeof(reason));
		free(bytes);
		if (strstr(reason, f->reason) != NULL)
			continue;
		print_error("%s: \"%s\" expected, got \"%s\"\n", f->name, f->reason, reason);
		wrong++;
	}
	print_message("%zu bad files\n", count);
	assert_int_equal(wrong, 0);
	assert_true(count >= 60);
}

TEST(no_two_bad_files_have_one_name)
{
	const struct bad_file *f, *g;

	for (size_t i = 0; (f = bad_file(i)) != NULL; i++)
		for (size_t k = 0; k < i && (g = bad_file(k)) != NULL; k++)
			assert_string_not_equal(f->name, g->name);
}

TEST_MAIN(NULL)
