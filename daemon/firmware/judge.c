/* SPDX-License-Identifier: MIT */
/* The judge's rules of place, and the order of its rules. */
#include "config.h"

#include "firmware/judge.h"

#include <inttypes.h>

#include "firmware/judge_internal.h"
#include "firmware/places.h"

#define FLASH_ADDR CRAZYFLIE_LOADER_ADDR
#define FLASH_END CRAZYFLIE_FLASH_END
#define FLASH_BYTES (FLASH_END - FLASH_ADDR + 1)
#define GAP_NOTED_BYTES 512U /* more than behind the vectors: every HEX file has that gap */

static uint32_t
last_of(const struct segment *s)
{
	return s->addr + (s->size - 1);
}

static bool
touches(const struct segment *s, uint32_t first, uint32_t last)
{
	return s->addr <= last && last_of(s) >= first;
}

/* doc/protocol.md 1.1 and 9.3: what else of the chip can be written. */
static bool
judge_special(struct judgement *j, const struct segment *s)
{
	const struct place *special = place_touched(PLACE_SPECIAL, s->addr, last_of(s));

	if (special != NULL)
		judge_add(j, JUDGE_REFUSE, JUDGE_OPTION_BYTES,
			  "writes 0x%08" PRIX32 ", which is %s: never written by this station",
			  s->addr > special->first ? s->addr : special->first, special->words);
	return special != NULL;
}

static void
judge_alternate(struct judgement *j, const struct segment *s)
{
	static const char *const names[] = { "", " (option bytes)", " (one-time-programmable area)",
					     " (device feature)" };

	judge_add(j, JUDGE_REFUSE, JUDGE_ALTERNATE,
		  "has %" PRIu32 " bytes for alternate %u%s: a Crazyflie takes alternate 0 only",
		  s->size, s->alt, s->alt < ARRAY_LEN(names) ? names[s->alt] : "");
}

/* Does it hold anything of the internal flash in [first, last]? */
static bool
holds(const struct image *image, uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < image_segment_count(image); i++)
		if (image_segment(image, i)->alt == 0 &&
		    touches(image_segment(image, i), first, last))
			return true;
	return false;
}

/* A copy of the whole flash memory: loader and application; a plain one may be at any address. */
static bool
is_copy(const struct image *image)
{
	if (image_bytes(image) == FLASH_BYTES)
		return true;
	return holds(image, CRAZYFLIE_LOADER_ADDR, CRAZYFLIE_APP_ADDR - 1) &&
	       holds(image, CRAZYFLIE_APP_ADDR, FLASH_END);
}

/* A segment of a Crazyflie image: internal flash, behind the loader. */
static void
judge_crazyflie_place(struct judgement *j, const struct segment *s, bool copy)
{
	static const char copy_words[] =
	    "; of a copy of the whole flash memory, --application takes the application alone";

	if (s->alt != 0) {
		judge_alternate(j, s);
		return;
	}
	if (judge_special(j, s))
		return;
	if (touches(s, CRAZYFLIE_LOADER_ADDR, CRAZYFLIE_APP_ADDR - 1))
		judge_add(j, JUDGE_REFUSE, JUDGE_LOADER_GUARD,
			  "touches 0x%08" PRIX32 ": below 0x%08" PRIX32
			  " lives the boot loader, which is never overwritten by firmware%s",
			  s->addr > FLASH_ADDR ? s->addr : FLASH_ADDR, CRAZYFLIE_APP_ADDR,
			  copy ? copy_words : "");
	if (s->addr >= FLASH_ADDR && s->addr <= FLASH_END && last_of(s) > FLASH_END)
		judge_add(j, JUDGE_REFUSE, JUDGE_TOO_BIG,
			  "%" PRIu32 " bytes from 0x%08" PRIX32 ": there is room for %" PRIu32 "%s",
			  s->size, s->addr, FLASH_END - s->addr + 1,
			  s->size == FLASH_BYTES ? copy_words : "");
	else if (s->addr < FLASH_ADDR || s->addr > FLASH_END)
		judge_add(j, JUDGE_REFUSE, JUDGE_RANGE,
			  "%" PRIu32 " bytes at 0x%08" PRIX32
			  ": outside of the flash memory (0x%08" PRIX32 " to 0x%08" PRIX32
			  "); what lies there: %s",
			  s->size, s->addr, FLASH_ADDR, FLASH_END, place_words(s->addr));
}

/* The map of a memory that the description gives; NULL: the device's own word will count. */
static const struct layout *
map_of(const struct device *d, uint8_t alt)
{
	return alt < DEVICE_ALTS_MAX && d->map_given[alt] ? &d->map[alt] : NULL;
}

