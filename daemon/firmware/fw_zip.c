/* SPDX-License-Identifier: MIT */
/*
 * Checks the structure of a zip archive (APPNOTE.TXT 6.3, sections 4.3 to 4.5) before libzip sees
 * it.
 *
 * WHY not libzip's own ZIP_CHECKCONS: tried with version 1.7.3 on all bad archives of the tests, it
 * takes members that overlap, and local headers whose flags disagree with the directory.
 */
#include "config.h"

#include "firmware/fw_zip.h"

#include <inttypes.h>

#define END_BYTES 22
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30
#define COMMENT_BYTES_MAX 65535
#define LOCATOR_BYTES 20
#define END64_BYTES 56
#define EXTRA_ZIP64 0x0001
#define WIDE32 0xFFFFFFFFU /* the value stands in the zip64 extra field */
#define WIDE16 0xFFFFU
#define TOTAL_BYTES_MAX (32U * 1024U * 1024U)
#define RATIO_MAX 200 /* LIMIT: firmware packs to a half; what packs better by far is a bomb */
#define RATIO_FREE_BYTES (1024U * 1024U)

#define FLAG_ENCRYPTED 0x0001
#define FLAG_SIZES_FOLLOW                                                                          \
	0x0008 /* local header has none: a data descriptor behind the data has                     \
		*/
#define FLAG_STRONG_ENCRYPTION 0x0040
#define FLAG_MASKED 0x2000
#define METHOD_STORED 0
#define METHOD_DEFLATED 8

struct member {
	const uint8_t *name;
	uint16_t name_bytes;
	uint16_t flags, method;
	uint32_t crc;
	uint64_t packed, size;
	size_t central; /* offset of its entry in the central directory */
	uint64_t first; /* of its local header */
	size_t end;	/* of its data */
};

struct archive {
	struct fw_loading *l;
	size_t central, central_end;
	struct member members[FW_ZIP_MEMBERS_MAX];
	size_t count;
	uint64_t total;
};

/* Offset of the end record; l->size when there is none. */
static size_t
find_end(const struct fw_loading *l)
{
	size_t low =
	    l->size > END_BYTES + COMMENT_BYTES_MAX ? l->size - END_BYTES - COMMENT_BYTES_MAX : 0;

	if (l->size < END_BYTES)
		return l->size;
	for (size_t at = l->size - END_BYTES + 1; at-- > low;)
		if (memcmp(l->data + at, "PK\x05\x06", 4) == 0 &&
		    at + END_BYTES + get_le16(l->data + at + 20) == l->size)
			return at;
	return l->size;
}

static uint64_t
get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
}

/* The values of a zip64 extra field (4.5.3), in the order in which they are asked for. */
struct wide {
	const uint8_t *p;
	size_t left;
};

static struct wide
find_wide(const uint8_t *extra, size_t n)
{
	while (n >= 4) {
		size_t bytes = get_le16(extra + 2);

		if (bytes > n - 4)
			break;
		if (get_le16(extra) == EXTRA_ZIP64)
			return (struct wide){ extra + 4, bytes };
		extra += 4 + bytes;
		n -= 4 + bytes;
	}
	return (struct wide){ NULL, 0 };
}

/* A field of 32 bits, or what the extra field has instead; without one it stays what it is. */
static uint64_t
widen(uint32_t v, struct wide *w)
{
	uint64_t value;

	if (v != WIDE32 || w->left < 8)
		return v;
	value = get_le64(w->p);
	w->p += 8;
	w->left -= 8;
	return value;
}

/*
 * The zip64 end record before the end record at offset at (4.3.14, 4.3.15), if there is one: count,
 * size and offset of the directory, and where it ends.
 */
static int
read_end64(struct archive *a, size_t at, uint64_t *count, uint64_t *size, uint64_t *offset)
{
	struct fw_loading *l = a->l;
	const uint8_t *p;
	uint64_t where;

	a->central_end = at;
	if (at < LOCATOR_BYTES || memcmp(l->data + at - LOCATOR_BYTES, "PK\x06\x07", 4) != 0)
		return 0;
	p = l->data + at - LOCATOR_BYTES;
	where = get_le64(p + 8);
	if (get_le32(p + 4) != 0 || get_le32(p + 16) > 1)
		return fw_refuse(l, at - LOCATOR_BYTES,
				 "zip archive of several volumes (zip64 locator at offset %zu)",
				 at - LOCATOR_BYTES);
	if (at < LOCATOR_BYTES + END64_BYTES || where > at - LOCATOR_BYTES - END64_BYTES ||
	    memcmp(l->data + where, "PK\x06\x06", 4) != 0 ||
	    get_le64(l->data + where + 4) + 12 != at - LOCATOR_BYTES - where)
		return fw_refuse(l, at - LOCATOR_BYTES + 8,
				 "zip archive: no zip64 end record where offset %zu says",
				 at - LOCATOR_BYTES + 8);
	p = l->data + where;
	*count = get_le64(p + 32);
	*size = get_le64(p + 40);
	*offset = get_le64(p + 48);
	a->central_end = (size_t)where;
	return 1;
}

