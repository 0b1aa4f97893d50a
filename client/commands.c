/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/commands.h"

#include <stddef.h>

#define COMMAND_LISTED(name) &cmd_##name,

const struct command_desc *const commands[] = { COMMANDS(COMMAND_LISTED) NULL };
