/* SPDX-License-Identifier: MIT */
/* The DfuSe container (UM0391; doc/protocol.md 7) -> elements of every target. */
#include "config.h"

#include "firmware/fw.h"

#include <inttypes.h>

#include "cfdfu/dfu.h"
#include "firmware/fw_loading.h"

/* The part of the file that is being read: [at, end). */
struct cursor {
	size_t at, end;
};

static int
check_prefix(struct fw_loading *l)
{
	uint32_t size;

	if (l->size < DFUSE_PREFIX_BYTES + DFU_SUFFIX_BYTES)
		return fw_refuse(l, l->size,
				 "DfuSe file of %zu bytes: too short, at least %d expected",
				 l->size, DFUSE_PREFIX_BYTES + DFU_SUFFIX_BYTES);
	if (l->data[5] != 1)
		return fw_refuse(l, 5, "DfuSe prefix at offset 5: version is %u, expected 1",
				 l->data[5]);
	/* QUIRK: dfuse-pack since 0.10 counts the suffix, other tools do not. */
	size = get_le32(l->data + 6);
	l->facts->size_counts_suffix = size == l->size;
	if (size == l->size || size == l->size - DFU_SUFFIX_BYTES ||
	    size == l->size - l->data[l->size - 5])
		return 0;
	return fw_refuse(l, 6,
			 "DfuSe prefix at offset 6: DFUImageSize is %" PRIu32
			 ", expected %zu (the file has %zu bytes%s)",
			 size, l->size - DFU_SUFFIX_BYTES, l->size,
			 size > l->size ? ": it is truncated" : "");
}

static int
check_suffix(struct fw_loading *l)
{
	size_t at = l->size - DFU_SUFFIX_BYTES;
	int r = fw_read_suffix(l);

	if (r < 0)
		return r;
	if (r == 0)
		return fw_refuse(l, at + 8,
				 "no DFU suffix: \"UFD\" expected at offset %zu (truncated?)",
				 at + 8);
	if (l->facts->bcd_dfu == DFU_BCD_DFUSE)
		return 0;
	if (l->facts->bcd_dfu != 0x0100 && l->facts->bcd_dfu != 0x0110)
		return fw_refuse(l, at + 6,
				 "DFU suffix at offset %zu: bcdDFU is 0x%04X, expected 0x011A", at,
				 l->facts->bcd_dfu);
	fw_warn(l->facts, "bcdDFU is 0x%04X although the file is DfuSe (0x011A)",
		l->facts->bcd_dfu);
	return 0;
}

static int
read_element(struct fw_loading *l, struct cursor *c, unsigned target, uint32_t number)
{
	const uint8_t *p = l->data + c->at;
	struct fw_element e = { .alt = l->facts->targets[target].alt };
	size_t at = c->at;
	int r;

	if (c->end - c->at < DFUSE_ELEMENT_PREFIX_BYTES)
		return fw_refuse(l, at,
				 "target %u, element %" PRIu32
				 " at offset %zu: 8 bytes of address and size expected, %zu left",
				 target + 1, number + 1, at, c->end - c->at);
	e.addr = get_le32(p);
	e.size = get_le32(p + 4);
	e.offset = at + DFUSE_ELEMENT_PREFIX_BYTES;
	c->at = e.offset;
	if (e.size > c->end - c->at)
		return fw_refuse(l, at + 4,
				 "target %u, element %" PRIu32 " at offset %zu: %" PRIu32
				 " bytes claimed, %zu left",
				 target + 1, number + 1, at, e.size, c->end - c->at);
	if (e.size == 0)
		return fw_refuse(l, at + 4,
				 "target %u, element %" PRIu32 " at offset %zu: has no data",
				 target + 1, number + 1, at);
	r = fw_add_element(l, &e, l->data + e.offset);
	if (r == 0)
		c->at += e.size;
	return r;
}

