/* SPDX-License-Identifier: MIT */
/* The table of commands, in the order in which the help shows them. */
#include "config.h"

#include "client/commands.h"

#include "client/command.h"

const struct command_desc *const commands[] = {
	&cmd_status,
	&cmd_watch,
	&cmd_wait,
	&cmd_plan,
	&cmd_firmware_add,
	&cmd_firmware_list,
	&cmd_firmware_show,
	&cmd_firmware_select,
	&cmd_firmware_deselect,
	&cmd_firmware_remove,
	&cmd_firmware_release,
	&cmd_firmware_check,
	&cmd_firmware_make,
	&cmd_firmware_extract,
	&cmd_pause,
	&cmd_resume,
	&cmd_retry,
	&cmd_history,
	&cmd_show,
	&cmd_port_release,
	&cmd_platform_set,
	&cmd_recover_loader,
	&cmd_backup,
	&cmd_doctor,
	&cmd_config,
	&cmd_help,
	NULL,
};
