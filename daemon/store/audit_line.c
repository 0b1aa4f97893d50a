/* SPDX-License-Identifier: MIT */
/* One line of the audit file: record <-> text, with CRC and hash. */
#include "config.h"

#include "store/audit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <zlib.h>

#define CRC_TEXT ",\"crc\":\""
#define KIND_NAME_MAX 32			     /* LIMIT: with its end */
#define TRAILER_BYTES (sizeof(CRC_TEXT) - 1 + 8 + 2) /* ...01234567"} */

static uint32_t
crc_of(const char *text, size_t size)
{
	return (uint32_t)crc32(0, (const Bytef *)text, (uInt)size);
}

size_t
audit_format(const struct record *r, char *out)
{
	char prev[2 * RECORD_HASH_BYTES + 1], hash[2 * RECORD_HASH_BYTES + 1];
	int n, crc;

	assert(r->seq > 0 && r->body_size < RECORD_BODY_MAX);
	(void)sodium_bin2hex(prev, sizeof(prev), r->prev, sizeof(r->prev)); /* cannot fail */
	(void)sodium_bin2hex(hash, sizeof(hash), r->hash, sizeof(r->hash));
	n = snprintf(out, AUDIT_LINE_MAX,
		     "{\"seq\":%" PRId64
		     ",\"kind\":\"%s\",\"prev\":\"%s\",\"hash\":\"%s\",\"body\":%s",
		     r->seq, record_kind_name(r->kind), prev, hash, r->body);
	assert(n > 0 && (size_t)n + TRAILER_BYTES + 2 <= AUDIT_LINE_MAX);
	crc = snprintf(out + n, AUDIT_LINE_MAX - (size_t)n, CRC_TEXT "%08" PRIx32 "\"}\n",
		       crc_of(out, (size_t)n));
	return (size_t)n + (size_t)crc;
}

struct cursor {
	const char *p, *end;
};

static bool
take(struct cursor *c, const char *literal)
{
	size_t n = strlen(literal);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, literal, n) != 0)
		return false;
	c->p += n;
	return true;
}

static bool
take_number(struct cursor *c, int64_t *ret)
{
	const char *start = c->p;
	int64_t v = 0;

	/* LIMIT: 18 digits cannot overflow */
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - start < 18; c->p++)
		v = v * 10 + (*c->p - '0');
	*ret = v;
	return c->p > start;
}

static bool
take_hash(struct cursor *c, uint8_t ret[RECORD_HASH_BYTES])
{
	const size_t digits = 2 * RECORD_HASH_BYTES;
	size_t bytes;

	/* Lower case only: one record has one line. */
	if ((size_t)(c->end - c->p) < digits || strspn(c->p, "0123456789abcdef") < digits ||
	    sodium_hex2bin(ret, RECORD_HASH_BYTES, c->p, digits, NULL, &bytes, NULL) < 0)
		return false;
	c->p += digits;
	return true;
}

static bool
trailer_is_right(const char *line, size_t size)
{
	char expected[TRAILER_BYTES + 1];

	(void)snprintf(expected, sizeof(expected), CRC_TEXT "%08" PRIx32 "\"}", crc_of(line, size));
	return memcmp(line + size, expected, TRAILER_BYTES) == 0;
}

int
audit_parse(const char *line, size_t size, struct audit_line *ret_line)
{
	struct audit_line l = { 0 };
	struct cursor c = { line, line + size };
	uint8_t hash[RECORD_HASH_BYTES];
	char name[KIND_NAME_MAX];
	const char *kind;

	if (size < TRAILER_BYTES || size > AUDIT_LINE_MAX ||
	    !trailer_is_right(line, size - TRAILER_BYTES))
		return -EBADMSG;
	c.end -= TRAILER_BYTES;
	if (!take(&c, "{\"seq\":") || !take_number(&c, &l.seq) || l.seq < 1 ||
	    !take(&c, ",\"kind\":\""))
		return -EBADMSG;
	kind = c.p;
	while (c.p < c.end && *c.p != '"')
		c.p++;
	if (c.p == kind || c.p - kind >= KIND_NAME_MAX)
		return -EBADMSG;
	memcpy(name, kind, (size_t)(c.p - kind));
	name[c.p - kind] = '\0';
	l.kind = record_kind_by_name(kind, (size_t)(c.p - kind));
	if (!take(&c, "\",\"prev\":\"") || !take_hash(&c, l.prev) || !take(&c, "\",\"hash\":\"") ||
	    !take_hash(&c, l.hash) || !take(&c, "\",\"body\":"))
		return -EBADMSG;
	l.body = c.p;
	l.body_size = (size_t)(c.end - c.p);
	if (l.body_size >= RECORD_BODY_MAX || memchr(l.body, '\0', l.body_size) != NULL)
		return -EBADMSG;
	record_hash(l.prev, l.seq, name, l.body, l.body_size, hash);
	if (l.kind != RECORD_LOST && memcmp(hash, l.hash, sizeof(hash)) != 0)
		return -EBADMSG;
	if (l.kind == RECORD_KIND_COUNT)
		return -EPROTO;
	*ret_line = l;
	return 0;
}
