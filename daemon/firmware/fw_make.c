/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/fw_make.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "cfdfu/dfu.h"
#include "firmware/fw.h"

/* Everything goes through here, so that the CRC covers it. */
struct writer {
	fw_make_sink *sink;
	void *ctx;
	uint32_t crc; /* zlib's: inverted at the end */
};

static int
put(struct writer *w, const uint8_t *data, size_t size)
{
	w->crc = (uint32_t)crc32_z(w->crc, data, size);
	return w->sink(w->ctx, data, size);
}

static uint64_t
target_bytes(const struct fw_make_target *t)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < t->element_count; i++)
		bytes += DFUSE_ELEMENT_PREFIX_BYTES + (uint64_t)t->elements[i].size;
	return bytes;
}

static int
check_file(const struct fw_make_file *f, uint64_t *ret_bytes)
{
	uint64_t bytes = DFUSE_PREFIX_BYTES + DFU_SUFFIX_BYTES;
	size_t elements = 0;

	if (f->target_count == 0)
		return -EINVAL;
	if (f->target_count > IMAGE_TARGETS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < f->target_count; i++) {
		const struct fw_make_target *t = &f->targets[i];

		if (t->element_count == 0)
			return -EINVAL;
		elements += t->element_count;
		if (elements > IMAGE_SEGMENTS_MAX)
			return -E2BIG;
		for (size_t k = 0; k < t->element_count; k++)
			if (t->elements[k].size == 0)
				return -EINVAL;
		bytes += DFUSE_TARGET_PREFIX_BYTES + target_bytes(t);
	}
	if (bytes > IMAGE_BYTES_MAX + (uint64_t)IMAGE_SEGMENTS_MAX * 512)
		return -E2BIG;
	*ret_bytes = bytes;
	return 0;
}

static int
put_prefix(struct writer *w, const struct fw_make_file *f, uint32_t file_bytes)
{
	uint8_t p[DFUSE_PREFIX_BYTES] = { 'D', 'f', 'u', 'S', 'e', 1 };

	put_le32(p + 6, f->size_counts_suffix ? file_bytes : file_bytes - DFU_SUFFIX_BYTES);
	p[10] = (uint8_t)f->target_count;
	return put(w, p, sizeof(p));
}

static int
put_target(struct writer *w, const struct fw_make_target *t)
{
	uint8_t p[DFUSE_TARGET_PREFIX_BYTES] = { 'T', 'a', 'r', 'g', 'e', 't', t->alt };
	int r;

	if (t->raw_name != NULL) {
		put_le32(p + 7, t->raw_named);
		memcpy(p + 11, t->raw_name, FW_TARGET_NAME_BYTES);
	} else if (t->name != NULL) {
		put_le32(p + 7, 1);
		copy_text((char *)p + 11, FW_TARGET_NAME_BYTES, t->name);
	}
	put_le32(p + 266, (uint32_t)target_bytes(t));
	put_le32(p + 270, (uint32_t)t->element_count);
	r = put(w, p, sizeof(p));
	for (size_t i = 0; i < t->element_count && r == 0; i++) {
		uint8_t head[DFUSE_ELEMENT_PREFIX_BYTES];

		put_le32(head, t->elements[i].addr);
		put_le32(head + 4, t->elements[i].size);
		r = put(w, head, sizeof(head));
		if (r == 0)
			r = put(w, t->elements[i].data, t->elements[i].size);
	}
	return r;
}

static int
put_suffix(struct writer *w, const struct fw_make_file *f)
{
	uint8_t p[DFU_SUFFIX_BYTES];
	int r;

	put_le16(p, f->device);
	put_le16(p + 2, f->pid);
	put_le16(p + 4, f->vid);
	put_le16(p + 6, f->bcd_dfu != 0 ? f->bcd_dfu : DFU_BCD_DFUSE);
	memcpy(p + 8, "UFD", 3);
	p[11] = DFU_SUFFIX_BYTES;
	r = put(w, p, sizeof(p) - 4);
	put_le32(p + 12, ~w->crc);
	return r == 0 ? put(w, p + 12, 4) : r;
}

/* Streams the file. */
static int
stream(const struct fw_make_file *file, fw_make_sink *sink, void *ctx)
{
	struct writer w = { .sink = sink, .ctx = ctx };
	uint64_t bytes;
	int r = check_file(file, &bytes);

	if (r < 0)
		return r;
	r = put_prefix(&w, file, (uint32_t)bytes);
	for (size_t i = 0; i < file->target_count && r == 0; i++)
		r = put_target(&w, &file->targets[i]);
	return r == 0 ? put_suffix(&w, file) : r;
}

