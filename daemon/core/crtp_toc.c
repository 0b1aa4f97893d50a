/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cfdfu/util.h"
#include "core/crtp_internal.h"

enum {
	ITEMS_MAX = 2000, /* LIMIT: variables of a firmware; 305 and 482 in 2026.08 */
	PLACES_NEAR = 16, /* LIMIT: looked at while a verdict waits; each takes 2 ms */
};

/* SPEC: their numbers in 2026.08 (doc/beyond-dfu.md 11); in other builds they are near. */
static const struct {
	uint8_t header;
	const char *group, *name;
	uint8_t bytes;
	uint16_t hint;
} variables[CRTP_VARIABLE_COUNT] = {
	[CRTP_REVISION0] = { CRTP_HEADER_PARAM_TOC, "firmware", "revision0", 4, 302 },
	[CRTP_REVISION1] = { CRTP_HEADER_PARAM_TOC, "firmware", "revision1", 2, 303 },
	[CRTP_MODIFIED] = { CRTP_HEADER_PARAM_TOC, "firmware", "modified", 1, 304 },
	[CRTP_SELFTEST_PASSED] = { CRTP_HEADER_PARAM_TOC, "system", "selftestPassed", 1, 67 },
	[CRTP_VBAT_MV] = { CRTP_HEADER_LOG_TOC, "pm", "vbatMV", 2, 426 },
	[CRTP_PM_STATE] = { CRTP_HEADER_LOG_TOC, "pm", "state", 1, 431 },
};

uint8_t
crtp_variable_bytes(enum crtp_variable v)
{
	return variables[v].bytes;
}

/* ---- what is known of tables ---------------------------------------------------------------- */

static struct crtp_toc *
find_toc(struct crtp_tocs *tocs, uint8_t header, uint32_t crc)
{
	for (size_t i = 0; tocs != NULL && i < ARRAY_LEN(tocs->toc); i++)
		if (tocs->toc[i].header == header && tocs->toc[i].crc == crc)
			return &tocs->toc[i];
	return NULL;
}

static void
learn(struct crtp *c)
{
	struct crtp_toc *known = find_toc(c->tocs, c->scan.toc.header, c->scan.toc.crc);

	if (c->tocs == NULL)
		return;
	if (known == NULL) {
		known = &c->tocs->toc[c->tocs->next];
		c->tocs->next = (c->tocs->next + 1) % ARRAY_LEN(c->tocs->toc);
	}
	*known = c->scan.toc;
}

/* Its number in another build that is known, or in 2026.08. */
static unsigned
number_elsewhere(const struct crtp *c, unsigned v)
{
	for (size_t i = 0; c->tocs != NULL && i < ARRAY_LEN(c->tocs->toc); i++)
		if (c->tocs->toc[i].header == variables[v].header &&
		    c->tocs->toc[i].is[v] == CRTP_HERE)
			return c->tocs->toc[i].id[v];
	return variables[v].hint;
}

/* Where the search begins: as far from a variable of its group that is found as elsewhere. */
static uint16_t
hint_of(const struct crtp *c, enum crtp_variable v)
{
	const struct crtp_toc *t = &c->scan.toc;

	for (unsigned i = 0; i < CRTP_VARIABLE_COUNT; i++)
		if (t->is[i] == CRTP_HERE && strcmp(variables[i].group, variables[v].group) == 0)
			return (uint16_t)(t->id[i] + number_elsewhere(c, v) -
					  number_elsewhere(c, i));
	return (uint16_t)number_elsewhere(c, v);
}

/* ---- the search ----------------------------------------------------------------------------- */

/* The nth item outwards from the hint; count: there is none so far out on that side. */
static unsigned
outwards(unsigned hint, unsigned nth, unsigned count)
{
	unsigned distance = (nth + 1) / 2;

	if (hint >= count)
		hint = count - 1;
	if (nth % 2 == 1)
		return distance < count - hint ? hint + distance : count;
	return distance <= hint ? hint - distance : count;
}

/* One more item of the table, for this variable; DONE: all were looked at; GIVEN_UP: all near. */
static enum crtp_turn
look_further(struct crtp *c, enum crtp_variable v)
{
	struct crtp_scan *s = &c->scan;
	bool near = c->hurried && s->toc.header == CRTP_HEADER_LOG_TOC;

	if (s->variable != v || s->nth == 0) {
		s->variable = (uint8_t)v;
		s->nth = 0;
		s->hint = hint_of(c, v);
	}
	while (s->nth < 2 * s->toc.count) {
		unsigned item = outwards(s->hint, s->nth, s->toc.count);
		const uint8_t data[] = { 0x02, (uint8_t)item, (uint8_t)(item >> 8) };

		if (near && s->nth == PLACES_NEAR)
			return TURN_GIVEN_UP;
		s->nth++;
		if (item < s->toc.count)
			return crtp_put(c, QUESTION_ITEM, data, sizeof(data));
	}
	return TURN_DONE;
}

enum crtp_turn
crtp_toc_next(struct crtp *c, unsigned wanted)
{
	struct crtp_scan *s = &c->scan;
	uint8_t header = CRTP_HEADER_LOG_TOC;
	enum crtp_turn turn;

	if ((wanted & BIT(CRTP_VBAT_MV)) == 0)
		header = CRTP_HEADER_PARAM_TOC;
	if (s->toc.header != header) {
		memset(s, 0, sizeof(*s));
		s->toc.header = header;
		return crtp_put(c, QUESTION_TOC, (const uint8_t[]){ 0x03 }, 1);
	}
	for (unsigned v = 0; v < CRTP_VARIABLE_COUNT; v++) {
		if ((wanted & BIT(v)) == 0 || s->toc.is[v] != CRTP_UNSOUGHT)
			continue;
		turn = look_further(c, v);
		if (turn != TURN_DONE)
			return turn;
		for (unsigned i = 0; i < CRTP_VARIABLE_COUNT; i++)
			if (s->toc.is[i] == CRTP_UNSOUGHT)
				s->toc.is[i] = CRTP_ABSENT;
	}
	learn(c);
	return TURN_DONE;
}

bool
crtp_toc_head(struct crtp *c, const uint8_t *p, size_t length)
{
	struct crtp_toc *t = &c->scan.toc;
	const struct crtp_toc *known = find_toc(c->tocs, t->header, get_le32(p + 4));

	(void)length;
	if (known != NULL) {
		*t = *known;
		return true;
	}
	t->crc = get_le32(p + 4);
	t->count = get_le16(p + 2);
	if (t->count > ITEMS_MAX)
		t->count = ITEMS_MAX;
	return true;
}

/* "20 02 id id type group\0name\0".  Remembers it when it is one of ours. */
bool
crtp_toc_item(struct crtp *c, const uint8_t *p, size_t length)
{
	struct crtp_toc *t = &c->scan.toc;
	const char *group = (const char *)p + 5;
	size_t room = length - 5;
	size_t n = strnlen(group, room);

	if (n + 1 >= room || strnlen(group + n + 1, room - n - 1) == room - n - 1)
		return true; /* not terminated: a name that was cut is not one of ours */
	for (unsigned i = 0; i < CRTP_VARIABLE_COUNT; i++) {
		if (variables[i].header != t->header || strcmp(group, variables[i].group) != 0 ||
		    strcmp(group + n + 1, variables[i].name) != 0)
			continue;
		t->id[i] = get_le16(p + 2);
		t->is[i] = CRTP_HERE;
	}
	return true;
}
