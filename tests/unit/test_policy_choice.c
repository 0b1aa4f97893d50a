/* SPDX-License-Identifier: MIT */
/* Whose image a drone gets, which platforms a new one is for, and what the fleet plans with it. */
#include "config.h"

#include "core/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/fleet.h"
#include "core/platform.h"
#include "policy_help.h"

/* Own images by every way to name a drone, one more at a time: each says whose it is. */
TEST(a_choice_says_whose_it_is)
{
	static const struct {
		const char *key;
		enum policy_by by;
	} ways[] = {
		{ NULL, POLICY_BY_PLATFORM }, { "front", POLICY_BY_LABEL },
		{ PORT, POLICY_BY_SLOT },     { "pci-usb-0:4.2", POLICY_BY_SLOT },
		{ DFU, POLICY_BY_SERIAL },
	};
	struct policy *p = policy_with_all_selected();
	struct policy_drone d = { PORT, RUNTIME, DFU,	  PLATFORM_CF2,
				  0,	false,	 "front", "pci-usb-0:4.2" };
	struct policy_choice choice;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct image *image = image_for(BIT(PLATFORM_CF2));

		if (ways[i].key != NULL)
			assert_int_equal(policy_select_own(p, ways[i].key, image), 0);
		assert_int_equal(choose(p, &d, &choice), POLICY_USE);
		assert_int_equal(choice.by, ways[i].by);
		if (ways[i].key != NULL)
			assert_ptr_equal(policy_own(p, ways[i].key), image);
		image_unref(image);
	}
	assert_null(policy_own(p, RUNTIME));
	policy_free(p);
}

/* Images differ by their numbers. */
static struct image *
image_number(unsigned number, unsigned platforms)
{
	static const uint8_t bytes[4];
	struct image_label label = { .platforms = platforms, .sha256 = { (uint8_t)number } };
	const struct segment segment = { 0, 0x08004000, sizeof(bytes), bytes };
	struct image *image = NULL;

	assert_int_equal(image_new(&segment, 1, &label, &image), 0);
	return image;
}

#define CF2 BIT(PLATFORM_CF2)
#define BOLT BIT(PLATFORM_BOLT)

