/* SPDX-License-Identifier: MIT */
/*
 * A copy of a device's first memory: as far as it is readable in one piece from its beginning, for
 * past its end a ROM may hang.
 */
#ifndef CORE_DFU_BACKUP_H
#define CORE_DFU_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/dfu_probe.h"
#include "core/dfuse.h"
#include "core/request.h"

/* Embedded in its owner; may be read.  All zero: no copy is wanted. */
struct dfu_backup {
	uint8_t *data; /* NULL: none is wanted */
	uint32_t addr, bytes;
	uint32_t at; /* bytes that are read */
	bool saved;
};

/* Room for it; FAULT_IMAGE: nothing is readable; FAULT_NO_MEMORY.  Once is enough. */
enum fault dfu_backup_prepare(struct dfu_backup *b, const struct layout *map) MUST_CHECK;
void dfu_backup_free(struct dfu_backup *b);

/* The next read, of at most block_bytes. */
struct dfuse_operation dfu_backup_next(const struct dfu_backup *b, uint32_t block_bytes);
/* That read's data; true: the copy is whole. */
bool dfu_backup_took(struct dfu_backup *b, const uint8_t *data, uint32_t length);

/* To keep the bytes; app_addr: where the application begins, if that lies in them. */
struct request dfu_backup_request(const struct dfu_backup *b, uint32_t app_addr);

#endif
