/* SPDX-License-Identifier: MIT */
/*
 * The parts of releases that DFU mode does not carry (core/image.h): rows of the store, and files
 * beside those of the images, which several rows may share.
 */
#ifndef APP_PARTS_H
#define APP_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/util.h"

struct folder;
struct image;
struct services;
struct store_part;
struct store_time;

/*
 * Gives an image, which nothing else has yet, the parts that are kept by its name: with their bytes
 * where decks are written from them.  A part whose file cannot be read is known of only.  0, or
 * negative errno of the store; -ENOMEM.
 */
int parts_load(const struct services *sv, struct folder *folder, struct image *image) MUST_CHECK;

/*
 * Queues the row of a judged part with these bytes (size_bytes of them; file and its digest are
 * found here), after its file is there.  1: it is there already.  Else as store_part_put(), or an
 * error of the disk.
 */
int parts_keep(const struct services *sv, struct folder *folder, const struct store_part *part,
	       const uint8_t *data, const struct store_time *now) MUST_CHECK;

/* Has a part this file?  True also when that cannot be said. */
bool parts_use(const struct services *sv, const char *file);

#endif
