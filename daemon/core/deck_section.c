/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/deck_section.h"

#include <stdbool.h>

#include "cfdfu/util.h"

static void
copy_printable(char *dst, size_t size, const uint8_t *text, size_t length)
{
	size_t n = 0;

	for (; n < length && n < size - 1 && text[n] > 0x20 && text[n] < 0x7F; n++)
		dst[n] = (char)text[n];
	dst[n] = '\0';
}

/* ---- information section -------------------------------------------------------------------- */

static enum deck_state
state_of(uint8_t bits)
{
	if ((bits & DECK_BIT_STARTED) == 0)
		return DECK_NOT_STARTED;
	if ((bits & DECK_BIT_WANTS_UPGRADE) != 0)
		return DECK_NEEDS_UPDATE;
	return (bits & DECK_BIT_BOOT_LOADER) != 0 ? DECK_IN_BOOT_LOADER : DECK_STARTED;
}

void
deck_record_decode(const uint8_t record[DECK_RECORD_BYTES], uint8_t section, struct deck *ret_deck)
{
	memset(ret_deck, 0, sizeof(*ret_deck));
	if ((record[0] & DECK_BIT_VALID) == 0)
		return;
	copy_printable(ret_deck->name, sizeof(ret_deck->name), record + 14, 18);
	ret_deck->state = state_of(record[0]);
	ret_deck->section = section;
	ret_deck->bits = record[0];
	ret_deck->resets = record[1];
	ret_deck->hash = get_le32(record + 2);
	ret_deck->length = get_le32(record + 6);
	ret_deck->base = get_le32(record + 10);
	/* SPEC: the base follows from the number; another one is nothing that we know. */
	ret_deck->has_section = ret_deck->base == (section + 1U) * 0x10000000U;
}

unsigned
deck_section_decode(const uint8_t bytes[DECK_SECTION_BYTES], struct deck ret_decks[DECKS_MAX])
{
	unsigned count = 0;

	for (uint8_t i = 0; i < DECKS_MAX; i++) {
		deck_record_decode(bytes + 1 + (size_t)i * DECK_RECORD_BYTES, i, &ret_decks[count]);
		count += ret_decks[count].state != DECK_UNKNOWN;
	}
	return count;
}

/* ---- memories of one deck ------------------------------------------------------------------- */

/*
 * "EB pins[4] vid pid crc", "00 length", then elements "id length text": id 1 is the name.  The
 * checksums are left alone: a name that is wrong is shown, nothing follows from it.
 */
enum deck_label_found
deck_onewire_decode(const uint8_t *bytes, size_t length, struct deck_label *ret_label)
{
	enum { MAGIC = 0xEB, ELEMENTS = 8, NAME = 1 };
	size_t at = ELEMENTS + 2, end;

	memset(ret_label, 0, sizeof(*ret_label));
	if (length < at)
		return length > 0 && bytes[0] == MAGIC ? DECK_LABEL_FURTHER : DECK_LABEL_NONE;
	end = at + bytes[ELEMENTS + 1];
	if (bytes[0] != MAGIC || bytes[ELEMENTS] != 0 || end > DECK_ONEWIRE_BYTES)
		return DECK_LABEL_NONE;
	while (at + 2 <= end) {
		if (at + 2 > length || at + 2U + bytes[at + 1] > length)
			return length < end ? DECK_LABEL_FURTHER : DECK_LABEL_NONE;
		if (bytes[at] == NAME) {
			copy_printable(ret_label->name, sizeof(ret_label->name), bytes + at + 2,
				       bytes[at + 1]);
			break;
		}
		at += 2U + bytes[at + 1];
	}
	return ret_label->name[0] != '\0' ? DECK_LABEL_FOUND : DECK_LABEL_NONE;
}

/* "BC DC major minor vid pid revision name[14]" (deck_backend_deckctrl.c of the firmware). */
enum deck_label_found
deck_ctrl_decode(const uint8_t *bytes, size_t length, struct deck_label *ret_label)
{
	enum { NAME = 7, NAME_MAX_BYTES = 14 };

	memset(ret_label, 0, sizeof(*ret_label));
	if (length < NAME + NAME_MAX_BYTES || bytes[0] != 0xBC || bytes[1] != 0xDC)
		return DECK_LABEL_NONE;
	copy_printable(ret_label->name, sizeof(ret_label->name), bytes + NAME, NAME_MAX_BYTES);
	(void)snprintf(ret_label->version, sizeof(ret_label->version), "%u.%u", bytes[2], bytes[3]);
	return ret_label->name[0] != '\0' ? DECK_LABEL_FOUND : DECK_LABEL_NONE;
}

void
deck_add(struct deck decks[DECKS_MAX], unsigned *count, const struct deck_label *label)
{
	size_t length = strlen(label->name);
	bool there = false;

	for (unsigned i = 0; i < *count; i++) {
		struct deck *d = &decks[i];

		if (strncmp(d->name, label->name, length) != 0 ||
		    (d->name[length] != '\0' && d->name[length] != ':'))
			continue;
		there = true;
		if (label->version[0] != '\0')
			copy_text(d->version, sizeof(d->version), label->version);
	}
	if (there || *count == DECKS_MAX)
		return;
	memset(&decks[*count], 0, sizeof(decks[0]));
	copy_text(decks[*count].name, sizeof(decks[0].name), label->name);
	copy_text(decks[*count].version, sizeof(decks[0].version), label->version);
	decks[*count].state = DECK_PRESENT;
	(*count)++;
}