static void
take_name(struct fw_target *t, const uint8_t *p)
{
	t->raw_named = get_le32(p + 7);
	memcpy(t->raw_name, p + 11, FW_TARGET_NAME_BYTES);
	/* QUIRK: some writers leave garbage in the upper bytes of bTargetNamed. */
	t->named = (t->raw_named & 0xFF) != 0;
	if (t->named)
		fw_clean_text(t->name, sizeof(t->name), t->raw_name, FW_TARGET_NAME_BYTES);
}

static int
read_target(struct fw_loading *l, struct cursor *c, unsigned number)
{
	struct fw_target *t = &l->facts->targets[number];
	const uint8_t *p = l->data + c->at;
	size_t at = c->at;
	uint32_t size, count;
	int r = 0;

	if (c->end - c->at < DFUSE_TARGET_PREFIX_BYTES)
		return fw_refuse(l, at,
				 "target %u at offset %zu: prefix of %d bytes expected, %zu left",
				 number + 1, at, DFUSE_TARGET_PREFIX_BYTES, c->end - c->at);
	if (memcmp(p, "Target", 6) != 0)
		return fw_refuse(l, at, "target %u at offset %zu: does not begin with \"Target\"",
				 number + 1, at);
	t->alt = p[6];
	take_name(t, p);
	size = get_le32(p + 266);
	count = get_le32(p + 270);
	c->at += DFUSE_TARGET_PREFIX_BYTES;
	if (size > c->end - c->at)
		return fw_refuse(l, at + 266,
				 "target %u at offset %zu: dwTargetSize is %" PRIu32
				 " bytes, %zu left",
				 number + 1, at, size, c->end - c->at);
	if (count == 0)
		return fw_refuse(l, at + 270, "target %u at offset %zu: has no elements",
				 number + 1, at);
	t->element_first = (uint32_t)l->facts->element_count;
	t->element_count = count;
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = read_element(l, c, number, i);
	if (r < 0)
		return r;
	if (c->at - at - DFUSE_TARGET_PREFIX_BYTES != size)
		return fw_refuse(l, at + 266,
				 "target %u at offset %zu: dwTargetSize is %" PRIu32
				 ", its elements make %zu",
				 number + 1, at, size, c->at - at - DFUSE_TARGET_PREFIX_BYTES);
	l->facts->target_count++;
	return 0;
}

int
fw_load_dfuse(struct fw_loading *l)
{
	struct cursor c = { .at = DFUSE_PREFIX_BYTES };
	unsigned targets;
	int r;

	l->facts->format = FW_DFUSE;
	if (l->size < 5 || memcmp(l->data, "DfuSe", 5) != 0)
		return fw_refuse(l, 0, "not a DfuSe file: \"DfuSe\" expected at offset 0");
	fw_drop_second_suffix(l);
	r = check_prefix(l);
	if (r == 0)
		r = check_suffix(l);
	if (r < 0)
		return r;
	c.end = l->size - l->facts->suffix_bytes;
	if (c.end < DFUSE_PREFIX_BYTES)
		return fw_refuse(l, 0, "DfuSe file: its suffix of %u bytes covers its prefix",
				 l->facts->suffix_bytes);
	targets = l->data[10];
	if (targets == 0 || targets > IMAGE_TARGETS_MAX)
		return fw_refuse(l, 10, "DfuSe prefix at offset 10: %u targets, expected 1 to %d",
				 targets, IMAGE_TARGETS_MAX);
	for (unsigned i = 0; i < targets && r == 0; i++)
		r = read_target(l, &c, i);
	if (r == 0 && c.at != c.end)
		return fw_refuse(l, c.at,
				 "%zu bytes at offset %zu that belong to no target (%u announced)",
				 c.end - c.at, c.at, targets);
	return r;
}

int
fw_dfuse_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
	      struct fw_error *ret_error)
{
	return fw_load_with(fw_load_dfuse, in, ret_image, ret_facts, ret_error);
}
