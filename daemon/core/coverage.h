/* SPDX-License-Identifier: MIT */
/*
 * The sectors of a device that an image covers, wholly or in part, in the image's order; refuses an
 * image that reaches where nothing may be written (doc/promises.md 1, promise 2).
 */
#ifndef CORE_COVERAGE_H
#define CORE_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/device.h"
#include "core/image.h"
#include "cfdfu/layout.h"

#define PLAN_SECTORS_MAX 4096 /* LIMIT: a 16 MiB memory of 4 KiB sectors */

struct covered {
	uint32_t addr, size;  /* the sector */
	uint32_t from, to;    /* first covered byte, last covered byte + 1 */
	size_t first_segment; /* index of the first segment that reaches into it */
	uint8_t alt;
	bool write_protected;
};

struct coverage {
	/* set before; borrowed */
	const struct image *image;
	const struct device *profile;
	const struct layout *const *maps; /* by alternate, NULL: there is no such memory */
	uint32_t write_protected; /* BIT(n): the n-th sector of alternate 0 cannot be written */
	/* the result */
	struct covered *sectors; /* freed by the caller, in any case */
	size_t count, room;
	const char *why; /* -EPERM: a static sentence */
};

/* -EPERM: the image does not belong there, whole or in part; -E2BIG, -ENOMEM. */
int coverage_find(struct coverage *c) MUST_CHECK;

/* A stretch of image bytes in one segment. */
struct stretch {
	uint32_t addr, length;
	const uint8_t *data;
};

/* The next one in the sector from pos on, before limit; false: there is none. */
bool covered_stretch(const struct covered *c, const struct image *image, uint32_t pos,
		     uint32_t limit, struct stretch *ret_stretch);

/* The first byte of it that data differs in; its length: in none. */
uint32_t stretch_difference(const struct stretch *s, const uint8_t *data);

#endif
