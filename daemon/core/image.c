/* SPDX-License-Identifier: MIT */
/*
 * Immutable, reference-counted, sorted segments.  One allocation holds the struct, the table of
 * segments and all bytes, so that there is no half-built image.
 */
#include "config.h"

#include "core/image.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct image {
	unsigned references;
	struct image_label label;
	size_t bytes;
	struct image_part parts[IMAGE_PARTS_MAX]; /* their bytes are their own */
	size_t part_count;
	size_t count;
	struct segment segments[]; /* by alternate and address; the bytes follow the table */
};

static uint64_t
end_of(const struct segment *s)
{
	return (uint64_t)s->addr + s->size;
}

static bool
is_before(const struct segment *a, const struct segment *b)
{
	return a->alt != b->alt ? a->alt < b->alt : a->addr < b->addr;
}

/* 0 and the sum of all sizes, or why no image can be made of these. */
static int
check_sizes(const struct segment *segments, size_t count, size_t *ret_bytes)
{
	size_t bytes = 0;

	if (count == 0)
		return -EINVAL;
	if (count > IMAGE_SEGMENTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		assert(segments[i].size == 0 || segments[i].data != NULL);
		if (segments[i].size == 0 || end_of(&segments[i]) > (uint64_t)UINT32_MAX + 1)
			return -EINVAL;
		if (segments[i].size > IMAGE_BYTES_MAX - bytes)
			return -E2BIG;
		bytes += segments[i].size;
	}
	*ret_bytes = bytes;
	return 0;
}

/* WHY: an insertion sort; files come sorted, and a hostile one has at most IMAGE_SEGMENTS_MAX. */
static void
copy_sorted(struct segment *sorted, const struct segment *segments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		while (at > 0 && is_before(&segments[i], &sorted[at - 1])) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = segments[i];
	}
}

static int
check_places(const struct segment *sorted, size_t count)
{
	size_t targets = 1;

	for (size_t i = 1; i < count; i++) {
		if (sorted[i].alt != sorted[i - 1].alt)
			targets++;
		else if (end_of(&sorted[i - 1]) > sorted[i].addr)
			return -EINVAL;
	}
	return targets > IMAGE_TARGETS_MAX ? -E2BIG : 0;
}

static void
take_bytes(struct image *image)
{
	uint8_t *at = (uint8_t *)&image->segments[image->count];

	for (size_t i = 0; i < image->count; i++) {
		struct segment *s = &image->segments[i];

		memcpy(at, s->data, s->size);
		s->data = at;
		at += s->size;
	}
}

/* The promise of the header holds even if the caller's texts are not terminated. */
static void
take_label(struct image *image, const struct image_label *label)
{
	image->label = *label;
	image->label.name[sizeof(image->label.name) - 1] = '\0';
	image->label.version[sizeof(image->label.version) - 1] = '\0';
	image->label.revision[sizeof(image->label.revision) - 1] = '\0';
}

int
image_new(const struct segment *segments, size_t count, const struct image_label *label,
	  struct image **ret_image)
{
	struct image *image = NULL;
	size_t bytes;
	int r;

	assert(label != NULL);
	r = check_sizes(segments, count, &bytes);
	if (r < 0)
		goto out;
	r = -ENOMEM;
	image = calloc(1, sizeof(*image) + count * sizeof(image->segments[0]) + bytes);
	if (image == NULL)
		goto out;
	copy_sorted(image->segments, segments, count);
	r = check_places(image->segments, count);
	if (r < 0)
		goto out;
	image->references = 1;
	image->bytes = bytes;
	image->count = count;
	take_label(image, label);
	take_bytes(image);
	*ret_image = image;
	image = NULL; /* the caller's now */
out:
	free(image);
	return r;
}

struct image *
image_ref(struct image *image)
{
	assert(image->references > 0 && image->references < UINT32_MAX);
	image->references++;
	return image;
}

static void
free_all(struct image *image)
{
	for (size_t i = 0; i < image->part_count; i++)
		free((void *)(uintptr_t)image->parts[i].bytes);
	free(image);
}

void
image_unref(struct image *image)
{
	if (image == NULL)
		return;
	assert(image->references > 0);
	if (--image->references == 0)
		free_all(image);
}

size_t
image_segment_count(const struct image *image)
{
	return image->count;
}

const struct segment *
image_segment(const struct image *image, size_t i)
{
	assert(i < image->count);
	return &image->segments[i];
}

const struct image_label *
image_label(const struct image *image)
{
	return &image->label;
}

size_t
image_bytes(const struct image *image)
{
	return image->bytes;
}

static bool
same_place(const struct segment *a, const struct segment *b)
{
	return a->alt == b->alt && a->addr == b->addr && a->size == b->size;
}

bool
image_same(const struct image *a, const struct image *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_place(&a->segments[i], &b->segments[i]))
			return false;
	return memcmp(a->label.sha256, b->label.sha256, IMAGE_SHA256_BYTES) == 0;
}

bool
image_name_is_fine(const char *name)
{
	size_t n = strlen(name), i = 0;

	while (name[i] >= ' ' && name[i] <= '~' && name[i] != '/')
		i++;
	return n > 0 && i == n && n < IMAGE_TEXT_MAX && name[0] != '-' && name[0] != ' ' &&
	       name[n - 1] != ' ';
}

/* The part of a path behind its last slash, and its length without the ending. */
static const char *
stem_of(const char *file, size_t *ret_bytes)
{
	const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file, *dot;

	/* WHY: a release's file is called so; its firmware is asked for by platform and version. */
	if (strncmp(base, "firmware-", 9) == 0 && base[9] != '\0' && base[9] != '.')
		base += 9;
	dot = strrchr(base, '.');
	*ret_bytes = dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base);
	return base;
}

void
image_name_of_file(const char *file, char *dst, size_t size)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._+-";
	size_t bytes, n = 0;
	const char *base = stem_of(file, &bytes);

	for (; n < bytes && n + 1 < size; n++)
		dst[n] = strchr(fine, base[n]) != NULL ? base[n] : '_';
	dst[n] = '\0';
	if (dst[0] == '-')
		dst[0] = '_';
}

/* ---- parts that DFU mode does not carry ------------------------------------------------------ */

int
image_add_part(struct image *image, const struct image_part *part)
{
	struct image_part *copy = &image->parts[image->part_count];
	uint8_t *bytes = NULL;

	assert(image->references == 1);
	if (image->part_count == IMAGE_PARTS_MAX)
		return -E2BIG;
	if (part->bytes != NULL) {
		bytes = malloc(part->length);
		if (bytes == NULL)
			return -ENOMEM;
		memcpy(bytes, part->bytes, part->length);
	}
	*copy = *part;
	copy->bytes = bytes;
	image->part_count++;
	return 0;
}

size_t
image_part_count(const struct image *image)
{
	return image->part_count;
}

const struct image_part *
image_part_for(const struct image *image, const char *target)
{
	for (size_t i = 0; image != NULL && i < image->part_count; i++)
		if (strcmp(image->parts[i].target, target) == 0 &&
		    strcmp(image->parts[i].type, "fw") == 0)
			return &image->parts[i];
	return NULL;
}
