/* SPDX-License-Identifier: MIT */
/*
 * The simulated drone against the real firmware, byte for byte: every question that was recorded
 * with its answers (tests/fixtures/crtp-2026.08.txt), and the text of the start.
 *
 * Not compared, as they differ from run to run: bytes 2 to 4 of log samples (a time); the text
 * "STAB: WARNING: stabilizer loop rate is off", which was the PC's slowness; and the fifth
 * "I2C DFU: Error sending read command", as four of the recorded questions end with that error.
 */
#include "config.h"

#include <stdio.h>

#include "test.h"

#include "sim_talk.h"

#define LINES_MAX 600
#define PACKETS_MAX 64
#define RATE_IS_OFF 0x0003U /* of the packets "console meanwhile" */
#define QUIET_MS 50	    /* behind the last answer; a period of 100 ms is longer */

struct packet {
	size_t length;
	uint8_t bytes[32];
};

static char *lines[LINES_MAX];
static size_t line_count;
static struct packet console[PACKETS_MAX]; /* said since it was looked at last */
static size_t console_count;

static void
read_recording(void)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], line[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/crtp-2026.08.txt",
		       srcdir != NULL ? srcdir : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	line_count = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		assert_true(line_count < LINES_MAX);
		line[strcspn(line, "\n")] = '\0';
		lines[line_count++] = strdup(line);
	}
	(void)fclose(f);
	assert_true(line_count > 250);
}

/* Hex bytes, each with one blank before the next; returns what is behind them. */
static const char *
parse(const char *text, struct packet *p)
{
	unsigned byte;
	int n;

	p->length = 0;
	while (sscanf(text, "%2x%n", &byte, &n) == 1 && n == 2 &&
	       (text[2] == ' ' || text[2] == '\0')) {
		assert_true(p->length < sizeof(p->bytes));
		p->bytes[p->length++] = (uint8_t)byte;
		text += 2;
		if (*text != ' ' || text[1] == ' ')
			break;
		text++;
	}
	return text;
}

/* The recorded drone. */
static int
setup_real(void **state)
{
	static const uint8_t uid[12] = { 0x23, 0x00, 0x26, 0x00, 0x11, 0x51,
					 0x36, 0x30, 0x31, 0x36, 0x33, 0x32 };
	struct drone_config c;

	(void)state;
	read_recording();
	drone_config_init(&c, 1);
	c.chatter = 0;
	memcpy(c.uid, uid, sizeof(uid));
	copy_text(c.version, sizeof(c.version), "2026.08 +2");
	copy_text(c.revision, sizeof(c.revision), "2a18fc299d7b");
	c.modified = 1;
	copy_text(c.nrf, sizeof(c.nrf), "2026.01");
	c.eeprom = DRONE_EEPROM_BLANK;
	c.tables = DRONE_TABLES_REAL;
	begin(&c, "CF21");
	console_count = 0;
	return 0;
}

static int
teardown_real(void **state)
{
	while (line_count > 0)
		free(lines[--line_count]);
	return teardown(state);
}

#define TEST_REAL(name) TEST_WITH(name, setup_real, teardown_real)

/* The next packet that is no console text; that is kept. */
static bool
next_packet(uint32_t limit_ms, struct packet *p)
{
	while (bulk(USB_BULK_IN, NULL, 64, limit_ms) == USB_OK) {
		p->length = b.length;
		assert_true(b.length <= sizeof(p->bytes));
		memcpy(p->bytes, b.data, b.length);
		if (p->bytes[0] != 0x00)
			return true;
		assert_true(console_count < PACKETS_MAX);
		console[console_count++] = *p;
	}
	return false;
}

static void
same(const char *line, const struct packet *said, const struct packet *recorded)
{
	struct packet r = *recorded, s = *said;

	if (r.bytes[0] == 0x52 && r.length > 5 && s.length > 5)
		memset(r.bytes + 2, 0, 3), memset(s.bytes + 2, 0, 3);
	if (s.length == r.length && memcmp(s.bytes, r.bytes, r.length) == 0)
		return;
	print_error("%s\n  said:", line);
	for (size_t i = 0; i < s.length; i++)
		print_error(" %02x", s.bytes[i]);
	print_error("\n");
	fail();
}

