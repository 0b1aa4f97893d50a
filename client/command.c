/* SPDX-License-Identifier: MIT */
/* The command line: global options, the command, its options and arguments, all from the table. */
#include "config.h"

#include "client/command.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/guess.h"
#include "client/help.h"
#include "client/hosts.h"
#include "client/out.h"
#include "client/when.h"

#define LONG_MAX_COUNT (COMMAND_OPTIONS_MAX + 16)
#define GLOBAL_BASE 256	 /* getopt's value for global option n */
#define COMMAND_BASE 512 /* ... for the command's option n */

/* getopt_long(3)'s tables, made of ours. */
struct grammar {
	struct option longs[LONG_MAX_COUNT];
	char shorts[2 * LONG_MAX_COUNT + 4];
	int values[128]; /* of the short letters: as their long ones */
	size_t count, used;
};

static void
add_option(struct grammar *g, const struct command_option *o, int value)
{
	g->longs[g->count++] = (struct option){
		.name = o->name,
		.has_arg = o->value != NULL ? required_argument : no_argument,
		.val = value,
	};
	if (o->letter == 0)
		return;
	g->values[(unsigned char)o->letter] = value;
	g->shorts[g->used++] = o->letter;
	if (o->value != NULL)
		g->shorts[g->used++] = ':';
}

/* WHY "+" before the command is known: what follows the command is the command's. */
static void
make_grammar(struct grammar *g, const struct command_desc *c)
{
	memset(g, 0, sizeof(*g));
	if (c == NULL)
		g->shorts[g->used++] = '+';
	g->shorts[g->used++] = ':';
	for (int i = 0; global_options[i].name != NULL; i++)
		add_option(g, &global_options[i], GLOBAL_BASE + i);
	for (int i = 0; c != NULL && c->options[i].name != NULL; i++)
		add_option(g, &c->options[i], COMMAND_BASE + i);
}

/* 0; or -1 and the exit status, also when help or version were asked for and given. */
static int
take_global(struct session *s, const struct command_desc *c, enum global_option which,
	    int *ret_status)
{
	*ret_status = EXIT_OK;
	switch (which) {
	case GLOBAL_JSON:
		s->json = true;
		break;
	case GLOBAL_NO_COLOR:
		s->no_color = true;
		break;
	case GLOBAL_NO_PAGER:
		s->no_pager = true;
		break;
	case GLOBAL_SOCKET:
		s->socket_path = optarg;
		break;
	case GLOBAL_HOST:
		*ret_status = hosts_add(s->hosts, optarg);
		return *ret_status == 0 ? 0 : -1;
	case GLOBAL_HELP:
		help_print(stdout, s->commands, c);
		return -1;
	case GLOBAL_VERSION:
		printf("cfdfuctl %s\n", PACKAGE_VERSION);
		return -1;
	case GLOBAL_BRIDGE:
		s->bridge = true;
		break;
	case GLOBAL_ARGUMENTS: /* refused before */
		break;
	}
	return 0;
}

/* "; did you mean "--failed"?" for what begins with "--"; "" when nothing is near. */
static void
guess_option(const struct grammar *known, const char *word, char text[GUESS_TEXT_MAX])
{
	char name[GUESS_WORD_MAX];
	struct guess g = { .word = name };

	copy_text(name, sizeof(name), strncmp(word, "--", 2) == 0 ? word + 2 : "");
	name[strcspn(name, "=")] = '\0';
	for (size_t i = 0; i < known->count; i++)
		guess_add(&g, known->longs[i].name);
	guess_text(&g, "--", text);
}

/* WHY not always the word: of letters in one word, getopt may not be past it yet. */
static int
refuse_option(const struct command_desc *c, const struct grammar *known, bool no_value, char **argv)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	const char *word = optopt > 0 && optopt < GLOBAL_BASE ? letter : argv[optind - 1];
	char guess[GUESS_TEXT_MAX];

	if (no_value)
		return usage_error(c, "%s needs a value", word);
	guess_option(known, word, guess);
	return usage_error(c, "unknown option: %s%s", word, guess);
}

/* Options of one part of the line; inv->command: NULL before it is known.  0; or -1 and the exit
 * status. */
