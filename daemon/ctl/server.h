/* SPDX-License-Identifier: MIT */
/*
 * The control socket's server: Varlink calls of many, slow or hostile clients, turned into calls of
 * handlers.
 *
 * CONTRACT
 *  - Nothing here blocks; everything happens in callbacks of the event base.
 *  - A handler is only called when the parameters are what the signature says (unknown, missing,
 *    ill-typed or over-long ones were refused by name), the peer has the right the signature asks
 *    for, and a descriptor is there if it needs one.
 *  - Each call given to a handler is answered with exactly one call_reply() or call_error(): in the
 *    handler or any time later; for METHOD_STREAMS any number of call_continue() before it.  The
 *    answer ends the life of the call object; when it is given inside the handler, the object can
 *    still be asked (call_take_fd() and the like) until the handler returns.  This holds for oneway
 *    calls, too: their answers are dropped here.
 *  - A client may go away first: then gone() is called once for its unanswered call, and the call
 *    object is dead.  gone() is never called from inside a call_*() function, nor from a handler.
 *  - One call at a time per client: the next request waits for the answer.
 *  - Clients come after devices: all events here have the lowest priority of the base, the clients
 *    take turns of one request each, and after a share of the loop's time (ctl/share.h) the devices
 *    are looked at before it goes on.  A device waits at most for this share and one request.
 *  - oneway is for what changes something; a oneway call that only looks is dropped: its work would
 *    have no use.
 */
#ifndef CTL_SERVER_H
#define CTL_SERVER_H

#include <jansson.h>
#include <sys/types.h>

#include "cfdfu/util.h"
#include "ctl/station.h"

struct event_base;
struct server;
struct call;

#define PEER_USER_MAX 64

/* The process at the other end, as the kernel said when it connected. */
struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	char user[PEER_USER_MAX]; /* name of uid, or its number */
	bool may_change;	  /* root, the service's own user, or in the group */
};

/*
 * parameters: borrowed for the time of the call; never NULL, an object; keep what you need with
 * json_incref().
 */
typedef void server_handler(void *ctx, struct call *call, json_t *parameters);

struct server_options {
	int listen_fd;		  /* a listening socket, taken; or -1: */
	const char *socket_path;  /* made here (0666), a stale one replaced; removed at the end */
	gid_t change_gid;	  /* group that may change things; (gid_t)-1: root only */
	const char *change_group; /* its name, for refusals; borrowed; NULL: cfdfu */
	const struct method_signature *signatures; /* normally station_signatures; borrowed */
	server_handler *const *handlers;	   /* one per signature, by index; borrowed */
	size_t method_count;
	const char *version; /* of the product, for GetInfo; borrowed */
	void *ctx;	     /* for handlers and the callbacks below */

	/* The unanswered call's client went away.  May be NULL when no handler ever defers. */
	void (*gone)(void *ctx, struct call *call);
	/* After a call_continue() that returned -EAGAIN: there is room again.  May be NULL. */
	void (*drained)(void *ctx, struct call *call);
	/* A peer was refused a method it has no right to: for the audit.  May be NULL. */
	void (*denied)(void *ctx, const struct peer *peer, const char *method);

	/*
	 * A call of a method that changes something is being answered: error NULL, or its name with
	 * the answer's parameters.  For the audit; may be NULL.
	 */
	void (*answered)(void *ctx, struct call *call, const char *error, const json_t *parameters);

	/* The clock of the turns, in microseconds; NULL: CLOCK_MONOTONIC. */
	uint64_t (*now_us)(void *ctx);
	/* Drones are at work: clients rest between their turns (ctl/share.h).  May be NULL. */
	bool (*at_work)(void *ctx);
	/* Clients' work begins, or is over for this turn: for measuring it.  May be NULL. */
	void (*work)(void *work_ctx, bool begins);
	void *work_ctx;

	unsigned first_request_ms; /* 0: PROTO_FIRST_REQUEST_MS */
	unsigned clients_max;	   /* 0: PROTO_CLIENTS_MAX */
	unsigned clients_per_uid;  /* 0: PROTO_CLIENTS_PER_UID; root has no such limit */
};

/*
 * An event base on which the server's events come last and one at a time: what a device or a timer
 * (of libevent's default priority) has to say is looked at between any two of them.  NULL: no
 * memory.
 */
struct event_base *server_base_new(void) MUST_CHECK;

/*
 * 0 or negative errno: -EADDRINUSE when another daemon listens on socket_path, else what socket(2),
 * bind(2), listen(2), malloc(3) say.  On failure listen_fd is closed, too.  The options' pointers
 * are borrowed for the life of the server.
 */
int server_new(struct event_base *base, const struct server_options *options,
	       struct server **ret_server) MUST_CHECK;

/*
 * Sends what is queued, as far as the clients take it, and closes all connections without gone():
 * the owner forgets its calls itself.  NULL is fine.
 */
void server_free(struct server *s);

/* No new connections, and no new requests on the ones there are: the service is stopping. */
void server_stop(struct server *s);

size_t server_client_count(const struct server *s);

/* The most requests that were taken between two looks at the devices, since the start. */
unsigned server_requests_max(const struct server *s);

const struct peer *call_peer(const struct call *call);
const char *call_method(const struct call *call); /* full name */
json_t *call_parameters(const struct call *call); /* borrowed */
void *call_data(const struct call *call);	  /* of call_set_data(), or NULL */
void call_set_data(struct call *call, void *data);

/* The descriptor that came with the call, now the caller's to close; -1 when taken before. */
int call_take_fd(struct call *call);

/*
 * Answers.  take_parameters becomes the server's in every case.  NULL stands for memory that ran
 * out while building them and is answered with the error Failed; for no parameters pass
 * json_object().
 */
void call_reply(struct call *call, json_t *take_parameters);
void call_error(struct call *call, const char *error, json_t *take_parameters);
/* error with {"reason": text}; error is a full name, as from PROTO_ERROR("Busy"). */
void call_refuse(struct call *call, const char *error, const char *fmt, ...) PRINTF_LIKE(3, 4);
/*
 * org.varlink.service.InvalidParameter: the value of this parameter is of the right type but
 * nonsense.
 */
void call_invalid(struct call *call, const char *parameter);

/*
 * One more reply of a stream.  0; or -EAGAIN: the client does not read, nothing was queued,
 * drained() will tell when to try again (send the whole state then, and say that something was
 * lost); or -ENOMEM, nothing queued.
 */
int call_continue(struct call *call, json_t *take_parameters) MUST_CHECK;

#endif
