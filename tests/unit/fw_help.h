/* SPDX-License-Identifier: MIT */
/* Shared by the tests of daemon/firmware: a file in memory, loaded and judged. */
#ifndef UNIT_FW_HELP_H
#define UNIT_FW_HELP_H

#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/image.h"
#include "firmware/digest.h"
#include "firmware/fw.h"
#include "firmware/judge.h"
#include "fixtures/mkimage.h"

struct loaded {
	uint8_t *bytes;
	size_t size;
	struct image *image;
	struct fw_facts *facts;
	struct fw_error error;
	int result;
};

static inline struct loaded
load_bytes(uint8_t *take_bytes, size_t size)
{
	struct loaded l = { .bytes = take_bytes, .size = size };
	struct fw_input in = {
		.data = take_bytes, .size = size, .addr = FW_ADDR_DEFAULT, .name = "test"
	};

	l.result = fw_load(&in, &l.image, &l.facts, &l.error);
	return l;
}

/* For files that are written out in a test. */
static inline struct loaded
load_text(const char *text)
{
	uint8_t *bytes = malloc(strlen(text) + 1);

	assert_non_null(bytes);
	memcpy(bytes, text, strlen(text) + 1);
	return load_bytes(bytes, strlen(text));
}

static inline struct loaded
load_made(const struct mkimage_spec *spec, enum mkimage_format format)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	assert_int_equal(mkimage_make(spec, format, &bytes, &size), 0);
	return load_bytes(bytes, size);
}

static inline void
unload(struct loaded *l)
{
	image_unref(l->image);
	fw_facts_free(l->facts);
	free(l->bytes);
	memset(l, 0, sizeof(*l));
}

/* Judged without an override by the user. */
static inline struct judgement *
judged(const struct image *image, const struct judge_options *options)
{
	static struct judgement j;

	assert_int_equal(judge_image(image, options, &j), 0);
	return &j;
}

static inline bool
found(const struct judgement *j, enum judge_code code)
{
	for (size_t i = 0; i < j->finding_count; i++)
		if (j->findings[i].code == code)
			return true;
	return false;
}

/* An image of these bytes at that place; both are the caller's. */
static inline struct image *
image_at(uint8_t alt, uint32_t addr, const uint8_t *bytes, size_t size)
{
	struct segment s = { .alt = alt, .addr = addr, .size = (uint32_t)size, .data = bytes };
	struct image_label label = { 0 };
	struct image *image = NULL;

	assert_int_equal(image_new(&s, 1, &label, &image), 0);
	return image;
}

#endif
