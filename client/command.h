/* SPDX-License-Identifier: MIT */
/*
 * Commands as data: one descriptor each feeds the parser, the help, and the test that compares them
 * with the manual page.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client/translate.h"

#define COMMAND_OPTIONS_MAX 9
#define COMMAND_PARAMETERS_MAX 7
#define COMMAND_ARGS_ANY 256 /* LIMIT: targets on one command line, as the service takes */

struct command_desc;
struct hosts;

/* The options that every command has, and the table of commands. */
struct session {
	const struct command_desc *const *commands; /* all that there are; NULL ends them */
	const char *socket_path;
	const char *host;    /* NULL: this machine, or several */
	struct hosts *hosts; /* all that were named */
	int answer_fd; /* of one of several: what another machine prints; 0: our standard output */
	bool json;
	bool no_color;
	bool no_pager;
	bool silent;  /* a screen is all that is to be seen: ssh says nothing */
	bool patient; /* answers take as long as the drone does */
	bool bridge;  /* speak for another machine's cfdfuctl: no command */
};

/* value NULL: a switch. */
struct command_option {
	const char *name;
	char letter; /* 0: long only */
	const char *value;
	const char *help;
};

struct invocation;

/* A parameter of the question that a command asks. */
struct command_parameter {
	const char *key;
	const char *option; /* that fills it; NULL: the next argument */
	enum {
		PARAMETER_TEXT,
		PARAMETER_TEXTS,  /* all arguments, where there are some */
		PARAMETER_SWITCH, /* true where the option was given, else nothing */
		PARAMETER_NUMBER, /* from min to max */
		PARAMETER_TIME,	  /* as when_parse() takes it */
		PARAMETER_WORD,	  /* one of the words, however it is capitalised */
	} kind;
	uint64_t min, max;
	const char *const *words; /* NULL ends them */
};

struct command_desc {
	const char *name; /* "firmware add" */
	const char *args; /* as the usage shows them */
	int args_min, args_max;
	bool live; /* prints as things happen */
	enum {
		STATIONS_MANY, /* by many_run() */
		STATIONS_OWN,  /* run() knows several */
		STATIONS_ONE,  /* for one alone */
	} stations;
	const char *help;						 /* one line */
	int (*run)(const struct session *s, const struct invocation *i); /* an exit status */
	/* Of those that ask the service one thing, by conn_run() or their own run(). */
	const char *method;
	struct command_parameter parameters[COMMAND_PARAMETERS_MAX + 1];
	int (*print)(const struct session *s, const json_t *reply); /* of conn_run() */
	struct command_option options[COMMAND_OPTIONS_MAX + 1];
};

struct invocation {
	const struct command_desc *command;
	const char *values[COMMAND_OPTIONS_MAX]; /* NULL: not given; "" for a switch that was */
	char **args;
	int arg_count;
};

/*
 * Parses a whole command line into a session that has its commands.  0 and a command to run (NULL:
 * the bridge); or -1 when all is said and done, with the exit status in *ret_status (--help,
 * --version, or a usage error, answered with the usage).
 */
int command_parse(int argc, char **argv, struct session *session, struct invocation *ret,
		  int *ret_status) MUST_CHECK;

/* The command that the words name: two words before one.  *ret_words: how many it took. */
const struct command_desc *command_find(const struct command_desc *const *commands, int argc,
					char *const *argv, int *ret_words);
bool command_is_group(const struct command_desc *const *commands, const char *word);

/*
 * "PLATFORM|none" of "SLOT|SERIAL PLATFORM|none": the argument after so many, and its length; the
 * last one again for more of them.
 */
const char *command_argument(const struct command_desc *c, int number, size_t *ret_length);

/* Words that name no command: says so, and what is near or in the group; the exit status. */
int command_refuse(const struct command_desc *const *commands, int argc, char *const *argv);

/* NULL when the option was not given. */
const char *invocation_value(const struct invocation *i, const char *option);
bool invocation_has(const struct invocation *i, const char *option);

/* As if it had been given; the value is borrowed. */
void invocation_set(struct invocation *i, const char *option, const char *value);

/* Says what is wrong and how the command is used; EXIT_USAGE. */
int usage_error(const struct command_desc *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * A number in [min, max], decimal or 0x...; missing: *ret_number stays.  0, or EXIT_USAGE after
 * having said so.
 */
int invocation_number(const struct invocation *i, const char *option, uint64_t min, uint64_t max,
		      uint64_t *ret_number) MUST_CHECK;

/* A duration of at most max seconds, such as 90s, 5m, 1h30m, 600; as invocation_number(). */
int invocation_duration(const struct invocation *i, const char *option, int64_t max,
			int64_t *ret_seconds) MUST_CHECK;
bool number_parse(const char *text, uint64_t max, uint64_t *ret_number) MUST_CHECK;

#endif
