/* SPDX-License-Identifier: MIT */
/* ctl/server: contract towards handlers and good clients; descriptors; the listening socket. */
#include "config.h"

#include "ctl/server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "server_world.h"

TEST_SET_UP(a_call_is_answered)
{
	struct world *w = *state;
	int fd = join(w);

	say_and_hear(w, fd, CALL_WITH("Echo", "{\"text\":\"x\",\"n\":1}"),
		     "{\"parameters\":{\"text\":\"x\",\"n\":1}}");
	say_and_hear(w, fd, CALL_WITH("Echo", "{\"text\":null}"), "{\"parameters\":{}}");
	say_and_hear(w, fd, CALL("Nothing"), ERROR("Failed", "{\"reason\":\"out of memory\"}"));
	say_and_hear(w, fd, CALL_WITH("Invalid", "{\"text\":\"?\"}"),
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"text\"}"));
	assert_int_equal(w->handled, 4);
	close(fd);
	turn(w);
	assert_int_equal(server_client_count(w->server), 0);
}

TEST_SET_UP(the_service_describes_itself)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
	assert_non_null(strstr(hear(w, fd), "\"version\":\"1.2.3\""));
	say(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		"{\"interface\":\"org.varlink.service\"}}");
	assert_non_null(strstr(hear(w, fd), "interface org.varlink.service"));
	say_and_hear(w, fd,
		     "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		     "{\"interface\":\"x.y\"}}",
		     SERVICE_ERROR("InterfaceNotFound", "{\"interface\":\"x.y\"}"));
	say_and_hear(w, fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}",
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"interface\"}"));
	say_and_hear(w, fd, "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"q\":1}}",
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"q\"}"));
	close(fd);
}

TEST_SET_UP(unknown_methods_and_parameters_are_refused_by_name)
{
	struct world *w = *state;
	int fd = join(w);

	say_and_hear(
	    w, fd, CALL("Teleport"),
	    SERVICE_ERROR("MethodNotFound", "{\"method\":\"org.cfdfu.Station.Teleport\"}"));
	say_and_hear(w, fd, "{\"method\":\"org.other.Thing.Do\"}",
		     SERVICE_ERROR("InterfaceNotFound", "{\"interface\":\"org.other.Thing\"}"));
	say_and_hear(w, fd, CALL_WITH("Echo", "{\"colour\":\"red\"}"),
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"colour\"}"));
	say_and_hear(w, fd, CALL_WITH("Echo", "{\"text\":1}"),
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"text\"}"));
	say_and_hear(w, fd, CALL_WITH("Echo", "{\"n\":-1}"),
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"n\"}"));
	say_and_hear(w, fd, CALL("Invalid"),
		     SERVICE_ERROR("InvalidParameter", "{\"parameter\":\"text\"}"));
	say_and_hear(w, fd, CALL("Stream"), SERVICE_ERROR("ExpectedMore", "{}"));
	say_and_hear(
	    w, fd, "{\"method\":\"org.cfdfu.Station.Echo\",\"upgrade\":true}",
	    SERVICE_ERROR("MethodNotImplemented", "{\"method\":\"org.cfdfu.Station.Echo\"}"));
	assert_int_equal(w->handled, 0);
	close(fd);
}

TEST_SET_UP(an_invalid_call_is_answered_and_the_connection_closed)
{
	struct world *w = *state;
	static const char *const bad[] = { "{", "[[[[", "{\"method\":\"a.B\",\"method\":\"a.B\"}",
					   "GET / HTTP/1.1", "" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int fd = join(w);

		say(fd, bad[i]);
		assert_non_null(strstr(hear(w, fd), "org.cfdfu.Station.Refused"));
		assert_string_equal(hear(w, fd), "EOF");
		close(fd);
	}
	assert_int_equal(server_client_count(w->server), 0);
}

TEST_SET_UP(requests_in_one_write_are_all_answered_in_order)
{
	struct world *w = *state;
	int fd = join(w);
	char text[TEXT_MAX];
	const char *at;
	size_t used = 0;

	for (int i = 0; i < 60; i++)
		used += (size_t)sprintf(text + used, CALL_WITH("Echo", "{\"n\":%d}"), i) + 1;
	assert_int_equal(send(fd, text, used, 0), used);
	at = hear(w, fd);
	for (int i = 0; i < 60; i++) {
		sprintf(text, "{\"parameters\":{\"n\":%d}}", i);
		assert_string_equal(at, text);
		at += strlen(at) + 1;
	}
	close(fd);
}

TEST_SET_UP(oneway_calls_have_no_answer)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, "{\"method\":\"org.cfdfu.Station.Change\",\"oneway\":true}");
	say(fd, "{\"method\":\"org.cfdfu.Station.Nowhere\",\"oneway\":true}");
	say(fd, "{\"method\":\"org.varlink.service.GetInfo\",\"oneway\":true}");
	assert_string_equal(hear(w, fd), "NOTHING");
	assert_int_equal(w->handled, 1);
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	close(fd);
}

