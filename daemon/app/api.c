/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/api.h"

#include "app/acts.h"
#include "app/rescue.h"
#include "app/status_stream.h"

#define HANDLER(name, ...) api_##name,
server_handler *const api_handlers[] = { STATION_METHODS(HANDLER) };

void
api_gone(void *ctx, struct call *call)
{
	const struct api *a = ctx;

	status_stream_drop(a->stream, call);
	rescue_forget(a->rescue, call);
}

void
api_drained(void *ctx, struct call *call)
{
	const struct api *a = ctx;

	status_stream_drained(a->stream, call);
}

void
api_answered(void *ctx, struct call *call, const char *error, const json_t *parameters)
{
	const struct api *a = ctx;

	acts_answered(a->acts, call, error, parameters);
}

void
api_denied(void *ctx, const struct peer *peer, const char *method)
{
	const struct api *a = ctx;

	acts_denied(a->acts, peer, method);
}
