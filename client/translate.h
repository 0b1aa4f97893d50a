/* SPDX-License-Identifier: MIT */
/*
 * Marks of texts for the user, by gettext's convention: _() where the text is used, N_() in a
 * table.  There are no translations yet, so both are the text itself; `./dev messages` extracts the
 * marked texts with xgettext(1).
 */
#ifndef CLIENT_TRANSLATE_H
#define CLIENT_TRANSLATE_H

#define _(text) text
#define N_(text) text

#endif
