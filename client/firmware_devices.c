/* SPDX-License-Identifier: MIT */
/* A file on each kind of device that is described: fit or not, and the sectors it touches. */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/system.h"
#include "client/command.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "wire/text.h"

#define DEVICES_MAX 32			 /* LIMIT: the station takes 16 */
#define DIR_VARIABLE "CFDFU_DEVICES_DIR" /* for tests: another folder than the installed one */

/* The Crazyflie, then the [device NAME] sections of the installed files in their order. */
struct catalogue {
	struct device devices[DEVICES_MAX];
	size_t count;
	char why[DEVICE_WHY_MAX];   /* the first mistake in the file that is being read */
	struct judgement judgement; /* on the device at hand */
};

static struct device *
find_or_add(struct catalogue *c, const char *name)
{
	for (size_t i = 1; i < c->count; i++)
		if (strcmp(c->devices[i].name, name) == 0)
			return &c->devices[i];
	if (c->count == DEVICES_MAX)
		(void)snprintf(c->why, sizeof(c->why), "more than %d devices", DEVICES_MAX);
	else if (device_init(&c->devices[c->count], name, c->why) == 0)
		return &c->devices[c->count++];
	return NULL;
}

/* SPEC: inih's handler: 0 is an error.  The settings' own keys and sections are left to them. */
static int
on_assignment(void *ctx, const char *section, const char *key, const char *value)
{
	static const char prefix[] = "device ";
	struct catalogue *c = ctx;
	struct device *d;

	if (strncmp(section, prefix, strlen(prefix)) != 0 || strcmp(key, "ports") == 0)
		return 1;
	d = find_or_add(c, section + strlen(prefix));
	if (d == NULL || c->why[0] != '\0')
		return 0;
	if (device_set(d, key, value, c->why) == -ENOENT)
		(void)snprintf(c->why, sizeof(c->why), "there is no key \"%s\"", key);
	return c->why[0] == '\0';
}

static void
read_devices(struct catalogue *c, const char *path)
{
	size_t before = c->count;
	int line = ini_parse(path, on_assignment, c);

	for (size_t i = before; i < c->count && line == 0; i++)
		if (device_check(&c->devices[i], c->why) < 0)
			line = -1;
	if (line == 0)
		return;
	say_note("%s: %s; its devices are not shown", path,
		 c->why[0] != '\0' ? c->why : "cannot be read");
	c->count = before;
	c->why[0] = '\0';
}

/* On the heap, for it is large; NULL: out of memory. */
static struct catalogue *
read_catalogue(void)
{
	const char *dir = environment(DIR_VARIABLE, DEVICESDIR);
	struct catalogue *c = calloc(1, sizeof(*c));
	char pattern[PATH_MAX];
	glob_t files = { 0 };

	if (c == NULL)
		return NULL;
	c->devices[c->count++] = *device_crazyflie();
	(void)snprintf(pattern, sizeof(pattern), "%s/*.conf", dir);
	if (glob(pattern, 0, NULL, &files) == 0)
		for (size_t i = 0; i < files.gl_pathc; i++)
			read_devices(c, files.gl_pathv[i]);
	globfree(&files);
	return c;
}

/* The judgement on this device; NULL: out of memory, and nothing is said about it. */
static const struct judgement *
judge_for(const struct firmware_file *d, struct catalogue *c, const struct device *device)
{
	struct judge_options options = { .device = device, .incomplete = d->incomplete };

	if (device->family) {
		options.manifest = d->facts->release.platform;
		options.user_platform =
		    d->user_platform != PLATFORM_OTHER ? d->user_platform : PLATFORM_UNKNOWN;
	}
	return judge_image(d->image, &options, &c->judgement) == 0 ? &c->judgement : NULL;
}

json_t *
firmware_memory_json(const struct firmware_file *d, const struct device *device, uint8_t alt)
{
	const struct layout *l = &device->map[alt];
	size_t count = judge_sectors(d->image, alt, l, NULL, 0);
	struct sector *sectors = count > 0 ? calloc(count, sizeof(*sectors)) : NULL;
	json_int_t bytes = 0;
	json_t *memory;

	if (sectors == NULL)
		return NULL;
	count = judge_sectors(d->image, alt, l, sectors, count);
	for (size_t i = 0; i < count; i++)
		bytes += sectors[i].size;
	memory = json_pack("{s:i,s:I,s:I,s:I,s:I}", "target", alt, "sectors", (json_int_t)count,
			   "first", (json_int_t)sectors[0].index, "last",
			   (json_int_t)sectors[count - 1].index, "erase_bytes", bytes);
	free(sectors);
	return memory;
}

static json_t *
opinion_json(const struct firmware_file *d, const struct device *device, const struct judgement *j)
{
	json_t *memories = json_array();

	for (uint8_t alt = 0; alt < DEVICE_ALTS_MAX && j->accepted; alt++) {
		json_t *memory = firmware_memory_json(d, device, alt);

		if (memory != NULL)
			(void)json_array_append_new(memories, memory);
	}
	return json_pack("{s:s,s:b,s:o,s:o}", "device", device->name, "accepted", j->accepted,
			 "reason", j->accepted ? json_null() : text_json(judge_reason(j)),
			 "memories", memories);
}

json_t *
firmware_devices_json(const struct firmware_file *d)
{
	struct catalogue *c = read_catalogue();
	json_t *list = json_array();

	for (size_t i = 0; c != NULL && i < c->count; i++) {
		const struct judgement *j = judge_for(d, c, &c->devices[i]);

		if (j != NULL)
			(void)json_array_append_new(list, opinion_json(d, &c->devices[i], j));
	}
	free(c);
	return list;
}

static void
print_opinion(const json_t *opinion)
{
	struct text title = out_text(opinion, "device");
	const json_t *m;
	size_t i;

	if (!out_true(opinion, "accepted"))
		printf("  on %-24s  refused: %s\n", title.s, out_text(opinion, "reason").s);
	json_array_foreach(json_object_get(opinion, "memories"), i, m) {
		long long sectors = out_int(m, "sectors");

		printf("  %s %-24s  target %lld, %lld sector%s (%lld to %lld), %lld KiB to erase\n",
		       i == 0 ? "on" : "  ", i == 0 ? title.s : "", (long long)out_int(m, "target"),
		       sectors, sectors == 1 ? "" : "s", (long long)out_int(m, "first"),
		       (long long)out_int(m, "last"), (long long)out_int(m, "erase_bytes") / 1024);
	}
}

/* WHY: that an image for one kind of device is not for the others is no finding. */
void
firmware_devices_print(const struct firmware_file *d)
{
	json_t *list = firmware_devices_json(d), *opinion;
	bool fits = false;
	size_t i;

	json_array_foreach(list, i, opinion)
		fits = fits || out_true(opinion, "accepted");
	json_array_foreach(list, i, opinion)
		if (out_true(opinion, "accepted") || !fits)
			print_opinion(opinion);
	json_decref(list);
}
