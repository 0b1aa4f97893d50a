/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Does its number in the map have its bit among those that cannot be written? */
static bool
is_write_protected(const struct coverage *c, const struct layout *map, const struct sector *sector,
		   uint8_t alt)
{
	uint32_t left = alt == 0 ? c->write_protected : 0;
	struct sector s;
	bool more = left != 0 && layout_sector_at(map, map->runs[0].addr, &s);

	for (; more && s.addr != sector->addr && left != 0; left >>= 1)
		more = layout_next_sector(map, &s, &s);
	return more && (left & 1) != 0;
}

static int
add_sector(struct coverage *c, const struct segment *s, size_t segment, const struct layout *map,
	   const struct sector *sector)
{
	uint32_t from = s->addr > sector->addr ? s->addr : sector->addr;
	uint32_t end = sector->addr + (sector->size - 1);
	uint32_t last = s->addr + (s->size - 1);
	struct covered *before = c->count > 0 ? &c->sectors[c->count - 1] : NULL;

	last = last < end ? last : end;
	if (before != NULL && before->alt == s->alt && before->addr == sector->addr) {
		before->to = last + 1;
		return 0;
	}
	if (c->count == PLAN_SECTORS_MAX)
		return -E2BIG;
	if (c->count == c->room) {
		size_t room = c->room > 0 ? c->room * 2 : 16;
		struct covered *sectors = realloc(c->sectors, room * sizeof(*sectors));

		if (sectors == NULL)
			return -ENOMEM;
		c->sectors = sectors;
		c->room = room;
	}
	c->sectors[c->count++] =
	    (struct covered){ .addr = sector->addr,
			      .size = sector->size,
			      .from = from,
			      .to = last + 1,
			      .first_segment = segment,
			      .alt = s->alt,
			      .write_protected = is_write_protected(c, map, sector, s->alt) };
	return 0;
}

static bool
is_protected(const struct device *profile, const struct sector *s)
{
	struct device_range range;

	return device_protects(profile, s->addr, s->addr + (s->size - 1), &range);
}

/* A sentence on why nothing may be written there; NULL: it may. */
static const char *
why_not(const struct device *profile, const struct sector *sector, uint8_t alt)
{
	if (alt == 0 && is_protected(profile, sector))
		return "part of the image lies in the boot loader's sector";
	if (alt == 0 && sector->addr < profile->app_addr)
		return "part of the image lies below the place where the application begins";
	if ((sector->addr | sector->size) % 2 != 0)
		return "part of the image lies in a sector of an odd size or place";
	if ((sector->access & 7) != 7)
		return "part of the image lies in a sector that the device does not let us read, "
		       "erase and write";
	return NULL;
}

static int
add_segment(struct coverage *c, const struct layout *map, size_t index)
{
	const struct segment *s = image_segment(c->image, index);
	struct sector sector;
	uint32_t done = 0;
	int r;

	while (done < s->size) {
		c->why = layout_sector_at(map, s->addr + done, &sector)
			     ? why_not(c->profile, &sector, s->alt)
			     : "part of the image lies outside the device's memory";
		if (c->why != NULL)
			return -EPERM;
		r = add_sector(c, s, index, map, &sector);
		if (r < 0)
			return r;
		done = sector.addr + sector.size - s->addr;
		if (sector.addr + sector.size < s->addr)
			break; /* the sector ends at 2^32: nothing can follow */
	}
	return 0;
}

int
coverage_find(struct coverage *c)
{
	int r = 0;

	for (size_t i = 0; i < image_segment_count(c->image) && r == 0; i++) {
		uint8_t alt = image_segment(c->image, i)->alt;

		if (alt >= DEVICE_ALTS_MAX || c->maps[alt] == NULL)
			c->why = "the image has a part for a memory that the device does not have";
		else if (c->profile->family && alt != 0)
			c->why = "only the internal flash of a Crazyflie may be written";
		r = c->why != NULL ? -EPERM : add_segment(c, c->maps[alt], i);
	}
	return r;
}

bool
covered_stretch(const struct covered *c, const struct image *image, uint32_t pos, uint32_t limit,
		struct stretch *ret_stretch)
{
	size_t i = c->first_segment;
	const struct segment *s = image_segment(image, i);
	uint32_t room;

	if (pos == limit)
		return false;
	/* INVARIANT: a covered sector ends with a byte of the image, so there is one. */
	while (pos >= s->addr && pos - s->addr >= s->size)
		s = image_segment(image, ++i);
	if (pos < s->addr)
		pos = s->addr;
	if (pos - c->addr >= limit - c->addr)
		return false;
	room = s->addr + s->size - pos;
	*ret_stretch = (struct stretch){ .addr = pos,
					 .length = room < limit - pos ? room : limit - pos,
					 .data = s->data + (pos - s->addr) };
	return true;
}

uint32_t
stretch_difference(const struct stretch *s, const uint8_t *data)
{
	uint32_t i = 0;

	if (memcmp(data, s->data, s->length) == 0) /* nearly always */
		return s->length;
	while (data[i] == s->data[i])
		i++;
	return i;
}
