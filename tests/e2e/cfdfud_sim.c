/* SPDX-License-Identifier: MIT */
/* cfdfud-sim: the daemon, whole and unchanged, over simulated drones in this process (port_sim.h
 * says how to steer them). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "app/arguments.h"
#include "app/daemon.h"
#include "ctl/server.h"
#include "sim/port_sim.h"

int
main(int argc, char **argv)
{
	struct daemon_options options;
	struct event_base *base;
	struct daemon *daemon = NULL;
	struct sim *sim = NULL;
	char error[256] = "";
	int status = arguments_read(argc, argv, &options);

	if (status >= 0)
		return status;
	base = server_base_new();
	if (base == NULL) {
		fprintf(stderr, "cfdfud: the event loop cannot be made\n");
		return EXIT_FAILURE;
	}
	status = EXIT_FAILURE;
	if (sim_start(base, &sim, error, sizeof(error)) < 0)
		fprintf(stderr, "cfdfud-sim: %s\n", error);
	else if (daemon_new(base, &options, &daemon) == 0)
		status = daemon_run(daemon);
	daemon_free(daemon);
	sim_stop(sim);
	event_base_free(base);
	return status;
}