/* Packets listed from this line on, one a line, against what was said on the console; without
 * those of skip, one bit each. */
static void
console_is(size_t at, uint32_t skip)
{
	size_t n = 0;

	for (; at < line_count && strncmp(lines[at], "   00 ", 6) == 0; at++, skip >>= 1) {
		struct packet p;

		(void)parse(lines[at] + 3, &p);
		if (skip & 1)
			continue;
		assert_true(n < console_count);
		same(lines[at], &console[n++], &p);
	}
	assert_int_equal(n, console_count);
	assert_true(n > 0);
}

static size_t
line_with(const char *begin)
{
	for (size_t i = 0; i < line_count; i++)
		if (strncmp(lines[i], begin, strlen(begin)) == 0)
			return i;
	fail_msg("no line '%s'", begin);
	return 0;
}

/* QUIRK: a periodic sample may come before the answer to the next question. */
static bool
next_but_samples(const struct packet *recorded, struct packet *p)
{
	bool got = next_packet(150, p);

	while (got && p->bytes[0] == 0x52 && recorded->bytes[0] != 0x52)
		got = next_packet(150, p);
	return got;
}

/* One line "QUESTION -> ANSWER | ANSWER   remark"; (none) is no answer. */
static void
replay(const char *line)
{
	const char *text = strstr(line, "-> ");
	struct packet p, said;

	(void)parse(line, &p);
	assert_true(p.length > 0);
	assert_int_equal(bulk(USB_BULK_OUT, p.bytes, (uint32_t)p.length, 100), USB_OK);
	for (text += 3; strncmp(text, "(none)", 6) != 0; text += 3) {
		text = parse(text, &p);
		if (!next_but_samples(&p, &said)) {
			print_error("%s: not answered\n", line);
			fail();
		}
		same(line, &said, &p);
		if (strncmp(text, " | ", 3) != 0)
			break;
	}
	if (next_packet(QUIET_MS, &said) && said.bytes[0] != 0x52) {
		print_error("%s: %02x, too\n", line, said.bytes[0]);
		fail();
	}
}

TEST_REAL(the_text_of_the_start_waits_until_the_link_is_taken)
{
	struct packet p;
	size_t at = line_with("# console at start");

	link_on();
	assert_false(next_packet(100, &p));
	assert_int_equal(console_count, 33);
	console_is(at + 1, 0);
}

TEST_REAL(every_recorded_question_has_its_recorded_answers)
{
	struct packet p;
	unsigned questions = 0;

	link_on();
	(void)next_packet(100, &p);
	console_count = 0;
	for (size_t i = 0; i < line_count; i++) {
		if (strstr(lines[i], "-> ") == NULL || lines[i][0] == '#')
			continue;
		replay(lines[i]);
		questions++;
	}
	assert_in_range(questions, 240, 300);
	console_is(line_with("# console meanwhile") + 1, RATE_IS_OFF);
	assert_int_equal(drone_counters(b.d)->asserts[DRONE_ASSERT_REQUEST], 0);
}

TEST_REAL(a_question_waits_for_the_link)
{
	struct packet p;

	link_on();
	(void)next_packet(100, &p);
	link_off();
	assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_OK);
	assert_false(next_packet(500, &p)); /* "asked while the link is on radio: None" */
	link_on();
	assert_true(next_packet(100, &p));
	assert_int_equal(p.length, 12);
	assert_memory_equal(p.bytes,
			    "\xD1\x01"
			    "2026.08 +2",
			    12); /* "after link" */
}

/* The recording says of the tables: 305 parameters, 130 of them extended, longest answer 31. */
TEST_REAL(the_table_of_parameters_has_the_recorded_size)
{
	unsigned extended = 0;
	struct packet p;

	link_on();
	(void)next_packet(100, &p);
	(void)line_with("# 305 items");
	(void)line_with("# extended: 130 ['cppm.rateRoll', 'cppm.ratePitch'");
	for (unsigned id = 0; id < 305; id++) {
		uint8_t item[4] = { 0x20, 0x02, (uint8_t)id, (uint8_t)(id >> 8) };

		assert_true(ask(item, 4));
		assert_in_range(b.length, 8, 31);
		extended += (b.data[4] & 0x10) != 0;
	}
	assert_int_equal(extended, 130);
}

TEST_MAIN(NULL)
