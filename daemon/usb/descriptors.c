/* SPDX-License-Identifier: MIT */
/* USB 2.0, sections 9.6.1 and 9.6.3: device and configuration descriptors.  The bytes come from a
 * device. */
#include "config.h"

#include "usb/descriptors.h"

#include <errno.h>

#define DEVICE_TYPE 1
#define CONFIGURATION_TYPE 2
#define CONFIGURATION_BYTES 9

/* QUIRK: the kernel stores four words of the device descriptor in its own byte order
 * (drivers/usb/core/devio.c). */
static void
put_into_bus_order(uint8_t *device)
{
	static const unsigned char words_at[] = { 2, 8, 10, 12 };
	uint16_t word;

	for (size_t i = 0; i < sizeof(words_at); i++) {
		memcpy(&word, device + words_at[i], sizeof(word));
		put_le16(device + words_at[i], word);
	}
}

int
descriptors_select(uint8_t *bytes, size_t length, uint8_t configuration_value)
{
	size_t at = USB_DEVICE_DESCRIPTOR_BYTES;

	if (length < at || bytes[0] != USB_DEVICE_DESCRIPTOR_BYTES || bytes[1] != DEVICE_TYPE)
		return -EPROTO;
	while (length - at >= CONFIGURATION_BYTES) {
		const uint8_t *config = bytes + at;
		size_t total = get_le16(config + 2);

		if (config[0] < CONFIGURATION_BYTES || config[1] != CONFIGURATION_TYPE ||
		    total < CONFIGURATION_BYTES)
			return -EPROTO;
		if (total > length - at)
			return -EMSGSIZE;
		if (configuration_value == 0 || config[5] == configuration_value) {
			put_into_bus_order(bytes);
			memmove(bytes + USB_DEVICE_DESCRIPTOR_BYTES, config, total);
			return (int)(USB_DEVICE_DESCRIPTOR_BYTES + total);
		}
		at += total;
	}
	return length == at ? -EPROTO : -EMSGSIZE;
}
