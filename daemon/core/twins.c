/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/twins.h"

#include "core/radio_block.h"

bool
twins_match(const struct slot *s, const struct radio_block *of)
{
	const struct radio_block *b = &s->ending.shown.condition.radio;

	return s->present && b->read && of->read && radio_block_collides(b, of);
}

void
twins_find(const struct slots *ss, const struct radio_block *of, struct twins *ret_twins)
{
	memset(ret_twins, 0, sizeof(*ret_twins));
	for (unsigned i = 0; of->read && i < ss->count; i++) {
		if (!twins_match(&ss->list[i], of))
			continue;
		if (ret_twins->count < TWINS_NAMED)
			ret_twins->slot[ret_twins->count] = i;
		ret_twins->count++;
	}
}

void
twins_words(const struct slots *ss, const struct twins *t, unsigned slot, char *ret_words,
	    size_t size)
{
	unsigned named = 0, others = 0;

	ret_words[0] = '\0';
	/* WHY without their number: a rack of new drones would tell of each one again and again. */
	for (unsigned i = 0; i < TWINS_NAMED && i < t->count; i++) {
		size_t used = strlen(ret_words);

		if (t->slot[i] == slot || named == TWINS_NAMED - 1)
			continue;
		(void)snprintf(ret_words + used, size - used, "%s%s", named > 0 ? ", " : "",
			       ss->list[t->slot[i]].sighting.port);
		named++;
	}
	others = t->count > 0 ? t->count - 1 : 0;
	if (others > named) {
		size_t used = strlen(ret_words);

		(void)snprintf(ret_words + used, size - used, " and others");
	}
}
