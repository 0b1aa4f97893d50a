/* SPDX-License-Identifier: MIT */
/* cfdfuctl: shows and steers the flashing station. */
#include "config.h"

#include <stdio.h>

#include "client/cells.h"
#include "client/command.h"
#include "client/out.h"
#include "client/page.h"
#include "client/remote.h"

/* WHY not live ones: what they print is wanted as it comes. */
static int
run(const struct session *s, const struct invocation *i, struct page *page)
{
	int status;

	if (s->bridge || i->command->live)
		page_end(page, PAGE_RAW);
	status = s->bridge ? remote_serve(s) : i->command->run(s, i);
	page_end(page, s->json || (!s->bridge && invocation_has(i, "csv")) ? PAGE_RAW
		       : s->no_pager					  ? PAGE_WRAPPED
									  : PAGE_PAGED);
	return status;
}

int
main(int argc, char **argv)
{
	struct session session;
	struct invocation invocation;
	struct page page;
	int status;

	cells_setup();
	page_begin(&page);
	if (command_parse(argc, argv, &session, &invocation, &status) == 0)
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
