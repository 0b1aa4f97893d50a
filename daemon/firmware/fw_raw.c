/* SPDX-License-Identifier: MIT */
/*
 * A plain binary at an address from elsewhere, with or without the suffix of DFU 1.x (DFU 1.1
 * appendix B); and what is not one although nothing else either.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include "cfdfu/dfu.h"

#define TAR_MAGIC_AT 257 /* POSIX ustar */

/* Files that people hand over by mistake, by their first bytes. */
static const struct {
	const char *magic, *words;
} foreign[] = {
	{ "\x1F\x8B", "a gzip file: unpack it first" },
	{ "\xFD\x37zXZ", "an xz file: unpack it first" },
	{ "BZh", "a bzip2 file: unpack it first" },
	{ "7z\xBC\xAF", "a 7z archive: unpack it first" },
	{ "\x28\xB5\x2F\xFD", "a Zstandard file: unpack it first" },
	{ "Rar!", "a RAR archive: unpack it first" },
	{ "UF2\n", "a UF2 file, which is for another kind of boot loader" },
	{ "%PDF", "a PDF document" },
	{ "\x89PNG", "a PNG picture" },
	{ "\xFF\xD8\xFF", "a JPEG picture" },
	{ "GIF8", "a GIF picture" },
	{ "MZ", "a Windows program" },
	{ "!<arch>", "an object archive (or Debian package)" },
	{ "SQLite format 3", "an SQLite database" },
	{ "<!DOCTYPE", "a web page: the download went wrong" },
	{ "<!doctype", "a web page: the download went wrong" },
	{ "<html", "a web page: the download went wrong" },
};

/* The first bytes of the data, text refused. */
static int
load_binary(struct fw_loading *l, size_t bytes)
{
	struct fw_element e = { .addr = l->addr, .size = (uint32_t)bytes };
	int r = fw_refuse_text(l, l->data, bytes);

	if (r < 0)
		return r;
	if (bytes > IMAGE_BYTES_MAX)
		return fw_refuse(l, 0, "%zu bytes, the limit is %u", bytes, IMAGE_BYTES_MAX);
	return fw_add_element(l, &e, l->data);
}

int
fw_load_raw(struct fw_loading *l)
{
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (fw_begins(l->data, l->size, foreign[i].magic))
			return fw_refuse(l, 0, "not firmware: this is %s", foreign[i].words);
	if (l->size > TAR_MAGIC_AT + 5 && memcmp(l->data + TAR_MAGIC_AT, "ustar", 5) == 0)
		return fw_refuse(l, TAR_MAGIC_AT, "not firmware: this is a tar archive: unpack it");
	return load_binary(l, l->size);
}

int
fw_load_dfu(struct fw_loading *l)
{
	size_t bytes;
	int r;

	fw_drop_second_suffix(l);
	r = fw_read_suffix(l);
	if (r < 0)
		return r;
	if (r == 0)
		return fw_refuse(l, 0, "no DFU suffix at the end of the file");
	if (l->facts->bcd_dfu != 0x0100 && l->facts->bcd_dfu != 0x0110)
		return fw_refuse(l, l->size - DFU_SUFFIX_BYTES + 6,
				 "DFU suffix: bcdDFU is 0x%04X, expected 0x0100 or 0x0110%s",
				 l->facts->bcd_dfu,
				 l->facts->bcd_dfu == DFU_BCD_DFUSE
				     ? " (0x011A is DfuSe, but the file does not begin so)"
				     : "");
	bytes = l->size - l->facts->suffix_bytes;
	if (bytes == 0)
		return fw_refuse(l, 0, "a DFU suffix and nothing before it");
	return load_binary(l, bytes);
}
