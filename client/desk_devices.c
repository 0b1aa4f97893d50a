/* SPDX-License-Identifier: MIT */
/* What a file would do to each kind of device that we know: fit or not, and the sectors it touches.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/desk.h"
#include "client/out.h"
#include "core/image.h"
#include "core/layout.h"
#include "wire/text.h"

#define MEMORIES_MAX 3

/* The memories as systemd/devices describes them; the Crazyflie's is built in. */
static const struct known_device {
	const char *name;
	const char *maps[MEMORIES_MAX]; /* by alternate setting; all NULL: the Crazyflie */
} known_devices[] = {
	{ "Crazyflie", { NULL } },
	{ "STM32F10x medium density", { "@Internal Flash  /0x08000000/12*001Ka,116*001Kg" } },
	{ "STM32F10x high density", { "@Internal Flash  /0x08000000/06*002Ka,250*002Kg" } },
	{ "STM3210E-EVAL",
	  { "@Internal Flash  /0x08000000/06*002Ka,250*002Kg",
	    "@SPI Flash : M25P64/0x00000000/128*064Kg",
	    "@NOR Flash : M29W128F/0x64000000/256*064Kg" } },
};

/* One device's opinion; on the heap, for judgements are large. */
struct opinion {
	struct profile described;
	struct judge_profile profile;
	struct judgement judgement;
};

/* The sectors of one memory, all together. */
struct touched {
	unsigned count, first, last;
	unsigned long long bytes;
};

static bool
set_profile(struct opinion *o, const struct known_device *k)
{
	struct profile *p = &o->described;

	if (k->maps[0] == NULL) {
		o->profile = *judge_crazyflie();
		p->map[0] = *layout_f405();
		return true;
	}
	p->app_addr = 0x08003000;
	p->protect[p->protect_count++] = (struct profile_range){ 0x08000000, 0x3000 };
	copy_text(p->name, sizeof(p->name), k->name);
	for (uint8_t alt = 0; alt < MEMORIES_MAX && k->maps[alt] != NULL; alt++) {
		const char *map = k->maps[alt];

		if (layout_parse(map, strlen(map), &p->map[alt], NULL, NULL) < 0)
			return false;
		p->map_given[alt] = true;
	}
	judge_profile_of(p, &o->profile);
	return true;
}

/* false: out of memory, and nothing is said about this device. */
static bool
ask(const struct desk *d, const struct known_device *k, struct opinion *o)
{
	struct judge_options options = { .profile = &o->profile, .incomplete = d->incomplete };

	if (!set_profile(o, k))
		return false;
	if (o->profile.crazyflie) {
		options.manifest = d->facts->release.platform;
		options.told = d->told != PLATFORM_OTHER ? d->told : PLATFORM_UNKNOWN;
	}
	return judge_image(d->image, &options, &o->judgement) == 0;
}

static struct touched
count_sectors(const struct desk *d, const struct opinion *o, uint8_t alt)
{
	const struct layout *l = &o->described.map[alt];
	struct touched t = { 0 };
	struct sector *sectors;
	size_t count = judge_sectors(d->image, alt, l, NULL, 0);

	if (count == 0)
		return t;
	sectors = calloc(count, sizeof(*sectors));
	if (sectors == NULL)
		return t;
	t.count = (unsigned)judge_sectors(d->image, alt, l, sectors, count);
	t.first = sectors[0].index;
	t.last = sectors[count - 1].index;
	for (size_t i = 0; i < count; i++)
		t.bytes += sectors[i].size;
	free(sectors);
	return t;
}

static json_t *
opinion_json(const struct desk *d, const struct known_device *k, const struct opinion *o)
{
	const struct judgement *j = &o->judgement;
	json_t *memories = json_array();

	for (uint8_t alt = 0; alt < MEMORIES_MAX && j->accepted; alt++) {
		struct touched t = count_sectors(d, o, alt);

		if (t.count > 0)
			(void)json_array_append_new(
			    memories,
			    json_pack("{s:i,s:I,s:I,s:I,s:I}", "target", alt, "sectors",
				      (json_int_t)t.count, "first", (json_int_t)t.first, "last",
				      (json_int_t)t.last, "erase_bytes", (json_int_t)t.bytes));
	}
	return json_pack("{s:s,s:b,s:o,s:o}", "device", k->name, "accepted", j->accepted, "reason",
			 j->accepted ? json_null() : text_json(judge_reason(j)), "memories",
			 memories);
}

json_t *
desk_devices_json(const struct desk *d)
{
	struct opinion *o = malloc(sizeof(*o));
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(known_devices) && o != NULL; i++) {
		memset(o, 0, sizeof(*o));
		if (ask(d, &known_devices[i], o))
			(void)json_array_append_new(list, opinion_json(d, &known_devices[i], o));
	}
	free(o);
	return list;
}

static void
print_opinion(const struct desk *d, const struct known_device *k, const struct opinion *o)
{
	const char *title = k->name;

	if (!o->judgement.accepted) {
		printf("  on %-24s  refused: %s\n", title, judge_reason(&o->judgement));
		return;
	}
	for (uint8_t alt = 0; alt < MEMORIES_MAX; alt++) {
		struct touched t = count_sectors(d, o, alt);

		if (t.count == 0)
			continue;
		printf("  %s %-24s  target %u, %u sector%s (%u to %u), %llu KiB to erase\n",
		       title[0] != '\0' ? "on" : "  ", title, alt, t.count, t.count == 1 ? "" : "s",
		       t.first, t.last, t.bytes / 1024);
		title = "";
	}
}

/* WHY: that an image for one kind of device is not for the others is no finding. */
void
desk_print_devices(const struct desk *d)
{
	struct opinion *o = malloc(sizeof(*o));
	bool fits = false;

	for (size_t i = 0; i < ARRAY_LEN(known_devices) && o != NULL; i++) {
		memset(o, 0, sizeof(*o));
		fits = fits || (ask(d, &known_devices[i], o) && o->judgement.accepted);
	}
	for (size_t i = 0; i < ARRAY_LEN(known_devices) && o != NULL; i++) {
		memset(o, 0, sizeof(*o));
		if (ask(d, &known_devices[i], o) && (o->judgement.accepted || !fits))
			print_opinion(d, &known_devices[i], o);
	}
	free(o);
}
