/* SPDX-License-Identifier: MIT */
/* cfdfuctl as users of git, systemctl and docker type it: help, slips of the keyboard, what is
 * missing and what is too much. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client_run.h"

static struct run r;
static const char *const no_replies[] = { NULL };

TEST(a_wrong_word_is_named_with_the_nearest_valid_one)
{
	static const struct {
		const char *words, *said;
	} rows[] = {
		{ "stauts", "unknown command: stauts; did you mean \"status\"?\n" },
		{ "stat", "unknown command: stat; did you mean \"status\"?\n" },
		{ "histroy", "unknown command: histroy; did you mean \"history\"?\n" },
		{ "frimware add x", "unknown command: frimware; did you mean \"firmware add\"?\n" },
		{ "firmware lst",
		  "unknown command: firmware lst; did you mean \"firmware list\"?\n" },
		{ "frobnicate", "unknown command: frobnicate\n" },
		{ "help stauts", "unknown command: stauts; did you mean \"status\"?\n" },
		{ "help firmware lst",
		  "unknown command: firmware lst; did you mean \"firmware list\"?\n" },
		{ "help status watch", "unexpected argument: watch\n" },
		{ "wait --timout 5", "unknown option: --timout; did you mean \"--timeout\"?\n" },
		{ "--jsn status", "unknown option: --jsn; did you mean \"--json\"?\n" },
		{ "retry --faild", "unknown option: --faild; did you mean \"--failed\"?\n" },
		{ "platform set 1-4 cf2l", "; did you mean \"cf2\"?\n" },
		{ "platform set 1-4 flaper", "other, none; did you mean \"flapper\"?\n" },
		{ "firmware deselect blot", "other; did you mean \"bolt\"?\n" },
		{ "history --verdict unchnged", "; did you mean \"unchanged\"?\n" },
		{ "platform set 1-4", "missing argument: PLATFORM|none\n" },
		{ "platform set", "missing argument: SLOT|SERIAL\n" },
		{ "firmware select", "missing argument: NAME\n" },
		{ "firmware show", "missing argument: NAME\n" },
		{ "backup 1-4", "missing argument: FILE.dfu|-\n" },
		{ "pause now", "unexpected argument: now\n" },
		{ "wait --timeout soon", "--timeout is a time such as 90s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		client_run(&r, rows[i].words, no_replies, NULL);
		if (r.status != EXIT_USAGE || strstr(r.err, rows[i].said) == NULL)
			fail_msg("\"%s\" exits with %d: %s", rows[i].words, r.status, r.err);
		assert_string_equal(r.out, "");
		assert_string_equal(r.requests, "");
	}
}

TEST(help_is_the_help_of_a_command)
{
	static const struct {
		const char *help, *option;
	} rows[] = { { "help", "--help" },
		     { "help status", "status --help" },
		     { "help firmware", "firmware --help" },
		     { "help firmware add", "firmware add --help" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct run other;

		client_run(&r, rows[i].help, no_replies, NULL);
		client_run(&other, rows[i].option, no_replies, NULL);
		assert_int_equal(r.status, EXIT_OK);
		assert_int_equal(other.status, EXIT_OK);
		assert_true(strlen(r.out) > 0);
		assert_string_equal(r.out, other.out);
	}
}

/* The client repeats the message of cfdfud --test-config, and advises no start that would fail. */
TEST(a_refused_configuration_is_said_as_the_service_says_it)
{
	static const char script[] = "#!/bin/sh\necho 'cfdfud: /etc/cfdfud/cfdfud.conf:3: unknown "
				     "key \"prots\"' >&2\nexit 1\n";
	const char *path = client_file("refuses", script, sizeof(script) - 1);

	assert_int_equal(chmod(path, 0755), 0);
	setenv("CFDFU_DAEMON", path, 1);
	client_run(&r, "status", NULL, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	assert_non_null(
	    strstr(r.err, "refused: /etc/cfdfud/cfdfud.conf:3: unknown key \"prots\"\n"));
	assert_null(strstr(r.err, "systemctl start"));
	client_run(&r, "doctor", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	assert_non_null(strstr(r.out, "cfdfud.conf:3: unknown key \"prots\""));
	assert_null(strstr(r.out, "systemctl enable"));
	setenv("CFDFU_DAEMON", "/bin/true", 1);
	client_run(&r, "status", NULL, NULL);
	assert_non_null(strstr(r.err, "systemctl start cfdfud"));
	unsetenv("CFDFU_DAEMON");
}

TEST_MAIN(NULL)
