/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfu_backup.h"

#include <stdlib.h>

enum { BYTES_MAX = 0x1000000 }; /* LIMIT: the largest memory that is described */

enum fault
dfu_backup_prepare(struct dfu_backup *b, const struct layout *map)
{
	struct sector s;
	bool more = layout_sector_at(map, map->runs[0].addr, &s); /* a map has a run at least */

	if (b->data != NULL)
		return FAULT_NONE;
	b->addr = map->runs[0].addr;
	b->bytes = 0;
	while (more && s.addr == b->addr + b->bytes && (s.access & LAYOUT_READABLE) != 0 &&
	       s.size <= BYTES_MAX - b->bytes) {
		b->bytes += s.size;
		more = layout_next_sector(map, &s, &s);
	}
	if (b->bytes == 0)
		return FAULT_IMAGE;
	b->data = malloc(b->bytes);
	return b->data != NULL ? FAULT_NONE : FAULT_NO_MEMORY;
}

void
dfu_backup_free(struct dfu_backup *b)
{
	free(b->data);
	b->data = NULL;
}

struct dfuse_operation
dfu_backup_next(const struct dfu_backup *b, uint32_t block_bytes)
{
	uint32_t left = b->bytes - b->at;

	return (struct dfuse_operation){ .op = DFUSE_OP_READ,
					 .addr = b->addr + b->at,
					 .length = left < block_bytes ? left : block_bytes };
}

bool
dfu_backup_took(struct dfu_backup *b, const uint8_t *data, uint32_t length)
{
	memcpy(b->data + b->at, data, length);
	b->at += length;
	return b->at == b->bytes;
}

struct request
dfu_backup_request(const struct dfu_backup *b, uint32_t app_addr)
{
	return (struct request){ .kind = REQUEST_BACKUP,
				 .data = b->data,
				 .length = b->bytes,
				 .addr = b->addr,
				 .app_addr = app_addr - b->addr < b->bytes ? app_addr : b->addr };
}
