/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/confirm.h"

#include <string.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/out.h"

static int
ask(const struct session *s, const struct invocation *i, json_t **ret_reply)
{
	struct session patient = *s;
	struct params p = params_of(i);

	patient.patient = true;
	return conn_ask(&patient, i->command->method, &p, ret_reply);
}

/* Returns how many of them would do something. */
static size_t
print_plans(FILE *out, const struct confirm *c, const json_t *reply)
{
	const json_t *plan;
	size_t i, count = 0;

	json_array_foreach(json_object_get(reply, "plans"), i, plan)
		count += c->print(out, plan);
	return count;
}

/* WHY the one-letter answer is none: the word has to be meant. */
static bool
is_meant(const struct session *s, const struct confirm *c, const json_t *reply)
{
	char answer[16];
	bool terminal = !s->json && isatty(STDIN_FILENO);

	if (s->json)
		out_json(reply);
	if (!terminal) {
		say_failure(s, CLIENT_ERROR("NotAsked"),
			    "nothing was done; say --yes when you mean it");
		return false;
	}
	fprintf(stderr, "%s  Go on? (yes/no) ", c->warning);
	return fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0;
}

static int
print_results(const struct session *s, const json_t *reply)
{
	const json_t *results = json_object_get(reply, "results"), *one;
	int status = EXIT_OK;
	size_t i;

	json_array_foreach(results, i, one) {
		struct text name = out_text(one, "name"), verdict = out_text(one, "verdict");
		struct text message = out_text(one, "message");

		if (colour_of_verdict(verdict.s) != COLOUR_GOOD)
			status = EXIT_DRONE_FAILED;
		if (!s->json)
			printf("%s%s%s %s: %s\n", paint_on(s, colour_of_verdict(verdict.s)),
			       verdict.s[0] != '\0' ? verdict.s : "failed", paint_off(s), name.s,
			       message.s);
	}
	return status;
}

/* Without --yes: shows what would be done.  True: it is to be done. */
static bool
is_wanted(const struct session *s, const struct invocation *i, const struct confirm *c,
	  int *ret_status)
{
	json_t *reply = NULL;
	size_t count = 0;
	bool meant = false;

	*ret_status = ask(s, i, &reply);
	if (*ret_status == 0) {
		count = print_plans(s->json ? NULL : stderr, c, reply);
		if (count == 0 && s->json)
			out_json(reply);
		else if (count == 0 && c->nothing != NULL)
			puts(c->nothing);
		meant = count > 0 && is_meant(s, c, reply);
		if (count > 0 && !meant)
			*ret_status = EXIT_REFUSED;
	}
	json_decref(reply);
	return meant;
}

int
confirm_run(const struct session *s, const struct invocation *i, const struct confirm *c)
{
	struct invocation meant = *i;
	json_t *reply = NULL;
	int r;

	if (!invocation_has(i, "yes") && !is_wanted(s, i, c, &r))
		return r;
	invocation_set(&meant, "yes", "");
	r = ask(s, &meant, &reply);
	if (r == 0 && s->json)
		out_json(reply);
	if (r == 0)
		r = print_results(s, reply);
	if (r == 0 && !s->json && c->nothing != NULL && print_plans(NULL, c, reply) == 0)
		puts(c->nothing);
	json_decref(reply);
	return r;
}