/* The range erased for s: its first and last sector whole, as far as the memory is known. */
static void
widen_to_sectors(const struct layout *l, const struct segment *s, uint32_t *ret_first,
		 uint32_t *ret_last)
{
	struct sector sector;

	*ret_first = s->addr;
	*ret_last = last_of(s);
	if (l == NULL)
		return;
	if (layout_sector_at(l, s->addr, &sector))
		*ret_first = sector.addr;
	if (layout_sector_at(l, last_of(s), &sector))
		*ret_last = sector.addr + (sector.size - 1);
}

/*
 * Every range that is never written: the loader's is one of them.  True when s touches one.
 * WHY sectors: what shares one with a range would be refused drone by drone.
 */
static bool
judge_protected(struct judgement *j, const struct device *d, const struct segment *s)
{
	struct device_range range;
	uint32_t from, to;

	widen_to_sectors(map_of(d, s->alt), s, &from, &to);
	if (s->alt != 0 || !device_protects(d, from, to, &range))
		return false;
	judge_add(j, JUDGE_REFUSE, JUDGE_LOADER_GUARD,
		  "%s 0x%08" PRIX32 ": 0x%08" PRIX32 " to 0x%08" PRIX32 " of a %s are protected",
		  touches(s, range.first, range.last) ? "touches" : "has to erase",
		  from > range.first ? from : range.first, range.first, range.last, d->name);
	return true;
}

static bool
has_maps(const struct device *d)
{
	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		if (d->map_given[i])
			return true;
	return false;
}

/* A segment for any DfuSe device: the memory must exist and be writable there. */
static void
judge_generic_place(struct judgement *j, const struct device *d, const struct segment *s)
{
	const struct layout *l = map_of(d, s->alt);

	if (l == NULL && has_maps(d)) {
		judge_add(j, JUDGE_REFUSE, JUDGE_ALTERNATE,
			  "has %" PRIu32 " bytes for alternate %u, which a %s does not have",
			  s->size, s->alt, d->name);
		return;
	}
	if (judge_protected(j, d, s))
		return;
	if (l == NULL || layout_covers(l, s->addr, s->size, LAYOUT_WRITABLE))
		return;
	if (layout_covers(l, s->addr, s->size, 0))
		judge_add(j, JUDGE_REFUSE, JUDGE_PROTECTED,
			  "%" PRIu32 " bytes at 0x%08" PRIX32 " of alternate %u: not all of it is "
			  "writable on a %s",
			  s->size, s->addr, s->alt, d->name);
	else
		judge_add(j, JUDGE_REFUSE, JUDGE_RANGE,
			  "%" PRIu32 " bytes at 0x%08" PRIX32 " of alternate %u: outside of that "
			  "memory of a %s",
			  s->size, s->addr, s->alt, d->name);
}

/* Sectors found: as many as there is room for, and what they are all together. */
struct found {
	struct sector *sectors;
	size_t room, count;
	uint64_t bytes;
};

static void
find_sectors(const struct image *image, uint8_t alt, const struct layout *l, struct found *f)
{
	size_t count = image_segment_count(image);
	uint64_t done = 0; /* sectors below this address are counted */

	for (size_t i = 0; i < count; i++) {
		const struct segment *s = image_segment(image, i);
		uint64_t at = s->addr > done ? s->addr : done, end = (uint64_t)s->addr + s->size;
		struct sector sector;

		for (; s->alt == alt && at < end; at = done) {
			if (!layout_sector_at(l, (uint32_t)at, &sector))
				break;
			done = (uint64_t)sector.addr + sector.size;
			if (f->count < f->room)
				f->sectors[f->count] = sector;
			f->count++;
			f->bytes += sector.size;
		}
	}
}

size_t
judge_sectors(const struct image *image, uint8_t alt, const struct layout *l,
	      struct sector *ret_sectors, size_t max)
{
	struct found found = { .sectors = ret_sectors, .room = max };

	find_sectors(image, alt, l, &found);
	return found.count;
}

/* Extent, gaps and sectors of the internal flash. */
static void
measure(struct judgement *j, const struct image *image, const struct device *d)
{
	const struct layout *l = map_of(d, 0);
	size_t count = image_segment_count(image), pieces = 0, gaps = 0;
	struct found found = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct segment *s = image_segment(image, i);

		if (s->alt != 0)
			continue;
		if (pieces++ == 0)
			j->first_addr = s->addr;
		else if (s->addr - j->last_addr > GAP_NOTED_BYTES)
			gaps++;
		j->last_addr = last_of(s);
	}
	if (gaps > 0)
		judge_add(
		    j, JUDGE_NOTE, JUDGE_GAPS,
		    "%zu pieces with gaps between them: gaps in an erased sector are left blank",
		    pieces);
	if (l == NULL)
		return;
	find_sectors(image, 0, l, &found);
	j->sector_count = (unsigned)found.count;
	j->erase_bytes = found.bytes <= UINT32_MAX ? (uint32_t)found.bytes : UINT32_MAX;
}

