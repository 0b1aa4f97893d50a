/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "app/clock.h"
#include "app/dispatch.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/repository.h"
#include "app/selection.h"
#include "app/services.h"
#include "app/settings.h"
#include "app/turns.h"
#include "core/fleet.h"
#include "core/policy.h"
#include "ctl/server.h"
#include "store/store.h"

enum {
	SLEPT_MS = 2000,   /* the two clocks part by more than this: the machine was suspended */
	DRAIN_MS = 110000, /* within the unit's TimeoutStopSec, with RECORD_MS */
	RECORD_MS = 5000,  /* for the disk to take the verdicts of what was interrupted */
};

enum phase { RUNNING, RESTARTING, DRAINING, INTERRUPTED };

struct lifecycle {
	const struct services *sv;
	struct dispatch *dispatch;
	struct event *second;
	struct event *signals[3];
	enum phase phase;
	uint64_t phase_until_us; /* DRAINING, INTERRUPTED: the next phase then */
	uint64_t idle_since_us;
	int64_t suspended_ms; /* clock_suspended_ms() at the last second */
	unsigned seconds;
};

/* ---- the settings put into force ------------------------------------------------------------- */

static void
set_rules(const struct services *sv, const struct settings *c, bool set)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		const struct settings_rule *rule = &c->rules[i];
		enum platform p = set ? rule->platform : PLATFORM_UNKNOWN;

		if (policy_set_platform(fleet_policy(sv->fleet), rule->target, p) < 0)
			log_say(sv->log, LOG_ERR, NULL, "[platforms] %s: too many rules",
				rule->target);
	}
}

/* Log level, options and rules of the fleet, slots that have a label. */
static void
apply_settings(const struct services *sv)
{
	struct fleet_options options = settings_fleet_options(sv->settings);

	log_set_level(sv->log, (int)sv->settings->log_level);
	fleet_set_options(sv->fleet, &options);
	set_rules(sv, sv->settings, true);
	ports_show_labelled(sv->ports);
}

/*
 * Some things hold as they were when the service started.  The descriptions of devices are among
 * them: jobs and the records' numbers of them refer to the ones the fleet was given.
 */
static void
keep_what_needs_a_restart(const struct services *sv, struct settings *fresh)
{
	const struct settings *old = sv->settings;

	if (fresh->device_count != old->device_count ||
	    memcmp(fresh->devices, old->devices, old->device_count * sizeof(old->devices[0])) != 0)
		log_say(sv->log, LOG_WARNING, NULL,
			"the [device] sections have changed; that needs a restart of the service");
	memcpy(fresh->devices, old->devices, sizeof(fresh->devices));
	fresh->device_count = old->device_count;
	if (strcmp(fresh->group, old->group) != 0 ||
	    fresh->free_space_floor_bytes != old->free_space_floor_bytes)
		log_say(sv->log, LOG_WARNING, NULL,
			"group or free-space-floor has changed; that needs a restart of the "
			"service");
	copy_text(fresh->group, sizeof(fresh->group), old->group);
	fresh->free_space_floor_bytes = old->free_space_floor_bytes;
}

static void
replace_settings(const struct services *sv, struct settings *take_fresh)
{
	keep_what_needs_a_restart(sv, take_fresh);
	set_rules(sv, sv->settings, false);
	settings_replace(sv->settings, take_fresh);
	apply_settings(sv);
	if (recorder_loaded(sv->recorder) && selection_load(sv) < 0) {
		/* WHY: it may be trusted no more; selection_heal() reads it when it can be read. */
		policy_lose(fleet_policy(sv->fleet));
		log_say(sv->log, LOG_ERR, NULL, "the recorded selection cannot be read");
	}
	ports_settings_changed(sv->ports);
	fleet_selection_changed(sv->fleet, clock_now_us());
}

