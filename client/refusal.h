/* SPDX-License-Identifier: MIT */
/* Why the service would not start: what it says itself of its configuration. */
#ifndef CLIENT_REFUSAL_H
#define CLIENT_REFUSAL_H

#include <stdbool.h>

#define REFUSAL_MAX 512

/*
 * Asks the service's program on this machine to check the configuration.  True when it refuses it:
 * why has its own sentence, with file and line.  False when it takes it, when the program is not
 * there, and when we may not read what it reads.
 */
bool refusal_of_configuration(char why[REFUSAL_MAX]);

#endif
