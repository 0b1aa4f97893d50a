/* SPDX-License-Identifier: MIT */
/*
 * Release zips.  An input that begins with "PK" is an archive; any other is a manifest, packed here
 * (stored, with right checksums) beside a small "cf2.bin", so that the JSON is reached without
 * breaking a CRC.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cfdfu/util.h"
#include "firmware/fw.h"

#define MANIFEST_BYTES_MAX 70000U

struct member {
	const char *name;
	const uint8_t *data;
	uint32_t size;
};

/* APPNOTE.TXT 6.3, section 4.3.7 without signature and 4.3.12: what both headers have in common. */
static void
put_common(uint8_t *p, const struct member *m)
{
	memset(p, 0, 26);
	p[0] = 20; /* version needed */
	put_le32(p + 10, (uint32_t)crc32_z(crc32_z(0, NULL, 0), m->data, m->size));
	put_le32(p + 14, m->size);
	put_le32(p + 18, m->size);
	put_le16(p + 22, (uint16_t)strlen(m->name));
}

static size_t
put_local(uint8_t *p, const struct member *m)
{
	size_t n = strlen(m->name);

	memcpy(p, "PK\x03\x04", 4);
	put_common(p + 4, m);
	memcpy(p + 30, m->name, n);
	if (m->size > 0)
		memcpy(p + 30 + n, m->data, m->size);
	return 30 + n + m->size;
}

static size_t
put_entry(uint8_t *p, const struct member *m, size_t offset)
{
	size_t n = strlen(m->name);

	memset(p, 0, 46);
	memcpy(p, "PK\x01\x02", 4);
	put_common(p + 6, m);
	put_le32(p + 42, (uint32_t)offset);
	memcpy(p + 46, m->name, n);
	return 46 + n;
}

static void
run_manifest(const uint8_t *data, size_t size)
{
	static const uint8_t firmware[64] = { 0xFF, 0xFF, 0x01, 0x20, 0x09, 0x40, 0x00, 0x08 };
	const struct member members[2] = { { "manifest.json", data, (uint32_t)size },
					   { "cf2.bin", firmware, sizeof(firmware) } };
	uint8_t *zip = malloc(size + 1024);
	size_t offsets[2], at = 0, central;
	struct fw_input in = { .addr = FW_ADDR_DEFAULT };

	if (zip == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		offsets[i] = at;
		at += put_local(zip + at, &members[i]);
	}
	central = at;
	for (int i = 0; i < 2; i++)
		at += put_entry(zip + at, &members[i], offsets[i]);
	memset(zip + at, 0, 22);
	memcpy(zip + at, "PK\x05\x06", 4);
	put_le16(zip + at + 8, 2);
	put_le16(zip + at + 10, 2);
	put_le32(zip + at + 12, (uint32_t)(at - central));
	put_le32(zip + at + 16, (uint32_t)central);
	in.data = zip;
	in.size = at + 22;
	(void)fuzz_file(&in);
	free(zip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_input in = { .data = data, .size = size, .addr = FW_ADDR_DEFAULT };

	if (size >= 2 && memcmp(data, "PK", 2) == 0)
		(void)fuzz_file(&in);
	else if (size <= MANIFEST_BYTES_MAX)
		run_manifest(data, size);
	return 0;
}
