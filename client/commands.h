/* SPDX-License-Identifier: MIT */
/* The descriptor of each command; each lives in its own file, cmd_<verb>.c. */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

struct command_desc;

/* All of them, in the order in which the help shows them; NULL ends it. */
extern const struct command_desc *const commands[];

extern const struct command_desc cmd_status, cmd_watch, cmd_wait, cmd_plan;
extern const struct command_desc cmd_firmware_add, cmd_firmware_list, cmd_firmware_show;
extern const struct command_desc cmd_firmware_select, cmd_firmware_deselect, cmd_firmware_remove;
extern const struct command_desc cmd_firmware_release;
extern const struct command_desc cmd_firmware_check, cmd_firmware_make, cmd_firmware_extract;
extern const struct command_desc cmd_pause, cmd_resume, cmd_retry;
extern const struct command_desc cmd_history, cmd_show;
extern const struct command_desc cmd_port_release, cmd_platform_set;
extern const struct command_desc cmd_recover_loader, cmd_backup, cmd_doctor, cmd_config;
extern const struct command_desc cmd_help;

#endif
