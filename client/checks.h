/* SPDX-License-Identifier: MIT */
/* Checks of this machine that need no service. */
#ifndef CLIENT_CHECKS_H
#define CLIENT_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Appends one object a finding: name, level ("ok", "warn", "fail"), text, fix (a command, or null),
 * as the type Check of the interface.  root: "" or a directory that stands for /, for tests.
 */
void checks_run(const char *root, bool service_answers, json_t *list);

#endif