static int
parse_options(int argc, char **argv, struct session *s, struct invocation *inv, int *ret_status)
{
	const struct command_desc *c = inv->command;
	struct grammar g;

	make_grammar(&g, c);
	optind = 0; /* WHY: GNU's way to begin anew */
	opterr = 0;
	for (;;) {
		int v = getopt_long(argc, argv, g.shorts, g.longs, NULL);

		if (v == -1)
			return 0;
		if (v == '?' || v == ':') {
			*ret_status = refuse_option(c, &g, v == ':', argv);
			return -1;
		}
		if ((size_t)v < ARRAY_LEN(g.values))
			v = g.values[v];
		if (v >= COMMAND_BASE)
			inv->values[v - COMMAND_BASE] = optarg != NULL ? optarg : "";
		else if (v == GLOBAL_BASE + GLOBAL_ARGUMENTS) {
			*ret_status = usage_error(c, "--stdio-arguments stands alone");
			return -1;
		} else if (take_global(s, c, (enum global_option)(v - GLOBAL_BASE), ret_status) <
			   0) {
			return -1;
		}
	}
}

const struct command_desc *
command_find(const struct command_desc *const *commands, int argc, char *const *argv,
	     int *ret_words)
{
	char two[64];

	*ret_words = 2;
	if (argc > 1) {
		snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]);
		for (int i = 0; commands[i] != NULL; i++)
			if (strcmp(commands[i]->name, two) == 0)
				return commands[i];
	}
	*ret_words = 1;
	for (int i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, argv[0]) == 0)
			return commands[i];
	return NULL;
}

bool
command_is_group(const struct command_desc *const *commands, const char *word)
{
	size_t length = strlen(word);

	for (int i = 0; commands[i] != NULL; i++)
		if (strncmp(commands[i]->name, word, length) == 0 &&
		    commands[i]->name[length] == ' ')
			return true;
	return false;
}

/* "firmware --json list": options between the two words of a command. */
static int
parse_between(int *argc, char ***argv, struct session *s, struct invocation *inv, int *ret_status)
{
	char *word = (*argv)[0];

	if (*argc < 2 || (*argv)[1][0] != '-' || strcmp((*argv)[1], "--help") == 0 ||
	    strcmp((*argv)[1], "-h") == 0 || !command_is_group(s->commands, word))
		return 0;
	if (parse_options(*argc, *argv, s, inv, ret_status) < 0)
		return -1;
	*argc -= optind - 1;
	*argv += optind - 1;
	(*argv)[0] = word;
	return 0;
}

/* The nearest known word to "stauts", "frimware add" or, in a group, "firmware lst". */
static void
guess_command(const struct command_desc *const *commands, int argc, char *const *argv,
	      char text[GUESS_TEXT_MAX])
{
	bool group = command_is_group(commands, argv[0]);
	size_t skip = group ? strlen(argv[0]) + 1 : 0;
	char two[GUESS_WORD_MAX] = "";
	struct guess whole = { .word = argv[group && argc > 1 ? 1 : 0] }, pair = { .word = two };
	char prefix[GUESS_WORD_MAX] = "";

	if (group)
		snprintf(prefix, sizeof(prefix), "%s ", argv[0]);
	else if (argc > 1)
		snprintf(two, sizeof(two), "%.30s %.30s", argv[0], argv[1]);
	for (int i = 0; commands[i] != NULL; i++) {
		if (skip == 0)
			guess_add(&pair, commands[i]->name);
		if (strncmp(commands[i]->name, prefix, skip) == 0)
			guess_add(&whole, commands[i]->name + skip);
	}
	guess_text(pair.nearest != NULL ? &pair : &whole, prefix, text);
}

int
command_refuse(const struct command_desc *const *commands, int argc, char *const *argv)
{
	char guess[GUESS_TEXT_MAX];

	guess_command(commands, argc, argv, guess);
	if (!command_is_group(commands, argv[0]))
		return usage_error(NULL, "unknown command: %s%s", argv[0], guess);
	if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		say_error("unknown command: %s %s%s", argv[0], argv[1], guess);
	else if (argc > 1) {
		help_print_group(stdout, commands, argv[0]);
		return EXIT_OK;
	}
	help_print_group(stderr, commands, argv[0]);
	return EXIT_USAGE;
}

const char *
command_argument(const struct command_desc *c, int number, size_t *ret_length)
{
	const char *args = c->args, *next;

	for (; number > 0 && (next = strchr(args, ' ')) != NULL; number--)
		args = next + 1;
	*ret_length = strcspn(args, " ");
	return args;
}

