/* SPDX-License-Identifier: MIT */
/* cfdfuctl: shows and steers the flashing station. */
#include "config.h"

#include <signal.h>
#include <stdio.h>

#include "client/cells.h"
#include "client/command.h"
#include "client/out.h"
#include "client/remote.h"

int
main(int argc, char **argv)
{
	struct session session;
	struct invocation invocation;
	int status;

	cells_setup();
	if (command_parse(argc, argv, &session, &invocation, &status) == 0)
		status = session.bridge ? remote_serve(&session)
					: invocation.command->run(&session, &invocation);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("cannot write the output");
		if (status == EXIT_OK)
			status = EXIT_REFUSED;
	}
	return status;
}
