/* SPDX-License-Identifier: MIT */
/* The settings as the fleet takes them. */
#include "config.h"

#include "app/settings.h"

#include <fnmatch.h>

#include "core/fleet.h"

struct fleet_options
settings_fleet_options(const struct settings *s)
{
	bool learned = s->writers_per_translator == SETTINGS_LEARNED;

	return (struct fleet_options){
		.job = { .adopt = s->adopt,
			 .skip = s->skip,
			 .obey = s->pacing == PACING_OBEY,
			 .word = s->parallelism == PARALLELISM_WORD,
			 .leave_loader = s->leave == LEAVE_LOADER,
			 .light = s->light,
			 .backup = s->backup,
			 .dfu_timeout_us = s->dfu_timeout_ms * 1000,
			 .boot_timeout_us = s->boot_timeout_ms * 1000,
			 .attempt_timeout_us = (uint64_t)s->attempt_deadline_ms * 1000,
			 .link_patience_us = s->link_patience_ms * 1000,
			 .power_cycle = s->power_cycle == POWER_CYCLE_AUTO,
			 .deck_update = s->decks == DECKS_YES,
			 .low_battery_mv = (uint16_t)s->low_battery_mv },
		.limits = { .active_max = s->max_active,
			    .switch_max = s->switch_limit,
			    .writers_max = learned ? 0 : s->writers_per_translator,
			    .blocks_learned = learned,
			    .endpoints_max = s->runtime_per_controller * SCHED_RUNTIME_ENDPOINTS,
			    .stagger_us = s->switch_stagger_ms * 1000,
			    .stagger_hubs = s->switch_stagger_of == STAGGER_HUB,
			    .leave_wait_us = 20000000 },
		.quarantine = s->quarantine,
		.brake = s->brake,
	};
}

/* By ids, strings and port. */
static bool
may_be(const struct settings_device *d, const struct sighting *s)
{
	const struct device *k = &d->device;

	return k->vid == s->vid && k->pid == s->pid &&
	       settings_ports_match(&d->ports, s->port, s->path) &&
	       (k->manufacturer[0] == '\0' || fnmatch(k->manufacturer, s->manufacturer, 0) == 0) &&
	       (k->product[0] == '\0' || fnmatch(k->product, s->product, 0) == 0);
}

const struct device *
settings_profile(const struct settings *s, size_t n)
{
	return n < s->device_count ? &s->devices[s->device_count - 1 - n].device : NULL;
}

unsigned
settings_described_as(const struct settings *s, const struct sighting *sighting)
{
	unsigned bits = 0;

	for (size_t i = 0; i < s->device_count; i++)
		if (may_be(&s->devices[i], sighting))
			bits |= BIT(s->device_count - i);
	return bits;
}
