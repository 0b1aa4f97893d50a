/* SPDX-License-Identifier: MIT */
/* Unit tests of core/descr: descriptors of a DFU device, good, cut, hostile; string descriptors. */
#include "config.h"

#include "core/descr.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/dfu.h"
#include "cfdfu/usb_port.h"

enum { DEVICE = 18, CONFIGURATION = 9, INTERFACE = 9, FUNCTIONAL = 9 };

/* The descriptors of an F405's ROM, with alts alternates. */
static size_t
make(uint8_t *b, unsigned alts)
{
	uint8_t *p = b;
	uint16_t total = (uint16_t)(CONFIGURATION + alts * INTERFACE + FUNCTIONAL);

	memset(b, 0, 4096);
	p[0] = DEVICE;
	p[1] = 1;
	put_le16(p + 8, ST_VID);
	put_le16(p + 10, ST_DFU_PID);
	put_le16(p + 12, 0x2200);
	p += DEVICE;
	p[0] = CONFIGURATION;
	p[1] = 2;
	put_le16(p + 2, total);
	p += CONFIGURATION;
	for (unsigned i = 0; i < alts; i++, p += INTERFACE) {
		const uint8_t interface[INTERFACE] = { INTERFACE, 4, 0, (uint8_t)i,	 0,
						       0xFE,	  1, 2, (uint8_t)(4 + i) };

		memcpy(p, interface, INTERFACE);
	}
	p[0] = FUNCTIONAL;
	p[1] = DFU_FUNCTIONAL_DESCRIPTOR;
	p[2] = 0x0B;
	put_le16(p + 5, 2048);
	put_le16(p + 7, DFU_BCD_DFUSE);
	return DEVICE + total;
}

/* Parses a copy that ends where it ends, so that sanitizers see every byte too far. */
static int
parse(const uint8_t *b, size_t length, struct descr_dfu *d, const char **why)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, b, length);
	r = descr_parse_dfu(copy, length, d, why);
	free(copy);
	return r;
}

static void
assert_refused(const uint8_t *b, size_t length, const char *part)
{
	struct descr_dfu d = { .vid = 0x5A5A };
	const char *why = NULL;

	assert_int_equal(parse(b, length, &d, &why), -EINVAL);
	assert_int_equal(d.vid, 0x5A5A); /* written only on success */
	assert_non_null(why);
	if (strstr(why, part) == NULL)
		fail_msg("\"%s\" does not speak of \"%s\"", why, part);
}

TEST(the_roms_descriptors_are_read)
{
	struct descr_dfu d;
	const char *why;
	uint8_t b[4096];
	size_t n = make(b, 4);

	assert_int_equal(parse(b, n, &d, &why), 0);
	assert_int_equal(d.vid, ST_VID);
	assert_int_equal(d.pid, ST_DFU_PID);
	assert_int_equal(d.bcd_device, 0x2200);
	assert_int_equal(d.transfer_bytes, 2048);
	assert_int_equal(d.bcd_dfu, DFU_BCD_DFUSE);
	assert_int_equal(d.attributes, 0x0B);
	assert_int_equal(d.alt_count, 4);
	assert_int_equal(d.alt_string[3], 7);
	assert_int_equal(parse(b, n + 40, &d, &why), 0); /* what follows is not looked at */
}

TEST(each_field_that_is_wrong_is_named)
{
	enum { CONF = DEVICE, IF0 = DEVICE + CONFIGURATION, FUNC = IF0 + 4 * INTERFACE };
	static const struct {
		size_t at;
		uint8_t value;
		const char *part;
	} wrong[] = {
		{ 0, 17, "missing" },
		{ 1, 2, "missing" },
		{ CONF + 1, 4, "missing" },
		{ CONF + 2, 8, "wTotalLength" },
		{ CONF + 2, 55, "wTotalLength" },
		{ CONF + 2, 53, "past the end" },
		{ CONF, 0, "past the end" },
		{ CONF, 1, "past the end" },
		{ FUNC, 10, "past the end" },
		{ IF0, 8, "interface descriptor is too short" },
		{ IF0 + 2, 1, "more interfaces" },
		{ IF0 + 5, 0x03, "not one of a device in DFU mode" },
		{ IF0 + 6, 0x02, "not one of a device in DFU mode" },
		{ IF0 + 7, 0x01, "not one of a device in DFU mode" },
		{ IF0 + 3, 1, "not numbered in order" },
		{ FUNC, 8, "functional descriptor is too short" },
		{ FUNC + 6, 0, "wTransferSize" }, /* 0x0000 */
		{ FUNC + 5, 1, "wTransferSize" }, /* odd */
		{ FUNC + 7, 0, "DfuSe" },
		{ FUNC + 1, 0, "DfuSe" },
	};
	uint8_t b[4096];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		size_t n = make(b, 4);

		b[wrong[i].at] = wrong[i].value;
		assert_refused(b, n, wrong[i].part);
	}
	assert_refused(b, DEVICE + CONFIGURATION - 1, "missing");
	assert_refused(b, 0, "missing");
	assert_refused(b, make(b, 0), "no DFU interface");
}

