/* SPDX-License-Identifier: MIT */
/* Targets on the command line: every way to name a slot or a drone, and invalid ones. */
#include "config.h"

#include "test.h"
#include <string.h>
#include <strings.h>

#include "app/target.h"

static const struct target_slot slots[] = {
	{ "1-1", "pci-0000:00:14.0-usb-0:1", "A1", "330041000A51353432343630", "396B37583432",
	  true },
	{ "1-2", "pci-0000:00:14.0-usb-0:2", "A2", "330042000A51353432343630", "", true },
	{ "1-3", "pci-0000:00:14.0-usb-0:3", "Shelf", "", "", false },
	{ "1-4", NULL, "Shelf", "", "3A7B37583432", true },
	{ "1-5", NULL, NULL, "440000000A51353432343630", "", false }, /* was here once */
	{ "1-6", NULL, "1-1", "440000000A51353432343630", "", true }, /* and is here now */
	{ "1-7", NULL, "beef", "", "", false },
	{ "2-1", NULL, NULL, "550000000A51353432343630", "", true }, /* two with one serial */
	{ "2-2", NULL, NULL, "550000000A51353432343630", "", true },
};

static const struct target_drone drones[] = {
	{ "330041000A51353432343630", "396B37583432" },
	{ "660000000A51353432343630", "486B37583432" },
	{ "670000000A51353432343630", "" },
	{ "", "BEEF37583432" },
	{ "", "CAFE37583432" },
};

/* slots: as digits, the first is 0. */
static const struct {
	const char *text;
	bool records;
	enum target_by by;
	const char *key, *slots;
} cases[] = {
	{ "1-1", false, TARGET_PORT, "1-1", "0" }, /* though a label says so, too */
	{ "A1", false, TARGET_LABEL, "A1", "0" },
	{ "a2", false, TARGET_LABEL, "A2", "1" },
	{ "Shelf", false, TARGET_LABEL, "Shelf", "23" }, /* though a drone is called so */
	{ "shelf", false, TARGET_SERIAL, "550000000A51353432343630", "78" },
	{ "pci-0000:00:14.0-usb-0:3", false, TARGET_PATH, "pci-0000:00:14.0-usb-0:3", "2" },
	{ "330041000A51353432343630", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "330041000a51353432343630", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "396B37583432", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "330041", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "396b", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "3300", false, TARGET_AMBIGUOUS, "", "01" },
	{ "330", false, TARGET_NOTHING, "", "" },
	{ "3A7B", false, TARGET_SERIAL, "3A7B37583432", "3" },
	{ "4400", false, TARGET_SERIAL, "440000000A51353432343630", "5" },
	{ "440000000A51353432343630", false, TARGET_SERIAL, "440000000A51353432343630", "5" },
	{ "550000000A51353432343630", false, TARGET_SERIAL, "550000000A51353432343630", "78" },
	{ "5500", false, TARGET_SERIAL, "330041000A51353432343630", "0" }, /* a name */
	{ "55000", false, TARGET_SERIAL, "550000000A51353432343630", "78" },
	{ "beef", true, TARGET_LABEL, "beef", "6" }, /* though a serial begins so */
	{ "330041", true, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "6600", false, TARGET_NOTHING, "", "" },
	{ "6600", true, TARGET_SERIAL, "660000000A51353432343630", "" },
	{ "486B37583432", true, TARGET_SERIAL, "660000000A51353432343630", "" },
	{ "CAFE", true, TARGET_SERIAL, "CAFE37583432", "" },
	{ "6", true, TARGET_NOTHING, "", "" },
	{ "9-9", true, TARGET_NOTHING, "", "" },
	{ "A", false, TARGET_NOTHING, "", "" },
	{ "ADA", false, TARGET_SERIAL, "330041000A51353432343630", "0" },
	{ "bea", true, TARGET_SERIAL, "660000000A51353432343630", "" },
	{ "bea", false, TARGET_NOTHING, "", "" },
	{ "a1", false, TARGET_SERIAL, "330042000A51353432343630", "1" },
	{ "", true, TARGET_NOTHING, "", "" },
};

/* Names of drones: one that is here, one that only the records know, one that a label has, too, in
 * the same letters and in others. */
static const struct {
	const char *name, *serial;
} names[] = {
	{ "Ada", "330041000A51353432343630" },	 { "Bea", "660000000a51353432343630" },
	{ "Shelf", "550000000A51353432343630" }, { "a1", "330042000A51353432343630" },
	{ "5500", "330041000A51353432343630" },
};

static void
find(struct target *t, const char *text, bool records, bool backwards)
{
	const char *named = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i].name, text) == 0)
			named = names[i].serial;
	target_begin(t, text, named);
	for (unsigned i = 0; i < ARRAY_LEN(slots); i++) {
		unsigned at = backwards ? (unsigned)ARRAY_LEN(slots) - 1 - i : i;

		target_offer_slot(t, at, &slots[at]);
	}
	for (size_t i = 0; records && i < ARRAY_LEN(drones); i++)
		target_offer_drone(t, drones[i].serial, drones[i].dfu_serial);
	target_end(t);
}

TEST(every_text_names_what_it_says_in_any_order)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		bool backwards = i >= ARRAY_LEN(cases);
		size_t at = i % ARRAY_LEN(cases);
		char found[ARRAY_LEN(slots) + 1] = "";
		unsigned count = 0;
		struct target t;

		print_message("%s%s\n", cases[at].text, backwards ? " (backwards)" : "");
		find(&t, cases[at].text, cases[at].records, backwards);
		for (unsigned s = 0; s < FLEET_SLOTS_MAX; s++)
			if (t.slots[s])
				found[count++] = (char)('0' + s);
		assert_int_equal(t.by, cases[at].by);
		assert_string_equal(found, cases[at].slots);
		assert_int_equal(t.slot_count, count);
		if (t.by != TARGET_NOTHING && t.by != TARGET_AMBIGUOUS)
			assert_string_equal(t.key, cases[at].key);
	}
}

TEST(an_ambiguous_one_names_its_candidates)
{
	struct target t;

	find(&t, "3300", true, false);
	assert_int_equal(t.by, TARGET_AMBIGUOUS);
	assert_int_equal(t.drone_count, 2);
	assert_string_equal(target_drone_name(&t.drones[0]), "330041000A51353432343630");
	assert_string_equal(target_drone_name(&t.drones[1]), "330042000A51353432343630");
}

/* Also one that is here is ambiguous with one that is only recorded. */
TEST(a_prefix_matches_drones_that_are_absent_too)
{
	struct target t;

	target_begin(&t, "3300", NULL);
	target_offer_slot(&t, 0, &slots[0]);
	target_offer_drone(&t, "3300FF000A51353432343630", NULL);
	target_end(&t);
	assert_int_equal(t.by, TARGET_AMBIGUOUS);
}

TEST(many_candidates_are_not_all_named)
{
	struct target t;

	target_begin(&t, "3300", NULL);
	for (unsigned i = 0; i < 100; i++) {
		char serial[SERIAL_TEXT_MAX];

		(void)snprintf(serial, sizeof(serial), "3300%04u0A51353432343630", i);
		target_offer_drone(&t, serial, NULL);
	}
	target_end(&t);
	assert_int_equal(t.by, TARGET_AMBIGUOUS);
	assert_int_equal(t.drone_count, TARGET_CANDIDATES_MAX);
}

TEST_MAIN(NULL)
