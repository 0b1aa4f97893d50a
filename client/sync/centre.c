/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/sync/centre.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/when.h"

enum {
	WHY_MAX = 512,
};

struct centre {
	PGconn *pg;
	PGresult *result;
	int64_t wait_ms, until_ms;
	char why[WHY_MAX];
};

/* The first line. */
static enum centre_status
fails(struct centre *c, enum centre_status status, const char *why)
{
	(void)snprintf(c->why, sizeof(c->why), "%.*s%s", (int)strcspn(why, "\n"), why,
		       status == CENTRE_OK || status == CENTRE_LATER ? ""
		       : strncmp(why, "schema ", 7) == 0 ? "; its tables are made by --init"
							 : "; see DIAGNOSTICS in cfdfu-sync(8)");
	return status;
}

/* SPEC: PostgreSQL, appendix A: classes of SQLSTATE.  NULL: the connection ended. */
static enum centre_status
status_of(const char *state)
{
	static const char *const refusing[] = { "0A", "22", "23", "28", "3D", "3F", "42" };

	for (size_t i = 0; state != NULL && i < ARRAY_LEN(refusing); i++)
		if (strncmp(state, refusing[i], 2) == 0)
			return CENTRE_REFUSES;
	return state != NULL && strncmp(state, "40", 2) == 0 ? CENTRE_MOVED : CENTRE_LATER;
}

static enum centre_status
wait_until_ready(struct centre *c, short events)
{
	struct pollfd p = { .fd = PQsocket(c->pg), .events = events };
	int64_t left_ms = c->until_ms - when_ms();

	if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
		return fails(c, CENTRE_LATER, "the server does not answer in time");
	return CENTRE_OK;
}

/* A number of the connection's, from its string, its service file, or the environment. */
static int64_t
option(PGconn *pg, const char *name, int64_t otherwise)
{
	PQconninfoOption *all = PQconninfo(pg);
	int64_t n = 0;

	for (PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, name) == 0 && o->val != NULL)
			n = strtoll(o->val, NULL, 10);
	PQconninfoFree(all);
	return n > 0 ? n : otherwise;
}

static enum centre_status
check_conninfo(struct centre *c, const char *conninfo)
{
	char *why = NULL;
	PQconninfoOption *all = PQconninfoParse(conninfo, &why);
	enum centre_status r = all == NULL ? fails(c, CENTRE_USAGE, why) : CENTRE_OK;

	for (PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++)
		if (strstr(o->keyword, "password") != NULL && o->val != NULL)
			r = fails(c, CENTRE_USAGE,
				  "all users can read a password on a command line: use passfile");
	PQconninfoFree(all);
	PQfreemem(why);
	return r;
}

/* A server's answer, behind "FATAL:  28P01: "; of several addresses that were tried it is the last
 * one's. */
static enum centre_status
no_connection(struct centre *c)
{
	static const char form[] = ":  28P01: ";
	const char *all = PQerrorMessage(c->pg), *code = strstr(all, ":  "), *word = code, *line;
	char why[WHY_MAX];

	if (code == NULL || strlen(code) < strlen(form)) {
		enum centre_status r = PQhost(c->pg)[0] == '\0' ? CENTRE_USAGE : CENTRE_LATER;

		return fails(c, PQconnectionNeedsPassword(c->pg) != 0 ? CENTRE_REFUSES : r, all);
	}
	while (word > all && word[-1] != ' ')
		word--;
	line = word;
	while (line > all && line[-1] != '\n')
		line--;
	(void)snprintf(why, sizeof(why), "%.*s%s", (int)(word - line), line, code + strlen(form));
	return fails(c, status_of(code + 3), why);
}

