/* SPDX-License-Identifier: MIT */
/*
 * Targets and elements -> the bytes of a DfuSe file (UM0391; doc/protocol.md 7).
 * Reproducible: same input, same bytes, as ST's DFU File Manager makes them.
 */
#ifndef FIRMWARE_FW_MAKE_H
#define FIRMWARE_FW_MAKE_H

#include <stdbool.h>

#include "cfdfu/util.h"

struct fw_facts;
struct image;
struct segment;

#define FW_MAKE_VID 0x0483
#define FW_MAKE_PID 0xDF11
#define FW_MAKE_DEVICE 0x0000 /* what dfuse-pack writes by default */

struct fw_make_target {
	uint8_t alt;
	const char *name;	 /* at most 254 bytes are used; NULL: not named */
	const uint8_t *raw_name; /* 255 bytes written as they are, instead of name; or NULL */
	uint32_t raw_named;	 /* bTargetNamed beside raw_name */
	const struct segment *elements; /* written in this order; their alt is ignored */
	size_t element_count;
};

struct fw_make_file {
	uint16_t vid, pid, device;
	uint16_t bcd_dfu;		      /* 0: 0x011A */
	bool size_counts_suffix;	      /* false: as UM0391 has it */
	const struct fw_make_target *targets; /* several of one alternate are allowed */
	size_t target_count;
};

/*
 * Called with each piece of the file in order; a negative return stops and is returned.
 */
typedef int fw_make_sink(void *ctx, const uint8_t *data, size_t size);

/* The file in one heap buffer (free()).  -EINVAL: no target, no element, an element of 0 bytes;
 * -E2BIG: a limit of image.h; -ENOMEM. */
int fw_make(const struct fw_make_file *file, uint8_t **ret_bytes, size_t *ret_size) MUST_CHECK;

/* An image as a file with the default ids, a target per alternate, not named.  free() the bytes. */
int fw_make_from_image(const struct image *image, uint8_t **ret_bytes, size_t *ret_size) MUST_CHECK;
int fw_make_stream_segments(const struct segment *segments, size_t count, fw_make_sink *sink,
			    void *ctx) MUST_CHECK; /* sorted, as image_segment() gives them */

/* The file that image and facts came from, again (facts.format is FW_DFUSE): unchanged bytes. */
int fw_make_again(const struct image *image, const struct fw_facts *facts, uint8_t **ret_bytes,
		  size_t *ret_size) MUST_CHECK;

/*
 * Bytes up to the last one that is not blank, rounded up to a word, as images are: what was flashed
 * from an image and read back becomes that image.
 */
uint32_t fw_used_bytes(const uint8_t *data, uint32_t size);

#endif