/* Nothing would be told and nothing changed: the work is not done. */
TEST_SET_UP(oneway_calls_that_only_look_are_dropped)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, "{\"method\":\"org.cfdfu.Station.Echo\",\"oneway\":true}");
	say(fd, "{\"method\":\"org.cfdfu.Station.Stream\",\"oneway\":true}");
	say(fd, "{\"method\":\"org.cfdfu.Station.Stream\",\"oneway\":true,\"more\":true}");
	say(fd, "{\"method\":\"org.cfdfu.Station.Ignore\",\"oneway\":true}");
	assert_string_equal(hear(w, fd), "NOTHING");
	assert_int_equal(w->handled, 0);
	assert_null(w->pending);
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	close(fd);
}

TEST_SET_UP(a_deferred_answer_comes_before_the_next_request)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, CALL("Defer"));
	say(fd, CALL("Echo"));
	assert_string_equal(hear(w, fd), "NOTHING");
	assert_int_equal(w->handled, 1);
	assert_string_equal(call_method(w->pending), PROTO_METHOD("Defer"));
	assert_int_equal(call_peer(w->pending)->pid, getpid());
	call_refuse(w->pending, PROTO_ERROR("Busy"), "wait for %s\x1b", "port 1");
	w->pending = NULL;
	assert_string_equal(hear(w, fd), ERROR("Busy", "{\"reason\":\"wait for port 1?\"}"));
	assert_int_equal(w->handled, 2);
	close(fd);
}

TEST_SET_UP(the_owner_hears_of_a_client_that_left)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, CALL("Defer"));
	turn(w);
	assert_non_null(w->pending);
	close(fd);
	turn(w);
	assert_int_equal(w->gone, 1);
	assert_null(w->pending);
	assert_int_equal(server_client_count(w->server), 0);
}

TEST_SET_UP(a_client_that_says_no_more_still_gets_its_answers)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, CALL("Defer"));
	shutdown(fd, SHUT_WR);
	turn(w);
	assert_int_equal(w->gone, 0);
	call_reply(w->pending, json_object());
	assert_string_equal(hear(w, fd), "{\"parameters\":{}}");
	assert_string_equal(hear(w, fd), "EOF");
	close(fd);
}

static void
send_with_fds(int fd, const char *text, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec v = { (void *)(uintptr_t)text, strlen(text) + 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), strlen(text) + 1);
}

static int
memory_file(const char *text, unsigned seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#define SEALED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

TEST_SET_UP(a_sealed_file_crosses_the_socket)
{
	struct world *w = *state;
	int fd = join(w), file = memory_file("twelve bytes", SEALED);

	send_with_fds(fd, CALL("File"), &file, 1);
	assert_string_equal(hear(w, fd), "{\"parameters\":{\"bytes\":12}}");
	/* Each file finds its own request, also when requests without one surround it. */
	say(fd, CALL("Echo"));
	send_with_fds(fd, CALL("File"), &file, 1);
	send_with_fds(fd, CALL("File"), &file, 1);
	say(fd, CALL("File"));
	turn(w);
	assert_int_equal(w->handled, 4);
	close(file);
	close(fd);
}

TEST_SET_UP(other_descriptors_are_refused)
{
	struct world *w = *state;
	int files[] = { memory_file("not sealed", 0), open("/etc/passwd", O_RDONLY),
			memory_file("", SEALED), open("/", O_RDONLY) };
	int fd = join(w);

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		send_with_fds(fd, CALL("File"), &files[i], 1);
		assert_non_null(strstr(hear(w, fd), "BadDescriptor"));
		close(files[i]);
	}
	say(fd, CALL("File"));
	assert_non_null(strstr(hear(w, fd), "needs a file's descriptor"));
	close(fd);
}

/* C10 */
/* The audit gets request and outcome of each call that changes something, and of no other. */
TEST_SET_UP(the_owner_hears_what_became_of_a_change)
{
	struct world *w = *state;
	int file = memory_file("not sealed", 0), fd = join(w);

	say(fd, CALL("Echo"));
	(void)hear(w, fd);
	assert_int_equal(w->done + w->refused, 0);
	say(fd, "{\"method\":\"org.cfdfu.Station.Change\",\"parameters\":{\"text\":\"A3\"}}");
	(void)hear(w, fd);
	assert_int_equal(w->done, 1);
	assert_string_equal(w->changed_text, "A3");
	send_with_fds(fd, CALL("File"), &file, 1);
	(void)hear(w, fd);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->refused, 1);
	assert_string_equal(w->refused_error, PROTO_ERROR("BadDescriptor"));
	/* A one-way call is executed like any other. */
	say(fd, "{\"method\":\"org.cfdfu.Station.Change\",\"oneway\":true}");
	turn(w);
	assert_int_equal(w->done, 2);
	close(file);
	close(fd);
}

