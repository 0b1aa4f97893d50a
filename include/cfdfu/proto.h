/* SPDX-License-Identifier: MIT */
/*
 * Common to both ends of the control socket beside org.cfdfu.Station.varlink: names, limits, exit
 * codes. Exit codes and names are for ever: scripts depend on them.
 */
#ifndef CFDFU_PROTO_H
#define CFDFU_PROTO_H

#define PROTO_SOCKET_PATH "/run/cfdfud/control"
#define PROTO_SOCKET_ENV "CFDFU_SOCKET" /* honoured by the client; --socket wins */
#define PROTO_GROUP "cfdfu"		/* its members may change things, and root */
#define PROTO_INTERFACE "org.cfdfu.Station"
#define PROTO_METHOD(name) PROTO_INTERFACE "." name
#define PROTO_ERROR(name) PROTO_INTERFACE "." name
#define PROTO_SERVICE "org.varlink.service"

/*
 * LIMIT: doc/faults.md A5; the largest honest request is a Retry with 256 serials, below 10 KiB.
 */
#define PROTO_REQUEST_BYTES_MAX (64U * 1024U)
#define PROTO_REPLY_BYTES_MAX (4U * 1024U * 1024U)
#define PROTO_DEPTH_MAX 32	    /* LIMIT: nesting of a message; ours need 5 */
#define PROTO_CLIENTS_MAX 64	    /* connections; two more are kept, for operators and root */
#define PROTO_CLIENTS_PER_UID 16    /* connections of one user other than root, as cfdfu-web */
#define PROTO_FIRST_REQUEST_MS 5000 /* a new connection's time for its first whole request */
#define PROTO_QUEUE_BYTES_MAX (1024U * 1024U) /* unread replies of a stream */
#define PROTO_HISTORY_MAX 500		      /* attempts in one reply of GetHistory */
#define PROTO_HISTORY_DEFAULT 50
#define PROTO_ENDINGS_DEFAULT 200 /* endings in one reply of GetEndings; the same most */

/*
 * LIMIT: a file that crosses the socket; core/image.h's IMAGE_BYTES_MAX and room for DfuSe's
 * headers.
 */
#define PROTO_FILE_BYTES_MAX (65U * 1024U * 1024U)

/* Exit status of cfdfuctl (doc/promises.md 4). */
enum proto_exit {
	EXIT_OK = 0,
	EXIT_DRONE_FAILED = 1, /* at least one drone failed */
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
	EXIT_REFUSED = 4, /* image, permission */
	EXIT_TIMED_OUT = 5,
	EXIT_NOTHING_THERE = 6, /* of wait: no drone, and none has ended */
};

#endif
