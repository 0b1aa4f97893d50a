/* SPDX-License-Identifier: MIT */
/* ctl/server: hostile, slow, many clients, and rights (doc/faults.md A9, table C). */
#include "config.h"

#include "ctl/server.h"

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "ctl/conn.h"
#include "ctl/peer.h"
#include "server_world.h"

TEST_SET_UP(a_request_without_end_is_cut_off_at_64_kib)
{
	struct world *w = *state;
	int fd = join(w);
	char junk[4096];
	size_t sent = 0;

	memset(junk, ' ', sizeof(junk));
	for (int i = 0; i < 100; i++) {
		ssize_t n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		turn(w);
	}
	assert_in_range(sent, 65536, 65536 + 300000);
	assert_non_null(strstr(hear(w, fd), "64 KiB"));
	assert_int_equal(server_client_count(w->server), 0);
	close(fd);
}

/* C6 */
TEST_SET_UP(a_client_killed_in_mid_reply_does_no_harm)
{
	struct world *w = *state;
	int fd = join(w);

	signal(SIGPIPE, SIG_DFL);
	say(fd, WATCH);
	turn(w);
	close(fd);
	for (int i = 0; i < 10; i++)
		assert_int_equal(call_continue(w->pending, json_object()), 0);
	turn(w);
	assert_int_equal(w->gone, 1);
	assert_int_equal(server_client_count(w->server), 0);
}

static json_t *
kilobyte(void)
{
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return json_pack("{s:s}", "x", text);
}

/* C4 */
TEST_SET_UP(a_watcher_that_never_reads_costs_one_mebibyte)
{
	struct world *w = *state;
	int fd = join(w), other = join(w);
	char junk[65536];
	int sent = 0;

	say(fd, WATCH);
	turn(w);
	while (call_continue(w->pending, kilobyte()) == 0) {
		assert_in_range(++sent, 1, 2000);
		if (sent % 100 == 0)
			turn(w);
	}
	assert_in_range(sent, 900, 2000);
	assert_int_equal(call_continue(w->pending, kilobyte()), -EAGAIN);
	say_and_hear(w, other, CALL("Echo"), "{\"parameters\":{}}");
	assert_int_equal(w->drained, 0);
	while (recv(fd, junk, sizeof(junk), 0) > 0)
		turn(w);
	assert_int_equal(w->drained, 1);
	assert_int_equal(call_continue(w->pending, kilobyte()), 0);
	turn(w);
	assert_in_range(recv(fd, junk, sizeof(junk), 0), 1000, 1100);
	call_reply(w->pending, json_object());
	assert_string_equal(hear(w, fd), "{\"parameters\":{}}");
	close(fd);
	close(other);
}

/* The kernel tells of it in every turn as long as it is asked. */
TEST_SET_UP(a_client_that_has_gone_keeps_the_loop_quiet_until_its_turn)
{
	struct world *w = *state;
	int fd = join(w);
	struct conn *c = TAILQ_FIRST(&w->conns->list);

	say(fd, WATCH);
	turn(w);
	while (call_continue(w->pending, kilobyte()) == 0)
		;
	turn(w);
	assert_int_equal(event_pending(c->on_write, EV_WRITE, NULL), EV_WRITE);
	w->conns->ready.rest_until_us = w->clock_us + 3600000000U;
	close(fd);
	for (int i = 0; i < 5; i++)
		event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(server_client_count(w->server), 1);
	assert_int_equal(event_pending(c->on_write, EV_WRITE, NULL), 0);
	assert_int_equal(event_pending(c->on_read, EV_READ, NULL), 0);
}

TEST_SET_UP(a_client_that_does_not_read_is_not_read_from)
{
	struct world *w = *state;
	int fd = join(w), size = 4096;
	int before;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 20000; i++) {
		if (send(fd, CALL_WITH("Echo", "{\"n\":1}"), sizeof(CALL_WITH("Echo", "{\"n\":1}")),
			 MSG_NOSIGNAL) < 0)
			break;
		turn(w);
	}
	before = w->handled;
	turn(w);
	assert_int_equal(w->handled, before);
	assert_in_range(before, 1, 19999);
	close(fd);
	turn(w);
	assert_int_equal(server_client_count(w->server), 0);
}

