/* SPDX-License-Identifier: MIT */
/*
 * The services of the daemon.  daemon.c fills them in, in this order: each is made from those above
 * it, keeps the pointer to all of them, and uses no other.
 */
#ifndef APP_SERVICES_H
#define APP_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

struct services {
	struct event_base *base;
	const char *config_file; /* as for settings_load() */
	const char *state_dir, *socket_path;
	struct log *log;
	struct clock *clock;
	struct notify *notify;
	struct turns *turns;
	struct settings *settings; /* changes in place when it is read again */
	struct fleet *fleet;
	struct store *store;
	struct repository *repository;
	struct names *names;
	struct ports *ports;
	struct quarantine *quarantine;
	struct batches *batches;
	struct recorder *recorder;
	struct records_walk *walk;
	struct stats *stats;
	struct counters *counters;
	struct rescue *rescue;
	struct status_stream *stream;
	struct server *server;
	bool restart; /* asked for (api_control.c); lifecycle.c does it */
	struct {
		uint64_t minute; /* of the clock, that is counted */
		unsigned count;
	} denied; /* acts.c */
};

#endif
