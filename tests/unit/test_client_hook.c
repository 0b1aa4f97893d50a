/* SPDX-License-Identifier: MIT */
/* cfdfuctl watch --exec and --bell: events of the station, and what a program gets of them. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client/hook.h"
#include "client_run.h"

#define PATIENCE_MS 120000

static struct run r;

/* A program that writes a line for each event, and ends the watch at the last one; its file. */
static const char *
program(const char *name, const char *last)
{
	char text[1024];
	const char *path;

	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\n"
		       "echo \"$CFDFU_EVENT|$CFDFU_LABEL|$CFDFU_PORT|$CFDFU_SERIAL|$CFDFU_NAME|"
		       "$CFDFU_ATTEMPT|$CFDFU_VERDICT|$CFDFU_FAULT|$CFDFU_STEP|$CFDFU_READY|"
		       "$CFDFU_REMAINING|$CFDFU_TODO|$CFDFU_MESSAGE|$CFDFU_BATCH\"\n"
		       "[ -z \"$(cat)\" ] || echo \"there is input\"\n"
		       "[ \"$CFDFU_EVENT$CFDFU_VERDICT\" != %s ] || kill $PPID\n",
		       last);
	path = client_file(name, text, strlen(text));
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

#define REPLY(station, slots, full)                                                                \
	"{\"parameters\":{\"station\":{\"state\":" station "},\"slots\":[" slots                   \
	"],\"full\":" full "},\"continues\":true}"
#define ARMED(active) "\"armed\",\"counts\":{\"active\":" active "}"
#define BATCH(stopped) ",\"batch\":{\"name\":\"spring\",\"stopped\":" stopped "}"
#define SLOT(members) "{\"port\":\"1-4\",\"label\":\"A3\",\"serial\":\"51AA\"" members "}"
#define CONFIG(events)                                                                             \
	"{\"parameters\":{\"settings\":[{\"section\":\"hooks\",\"key\":\"lamp\",\"value\":"        \
	"\"" events "\"}]}}"
#define HERE ",\"present\":true,\"state\":\"idle\",\"class\":\"unserved\""
#define AT_WORK                                                                                    \
	",\"present\":true,\"state\":\"writing\",\"class\":\"active\",\"name\":\"Ada\","           \
	"\"attempt\":7"
#define FAILED                                                                                     \
	",\"present\":true,\"state\":\"ended\",\"class\":\"fail\",\"verdict\":\"fail\","           \
	"\"attempt\":7,\"fault\":\"gone\",\"step\":\"writing\",\"todo\":\"Check its cable.\","     \
	"\"message\":\"It $(left).\""
#define PASSED                                                                                     \
	",\"present\":true,\"state\":\"ended\",\"class\":\"pass\",\"verdict\":\"pass\","           \
	"\"attempt\":8,\"ready\":\"no\",\"remaining\":[{\"what\":\"battery\",\"text\":\"x\"}]"

static void
watch(const char *last, const char *const *replies, const char *wanted)
{
	char words[512];

	(void)snprintf(words, sizeof(words), "watch --lines --exec %s", program("lamp", last));
	client_run(&r, words, replies, "");
	if (strcmp(r.err, wanted) != 0)
		fail_msg("%d\n%s\n%s\n%s", r.status, r.out, r.err, r.requests);
	assert_int_equal(r.status, 128 + SIGTERM);
}

