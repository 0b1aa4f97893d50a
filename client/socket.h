/* SPDX-License-Identifier: MIT */
/* The control socket of the service on this machine: connecting, and why it is not there. */
#ifndef CLIENT_SOCKET_H
#define CLIENT_SOCKET_H

#include "client/command.h"

#define SOCKET_PATIENCE_S 30 /* LIMIT: of a service that answers within milliseconds */

/* A connected socket to path; or a negative errno. */
int socket_connect(const char *path) MUST_CHECK;

/* The sentence for an errno of socket_connect(), and its exit status. */
int socket_explain(const struct session *s, int error);

/* Whether a service listens; without a word.  Of another machine it is not known: true. */
bool socket_is_there(const struct session *s);

#endif
