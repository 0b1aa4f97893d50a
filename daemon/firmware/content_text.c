/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/content_text.h"

#define TAG_MAX 29  /* LIMIT: what fits into the answer over CRTP (doc/protocol.md 2.4) */
#define TEXT_MAX 64 /* LIMIT: of a tag; a drone says the first TAG_MAX characters of it */
#define REVISION_DIGITS 12
#define OWN_TAGS_MAX                                                                               \
	16 /* LIMIT: candidates that are looked into; each costs a pass over the image */
#define TRAILER_BYTES 16
#define TRAILER_MARK 0xAAAAAAAAU

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex_digit(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool
is_printable(uint8_t c)
{
	return c >= 0x20 && c < 0x7F;
}

static size_t
count_digits(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(p[i]))
		i++;
	return i;
}

/* Takes "mark" and digits off the front of p[*at..n), if they are there. */
static void
skip_part(const uint8_t *p, size_t n, size_t *at, const char *mark)
{
	size_t length = strlen(mark), digits;

	if (n - *at <= length || memcmp(p + *at, mark, length) != 0)
		return;
	digits = count_digits(p + *at + length, n - *at - length);
	if (digits > 0)
		*at += length + digits;
}

/* "2025.12", "2024.10.2", "2025.12-rc3", "2025.09.1 +100": the whole of n characters. */
static bool
is_release_tag(const uint8_t *p, size_t n)
{
	size_t at = 7;

	if (n < 7 || n > TAG_MAX || count_digits(p, 4) != 4 || p[4] != '.' ||
	    count_digits(p + 5, 2) != 2)
		return false;
	skip_part(p, n, &at, ".");
	skip_part(p, n, &at, "-rc");
	skip_part(p, n, &at, " +");
	return at == n;
}

static bool
is_no_tag(const uint8_t *p, size_t n)
{
	return n == 2 && p[0] == 'N' && p[1] == 'A';
}

static bool
is_revision(const uint8_t *p, size_t n)
{
	if (n < REVISION_DIGITS + 1 || p[REVISION_DIGITS] != '\0')
		return false;
	for (size_t i = 0; i < REVISION_DIGITS; i++)
		if (!is_hex_digit(p[i]))
			return false;
	return true;
}

/* Next "NUL, 12 hex digits, NUL" at or after from; the offset of the digits, or size when none. */
static size_t
next_revision(const uint8_t *data, size_t size, size_t from)
{
	size_t at = from > 0 ? from : 1;

	while (at < size) {
		const uint8_t *nul = memchr(data + at - 1, '\0', size - at + 1);

		if (nul == NULL)
			break;
		at = (size_t)(nul - data) + 1;
		if (at < size && is_revision(data + at, size - at))
			return at;
		at++;
	}
	return size;
}

/*
 * Length of the tag that ends right before data[end] (a NUL); 0 when there is none.
 * WHY the longest: printable filler may stand before it, without a NUL between.
 */
static size_t
tag_before(const uint8_t *data, size_t end, bool any_text)
{
	size_t length = 0, run = 0;

	while (run < TAG_MAX && run < end && is_printable(data[end - 1 - run])) {
		run++;
		if (is_release_tag(data + end - run, run) ||
		    (run == 2 && is_no_tag(data + end - run, run)))
			length = run;
	}
	if (length == 0 && any_text && run > 0 && run < end && data[end - 1 - run] == '\0')
		length = run;
	return length;
}

static uint32_t
hex_value(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
	return v;
}

/* The 32-bit part of the revision, aligned, at or after from; size when it is nowhere. */
static size_t
next_number(const uint8_t *data, size_t size, uint32_t number, size_t from)
{
	for (size_t at = from; at + 4 <= size; at += 4)
		if (get_le32(data + at) == number)
			return at;
	return size;
}

static void
take_version(struct content *c, const uint8_t *tag, size_t tag_length, const uint8_t *revision)
{
	memcpy(c->version, tag, tag_length);
	c->version[tag_length] = '\0';
	memcpy(c->revision, revision, REVISION_DIGITS);
	c->revision[REVISION_DIGITS] = '\0';
}

/*
 * Tag and revision side by side.  How many different pairs there are; the last one is in c.
 * any_text: a tag of a private repository, believed when the revision's number is in the
 * image too.
 */
static unsigned
find_pair(const uint8_t *data, size_t size, bool any_text, struct content *c)
{
	unsigned pairs = 0, looked_into = 0;

	for (size_t at = next_revision(data, size, 0); at < size && pairs < 2;
	     at = next_revision(data, size, at + 1)) {
		size_t length = tag_before(data, at - 1, any_text);

		if (length == 0)
			continue;
		if (any_text && looked_into++ == OWN_TAGS_MAX)
			break;
		if (any_text && next_number(data, size, hex_value(data + at, 8), 0) == size)
			continue;
		if (pairs > 0 && strlen(c->version) == length &&
		    memcmp(c->version, data + at - 1 - length, length) == 0 &&
		    memcmp(c->revision, data + at, REVISION_DIGITS) == 0)
			continue;
		take_version(c, data + at - 1 - length, length, data + at);
		pairs++;
	}
	return pairs;
}