TEST_SET_UP(one_without_the_right_is_denied_and_the_owner_told)
{
	struct world *w = *state;
	struct conn *c;
	int fd = join(w);

	c = TAILQ_FIRST(&w->conns->list);
	assert_true(c->caller.peer.may_change); /* root, or the service's own user */
	c->caller.peer.may_change = false;
	say(fd, CALL("Change"));
	assert_non_null(strstr(hear(w, fd),
			       "NotPermitted\",\"parameters\":{\"group\":\"fliers\","
			       "\"reason\":\"only root and members of the group fliers may"));
	assert_int_equal(w->denied, 1);
	assert_string_equal(w->denied_method, PROTO_METHOD("Change"));
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	c->caller.peer.may_change = true;
	say_and_hear(w, fd, CALL("Change"), "{\"parameters\":{}}");
	close(fd);
}

/* Connects as another user: the kernel notes who it was at that moment. */
static int
join_as(struct world *w, uid_t uid, gid_t gid, gid_t group)
{
	int fd;

	assert_int_equal(setgroups(1, &group), 0);
	assert_int_equal(setegid(gid), 0);
	assert_int_equal(seteuid(uid), 0);
	fd = connect_only();
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(setgroups(0, NULL), 0);
	turn(w);
	return fd;
}

/* Without a group of the station's only root and the service itself may change things. */
TEST(without_a_group_another_user_may_only_look)
{
	struct peer peer;
	int ends[2];

	if (geteuid() != 0)
		skip();
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(peer_of_socket(ends[0], (gid_t)-1, &peer), 0);
	assert_int_equal(peer.uid, 65534);
	assert_false(peer.may_change);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(peer_of_socket(ends[0], (gid_t)-1, &peer), 0);
	assert_true(peer.may_change);
	close(ends[0]);
	close(ends[1]);
}

/* C5 */
TEST(the_kernels_word_decides_who_may_change_things)
{
	struct world *w;
	int root, other, member, primary;

	if (geteuid() != 0)
		skip();
	w = server_world_new(0, 0);
	root = join(w);
	other = join_as(w, 65534, 65534, 100);
	member = join_as(w, 65534, 65534, WORLD_GID);
	primary = join_as(w, 65534, WORLD_GID, 100);
	say_and_hear(w, root, CALL("Change"), "{\"parameters\":{}}");
	say_and_hear(w, member, CALL("Change"), "{\"parameters\":{}}");
	say_and_hear(w, primary, CALL("Change"), "{\"parameters\":{}}");
	say(other, CALL("Change"));
	assert_non_null(strstr(hear(w, other), "NotPermitted"));
	assert_int_equal(w->denied, 1);
	say_and_hear(w, other, CALL("Echo"), "{\"parameters\":{}}");
	close(root);
	close(other);
	close(member);
	close(primary);
	server_world_free(w);
}

TEST(one_user_cannot_take_all_places)
{
	struct world *w;
	int fds[PROTO_CLIENTS_PER_UID + 2];

	if (geteuid() != 0)
		skip();
	w = server_world_new(0, 0);
	for (size_t i = 0; i < ARRAY_LEN(fds) - 1; i++) {
		fds[i] = join_as(w, 65534, 65534, 100);
		say(fds[i], CALL("Echo"));
		turn(w);
	}
	assert_int_equal(server_client_count(w->server), PROTO_CLIENTS_PER_UID);
	assert_string_equal(hear(w, fds[0]), "{\"parameters\":{}}");
	assert_string_equal(hear(w, fds[0]), "EOF"); /* the user's own oldest made room */
	for (size_t i = 1; i < ARRAY_LEN(fds) - 1; i++)
		say(fds[i], CALL("Defer"));
	turn(w);
	fds[ARRAY_LEN(fds) - 1] = join_as(w, 65534, 65534, 100);
	assert_non_null(strstr(hear(w, fds[ARRAY_LEN(fds) - 1]), "too many connections"));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	server_free(w->server);
	w->server = NULL;
	server_world_free(w);
}

