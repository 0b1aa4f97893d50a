/* SPDX-License-Identifier: MIT */
/* Which drone a word names. */
#include "config.h"

#include "client/which.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cfdfu/util.h"
#include "client/slots.h"

#define PREFIX_MIN 4 /* LIMIT: digits of a serial that may stand for it */

static bool
is_text(const json_t *slot, const char *key, const char *word)
{
	const char *text = out_string(slot, key);

	return text != NULL && strcmp(text, word) == 0;
}

static bool
begins(const json_t *slot, const char *key, const char *word)
{
	const char *text = out_string(slot, key);

	return text != NULL && strlen(word) >= PREFIX_MIN &&
	       strncasecmp(text, word, strlen(word)) == 0;
}

/* How well a word names a slot: 0 not at all; the best ones count alone. */
static unsigned
rank_of(const json_t *slot, const char *word)
{
	if (slot_serial(slot)[0] == '\0')
		return 0;
	if (is_text(slot, "port", word) || strcasecmp(slot_serial(slot), word) == 0)
		return 3;
	if (is_text(slot, "label", word))
		return 2;
	return begins(slot, "serial", word) || begins(slot, "dfu_serial", word) ? 1 : 0;
}

bool
which_serial(const json_t *slots, const char *word, struct text *ret_serial)
{
	unsigned best = 0;
	size_t i, found = 0;
	struct text names = { "" };
	const json_t *slot;

	text_copy(ret_serial, word);
	json_array_foreach(slots, i, slot) best =
	    rank_of(slot, word) > best ? rank_of(slot, word) : best;
	json_array_foreach(slots, i, slot)
	{
		size_t used = strlen(names.s);
		char name[96];

		if (best == 0 || rank_of(slot, word) != best)
			continue;
		slot_name(slot, name, sizeof(name));
		text_copy(ret_serial, slot_serial(slot));
		snprintf(names.s + used, sizeof(names.s) - used, "%s%s %.24s",
			 found > 0 ? ", " : "", name, ret_serial->s);
		found++;
	}
	if (found > 1)
		*ret_serial = names;
	return found <= 1;
}
