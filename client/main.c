/* SPDX-License-Identifier: MIT */
/* cfdfuctl: shows and steers the flashing station. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cells.h"
#include "client/commands.h"
#include "client/complete.h"
#include "client/hosts.h"
#include "client/many.h"
#include "client/out.h"
#include "client/page.h"
#include "client/remote.h"

/* WHY not live ones: their output must appear at once. */
static int
run(const struct session *s, const struct invocation *i, struct page *page)
{
	bool raw;
	int status;

	if (s->bridge || i->command->live)
		page_end(page, PAGE_RAW);
	if (s->bridge)
		status = remote_serve(s);
	else if (s->hosts->count > 1 && i->command->stations != STATIONS_OWN)
		status = many_run(s, i);
	else
		status = i->command->run(s, i);
	raw = s->json || (!s->bridge && (invocation_has(i, "csv") || invocation_has(i, "html")));
	page_end(page, raw ? PAGE_RAW : s->no_pager ? PAGE_WRAPPED : PAGE_PAGED);
	return status;
}

/* The other end of -H: the words of the command are on the standard input.  0 or an exit status. */
static int
take_arguments(int *argc, char ***argv, struct arguments *words)
{
	int r;

	if (*argc != 2 || strcmp((*argv)[1], REMOTE_ARGUMENTS) != 0)
		return 0;
	r = remote_take_arguments(STDIN_FILENO, (*argv)[0], words);
	if (r < 0) {
		say_error("no command on the standard input: %s", strerror(-r));
		return EXIT_USAGE;
	}
	*argc = words->argc;
	*argv = words->argv;
	return 0;
}

int
main(int argc, char **argv)
{
	struct arguments words;
	struct hosts hosts = { .count = 0 };
	struct session session = { .commands = commands, .hosts = &hosts };
	struct invocation invocation;
	struct page page;
	int status;

	cells_setup();
	if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0)
		return complete_line(commands, argc - 2, argv + 2);
	page_begin(&page);
	status = take_arguments(&argc, &argv, &words);
	if (status == 0 && command_parse(argc, argv, &session, &invocation, &status) == 0)
		status = run(&session, &invocation, &page);
	else
		page_end(&page, PAGE_WRAPPED);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("cannot write the output");
		if (status == EXIT_OK)
			status = EXIT_REFUSED;
	}
	return status;
}
