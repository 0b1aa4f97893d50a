/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/reload.h"

#include <string.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/selection.h"
#include "app/settings.h"
#include "core/fleet.h"

static void
set_rules(const struct reload *r, const struct settings *c, bool set)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		const struct settings_rule *rule = &c->rules[i];
		enum platform p = set ? rule->platform : PLATFORM_UNKNOWN;

		if (policy_set_platform(fleet_policy(r->fleet), rule->target, p) < 0)
			log_say(r->log, LOG_ERR, NULL, "[platforms] %s: too many rules",
				rule->target);
	}
}

void
reload_first(const struct reload *r)
{
	struct fleet_options options = settings_fleet_options(r->settings);

	log_set_level(r->log, (int)r->settings->log_level);
	fleet_set_options(r->fleet, &options);
	set_rules(r, r->settings, true);
	ports_show_labelled(r->ports);
}

/*
 * Some things hold as they were when the service started.  The descriptions of devices are among
 * them: jobs and the records' numbers of them refer to the ones the fleet was given.
 */
static void
keep_what_needs_a_restart(const struct reload *r, struct settings *fresh)
{
	const struct settings *old = r->settings;

	if (fresh->device_count != old->device_count ||
	    memcmp(fresh->devices, old->devices, old->device_count * sizeof(old->devices[0])) != 0)
		log_say(r->log, LOG_WARNING, NULL,
			"the [device] sections have changed; that needs a restart of the service");
	memcpy(fresh->devices, old->devices, sizeof(fresh->devices));
	fresh->device_count = old->device_count;
	if (strcmp(fresh->group, old->group) != 0 ||
	    fresh->free_space_floor_bytes != old->free_space_floor_bytes)
		log_say(r->log, LOG_WARNING, NULL,
			"group or free-space-floor has changed; that needs a restart of the "
			"service");
	copy_text(fresh->group, sizeof(fresh->group), old->group);
	fresh->free_space_floor_bytes = old->free_space_floor_bytes;
}

static void
replace_settings(const struct reload *r, struct settings *take_fresh)
{
	keep_what_needs_a_restart(r, take_fresh);
	set_rules(r, r->settings, false);
	settings_replace(r->settings, take_fresh);
	reload_first(r);
	if (recorder_loaded(r->recorder) && selection_load_rules(r->selection) < 0)
		log_say(r->log, LOG_ERR, NULL, "the recorded platform rules cannot be read");
	ports_settings_changed(r->ports);
	fleet_selection_changed(r->fleet, clock_now_us());
}

void
reload_again(const struct reload *r)
{
	struct settings *fresh = NULL;
	char error[SETTINGS_ERROR_MAX];
	struct log_about about = { .id = LOG_ID_CONFIG_REFUSED };

	notify_reloading(r->notify, clock_now_us());
	if (settings_load(r->config_file, NULL, &fresh, error) < 0) {
		log_say(r->log, LOG_ERR, &about,
			"the new configuration is refused, the old one stays: %s", error);
	} else {
		replace_settings(r, fresh);
		log_say(r->log, LOG_NOTICE, NULL, "configuration reloaded");
	}
	notify_ready(r->notify);
}