TEST(limits_are_held_on_both_sides)
{
	static const struct {
		uint16_t said;
		bool taken;
	} sizes[] = { { 64, true },	{ 62, false },	   { 2047, false },
		      { 4096, true },	{ 4098, false },   { 8192, false },
		      { 16384, false }, { 0xFFFF, false }, { 0, false } };
	struct descr_dfu d;
	const char *why;
	uint8_t b[4096];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		n = make(b, 1);
		put_le16(b + n - FUNCTIONAL + 5, sizes[i].said);
		if (!sizes[i].taken) {
			assert_refused(b, n, "wTransferSize");
			continue;
		}
		assert_int_equal(parse(b, n, &d, &why), 0);
		assert_int_equal(d.transfer_bytes, sizes[i].said);
	}
	assert_int_equal(parse(b, make(b, DESCR_ALTS_MAX), &d, &why), 0);
	assert_int_equal(d.alt_count, DESCR_ALTS_MAX);
	assert_refused(b, make(b, DESCR_ALTS_MAX + 1), "too many");
}

TEST(every_cut_and_every_damaged_byte_is_refused_or_sound)
{
	uint8_t good[4096], b[4096];
	size_t n = make(good, 4);

	for (size_t cut = 0; cut < n; cut++)
		assert_refused(good, cut, "");
	for (size_t at = 0; at < n; at++)
		for (unsigned value = 0; value < 256; value++) {
			struct descr_dfu d;
			const char *why;

			memcpy(b, good, n);
			b[at] = (uint8_t)value;
			if (parse(b, n, &d, &why) < 0)
				continue;
			assert_in_range(d.alt_count, 1, DESCR_ALTS_MAX);
			assert_in_range(d.transfer_bytes, 64, USB_TRANSFER_BYTES_MAX);
			assert_int_equal(d.transfer_bytes % 2, 0);
		}
}

TEST(strings_are_bounded_and_printable)
{
	static const struct {
		uint8_t bytes[16];
		size_t length;
		const char *text; /* NULL: none */
	} strings[] = {
		{ { 8, 3, 'A', 0, 'b', 0, '9', 0 }, 8, "Ab9" },
		{ { 8, 3, 'A', 0, 'b', 0, '9', 0 }, 6, "Ab" }, /* less came */
		{ { 6, 3, 'A', 0, 'b', 0, '9', 0 }, 8, "Ab" }, /* less was said */
		{ { 7, 3, 'A', 0, 'b', 0, '9', 0 }, 8, "Ab" }, /* half a unit */
		{ { 8, 3, 'A', 0, 0, 0, '9', 0 }, 8, "A" },    /* ends at NUL */
		{ { 10, 3, 0x1F, 0, 0x7F, 0, 0x20, 0, 'A', 1 }, 10, "?? ?" },
		{ { 2, 3 }, 2, "" },
		{ { 14, 3, 'a', 0, 'b', 0, 'c', 0, 'd', 0, 'e', 0, 'f', 0 }, 14, "abcde" },
		{ { 8, 2, 'A', 0 }, 8, NULL },
		{ { 1, 3, 'A', 0 }, 8, NULL },
		{ { 8, 3 }, 1, NULL },
		{ { 8, 3 }, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		uint8_t *copy = malloc(strings[i].length + 1);
		char text[6] = "x";

		memcpy(copy, strings[i].bytes, strings[i].length);
		assert_int_equal(descr_parse_string(copy, strings[i].length, text, sizeof(text)),
				 strings[i].text != NULL ? 0 : -EINVAL);
		assert_string_equal(text, strings[i].text != NULL ? strings[i].text : "x");
		free(copy);
	}
}

TEST_MAIN(NULL)
