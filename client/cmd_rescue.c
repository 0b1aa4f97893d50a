/* SPDX-License-Identifier: MIT */
/* cfdfuctl backup: a drone's flash into a file.  recover-loader: its boot loader brought back. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "client/remote.h"
#include "firmware/fw.h"

/* A copy that cannot be read again is none: what came is read as `firmware add` will read it. */
static int
check(const uint8_t *bytes, size_t size)
{
	struct fw_input in = { .data = bytes, .size = size };
	struct fw_error error = { .offset = 0 };
	struct image *image = NULL;
	int r = fw_dfuse_load(&in, &image, NULL, &error);

	image_unref(image);
	if (r == 0)
		return 0;
	say_error("the service has sent what is no copy of a flash memory: %s", error.text);
	return EXIT_DRONE_FAILED;
}

/* The memory file that the service has filled, into the user's file. */
static int
keep(int fd, const char *path)
{
	struct stat st;
	void *bytes;
	int r;

	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		say_error("the service has sent nothing");
		return EXIT_DRONE_FAILED;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		say_error("cannot read what the service has sent: %s", strerror(errno));
		return EXIT_REFUSED;
	}
	r = check(bytes, (size_t)st.st_size);
	if (r == 0)
		r = file_write(path, bytes, (size_t)st.st_size);
	(void)munmap(bytes, (size_t)st.st_size); /* WHY: we end soon */
	return r;
}

static int
backup_here(const struct session *s, const struct invocation *i, int fd, json_t **ret_reply)
{
	struct params p = params_of(i);

	return conn_ask_with(s, i->command->method, &p, fd, ret_reply);
}

/* Descriptors cannot cross ssh: the file comes by that cfdfuctl's standard output. */
static int
backup_there(const struct session *s, const struct invocation *i, int fd)
{
	struct invocation there = *i;
	struct session plain = *s;
	char output[] = "-", *args[] = { i->args[0], output };

	plain.json = false;
	there.args = args;
	return remote_run(&plain, &there, -1, fd);
}

static int
run_backup(const struct session *s, const struct invocation *i)
{
	const char *path = i->args[1];
	json_t *reply = NULL;
	char bytes[32];
	int fd = -1, r = file_open_memory(&fd);

	if (r != 0)
		return r;
	r = s->host != NULL ? backup_there(s, i, fd) : backup_here(s, i, fd, &reply);
	if (r == 0)
		r = keep(fd, path);
	if (r == 0 && s->host == NULL && strcmp(path, "-") != 0) {
		format_number(bytes, sizeof(bytes), out_int(reply, "bytes"));
		if (s->json)
			out_json(reply);
		else
			printf("%s: %s bytes\n", path, bytes);
	}
	(void)close(fd);
	json_decref(reply);
	return r;
}

const struct command_desc cmd_backup = {
	.name = "backup",
	.live = true,
	.stations = STATIONS_ONE,
	.args = "SLOT FILE.dfu|-",
	.args_min = 2,
	.args_max = 2,
	.help = N_("a drone's flash into a DfuSe file"),
	.run = run_backup,
	.method = PROTO_METHOD("Backup"),
	.parameters = { { "slot" }, { "whole", "whole", PARAMETER_SWITCH } },
	.options = { { "whole", 0, NULL, N_("all of it, with the boot loader") } },
};

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
	struct params p = params_of(i);
	json_t *reply = NULL;
	int r;

	params_text(&p, "source_name", source != NULL ? source : d->source_name);
	params_text(&p, "source_sha256", d->source_sha256);
	r = firmware_file_send(s, d, i->command->method, &p, &reply);
	if (r == 0)
		r = print_ending(s, reply);
	json_decref(reply);
	return r;
}

static int
recover_there(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	struct invocation there = *i;

	invocation_set(&there, "image", "-");
	invocation_set(&there, "yes", "");
	return firmware_file_send_on(s, d, &there);
}

static int
run_recover(const struct session *s, const struct invocation *i)
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
	r = firmware_file_read_signature(s, i, &d);
	if (r == 0)
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
	.stations = STATIONS_ONE,
	.args = "SLOT",
	.args_min = 1,
	.args_max = 1,
	.help = N_("bring back a drone's boot loader (sector 0)"),
	.run = run_recover,
	.method = PROTO_METHOD("RecoverLoader"),
	.parameters = { { "slot" }, { "force", "force", PARAMETER_SWITCH } },
	.options = {
		{ "image", 'i', "FILE", N_("the boot loader: cf2loader.bin") },
		{ "yes", 'y', NULL, N_("do not ask") },
		{ "force", 'f', NULL, N_("also when the loader there looks healthy") },
		{ "signature", 0, "TEXT", N_("signature of what comes by standard input") },
		{ "source", 0, "NAME", N_("file name to record for what comes by standard input") },
	},
};
