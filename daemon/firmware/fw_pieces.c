/* SPDX-License-Identifier: MIT */
/* Gathers the bytes of text records in any order, joins what is adjacent, finds what overlaps. */
#include "config.h"

#include "firmware/fw_loading.h"

#include <inttypes.h>
#include <stdlib.h>

#include "firmware/places.h"

#define STRAY_BYTES_MAX 64   /* LIMIT: more is a piece of its own right */
#define STRAY_GAP_BYTES 512U /* more than the gap behind the vectors, 56 bytes */

size_t
fw_hex_decode(const uint8_t *p, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < 2 * n; i++) {
		uint8_t digit = (uint8_t)(p[i] - '0'), letter = (uint8_t)((p[i] | 0x20) - 'a');
		uint8_t v = digit <= 9 ? digit : letter + 10;

		if (digit > 9 && letter > 5)
			return i;
		out[i / 2] = i % 2 == 0 ? (uint8_t)(v << 4) : (uint8_t)(out[i / 2] | v);
	}
	return 2 * n;
}

int
fw_pieces_init(struct fw_pieces *p, struct fw_loading *l)
{
	memset(p, 0, sizeof(*p));
	/* Two digits a byte: no text can hold more. */
	p->room = l->size / 2 < IMAGE_BYTES_MAX ? l->size / 2 + 1 : IMAGE_BYTES_MAX;
	p->bytes = malloc(p->room);
	return p->bytes != NULL ? 0 : fw_no_memory(l);
}

static int
grow_list(struct fw_pieces *p, struct fw_loading *l, size_t offset)
{
	size_t room = p->list_room > 0 ? 2 * p->list_room : 64;
	struct fw_piece *list;

	if (p->list_room == FW_PIECES_MAX)
		return fw_refuse(l, offset, "more than %u separate pieces", FW_PIECES_MAX);
	list = realloc(p->list, room * sizeof(*list));
	if (list == NULL)
		return fw_no_memory(l);
	p->list = list;
	p->list_room = room;
	return 0;
}

int
fw_pieces_add(struct fw_pieces *p, struct fw_loading *l, const struct fw_piece *piece,
	      const uint8_t *data)
{
	struct fw_piece *last = p->count > 0 ? &p->list[p->count - 1] : NULL;
	int r;

	if (piece->size == 0)
		return 0;
	if (piece->size - 1 > UINT32_MAX - piece->addr)
		return fw_refuse(l, piece->offset,
				 "record at offset %zu: %" PRIu32 " bytes at 0x%08" PRIX32
				 " reach beyond the end of the address space",
				 piece->offset, piece->size, piece->addr);
	if (piece->size > p->room - p->used)
		return fw_refuse(l, piece->offset, "more than %zu bytes of data", p->room);
	memcpy(p->bytes + p->used, data, piece->size);
	if (last != NULL && last->addr + last->size == piece->addr && piece->addr != 0) {
		last->size += piece->size;
	} else {
		r = p->count == p->list_room ? grow_list(p, l, piece->offset) : 0;
		if (r < 0)
			return r;
		p->list[p->count] = *piece;
		p->list[p->count++].at = p->used;
	}
	p->used += piece->size;
	return 0;
}

static int
by_address(const void *a, const void *b)
{
	const struct fw_piece *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorted pieces whose bytes are not: a copy that is. */
static int
order_bytes(struct fw_pieces *p, struct fw_loading *l)
{
	uint8_t *ordered = malloc(p->used);
	size_t at = 0;

	if (ordered == NULL)
		return fw_no_memory(l);
	for (size_t i = 0; i < p->count; i++) {
		memcpy(ordered + at, p->bytes + p->list[i].at, p->list[i].size);
		p->list[i].at = at;
		at += p->list[i].size;
	}
	free(p->bytes);
	p->bytes = ordered;
	return 0;
}

/* Neighbours of sorted, ordered pieces become one. */
static int
join(struct fw_pieces *p, struct fw_loading *l)
{
	size_t n = 0;

	for (size_t i = 1; i < p->count; i++) {
		struct fw_piece *last = &p->list[n], *next = &p->list[i];

		if (next->addr - last->addr < last->size)
			return fw_refuse(l, next->offset,
					 "record at offset %zu: address 0x%08" PRIX32
					 " was given before, in the data from offset %zu",
					 next->offset, next->addr, last->offset);
		if (next->addr - last->addr == last->size) {
			last->size += next->size;
			last->offset = next->offset < last->offset ? next->offset : last->offset;
		} else {
			p->list[++n] = *next;
		}
	}
	p->count = p->count > 0 ? n + 1 : 0;
	return 0;
}

/*
 * Notes a small piece, the last of its memory, that lies far behind the code.  QUIRK: older
 * Crazyflie builds give the zeros of section .nzds a flash address behind the image; they are
 * harmless there, and written, for what a file says about flash memory is what the flash memory is
 * to hold.
 */
static void
note_stray(struct fw_loading *l, const struct fw_pieces *p, size_t i)
{
	const struct fw_piece *before = &p->list[i - 1], *piece = &p->list[i];
	bool last = i + 1 == p->count || place_words(piece[1].addr) != place_words(piece->addr);
	uint32_t gap = piece->addr - before->addr - before->size;

	if (last && piece->size <= STRAY_BYTES_MAX && gap >= STRAY_GAP_BYTES &&
	    place_words(piece->addr) == place_words(before->addr))
		fw_warn(l->facts,
			"%" PRIu32 " bytes at 0x%08" PRIX32 " lie apart, %" PRIu32
			" bytes behind the rest: written too",
			piece->size, piece->addr, gap);
}

int
fw_pieces_finish(struct fw_pieces *p, struct fw_loading *l)
{
	bool ordered = true;
	int r = 0;

	if (p->count == 0)
		return fw_refuse(l, l->size, "the file carries no data");
	for (size_t i = 1; i < p->count; i++)
		ordered &= p->list[i].addr > p->list[i - 1].addr;
	if (!ordered) {
		qsort(p->list, p->count, sizeof(p->list[0]), by_address);
		r = order_bytes(p, l);
	}
	if (r == 0)
		r = join(p, l);
	for (size_t i = 0; i < p->count && r == 0; i++) {
		const struct fw_piece *piece = &p->list[i];
		struct fw_element e = { .addr = piece->addr,
					.size = piece->size,
					.offset = piece->offset };

		if (i > 0)
			note_stray(l, p, i);
		r = fw_add_element(l, &e, p->bytes + piece->at);
	}
	if (r == 0) {
		l->bytes = p->bytes;
		p->bytes = NULL; /* l's now */
	}
	return r;
}

void
fw_pieces_done(struct fw_pieces *p)
{
	free(p->bytes);
	free(p->list);
}
