/* SPDX-License-Identifier: MIT */
/* Intel HEX and S-records as they are met: every record type, every order, gaps, line ends, limits.
 */
#include "config.h"

#include "fw_help.h"

#include <errno.h>
#include <stdio.h>

/* A text file under construction. */
struct text {
	char *p;
	size_t n;
};

static void
add_hex(struct text *t, unsigned type, unsigned addr, const uint8_t *data, unsigned n)
{
	unsigned sum = n + (addr >> 8 & 0xFF) + (addr & 0xFF) + type;

	t->n += (size_t)sprintf(t->p + t->n, ":%02X%04X%02X", n, addr & 0xFFFF, type);
	for (unsigned i = 0; i < n; i++) {
		t->n += (size_t)sprintf(t->p + t->n, "%02X", data[i]);
		sum += data[i];
	}
	t->n += (size_t)sprintf(t->p + t->n, "%02X\n", -sum & 0xFF);
}

static void
add_base(struct text *t, unsigned type, unsigned base)
{
	const uint8_t bytes[2] = { (uint8_t)(base >> 8), (uint8_t)base };

	add_hex(t, type, 0, bytes, 2);
}

static struct text
new_text(size_t room)
{
	struct text t = { malloc(room), 0 };

	assert_non_null(t.p);
	return t;
}

static struct loaded
load_done(struct text *t)
{
	add_hex(t, 1, 0, NULL, 0);
	return load_bytes((uint8_t *)t->p, t->n);
}

TEST(every_hex_record_type_is_understood)
{
	static const uint8_t start[4] = { 0x08, 0x00, 0x41, 0x01 },
			     paragraph[4] = { 0x10, 0x00, 0, 0x10 };
	struct text t = new_text(1000);
	struct loaded l;

	add_hex(&t, 0, 0x0100, (const uint8_t *)"zero", 4); /* before any base: at 0x0100 */
	add_base(&t, 4, 0x0800);
	add_hex(&t, 0, 0x4000, (const uint8_t *)"abcd", 4);
	add_base(&t, 2, 0x1000);
	add_hex(&t, 0, 0x0002, (const uint8_t *)"segment", 7);
	add_hex(&t, 0, 0xFFFC, (const uint8_t *)"last", 4); /* up to its end, not over it */
	add_hex(&t, 3, 0, paragraph, 4);
	add_hex(&t, 5, 0, start, 4);
	l = load_done(&t);
	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment_count(l.image), 4);
	assert_int_equal(image_segment(l.image, 0)->addr, 0x0100);
	assert_int_equal(image_segment(l.image, 1)->addr, 0x10002);
	assert_memory_equal(image_segment(l.image, 1)->data, "segment", 7);
	assert_int_equal(image_segment(l.image, 2)->addr, 0x1FFFC);
	assert_int_equal(image_segment(l.image, 3)->addr, 0x08004000);
	assert_true(l.facts->start_given);
	assert_int_equal(l.facts->start, 0x08004101);
	unload(&l);
}

TEST(hex_records_in_any_order_make_one_piece)
{
	uint8_t bytes[160];
	struct text t = new_text(4000);
	struct loaded l;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	add_base(&t, 4, 0x0800);
	for (unsigned i = 0; i < 10; i++) { /* 3, 6, 9, 2, 5, 8, 1, 4, 7, 0 */
		unsigned k = (i + 1) * 3 % 10;

		add_hex(&t, 0, 0x4000 + 16 * k, bytes + 16 * k, 16);
	}
	l = load_done(&t);
	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment_count(l.image), 1);
	assert_int_equal(image_bytes(l.image), 160);
	assert_memory_equal(image_segment(l.image, 0)->data, bytes, 160);
	unload(&l);
}

TEST(hex_gaps_stay_gaps)
{
	struct text t = new_text(1000);
	struct loaded l;

	add_base(&t, 4, 0x0800);
	add_hex(&t, 0, 0x4000, (const uint8_t *)"code", 4);
	add_base(&t, 4, 0x080F);
	add_hex(&t, 0, 0xFFFC, (const uint8_t *)"conf",
		4); /* doc/protocol.md 7: far from the code */
	l = load_done(&t);
	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment_count(l.image), 2);
	assert_int_equal(image_bytes(l.image), 8);
	assert_int_equal(l.facts->elements[1].addr, 0x080FFFFC);
	unload(&l);
}

