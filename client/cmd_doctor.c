/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl doctor: what is wrong with the station, and the command that fixes it.  config: its
 * settings.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/checks.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/machine.h"
#include "client/out.h"
#include "client/remote.h"
#include "client/socket.h"
#include "client/sync_state.h"
#include "client/when.h"

#define WALK_POLL_US 200000
#define ROOT_ENV "CFDFU_DOCTOR_ROOT" /* a directory that stands for /, for tests */

static enum colour
colour_of_level(const char *level)
{
	if (strcmp(level, "ok") == 0)
		return COLOUR_GOOD;
	return strcmp(level, "fail") == 0 ? COLOUR_BAD : COLOUR_ATTENTION;
}

static void
print_checks(const struct session *s, const json_t *checks)
{
	const json_t *one;
	size_t i;

	json_array_foreach(checks, i, one) {
		struct text level = out_text(one, "level"), text = out_text(one, "text");
		struct text fix = out_text(one, "fix");

		printf("%s%-4s%s  %s\n", paint_on(s, colour_of_level(level.s)), level.s,
		       paint_off(s), text.s);
		if (fix.s[0] != '\0')
			printf("      to %s it: %s\n",
			       strcmp(level.s, "ok") == 0 ? "change" : "fix", fix.s);
	}
}

static bool
has_failure(const json_t *checks)
{
	const json_t *one;
	size_t i;

	json_array_foreach(checks, i, one)
		if (out_is(one, "level", "fail"))
			return true;
	return false;
}

/* The service's own checks. */
static int
ask_service(const struct session *s, json_t *document, json_t *checks)
{
	json_t *reply = NULL, *loop;
	int r = conn_ask(s, PROTO_METHOD("GetHealth"), NULL, &reply);

	if (r != 0)
		return r;
	loop = json_object_get(reply, "loop");
	if (json_object_set(document, "health", json_object_get(reply, "health")) < 0 ||
	    json_object_set(document, "reason", json_object_get(reply, "reason")) < 0 ||
	    json_object_set(document, "loop", loop != NULL ? loop : json_null()) < 0 ||
	    json_array_extend(checks, json_object_get(reply, "checks")) < 0)
		r = EXIT_REFUSED;
	json_decref(reply);
	return r;
}

/* Whether the records arrive at a central database, where they go to one. */
static int
check_central(const struct session *s, json_t *checks)
{
	struct finding f = { "central", "ok", NULL };
	json_t *state = sync_state_read();
	struct text why = out_text(state, "warning"), since;
	char recent[WHEN_TEXT_MAX] = "", has[48] = "has all endings";
	int r;

	if (state == NULL)
		return 0;
	r = sync_state_ask(s, state);
	(void)!when_parse("1h", time(NULL), recent); /* it is a word of that */
	if (!out_true(state, "ok")) {
		f = (struct finding){ f.name, "warn", "journalctl -u cfdfu-sync" };
		since = out_text(state, "success_at");
		text_format(why.s, sizeof(why.s), "%s%s%s%s",
			    since.s[0] != '\0' ? "Last success: " : "It has not succeeded yet",
			    since.s, since.s[0] != '\0' ? ". " : ": ", out_text(state, "error").s);
	} else if (strcmp(out_text(state, "at").s, recent) < 0) {
		f = (struct finding){ f.name, "warn",
				      "sudo systemctl enable --now cfdfu-sync.timer" };
		text_format(why.s, sizeof(why.s), "It was last asked: %s.",
			    out_text(state, "at").s);
	}
	if (out_int(state, "behind") > 0)
		(void)snprintf(has, sizeof(has), "lacks %lld of the endings",
			       (long long)out_int(state, "behind"));
	if (r == 0)
		machine_found(&(struct machine){ "", checks }, f, "the central database %s%s%s",
			      has, why.s[0] != '\0' ? ". " : "", why.s);
	json_decref(state);
	return r;
}

/* Has all records compared with the audit file, and waits for that.  WHY the health: asking how far
 * it is may not be recorded, or there would always be one more. */
static int
walk_records(const struct session *s)
{
	bool tell = !s->json && isatty(STDERR_FILENO);
	json_t *reply = NULL, *walk;
	int r = conn_ask(s, PROTO_METHOD("CheckRecords"), NULL, &reply);

	while (r == 0) {
		walk = json_object_get(reply, "records");
		if (!out_true(walk, "running"))
			break;
		if (tell)
			fprintf(stderr, "\r%lld of %lld records compared ",
				(long long)out_int(walk, "compared"),
				(long long)out_int(walk, "total"));
		json_decref(reply);
		reply = NULL;
		(void)usleep(WALK_POLL_US);
		r = conn_ask(s, PROTO_METHOD("GetHealth"), NULL, &reply);
	}
	if (tell)
		fputs("\r\033[K", stderr);
	json_decref(reply);
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	const char *root = getenv(ROOT_ENV);
	json_t *document, *checks;
	bool there;
	int r = 0;

	if (s->host != NULL)
		return remote_run(s, i, -1, -1);
	checks = json_array();
	document = json_pack("{s:n,s:n,s:O,s:n}", "health", "reason", "checks", checks, "loop");
	there = socket_is_there(s);
	checks_run(root != NULL ? root : "", there, checks);
	if (there && invocation_has(i, "deep"))
		r = walk_records(s);
	if (there && r == 0)
		r = ask_service(s, document, checks);
	if (there && r == 0)
		r = check_central(s, checks);
	if (s->json)
		out_json(document);
	else
		print_checks(s, checks);
	if (r == 0 && has_failure(checks))
		r = EXIT_REFUSED;
	json_decref(checks);
	json_decref(document);
	return r;
}

const struct command_desc cmd_doctor = {
	.name = "doctor",
	.args = "",
	.help = N_("what is wrong with the station, and the command that fixes it"),
	.run = run,
	.options = { { "deep", 0, NULL,
		       N_("first have all records compared with the audit file") } },
};

static int
print_settings(const struct session *s, const json_t *reply)
{
	const json_t *settings = json_object_get(reply, "settings"), *one;
	char section[OUT_TEXT_MAX] = "";
	size_t i;

	(void)s;
	json_array_foreach(settings, i, one) {
		struct text sec = out_text(one, "section"), key = out_text(one, "key");
		struct text value = out_text(one, "value"), origin = out_text(one, "origin");

		if (strcmp(sec.s, section) != 0)
			printf("%s[%s]\n", section[0] != '\0' ? "\n" : "", sec.s);
		copy_text(section, sizeof(section), sec.s);
		printf("%s = %s%s%s\n", key.s, value.s, origin.s[0] != '\0' ? "  ; " : "",
		       origin.s);
	}
	return EXIT_OK;
}

const struct command_desc cmd_config = {
	.name = "config",
	.args = "",
	.help = N_("the settings in force, and where each comes from"),
	.run = conn_run,
	.method = PROTO_METHOD("GetConfig"),
	.print = print_settings,
};
