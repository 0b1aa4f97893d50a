/* SPDX-License-Identifier: MIT */
/* Which format a file has, by content; the names of formats. */
#include "config.h"

#include "firmware/fw.h"

#include <string.h>

#include "cfdfu/dfu.h"
#include "firmware/fw_loading.h"

static bool
begins(const uint8_t *data, size_t size, const char *magic, size_t length)
{
	return size >= length && memcmp(data, magic, length) == 0;
}

static bool
is_dfuse(const uint8_t *data, size_t size)
{
	return begins(data, size, "DfuSe", 5);
}

/* An empty or spanned archive too: the loader says what is wrong with it. */
static bool
is_zip(const uint8_t *data, size_t size)
{
	return begins(data, size, "PK\x03\x04", 4) || begins(data, size, "PK\x05\x06", 4) ||
	       begins(data, size, "PK\x07\x08", 4);
}

static bool
is_elf(const uint8_t *data, size_t size)
{
	return begins(data, size,
		      "\x7F"
		      "ELF",
		      4);
}

static bool
is_ihex(const uint8_t *data, size_t size)
{
	size_t at;

	return fw_find_record(data, size, ':', &at);
}

static bool
is_srec(const uint8_t *data, size_t size)
{
	size_t at;

	return fw_find_record(data, size, 'S', &at);
}

static bool
is_dfu(const uint8_t *data, size_t size)
{
	return size >= DFU_SUFFIX_BYTES && memcmp(data + size - 8, "UFD", 3) == 0;
}

static bool
is_anything(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return true;
}

/* In the order in which they are tried; the suffix last but one, since every DfuSe file has it too.
 */
static const struct {
	enum fw_format format;
	const char *name, *words;
	bool (*is)(const uint8_t *data, size_t size);
} formats[] = {
	{ FW_DFUSE, "dfuse", "DfuSe file", is_dfuse },
	{ FW_RELEASE, "zip", "release zip", is_zip },
	{ FW_ELF, "elf", "ELF file", is_elf },
	{ FW_IHEX, "ihex", "Intel HEX file", is_ihex },
	{ FW_SREC, "srec", "S-record file", is_srec },
	{ FW_DFU, "dfu", "binary with a DFU suffix", is_dfu },
	{ FW_RAW, "raw", "plain binary", is_anything },
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
	size_t i = 0;

	while (!formats[i].is(data, size)) /* ends: the last takes anything */
		i++;
	return formats[i].format;
}
