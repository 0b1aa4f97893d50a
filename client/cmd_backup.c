/* SPDX-License-Identifier: MIT */
/* cfdfuctl backup: a drone's flash into a DfuSe file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/params.h"
#include "client/remote.h"
#include "core/image.h"
#include "firmware/fw_dfuse.h"

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
ask_here(const struct session *s, const struct invocation *i, int fd, json_t **ret_reply)
{
	struct params p = params_new();

	params_argument(&p, "slot", i);
	params_switch(&p, "whole", i, "whole");
	return conn_ask_with(s, PROTO_METHOD("Backup"), &p, fd, ret_reply);
}

/* Descriptors cannot cross ssh: the file comes by that cfdfuctl's standard output. */
static int
ask_there(const struct session *s, const struct invocation *i, int fd)
{
	const char *words[8] = { "backup" };
	struct session plain = *s;
	size_t n = 1;

	plain.json = false;
	if (invocation_has(i, "whole"))
		words[n++] = "--whole";
	words[n++] = "--";
	words[n++] = i->args[0];
	words[n++] = "-";
	return remote_run(&plain, words, -1, fd);
}

static int
run(const struct session *s, const struct invocation *i)
{
	const char *path = i->args[1];
	json_t *reply = NULL;
	char bytes[32];
	int fd = -1, r = file_open_memory(&fd);

	if (r != 0)
		return r;
	r = s->host != NULL ? ask_there(s, i, fd) : ask_here(s, i, fd, &reply);
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
	.args = "SLOT FILE.dfu|-",
	.args_min = 2,
	.args_max = 2,
	.help = N_("a drone's flash into a DfuSe file"),
	.run = run,
	.options = { { "whole", 0, NULL, N_("all of it, with the boot loader") } },
};
