/* SPDX-License-Identifier: MIT */
/* Images to select, and drones to put in. */
#include "config.h"

#include "flow/station.h"

#include <stdlib.h>

#include "core/platform.h"
#include "firmware/digest.h"
#include "fixtures/mkimage.h"
#include "flow/station_parts.h"

enum { SMALL_BYTES = 40000 };

struct image *
station_image(const char *platform, const char *tag, uint32_t size, uint32_t seed)
{
	struct mkimage_spec spec = { .platform = platform,
				     .tag = tag,
				     .size = size != 0 ? size : SMALL_BYTES,
				     .seed = seed };
	struct image_label label = { .platforms = BIT(platform_by_name(platform)) };
	struct segment segment = { .addr = 0x08004000 };
	struct image *image = NULL;
	uint8_t *bytes = NULL;
	size_t length = 0;

	if (mkimage_build(&spec, &bytes, &length) < 0)
		abort();
	segment.data = bytes;
	segment.size = (uint32_t)length;
	copy_text(label.name, sizeof(label.name), tag);
	copy_text(label.version, sizeof(label.version), tag);
	mkimage_revision(&spec, label.revision);
	digest_bytes(bytes, length, label.sha256);
	if (image_new(&segment, 1, &label, &image) < 0)
		abort();
	free(bytes);
	return image;
}

void
station_use(struct station *s, enum platform platform, struct image *image)
{
	size_t i = 0;

	while (i < s->image_count && s->images[i] != image)
		i++;
	if (i == STATION_IMAGES_MAX)
		abort();
	if (i == s->image_count)
		s->images[s->image_count++] = image_ref(image);
	policy_select(fleet_policy(s->fleet), platform, image);
	fleet_selection_changed(s->fleet, station_now_us(s));
	station_dispatch(s);
}

struct image *
station_select(struct station *s, const char *platform, const char *tag, uint32_t size,
	       uint32_t seed)
{
	struct image *image = station_image(platform, tag, size, seed);

	station_use(s, platform_by_name(platform), image);
	image_unref(image); /* the station's now */
	return image;
}

void
station_add(struct station *s, const char *port, const struct drone_config *config,
	    const struct image *image)
{
	if (world_add(s->world, port, NULL, NULL, config) < 0)
		abort();
	station_seat(s, port)->loader_hash = check_loader_hash(s, world_drone(s->world, port));
	whole_added(station_seat(s, port), world_drone(s->world, port));
	if (image == NULL)
		return;
	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *segment = image_segment(image, i);

		if (drone_load(world_drone(s->world, port), segment->addr, segment->data,
			       segment->size) < 0)
			abort();
	}
}

void
station_arm(struct station *s, const char *port, const struct fate *f)
{
	struct seat *seat = station_seat(s, port);

	seat->fated = true;
	seat->lied = seat->lied || f->kind == FATE_LIAR;
	if (world_arm(s->world, port, f) < 0)
		s->arms_refused++; /* the port is empty, or enough is armed there */
}

int
station_move(struct station *s, const char *from, const char *to)
{
	struct seat *seat = station_seat(s, from), *other = station_seat(s, to);
	int r = world_move(s->world, from, to);

	if (r < 0)
		return r;
	other->fated = other->fated || seat->fated;
	other->lied = other->lied || seat->lied;
	other->loader_hash = seat->loader_hash;
	other->whole = seat->whole;
	return 0;
}