static void
reload(struct lifecycle *l)
{
	const struct services *sv = l->sv;
	struct settings *fresh = NULL;
	char error[SETTINGS_ERROR_MAX];
	struct log_about about = { .id = LOG_ID_CONFIG_REFUSED };

	notify_reloading(sv->notify, clock_now_us());
	if (settings_load(sv->config_file, NULL, &fresh, error) < 0) {
		log_say(sv->log, LOG_ERR, &about,
			"the new configuration is refused, the old one stays: %s", error);
	} else {
		replace_settings(sv, fresh);
		log_say(sv->log, LOG_NOTICE, NULL, "configuration reloaded");
	}
	notify_ready(sv->notify);
	dispatch_run(l->dispatch);
}

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
	if (l->phase >= DRAINING) {
		interrupt(l);
	} else {
		enter(l, DRAINING, DRAIN_MS);
		fleet_drain(l->sv->fleet, clock_now_us());
		server_stop(l->sv->server);
		notify_stopping(l->sv->notify);
		notify_extend(l->sv->notify, DRAIN_MS + RECORD_MS);
	}
	dispatch_run(l->dispatch);
	if (fleet_active(l->sv->fleet) == 0)
		leave_loop(l);
	else if (l->phase == DRAINING)
		log_say(l->sv->log, LOG_NOTICE, NULL, "stopping; %u drones are still at work",
			fleet_active(l->sv->fleet));
}

/* WHY nothing to the manager: it would limit the time. */
static void
restart(struct lifecycle *l)
{
	l->phase = RESTARTING;
	log_say(l->sv->log, LOG_NOTICE, NULL, "restarting; %u drones are still at work",
		fleet_active(l->sv->fleet));
}

/* Each second while stopping. */
static void
go_on_stopping(struct lifecycle *l)
{
	bool late = l->phase != RESTARTING && clock_now_us() >= l->phase_until_us;

	if (late && l->phase == DRAINING) {
		interrupt(l);
		dispatch_run(l->dispatch);
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
		reload(l);
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

/* The work on the records beside that on drones; "" none. */
static void
put_records(const struct services *sv, char *out, size_t size)
{
	char why[STORE_WHY_MAX];
	struct store_walk w;

	out[0] = '\0';
	store_walk_state(sv->store, &w);
	if (store_health(sv->store, why) == STORE_DEGRADED)
		(void)snprintf(out, size, "; %.120s", why);
	else if (w.whole_ms == 0 && w.total > 0)
		(void)snprintf(out, size, "; looking through the records: %u %%",
			       (unsigned)(w.compared * 100 / w.total));
}

static void
tell_manager(struct lifecycle *l)
{
	char records[NOTIFY_STATUS_MAX];
	struct fleet_counts c;

	fleet_counts(l->sv->fleet, &c);
	put_records(l->sv, records, sizeof(records));
	notify_status(l->sv->notify,
		      "%s: %u present, %u active, %u pass, %u unchanged, %u failed, %u skipped%s",
		      fleet_paused(l->sv->fleet) ? "paused" : "armed", c.present, c.active,
		      c.ended[VERDICT_PASS], c.ended[VERDICT_UNCHANGED], c.failed,
		      c.ended[VERDICT_SKIPPED], records);
	/* WHY: from the loop itself, so that a loop that hangs is noticed. */
	notify_watchdog(l->sv->notify);
}

static void
check_services(const struct services *sv, unsigned seconds)
{
	recorder_check(sv->recorder, seconds % 60 == 0);
	repository_tidy(sv->repository);
	selection_heal(sv);
	ports_check(sv->ports);
}

static void
on_second(evutil_socket_t fd, short what, void *ctx)
{
	struct lifecycle *l = ctx;
	enum loop_work before = turns_begin(l->sv->turns, LOOP_DEVICE);

	(void)fd;
	(void)what;
	check_services(l->sv, ++l->seconds);
	look_for_sleep(l);
	tell_manager(l);
	dispatch_run(l->dispatch);
	if (l->phase == RUNNING && l->sv->restart)
		restart(l);
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
lifecycle_new(const struct services *sv, struct dispatch *dispatch,
	      struct lifecycle **ret_lifecycle)
{
	struct lifecycle *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return -ENOMEM;
	l->sv = sv;
	l->dispatch = dispatch;
	l->suspended_ms = clock_suspended_ms();
	l->idle_since_us = clock_now_us();
	apply_settings(sv);
	recorder_start(sv->recorder);
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
	dispatch_run(l->dispatch);
	if (event_base_dispatch(l->sv->base) < 0)
		return -EIO;
	return l->phase == RESTARTING;
}
