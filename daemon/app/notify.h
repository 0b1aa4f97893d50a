/* SPDX-License-Identifier: MIT */
/*
 * Messages to the service manager and sockets from it: readiness, status line and watchdog
 * datagrams (sd_notify(3)), listening sockets (sd_listen_fds(3)).  Never blocks; without a manager
 * everything is a no-op.
 */
#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/util.h"

#define NOTIFY_STATUS_MAX 256 /* LIMIT: a longer status line is cut */
#define NOTIFY_LISTEN_MAX 16  /* LIMIT: sockets we accept from the manager */

struct notify;

/*
 * Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID out of the environment, so that no child
 * speaks for us. 0 also when there is no manager; -ENOMEM, or the socket's negative errno.
 */
int notify_new(struct notify **ret_notify) MUST_CHECK;
void notify_free(struct notify *n); /* NULL is fine */

/* Lost datagrams are not errors: the next one repeats what matters. */
void notify_ready(struct notify *n);
void notify_status(struct notify *n, const char *format, ...)
    PRINTF_LIKE(2, 3);			/* one line; sent when it changed */
void notify_watchdog(struct notify *n); /* only where the manager wants it */
void notify_stopping(struct notify *n);
void notify_reloading(struct notify *n, uint64_t monotonic_usec); /* notify_ready() ends it */
void notify_extend(struct notify *n,
		   uint64_t more_ms); /* start or stop takes that much longer from now */
/* Within long work: it is no hang.  At most once a second; true: it was said. */
bool notify_working(struct notify *n, uint64_t now_us, uint64_t more_ms);
void notify_trouble(struct notify *n,
		    int error); /* ERRNO=, before leaving with a failure; error: negative errno */

/*
 * The socket that the manager passed under this name (FileDescriptorName=), or, when none has the
 * name, the only one passed.  1 and ret_fd (the caller's, as it came: ctl/listen.h makes it fit); 0
 * nothing was passed; -E2BIG.  All other passed descriptors are closed and the environment is
 * cleared: call once.
 */
int notify_take_listener(const char *name, int *ret_fd) MUST_CHECK;

#endif
