/* SPDX-License-Identifier: MIT */
/* A plain binary with the suffix of DFU 1.x (DFU 1.1 appendix B) -> its bytes at the given address.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include "cfdfu/dfu.h"

int
fw_load_dfu(struct fw_loading *l)
{
	struct fw_element e = { .addr = l->addr };
	size_t bytes;
	int r;

	fw_drop_second_suffix(l);
	r = fw_read_suffix(l);
	if (r < 0)
		return r;
	if (r == 0)
		return fw_refuse(l, 0, "no DFU suffix at the end of the file");
	if (l->facts->bcd_dfu != 0x0100 && l->facts->bcd_dfu != 0x0110)
		return fw_refuse(l, l->size - DFU_SUFFIX_BYTES + 6,
				 "DFU suffix: bcdDFU is 0x%04X, expected 0x0100 or 0x0110%s",
				 l->facts->bcd_dfu,
				 l->facts->bcd_dfu == DFU_BCD_DFUSE
				     ? " (0x011A is DfuSe, but the file does not begin so)"
				     : "");
	bytes = l->size - l->facts->suffix_bytes;
	if (bytes == 0)
		return fw_refuse(l, 0, "a DFU suffix and nothing before it");
	if (bytes > IMAGE_BYTES_MAX)
		return fw_refuse(l, 0, "%zu bytes, the limit is %u", bytes, IMAGE_BYTES_MAX);
	e.size = (uint32_t)bytes;
	r = fw_refuse_text(l, l->data, e.size);
	return r == 0 ? fw_add_element(l, &e, l->data) : r;
}
