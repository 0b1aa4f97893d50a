/* SPDX-License-Identifier: MIT */
/* DfuSe files: as they come, and with signature, size and CRC made right so that the rest is
 * reached. */
#include "config.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "firmware/fw.h"
#include "fuzz/fuzz_suffix.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_input in = { .data = data, .size = size, .any_ids = size % 2 == 1 };
	uint8_t *mended;

	(void)fuzz_file(&in);
	if (size < 11 + 16)
		return 0;
	mended = malloc(size);
	if (mended == NULL)
		return 0;
	memcpy(mended, data, size);
	memcpy(mended, "DfuSe\x01", 6);
	put_le32(mended + 6, (uint32_t)(size % 4 == 3 ? size : size - 16));
	mend_suffix(mended, size);
	in.data = mended;
	(void)fuzz_file(&in);
	free(mended);
	return 0;
}