TEST_SET_UP(unexpected_descriptors_are_closed)
{
	struct world *w = *state;
	int fd = join(w), fds[16];
	int before = open_descriptors();

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = 0;
	send_with_fds(fd, CALL("Echo"), fds, 1);
	send_with_fds(fd, CALL("Nowhere"), fds, 3);
	send_with_fds(fd, CALL("Echo"), fds, 16);
	turn(w);
	assert_int_equal(open_descriptors(), before);
	send_with_fds(fd, "{", fds, 4); /* closes the connection */
	turn(w);
	assert_int_equal(open_descriptors(), before - 1);
	close(fd);
	fd = join(w);
	send_with_fds(fd, CALL("Defer"), fds, 2);
	send_with_fds(fd, CALL("Echo"), fds, 2);
	turn(w);
	close(fd);
	turn(w);
	assert_int_equal(open_descriptors(), before - 2);
}

TEST_SET_UP(a_stopping_server_takes_no_more_requests)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, CALL("Defer"));
	turn(w);
	server_stop(w->server);
	say(fd, CALL("Echo"));
	call_reply(w->pending, json_object());
	assert_string_equal(hear(w, fd), "{\"parameters\":{}}");
	assert_string_equal(hear(w, fd), "NOTHING");
	assert_int_equal(w->handled, 1);
	close(fd);
}

TEST(the_last_replies_are_sent_when_the_server_ends)
{
	static const char reply[] = "{\"parameters\":{}}";
	struct world *w = server_world_new(0, 0);
	int fd = join(w);
	char text[64];

	say(fd, CALL("Defer"));
	turn(w);
	call_reply(w->pending, json_object());
	server_world_free(w);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), sizeof(reply));
	assert_memory_equal(text, reply, sizeof(reply));
	close(fd);
}

/* C9 */
TEST(a_stale_socket_is_replaced_and_a_living_one_respected)
{
	struct world *w = server_world_new(0, 0);
	struct server_options o = w->options;
	struct server *second = NULL;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	o.listen_fd = -1;
	assert_int_equal(server_new(w->base, &o, &second), -EADDRINUSE);
	server_world_free(w);
	assert_int_equal(stat(socket_path, &st), -1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	copy_text(sa.sun_path, sizeof(sa.sun_path), socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd); /* the file stays */
	w = server_world_new(0, 0);
	fd = join(w);
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	close(fd);
	server_world_free(w);
}

TEST(a_socket_from_the_service_manager_is_taken_and_not_removed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct server_options o = { .method_count = WORLD_METHODS,
				    .handlers = world_handlers,
				    .signatures = world_signatures,
				    .version = "1",
				    .ctx = w,
				    .change_gid = (gid_t)-1 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int pair[2], fd;

	w->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	o.listen_fd = pair[0];
	assert_int_equal(server_new(w->base, &o, &w->server), -EINVAL);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1); /* taken in any case */
	close(pair[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	copy_text(sa.sun_path, sizeof(sa.sun_path), socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 10), 0);
	o.listen_fd = fd;
	assert_int_equal(server_new(w->base, &o, &w->server), 0);
	fd = join(w);
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	close(fd);
	server_world_free(w);
	assert_int_equal(access(socket_path, F_OK), 0);
	unlink(socket_path);
}

TEST(a_server_freed_with_calls_pending_leaks_nothing)
{
	struct world *w = server_world_new(0, 0);
	int fd = join(w), file = memory_file("x", SEALED);

	say(fd, CALL("Defer"));
	send_with_fds(fd, CALL("File"), &file, 1);
	turn(w);
	close(file);
	server_world_free(w);
	close(fd);
}

TEST_SET_UP(a_descriptor_that_no_handler_takes_is_closed)
{
	struct world *w = *state;
	int fd = join(w), file = memory_file("x", SEALED);
	int before = open_descriptors();

	send_with_fds(fd, CALL("Ignore"), &file, 1);
	assert_string_equal(hear(w, fd), ERROR("Busy", "{}"));
	assert_int_equal(open_descriptors(), before);
	close(file);
	close(fd);
}

TEST_SET_UP(a_call_answered_in_its_handler_lives_until_the_handler_returns)
{
	struct world *w = *state;
	int fd = join(w), file = memory_file("x", SEALED);
	int before = open_descriptors();

	send_with_fds(fd, CALL("Late"), &file, 1);
	assert_string_equal(hear(w, fd), ERROR("Busy", "{\"reason\":\"no\"}"));
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	assert_int_equal(open_descriptors(), before);
	close(file);
	close(fd);
}

TEST_SET_UP(an_answer_that_is_too_long_becomes_an_error)
{
	struct world *w = *state;
	int fd = join(w);

	say_and_hear(w, fd, CALL("TooMuch"),
		     ERROR("Failed", "{\"reason\":\"the answer would be too long\"}"));
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	close(fd);
}

TEST_SET_UP(the_station_is_described_as_in_its_file)
{
	struct world *w = *state;
	int fd = join(w);

	say(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		"{\"interface\":\"org.cfdfu.Station\"}}");
	assert_non_null(
	    strstr(hear(w, fd), "{\"description\":\"# SPDX-License-Identifier: MIT\\n"));
	close(fd);
}

TEST_MAIN(NULL)
