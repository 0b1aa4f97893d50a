/* SPDX-License-Identifier: MIT */
/* Any bytes as the descriptors of a device in DFU mode, and as a string descriptor of it. */
#include "config.h"

#include "core/descr.h"

#include <assert.h>
#include <string.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_device(const uint8_t *data, size_t size)
{
	struct descr_dfu d;
	const char *why = NULL;

	if (descr_parse_dfu(data, size, &d, &why) < 0) {
		assert(why != NULL);
		return;
	}
	assert(d.alt_count > 0 && d.alt_count <= DESCR_ALTS_MAX);
	assert(d.transfer_bytes >= 64 && d.transfer_bytes <= USB_TRANSFER_BYTES_MAX);
	assert(d.transfer_bytes % 2 == 0);
}

static void
parse_string(const uint8_t *data, size_t size)
{
	char text[LAYOUT_TEXT_MAX], little[4];
	struct layout l;
	size_t n;

	if (descr_parse_string(data, size, text, sizeof(text)) < 0)
		return;
	n = strlen(text);
	assert(n < sizeof(text) && n <= size / 2);
	for (size_t i = 0; i < n; i++)
		assert(text[i] >= 0x20 && text[i] < 0x7F);
	assert(descr_parse_string(data, size, little, sizeof(little)) == 0);
	assert(strlen(little) < sizeof(little) && strncmp(text, little, strlen(little)) == 0);
	/* A memory map is such a text: what is taken for one has a run of sectors at least. */
	if (layout_parse(text, n, &l, NULL, NULL) == 0)
		assert(l.run_count > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse_device(data, size);
	parse_string(data, size);
	return 0;
}