static int
read_content(const struct image *image, struct judgement *j)
{
	memset(j, 0, sizeof(*j));
	j->accepted = true;
	return content_read(image_segment(image, 0), image_segment_count(image), &j->content);
}

/* The vectors' place, then the vectors themselves. */
static void
judge_application(struct judgement *j, const struct judge_options *o, const struct device *d)
{
	const struct content *c = &j->content;

	if (c->size == 0) {
		if (d->family && !judge_says(j, JUDGE_RANGE) && !judge_says(j, JUDGE_OPTION_BYTES))
			judge_add(j, JUDGE_REFUSE, JUDGE_EMPTY, "has no data for the flash memory");
		return;
	}
	if (d->app_addr == 0)
		return;
	if (c->addr != d->app_addr && !judge_says(j, JUDGE_LOADER_GUARD))
		judge_add(j, JUDGE_REFUSE, JUDGE_START,
			  "begins at 0x%08" PRIX32 ", but the application begins at 0x%08" PRIX32,
			  c->addr, d->app_addr);
	if (d->family) /* WHY first: what is missing explains what is wrong with the rest */
		judge_whole(j, o);
	judge_vectors(j, d);
	if (d->family && !c->loader)
		judge_content(j, o);
}

const struct device *
judge_any_device(void)
{
	static const struct device any = { .name = "any DfuSe device" };

	return &any;
}

int
judge_image(const struct image *image, const struct judge_options *options,
	    struct judgement *ret_judgement)
{
	static const struct judge_options nothing_said = { 0 };
	const struct judge_options *o = options != NULL ? options : &nothing_said;
	const struct device *d = o->device != NULL ? o->device : device_crazyflie();
	struct judgement *j = ret_judgement;
	size_t count = image_segment_count(image);
	int r = read_content(image, j);

	if (r < 0)
		return r;
	if (d->family && !is_copy(image) && j->content.loader)
		judge_add(j, JUDGE_REFUSE, JUDGE_IS_LOADER,
			  "this is the boot loader (cf2loader), not an application: it belongs to "
			  "0x08000000, by loader recovery");
	for (size_t i = 0; i < count; i++)
		if (d->family)
			judge_crazyflie_place(j, image_segment(image, i), is_copy(image));
		else
			judge_generic_place(j, d, image_segment(image, i));
	judge_application(j, o, d);
	if (!d->family)
		j->platforms = content_narrow(0, o->manifest, o->user_platform);
	measure(j, image, d);
	return 0;
}

static void
judge_loader_place(struct judgement *j, const struct image *image)
{
	const struct segment *s = image_segment(image, 0);

	if (image_segment_count(image) != 1 || s->alt != 0)
		judge_add(j, JUDGE_REFUSE, JUDGE_RANGE,
			  "a boot loader is one piece of the internal flash; this has %zu pieces",
			  image_segment_count(image));
	if (s->addr != CRAZYFLIE_LOADER_ADDR)
		judge_add(j, JUDGE_REFUSE, JUDGE_START,
			  "begins at 0x%08" PRIX32 ", but the boot loader begins at 0x%08" PRIX32,
			  s->addr, CRAZYFLIE_LOADER_ADDR);
	if (s->size > CRAZYFLIE_LOADER_BYTES)
		judge_add(j, JUDGE_REFUSE, JUDGE_TOO_BIG,
			  "%" PRIu32 " bytes: the boot loader's sector has %" PRIu32, s->size,
			  (uint32_t)CRAZYFLIE_LOADER_BYTES);
}

int
judge_loader(const struct image *image, struct judgement *ret_judgement)
{
	struct judgement *j = ret_judgement;
	const struct content *c = &j->content;
	int r = read_content(image, j);

	if (r < 0)
		return r;
	judge_loader_place(j, image);
	if (c->size > 0)
		judge_vectors(j, device_crazyflie());
	if (c->vectors && c->reset - CRAZYFLIE_LOADER_ADDR >= CRAZYFLIE_LOADER_BYTES)
		judge_add(j, JUDGE_REFUSE, JUDGE_RESET_OUTSIDE,
			  "reset vector 0x%08" PRIX32
			  " is not in the boot loader's sector (0x%08" PRIX32 " to 0x%08" PRIX32
			  ")",
			  c->reset, CRAZYFLIE_LOADER_ADDR,
			  CRAZYFLIE_LOADER_ADDR + (CRAZYFLIE_LOADER_BYTES - 1));
	if (c->record_count > 0 || c->version[0] != '\0')
		judge_add(j, JUDGE_REFUSE, JUDGE_NOT_LOADER,
			  "this is an application (%s), not a boot loader",
			  c->record_count > 0 ? c->records[0].name : c->version);
	else if (!c->loader)
		judge_add(j, JUDGE_WARN, JUDGE_NOT_LOADER,
			  "does not have the tables by which cf2loader is known");
	measure(j, image, device_crazyflie());
	return 0;
}
