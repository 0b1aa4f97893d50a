/* SPDX-License-Identifier: MIT */
/* One drone, an image of its own for each platform, and a choice that is checked for soundness;
 * included after cmocka. */
#ifndef TESTS_POLICY_HELP_H
#define TESTS_POLICY_HELP_H

#include <string.h>

#include "core/policy.h"

#define RUNTIME "51004F000551343036333233"
#define DFU "338133873034" /* the serial of the same drone in DFU mode */
#define PORT "1-4.2"

static inline struct image *
image_for(unsigned platforms)
{
	static const uint8_t bytes[4];
	struct image_label label = { .platforms = platforms };
	struct image *image = NULL;
	const struct segment segment = { 0, 0x08004000, sizeof(bytes), bytes };

	assert_int_equal(image_new(&segment, 1, &label, &image), 0);
	return image;
}

/* An image of its own for each platform, held by the policy alone. */
static inline struct policy *
policy_with_all_selected(void)
{
	struct policy *p = NULL;

	assert_int_equal(policy_new(&p), 0);
	for (int i = PLATFORM_CF2; i < PLATFORM_COUNT; i++) {
		struct image *image = image_for(BIT(i));

		policy_select(p, (enum platform)i, image);
		image_unref(image);
	}
	return p;
}

static inline enum policy_answer
choose(const struct policy *p, const struct policy_drone *d, struct policy_choice *ret_choice)
{
	enum policy_answer answer = policy_choose(p, d, ret_choice);

	assert_non_null(ret_choice->why);
	assert_true(strlen(ret_choice->why) > 10);
	assert_int_equal(ret_choice->image != NULL, answer == POLICY_USE);
	if (answer == POLICY_USE)
		assert_int_not_equal(ret_choice->platform, PLATFORM_UNKNOWN);
	return answer;
}

#endif