static enum centre_status
connect_to(struct centre *c, const char *conninfo)
{
	const char *const keys[] = { "fallback_application_name", "dbname", "client_encoding",
				     NULL };
	const char *const values[] = { "cfdfu-sync", conninfo, "UTF8", NULL };
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	enum centre_status r = CENTRE_OK;

	c->pg = PQconnectStartParams(keys, values, 1);
	if (c->pg == NULL)
		return fails(c, CENTRE_LATER, "out of memory");
	(void)PQsetErrorVerbosity(c->pg, PQERRORS_VERBOSE); /* WHY: only so it has the SQLSTATE */
	c->wait_ms = option(c->pg, "tcp_user_timeout", 60000);
	c->until_ms = when_ms() + 1000 * option(c->pg, "connect_timeout", 10);
	while (PQstatus(c->pg) != CONNECTION_BAD && r == CENTRE_OK && next != PGRES_POLLING_OK) {
		r = wait_until_ready(c, next == PGRES_POLLING_READING ? POLLIN : POLLOUT);
		next = r == CENTRE_OK ? PQconnectPoll(c->pg) : PGRES_POLLING_FAILED;
	}
	return r != CENTRE_OK || PQstatus(c->pg) == CONNECTION_OK ? r : no_connection(c);
}

enum centre_status
centre_open(const char *conninfo, struct centre **ret_centre)
{
	struct centre *c = *ret_centre = calloc(1, sizeof(*c));
	enum centre_status r = c != NULL ? check_conninfo(c, conninfo) : CENTRE_LATER;
	char set[64];

	if (r == CENTRE_OK)
		r = connect_to(c, conninfo);
	if (r != CENTRE_OK)
		return r;
	(void)PQsetErrorVerbosity(c->pg, PQERRORS_DEFAULT);
	(void)PQsetnonblocking(c->pg, 1); /* fails for a connection that ended: as the next call */
	(void)snprintf(set, sizeof(set), "SET statement_timeout = %lld", (long long)c->wait_ms);
	return centre_run(c, set, NULL, 0);
}

void
centre_close(struct centre *c)
{
	if (c != NULL) {
		PQclear(c->result);
		PQfinish(c->pg);
	}
	free(c);
}

/* To the end: the first error of several statements, or the last result. */
static enum centre_status
take_results(struct centre *c)
{
	enum centre_status r = CENTRE_OK;
	PGresult *result;
	const char *why;
	int left;

	do {
		while ((left = PQflush(c->pg)) > 0 || PQisBusy(c->pg) != 0) {
			if (wait_until_ready(c, left > 0 ? POLLIN | POLLOUT : POLLIN) != CENTRE_OK)
				return CENTRE_LATER;
			if (PQconsumeInput(c->pg) == 0)
				return fails(c, CENTRE_LATER, PQerrorMessage(c->pg));
		}
		result = PQgetResult(c->pg);
		if (result != NULL && r == CENTRE_OK) {
			PQclear(c->result);
			c->result = result;
			why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
			if (PQresultStatus(result) == PGRES_FATAL_ERROR)
				r = fails(c,
					  status_of(PQresultErrorField(result, PG_DIAG_SQLSTATE)),
					  why != NULL ? why : PQresultErrorMessage(result));
		} else {
			PQclear(result);
		}
	} while (result != NULL);
	return r;
}

enum centre_status
centre_run(struct centre *c, const char *sql, const char *const *values, int count)
{
	int sent = count > 0 ? PQsendQueryParams(c->pg, sql, count, NULL, values, NULL, NULL, 0)
			     : PQsendQuery(c->pg, sql);

	c->until_ms = when_ms() + c->wait_ms;
	return sent != 0 ? take_results(c) : fails(c, CENTRE_LATER, PQerrorMessage(c->pg));
}

int
centre_rows(const struct centre *c)
{
	return PQntuples(c->result);
}

const char *
centre_value(const struct centre *c, int row, int column)
{
	return PQgetisnull(c->result, row, column) != 0 ? NULL : PQgetvalue(c->result, row, column);
}

const char *
centre_why(const struct centre *c)
{
	return c != NULL ? c->why : "out of memory";
}