struct buffer {
	uint8_t *bytes;
	size_t used;
};

static int
on_piece(void *ctx, const uint8_t *data, size_t size)
{
	struct buffer *b = ctx;

	memcpy(b->bytes + b->used, data, size);
	b->used += size;
	return 0;
}

int
fw_make(const struct fw_make_file *file, uint8_t **ret_bytes, size_t *ret_size)
{
	struct buffer b = { 0 };
	uint64_t bytes;
	int r = check_file(file, &bytes);

	if (r < 0)
		return r;
	b.bytes = malloc((size_t)bytes);
	if (b.bytes == NULL)
		return -ENOMEM;
	r = stream(file, on_piece, &b);
	if (r < 0) {
		free(b.bytes);
		return r;
	}
	*ret_bytes = b.bytes;
	*ret_size = b.used;
	return 0;
}

/* A target per alternate of sorted segments; -E2BIG when there are too many. */
static int
split_targets(const struct segment *segments, size_t count,
	      struct fw_make_target targets[IMAGE_TARGETS_MAX], size_t *ret_count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (n == 0 || targets[n - 1].alt != segments[i].alt) {
			if (n == IMAGE_TARGETS_MAX)
				return -E2BIG;
			targets[n++] = (struct fw_make_target){ .alt = segments[i].alt,
								.elements = &segments[i] };
		}
		targets[n - 1].element_count++;
	}
	*ret_count = n;
	return 0;
}

int
fw_make_stream_segments(const struct segment *segments, size_t count, fw_make_sink *sink, void *ctx)
{
	struct fw_make_target targets[IMAGE_TARGETS_MAX];
	struct fw_make_file file = {
		.vid = FW_MAKE_VID, .pid = FW_MAKE_PID, .device = FW_MAKE_DEVICE, .targets = targets
	};
	int r = split_targets(segments, count, targets, &file.target_count);

	return r == 0 ? stream(&file, sink, ctx) : r;
}

int
fw_make_from_image(const struct image *image, uint8_t **ret_bytes, size_t *ret_size)
{
	struct fw_make_target targets[IMAGE_TARGETS_MAX];
	struct fw_make_file file = {
		.vid = FW_MAKE_VID, .pid = FW_MAKE_PID, .device = FW_MAKE_DEVICE, .targets = targets
	};
	int r = split_targets(image_segment(image, 0), image_segment_count(image), targets,
			      &file.target_count);

	return r == 0 ? fw_make(&file, ret_bytes, ret_size) : r;
}

/* The image's segment that came from this element. */
static const struct segment *
find_segment(const struct image *image, const struct fw_element *e)
{
	size_t count = image_segment_count(image);

	for (size_t i = 0; i < count; i++) {
		const struct segment *s = image_segment(image, i);

		if (s->alt == e->alt && s->addr == e->addr && s->size == e->size)
			return s;
	}
	return NULL;
}

int
fw_make_again(const struct image *image, const struct fw_facts *facts, uint8_t **ret_bytes,
	      size_t *ret_size)
{
	struct fw_make_target targets[IMAGE_TARGETS_MAX];
	struct segment segments[IMAGE_SEGMENTS_MAX];
	struct fw_make_file file = { .vid = facts->vid,
				     .pid = facts->pid,
				     .device = facts->device,
				     .bcd_dfu = facts->bcd_dfu,
				     .targets = targets,
				     .size_counts_suffix = facts->size_counts_suffix,
				     .target_count = facts->target_count };

	if (facts->format != FW_DFUSE || facts->altered ||
	    facts->element_count > IMAGE_SEGMENTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < facts->element_count; i++) {
		const struct segment *s = find_segment(image, &facts->elements[i]);

		if (s == NULL)
			return -EINVAL;
		segments[i] = *s;
	}
	for (size_t i = 0; i < facts->target_count; i++) {
		const struct fw_target *t = &facts->targets[i];

		targets[i] = (struct fw_make_target){ .alt = t->alt,
						      .raw_name = t->raw_name,
						      .raw_named = t->raw_named,
						      .elements = segments + t->element_first,
						      .element_count = t->element_count };
	}
	return fw_make(&file, ret_bytes, ret_size);
}

uint32_t
fw_used_bytes(const uint8_t *data, uint32_t size)
{
	uint32_t used = size;

	while (used > 0 && data[used - 1] == 0xFF)
		used--;
	used = (used + 3) / 4 * 4;
	return used < size ? used : size;
}
