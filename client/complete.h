/* SPDX-License-Identifier: MIT */
/*
 * Completion of a command line for shells: `cfdfuctl __complete WORD...`, the words after
 * "cfdfuctl" with the one at the cursor last, "" where it is not begun.  Not a command: its words
 * are another line's, with their options.
 */
#ifndef CLIENT_COMPLETE_H
#define CLIENT_COMPLETE_H

#include "client/command.h"

#define COMPLETE_WORD "__complete"

/*
 * Prints what may stand there, one a line, with a tab and a word of explanation where there is one;
 * a line that begins with a tab where it is a file; nothing where it is anything.  Slots, drones,
 * firmware and batches come from the station; nothing of it where it does not answer within
 * seconds.
 */
int complete_line(const struct command_desc *const *commands, int argc, char *const *argv);

#endif
