/* SPDX-License-Identifier: MIT */
/* Which format a file has, by content; the names of formats. */
#include "config.h"

#include "firmware/fw.h"

#include "firmware/fw_loading.h"

/*
 * In the order in which they are tried, by their first bytes or the mark of their records; the
 * suffix last but one, since every DfuSe file has it too.  An empty or spanned zip archive counts:
 * its loader says what is wrong with it.
 */
static const struct {
	enum fw_format format;
	const char *name, *words;
	const char *magic; /* NULL: anything */
	char mark;	   /* 0: no records */
} formats[] = {
	{ FW_DFUSE, "dfuse", "DfuSe file", "DfuSe", 0 },
	{ FW_RELEASE, "zip", "release zip", "PK\x03\x04", 0 },
	{ FW_RELEASE, "zip", "release zip", "PK\x05\x06", 0 },
	{ FW_RELEASE, "zip", "release zip", "PK\x07\x08", 0 },
	{ FW_ELF, "elf", "ELF file", "\x7F\x45LF", 0 },
	{ FW_IHEX, "ihex", "Intel HEX file", NULL, ':' },
	{ FW_SREC, "srec", "S-record file", NULL, 'S' },
	{ FW_DFU, "dfu", "binary with a DFU suffix", NULL, 0 },
	{ FW_RAW, "raw", "plain binary", NULL, 0 },
};

const char *
fw_format_name(enum fw_format f)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (formats[i].format == f)
			return formats[i].name;
	return "unknown";
}

const char *
fw_format_words(enum fw_format f)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (formats[i].format == f)
			return formats[i].words;
	return "unknown file";
}

enum fw_format
fw_sniff(const uint8_t *data, size_t size)
{
	size_t at;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const char *magic = formats[i].magic;

		if (magic != NULL && !fw_begins(data, size, magic))
			continue;
		if (formats[i].mark != 0 && !fw_find_record(data, size, formats[i].mark, &at))
			continue;
		if (formats[i].format != FW_DFU || fw_has_suffix(data, size))
			return formats[i].format;
	}
	return FW_RAW;
}
