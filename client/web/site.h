/* SPDX-License-Identifier: MIT */
/* The page's files and what the station says, to GET requests of the page itself. */
#ifndef CLIENT_WEB_SITE_H
#define CLIENT_WEB_SITE_H

#include "cfdfu/util.h"

struct evhttp;
struct watchers;

/*
 * Serves the files of a directory from then on, to the end of the process.  hosts: further names of
 * this server, NULL ends them; borrowed.  watchers: NULL is -ENOMEM.  0 or a negative errno: of the
 * directory.
 */
int site_new(struct evhttp *http, const char *files, const char *const *hosts,
	     struct watchers *watchers) MUST_CHECK;

#endif
