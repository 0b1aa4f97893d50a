/* SPDX-License-Identifier: MIT */
/* cfdfuctl recover-loader: the boot loader brought back onto one drone. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "client/params.h"

/* On a terminal the word "yes" has to be typed; elsewhere it has to be said before. */
static bool
is_meant(const struct invocation *i, const struct firmware_file *d)
{
	char answer[16];

	if (invocation_has(i, "yes"))
		return true;
	if (!isatty(STDIN_FILENO)) {
		say_error("this replaces the boot loader; say --yes when you mean it");
		return false;
	}
	fprintf(stderr,
		"This erases the boot loader of the drone on slot %s and writes %s in its place.\n"
		"Do not unplug it until it has ended.  Go on? (yes/no) ",
		i->args[0], d->source_name);
	return fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0;
}

static int
print_ending(const struct session *s, const json_t *reply)
{
	struct text verdict = out_text(reply, "verdict"), message = out_text(reply, "message");
	bool good = strcmp(verdict.s, "pass") == 0 || strcmp(verdict.s, "unchanged") == 0 ||
		    strcmp(verdict.s, "needs-power-cycle") == 0;

	if (s->json)
		out_json(reply);
	else
		printf("%s: %s\n", verdict.s, message.s);
	return good ? EXIT_OK : EXIT_DRONE_FAILED;
}

static int
recover_here(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	const char *source = invocation_value(i, "source");
	struct params p = params_new();
	json_t *reply = NULL;
	int r;

	params_argument(&p, "slot", i);
	params_text(&p, "source_name", source != NULL ? source : d->source_name);
	params_text(&p, "source_sha256", d->source_sha256);
	params_switch(&p, "force", i, "force");
	r = firmware_file_send(s, d, PROTO_METHOD("RecoverLoader"), &p, &reply);
	if (r == 0)
		r = print_ending(s, reply);
	json_decref(reply);
	return r;
}

static int
recover_there(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	const char *words[16] = { "recover-loader", "--image",	"-",
				  "--yes",	    "--source", d->source_name };
	size_t n = 6;

	if (invocation_has(i, "force"))
		words[n++] = "--force";
	words[n++] = "--";
	words[n++] = i->args[0];
	return firmware_file_send_on(s, d, words);
}

static int
run(const struct session *s, const struct invocation *i)
{
	const struct firmware_options wanted = { .addr = CRAZYFLIE_LOADER_ADDR };
	const char *path = invocation_value(i, "image");
	struct firmware_file d;
	int r;

	if (path == NULL)
		return usage_error(i->command, "--image is needed: the file of the boot loader");
	r = firmware_file_open(s, path, &wanted, &d);
	if (r != 0)
		return r;
	r = firmware_file_judge(&d, true);
	if (r == 0 && !d.judgement.accepted)
		r = firmware_file_refuse(s, &d);
	if (r == 0 && !is_meant(i, &d))
		r = EXIT_REFUSED;
	if (r == 0)
		r = s->host != NULL ? recover_there(s, i, &d) : recover_here(s, i, &d);
	firmware_file_close(&d);
	return r;
}

const struct command_desc cmd_recover_loader = {
	.name = "recover-loader",
	.live = true,
	.args = "SLOT",
	.args_min = 1,
	.args_max = 1,
	.help = N_("bring back a drone's boot loader (sector 0)"),
	.run = run,
	.options = {
		{ "image", 'i', "FILE", N_("the boot loader: cf2loader.bin") },
		{ "yes", 'y', NULL, N_("do not ask") },
		{ "force", 'f', NULL, N_("also when the loader there looks healthy") },
		{ "source", 0, "NAME", N_("file name to record for what comes by standard input") },
	},
};