static int
refuse_too_few(const struct invocation *inv)
{
	size_t length;
	const char *args = command_argument(inv->command, inv->arg_count, &length);

	for (size_t n = 0; n + 2 < length; n++)
		if (strncmp(args + n, "|--", 3) == 0 || strncmp(args + n, "...", 3) == 0)
			length = n;
	return usage_error(inv->command, "missing argument: %.*s", (int)length, args);
}

static int
check_count(const struct invocation *inv)
{
	const struct command_desc *c = inv->command;

	if (inv->arg_count < c->args_min)
		return refuse_too_few(inv);
	if (inv->arg_count > c->args_max)
		return usage_error(c, "unexpected argument: %s", inv->args[c->args_max]);
	return 0;
}

int
command_parse(int argc, char **argv, struct session *session, struct invocation *ret,
	      int *ret_status)
{
	struct session s = { .socket_path = getenv(PROTO_SOCKET_ENV),
			     .commands = session->commands,
			     .hosts = session->hosts };
	struct invocation inv = { .command = NULL };
	static char status[] = "status";
	static char *bare[] = { status, NULL };
	int words = 1;

	if (parse_options(argc, argv, &s, &inv, ret_status) < 0)
		return -1;
	argc -= optind;
	argv += optind;
	if (s.socket_path == NULL || s.socket_path[0] == '\0')
		s.socket_path = PROTO_SOCKET_PATH;
	if (s.bridge)
		goto out;
	if (argc == 0) {
		argc = 1;
		argv = bare;
	}
	if (parse_between(&argc, &argv, &s, &inv, ret_status) < 0)
		return -1;
	inv.command = command_find(s.commands, argc, argv, &words);
	if (inv.command == NULL) {
		*ret_status = command_refuse(s.commands, argc, argv);
		return -1;
	}
	argc -= words - 1;
	argv += words - 1;
	if (parse_options(argc, argv, &s, &inv, ret_status) < 0)
		return -1;
	inv.args = argv + optind;
	inv.arg_count = argc - optind;
	*ret_status = check_count(&inv);
	if (*ret_status != 0)
		return -1;
out:
	if (s.hosts->count == 1)
		s.host = s.hosts->names[0];
	*session = s;
	*ret = inv;
	return 0;
}

const char *
invocation_value(const struct invocation *i, const char *option)
{
	for (size_t n = 0; i->command->options[n].name != NULL; n++)
		if (strcmp(i->command->options[n].name, option) == 0)
			return i->values[n];
	return NULL;
}

void
invocation_set(struct invocation *i, const char *option, const char *value)
{
	for (size_t n = 0; i->command->options[n].name != NULL; n++)
		if (strcmp(i->command->options[n].name, option) == 0)
			i->values[n] = value;
}

bool
invocation_has(const struct invocation *i, const char *option)
{
	return invocation_value(i, option) != NULL;
}

int
usage_error(const struct command_desc *c, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* WHY: cut is fine */
	va_end(args);
	say_error("%s", text);
	help_print_usage(stderr, c);
	return EXIT_USAGE;
}

bool
number_parse(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	v = strtoull(text, &end, text[1] == 'x' || text[1] == 'X' ? 16 : 10);
	if (errno != 0 || *end != '\0' || v > max)
		return false;
	*ret_number = v;
	return true;
}

int
invocation_number(const struct invocation *i, const char *option, uint64_t min, uint64_t max,
		  uint64_t *ret_number)
{
	const char *text = invocation_value(i, option);
	uint64_t v;

	if (text == NULL)
		return 0;
	if (!number_parse(text, max, &v) || v < min)
		return usage_error(i->command, "--%s is a number from %llu to %llu, not \"%s\"",
				   option, (unsigned long long)min, (unsigned long long)max, text);
	*ret_number = v;
	return 0;
}

int
invocation_duration(const struct invocation *i, const char *option, int64_t max,
		    int64_t *ret_seconds)
{
	const char *text = invocation_value(i, option);
	int64_t seconds;

	if (text == NULL)
		return 0;
	if (!when_duration(text, &seconds) || seconds > max)
		return usage_error(i->command,
				   "--%s is a time such as 90s, 5m, 1h30m or 600 (seconds), "
				   "not \"%s\"",
				   option, text);
	*ret_seconds = seconds;
	return 0;
}
