/* SPDX-License-Identifier: MIT */
/* cfdfud: options, event base, the daemon, exit status. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "app/arguments.h"
#include "app/daemon.h"
#include "ctl/server.h"

int
main(int argc, char **argv)
{
	struct daemon_options options;
	struct event_base *base;
	struct daemon *daemon = NULL;
	int status = arguments_read(argc, argv, &options);

	if (status >= 0)
		return status;
	base = server_base_new();
	if (base == NULL) {
		fprintf(stderr, "cfdfud: the event loop cannot be made\n");
		return EXIT_FAILURE;
	}
	status = daemon_new(base, &options, &daemon) == 0 ? daemon_run(daemon) : EXIT_FAILURE;
	daemon_free(daemon);
	event_base_free(base);
	return status;
}
