/* SPDX-License-Identifier: MIT */
/* "did you mean": the known word that is nearest to one that is not known. */
#ifndef CLIENT_GUESS_H
#define CLIENT_GUESS_H

#include <stddef.h>

#define GUESS_WORD_MAX 64  /* bytes; longer words are near to nothing */
#define GUESS_TEXT_MAX 128 /* of guess_text() */

struct guess {
	const char *word;    /* not known; borrowed */
	const char *nearest; /* borrowed from guess_add(); NULL: none is near */
	size_t distance;
};

/* Looks at one more known word. */
void guess_add(struct guess *g, const char *known);

/* "; did you mean \"status\"?" with the prefix before the word, or "". */
void guess_text(const struct guess *g, const char *prefix, char dst[GUESS_TEXT_MAX]);

#endif