TEST(hex_data_may_run_over_64_kib_after_a_linear_base_and_to_the_very_end)
{
	struct text t = new_text(1000);
	struct loaded l;

	add_base(&t, 4, 0x0800);
	add_hex(&t, 0, 0xFFFE, (const uint8_t *)"abcd", 4);
	add_base(&t, 4, 0xFFFF);
	add_hex(&t, 0, 0xFFFC, (const uint8_t *)"last", 4);
	l = load_done(&t);
	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment(l.image, 0)->addr, 0x0800FFFE);
	assert_int_equal(image_segment(l.image, 1)->addr, 0xFFFFFFFC);
	unload(&l);
}

TEST(line_ends_case_and_blanks_do_not_matter)
{
	static const char *const texts[] = {
		":0440000001020304B2\n:00000001FF\n",
		":0440000001020304b2\r\n:00000001ff\r\n",
		"\n\n :0440000001020304B2\r:00000001FF",
		":0440000001020304B2 \t\n\n\n:00000001FF\n\n\x1A",
		":00400000C0\n:0440000001020304B2\n:00000001FF",
		"S107400001020304AE\nS9034000BC\n\x1A",
		"S00600004844521B\r\nS107400001020304ae\r\nS5030001FB\r\nS9034000BC",
		"S20800400001020304AD\nS804004000BB\n",
		"S3090000400001020304AC\nS604000001FA\nS70500004000BA\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct loaded l = load_text(texts[i]);

		assert_int_equal(l.result, 0);
		assert_int_equal(image_segment_count(l.image), 1);
		assert_int_equal(image_segment(l.image, 0)->addr, 0x4000);
		assert_memory_equal(image_segment(l.image, 0)->data, "\x01\x02\x03\x04", 4);
		unload(&l);
	}
}

TEST(an_s0_text_is_kept_without_what_cannot_be_printed)
{
	struct loaded l = load_text("S00800006D0A1B6D18E0\nS107400001020304AE\nS9034000BC\n");

	assert_int_equal(l.result, 0);
	assert_string_equal(l.facts->header, "m??m?");
	unload(&l);
}

TEST(errors_name_line_and_offset)
{
	struct loaded l = load_text(":020000040800F2\n:0440000001020304B3\n:00000001FF\n");

	assert_int_equal(l.result, -EINVAL);
	assert_int_equal(l.error.offset, 33);
	assert_string_equal(l.error.text, "line 2, offset 33: checksum is 0xB3, expected 0xB2");
	unload(&l);
}

/* count separate bytes, every second address. */
static struct loaded
load_scattered(unsigned count)
{
	struct text t = new_text((size_t)count * 16 + 4000);
	unsigned base = 0x10000;

	for (unsigned i = 0; i < count; i++) {
		unsigned addr = 2 * i;

		if (addr >> 16 != base) {
			base = addr >> 16;
			add_base(&t, 4, 0x0800 + base);
		}
		add_hex(&t, 0, addr & 0xFFFF, (const uint8_t *)"x", 1);
	}
	return load_done(&t);
}

TEST(a_hex_file_has_a_limited_number_of_pieces)
{
	struct loaded l = load_scattered(IMAGE_SEGMENTS_MAX);

	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment_count(l.image), IMAGE_SEGMENTS_MAX);
	unload(&l);
	l = load_scattered(IMAGE_SEGMENTS_MAX + 1);
	assert_int_equal(l.result, -EINVAL);
	assert_non_null(strstr(l.error.text, "more than 1024 separate pieces"));
	unload(&l);
	l = load_scattered(65537);
	assert_int_equal(l.result, -EINVAL);
	assert_non_null(strstr(l.error.text, "more than 65536 separate pieces"));
	unload(&l);
}

TEST_MAIN(NULL)
