/* SPDX-License-Identifier: MIT */
/* Runs the real cfdfuctl against a service that answers what the test says. */
#include "config.h"

#include "client_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/util.h"
#include "fixtures/mkimage.h"

#define ARGS_MAX 64
#define PATIENCE_MS 120000

static char directory[64];
static char socket_path[108];

static void
remove_all(void)
{
	char command[128];

	if (directory[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	(void)!system(command);
}

const char *
client_directory(void)
{
	if (directory[0] == '\0') {
		copy_text(directory, sizeof(directory), "/tmp/cfdfu-client-XXXXXX");
		assert_non_null(mkdtemp(directory));
		atexit(remove_all);
	}
	return directory;
}

const char *
client_program(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int up = 0; up < 3; up++) /* BUILD/tests/unit/test_client */
		*strrchr(self, '/') = '\0';
	assert_true((size_t)snprintf(path, sizeof(path), "%s/cfdfuctl", self) < sizeof(path));
	return path;
}

const char *
client_socket(void)
{
	snprintf(socket_path, sizeof(socket_path), "%s/socket", client_directory());
	return socket_path;
}

const char *
client_file(const char *name, const void *bytes, size_t count)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", client_directory(), name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, count, f), count);
	assert_int_equal(fclose(f), 0);
	return path;
}

int
client_listen(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	copy_text(sa.sun_path, sizeof(sa.sun_path), client_socket());
	(void)unlink(sa.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* Temporary files take the outputs: nothing to drain while the service is played. */
static int
make_output(void)
{
	int fd = open(client_directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static pid_t
start(char *const *args, int in, int out, int err)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(99);
	setenv("TZ", "UTC", 1);
	setenv("TERM", "xterm", 1);
	unsetenv("CFDFU_SOCKET");
	execv(args[0], args);
	_exit(98);
}

/* The copy of a flash memory of six bytes: CLIENT_BACKUP_BYTES. */
static void
fill_backup(int file)
{
	const struct mkimage_spec spec = { 0 };
	uint8_t *bytes = NULL;
	size_t size = 0;

	assert_int_equal(
	    mkimage_wrap(&spec, MKIMAGE_DFU, (const uint8_t *)"BACKUP", 6, &bytes, &size), 0);
	assert_int_equal(size, CLIENT_BACKUP_BYTES);
	assert_int_equal(pwrite(file, bytes, size, 0), (ssize_t)size);
	free(bytes);
}

/* One request (without its NUL) appended to the log; false at the client's end. */
static bool
hear(struct run *r, int fd)
{
	size_t used = strlen(r->requests);

	for (;;) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec v = { r->requests + used, 1 };
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control.bytes,
				    .msg_controllen = sizeof(control.bytes) };
		struct cmsghdr *h;
		ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

		if (n <= 0)
			return false;
		h = CMSG_FIRSTHDR(&m);
		if (h != NULL && h->cmsg_type == SCM_RIGHTS) {
			struct stat st;
			int file;

			memcpy(&file, CMSG_DATA(h), sizeof(file));
			assert_int_equal(fstat(file, &st), 0);
			r->file_bytes = (size_t)st.st_size;
			if (r->file_bytes == 0) /* to be filled: a backup */
				fill_backup(file);
			else
				assert_true(pread(file, r->file, sizeof(r->file), 0) > 0);
			close(file);
		}
		if (r->requests[used] == '\0')
			break;
		assert_true(++used < sizeof(r->requests) - 2);
	}
	r->requests[used] = '\n';
	return true;
}

/* Accepts, hears and answers until the client has ended. */
static void
play_service(struct run *r, int listener, const char *const *replies, pid_t pid)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int fd = -1, wait_status = 0;

	p[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(p[1].fd >= 0);
	for (;;) {
		p[0].fd = fd >= 0 ? fd : listener;
		if (poll(p, 2, PATIENCE_MS) <= 0)
			break;
		if (p[0].revents == 0) {
			assert_int_equal(waitpid(pid, &wait_status, 0), pid);
			r->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
							   : 128 + WTERMSIG(wait_status);
			close(p[1].fd);
			if (fd >= 0)
				close(fd);
			return;
		}
		if (fd < 0) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			continue;
		}
		if (!hear(r, fd) || *replies == NULL) {
			close(fd);
			fd = -1;
			continue;
		}
		do
			(void)!send(fd, *replies, strlen(*replies) + 1, MSG_NOSIGNAL);
		while (strstr(*replies++, "\"continues\":true") != NULL && *replies != NULL);
	}
	kill(pid, SIGKILL);
	fail_msg("cfdfuctl has not ended");
}

static void
collect(int fd, char *text)
{
	ssize_t n = pread(fd, text, RUN_OUTPUT_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

void
client_run_args(struct run *ret_run, char *const *args, const char *const *replies,
		const char *input)
{
	int listener = replies != NULL ? client_listen() : -1;
	int in = make_output(), out = make_output(), err = make_output();

	memset(ret_run, 0, sizeof(*ret_run));
	if (input != NULL)
		assert_int_equal(pwrite(in, input, strlen(input), 0), strlen(input));
	if (listener < 0)
		(void)unlink(client_socket());
	play_service(ret_run, listener, replies, start(args, in, out, err));
	if (listener >= 0)
		close(listener);
	close(in);
	collect(out, ret_run->out);
	collect(err, ret_run->err);
}

void
client_run(struct run *ret_run, const char *words, const char *const *replies, const char *input)
{
	static char program[PATH_MAX], option[] = "--socket";
	char line[2048], *args[ARGS_MAX], *save = NULL;
	size_t n = 0;

	copy_text(program, sizeof(program), client_program());
	args[n++] = program;
	args[n++] = option;
	(void)client_socket();
	args[n++] = socket_path;
	copy_text(line, sizeof(line), words);
	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		args[n++] = w;
	args[n] = NULL;
	client_run_args(ret_run, args, replies, input);
}
