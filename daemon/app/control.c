/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/control.h"

#include <grp.h>
#include <string.h>

#include "app/acts.h"
#include "app/api.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/rescue.h"
#include "app/settings.h"
#include "app/status_stream.h"

static void
on_gone(void *ctx, struct call *call)
{
	const struct services *sv = ctx;

	status_stream_drop(sv->stream, call);
	rescue_forget(sv->rescue, call);
	stats_forget(sv->stats, call);
}

static void
on_drained(void *ctx, struct call *call)
{
	const struct services *sv = ctx;

	status_stream_drained(sv->stream, call);
}

static gid_t
change_group(const struct services *sv)
{
	const struct group *g = getgrnam(sv->settings->group);

	if (g == NULL)
		log_say(sv->log, LOG_NOTICE, NULL,
			"there is no group %s: only root may change things", sv->settings->group);
	return g != NULL ? g->gr_gid : (gid_t)-1;
}

static bool
drones_at_work(void *ctx)
{
	return fleet_active(((const struct services *)ctx)->fleet) > 0;
}

static int
open_server(struct services *sv, void (*work)(void *ctx, bool begins), void *ctx)
{
	struct server_options options = {
		.listen_fd = -1,
		.socket_path = sv->socket_path,
		.change_gid = change_group(sv),
		.change_group = sv->settings->group,
		.signatures = station_signatures,
		.handlers = api_handlers,
		.method_count = station_method_count,
		.version = PACKAGE_VERSION,
		.ctx = sv,
		.gone = on_gone,
		.drained = on_drained,
		.denied = acts_denied,
		.answered = acts_answered,
		.at_work = drones_at_work,
		.work = work,
		.work_ctx = ctx,
	};
	int r = notify_take_listener("control", &options.listen_fd);

	if (r >= 0)
		r = server_new(sv->base, &options, &sv->server);
	if (r < 0)
		log_say(sv->log, LOG_CRIT, NULL, "%s: the control socket cannot be opened: %s",
			sv->socket_path, strerror(-r));
	return r;
}

int
control_open(struct services *sv, void (*work)(void *ctx, bool begins), void *ctx)
{
	int r = rescue_new(sv, api_rescue_ended, &sv->rescue);

	if (r == 0)
		r = status_stream_new(sv, &sv->stream);
	return r < 0 ? r : open_server(sv, work, ctx);
}

void
control_close(struct services *sv)
{
	server_free(sv->server);
	status_stream_free(sv->stream);
	rescue_free(sv->rescue);
}
