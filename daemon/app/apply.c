/* SPDX-License-Identifier: MIT */
/* The configuration put into force: at the start, and again when it was changed. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/app_parts.h"
#include "app/selection.h"
#include "core/ident.h"

struct fleet_options
apply_options(const struct settings *c)
{
	return (struct fleet_options){
		.job = { .adopt = c->adopt,
			 .skip = c->skip,
			 .obey = c->pacing == PACING_OBEY,
			 .word = c->parallelism == PARALLELISM_WORD,
			 .leave_loader = c->leave == LEAVE_LOADER,
			 .light = c->light,
			 .backup = c->backup,
			 .dfu_timeout_us = c->dfu_timeout_ms * 1000,
			 .boot_timeout_us = c->boot_timeout_ms * 1000,
			 .attempt_timeout_us = (uint64_t)c->attempt_deadline_ms * 1000 },
		.limits = { .active_max = c->max_active,
			    .switch_max = c->switch_limit,
			    .writers_max = c->writers_per_translator,
			    .endpoints_max = c->runtime_per_controller * 6,
			    .stagger_us = 30000,
			    .leave_wait_us = 20000000 },
		.quarantine = c->quarantine,
		.brake = c->brake,
	};
}

static void
add_device(struct app *a, const struct device *d)
{
	int r = fleet_add_profile(a->fleet, d);

	if (r == 0)
		r = watch_also(a->watch, d->vid, d->pid);
	if (r < 0)
		log_say(a->log, LOG_ERR, NULL, "[device %s]: cannot be watched for: %s", d->name,
			strerror(-r));
}

/* Of several descriptions that fit, the last one counts; the fleet takes the first. */
void
apply_devices(struct app *a)
{
	for (size_t i = a->settings->device_count; i > 0; i--)
		add_device(a, &a->settings->devices[i - 1].device);
}

static void
set_rules(struct app *a, const struct settings *c, bool set)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		const struct settings_rule *rule = &c->rules[i];
		enum platform p = set ? rule->platform : PLATFORM_UNKNOWN;

		if (policy_set_platform(fleet_policy(a->fleet), rule->target, p) < 0)
			log_say(a->log, LOG_ERR, NULL, "[platforms] %s: too many rules",
				rule->target);
	}
}

void
apply_config(struct app *a)
{
	struct fleet_options options = apply_options(a->settings);

	log_set_level(a->log, (int)a->settings->log_level);
	fleet_set_options(a->fleet, &options);
	set_rules(a, a->settings, true);
	ports_show_labelled(a->ports);
}

int
apply_load(const struct app_options *options, struct settings **ret_settings,
	   char error[SETTINGS_ERROR_MAX])
{
	return options->config_file != NULL
		   ? settings_load_file(options->config_file, ret_settings, error)
		   : settings_load(settings_dirs, ret_settings, error);
}

unsigned
apply_described_as(void *ctx, const struct sighting *s)
{
	const struct settings *c = ((struct app *)ctx)->settings;
	unsigned bits = 0;

	for (size_t i = 0; i < c->device_count; i++)
		if (settings_device_matches(&c->devices[i], s))
			/* Profile 0 is the family; the others were added last first. */
			bits |= BIT(c->device_count - i);
	return bits;
}

/* ---- again ---------------------------------------------------------------------------------- */

/*
 * Some things hold as they were when the service started.  The descriptions of devices are among
 * them: jobs and the records' numbers of them refer to the ones the fleet was given.
 */
static void
keep_what_needs_a_restart(struct app *a, struct settings *fresh)
{
	const struct settings *old = a->settings;

	if (fresh->device_count != old->device_count ||
	    memcmp(fresh->devices, old->devices, old->device_count * sizeof(old->devices[0])) != 0)
		log_say(a->log, LOG_WARNING, NULL,
			"the [device] sections have changed; that needs a restart of the service");
	memcpy(fresh->devices, old->devices, sizeof(fresh->devices));
	fresh->device_count = old->device_count;
	if (strcmp(fresh->group, old->group) != 0 ||
	    fresh->free_space_floor_bytes != old->free_space_floor_bytes)
		log_say(a->log, LOG_WARNING, NULL,
			"group or free-space-floor has changed; that needs a restart of the "
			"service");
	copy_text(fresh->group, sizeof(fresh->group), old->group);
	fresh->free_space_floor_bytes = old->free_space_floor_bytes;
}

static void
replace_config(struct app *a, struct settings *take_fresh)
{
	keep_what_needs_a_restart(a, take_fresh);
	set_rules(a, a->settings, false);
	settings_replace(a->settings, take_fresh);
	apply_config(a);
	if (recorder_loaded(a->recorder) && selection_load_rules(a->selection) < 0)
		log_say(a->log, LOG_ERR, NULL, "the recorded platform rules cannot be read");
	ports_settings_changed(a->ports);
	fleet_selection_changed(a->fleet, clock_now_us());
}

void
apply_again(struct app *a)
{
	struct settings *fresh = NULL;
	char error[SETTINGS_ERROR_MAX];
	struct log_about about = { .id = LOG_ID_CONFIG_REFUSED };

	notify_reloading(a->notify, clock_now_us());
	if (apply_load(&a->options, &fresh, error) < 0) {
		log_say(a->log, LOG_ERR, &about,
			"the new configuration is refused, the old one stays: %s", error);
	} else {
		replace_config(a, fresh);
		log_say(a->log, LOG_NOTICE, NULL, "configuration reloaded");
	}
	notify_ready(a->notify);
	dispatch_run(a->dispatch);
}
