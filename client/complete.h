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
 * nothing where it is a file or anything.  Slots, drones, firmware and batches come from the
 * station; silence where it does not answer.
 */
int complete_line(const struct command_desc *const *commands, int argc, char *const *argv);

#endif