/* The end record and the zip64 end record agree where the first says anything. */
static bool
agrees(const uint8_t *end, uint64_t count, uint64_t size, uint64_t offset)
{
	return (get_le16(end + 10) == WIDE16 || get_le16(end + 10) == count) &&
	       (get_le32(end + 12) == WIDE32 || get_le32(end + 12) == size) &&
	       (get_le32(end + 16) == WIDE32 || get_le32(end + 16) == offset);
}

static int
read_end(struct archive *a)
{
	struct fw_loading *l = a->l;
	size_t at = find_end(l);
	const uint8_t *p = l->data + at;
	uint64_t count, size, offset;
	int r;

	if (at == l->size)
		return fw_refuse(
		    l, at,
		    "zip archive without an end of central directory: the file is truncated");
	if (get_le16(p + 4) != 0 || get_le16(p + 6) != 0 || get_le16(p + 8) != get_le16(p + 10))
		return fw_refuse(l, at + 4,
				 "zip archive of several volumes (end record at offset %zu)", at);
	count = get_le16(p + 10);
	size = get_le32(p + 12);
	offset = get_le32(p + 16);
	r = read_end64(a, at, &count, &size, &offset);
	if (r < 0)
		return r;
	if (count == 0 || count > FW_ZIP_MEMBERS_MAX)
		return fw_refuse(l, at + 10,
				 "zip archive with %" PRIu64
				 " members, expected 1 to %d (end record at offset %zu)",
				 count, FW_ZIP_MEMBERS_MAX, at);
	if (offset > a->central_end || a->central_end - offset != size ||
	    !agrees(p, count, size, offset))
		return fw_refuse(l, at + 12,
				 "zip archive: central directory of %" PRIu64
				 " bytes at offset %" PRIu64
				 " does not end at the end record (offset %zu)",
				 size, offset, a->central_end);
	a->count = (size_t)count;
	a->central = (size_t)offset;
	return 0;
}

/* QUIRK: Windows PowerShell 5 separates folders by backslashes. */
static bool
is_separator(uint8_t c)
{
	return c == '/' || c == '\\';
}

/* Plain relative names only. */
static bool
is_safe_name(const uint8_t *name, size_t n)
{
	size_t part = 0;

	if (n == 0 || n > FW_ZIP_NAME_MAX || is_separator(name[0]))
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && !is_separator(name[i])) {
			if (name[i] < 0x20 || name[i] == 0x7F || name[i] == ':')
				return false;
			continue;
		}
		if (i - part == 2 && memcmp(name + part, "..", 2) == 0)
			return false;
		part = i + 1;
	}
	return true;
}

static int
check_member(struct archive *a, const struct member *m, size_t index)
{
	struct fw_loading *l = a->l;
	char name[FW_ZIP_NAME_MAX + 1];

	fw_clean_text(name, sizeof(name), m->name, m->name_bytes);
	if (!is_safe_name(m->name, m->name_bytes))
		return fw_refuse(l, m->central + CENTRAL_BYTES,
				 "zip member \"%s\": not a plain file name", name);
	for (size_t i = 0; i < index; i++)
		if (a->members[i].name_bytes == m->name_bytes &&
		    memcmp(a->members[i].name, m->name, m->name_bytes) == 0)
			return fw_refuse(l, m->central, "zip member \"%s\": is there twice", name);
	if ((m->flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED)) != 0)
		return fw_refuse(l, m->central + 8, "zip member \"%s\": is encrypted", name);
	if (m->method != METHOD_STORED && m->method != METHOD_DEFLATED)
		return fw_refuse(l, m->central + 10,
				 "zip member \"%s\": packing method %u, expected 0 or 8", name,
				 m->method);
	a->total += m->size;
	if (m->size > FW_ZIP_MEMBER_BYTES_MAX || a->total > TOTAL_BYTES_MAX)
		return fw_refuse(l, m->central + 24,
				 "zip member \"%s\": %" PRIu64 " bytes unpacked, the limit is %u",
				 name, m->size, FW_ZIP_MEMBER_BYTES_MAX);
	if (m->size > RATIO_FREE_BYTES && m->size / RATIO_MAX > m->packed)
		return fw_refuse(l, m->central + 24,
				 "zip member \"%s\": %" PRIu64 " bytes packed into %" PRIu64
				 ": no firmware does that",
				 name, m->size, m->packed);
	return 0;
}

