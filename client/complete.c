/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/complete.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "client/conn.h"
#include "client/help.h"
#include "client/hosts.h"
#include "client/out.h"
#include "core/platform.h"

#define PATIENCE_S 5

/* The line before the word, as far as it is understood. */
struct line {
	struct session session;
	struct hosts hosts;
	char *head[2]; /* the words of the command */
	int heads;
	const struct command_desc *command;  /* NULL: not yet */
	const struct command_option *option; /* whose value comes next; NULL: none's */
	int args;			     /* arguments so far */
	const char *word;		     /* what there is of it */
	json_t *offered;
};

static void
offer(struct line *l, const char *word, const char *help)
{
	if (word == NULL || word[0] == '\0' || strncmp(word, l->word, strlen(l->word)) != 0 ||
	    json_object_get(l->offered, word) != NULL)
		return;
	(void)json_object_set_new(l->offered, word, json_true()); /* WHY: twice is no harm */
	printf("%s%s%s\n", word, help != NULL && help[0] != '\0' ? "\t" : "",
	       help != NULL ? help : "");
}

/* Members of each entry of the answer's list. */
static void
offer_live(struct line *l, const char *method, const char *list, const char *const *keys)
{
	json_t *reply = NULL;
	const json_t *one;
	size_t i;

	if (conn_ask(&l->session, method, NULL, &reply) == 0)
		json_array_foreach(json_object_get(reply, list), i, one) {
			struct text class = out_text(one, "class");

			for (size_t k = 0; keys[k] != NULL; k++)
				offer(l, out_text(one, keys[k]).s, class.s);
		}
	json_decref(reply);
}

/* WHY not always the serials: of a whole rack they bury its labels. */
static void
offer_drones(struct line *l)
{
	static const char *const all[] = { "label", "name", "port", "serial", NULL };
	static const char *const shown[] = { "label", "name", NULL };
	static const char *const known[] = { "name", "serial", NULL };

	offer_live(l, PROTO_METHOD("GetStatus"), "slots", l->word[0] != '\0' ? all : shown);
	if (l->word[0] == '\0' && json_object_size(l->offered) == 0)
		offer_live(l, PROTO_METHOD("GetStatus"), "slots", all);
	if (l->word[0] != '\0')
		offer_live(l, PROTO_METHOD("ListDrones"), "drones", known);
}

/* kind: the name of an option, or a word of the usage. */
static void
offer_kind(struct line *l, const char *kind)
{
	static const char *const drones[] = { "SLOT", "SERIAL", "WHICH", "slot", "serial", "for" };
	static const char *const files[] = { "FILE", "OUT", "INPUT", "PATH", "DIR", "PROG" };
	static const char *const name[] = { "name", NULL };
	bool named = strcmp(kind, "NAME") == 0;

	for (size_t i = 0; i < ARRAY_LEN(drones); i++)
		if (strcmp(kind, drones[i]) == 0)
			offer_drones(l);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(kind, files[i]) == 0)
			puts("\t");
	if (strcmp(kind, "with") == 0 || (named && strncmp(l->command->name, "firmware", 8) == 0))
		offer_live(l, PROTO_METHOD("ListFirmware"), "firmware", name);
	if (strcmp(kind, "batch") == 0 || (named && strncmp(l->command->name, "batch", 5) == 0))
		offer_live(l, PROTO_METHOD("ListBatches"), "batches", name);
	if (strcasecmp(kind, "platform") == 0)
		for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
			offer(l, platform_name((enum platform)p), NULL);
	if (strcmp(kind, "none") == 0)
		offer(l, kind, NULL);
}

static void
offer_value(struct line *l)
{
	const struct command_parameter *p = l->command != NULL ? l->command->parameters : NULL;

	for (; p != NULL && p->key != NULL; p++)
		for (size_t n = 0; p->words != NULL && p->words[n] != NULL; n++)
			if (p->option != NULL && strcmp(p->option, l->option->name) == 0)
				offer(l, p->words[n], NULL);
	offer_kind(l, l->option->name);
	if (strcmp(l->option->value, "NAME") != 0)
		offer_kind(l, l->option->value);
}

