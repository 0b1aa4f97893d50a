/* SPDX-License-Identifier: MIT */
/*
 * Text: where its records begin, and what is never a plain binary.
 *
 * WHY so much care: a HEX file with a byte order mark, a comment or a colour in front, or in
 * UTF-16, is still a text for its owner.  Taken for a plain binary it would be flashed letter by
 * letter.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#define PREAMBLE_BYTES_MAX 65536U /* LIMIT: what may stand before the first record */
#define TEXT_SAMPLE_BYTES 256

static const uint8_t utf8_mark[3] = { 0xEF, 0xBB, 0xBF };

/* How many bytes of a file are what; what is neither is a control character. */
struct census {
	size_t all, zero, ascii, high, escapes;
};

static bool
is_ascii_text(uint8_t c)
{
	return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

static struct census
count_bytes(const uint8_t *data, size_t size)
{
	struct census n = { .all = size };

	for (size_t i = 0; i < size; i++) {
		n.zero += data[i] == 0;
		n.ascii += is_ascii_text(data[i]);
		n.high += data[i] >= 0x80;
		n.escapes += data[i] == 0x1B;
	}
	return n;
}

static bool
begins_with_mark(const uint8_t *data, size_t size)
{
	return size >= sizeof(utf8_mark) && memcmp(data, utf8_mark, sizeof(utf8_mark)) == 0;
}

/* A whole line of text, which may be empty; *at moves behind it. */
static bool
skip_line(const uint8_t *data, size_t size, size_t *at)
{
	for (; *at < size && *at < PREAMBLE_BYTES_MAX; (*at)++) {
		if (data[*at] == '\n' || data[*at] == '\r') {
			(*at)++;
			return true;
		}
		if (!is_ascii_text(data[*at]) && data[*at] < 0x80)
			return false;
	}
	return false;
}

/* mark, and as many hex digits as tell it from a sentence. */
static bool
is_record(const uint8_t *data, size_t size, char mark)
{
	size_t digits = mark == ':' ? 8 : 6;
	uint8_t decoded[4];

	if (size <= digits || data[0] != (uint8_t)mark)
		return false;
	if (mark == 'S' && (data[1] < '0' || data[1] > '9'))
		return false;
	return fw_hex_decode(data + 1, digits / 2, decoded) == digits;
}

bool
fw_find_record(const uint8_t *data, size_t size, char mark, size_t *ret_at)
{
	size_t at = begins_with_mark(data, size) ? sizeof(utf8_mark) : 0;

	do {
		while (at < size && (data[at] == ' ' || data[at] == '\t'))
			at++;
		*ret_at = at;
		if (at < size && is_record(data + at, size - at, mark))
			return true;
	} while (skip_line(data, size, &at));
	return false;
}

void
fw_note_preamble(struct fw_loading *l, size_t at, unsigned *ret_line)
{
	size_t first = begins_with_mark(l->data, l->size) ? sizeof(utf8_mark) : 0, text = 0;

	if (first > 0)
		fw_warn(l->facts, "the byte order mark at its beginning is left out");
	for (size_t i = first; i < at; i++) {
		*ret_line += l->data[i] == '\n';
		text += l->data[i] > ' ';
	}
	if (text > 0)
		fw_warn(l->facts, "%zu byte%s before the first record (line %u) are left out",
			at - first, at - first == 1 ? "" : "s", *ret_line);
}

/* UTF-16 with a mark: any alphabet, and no zero between its characters. */
static bool
is_marked_utf16(const uint8_t *data, size_t size)
{
	if (size < 4 || size % 2 != 0 ||
	    (memcmp(data, "\xFF\xFE", 2) != 0 && memcmp(data, "\xFE\xFF", 2) != 0))
		return false;
	for (size_t i = 2; i < size; i += 2)
		if (data[i] == 0 && data[i + 1] == 0)
			return false;
	return true;
}

/* Of n, at least these hundredths. */
static bool
is_most(size_t part, size_t n, unsigned percent)
{
	return (uint64_t)part * 100 >= (uint64_t)n * percent;
}

/*
 * The kind of text that this is; NULL: none.  Firmware has zero bytes (five of its vectors, one
 * byte in nine) and control characters; text has neither.
 */
static const char *
text_words(const uint8_t *data, size_t size)
{
	struct census n = count_bytes(data, size);
	size_t head = size < TEXT_SAMPLE_BYTES ? size : TEXT_SAMPLE_BYTES;
	size_t letters = n.ascii + n.escapes, rest = n.all - n.zero;

	if (is_marked_utf16(data, size) ||
	    (is_most(n.zero, n.all, 45) && !is_most(n.zero, n.all, 55) &&
	     is_most(letters, rest, 98)))
		return "UTF-16 text, as PowerShell's \">\" writes it: save it as plain text "
		       "(ASCII)";
	if (is_most(n.zero, n.all, 70) && !is_most(n.zero, n.all, 78) && is_most(letters, rest, 95))
		return "UTF-32 text: save it as plain text (ASCII)";
	if (n.zero == 0 && is_most(letters, n.all, 10) && is_most(letters + n.high, n.all, 98))
		return n.escapes > 0 ? "text with terminal colours in it: save it without them"
				     : "text, and neither Intel HEX nor S-records";
	if (is_most(letters, n.all, 90) || count_bytes(data, head).ascii == head)
		return "text with other bytes in it, and neither Intel HEX nor S-records";
	return NULL;
}

int
fw_refuse_text(struct fw_loading *l, const uint8_t *data, size_t size)
{
	const char *words = size > 0 ? text_words(data, size) : NULL;

	return words != NULL ? fw_refuse(l, 0, "not firmware: this is %s", words) : 0;
}
