/* SPDX-License-Identifier: MIT */
/* A plain binary, with an address from elsewhere; and what is not one although nothing else either.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include <string.h>

#define TAR_MAGIC_AT 257 /* POSIX ustar */

/* Files that people hand over by mistake, by their first bytes. */
static const struct {
	const char *magic;
	size_t magic_bytes;
	const char *words;
} foreign[] = {
	{ "\x1F\x8B", 2, "a gzip file: unpack it first" },
	{ "\xFD"
	  "7zXZ",
	  5, "an xz file: unpack it first" },
	{ "BZh", 3, "a bzip2 file: unpack it first" },
	{ "7z\xBC\xAF", 4, "a 7z archive: unpack it first" },
	{ "\x28\xB5\x2F\xFD", 4, "a Zstandard file: unpack it first" },
	{ "Rar!", 4, "a RAR archive: unpack it first" },
	{ "UF2\n", 4, "a UF2 file, which is for another kind of boot loader" },
	{ "%PDF", 4, "a PDF document" },
	{ "\x89PNG", 4, "a PNG picture" },
	{ "\xFF\xD8\xFF", 3, "a JPEG picture" },
	{ "GIF8", 4, "a GIF picture" },
	{ "MZ", 2, "a Windows program" },
	{ "!<arch>", 7, "an object archive (or Debian package)" },
	{ "SQLite format 3", 15, "an SQLite database" },
	{ "<!DOCTYPE", 9, "a web page: the download went wrong" },
	{ "<!doctype", 9, "a web page: the download went wrong" },
	{ "<html", 5, "a web page: the download went wrong" },
};

int
fw_load_raw(struct fw_loading *l)
{
	struct fw_element e = { .addr = l->addr, .size = (uint32_t)l->size };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (l->size >= foreign[i].magic_bytes &&
		    memcmp(l->data, foreign[i].magic, foreign[i].magic_bytes) == 0)
			return fw_refuse(l, 0, "not firmware: this is %s", foreign[i].words);
	if (l->size > TAR_MAGIC_AT + 5 && memcmp(l->data + TAR_MAGIC_AT, "ustar", 5) == 0)
		return fw_refuse(l, TAR_MAGIC_AT, "not firmware: this is a tar archive: unpack it");
	r = fw_refuse_text(l, l->data, l->size);
	if (r < 0)
		return r;
	if (l->size > IMAGE_BYTES_MAX)
		return fw_refuse(l, 0, "%zu bytes, the limit is %u", l->size, IMAGE_BYTES_MAX);
	return fw_add_element(l, &e, l->data);
}
