/* SPDX-License-Identifier: MIT */
/* Checks the structure of a zip archive (APPNOTE.TXT 6.3, sections 4.3 and 4.4) and unpacks members
 * with libzip. */
#include "config.h"

#include "firmware/fw_zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define END_BYTES 22
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30
#define COMMENT_BYTES_MAX 65535
#define NAME_BYTES_MAX 100 /* LIMIT: release files have names of some thirty characters */
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
	uint32_t crc, packed, size;
	size_t central;	   /* offset of its entry in the central directory */
	size_t first, end; /* the file's bytes from its local header to the end of its data */
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

static int
read_end(struct archive *a)
{
	struct fw_loading *l = a->l;
	size_t at = find_end(l);
	const uint8_t *p = l->data + at;
	uint32_t size, offset;

	if (at == l->size)
		return fw_refuse(
		    l, at,
		    "zip archive without an end of central directory: the file is truncated");
	if (get_le16(p + 4) != 0 || get_le16(p + 6) != 0 || get_le16(p + 8) != get_le16(p + 10))
		return fw_refuse(l, at + 4,
				 "zip archive of several volumes (end record at offset %zu)", at);
	a->count = get_le16(p + 10);
	size = get_le32(p + 12);
	offset = get_le32(p + 16);
	if (a->count == 0 || a->count > FW_ZIP_MEMBERS_MAX)
		return fw_refuse(
		    l, at + 10,
		    "zip archive with %zu members, expected 1 to %d (end record at offset %zu)",
		    a->count, FW_ZIP_MEMBERS_MAX, at);
	if (offset > at || at - offset != size)
		return fw_refuse(l, at + 12,
				 "zip archive: central directory of %" PRIu32
				 " bytes at offset %" PRIu32
				 " does not end at the end record (offset %zu)",
				 size, offset, at);
	a->central = offset;
	a->central_end = at;
	return 0;
}

/* Plain relative names only. */
static bool
is_safe_name(const uint8_t *name, size_t n)
{
	size_t part = 0;

	if (n == 0 || n > NAME_BYTES_MAX || name[0] == '/')
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && name[i] != '/') {
			if (name[i] < 0x20 || name[i] == 0x7F || name[i] == '\\' || name[i] == ':')
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
	char name[NAME_BYTES_MAX + 1];

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
				 "zip member \"%s\": %" PRIu32 " bytes unpacked, the limit is %u",
				 name, m->size, FW_ZIP_MEMBER_BYTES_MAX);
	if (m->size > RATIO_FREE_BYTES && m->size / RATIO_MAX > m->packed)
		return fw_refuse(l, m->central + 24,
				 "zip member \"%s\": %" PRIu32 " bytes packed into %" PRIu32
				 ": no firmware does that",
				 name, m->size, m->packed);
	return 0;
}

/* The local header says the same as the central directory. */
static int
check_local(struct archive *a, struct member *m)
{
	struct fw_loading *l = a->l;
	const uint8_t *p = l->data + m->first;
	size_t left = a->central - m->first, head;
	uint16_t flags;

	if (m->first > a->central || left < LOCAL_BYTES || memcmp(p, "PK\x03\x04", 4) != 0)
		return fw_refuse(l, m->central + 42,
				 "zip entry at offset %zu: no local header at offset %zu",
				 m->central, m->first);
	flags = get_le16(p + 6);
	head = LOCAL_BYTES + (size_t)get_le16(p + 26) + get_le16(p + 28);
	if (head > left || m->packed > left - head)
		return fw_refuse(l, m->first,
				 "zip member at offset %zu: %" PRIu32 " bytes claimed, %zu left",
				 m->first, m->packed, head > left ? 0 : left - head);
	if (get_le16(p + 26) != m->name_bytes ||
	    memcmp(p + LOCAL_BYTES, m->name, m->name_bytes) != 0 || get_le16(p + 8) != m->method ||
	    flags != m->flags)
		return fw_refuse(
		    l, m->first,
		    "zip member at offset %zu: local header and central directory disagree",
		    m->first);
	if ((flags & FLAG_SIZES_FOLLOW) == 0 &&
	    (get_le32(p + 14) != m->crc || get_le32(p + 18) != m->packed ||
	     get_le32(p + 22) != m->size))
		return fw_refuse(
		    l, m->first + 14,
		    "zip member at offset %zu: sizes in local header and central directory "
		    "disagree",
		    m->first);
	m->end = m->first + head + m->packed;
	return 0;
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
	*m = (struct member){ .name = p + CENTRAL_BYTES,
			      .name_bytes = get_le16(p + 28),
			      .flags = get_le16(p + 8),
			      .method = get_le16(p + 10),
			      .crc = get_le32(p + 16),
			      .packed = get_le32(p + 20),
			      .size = get_le32(p + 24),
			      .central = *at,
			      .first = get_le32(p + 42) };
	*at += bytes;
	r = check_member(a, m, index);
	if (r == 0)
		r = check_local(a, m);
	for (size_t i = 0; i < index && r == 0; i++)
		if (m->first < a->members[i].end && a->members[i].first < m->end)
			r = fw_refuse(l, m->first, "zip members at offsets %zu and %zu overlap",
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

/* The file is read to its very end, where libzip compares the CRC. */
static int
unpack(struct fw_loading *l, zip_file_t *f, const char *name, uint8_t *bytes, size_t size)
{
	uint8_t beyond;

	if (zip_fread(f, bytes, size) != (zip_int64_t)size || zip_fread(f, &beyond, 1) != 0)
		return fw_refuse(l, 0, "zip member \"%s\": is damaged (%s)", name,
				 zip_error_strerror(zip_file_get_error(f)));
	return 1;
}

static int
read_member(struct fw_loading *l, zip_t *z, zip_uint64_t index, size_t max, uint8_t **ret_bytes,
	    size_t *ret_size)
{
	zip_file_t *f = NULL;
	uint8_t *bytes = NULL;
	zip_stat_t st;
	int r;

	if (zip_stat_index(z, index, 0, &st) != 0)
		return fw_refuse(l, 0, "zip archive: %s", zip_strerror(z));
	if (st.size == 0 || st.size > max)
		return fw_refuse(l, 0, "zip member \"%s\": %" PRIu64 " bytes, expected 1 to %zu",
				 st.name, (uint64_t)st.size, max);
	f = zip_fopen_index(z, index, 0);
	if (f == NULL)
		return fw_refuse(l, 0, "zip member \"%s\": %s", st.name, zip_strerror(z));
	bytes = malloc(st.size);
	r = bytes != NULL ? unpack(l, f, st.name, bytes, st.size) : fw_no_memory(l);
	(void)zip_fclose(f); /* only read: what mattered was seen by unpack() */
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_size = st.size;
	return r;
}

int
fw_zip_read(struct fw_loading *l, const char *name, size_t max, uint8_t **ret_bytes,
	    size_t *ret_size)
{
	zip_source_t *source = zip_source_buffer_create(l->in->data, l->in->size, 0, NULL);
	zip_t *z = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
	zip_int64_t index;
	int r = 0;

	if (z == NULL) {
		zip_source_free(source);
		return fw_refuse(l, 0, "zip archive: cannot be opened");
	}
	index = zip_name_locate(z, name, ZIP_FL_ENC_RAW);
	if (index >= 0)
		r = read_member(l, z, (zip_uint64_t)index, max, ret_bytes, ret_size);
	zip_discard(z); /* with its source */
	return r;
}
