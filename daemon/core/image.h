/* SPDX-License-Identifier: MIT */
/*
 * A parsed firmware image: immutable, reference-counted segments sorted by alternate setting and
 * address. Jobs hold a reference from their start to their end, so a running job never sees another
 * image.
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

#define IMAGE_SEGMENTS_MAX 1024		    /* LIMIT: a HEX file with more gaps is not firmware */
#define IMAGE_BYTES_MAX (64U * 1024 * 1024) /* LIMIT: 16 MiB is the largest NOR described */
#define IMAGE_SHA256_BYTES 32
#define IMAGE_TARGETS_MAX 16
#define IMAGE_PARTS_MAX 16 /* LIMIT: a release has six */
#define IMAGE_TEXT_MAX 64

struct image;

struct segment {
	uint8_t alt;   /* alternate setting: which memory */
	uint32_t addr; /* of its first byte */
	uint32_t size; /* bytes, never 0 */
	const uint8_t *data;
};

/* The facts about an image beside its bytes.  A plain value; texts sanitised and terminated. */
struct image_label {
	char name[IMAGE_TEXT_MAX]; /* unique in the catalogue */
	char version[32];   /* what the drone will say over CRTP; "" when the image carries none */
	char revision[16];  /* 12 hex digits of the commit; "" unknown */
	unsigned platforms; /* set of enum platform bits; 0 unknown */
	char signer[17];    /* id of the key that signed it, when it was added; "" not signed */
	bool incomplete;    /* taken on the operator's word, without evidence of being whole */
	uint8_t sha256[IMAGE_SHA256_BYTES]; /* of the bytes: firmware/digest.h says exactly which */
};

/*
 * A part of the release that USB's DFU mode does not carry: a deck's firmware, the nRF51's.  Kept
 * with the image.
 */
struct image_part {
	char target[24];	/* "bcLighthouse4", "bcColorLedBot:col", "nrf51" */
	char type[24];		/* of the manifest: "fw", "bootloader+softdevice" */
	char version[32];	/* the release's word for it; "" none */
	const uint8_t *bytes;	/* borrowed from the image; NULL: only known of, not loaded */
	uint32_t length, crc32; /* crc32: of the bytes, as zlib counts it; valid with bytes */
};

/*
 * May an image be called so?  WHY blanks: people name things as they like; but it is no option and
 * no path: no "/", no "-" at its beginning, no blank at either end, and shorter than
 * IMAGE_TEXT_MAX.
 */
bool image_name_is_fine(const char *name);

/*
 * The name of firmware that nothing else names, from its file's: "dir/firmware-cf2-2025.12.zip"
 * becomes "cf2-2025.12".  Needs no quotes in a shell; "" of "".
 */
void image_name_of_file(const char *file, char *dst, size_t size);

/*
 * Copies the segments, sorts them, merges none.  -EINVAL: no segment, size 0, wraps past 2^32, or
 * overlap within one alternate; -E2BIG: over a limit; -ENOMEM.  The caller holds one reference.
 */
int image_new(const struct segment *segments, size_t count, const struct image_label *label,
	      struct image **ret_image) MUST_CHECK;
struct image *image_ref(struct image *image);
void image_unref(struct image *image); /* NULL is fine */

size_t image_segment_count(const struct image *image);
/* i < count, asserted; count is 1 at least, and they stand side by side. */
const struct segment *image_segment(const struct image *image, size_t i);
const struct image_label *image_label(const struct image *image);
size_t image_bytes(const struct image *image); /* sum of all sizes */

/* Its parts.  Copied with their bytes; before the image is shared.  -ENOMEM, -E2BIG. */
int image_add_part(struct image *image, const struct image_part *part) MUST_CHECK;
size_t image_part_count(const struct image *image);
/* The firmware ("fw") for this target; NULL: the release has none, or image is NULL. */
const struct image_part *image_part_for(const struct image *image, const char *target);

/* By digest and place; NULL equals NULL. */
bool image_same(const struct image *a, const struct image *b);

#endif
