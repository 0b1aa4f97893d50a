/* SPDX-License-Identifier: MIT */
/* Identity of the process at the other end of a connection, and its right to change things. */
#ifndef CTL_PEER_H
#define CTL_PEER_H

#include "ctl/server.h"

/*
 * From the kernel's SO_PEERCRED and SO_PEERGROUPS: the identity at the time of connect(2).  0 or
 * negative errno.
 */
int peer_of_socket(int fd, gid_t change_gid, struct peer *ret_peer) MUST_CHECK;

#endif
