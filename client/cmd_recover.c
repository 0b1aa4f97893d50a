/* SPDX-License-Identifier: MIT */
/* cfdfuctl recover-loader: the boot loader brought back onto one drone. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/firmware_file.h"
#include "client/file.h"
#include "client/out.h"
#include "client/params.h"
#include "client/remote.h"
#include "firmware/fw_make.h"

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
set_parameters(json_t *parameters, const struct invocation *i, const struct firmware_file *d)
{
	const char *source = invocation_value(i, "source");
	int r = params_text(parameters, "slot", i->args[0]);

	if (r == 0)
		r = params_text(parameters, "source_name",
				source != NULL ? source : d->source_name);
	if (r == 0)
		r = params_text(parameters, "source_sha256", d->source_sha256);
	return r == 0 ? params_switch(parameters, "force", i, "force") : r;
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
	json_t *parameters = json_object(), *reply = NULL;
	struct conn *c = NULL;
	uint8_t *file = NULL;
	size_t bytes = 0;
	int fd = -1, r = set_parameters(parameters, i, d);

	if (r == 0 && fw_make_from_image(d->image, &file, &bytes) < 0) {
		say_error("out of memory");
		r = EXIT_REFUSED;
	}
	if (r == 0)
		r = file_seal(file, bytes, &fd);
	if (r == 0)
		r = conn_open(s, &c);
	if (r == 0)
		r = conn_call(c, PROTO_METHOD("RecoverLoader"), json_incref(parameters), fd,
			      &reply);
	if (r == 0)
		r = print_ending(s, reply);
	if (fd >= 0)
		(void)close(fd); /* WHY: the service has its own by now */
	free(file);
	conn_close(c);
	json_decref(reply);
	json_decref(parameters);
	return r;
}

static int
recover_there(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	const char *words[16] = { "recover-loader", "--image", "-", "--yes", "--source" };
	size_t n = 5;
	int fd = -1, r;

	words[n++] = d->source_name;
	if (invocation_has(i, "force"))
		words[n++] = "--force";
	words[n++] = "--";
	words[n++] = i->args[0];
	r = file_seal(d->data, d->bytes, &fd);
	if (r == 0)
		r = remote_run(s, words, fd, -1);
	if (fd >= 0)
		(void)close(fd);
	return r;
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
	.help = "bring back a drone's boot loader (sector 0)",
	.run = run,
	.options = {
		{ "image", 'i', "FILE", "the boot loader: cf2loader.bin" },
		{ "yes", 'y', NULL, "do not ask" },
		{ "force", 'f', NULL, "also when the loader there looks healthy" },
		{ "source", 0, "NAME", "file name to record for what comes by standard input" },
	},
};
