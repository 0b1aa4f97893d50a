/* SPDX-License-Identifier: MIT */
/* All commands, in the order in which the help shows them; those of a subject in cmd_SUBJECT.c. */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

#include "client/command.h"

/* clang-format off */
#define COMMANDS(X) \
	X(status) X(watch) X(map) X(wait) X(plan) \
	X(firmware_add) X(firmware_list) X(firmware_show) X(firmware_select) \
	X(firmware_deselect) X(firmware_remove) X(firmware_release) \
	X(firmware_check) X(firmware_make) X(firmware_extract) \
	X(drone_list) X(drone_set) X(drone_assign) X(deck_list) X(deck_update) \
	X(identify) X(label) \
	X(pause) X(resume) X(restart) X(retry) \
	X(batch_start) X(batch_end) X(batch_list) X(batch_show) X(batch_report) X(stats) \
	X(history) X(show) X(port_release) X(platform_set) \
	X(recover_loader) X(backup) X(doctor) X(metrics) X(config)
/* clang-format on */

#define COMMAND_DECLARED(name) extern const struct command_desc cmd_##name;
COMMANDS(COMMAND_DECLARED)

/* With help, which stands beside it; NULL ends it. */
extern const struct command_desc *const commands[];

#endif
