/* SPDX-License-Identifier: MIT */
/*
 * Texts for the user, for a translator: N_() marks those that stand in tables, by gettext's
 * convention; those in calls are found by the function that prints them (tests/messages.sh).
 * There are no translations yet, so the mark is the text itself.
 */
#ifndef CLIENT_TRANSLATE_H
#define CLIENT_TRANSLATE_H

#define N_(text) text

#endif