TEST(a_program_gets_each_event_with_what_is_known_of_it)
{
	const char *replies[] = {
		"{\"parameters\":{\"settings\":[]}}",
		REPLY(ARMED("0"), SLOT(",\"present\":false,\"class\":\"absent\""), "true"),
		REPLY(ARMED("0") BATCH("null"), SLOT(HERE), "false"),
		REPLY(ARMED("1") BATCH("null"), SLOT(AT_WORK), "false"),
		REPLY(ARMED("1") BATCH("null"), SLOT(AT_WORK ",\"percent\":50"), "false"),
		REPLY("\"paused\",\"counts\":{\"active\":1}" BATCH("\"3 of 5.\""), SLOT(FAILED),
		      "false"),
		REPLY(ARMED("1"), SLOT(",\"present\":false,\"class\":\"absent\",\"attempt\":7"),
		      "false"),
		REPLY(ARMED("1"), SLOT(PASSED ",\"checking\":true"), "false"),
		REPLY(ARMED("0"), SLOT(PASSED), "false"),
		NULL
	};

	watch("idle", replies,
	      "plugged|A3|1-4|51AA||||||||||spring\n"
	      "batch|||||||||||||spring\n"
	      "started|A3|1-4|51AA|Ada|7||||||||spring\n"
	      "ended|A3|1-4|51AA||7|fail|gone|writing|||Check its cable.|It $(left).|spring\n"
	      "paused||||||||||||3 of 5.|spring\n"
	      "batch||||||||||||3 of 5.|spring\n"
	      "gone|A3|1-4|51AA||7||||||||\n"
	      "resumed|||||||||||||\n"
	      "batch|||||||||||||\n"
	      "plugged|A3|1-4|51AA||8|pass|||no|battery|||\n"
	      "started|A3|1-4|51AA||8|pass|||no|battery|||\n"
	      "ended|A3|1-4|51AA||8|pass|||no|battery|||\n"
	      "ready|A3|1-4|51AA||8|pass|||no|battery|||\n"
	      "idle|||||||||||||\n");
}

TEST(a_drone_that_a_full_reply_does_not_name_has_gone)
{
	const char *replies[] = { "{\"parameters\":{\"settings\":[]}}",
				  REPLY(ARMED("1"), SLOT(HERE), "true"),
				  REPLY(ARMED("0"), "", "true"), NULL };

	watch("idle", replies, "gone|A3|1-4|51AA||||||||||\nidle|||||||||||||\n");
	assert_non_null(strstr(r.out, "A3 (1-4) idle (off the bus)"));
}

TEST(the_station_may_limit_a_program_to_some_events)
{
	const char *replies[] = { CONFIG("idle ended"), REPLY(ARMED("1"), SLOT(AT_WORK), "true"),
				  REPLY(ARMED("1"), SLOT(FAILED), "false"),
				  REPLY(ARMED("0"), SLOT(HERE), "false"), NULL };

	watch("idle", replies,
	      "ended|A3|1-4|51AA||7|fail|gone|writing|||Check its cable.|It $(left).|\n"
	      "idle|||||||||||||\n");
}

TEST(a_program_that_cannot_be_run_is_said_at_once)
{
	const char *replies[] = { CONFIG(""), NULL };

	client_run(&r, "watch --exec /not/there", replies, "");
	assert_int_equal(r.status, EXIT_REFUSED);
	assert_non_null(strstr(r.err, "/not/there: cannot be run: No such file"));
}

/* A service that answers one question. */
static pid_t
answer_once(const char *reply)
{
	int listener = client_listen(), fd;
	pid_t pid = fork();
	char request[512];

	assert_true(pid >= 0);
	if (pid == 0) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (recv(fd, request, sizeof(request), 0) > 0)
			(void)!send(fd, reply, strlen(reply) + 1, MSG_NOSIGNAL);
		_exit(0);
	}
	close(listener);
	return pid;
}

static size_t
count_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

TEST(events_beyond_the_queue_are_dropped_and_one_program_runs_at_a_time)
{
	static const char text[] = "#!/bin/sh\n[ -s \"$0.runs\" ] && exit\n"
				   "echo > \"$0.runs\"\nprintf x >> \"$0.count\"\n"
				   ": > \"$0.runs\"\n";
	const struct session s = { .socket_path = client_socket() };
	char path[128], count[160];
	json_t *busy = json_pack("{s:{s:i}}", "counts", "active", 1), *idle = json_object();
	pid_t service = answer_once(CONFIG("idle"));
	struct hook *h = NULL;
	struct pollfd p = { .events = POLLIN };

	copy_text(path, sizeof(path), client_file("lamp", text, strlen(text)));
	(void)snprintf(count, sizeof(count), "%s.count", path);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(hook_new(&s, path, true, &h), 0);
	assert_int_equal(waitpid(service, NULL, 0), service);
	for (int i = 0; i < HOOK_QUEUE_MAX + 3; i++)
		hook_on_station(h, busy, idle);
	for (hook_turn(h); (p.fd = hook_fd(h)) >= 0; hook_turn(h))
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(count_bytes(count), HOOK_QUEUE_MAX);
	hook_free(h);
	json_decref(busy);
	json_decref(idle);
}

TEST_MAIN(NULL)