/* The sizes of the local header, where it has any, are those of the directory. */
static bool
sizes_agree(const uint8_t *p, const struct member *m)
{
	struct wide w = find_wide(p + LOCAL_BYTES + get_le16(p + 26), get_le16(p + 28));
	/* 4.5.3: in a local header the field has both, the unpacked size first. */
	uint64_t size = widen(get_le32(p + 22), &w), packed = widen(get_le32(p + 18), &w);

	return (m->flags & FLAG_SIZES_FOLLOW) != 0 ||
	       (get_le32(p + 14) == m->crc && packed == m->packed && size == m->size);
}

/* The local header says the same as the central directory. */
static int
check_local(struct archive *a, struct member *m)
{
	struct fw_loading *l = a->l;
	const uint8_t *p;
	size_t left, head;

	if (m->first > a->central || a->central - m->first < LOCAL_BYTES ||
	    memcmp(l->data + m->first, "PK\x03\x04", 4) != 0)
		return fw_refuse(l, m->central + 42,
				 "zip entry at offset %zu: no local header at offset %" PRIu64,
				 m->central, m->first);
	p = l->data + m->first;
	left = a->central - (size_t)m->first;
	head = LOCAL_BYTES + (size_t)get_le16(p + 26) + get_le16(p + 28);
	if (head > left || m->packed > left - head)
		return fw_refuse(l, (size_t)m->first,
				 "zip member at offset %" PRIu64 ": %" PRIu64
				 " bytes claimed, %zu left",
				 m->first, m->packed, head > left ? 0 : left - head);
	if (get_le16(p + 26) != m->name_bytes ||
	    memcmp(p + LOCAL_BYTES, m->name, m->name_bytes) != 0 || get_le16(p + 8) != m->method ||
	    get_le16(p + 6) != m->flags)
		return fw_refuse(l, (size_t)m->first,
				 "zip member at offset %" PRIu64
				 ": local header and central directory disagree",
				 m->first);
	if (!sizes_agree(p, m))
		return fw_refuse(l, (size_t)m->first + 14,
				 "zip member at offset %" PRIu64
				 ": sizes in local header and central directory disagree",
				 m->first);
	m->end = (size_t)m->first + head + (size_t)m->packed;
	return 0;
}

/* An entry of the directory; its zip64 values in the order of 4.5.3. */
static struct member
take_entry(const uint8_t *p, size_t at)
{
	struct member m = { .name = p + CENTRAL_BYTES,
			    .name_bytes = get_le16(p + 28),
			    .flags = get_le16(p + 8),
			    .method = get_le16(p + 10),
			    .crc = get_le32(p + 16),
			    .central = at };
	struct wide w = find_wide(p + CENTRAL_BYTES + m.name_bytes, get_le16(p + 30));

	m.size = widen(get_le32(p + 24), &w);
	m.packed = widen(get_le32(p + 20), &w);
	m.first = widen(get_le32(p + 42), &w);
	return m;
}

static int
read_entry(struct archive *a, size_t index, size_t *at)
{
	struct fw_loading *l = a->l;
	struct member *m = &a->members[index];
	const uint8_t *p = l->data + *at;
	size_t left = a->central_end - *at, bytes;
	int r;

	if (left < CENTRAL_BYTES || memcmp(p, "PK\x01\x02", 4) != 0)
		return fw_refuse(l, *at, "zip archive: no directory entry %zu of %zu at offset %zu",
				 index + 1, a->count, *at);
	bytes = CENTRAL_BYTES + (size_t)get_le16(p + 28) + get_le16(p + 30) + get_le16(p + 32);
	if (bytes > left)
		return fw_refuse(l, *at, "zip entry at offset %zu: %zu bytes claimed, %zu left",
				 *at, bytes, left);
	*m = take_entry(p, *at);
	*at += bytes;
	r = check_member(a, m, index);
	if (r == 0)
		r = check_local(a, m);
	for (size_t i = 0; i < index && r == 0; i++)
		if (m->first < a->members[i].end && a->members[i].first < m->end)
			r = fw_refuse(l, (size_t)m->first,
				      "zip members at offsets %" PRIu64 " and %" PRIu64 " overlap",
				      a->members[i].first, m->first);
	return r;
}

int
fw_zip_check(struct fw_loading *l)
{
	struct archive a = { .l = l };
	size_t at;
	int r;

	if (l->size > FW_ZIP_BYTES_MAX)
		return fw_refuse(l, 0, "zip archive of %zu bytes, the limit is %u", l->size,
				 FW_ZIP_BYTES_MAX);
	r = read_end(&a);
	at = a.central;
	for (size_t i = 0; i < a.count && r == 0; i++)
		r = read_entry(&a, i, &at);
	if (r == 0 && at != a.central_end)
		r = fw_refuse(l, at, "zip archive: %zu bytes at offset %zu belong to no entry",
			      a.central_end - at, at);
	return r;
}
