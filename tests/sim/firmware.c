/* SPDX-License-Identifier: MIT */
/* The running firmware's life: start, self-test, ASSERT (doc/beyond-dfu.md 1, 10, 11). */
#include "config.h"

#include "sim/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

#define NEWEST 202608
#define MEASURED_US 1000000 /* from a passed self-test to the nRF51's first measurement */
#define RADIO_PACKETS 6	    /* SPEC: doc/faults.md D6 */
#define NOTICED_US 1000	    /* from the reset to the host's noticing it */

int
firmware_release(const char *version)
{
	char *end;
	long release = strtol(version, &end, 10) * 100;

	if (*end == '.')
		release += strtol(end + 1, NULL, 10);
	return (int)release;
}

void
firmware_start(struct drone *d, uint64_t now)
{
	struct firmware *f = &d->firmware;

	memset(f, 0, sizeof(*f));
	memset(&d->run, 0, sizeof(d->run));
	if (d->config.model != DRONE_CRAZYFLIE)
		return;
	f->start_us = now;
	f->release = firmware_release(drone_version(d, now));
	if (f->release == 0)
		f->release = NEWEST;
	f->resumed = d->ram_crash[0] != '\0';
	copy_text(f->crash, sizeof(f->crash), d->ram_crash);
	d->ram_crash[0] = '\0';
	eeprom_start(d);
	decks_start(d, now);
	mem_register_all(d);
	crtp_param_start(d);
	console_start(d, now);
}

uint64_t
drone_selftest_us(const struct drone *d)
{
	const struct firmware *f = &d->firmware;

	if (f->resumed || f->decks_fail || d->config.selftest[0] != '\0')
		return DRONE_NEVER;
	return f->start_us + (uint64_t)d->config.selftest_ms * 1000;
}

bool
firmware_selftest_passed(const struct drone *d, uint64_t now)
{
	return now >= drone_selftest_us(d);
}

void
firmware_assert(struct drone *d, uint64_t now, enum drone_assert cause, const char *where)
{
	const struct drone_timing *t = &d->config.timing;
	enum drone_personality next;

	if (d->firmware.asserted)
		return;
	d->firmware.asserted = true;
	d->firmware.doom_us = 0;
	d->counters.asserts[cause]++;
	copy_text(d->ram_crash, sizeof(d->ram_crash), where);
	next = boot_decide(d, BOOT_RESET, 0, false);
	d->by_button_next = false;
	drone_leave_bus(d, now + NOTICED_US, next,
			now + NOTICED_US + drone_draw_ms(d, t->boot_min_ms, t->boot_max_ms) * 1000);
}

/* SPEC: doc/beyond-dfu.md 11.1: USB comes up before what the link makes use of. */
void
firmware_linked(struct drone *d, uint64_t now, bool linked)
{
	struct firmware *f = &d->firmware;
	uint32_t rate = d->config.radio_packets;

	if (linked && now < f->start_us + (uint64_t)d->config.early_ms * 1000)
		firmware_assert(d, now, DRONE_ASSERT_EARLY, "vendor/FreeRTOS/queue.c:1448");
	if (!linked || rate == 0 || f->asserted)
		f->doom_us = 0;
	else if (f->doom_us == 0)
		f->doom_us = now + RADIO_PACKETS * 1000000ULL / rate;
}

/* SPEC: doc/beyond-dfu.md 5: unknown until the nRF51 was asked; for ever where an old firmware
 * does not understand a new nRF51's answer. */
void
firmware_battery(const struct drone *d, uint64_t now, struct battery *ret)
{
	uint64_t passed = drone_selftest_us(d);

	*ret = (struct battery){ .mv = 3700 };
	if (passed == DRONE_NEVER || now < passed + MEASURED_US)
		return;
	if (d->firmware.release <= 202209 && firmware_release(d->config.nrf) >= 202212)
		return;
	*ret = (struct battery){ (uint16_t)d->config.battery_mv, (int8_t)d->config.battery_state,
				 90, 0.25F };
}

int
drone_set(struct drone *d, const char *key, const char *value, char *error, size_t error_size)
{
	static const char *const live[] = {
		"battery",  "battery-state", "chatter",	      "console",  "decks-ms",
		"early-ms", "nrf",	     "nrf-ms",	      "selftest", "selftest-ms",
		"silent",   "supervisor",    "radio-packets",
	};

	for (size_t i = 0; i < ARRAY_LEN(live); i++)
		if (strcmp(live[i], key) == 0)
			return drone_config_set(&d->config, key, value, error, error_size);
	(void)snprintf(error, error_size, "'%.40s' cannot be changed any more", key);
	return -EINVAL;
}
