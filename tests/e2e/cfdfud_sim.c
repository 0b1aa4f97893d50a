/* SPDX-License-Identifier: MIT */
/* cfdfud-sim: the daemon, whole and unchanged, over simulated drones in this process (port_sim.h
 * says how to steer them). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "app/app.h"
#include "app/daemon.h"
#include "sim/port_sim.h"

int
main(int argc, char **argv)
{
	struct app_options options;
	struct event_base *base;
	struct app *app = NULL;
	struct sim *sim = NULL;
	char error[256] = "";
	int status = daemon_options(argc, argv, &options);

	if (status >= 0)
		return status;
	base = daemon_event_base();
	if (base == NULL)
		return EXIT_FAILURE;
	status = EXIT_FAILURE;
	if (sim_start(base, &sim, error, sizeof(error)) < 0)
		fprintf(stderr, "cfdfud-sim: %s\n", error);
	else if (app_new(base, &options, &app) == 0)
		status = app_run(app);
	app_free(app);
	sim_stop(sim);
	event_base_free(base);
	return status;
}
