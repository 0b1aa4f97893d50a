/* SPDX-License-Identifier: MIT */
/*
 * The control interface as it runs: the server with its handlers (api.h), and the services that are
 * its own: rescue requests, and the streams of the status.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include <stdbool.h>

#include "cfdfu/util.h"

struct services;

/* work: as server_options.work.  0, or negative errno after having said why in the log. */
int control_open(struct services *sv, void (*work)(void *ctx, bool begins), void *ctx) MUST_CHECK;
void control_close(struct services *sv); /* also what is open in part */

#endif
