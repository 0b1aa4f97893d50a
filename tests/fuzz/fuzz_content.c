/* SPDX-License-Identifier: MIT */
/* Any bytes as a plain binary, at the usual address or one from the input: content and judge. */
#include "config.h"

#include "fuzz/fuzz.h"

#include "cfdfu/util.h"
#include "firmware/content.h"
#include "firmware/fw.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_input in = { .data = data, .size = size, .addr = FW_ADDR_DEFAULT };
	struct content c;

	(void)fuzz_file(&in);
	if (size < 8)
		return 0;
	in.addr = get_le32(data + 4) & 0xFFFFC000U; /* where its reset vector says it belongs */
	(void)fuzz_file(&in);
	content_read_bytes(data, size, in.addr, &c);
	return 0;
}
