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

/* The device path of a port that something was sighted on; NULL. */
static const char *
path_of(const struct app *a, const char *port)
{
	int slot = fleet_find(a->fleet, port);

	if (slot >= 0 && fleet_path(a->fleet, (unsigned)slot)[0] != '\0')
		return fleet_path(a->fleet, (unsigned)slot);
	for (size_t i = 0; i < a->outside_count; i++)
		if (strcmp(a->outside[i].port, port) == 0)
			return a->outside[i].path;
	return NULL;
}

const char *
apply_label(const struct app *a, const char *port)
{
	return settings_label(a->settings, port, path_of(a, port));
}

static bool
is_our_slot(struct app *a, unsigned slot, const char *port)
{
	return settings_ports_match(&a->settings->ports, port, fleet_path(a->fleet, slot));
}

static void
configure_slot(struct app *a, unsigned slot)
{
	const char *port = fleet_port(a->fleet, slot);

	fleet_configure_slot(a->fleet, slot, is_our_slot(a, slot, port), apply_label(a, port));
}

/* Makes the slot of this port known, with what the configuration says of it.  path: its device
 * path, NULL not known now.  -E2BIG. */
static int
make_slot(struct app *a, const char *port, const char *path)
{
	int r = fleet_find(a->fleet, port) < 0 ? fleet_recall_port(a->fleet, port, 0, false) : 0;
	unsigned slot;

	if (r < 0)
		return r;
	slot = (unsigned)fleet_find(a->fleet, port);
	if (path != NULL)
		fleet_set_path(a->fleet, slot, path);
	configure_slot(a, slot);
	return 0;
}

/* Slots that have a name of their own are shown before anything was plugged in. */
static void
show_labelled(struct app *a)
{
	for (size_t i = 0; i < a->settings->label_count; i++) {
		const char *port = a->settings->labels[i].glob;

		if (strpbrk(port, "*?[") != NULL || fleet_find(a->fleet, port) >= 0 ||
		    strstr(port, "-usb") != NULL ||
		    !settings_ports_match(&a->settings->ports, port, NULL))
			continue;
		if (make_slot(a, port, NULL) < 0)
			log_say(a->log, LOG_ERR, NULL, "[slots] %s: too many slots", port);
	}
}

void
apply_config(struct app *a)
{
	struct fleet_options options = apply_options(a->settings);

	log_set_level(a->log, (int)a->settings->log_level);
	fleet_set_options(a->fleet, &options);
	set_rules(a, a->settings, true);
	show_labelled(a);
}

int
apply_load(const struct app_options *options, struct settings **ret_settings,
	   char error[SETTINGS_ERROR_MAX])
{
	return options->config_file != NULL
		   ? settings_load_file(options->config_file, ret_settings, error)
		   : settings_load(settings_dirs, ret_settings, error);
}

/* ---- slots of this station, and others ------------------------------------------------------ */

static bool
is_at_work(struct app *a, const char *port)
{
	int slot = fleet_find(a->fleet, port);
	struct slot_view v;

	if (slot < 0)
		return false;
	fleet_view(a->fleet, (unsigned)slot, clock_now_us(), &v);
	return v.begun;
}

static bool
is_ours(struct app *a, const struct sighting *s)
{
	/* WHY: a drone that is at work while its slot is taken from the station is finished, also
	 * across its re-enumerations. */
	return settings_ports_match(&a->settings->ports, s->port, s->path) ||
	       is_at_work(a, s->port);
}

bool
apply_is_outside_drone(const struct sighting *s)
{
	return ident_kind_of(s) != IDENT_OTHER;
}

/* Devices on slots that are not this station's: kept in mind, in case they become so. */
static void
leave_outside(struct app *a, const struct sighting *s)
{
	struct log_about about = journal_slot(a, s->port);

	about.serial = s->serial;
	if (apply_is_outside_drone(s))
		log_say(a->log, LOG_NOTICE, &about,
			"a drone on a port this station does not use ('ports' in its "
			"configuration): left alone");
	/* LIMIT: what does not fit is not ours until it is plugged in again. */
	if (a->outside_count < FLEET_SLOTS_MAX)
		a->outside[a->outside_count++] = *s;
}

bool
apply_gone_outside(void *ctx, const char *port, uint64_t arrival)
{
	struct app *a = ctx;

	for (size_t i = 0; i < a->outside_count; i++) {
		struct sighting *s = &a->outside[i];

		if (s->arrival != arrival || strcmp(s->port, port) != 0)
			continue;
		*s = a->outside[--a->outside_count];
		return true;
	}
	return false;
}

bool
apply_admit(void *ctx, const struct sighting *s)
{
	struct app *a = ctx;
	struct log_about about;

	if (!is_ours(a, s)) {
		leave_outside(a, s);
		return false;
	}
	if (make_slot(a, s->port, s->path) < 0) {
		about = journal_slot(a, s->port);
		log_say(a->log, LOG_ERR, &about, "not looked at, there are %d slots already",
			FLEET_SLOTS_MAX);
		return false;
	}
	place_sighted(a, s);
	return true;
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

/* Devices on slots that are not this station's any more are left alone from now on. */
void
apply_ports_taken(struct app *a)
{
	if (!a->ports_changed)
		return;
	a->ports_changed = false;
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		const struct sighting *s = fleet_sighting(a->fleet, i);
		struct sighting copy;
		struct slot_view v;

		fleet_view(a->fleet, i, clock_now_us(), &v);
		if (is_our_slot(a, i, v.port))
			continue;
		if (v.begun) { /* WHY: also while it is between two enumerations, seen nowhere */
			a->ports_changed = true; /* looked at again, when it has ended */
			continue;
		}
		if (s == NULL)
			continue;
		copy = *s;
		leave_outside(a, &copy);
		fleet_gone(a->fleet, copy.port, copy.arrival, clock_now_us());
	}
}

static void
take_ports(struct app *a)
{
	/* WHY first: whoever ends meanwhile may not begin again where nothing is ours any more. */
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++)
		configure_slot(a, i);
	for (size_t i = 0; i < a->outside_count;) {
		struct sighting s = a->outside[i];

		if (!settings_ports_match(&a->settings->ports, s.port, s.path)) {
			i++;
			continue;
		}
		a->outside[i] = a->outside[--a->outside_count];
		dispatch_sighted(a->dispatch, &s);
	}
	a->ports_changed = true;
	apply_ports_taken(a);
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
	settings_free(a->settings);
	a->settings = take_fresh;
	a->api.settings = take_fresh;
	apply_config(a);
	if (recorder_loaded(a->recorder) && selection_load_rules(a) < 0)
		log_say(a->log, LOG_ERR, NULL, "the recorded platform rules cannot be read");
	take_ports(a);
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
