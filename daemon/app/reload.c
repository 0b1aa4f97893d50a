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
#include "app/services.h"
#include "app/settings.h"
#include "core/fleet.h"

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

void
reload_first(const struct services *sv)
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
	reload_first(sv);
	if (recorder_loaded(sv->recorder) && selection_load_rules(sv->selection) < 0)
		log_say(sv->log, LOG_ERR, NULL, "the recorded platform rules cannot be read");
	ports_settings_changed(sv->ports);
	fleet_selection_changed(sv->fleet, clock_now_us());
}

void
reload_again(const struct services *sv, const char *file)
{
	struct settings *fresh = NULL;
	char error[SETTINGS_ERROR_MAX];
	struct log_about about = { .id = LOG_ID_CONFIG_REFUSED };

	notify_reloading(sv->notify, clock_now_us());
	if (settings_load(file, NULL, &fresh, error) < 0) {
		log_say(sv->log, LOG_ERR, &about,
			"the new configuration is refused, the old one stays: %s", error);
	} else {
		replace_settings(sv, fresh);
		log_say(sv->log, LOG_NOTICE, NULL, "configuration reloaded");
	}
	notify_ready(sv->notify);
}
