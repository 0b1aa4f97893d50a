/* SPDX-License-Identifier: MIT */
/* Finds out by content what a file is, and calls the loader for it. */
#include "config.h"

#include "firmware/fw.h"

#include <string.h>

#include "cfdfu/dfu.h"
#include "firmware/fw_parts.h"

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

static int
refuse_elf(struct fw_loading *l)
{
	return fw_refuse(l, 0,
			 "this is an ELF file, for debuggers: take the .bin, .hex or .dfu "
			 "that was made from it");
}

/* In the order in which they are tried; the suffix last but one, since every DfuSe file has it too.
 */
static const struct {
	enum fw_format format;
	const char *name, *words;
	bool (*is)(const uint8_t *data, size_t size);
	fw_loader *load;
} formats[] = {
	{ FW_DFUSE, "dfuse", "DfuSe file", is_dfuse, fw_load_dfuse },
	{ FW_RELEASE, "zip", "release zip", is_zip, fw_load_release },
	{ FW_ELF, "elf", "ELF file", is_elf, refuse_elf },
	{ FW_IHEX, "ihex", "Intel HEX file", is_ihex, fw_load_ihex },
	{ FW_SREC, "srec", "S-record file", is_srec, fw_load_srec },
	{ FW_DFU, "dfu", "binary with a DFU suffix", is_dfu, fw_load_dfu },
	{ FW_RAW, "raw", "plain binary", is_anything, fw_load_raw },
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

static size_t
find_format(const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (!formats[i].is(data, size)) /* ends: the last takes anything */
		i++;
	return i;
}

enum fw_format
fw_sniff(const uint8_t *data, size_t size)
{
	return formats[find_format(data, size)].format;
}

static int
load_anything(struct fw_loading *l)
{
	size_t i = find_format(l->data, l->size);
	int r;

	l->facts->format = formats[i].format;
	if (l->size > FW_FILE_BYTES_MAX)
		return fw_refuse(l, 0, "%zu bytes, the limit for a file is %u", l->size,
				 FW_FILE_BYTES_MAX);
	r = formats[i].load(l);
	if (r == 0)
		r = fw_leave_out_ram(l);
	return r == 0 && l->in->application_only ? fw_take_application(l) : r;
}

int
fw_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
	struct fw_error *ret_error)
{
	return fw_load_with(load_anything, in, ret_image, ret_facts, ret_error);
}
