/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "app/clock.h"
#include "app/dispatch.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/services.h"
#include "app/settings.h"
#include "app/turns.h"
#include "core/fleet.h"
#include "ctl/server.h"
#include "store/store.h"

enum {
	SLEPT_MS = 2000,   /* the two clocks part by more than this: the machine was suspended */
	DRAIN_MS = 110000, /* within the unit's TimeoutStopSec, with RECORD_MS */
	RECORD_MS = 5000,  /* for the disk to take the verdicts of what was interrupted */
};

enum phase { RUNNING, DRAINING, INTERRUPTED };

struct lifecycle {
	const struct services *sv;
	struct lifecycle_options o;
	struct event *second;
	struct event *signals[3];
	enum phase phase;
	uint64_t phase_until_us; /* not RUNNING: the next phase then */
	uint64_t idle_since_us;
	int64_t suspended_ms; /* clock_suspended_ms() at the last second */
	unsigned seconds;
};

/* ---- stopping ------------------------------------------------------------------------------- */

static void
leave_loop(struct lifecycle *l)
{
	if (event_base_loopbreak(l->sv->base) < 0)
		log_say(l->sv->log, LOG_ERR, NULL, "the event loop cannot be left");
}

static void
enter(struct lifecycle *l, enum phase phase, uint64_t for_ms)
{
	l->phase = phase;
	l->phase_until_us = clock_now_us() + for_ms * 1000;
}

/* Ends all running attempts as interrupted. */
static void
interrupt(struct lifecycle *l)
{
	log_say(l->sv->log, LOG_WARNING, NULL, "stopping now; %u drones are interrupted",
		fleet_active(l->sv->fleet));
	enter(l, INTERRUPTED, RECORD_MS);
	fleet_stop(l->sv->fleet, clock_now_us());
}

static void
stop(struct lifecycle *l)
{
	if (l->phase != RUNNING) {
		interrupt(l);
	} else {
		enter(l, DRAINING, DRAIN_MS);
		fleet_drain(l->sv->fleet, clock_now_us());
		server_stop(l->sv->server);
		notify_stopping(l->sv->notify);
		notify_extend(l->sv->notify, DRAIN_MS + RECORD_MS);
	}
	dispatch_run(l->o.dispatch);
	if (fleet_active(l->sv->fleet) == 0)
		leave_loop(l);
	else if (l->phase == DRAINING)
		log_say(l->sv->log, LOG_NOTICE, NULL, "stopping; %u drones are still at work",
			fleet_active(l->sv->fleet));
}

/* Each second while stopping. */
static void
go_on_stopping(struct lifecycle *l)
{
	bool late = clock_now_us() >= l->phase_until_us;

	if (late && l->phase == DRAINING) {
		interrupt(l);
		dispatch_run(l->o.dispatch);
	} else if (late) {
		/* They have no ending on the disk: the next start gives them one. */
		log_say(l->sv->log, LOG_ERR, NULL, "the records of %u drones could not be written",
			fleet_active(l->sv->fleet));
		leave_loop(l);
	}
	if (fleet_active(l->sv->fleet) == 0)
		leave_loop(l);
}

static void
on_signal(evutil_socket_t signal, short what, void *ctx)
{
	struct lifecycle *l = ctx;

	(void)what;
	if (signal == SIGHUP)
		l->o.reload(l->o.ctx);
	else
		stop(l);
}

/* ---- each second ---------------------------------------------------------------------------- */

static void
look_for_sleep(struct lifecycle *l)
{
	int64_t suspended_ms = clock_suspended_ms(), slept_ms = suspended_ms - l->suspended_ms;

	if (slept_ms > SLEPT_MS) {
		log_say(l->sv->log, LOG_WARNING, NULL,
			"the machine slept for %lld s: jobs under way are restarted",
			(long long)slept_ms / 1000);
		fleet_slept(l->sv->fleet, clock_now_us());
	}
	l->suspended_ms = suspended_ms;
}

static void
look_for_idleness(struct lifecycle *l)
{
	uint64_t idle_exit_us = (uint64_t)l->sv->settings->idle_exit_ms * 1000;
	struct fleet_counts counts;

	fleet_counts(l->sv->fleet, &counts);
	if (idle_exit_us == 0 || counts.present > 0 || fleet_active(l->sv->fleet) > 0 ||
	    server_client_count(l->sv->server) > 0 ||
	    store_queued(l->sv->store) != store_durable(l->sv->store)) {
		l->idle_since_us = clock_now_us();
	} else if (clock_now_us() - l->idle_since_us >= idle_exit_us) {
		log_say(l->sv->log, LOG_NOTICE, NULL,
			"idle: exiting until socket or device activation");
		leave_loop(l);
	}
}

static void
tell_manager(struct lifecycle *l)
{
	struct fleet_counts c;

	fleet_counts(l->sv->fleet, &c);
	notify_status(l->sv->notify,
		      "%s: %u present, %u active, %u pass, %u unchanged, %u failed, %u skipped",
		      fleet_paused(l->sv->fleet) ? "paused" : "armed", c.present, c.active,
		      c.ended[VERDICT_PASS], c.ended[VERDICT_UNCHANGED], c.failed,
		      c.ended[VERDICT_SKIPPED]);
	/* WHY: from the loop itself, so that a loop that hangs is noticed. */
	notify_watchdog(l->sv->notify);
}

static void
on_second(evutil_socket_t fd, short what, void *ctx)
{
	struct lifecycle *l = ctx;
	enum loop_work before = turns_begin(l->sv->turns, LOOP_DEVICE);

	(void)fd;
	(void)what;
	l->o.second(l->o.ctx, ++l->seconds);
	look_for_sleep(l);
	tell_manager(l);
	dispatch_run(l->o.dispatch);
	if (l->phase != RUNNING)
		go_on_stopping(l);
	else
		look_for_idleness(l);
	turns_end(l->sv->turns, before);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int
arm(struct lifecycle *l)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct timeval second = { .tv_sec = 1 };

	l->second = event_new(l->sv->base, -1, EV_PERSIST, on_second, l);
	if (l->second == NULL || event_add(l->second, &second) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		l->signals[i] = evsignal_new(l->sv->base, numbers[i], on_signal, l);
		if (l->signals[i] == NULL || event_add(l->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
lifecycle_new(const struct services *sv, const struct lifecycle_options *options,
	      struct lifecycle **ret_lifecycle)
{
	struct lifecycle *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return -ENOMEM;
	l->sv = sv;
	l->o = *options;
	l->suspended_ms = clock_suspended_ms();
	l->idle_since_us = clock_now_us();
	r = arm(l);
	if (r < 0)
		lifecycle_free(l);
	else
		*ret_lifecycle = l;
	return r;
}

void
lifecycle_free(struct lifecycle *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(l->signals); i++)
		if (l->signals[i] != NULL)
			event_free(l->signals[i]);
	if (l->second != NULL)
		event_free(l->second);
	free(l);
}

int
lifecycle_run(struct lifecycle *l)
{
	notify_ready(l->sv->notify);
	tell_manager(l);
	dispatch_run(l->o.dispatch);
	return event_base_dispatch(l->sv->base) < 0 ? -EIO : 0;
}