static void
offer_argument(struct line *l)
{
	size_t length;
	const char *usage = command_argument(l->command, l->args, &length);
	char kinds[64], *save = NULL;

	if (l->args >= l->command->args_max)
		return;
	(void)snprintf(kinds, sizeof(kinds), "%.*s", (int)length, usage);
	for (char *w = strtok_r(kinds, "[]|.", &save); w != NULL; w = strtok_r(NULL, "[]|.", &save))
		offer_kind(l, w);
}

static void
offer_options(struct line *l, const struct command_option *o)
{
	char word[64];

	for (; o != NULL && o->name != NULL && o != &global_options[GLOBAL_BRIDGE]; o++) {
		(void)snprintf(word, sizeof(word), "--%s", o->name);
		offer(l, word, o->help);
	}
}

/* First words, or the second ones of a group. */
static void
offer_commands(struct line *l)
{
	for (const struct command_desc *const *c = l->session.commands; *c != NULL; c++) {
		size_t first = strcspn((*c)->name, " ");
		char word[32];

		(void)snprintf(word, sizeof(word), "%.*s", (int)first, (*c)->name);
		if (l->heads == 0)
			offer(l, word, (*c)->name[first] == '\0' ? (*c)->help : NULL);
		else if (l->heads == 1 && (*c)->name[first] != '\0' &&
			 strcmp(word, l->head[0]) == 0)
			offer(l, (*c)->name + first + 1, (*c)->help);
	}
}

/* The option that takes the next word as its value; NULL: none. */
static const struct command_option *
awaiting(const struct command_option *o, const char *word)
{
	for (; o != NULL && o->name != NULL; o++)
		if (o->value != NULL &&
		    ((word[1] == '-' && strcmp(word + 2, o->name) == 0) ||
		     (word[1] == o->letter && word[1] != '\0' && word[2] == '\0')))
			return o;
	return NULL;
}

static void
take_word(struct line *l, char *word)
{
	int used;

	if (l->option != NULL) {
		if (l->option == &global_options[GLOBAL_SOCKET])
			l->session.socket_path = word;
		if (l->option == &global_options[GLOBAL_HOST])
			l->session.host =
			    hosts_add(&l->hosts, word) == 0 ? l->hosts.names[0] : word;
		l->option = NULL;
	} else if (word[0] == '-') {
		l->option = awaiting(global_options, word);
		if (l->option == NULL && l->command != NULL)
			l->option = awaiting(l->command->options, word);
	} else if (l->command != NULL) {
		l->args++;
	} else if (l->heads < 2) {
		l->head[l->heads++] = word;
		l->command = command_find(l->session.commands, l->heads, l->head, &used);
	}
}

/* WHY: the line that a shell completes does not stand still for a station that does. */
static void
give_up(int number)
{
	(void)number;
	_exit(EXIT_OK);
}

int
complete_line(const struct command_desc *const *commands, int argc, char *const *argv)
{
	struct line l = { .session = { .commands = commands,
				       .socket_path =
					   environment(PROTO_SOCKET_ENV, PROTO_SOCKET_PATH) },
			  .word = argc > 0 ? argv[argc - 1] : "",
			  .offered = json_object() };

	/* WHY: a shell shows what is said here in the middle of the line. */
	if (freopen("/dev/null", "we", stderr) == NULL)
		return EXIT_REFUSED;
	(void)setsid(); /* WHY: ssh asks for a passphrase where it has a terminal or this program */
	(void)setenv("SSH_ASKPASS_REQUIRE", "never", 1);
	(void)signal(SIGALRM, give_up);
	(void)alarm(PATIENCE_S);
	for (int i = 0; i + 1 < argc; i++)
		take_word(&l, argv[i]);
	if (l.option != NULL) {
		offer_value(&l);
	} else if (l.word[0] == '-') {
		offer_options(&l, l.command != NULL ? l.command->options : NULL);
		offer_options(&l, global_options);
	} else if (l.command == NULL) {
		offer_commands(&l);
	} else {
		offer_argument(&l);
	}
	json_decref(l.offered);
	return EXIT_OK;
}
