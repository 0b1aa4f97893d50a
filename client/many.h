/* SPDX-License-Identifier: MIT */
/* A command for several stations: a process for each, which does it as for one. */
#ifndef CLIENT_MANY_H
#define CLIENT_MANY_H

#include "client/command.h"

/*
 * For session.hosts, at most 32 at once; nothing is read from the standard input and nothing asked.
 * When all have ended, what they said is printed in their order.  The highest exit status of them
 * all.
 */
int many_run(const struct session *s, const struct invocation *i);

#endif
