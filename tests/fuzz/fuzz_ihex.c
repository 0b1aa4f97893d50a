/* SPDX-License-Identifier: MIT */
/* Intel HEX: as it comes, and with every checksum made right. */
#include "config.h"

#include "fuzz/fuzz.h"

#include "firmware/fw.h"
#include "fuzz/fuzz_records.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_input in = { .data = data, .size = size };
	uint8_t *mended;

	(void)fuzz_file(&in);
	mended = mend_records(data, size, ':', 1, 0x00);
	if (mended == NULL)
		return 0;
	in.data = mended;
	(void)fuzz_file(&in);
	free(mended);
	return 0;
}
