/* SPDX-License-Identifier: MIT */
/*
 * The DFU suffix (DFU 1.1 appendix B): 16 bytes at the end, or more where a tool has put data of
 * its own before them (bLength counts all; fwupd's metadata extension does so).
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include <inttypes.h>
#include <zlib.h>

#include "cfdfu/dfu.h"

#define ID_ANY 0xFFFF

/* The last four bytes, and what they should be: no final inversion, over all before them. */
static bool
has_right_crc(const uint8_t *data, size_t size, uint32_t *ret_found, uint32_t *ret_crc)
{
	*ret_crc = ~(uint32_t)crc32_z(crc32_z(0, NULL, 0), data, size - 4);
	*ret_found = get_le32(data + size - 4);
	return *ret_found == *ret_crc;
}

bool
fw_has_suffix(const uint8_t *data, size_t size)
{
	return size >= DFU_SUFFIX_BYTES && memcmp(data + size - 8, "UFD", 3) == 0;
}

/* The bLength of a suffix of which everything is right; 0: there is none. */
static size_t
whole_suffix(const uint8_t *data, size_t size)
{
	uint32_t found, crc;
	size_t bytes = fw_has_suffix(data, size) ? data[size - 5] : 0;

	if (bytes < DFU_SUFFIX_BYTES || bytes > size || !has_right_crc(data, size, &found, &crc))
		return 0;
	return bytes;
}

void
fw_drop_second_suffix(struct fw_loading *l)
{
	size_t outer = whole_suffix(l->data, l->size);

	if (outer == 0 || whole_suffix(l->data, l->size - outer) == 0)
		return;
	l->size -= outer;
	l->facts->altered = true;
	fw_warn(l->facts, "two DFU suffixes: the second, put behind the first, is left out");
}

static int
check_ids(struct fw_loading *l, size_t at)
{
	const struct fw_facts *f = l->facts;
	bool st = l->in->vid == 0 && l->in->pid == 0;
	unsigned vid = st ? ST_VID : l->in->vid, pid = st ? ST_DFU_PID : l->in->pid;

	if ((f->vid == ID_ANY || f->vid == vid) && (f->pid == ID_ANY || f->pid == pid))
		return 0;
	if (l->in->any_ids) {
		fw_warn(l->facts, "made for USB device %04x:%04x, not %04x:%04x", f->vid, f->pid,
			vid, pid);
		return 0;
	}
	return fw_refuse(l, at + 2,
			 "DFU suffix at offset %zu: made for USB device %04x:%04x, expected "
			 "%04x:%04x",
			 at, f->vid, f->pid, vid, pid);
}

int
fw_read_suffix(struct fw_loading *l)
{
	struct fw_facts *f = l->facts;
	uint32_t crc, found;
	const uint8_t *p;
	size_t at;
	int r;

	if (!fw_has_suffix(l->data, l->size))
		return 0;
	at = l->size - DFU_SUFFIX_BYTES;
	p = l->data + at;
	f->suffix = true;
	f->device = get_le16(p);
	f->pid = get_le16(p + 2);
	f->vid = get_le16(p + 4);
	f->bcd_dfu = get_le16(p + 6);
	f->suffix_bytes = p[11];
	if (p[11] < DFU_SUFFIX_BYTES || p[11] > l->size)
		return fw_refuse(l, at + 11,
				 "DFU suffix at offset %zu: bLength is %u, expected %d to %zu", at,
				 p[11], DFU_SUFFIX_BYTES, l->size < 255 ? l->size : 255);
	if (!has_right_crc(l->data, l->size, &found, &crc))
		return fw_refuse(l, at + 12,
				 "DFU suffix at offset %zu: CRC is 0x%08" PRIX32
				 ", computed 0x%08" PRIX32 " (the file is damaged)",
				 at, found, crc);
	r = check_ids(l, at);
	if (r == 0 && f->suffix_bytes > DFU_SUFFIX_BYTES) {
		f->altered = true;
		fw_warn(f, "%d bytes that a tool has put into the DFU suffix are left out",
			f->suffix_bytes - DFU_SUFFIX_BYTES);
	}
	return r < 0 ? r : 1;
}

int
fw_check_ends(struct fw_loading *l)
{
	for (size_t i = 0; i < l->segment_count; i++) {
		const struct segment *s = &l->segments[i];

		if (fw_has_suffix(s->data, s->size) && s->data[s->size - 5] >= DFU_SUFFIX_BYTES)
			return fw_refuse(l,
					 l->facts->elements[i].offset + s->size - DFU_SUFFIX_BYTES,
					 "the %" PRIu32 " bytes at 0x%08" PRIX32
					 " end in a DFU suffix, which belongs to a file and not "
					 "into a memory: make the file again from the binary",
					 s->size, s->addr);
	}
	return 0;
}
