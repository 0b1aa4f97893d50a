/* SPDX-License-Identifier: MIT */
/*
 * The control interface as it runs: the server, the handlers' context, and the services that are
 * its own: the audit of acts, rescue requests, and the streams of the status.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "app/api.h"
#include "cfdfu/util.h"

struct control;
struct event_base;

struct control_options {
	struct event_base *base;
	struct api api; /* without acts, rescue, stream and server; all else borrowed */
	const char *socket_path;
	/* Requests are done: what handlers asked of the fleet is to be carried out. */
	void (*requests_done)(void *ctx);
	void *ctx;
};

/* 0, or negative errno after having said why in the log. */
int control_new(const struct control_options *options, struct control **ret_control) MUST_CHECK;
/* Before the services that it was given.  NULL is fine. */
void control_free(struct control *c);

struct rescue *control_rescue(const struct control *c);
struct server *control_server(const struct control *c);

/* There may be something new to see: streams are told soon. */
void control_changed(struct control *c);

#endif
