/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/api.h"

#define HANDLER(name, ...) api_##name,
server_handler *const api_handlers[] = { STATION_METHODS(HANDLER) };
