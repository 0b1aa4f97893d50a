/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "app/settings.h"
#include "cfdfu/proto.h"

enum { STATUS_USAGE = 2 };

static const char usage[] =
    "Usage: cfdfud [OPTION]...\n"
    "Watches for Crazyflies on USB and flashes the selected firmware.\n"
    "\n"
    "  -c, --config FILE   read this file alone instead of " SYSCONFDIR "/cfdfud and its like\n"
    "  -d, --state DIR     records and firmware (default " LOCALSTATEDIR "/lib/cfdfud)\n"
    "  -s, --socket PATH   control socket (default " PROTO_SOCKET_PATH ")\n"
    "  -t, --test-config   check the configuration and exit\n"
    "      --reload        make the running service ($MAINPID) read its configuration again\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "See cfdfud(8), cfdfud.conf(5), cfdfuctl(1).\n";

static int
check_config(const struct daemon_options *o)
{
	struct settings *c = NULL;
	char error[SETTINGS_ERROR_MAX];
	int r = settings_load(o->config_file, NULL, &c, error);

	settings_free(c);
	if (r < 0)
		fprintf(stderr, "cfdfud: %s\n", error);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* WHY: the unit forbids to run kill(1); a bad configuration must fail the reload, not the service.
 */
static int
reload(const struct daemon_options *o)
{
	const char *text = getenv("MAINPID");
	long pid = text != NULL ? strtol(text, NULL, 10) : 0;

	if (check_config(o) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	if (pid <= 1 || kill((pid_t)pid, SIGHUP) < 0) {
		fprintf(stderr, "cfdfud: no running service to reload (%s)\n",
			pid <= 1 ? "MAINPID is not set" : strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

enum { OPTION_RELOAD = 256 };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },	{ "state", required_argument, NULL, 'd' },
	{ "socket", required_argument, NULL, 's' },	{ "test-config", no_argument, NULL, 't' },
	{ "reload", no_argument, NULL, OPTION_RELOAD }, { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },		{ NULL, 0, NULL, 0 },
};

int
arguments_read(int argc, char **argv, struct daemon_options *ret)
{
	int c, action = 0;

	*ret = (struct daemon_options){ .state_dir = LOCALSTATEDIR "/lib/cfdfud",
					.socket_path = PROTO_SOCKET_PATH };
	while ((c = getopt_long(argc, argv, "c:d:s:thV", options, NULL)) != -1) {
		if (c == 'c')
			ret->config_file = optarg;
		else if (c == 'd')
			ret->state_dir = optarg;
		else if (c == 's')
			ret->socket_path = optarg;
		else
			action = c;
	}
	if (action == 'h' || action == 'V') {
		(void)fputs(action == 'h' ? usage : "cfdfud " PACKAGE_VERSION "\n", stdout);
		return EXIT_SUCCESS;
	}
	if (action == '?' || optind < argc) {
		(void)fputs(usage, stderr);
		return STATUS_USAGE;
	}
	if (action == 't')
		return check_config(ret);
	return action == OPTION_RELOAD ? reload(ret) : -1;
}
