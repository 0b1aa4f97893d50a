/* SPDX-License-Identifier: MIT */
/* Patterns for ports, as the configuration has them: what no port can match. */
#ifndef APP_PORT_GLOB_H
#define APP_PORT_GLOB_H

#include <stdbool.h>

/* "1-4.2": a bus, and ports down to the drone. */
bool port_glob_is_path(const char *text);

/* Each [ has its ] with something between, and a ! stands only there: else no port matches. */
bool port_glob_has_whole_brackets(const char *glob);

#endif