TEST(many_that_do_not_read_are_bounded_together)
{
	struct world *w;
	int fds[24], good;
	size_t queued = 0;
	struct conn *c;

	if (geteuid() != 0)
		skip();
	w = server_world_new(64, 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = join(w);
		say(fds[i], "{\"method\":\"org.cfdfu.Station.Flood\",\"more\":true}");
		turn(w);
	}
	TAILQ_FOREACH(c, &w->conns->list, link)
		queued += c->out_bytes;
	assert_int_equal(queued, w->conns->out_bytes);
	assert_in_range(queued, 8 << 20, 16 << 20);
	assert_in_range(w->gone, 1, 23);
	good = join(w);
	say_and_hear(w, good, CALL("Echo"), "{\"parameters\":{}}");
	close(good);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	turn(w);
	assert_int_equal(server_client_count(w->server), 0);
	server_world_free(w);
}

TEST_SET_UP(without_descriptors_the_oldest_idle_one_makes_room)
{
	struct world *w = *state;
	int idle = join(w), late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct rlimit old, low;

	say_and_hear(w, idle, CALL("Echo"), "{\"parameters\":{}}");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)late + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	connect_fd(late);
	turn(w);
	assert_string_equal(hear(w, idle), "EOF");
	turn_for_ms(w, 400);
	say_and_hear(w, late, CALL("Echo"), "{\"parameters\":{}}");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	close(idle);
	close(late);
}

/* C3 */
TEST(five_hundred_idle_connections_are_bounded_and_newcomers_get_in)
{
	struct world *w = server_world_new(64, 0);
	int fds[500], fd;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = join(w);
		assert_in_range(server_client_count(w->server), 1, 66);
	}
	fd = join(w);
	say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
	assert_string_equal(hear(w, fds[0]), "EOF"); /* the oldest made room */
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	turn(w);
	assert_int_equal(server_client_count(w->server), 0);
	server_world_free(w);
}

TEST(busy_clients_are_not_closed_for_newcomers)
{
	struct world *w = server_world_new(3, 0);
	size_t places = geteuid() == 0 ? 5 : 4; /* with those kept for operators and root */
	int fds[5], fd;

	for (size_t i = 0; i < places; i++) {
		fds[i] = join(w);
		say(fds[i], CALL("Defer"));
		turn(w);
	}
	fd = join(w);
	assert_non_null(strstr(hear(w, fd), "too many connections"));
	assert_string_equal(hear(w, fd), "EOF");
	for (size_t i = 0; i < places; i++)
		close(fds[i]);
	close(fd);
	server_free(w->server);
	w->server = NULL;
	server_world_free(w);
}

/* Gives all connections there are to a user who may only look. */
static void
make_strangers(struct world *w)
{
	struct conn *c;

	TAILQ_FOREACH(c, &w->conns->list, link) {
		c->caller.peer.uid = 1000;
		c->caller.peer.may_change = false;
	}
}

TEST(places_are_kept_for_operators_and_root_and_users_have_their_share)
{
	struct world *w;
	int fds[7];

	if (geteuid() != 0)
		skip();
	w = server_world_new(4, 0);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = join(w);
		say(fds[i], CALL("Echo"));
		turn(w);
	}
	make_strangers(w);
	fds[4] = join_as(w, 1001, 1001, WORLD_GID); /* an operator, beyond the maximum */
	assert_int_equal(server_client_count(w->server), 5);
	say_and_hear(w, fds[4], CALL("Change"), "{\"parameters\":{}}");
	fds[5] = join(w); /* root, beyond the operators' */
	assert_int_equal(server_client_count(w->server), 6);
	say_and_hear(w, fds[5], CALL("Echo"), "{\"parameters\":{}}");
	fds[6] = join(w); /* root again: an idle client has to go */
	assert_int_equal(server_client_count(w->server), 6);
	for (size_t i = 0; i < 7; i++)
		close(fds[i]);
	server_world_free(w);
}

TEST(a_silent_connection_is_closed_after_the_deadline)
{
	struct world *w = server_world_new(0, 2000);
	int silent = join(w), slow = join(w), good = join(w);

	say_and_hear(w, good, CALL("Echo"), "{\"parameters\":{}}");
	for (int i = 0; i < 8; i++) {
		(void)!send(slow, "{", 1, MSG_NOSIGNAL);
		turn_for_ms(w, 300);
	}
	assert_string_equal(hear(w, silent), "EOF");
	assert_int_equal(server_client_count(w->server), 1);
	say_and_hear(w, good, CALL("Echo"), "{\"parameters\":{}}");
	close(silent);
	close(slow);
	close(good);
	server_world_free(w);
}

TEST_MAIN(NULL)
