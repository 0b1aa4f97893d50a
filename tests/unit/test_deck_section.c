/* SPDX-License-Identifier: MIT */
/* Decks out of the bytes of a drone's memories, written from doc/beyond-dfu.md 4.1 and 10.1. */
#include "config.h"

#include "core/deck_section.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

static void
put_record(uint8_t *section, unsigned i, uint8_t bits, const char *name)
{
	uint8_t *r = section + 1 + (size_t)i * 32;

	r[0] = bits;
	r[1] = 0x03;
	put_le32(r + 2, 0x563A0D3E);
	put_le32(r + 6, 104092);
	put_le32(r + 10, (i + 1) * 0x10000000U);
	memcpy(r + 14, name, strlen(name));
}

TEST(bits_of_a_record_are_believed_only_of_a_deck_that_has_started)
{
	static const struct {
		uint8_t bits;
		enum deck_state state;
	} table[] = {
		{ 0x00, DECK_UNKNOWN },	     { 0x7E, DECK_UNKNOWN },
		{ 0x7D, DECK_NOT_STARTED }, /* a healthy Lighthouse after a bare reset */
		{ 0x1F, DECK_STARTED },	     { 0x7F, DECK_NEEDS_UPDATE },
		{ 0x3F, DECK_NEEDS_UPDATE }, { 0x5F, DECK_IN_BOOT_LOADER },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t section[DECK_SECTION_BYTES] = { 3 };
		struct deck decks[DECKS_MAX];
		unsigned count;

		put_record(section, 2, table[i].bits, "bcLighthouse4");
		put_record(section, 7, 0x03, "eighteen-bytes-nam");
		count = deck_section_decode(section, decks);
		if (table[i].state == DECK_UNKNOWN) {
			assert_int_equal(count, 1);
			continue;
		}
		assert_int_equal(count, 2);
		assert_string_equal(decks[0].name, "bcLighthouse4");
		assert_int_equal(decks[0].state, table[i].state);
		assert_int_equal(decks[0].section, 2);
		assert_true(decks[0].has_section);
		assert_int_equal(decks[0].hash, 0x563A0D3E);
		assert_int_equal(decks[0].length, 104092);
		assert_int_equal(decks[0].base, 0x30000000);
		assert_string_equal(decks[1].name, "eighteen-bytes-nam");
	}
}

TEST(a_record_with_another_base_is_not_to_be_addressed)
{
	uint8_t section[DECK_SECTION_BYTES] = { 3 };
	struct deck decks[DECKS_MAX];

	put_record(section, 0, 0x1F, "x");
	section[1 + 10 + 3] = 0x20;
	assert_int_equal(deck_section_decode(section, decks), 1);
	assert_false(decks[0].has_section);
}

/* "EB pins vid pid crc, 00 length, elements, crc". */
static size_t
one_wire(uint8_t *out, const char *first, const char *name)
{
	size_t at = 10;

	memset(out, 0, 112);
	out[0] = 0xEB;
	if (first[0] != '\0') {
		out[at++] = 2; /* revision */
		out[at++] = (uint8_t)strlen(first);
		memcpy(out + at, first, strlen(first));
		at += strlen(first);
	}
	out[at++] = 1;
	out[at++] = (uint8_t)strlen(name);
	memcpy(out + at, name, strlen(name));
	at += strlen(name);
	out[9] = (uint8_t)(at - 10);
	return at;
}

TEST(a_deck_is_named_by_its_one_wire_memory_as_soon_as_that_was_read)
{
	static const char *const firsts[] = { "", "D", "a revision of thirty characters" };
	uint8_t bytes[112];
	struct deck_label label;

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		size_t end = one_wire(bytes, firsts[i], "bcFlow2");

		for (size_t length = 1; length <= sizeof(bytes); length++) {
			enum deck_label_found found = deck_onewire_decode(bytes, length, &label);

			assert_int_equal(found,
					 length < end ? DECK_LABEL_FURTHER : DECK_LABEL_FOUND);
			if (found == DECK_LABEL_FOUND)
				assert_string_equal(label.name, "bcFlow2");
		}
	}
	bytes[9] = 110; /* longer than its memory */
	assert_int_equal(deck_onewire_decode(bytes, 112, &label), DECK_LABEL_NONE);
	(void)one_wire(bytes, "", "");
	assert_int_equal(deck_onewire_decode(bytes, 112, &label), DECK_LABEL_NONE);
	memset(bytes, 0xFF, sizeof(bytes)); /* blank */
	assert_int_equal(deck_onewire_decode(bytes, 112, &label), DECK_LABEL_NONE);
}

TEST(a_deckctrl_deck_tells_its_version)
{
	static const uint8_t info[24] = { 0xBC, 0xDC, 0,   12,	0xBC, 0x14, 'A', 'b', 'c', 'C',
					  'o',	'l',  'o', 'r', 'L',  'e',  'd', 'B', 'o', 't' };
	struct deck_label label;

	assert_int_equal(deck_ctrl_decode(info, 24, &label), DECK_LABEL_FOUND);
	assert_string_equal(label.name, "bcColorLedBot");
	assert_string_equal(label.version, "0.12");
	assert_int_equal(deck_ctrl_decode(info, 20, &label), DECK_LABEL_NONE);
	assert_int_equal(deck_ctrl_decode((const uint8_t[24]){ 0xBC }, 24, &label),
			 DECK_LABEL_NONE);
}

TEST(a_deck_that_has_records_is_not_told_of_twice)
{
	struct deck decks[DECKS_MAX] = { { .name = "bcAI:esp", .state = DECK_STARTED },
					 { .name = "bcAI:gap8", .state = DECK_STARTED },
					 { .name = "bcColorLedBot:col", .state = DECK_STARTED } };
	unsigned count = 3;

	deck_add(decks, &count, &(struct deck_label){ .name = "bcAI" });
	deck_add(decks, &count, &(struct deck_label){ .name = "bcColorLedBot", .version = "0.1" });
	assert_int_equal(count, 3);
	assert_string_equal(decks[2].version, "0.1");
	assert_string_equal(decks[0].version, "");
	deck_add(decks, &count, &(struct deck_label){ .name = "bcA" }); /* another one */
	assert_int_equal(count, 4);
	assert_int_equal(decks[3].state, DECK_PRESENT);
	for (char n = 'a'; n < 'z'; n++) {
		struct deck_label label = { .version = "" };

		label.name[0] = n;
		deck_add(decks, &count, &label);
	}
	assert_int_equal(count, DECKS_MAX);
}

TEST_MAIN(NULL)
