/* SPDX-License-Identifier: MIT */
/* cfdfu-sync: what a station has recorded, into a central database; exactly once in effect, as the
 * database has the position, and moves it in the transaction that takes the rows. */
#include "config.h"

#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfdfu/system.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/sync/centre.h"
#include "client/sync_state.h"
#include "client/when.h"

enum {
	GROUP_MAX = 1000, /* endings and conditions of a transaction */
	RUN_MS = 900000,  /* LIMIT: of a run; the next one goes on */
	SQL_BYTES_MAX = 1 << 20,
};

static const char usage[] =
    "Usage: cfdfu-sync [OPTION]...\n"
    "Sends what the flashing station has recorded to a central PostgreSQL database.\n"
    "\n"
    "  -d, --database CONNINFO  its connection string (default: service=cfdfu)\n"
    "      --init               make or complete its tables instead, as their owner\n"
    "  -s, --socket PATH        the station's control socket (default " PROTO_SOCKET_PATH ")\n"
    "      --state FILE         how the run ended (default " SYNC_STATE_FILE ")\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "See cfdfu-sync(8).\n";

static const struct option options[] = {
	{ "database", required_argument, NULL, 'd' },
	{ "init", no_argument, NULL, 'i' },
	{ "socket", required_argument, NULL, 's' },
	{ "state", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

struct sync {
	struct session session;
	const char *database;
	bool init;
	struct conn *station;
	struct centre *centre;
	json_t *state;	/* as sync_state.h has it; a member changes when it becomes known */
	json_int_t seq; /* the place: the record that was sent last, and its hash ("" none) */
	char hash[65];
	int64_t until_ms;
};

/* Without memory the file lacks it. */
static void
set(struct sync *s, const char *key, json_t *take_value)
{
	(void)json_object_set_new(s->state, key, take_value);
}

static void
add(struct sync *s, const char *key, json_int_t n)
{
	set(s, key, json_integer(out_int(s->state, key) + n));
}

/* A statement of the central database's; what it fails with is said. */
static int
run_there(struct sync *s, enum centre_status status)
{
	if (status != CENTRE_OK && status != CENTRE_MOVED) {
		say_error("%s", centre_why(s->centre));
		set(s, "error", json_string(centre_why(s->centre)));
	}
	return (int)status;
}

static int
ask_station(struct sync *s, json_int_t after, json_int_t limit, json_t **ret_page)
{
	struct params p = { .object = json_pack("{s:I, s:I}", "after", after, "limit", limit) };
	int r = conn_call(s->station, PROTO_METHOD("GetEndings"), &p, -1, ret_page);

	params_done(&p);
	return r != 0 ? EXIT_NO_DAEMON : 0;
}

static bool
has_hash(const json_t *page, const char *hash)
{
	return strcmp(out_text(page, "after_hash").s, hash) == 0;
}

/* Takes the place from a row of position(); *ret_fits: the station's records go on behind it. */
static int
try_place(struct sync *s, int row, bool *ret_fits)
{
	json_t *page = NULL;
	int r;

	set(s, "epoch", json_integer(strtoll(centre_value(s->centre, row, 0), NULL, 10)));
	set(s, "endings", json_integer(strtoll(centre_value(s->centre, row, 3), NULL, 10)));
	s->seq = strtoll(centre_value(s->centre, row, 1), NULL, 10);
	copy_text(s->hash, sizeof(s->hash), centre_value(s->centre, row, 2));
	r = ask_station(s, s->seq, 0, &page);
	*ret_fits = r == 0 && has_hash(page, s->hash);
	json_decref(page);
	return r;
}

/* To go on from: the newest epoch that fits, or a new one from the beginning. */
static int
find_place(struct sync *s)
{
	const char *values[] = { out_string(s->state, "station_id"), out_string(s->state, "host") };
	int r = run_there(
	    s, centre_run(s->centre, "SELECT epoch, seq, hash, endings FROM cfdfu.position($1, $2)",
			  values, ARRAY_LEN(values)));
	int rows = r == 0 ? centre_rows(s->centre) : 0;
	json_int_t epoch = rows > 0 ? strtoll(centre_value(s->centre, 0, 0), NULL, 10) : 0;
	bool fits = false;

	for (int row = 0; r == 0 && row < rows && !fits; row++)
		r = try_place(s, row, &fits);
	if (r == 0 && !fits) {
		s->seq = 0;
		s->hash[0] = '\0';
		set(s, "epoch", json_integer(++epoch));
		set(s, "endings", json_integer(0));
		if (epoch > 1)
			say_error("the station's records do not continue those that were sent "
				  "before (was it restored, or copied?): they are sent from the "
				  "beginning, as epoch %lld",
				  (long long)epoch);
	}
	set(s, "warning",
	    epoch > 1 ? json_string("The station was restored or copied: its records "
				    "are in several epochs.")
		      : json_null());
	return r;
}

/* A group of what stands behind the place; its last page has the place behind it. */
static int
collect(struct sync *s, json_t *group, json_t **ret_page)
{
	json_int_t next = s->seq;
	struct text hash;
	int r = 0;

	text_copy(&hash, s->hash);
	do {
		json_decref(*ret_page);
		*ret_page = NULL;
		r = ask_station(s, next, GROUP_MAX - (json_int_t)json_array_size(group), ret_page);
		/* restored under our eyes */
		if (r == 0 && !has_hash(*ret_page, hash.s)) {
			r = CENTRE_MOVED;
		} else if (r == 0 && out_true(*ret_page, "more") &&
			   out_int(*ret_page, "next") <= next) {
			say_error("the station's answers have no end");
			r = EXIT_NO_DAEMON;
		}
		(void)json_array_extend(group, json_object_get(*ret_page, "endings"));
		next = out_int(*ret_page, "next");
		hash = out_text(*ret_page, "next_hash");
	} while (r == 0 && out_true(*ret_page, "more") && json_array_size(group) < GROUP_MAX);
	return r;
}

static int
send_group(struct sync *s, const json_t *group, const json_t *page)
{
	json_int_t next = out_int(page, "next");
	struct text hash = out_text(page, "next_hash");
	char *endings = json_dumps(group, JSON_COMPACT), sql[160];
	const char *values[] = { out_string(s->state, "station_id"),
				 s->hash[0] != '\0' ? s->hash : NULL, endings, hash.s };
	const json_t *one;
	size_t i;
	int r;

	(void)snprintf(sql, sizeof(sql), "SELECT cfdfu.take($1, %lld, %lld, $2, $3, %lld, $4)",
		       (long long)out_int(s->state, "epoch"), (long long)s->seq, (long long)next);
	r = run_there(s, centre_run(s->centre, sql, values, ARRAY_LEN(values)));
	free(endings);
	if (r != 0)
		return r;
	s->seq = next;
	copy_text(s->hash, sizeof(s->hash), hash.s);
	set(s, "seq", json_integer(next));
	add(s, "sent", (json_int_t)json_array_size(group));
	json_array_foreach(group, i, one)
		add(s, "endings", out_is(one, "what", "end"));
	return 0;
}

static int
send_all(struct sync *s)
{
	bool more = true;
	int r = find_place(s);

	while (r == 0 && more) {
		json_t *group = json_array(), *page = NULL;

		r = when_ms() < s->until_ms ? collect(s, group, &page) : CENTRE_LATER;
		more = out_true(page, "more");
		if (r == 0 && out_int(page, "next") > s->seq)
			r = send_group(s, group, page);
		json_decref(group);
		json_decref(page);
	}
	return r;
}

static int
run(struct sync *s)
{
	json_t *page = NULL;
	int r = conn_open(&s->session, &s->station) != 0 ? EXIT_NO_DAEMON : 0;

	if (r == 0)
		r = ask_station(s, 0, 0, &page);
	if (r == 0) {
		(void)json_object_set(s->state, "station_id", json_object_get(page, "station_id"));
		(void)json_object_set(s->state, "host", json_object_get(page, "host"));
		r = run_there(s, centre_open(s->database, &s->centre));
	}
	json_decref(page);
	if (r == 0)
		do
			r = send_all(s);
		while (r == CENTRE_MOVED && when_ms() < s->until_ms);
	return r == CENTRE_MOVED ? CENTRE_LATER : r;
}

static void
keep_state(struct sync *s, int status)
{
	char iso[WHEN_TEXT_MAX] = "", *text;

	(void)!when_parse("now", time(NULL), iso); /* it is a word of that */
	set(s, "at", json_string(iso));
	set(s, "ok", json_boolean(status == 0));
	if (status == 0)
		set(s, "success_at", json_string(iso));
	else if (out_string(s->state, "error") == NULL)
		set(s, "error",
		    json_string(status == EXIT_NO_DAEMON
				    ? "the station does not answer"
				    : "not all was sent; the next run goes on"));
	if (out_int(s->state, "sent") > 0)
		printf("%lld endings and conditions were sent\n",
		       (long long)out_int(s->state, "sent"));
	text = json_dumps(s->state, JSON_INDENT(1));
	(void)!file_write(environment(SYNC_STATE_ENV, SYNC_STATE_FILE), (uint8_t *)text,
			  text != NULL ? strlen(text) : 0);
	free(text);
}

/* ---- the tables ----------------------------------------------------------------------------- */

/* The statements of a file, and its row, in one transaction. */
static int
apply(struct sync *s, const char *path, int version)
{
	char *text = NULL, *sql = NULL, why[FILE_WHY_MAX] = "out of memory";
	size_t size;
	int r = CENTRE_LATER;

	if (file_read(path, SQL_BYTES_MAX, (uint8_t **)&text, &size, why) != 0 ||
	    asprintf(&sql,
		     "BEGIN; %s\n; INSERT INTO cfdfu.migration (version, name) VALUES (%d, '%s'); "
		     "COMMIT",
		     text, version, file_base_name(path)) < 0)
		say_error("%s: %s", path, why);
	else
		r = run_there(s, centre_run(s->centre, sql, NULL, 0));
	if (r == 0)
		printf("applied %s\n", path);
	free(sql);
	free(text);
	return r;
}

static int
init(struct sync *s)
{
	static const char *const questions[] = {
		"SELECT pg_advisory_lock(x'cfdf'::int)",
		"SELECT to_regclass('cfdfu.migration')",
		"SELECT max(version) FROM cfdfu.migration",
	};
	const char *dir = environment("CFDFU_SQL_DIR", PKGDATADIR "/sql"), *value = "";
	int r = run_there(s, centre_open(s->database, &s->centre)), version;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(questions) && value != NULL; i++) {
		r = run_there(s, centre_run(s->centre, questions[i], NULL, 0));
		value = r == 0 ? centre_value(s->centre, 0, 0) : NULL;
	}
	version = value != NULL ? atoi(value) : 0;
	while (r == 0) {
		char pattern[PATH_MAX];
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s/%03d-*.sql", dir, ++version);
		if (glob(pattern, 0, NULL, &found) != 0)
			break;
		r = apply(s, found.gl_pathv[0], version);
		globfree(&found);
	}
	if (r == 0 && version == 1) {
		say_error("there are no tables to make: %s/001-*.sql is missing",
			  dir != NULL ? dir : PKGDATADIR "/sql");
		return CENTRE_LATER;
	}
	if (r == 0)
		printf("the tables are those of version %d\n", version - 1);
	return r;
}

/* ---- the command line ----------------------------------------------------------------------- */

/* -1; or an exit status. */
static int
read_arguments(int argc, char **argv, struct sync *s)
{
	int c, action = 0;

	while ((c = getopt_long(argc, argv, "d:s:hV", options, NULL)) != -1) {
		if (c == 'd')
			s->database = optarg;
		else if (c == 's')
			s->session.socket_path = optarg;
		else if (c == 'f')
			(void)setenv(SYNC_STATE_ENV, optarg, 1); /* WHY: there is memory for it */
		else if (c == 'i')
			s->init = true;
		else
			action = c;
	}
	if (action == 'h' || action == 'V') {
		(void)fputs(action == 'h' ? usage : "cfdfu-sync " PACKAGE_VERSION "\n", stdout);
		return EXIT_OK;
	}
	if (action == 0 && optind == argc)
		return -1;
	if (optind < argc)
		say_error("unexpected argument: %s", argv[optind]);
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct sync s = { .session.socket_path = environment(PROTO_SOCKET_ENV, PROTO_SOCKET_PATH),
			  .database = "service=cfdfu",
			  .until_ms = when_ms() + RUN_MS };
	int r = read_arguments(argc, argv, &s);

	if (r >= 0)
		return r;
	s.state = sync_state_read();
	if (s.state == NULL)
		s.state = json_object();
	set(&s, "sent", json_integer(0));
	set(&s, "error", json_null());
	r = s.init ? init(&s) : run(&s);
	if (!s.init)
		keep_state(&s, r);
	centre_close(s.centre);
	conn_close(s.station);
	json_decref(s.state);
	return r;
}
