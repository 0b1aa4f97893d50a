/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/guess.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Letters to insert, drop, exchange or swap with their neighbour to make b of a: the restricted
 * Damerau-Levenshtein distance ("optimal string alignment").
 */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][GUESS_WORD_MAX + 1], na = strlen(a), nb = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	if (na > GUESS_WORD_MAX || nb > GUESS_WORD_MAX)
		return GUESS_WORD_MAX;
	for (size_t k = 0; k <= nb; k++)
		last[k] = k;
	for (size_t i = 1; i <= na; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t k = 1; k <= nb; k++) {
			now[k] = least(least(last[k], now[k - 1]) + 1,
				       last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb];
}

void
guess_add(struct guess *g, const char *known)
{
	size_t length = strlen(g->word), far = strlen(known), d;

	if (length == 0)
		return;
	/* WHY: the beginning of a word is as good as a typing error in it */
	d = length > 1 && strncasecmp(g->word, known, length) == 0 ? 1 : distance(g->word, known);
	if (d > 1 + least(length, far) / 4)
		return;
	if (g->nearest == NULL || d < g->distance) {
		g->nearest = known;
		g->distance = d;
	}
}

void
guess_text(const struct guess *g, const char *prefix, char dst[GUESS_TEXT_MAX])
{
	dst[0] = '\0';
	if (g->nearest != NULL)
		(void)snprintf(dst, GUESS_TEXT_MAX, "; did you mean \"%s%s\"?", prefix, g->nearest);
}
