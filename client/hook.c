/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/slots.h"

struct hook {
	const char *program;
	bool silent;
	char events[256]; /* " ended idle "; "": all */
	json_t *queue;	  /* of objects: variable -> value */
	pid_t pid;	  /* 0: none runs */
	int fd;		  /* pidfd of it; -1 */
};

int
hook_new(const struct session *s, const char *program, bool silent, struct hook **ret_hook)
{
	struct hook *h;
	json_t *reply = NULL;
	const json_t *one;
	size_t i;
	int r;

	if (access(program, X_OK) < 0) {
		say_error("%s: cannot be run: %s", program, strerror(errno));
		return EXIT_REFUSED;
	}
	h = calloc(1, sizeof(*h));
	r = h == NULL ? say_no_memory() : conn_ask(s, PROTO_METHOD("GetConfig"), NULL, &reply);
	if (r != 0) {
		free(h);
		return r;
	}
	*h = (struct hook){ .program = program, .silent = silent, .queue = json_array(), .fd = -1 };
	json_array_foreach(json_object_get(reply, "settings"), i, one)
		if (out_is(one, "section", "hooks") && out_is(one, "key", file_base_name(program)))
			snprintf(h->events, sizeof(h->events), " %.250s ",
				 out_text(one, "value").s);
	json_decref(reply);
	*ret_hook = h;
	return 0;
}

void
hook_free(struct hook *h)
{
	if (h == NULL)
		return;
	if (h->pid > 0)
		(void)close(h->fd);
	json_decref(h->queue);
	free(h);
}

static void
put(json_t *event, const char *name, const char *value)
{
	(void)json_object_set_new(event, name, json_string(value)); /* WHY: then it is missing */
}

static void
put_event(struct hook *h, const char *name, const json_t *station, const json_t *slot)
{
	static const char *const members[][2] = {
		{ "CFDFU_PORT", "port" },	{ "CFDFU_LABEL", "label" },
		{ "CFDFU_NAME", "name" },	{ "CFDFU_VERDICT", "verdict" },
		{ "CFDFU_FAULT", "fault" },	{ "CFDFU_STEP", "step" },
		{ "CFDFU_READY", "ready" },	{ "CFDFU_TODO", "todo" },
		{ "CFDFU_MESSAGE", "message" },
	};
	const json_t *batch = json_object_get(station, "batch");
	json_t *event = json_object();
	char text[128];

	snprintf(text, sizeof(text), " %s ", name);
	if (h->events[0] != '\0' && strstr(h->events, text) == NULL)
		goto out;
	if (json_array_size(h->queue) >= HOOK_QUEUE_MAX) {
		if (!h->silent)
			say_note("(%s is too slow: an event \"%s\" is dropped)", h->program, name);
		goto out;
	}
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		put(event, members[i][0], out_text(slot, members[i][1]).s);
	put(event, "CFDFU_EVENT", name);
	put(event, "CFDFU_SERIAL", slot_serial(slot));
	snprintf(text, sizeof(text), "%.0lld", (long long)out_int(slot, "attempt"));
	put(event, "CFDFU_ATTEMPT", text);
	slot_remaining(slot, text, sizeof(text));
	put(event, "CFDFU_REMAINING", text);
	put(event, "CFDFU_BATCH", out_text(batch, "name").s);
	if (slot == NULL && out_string(batch, "stopped") != NULL)
		put(event, "CFDFU_MESSAGE", out_text(batch, "stopped").s);
	else if (slot == NULL)
		put(event, "CFDFU_MESSAGE",
		    out_text(json_object_get(station, "brake"), "message").s);
	(void)json_array_append(h->queue, event); /* WHY: without memory there is no event */
out:
	json_decref(event);
}

void
hook_on_station(struct hook *h, const json_t *before, const json_t *after)
{
	const json_t *old = json_object_get(before, "batch"), *batch;

	if (before == NULL)
		return;
	batch = json_object_get(after, "batch");
	if (out_differ(before, after, "state"))
		put_event(h, out_is(after, "state", "paused") ? "paused" : "resumed", after, NULL);
	if (out_differ(old, batch, "name") || out_differ(old, batch, "stopped"))
		put_event(h, "batch", after, NULL);
	if (out_int(json_object_get(before, "counts"), "active") > 0 &&
	    out_int(json_object_get(after, "counts"), "active") == 0)
		put_event(h, "idle", after, NULL);
}

/* Of one attempt, "started" comes before "ended" though Watch may tell both at once. */
void
hook_on_slot(struct hook *h, const json_t *station, const json_t *before, const json_t *after)
{
	bool was = out_true(before, "present"), is = out_true(after, "present");
	bool attempt = out_int(after, "attempt") > 0 &&
		       out_int(before, "attempt") != out_int(after, "attempt");

	if (is && !was)
		put_event(h, "plugged", station, after);
	if (attempt)
		put_event(h, "started", station, after);
	if (slot_verdict(after) != NULL && (attempt || out_differ(before, after, "verdict")))
		put_event(h, "ended", station, after);
	if (!slot_is_checking(after) && !out_is(after, "ready", "unknown") &&
	    slot_ready_word(after)[0] != '\0' &&
	    (slot_is_checking(before) || out_differ(before, after, "ready")))
		put_event(h, "ready", station, after);
	if (was && !is)
		put_event(h, "gone", station, after);
}

static void
start(struct hook *h, json_t *event)
{
	int null;
	const char *name;
	json_t *value;
	sigset_t none;

	h->pid = fork();
	if (h->pid != 0)
		return;
	json_object_foreach(event, name, value)
		(void)setenv(name, json_string_value(value), 1); /* WHY: then it is not there */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* WHY: it cannot fail */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(h->silent ? null : STDERR_FILENO, STDOUT_FILENO) >= 0 &&
	    dup2(STDOUT_FILENO, STDERR_FILENO) >= 0)
		execl(h->program, h->program, (char *)NULL);
	_exit(EXIT_FAILURE);
}

void
hook_turn(struct hook *h)
{
	int status = 0;

	if (h->pid > 0) {
		if (waitpid(h->pid, &status, WNOHANG) == 0)
			return;
		(void)close(h->fd);
		h->fd = -1;
		h->pid = 0;
		if (status != 0 && !h->silent)
			say_note("(%s has failed)", h->program);
	}
	if (json_array_size(h->queue) == 0)
		return;
	start(h, json_array_get(h->queue, 0));
	(void)json_array_remove(h->queue, 0); /* WHY: it is there */
	if (h->pid > 0)
		h->fd = pidfd_open(h->pid, 0);
	else if (!h->silent)
		say_note("(%s cannot be started)", h->program);
}

int
hook_fd(const struct hook *h)
{
	return h != NULL ? h->fd : -1;
}
