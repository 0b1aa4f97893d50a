/* SPDX-License-Identifier: MIT */
/* Which drone a word names: the slot that it is or was plugged into, or how its serial begins. */
#ifndef CLIENT_WHICH_H
#define CLIENT_WHICH_H

#include <jansson.h>

#include "client/out.h"

/*
 * The serial of the drone that word names among these slots; the word itself when it names none of
 * them: it may be a drone that is not here.  False when it names several: ret_serial has their
 * names.
 */
bool which_serial(const json_t *slots, const char *word, struct text *ret_serial);

#endif
