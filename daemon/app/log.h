/* SPDX-License-Identifier: MIT */
/*
 * Log lines with fields to systemd's journal, or to standard error with a journald priority before
 * each.  Never blocks: a line that is not accepted at once is dropped and counted (doc/faults.md
 * S9).
 */
#ifndef APP_LOG_H
#define APP_LOG_H

#include <stdint.h>
#include <syslog.h> /* LOG_ERR ... LOG_DEBUG */

#include "cfdfu/util.h"

#define LOG_LINE_MAX 1024 /* LIMIT: a longer message is cut */

/* MESSAGE_ID of the events that people filter for. */
#define LOG_ID_STARTED "5f0d8a3c0f6b4c0d9e3e1b7a54c20e01"
#define LOG_ID_ATTEMPT_ENDED "5f0d8a3c0f6b4c0d9e3e1b7a54c20e03"
#define LOG_ID_QUARANTINED "5f0d8a3c0f6b4c0d9e3e1b7a54c20e04"
#define LOG_ID_FOREIGN "5f0d8a3c0f6b4c0d9e3e1b7a54c20e05"
#define LOG_ID_DEGRADED "5f0d8a3c0f6b4c0d9e3e1b7a54c20e06"
#define LOG_ID_CONFIG_REFUSED "5f0d8a3c0f6b4c0d9e3e1b7a54c20e07"
#define LOG_ID_OPERATOR_ACT "5f0d8a3c0f6b4c0d9e3e1b7a54c20e08"
#define LOG_ID_BRAKE "5f0d8a3c0f6b4c0d9e3e1b7a54c20e0a"
#define LOG_ID_COMMON_CAUSE "5f0d8a3c0f6b4c0d9e3e1b7a54c20e0b"
#define LOG_ID_CONDITION "5f0d8a3c0f6b4c0d9e3e1b7a54c20e0c"

/* The subject of a line, as fields; NULL, "" and attempt 0 are left out. */
struct log_about {
	const char *id;	       /* LOG_ID_... -> MESSAGE_ID */
	const char *serial;    /* CFDFU_SERIAL */
	const char *port;      /* CFDFU_PORT */
	const char *label;     /* CFDFU_LABEL */
	const char *verdict;   /* CFDFU_VERDICT */
	const char *fault;     /* CFDFU_FAULT */
	const char *step;      /* CFDFU_STEP */
	const char *ready;     /* CFDFU_READY */
	const char *remaining; /* CFDFU_REMAINING: words, with a blank between them */
	int64_t attempt;       /* CFDFU_ATTEMPT */
};

struct log;

/*
 * Decides once whether standard error is the journal ($JOURNAL_STREAM names it); then fields go to
 * the journal's own socket.  max_priority: LOG_INFO drops LOG_DEBUG.  0 or negative errno.
 */
int log_new(int max_priority, struct log **ret_log) MUST_CHECK;
void log_free(struct log *l); /* NULL is fine */
void log_set_level(struct log *l, int max_priority);

/*
 * One line, label and port before it where it has them; control characters in it are shown as \xNN.
 * about may be NULL.  Any callback may call it.
 */
void log_say(struct log *l, int priority, const struct log_about *about, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
