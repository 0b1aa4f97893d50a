/* SPDX-License-Identifier: MIT */
/*
 * Log lines to the journal's native socket, or to standard error; never waiting for either.
 *
 * WHY not sd_journal_sendv(): it sends with a blocking socket, so a stalled journal would stall
 * every drone. The protocol is stable and small: "Native Journal Protocol" of the systemd project,
 * one datagram an entry.
 */
#include "config.h"

#include "app/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define ENTRY_MAX 4096 /* LIMIT: all fields of one entry; fits any datagram */

struct log {
	int max_priority;
	int journal_fd;	    /* -1: standard error */
	bool stderr_tagged; /* "<6>" in front: a service manager reads it */
	uint64_t dropped;
	uint64_t dropped_told;
};

struct entry {
	char bytes[ENTRY_MAX];
	size_t used;
};

/* $JOURNAL_STREAM is "device:inode" of the socket that the service manager made standard error. */
static bool
stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;
	char end;

	if (text == NULL || sscanf(text, "%" SCNuMAX ":%" SCNuMAX "%c", &dev, &ino, &end) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int
connect_journal(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

int
log_new(int max_priority, struct log **ret_log)
{
	struct log *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	l->max_priority = max_priority;
	l->stderr_tagged = stderr_is_journal();
	l->journal_fd = l->stderr_tagged ? connect_journal() : -1;
	*ret_log = l;
	return 0;
}

void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	if (l->journal_fd >= 0)
		(void)close(l->journal_fd); /* datagrams: nothing is pending */
	free(l);
}

void
log_set_level(struct log *l, int max_priority)
{
	l->max_priority = max_priority;
}

/* Appends KEY=value with value made safe for one line; what does not fit whole is left out. */
static void
put_field(struct entry *e, const char *key, const char *value)
{
	size_t key_bytes = strlen(key), value_bytes = value != NULL ? strlen(value) : 0;

	if (value_bytes == 0 || key_bytes + value_bytes + 2 > sizeof(e->bytes) - e->used)
		return;
	memcpy(e->bytes + e->used, key, key_bytes);
	e->used += key_bytes;
	e->bytes[e->used++] = '=';
	for (size_t i = 0; i < value_bytes; i++)
		e->bytes[e->used++] = (unsigned char)value[i] < ' ' ? '?' : value[i];
	e->bytes[e->used++] = '\n';
}

static void
put_about(struct entry *e, const struct log_about *about)
{
	char number[24];

	put_field(e, "MESSAGE_ID", about->id);
	put_field(e, "CFDFU_SERIAL", about->serial);
	put_field(e, "CFDFU_PORT", about->port);
	put_field(e, "CFDFU_LABEL", about->label);
	put_field(e, "CFDFU_VERDICT", about->verdict);
	put_field(e, "CFDFU_FAULT", about->fault);
	put_field(e, "CFDFU_STEP", about->step);
	put_field(e, "CFDFU_READY", about->ready);
	put_field(e, "CFDFU_REMAINING", about->remaining);
	if (about->attempt != 0) {
		(void)snprintf(number, sizeof(number), "%" PRId64, about->attempt);
		put_field(e, "CFDFU_ATTEMPT", number);
	}
}

static bool
send_to_journal(struct log *l, int priority, const struct log_about *about, const char *line)
{
	struct entry e = { .used = 0 };
	char number[12];

	(void)snprintf(number, sizeof(number), "%d", priority);
	put_field(&e, "PRIORITY", number);
	put_field(&e, "SYSLOG_IDENTIFIER", "cfdfud");
	if (about != NULL)
		put_about(&e, about);
	put_field(&e, "MESSAGE", line);
	if (send(l->journal_fd, e.bytes, e.used, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET) {
		/* WHY: a restarted journal listens on a new socket; the old connection is dead for
		 * good. */
		(void)close(l->journal_fd);
		l->journal_fd = connect_journal();
	}
	return false;
}

/* WHY poll first: standard error may be a pipe or a stream socket whose reader has stopped. */
static bool
send_to_stderr(const struct log *l, int priority, const char *line)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	char text[LOG_LINE_MAX + 16], tag[8] = "";
	int n;

	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0)
		return false;
	if (l->stderr_tagged)
		(void)snprintf(tag, sizeof(tag), "<%d>", priority);
	n = snprintf(text, sizeof(text), "%s%s\n", tag, line);
	assert(n > 0 && (size_t)n < sizeof(text));
	return write(STDERR_FILENO, text, (size_t)n) == n;
}

static bool
emit(struct log *l, int priority, const struct log_about *about, const char *line)
{
	if (l->journal_fd >= 0)
		return send_to_journal(l, priority, about, line);
	return send_to_stderr(l, priority, line);
}

/* Control characters, DEL and the C1 range (as bytes of UTF-8: 0xC2 0x80..0x9F) could steer a
 * terminal. */
static void
make_safe(char *dst, size_t size, const char *src)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	for (const unsigned char *p = (const unsigned char *)src; *p != '\0' && used + 5 <= size;
	     p++) {
		bool c1 = p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F;

		if (*p >= ' ' && *p != 0x7F && !c1) {
			dst[used++] = (char)*p;
			continue;
		}
		p += c1 ? 1 : 0;
		dst[used++] = '\\';
		dst[used++] = 'x';
		dst[used++] = hex[*p >> 4];
		dst[used++] = hex[*p & 15];
	}
	dst[used] = '\0';
}

/* "A3 (1-4): ", as on the screens. */
static size_t
put_slot(char *line, size_t size, const struct log_about *about)
{
	if (about == NULL || about->port == NULL || about->port[0] == '\0')
		return 0;
	if (about->label == NULL || about->label[0] == '\0')
		return (size_t)snprintf(line, size, "%.64s: ", about->port);
	return (size_t)snprintf(line, size, "%.64s (%.64s): ", about->label, about->port);
}

void
log_say(struct log *l, int priority, const struct log_about *about, const char *format, ...)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX];
	va_list args;
	size_t n;

	if (priority > l->max_priority)
		return;
	raw[0] = '\0';
	n = put_slot(raw, sizeof(raw), about);
	va_start(args, format);
	(void)vsnprintf(raw + n, sizeof(raw) - n, format, args); /* cut is fine */
	va_end(args);
	make_safe(line, sizeof(line), raw);
	if (!emit(l, priority, about, line)) {
		l->dropped++;
		return;
	}
	if (l->dropped > l->dropped_told) {
		(void)snprintf(raw, sizeof(raw),
			       "%" PRIu64 " log lines dropped: journal did not accept them",
			       l->dropped - l->dropped_told);
		if (emit(l, LOG_WARNING, NULL, raw))
			l->dropped_told = l->dropped;
	}
}
