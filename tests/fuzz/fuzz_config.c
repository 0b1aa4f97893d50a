/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: refused with a place and a reason, or settings within limits.
 */
#include "config.h"

#include "app/config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_setting(void *ctx, const struct config_setting *s)
{
	size_t *count = ctx;

	assert(s->section != NULL && s->key != NULL && s->value != NULL && s->origin != NULL);
	++*count;
}

static void
check_device(const struct config *c, const struct config_device *d)
{
	struct sighting s = { .vid = d->vid, .pid = d->pid };

	assert(memchr(d->name, '\0', sizeof(d->name)) != NULL);
	assert(d->protected_count <= CONFIG_PROTECTED_MAX);
	for (size_t i = 0; i < d->protected_count; i++)
		assert(d->protected_ranges[i].first_addr <= d->protected_ranges[i].last_addr);
	for (size_t i = 0; i < CONFIG_ALTERNATES_MAX; i++)
		assert(!d->maps[i].given || d->maps[i].layout.run_count <= LAYOUT_RUNS_MAX);
	copy_text(s.port, sizeof(s.port), "1-4.2");
	(void)config_device_matches(d, &s); /* WHY: only its memory accesses matter */
	(void)config_device_for(c, &s);	    /* likewise */
}

static void
check(const struct config *c)
{
	size_t count = 0;

	assert(c->label_count <= CONFIG_LABELS_MAX && c->rule_count <= CONFIG_RULES_MAX);
	assert(c->device_count <= CONFIG_DEVICES_MAX && c->ports.count <= CONFIG_GLOBS_MAX);
	assert(c->adopt < ADOPT_COUNT && c->pacing < PACING_COUNT && c->leave < LEAVE_COUNT);
	assert(c->parallelism < PARALLELISM_COUNT && c->skip < SKIP_COUNT);
	assert(c->max_active >= 1 && c->max_active <= 120 && c->log_level <= 7);
	for (size_t i = 0; i < c->rule_count; i++)
		assert(c->rules[i].platform != PLATFORM_UNKNOWN &&
		       c->rules[i].platform < PLATFORM_COUNT);
	for (size_t i = 0; i < c->device_count; i++)
		check_device(c, &c->devices[i]);
	(void)config_label(c, "3-2.1", "pci-usb-0:1"); /* WHY: only its memory accesses matter */
	(void)config_ports_match(&c->ports, "3-2.1", NULL); /* likewise */
	config_each(c, on_setting, &count);
	assert(count > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], error[CONFIG_ERROR_MAX];
	struct config *c = NULL;
	int fd = memfd_create("fuzz.conf", MFD_CLOEXEC), r;

	if (fd < 0)
		return 0;
	if (write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		r = config_load_file(path, &c, error);
		assert((r == 0) == (c != NULL));
		assert((r == 0) == (error[0] == '\0'));
		assert(memchr(error, '\0', sizeof(error)) != NULL);
		if (r == 0)
			check(c);
		config_free(c);
	}
	close(fd);
	return 0;
}
