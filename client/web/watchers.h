/* SPDX-License-Identifier: MIT */
/*
 * Browsers that watch.  Each has a connection of its own to the station, whose messages are passed
 * on as they are: while a browser does not keep up its connection is not read, and the station
 * itself leaves out what is outdated, and says so.
 */
#ifndef CLIENT_WEB_WATCHERS_H
#define CLIENT_WEB_WATCHERS_H

#include "cfdfu/util.h"

struct event_base;
struct evhttp_request;
struct watchers;

/* station: path of its control socket, borrowed.  NULL: out of memory.  Lives to the end. */
struct watchers *watchers_new(struct event_base *base, const char *station) MUST_CHECK;

/*
 * Answers a request with a stream of server-sent events until one of the two ends: the parameters
 * of each reply of Watch, and "beat" every 15 seconds.  NULL; or why not, and the request is open.
 */
const char *watchers_add(struct watchers *all, struct evhttp_request *request) MUST_CHECK;

#endif