/* Tag and revision apart, as in builds without optimisation: each believed only when it is the only
 * one. */
static void
find_apart(const uint8_t *data, size_t size, struct content *c)
{
	size_t tag = 0, tag_length = 0, revision = next_revision(data, size, 0);
	unsigned tags = 0;

	for (size_t at = 7; at < size; at++) {
		size_t length;

		if (data[at] != '\0' || !is_digit(data[at - 1]))
			continue;
		length = tag_before(data, at, false);
		if (length == 0)
			continue;
		tag = at - length;
		tag_length = length;
		tags++;
	}
	if (tags == 1) {
		memcpy(c->version, data + tag, tag_length);
		c->version[tag_length] = '\0';
	}
	if (revision < size && next_revision(data, size, revision + 1) == size) {
		memcpy(c->revision, data + revision, REVISION_DIGITS);
		c->revision[REVISION_DIGITS] = '\0';
	}
}

bool
content_has_trailer(const uint8_t *data, size_t size)
{
	return size >= TRAILER_BYTES && get_le32(data + size - 4) == TRAILER_MARK;
}

/* The text at address p of an image at base: printable, of at least one character. */
static size_t
text_at(const uint8_t *data, size_t size, uint32_t base, uint32_t p)
{
	size_t at = p - base, n = 0;

	if (p < base || at >= size)
		return 0;
	while (at + n < size && n <= TEXT_MAX && is_printable(data[at + n]))
		n++;
	return n <= TEXT_MAX && at + n < size && data[at + n] == '\0' ? n : 0;
}

static bool
is_number(const uint8_t *p, size_t length)
{
	return count_digits(p, length) == length;
}

/* The offsets that the trailer of an image at base points to. */
struct trailer {
	size_t tag, tag_length, revision;
};

static bool
read_trailer(const uint8_t *data, size_t size, uint32_t base, struct trailer *ret)
{
	uint32_t texts[3];
	size_t length[3];
	unsigned tag = 0;

	if (!content_has_trailer(data, size))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		texts[i] = get_le32(data + (size - TRAILER_BYTES) + 4 * i);
		length[i] = text_at(data, size, base, texts[i]);
		if (length[i] == 0)
			return false;
	}
	ret->revision = texts[1] - base;
	if (!is_revision(data + ret->revision, size - ret->revision))
		return false;
	/*
	 * Tag and commit count, a number, are swapped in some builds.  Where both are numbers, the
	 * tag is the first if its text stands right before the revision's, alone.
	 */
	if (is_number(data + (texts[0] - base), length[0]) &&
	    (!is_number(data + (texts[2] - base), length[2]) ||
	     texts[0] + length[0] + 1 != texts[1] || texts[2] + length[2] + 1 == texts[0]))
		tag = 2;
	ret->tag = texts[tag] - base;
	ret->tag_length = length[tag];
	return true;
}

bool
content_trailer_fits(const uint8_t *data, size_t size, uint32_t base)
{
	struct trailer t;

	return read_trailer(data, size, base, &t);
}

/* 16-bit part, 32-bit part four bytes on, production flag, modified flag: only this order is known.
 */
static enum content_flag
find_modified(const uint8_t *data, size_t size, const char *revision)
{
	const uint8_t *digits = (const uint8_t *)revision;
	uint32_t low = hex_value(digits, 8), high = hex_value(digits + 8, 4);
	enum content_flag flag = CONTENT_UNKNOWN;

	for (size_t at = next_number(data, size, low, 0); at < size;
	     at = next_number(data, size, low, at + 4)) {
		enum content_flag here;

		if (at < 4 || at + 6 > size || get_le16(data + at - 4) != high ||
		    data[at + 4] > 1 || data[at + 5] > 1)
			continue;
		here = data[at + 5] == 1 ? CONTENT_YES : CONTENT_NO;
		if (flag != CONTENT_UNKNOWN && flag != here)
			return CONTENT_UNKNOWN;
		flag = here;
	}
	return flag;
}

void
content_find_version(const uint8_t *data, size_t size, struct content *c)
{
	struct trailer t;
	unsigned pairs;

	/* WHY first: pointers say what a pattern guesses, and tags are free text. */
	if (c->trailer == CONTENT_YES && read_trailer(data, size, c->addr, &t)) {
		take_version(c, data + t.tag, t.tag_length < TAG_MAX ? t.tag_length : TAG_MAX,
			     data + t.revision);
		c->modified = find_modified(data, size, c->revision);
		return;
	}
	pairs = find_pair(data, size, false, c);
	if (pairs == 0)
		pairs = find_pair(data, size, true, c);
	if (pairs != 1)
		c->version[0] = c->revision[0] =
		    '\0'; /* several say different things: believe none */
	if (pairs == 0)
		find_apart(data, size, c);
	if (c->revision[0] != '\0')
		c->modified = find_modified(data, size, c->revision);
}
