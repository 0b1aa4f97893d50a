/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: refused with a place and a reason, or settings within limits.
 */
#include "config.h"

#include "app/settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_setting(void *ctx, const struct setting *s)
{
	size_t *count = ctx;

	assert(s->section != NULL && s->key != NULL && s->value != NULL && s->origin != NULL);
	++*count;
}

static void
check_device(const struct settings *c, const struct device *k)
{
	struct sighting s = { .vid = k->vid, .pid = k->pid };

	assert(memchr(k->name, '\0', sizeof(k->name)) != NULL);
	assert(k->protect_count <= DEVICE_RANGES_MAX);
	for (size_t i = 0; i < k->protect_count; i++)
		assert(k->protect[i].first <= k->protect[i].last);
	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		assert(!k->map_given[i] || k->map[i].run_count <= LAYOUT_RUNS_MAX);
	copy_text(s.port, sizeof(s.port), "1-4.2");
	assert((settings_described_as(c, &s) & 1) == 0);
}

static void
check(const struct settings *c)
{
	size_t count = 0;

	assert(c->label_count <= SETTINGS_LABELS_MAX && c->rule_count <= SETTINGS_RULES_MAX);
	assert(c->device_count <= SETTINGS_DEVICES_MAX && c->ports.count <= SETTINGS_GLOBS_MAX);
	assert(c->adopt <= JOB_ADOPT_PORT && c->pacing < PACING_COUNT && c->leave < LEAVE_COUNT);
	assert(c->parallelism < PARALLELISM_COUNT && c->skip <= JOB_SKIP_NEVER);
	assert(c->max_active >= 1 && c->max_active <= 120 && c->log_level <= 7);
	for (size_t i = 0; i < c->rule_count; i++)
		assert(c->rules[i].platform != PLATFORM_UNKNOWN &&
		       c->rules[i].platform < PLATFORM_COUNT);
	for (size_t i = 0; i < c->device_count; i++)
		check_device(c, &c->devices[i].device);
	(void)settings_label(c, "3-2.1", "pci-usb-0:1"); /* WHY: only its memory accesses matter */
	(void)settings_ports_match(&c->ports, "3-2.1", NULL); /* likewise */
	settings_each(c, on_setting, &count);
	assert(count > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], error[SETTINGS_ERROR_MAX];
	struct settings *c = NULL;
	int fd = memfd_create("fuzz.conf", MFD_CLOEXEC), r;

	if (fd < 0)
		return 0;
	if (write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		r = settings_load(path, NULL, &c, error);
		assert((r == 0) == (c != NULL));
		assert((r == 0) == (error[0] == '\0'));
		assert(memchr(error, '\0', sizeof(error)) != NULL);
		if (r == 0)
			check(c);
		settings_free(c);
	}
	close(fd);
	return 0;
}
