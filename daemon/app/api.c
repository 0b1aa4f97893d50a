/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/api.h"

#include "app/acts.h"
#include "app/app_parts.h"

#define HANDLER(name, ...) api_##name,
server_handler *const api_handlers[] = { STATION_METHODS(HANDLER) };

void
api_gone(void *ctx, struct call *call)
{
	const struct api *a = ctx;

	watchers_drop(a->app, call);
	for (size_t i = 0; i < FLEET_SLOTS_MAX; i++)
		if (a->app->specials[i].call == call)
			a->app->specials[i].call =
			    NULL; /* the work goes on, the record will tell */
}

void
api_drained(void *ctx, struct call *call)
{
	const struct api *a = ctx;

	watchers_drained(a->app, call);
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
