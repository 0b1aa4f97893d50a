/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/control.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "app/acts.h"
#include "app/backups.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/ports.h"
#include "app/rescue.h"
#include "app/settings.h"
#include "app/status_stream.h"
#include "app/turns.h"

struct control {
	struct api api;
	struct control_options options;
};

static const char *
label_of(void *ctx, const char *port)
{
	return ports_label(((struct control *)ctx)->api.ports, port);
}

static int
keep_backup(void *ctx, const struct job_record *r, const uint8_t *data, size_t size)
{
	const struct api *a = &((struct control *)ctx)->api;

	return backups_keep(a->state_dir, a->settings, r, data, size);
}

static int
open_services(struct control *c)
{
	struct api *a = &c->api;
	struct rescue_options rescue = { .fleet = a->fleet,
					 .log = a->log,
					 .label = label_of,
					 .keep = keep_backup,
					 .ended = api_rescue_ended,
					 .ctx = c };
	int r = acts_new(a->store, a->log, a->clock, &a->acts);

	if (r == 0)
		r = rescue_new(&rescue, &a->rescue);
	return r < 0 ? r : status_stream_new(c->options.base, a->turns, a, &a->stream);
}

static gid_t
change_group(const struct api *a)
{
	const struct group *g = getgrnam(a->settings->group);

	if (g == NULL)
		log_say(a->log, LOG_NOTICE, NULL,
			"there is no group %s: only root may change things", a->settings->group);
	return g != NULL ? g->gr_gid : (gid_t)-1;
}

static bool
drones_at_work(void *ctx)
{
	return fleet_active(((const struct api *)ctx)->fleet) > 0;
}

static void
on_work(void *ctx, bool begins)
{
	struct control *c = ctx;

	if (begins) {
		(void)turns_begin(c->api.turns, LOOP_CLIENT); /* it is never within other work */
		return;
	}
	turns_end(c->api.turns, LOOP_IDLE);
	c->options.requests_done(c->options.ctx);
}

static int
open_server(struct control *c)
{
	struct server_options options = {
		.listen_fd = -1,
		.socket_path = c->options.socket_path,
		.change_gid = change_group(&c->api),
		.change_group = c->api.settings->group,
		.signatures = station_signatures,
		.handlers = api_handlers,
		.method_count = station_method_count,
		.version = PACKAGE_VERSION,
		.ctx = &c->api,
		.gone = api_gone,
		.drained = api_drained,
		.denied = api_denied,
		.answered = api_answered,
		.at_work = drones_at_work,
		.work = on_work,
		.work_ctx = c,
	};
	int r = notify_take_listener("control", &options.listen_fd);

	if (r >= 0)
		r = server_new(c->options.base, &options, &c->api.server);
	if (r < 0)
		log_say(c->api.log, LOG_CRIT, NULL, "%s: the control socket cannot be opened: %s",
			c->options.socket_path, strerror(-r));
	return r;
}

int
control_new(const struct control_options *options, struct control **ret_control)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->options = *options;
	c->api = options->api;
	r = open_services(c);
	if (r == 0)
		r = open_server(c);
	if (r < 0)
		control_free(c);
	else
		*ret_control = c;
	return r;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	server_free(c->api.server);
	status_stream_free(c->api.stream);
	rescue_free(c->api.rescue);
	acts_free(c->api.acts);
	free(c);
}

struct rescue *
control_rescue(const struct control *c)
{
	return c->api.rescue;
}

struct server *
control_server(const struct control *c)
{
	return c->api.server;
}

void
control_changed(struct control *c)
{
	status_stream_changed(c->api.stream);
}
