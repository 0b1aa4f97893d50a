/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cfdfu/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/dfu.h"

#define ALL (LAYOUT_READABLE | LAYOUT_ERASABLE | LAYOUT_WRITABLE)
#define RAM_ADDR 0x20000000U
#define RAM_BYTES_ANY 0x00100000U /* LIMIT: more than any STM32 has; how much is not described */
#define AS_IT_SAYS "as it says"
#define BLANKS " \t,"

const struct device *
device_crazyflie(void)
{
	static const struct device crazyflie = {
		.name = "Crazyflie",
		.vid = ST_VID,
		.pid = ST_DFU_PID,
		.family = true,
		.app_addr = CRAZYFLIE_APP_ADDR,
		.loader_addr = CRAZYFLIE_LOADER_ADDR,
		.loader_bytes = CRAZYFLIE_LOADER_BYTES,
		.leave = true,
		.map_given = { true },
		.map = { { .name = "Internal Flash",
			   .runs = { { 0x08000000, 4, 16 * 1024, ALL },
				     { 0x08010000, 1, 64 * 1024, ALL },
				     { 0x08020000, 7, 128 * 1024, ALL } },
			   .run_count = 3 } },
		.ram_addr = RAM_ADDR,
		.ram_bytes = 0x00020000U,
		.ccm_addr = 0x10000000U,
		.ccm_bytes = 0x00010000U,
	};

	return &crazyflie;
}

