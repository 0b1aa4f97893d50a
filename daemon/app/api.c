/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/api.h"

#include "app/rescue.h"
#include "app/status_stream.h"

#define HANDLER(name, ...) api_##name,
server_handler *const api_handlers[] = { STATION_METHODS(HANDLER) };

void
api_gone(void *ctx, struct call *call)
{
	const struct services *sv = ctx;

	status_stream_drop(sv->stream, call);
	rescue_forget(sv->rescue, call);
}

void
api_drained(void *ctx, struct call *call)
{
	const struct services *sv = ctx;

	status_stream_drained(sv->stream, call);
}