/* The selected images (numbers, 0 none), and the platforms of a new one, number 9. */
TEST(an_image_of_several_platforms_replaces_no_others)
{
	static const struct {
		unsigned fits, cf2, bolt;
		enum platform named;
		int r;
		unsigned chosen, kept;
	} cases[] = {
		{ CF2, 0, 0, PLATFORM_UNKNOWN, 0, CF2, 0 },
		{ CF2, 1, 2, PLATFORM_UNKNOWN, 0, CF2, 0 },
		{ CF2 | BOLT, 0, 0, PLATFORM_UNKNOWN, 0, CF2 | BOLT, 0 },
		{ CF2 | BOLT, 0, 2, PLATFORM_UNKNOWN, 0, CF2, BOLT },
		{ CF2 | BOLT, 1, 0, PLATFORM_UNKNOWN, 0, BOLT, CF2 },
		{ CF2 | BOLT, 1, 2, PLATFORM_UNKNOWN, -EEXIST, 0, CF2 | BOLT },
		{ CF2 | BOLT, 1, 1, PLATFORM_UNKNOWN, 0, CF2 | BOLT, 0 }, /* its predecessor */
		{ CF2 | BOLT, 9, 9, PLATFORM_UNKNOWN, 0, CF2 | BOLT, 0 }, /* again */
		{ CF2 | BOLT, 9, 2, PLATFORM_UNKNOWN, 0, CF2, BOLT },
		{ CF2 | BOLT, 1, 2, PLATFORM_BOLT, 0, BOLT, 0 },
		{ CF2, 1, 2, PLATFORM_BOLT, -EPERM, 0, 0 },
		{ 0, 1, 2, PLATFORM_BOLT, 0, BOLT, 0 },
		{ 0, 1, 2, PLATFORM_UNKNOWN, -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image *image = image_number(9, cases[i].fits);
		struct image *cf2 = image_number(cases[i].cf2, CF2 | BOLT);
		struct image *bolt = image_number(cases[i].bolt, CF2 | BOLT);
		struct policy *p = NULL, *copy = NULL;
		unsigned chosen, kept;
		int r;

		assert_int_equal(policy_new(&p), 0);
		policy_select(p, PLATFORM_CF2, cases[i].cf2 != 0 ? cf2 : NULL);
		policy_select(p, PLATFORM_BOLT, cases[i].bolt != 0 ? bolt : NULL);
		assert_int_equal(policy_copy(p, &copy), 0);
		policy_free(p);
		r = policy_platforms_for(copy, image, cases[i].named, &chosen, &kept);
		print_message("case %zu\n", i);
		assert_int_equal(r, cases[i].r);
		if (r == 0)
			assert_int_equal(chosen, cases[i].chosen);
		if (r == 0)
			assert_int_equal(kept, cases[i].kept);
		policy_free(copy);
		image_unref(image);
		image_unref(cf2);
		image_unref(bolt);
	}
}

/* ---- plans ---------------------------------------------------------------------------------- */

static void
plug(struct fleet *f, const char *port, uint16_t pid, const char *manufacturer,
     const struct drone_history *history)
{
	struct sighting s = { .arrival = 1, .vid = 0x0483, .pid = pid };

	copy_text(s.port, sizeof(s.port), port);
	copy_text(s.manufacturer, sizeof(s.manufacturer), manufacturer);
	copy_text(s.product, sizeof(s.product), "Crazyflie 2.X");
	copy_text(s.serial, sizeof(s.serial), RUNTIME);
	fleet_sighted(f, &s, history, 0);
}

static const char *
planned(struct fleet *f, const char *port, const struct policy *with)
{
	struct fleet_plan p;

	fleet_plan(f, (unsigned)fleet_find(f, port), with, &p);
	assert_true(strlen(p.why) > 10);
	return fleet_plan_name(p.action);
}

TEST(a_plan_goes_by_what_is_there_and_what_is_selected)
{
	const struct fleet_options options = { .quarantine = 3 };
	const struct drone_history cf2 = { .known = true, .platform = PLATFORM_CF2 };
	const struct drone_history bolt = { .known = true, .platform = PLATFORM_BOLT };
	const struct drone_history bad = { .known = true, .quarantined = true };
	const struct drone_history unknown = { .known = false };
	struct image *image = image_number(9, CF2);
	struct policy *with = NULL;
	struct fleet *f = NULL;

	assert_int_equal(fleet_new(&options, &f), 0);
	fleet_pause(f);
	assert_int_equal(fleet_recall_port(f, "1-1", 0, PORT_QUARANTINE_NONE), 0);
	assert_int_equal(fleet_recall_port(f, "1-6", 3, PORT_QUARANTINE_FAILURES), 0);
	plug(f, "1-2", 0x5740, "Bitcraze AB", &cf2);
	plug(f, "1-3", 0x5740, "Bitcraze AB", &bolt);
	plug(f, "1-4", 0x5740, "Another AB", &unknown);
	plug(f, "1-5", 0x5740, "Bitcraze AB", &bad);
	plug(f, "1-6", 0x5740, "Bitcraze AB", &cf2);
	plug(f, "1-7", 0x5740, "Bitcraze AB", &unknown);
	assert_int_equal(policy_copy(fleet_policy(f), &with), 0);
	policy_select(with, PLATFORM_CF2, image);

	assert_string_equal(planned(f, "1-2", fleet_policy(f)), "none");
	assert_string_equal(planned(f, "1-1", with), "none");
	assert_string_equal(planned(f, "1-2", with), "wait");
	assert_string_equal(planned(f, "1-3", with), "none");
	assert_string_equal(planned(f, "1-4", with), "foreign");
	assert_string_equal(planned(f, "1-5", with), "quarantined");
	assert_string_equal(planned(f, "1-6", with), "quarantined");
	assert_string_equal(planned(f, "1-7", with), "wait"); /* asked in DFU mode */
	assert_int_equal(policy_select_own(with, "1-3", image), 0);
	assert_string_equal(planned(f, "1-3", with), "skipped");
	assert_false(policy_any_selected(fleet_policy(f)));
	/* Resumed: the waiting drone is flashed next. */
	policy_select(fleet_policy(f), PLATFORM_CF2, image);
	fleet_resume(f, 0);
	assert_string_equal(planned(f, "1-2", fleet_policy(f)), "flash");
	assert_string_equal(planned(f, "1-4", fleet_policy(f)), "foreign");
	policy_free(with);
	fleet_free(f);
	image_unref(image);
}

TEST_MAIN(NULL)
