/* SPDX-License-Identifier: MIT */
/* cfdfud: options, event base, the application, exit status. */
#include "config.h"

#include <stdlib.h>

#include <event2/event.h>

#include "app/app.h"
#include "app/daemon.h"

int
main(int argc, char **argv)
{
	struct app_options options;
	struct event_base *base;
	struct app *app = NULL;
	int status = daemon_options(argc, argv, &options);

	if (status >= 0)
		return status;
	base = daemon_event_base();
	if (base == NULL)
		return EXIT_FAILURE;
	status = app_new(base, &options, &app) == 0 ? app_run(app) : EXIT_FAILURE;
	app_free(app);
	event_base_free(base);
	return status;
}