static int refuse(char why[DEVICE_WHY_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static int
refuse(char why[DEVICE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, DEVICE_WHY_MAX, format, args); /* cut is fine */
	va_end(args);
	return -EINVAL;
}

int
device_init(struct device *d, const char *name, char ret_why[DEVICE_WHY_MAX])
{
	if (name[0] == '\0' || strlen(name) >= DEVICE_NAME_MAX)
		return refuse(ret_why, "a device's name is 1 to %d characters long",
			      DEVICE_NAME_MAX - 1);
	*d = (struct device){ .ram_addr = RAM_ADDR, .ram_bytes = RAM_BYTES_ANY };
	copy_text(d->name, sizeof(d->name), name);
	return 0;
}

/* ---- values of keys ------------------------------------------------------------------------- */

static int
read_hex(const char *text, uint32_t max, uint32_t *ret, char *why)
{
	bool prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = prefix ? text + 2 : text;
	size_t length = strlen(digits);

	if (length == 0 || length > 8 || strspn(digits, "0123456789abcdefABCDEF") != length ||
	    strtoul(digits, NULL, 16) > max)
		return refuse(why, "\"%.60s\" is not a hexadecimal number up to 0x%" PRIX32, text,
			      max);
	*ret = (uint32_t)strtoul(digits, NULL, 16);
	return 0;
}

static int
set_id(uint16_t *id, const char *value, char *why)
{
	uint32_t wide = *id;
	int r = read_hex(value, UINT16_MAX, &wide, why);

	*id = (uint16_t)wide;
	return r;
}

static int
set_glob(char glob[DEVICE_TEXT_MAX], const char *value, char *why)
{
	if (strlen(value) >= DEVICE_TEXT_MAX)
		return refuse(why, "longer than %d characters", DEVICE_TEXT_MAX - 1);
	copy_text(glob, DEVICE_TEXT_MAX, value);
	return 0;
}

static int
set_leave(bool *leave, const char *value, char *why)
{
	*leave = strcmp(value, "yes") == 0;
	return *leave || strcmp(value, "no") == 0
		   ? 0
		   : refuse(why, "\"%.60s\" is none of: no, yes", value);
}

/* "FIRST-LAST" */
static int
add_range(struct device *d, char *word, char *why)
{
	char *dash = strchr(word, '-');
	struct device_range range = { 0 };
	int r;

	if (dash == NULL)
		return refuse(why, "\"%s\" is not a range FIRST-LAST", word);
	*dash = '\0';
	r = read_hex(word, UINT32_MAX, &range.first, why);
	if (r == 0)
		r = read_hex(dash + 1, UINT32_MAX, &range.last, why);
	if (r < 0)
		return r;
	if (range.last < range.first)
		return refuse(why, "the range 0x%s-%s ends before it begins", word, dash + 1);
	if (d->protect_count == DEVICE_RANGES_MAX)
		return refuse(why, "more than %d protected ranges", DEVICE_RANGES_MAX);
	d->protect[d->protect_count++] = range;
	return 0;
}

/* "0x08000000-0x08002FFF", several separated by blanks or commas; they add to those before. */
static int
add_ranges(struct device *d, const char *value, char *why)
{
	char word[32];
	int r = 0;

	if (value[0] == '\0')
		d->protect_count = 0;
	for (value += strspn(value, BLANKS); *value != '\0' && r == 0;
	     value += strspn(value, BLANKS)) {
		size_t length = strcspn(value, BLANKS);

		copy_text(word, length < sizeof(word) ? length + 1 : sizeof(word), value);
		r = add_range(d, word, why);
		value += length;
	}
	return r;
}

/* "map-N = LAYOUT" or "= as it says"; "map = as it says" for all of them. */
static int
set_map(struct device *d, const char *number, const char *value, char *why)
{
	bool as_it_says = strcmp(value, AS_IT_SAYS) == 0;
	const char *what = NULL;
	size_t at = 0, alt;

	if (number[0] == '\0') {
		if (!as_it_says)
			return refuse(why,
				      "a map belongs to one alternate setting: map-0 to map-%d",
				      DEVICE_ALTS_MAX - 1);
		memset(d->map_given, 0, sizeof(d->map_given));
		return 0;
	}
	alt = (size_t)(number[1] - '0');
	if (number[0] != '-' || alt >= DEVICE_ALTS_MAX || number[2] != '\0')
		return refuse(why, "maps are map-0 to map-%d", DEVICE_ALTS_MAX - 1);
	d->map_given[alt] = false;
	if (as_it_says)
		return 0;
	if (layout_parse(value, strlen(value), &d->map[alt], &what, &at) < 0)
		return refuse(why, "memory map at character %zu: %s", at + 1, what);
	d->map_given[alt] = true;
	return 0;
}

int
device_set(struct device *d, const char *key, const char *value, char ret_why[DEVICE_WHY_MAX])
{
	if (strcmp(key, "vid") == 0)
		return set_id(&d->vid, value, ret_why);
	if (strcmp(key, "pid") == 0)
		return set_id(&d->pid, value, ret_why);
	if (strcmp(key, "manufacturer") == 0)
		return set_glob(d->manufacturer, value, ret_why);
	if (strcmp(key, "product") == 0)
		return set_glob(d->product, value, ret_why);
	if (strcmp(key, "application-base") == 0) {
		d->app_given = true;
		return read_hex(value, UINT32_MAX, &d->app_addr, ret_why);
	}
	if (strcmp(key, "protected") == 0)
		return add_ranges(d, value, ret_why);
	if (strcmp(key, "boots-after-leave") == 0)
		return set_leave(&d->leave, value, ret_why);
	if (strncmp(key, "map", 3) == 0)
		return set_map(d, key + 3, value, ret_why);
	return -ENOENT;
}

int
device_check(const struct device *d, char ret_why[DEVICE_WHY_MAX])
{
	struct device_range range;
	struct sector sector;

	if (d->vid == 0)
		return refuse(ret_why, "vid is missing");
	if (d->pid == 0)
		return refuse(ret_why, "pid is missing");
	if (d->app_given && device_protects(d, d->app_addr, d->app_addr, &range))
		return refuse(ret_why, "application-base lies in a protected range");
	if (d->app_given && d->map_given[0] && !layout_sector_at(&d->map[0], d->app_addr, &sector))
		return refuse(ret_why, "application-base lies outside of map-0");
	return 0;
}

/* ---- questions ------------------------------------------------------------------------------ */

bool
device_protects(const struct device *d, uint32_t first, uint32_t last,
		struct device_range *ret_range)
{
	struct device_range loader = { d->loader_addr, d->loader_addr + (d->loader_bytes - 1) };

	for (size_t i = 0; i <= d->protect_count; i++) {
		bool listed = i < d->protect_count;
		const struct device_range *r = listed ? &d->protect[i] : &loader;

		if ((!listed && d->loader_bytes == 0) || first > r->last || last < r->first)
			continue;
		*ret_range = *r;
		return true;
	}
	return false;
}
