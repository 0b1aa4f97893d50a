/* SPDX-License-Identifier: MIT */
/* Plain binaries with a DFU suffix: as they come, and with a right signature and CRC. */
#include "config.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "firmware/fw.h"
#include "fuzz/fuzz_suffix.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_input in = { .data = data, .size = size, .addr = FW_ADDR_DEFAULT };
	uint8_t *mended;

	(void)fuzz_file(&in);
	if (size < 16)
		return 0;
	mended = malloc(size);
	if (mended == NULL)
		return 0;
	memcpy(mended, data, size);
	mend_suffix(mended, size);
	in.data = mended;
	(void)fuzz_file(&in);
	free(mended);
	return 0;
}
