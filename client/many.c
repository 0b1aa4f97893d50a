/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/many.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/file.h"
#include "client/hosts.h"
#include "client/out.h"
#include "wire/text.h"

#define AT_ONCE 32 /* LIMIT: processes, each with its ssh */

struct station {
	const char *host;
	pid_t pid;
	int out, err; /* memory files of what it says */
	int status;
};

/* The process of one station. */
static void
be_station(const struct session *several, const struct invocation *i, const struct station *st)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), status;
	struct session s = *several;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* WHY: else it ends by itself, later */
	s.host = st->host;
	s.answer_fd = st->out;
	/* WHY this way: the descriptor stays the terminal, whose width tables have. */
	stdout = fdopen(st->out, "w");
	if (stdout == NULL || dup2(null, STDIN_FILENO) < 0 || dup2(st->err, STDERR_FILENO) < 0)
		_exit(EXIT_REFUSED);
	status = i->command->run(&s, i);
	_exit(fflush(stdout) == 0 ? status : EXIT_REFUSED);
}

static bool
begin(const struct session *s, const struct invocation *i, struct station *st)
{
	st->out = memfd_create("answer", MFD_CLOEXEC);
	st->err = memfd_create("error", MFD_CLOEXEC);
	st->status = EXIT_REFUSED;
	st->pid = st->out >= 0 && st->err >= 0 ? fork() : -1;
	if (st->pid == 0)
		be_station(s, i, st);
	if (st->pid < 0)
		say_error("no process can be started for %s", st->host);
	return st->pid > 0;
}

static void
run_all(const struct session *s, const struct invocation *i, struct station *all, size_t count)
{
	size_t begun = 0, running = 0;
	int status = 0;
	pid_t pid;

	(void)fflush(stdout); /* WHY: the processes would print buffered text again */
	while (begun < count || running > 0) {
		if (begun < count && running < AT_ONCE) {
			running += begin(s, i, &all[begun++]);
			continue;
		}
		pid = wait(&status);
		running--;
		for (size_t n = 0; n < begun; n++)
			if (all[n].pid == pid)
				all[n].status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
}

/* All of a memory file, which is closed; "" also where there is no memory for it. */
static char *
take_text(int fd)
{
	char path[32], why[FILE_WHY_MAX], *text = NULL;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)!file_read(path, SIZE_MAX - 1, (uint8_t **)&text, &bytes, why); /* then "" */
	if (fd >= 0)
		(void)close(fd); /* WHY: a memory file */
	return text != NULL ? text : strdup("");
}

/* Prints what it said on its standard error; the document of an error is returned instead. */
static json_t *
take_error(const struct session *s, const struct station *st, char *text)
{
	static const char prefix[] = "cfdfuctl: ";
	json_t *error = NULL, *one;
	char *save = NULL;

	for (char *w = strtok_r(text, "\r\n", &save); w != NULL;
	     w = strtok_r(NULL, "\r\n", &save)) {
		one = s->json ? json_loads(w, 0, NULL) : NULL;
		w += strncmp(w, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
		if (one == NULL)
			say_note("%s: %s", st->host, w);
		else
			json_decref(error);
		error = one != NULL ? one : error;
	}
	return error;
}

/* The documents: one, or a list; what is none, such as half of one, as a text. */
static json_t *
take_answer(char *text)
{
	json_t *list = json_array(), *one;
	char *save = NULL;

	for (char *w = strtok_r(text, "\r\n", &save); w != NULL;
	     w = strtok_r(NULL, "\r\n", &save)) {
		one = json_loads(w, 0, NULL);
		(void)json_array_append_new(list, one != NULL ? one : text_json(w));
	}
	if (json_array_size(list) > 1)
		return list;
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

/* "lab1: Paused." or, where it is more than a line, below a heading. */
static void
print_answer(const struct station *st, const char *text)
{
	const char *newline = strchr(text, '\n');
	char title[256], ended[32] = "";

	if (st->status != EXIT_OK)
		(void)snprintf(ended, sizeof(ended), " (exit status %d)", st->status);
	text_format(title, sizeof(title), "%s%s", st->host, ended);
	if (newline != NULL && newline[1] != '\0')
		printf("== %s ==\n%s\n", title, text);
	else
		printf("%s: %s%s", title,
		       text[0] != '\0'	       ? text
		       : st->status == EXIT_OK ? "done"
					       : "no output",
		       newline != NULL ? "" : "\n");
}

/* Prints it, or adds it to the list. */
static void
show(const struct session *s, struct station *st, json_t *list)
{
	char *out = take_text(st->out), *err = take_text(st->err);
	json_t *error;

	if (st->status < 0) {
		st->status = EXIT_NO_DAEMON;
		say_note("%s: the answer has broken off", st->host);
	}
	error = take_error(s, st, err);
	if (s->json)
		(void)json_array_append_new(
		    list, json_pack("{s:o,s:i,s:o*,s:O*}", "host", text_json(st->host), "status",
				    st->status, "answer", take_answer(out), "error", error));
	else
		print_answer(st, out);
	json_decref(error);
	free(out);
	free(err);
}

/* EXIT_USAGE, said, where it cannot be done for several. */
static int
check(const struct invocation *i)
{
	const char *what = i->command->stations == STATIONS_ONE ? i->command->name
			   : invocation_has(i, "csv")		? "--csv"
			   : invocation_has(i, "html")		? "--html"
								: NULL;

	for (int n = 0; n < i->arg_count; n++)
		what = strcmp(i->args[n], "-") == 0 ? "standard input" : what;
	return what != NULL ? usage_error(i->command, "%s is for one station", what) : 0;
}

int
many_run(const struct session *s, const struct invocation *i)
{
	struct station all[HOSTS_MAX] = { 0 };
	size_t count = s->hosts->count;
	json_t *list;
	int worst = check(i);

	if (worst != 0)
		return worst;
	for (size_t n = 0; n < count; n++)
		all[n].host = s->hosts->names[n];
	list = json_array();
	run_all(s, i, all, count);
	for (size_t n = 0; n < count; n++) {
		show(s, &all[n], list);
		worst = all[n].status > worst ? all[n].status : worst;
	}
	if (s->json)
		out_json_new(json_pack("{s:O}", "stations", list));
	json_decref(list);
	return worst;
}
