/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/descr.h"

#include <errno.h>

#include "cfdfu/dfu.h"
#include "cfdfu/usb_port.h"

enum {
	TYPE_DEVICE = 1,
	TYPE_CONFIGURATION = 2,
	TYPE_STRING = 3,
	TYPE_INTERFACE = 4,
	DEVICE_BYTES = 18,
	CONFIGURATION_BYTES = 9,
	INTERFACE_BYTES = 9,
	FUNCTIONAL_BYTES = 9,
	TRANSFER_BYTES_MIN = 64,
};

static const char *
take_interface(const uint8_t *d, struct descr_dfu *out)
{
	if (d[0] < INTERFACE_BYTES)
		return "an interface descriptor is too short";
	if (d[2] != 0)
		return "there are more interfaces than the one for DFU";
	if (d[5] != 0xFE || d[6] != 0x01 || d[7] != 0x02)
		return "the interface is not one of a device in DFU mode";
	if (d[3] != out->alt_count)
		return "the alternate settings are not numbered in order";
	if (out->alt_count == DESCR_ALTS_MAX)
		return "there are too many alternate settings";
	out->alt_string[out->alt_count++] = d[8];
	return NULL;
}

static const char *
take_functional(const uint8_t *d, struct descr_dfu *out)
{
	if (d[0] < FUNCTIONAL_BYTES)
		return "the DFU functional descriptor is too short";
	out->attributes = d[2];
	out->transfer_bytes = get_le16(d + 5);
	out->bcd_dfu = get_le16(d + 7);
	/* WHY not less than is announced: block numbers count in units of wTransferSize, so smaller
	 * blocks would land elsewhere than they are read back from (AN3156, DNLOAD and UPLOAD). */
	if (out->transfer_bytes < TRANSFER_BYTES_MIN ||
	    out->transfer_bytes > USB_TRANSFER_BYTES_MAX || out->transfer_bytes % 2 != 0)
		return "wTransferSize is none that we work with (64 to 4096, even)";
	return NULL;
}

static const char *
walk(const uint8_t *bytes, size_t length, struct descr_dfu *out)
{
	const char *why = NULL;

	while (length > 0 && why == NULL) {
		if (length < 2 || bytes[0] < 2 || bytes[0] > length)
			return "a descriptor reaches past the end";
		if (bytes[1] == TYPE_INTERFACE)
			why = take_interface(bytes, out);
		else if (bytes[1] == DFU_FUNCTIONAL_DESCRIPTOR)
			why = take_functional(bytes, out);
		length -= bytes[0];
		bytes += bytes[0];
	}
	return why;
}

static const char *
parse(const uint8_t *bytes, size_t length, struct descr_dfu *out)
{
	const char *why;
	size_t total;

	if (length < DEVICE_BYTES + CONFIGURATION_BYTES || bytes[0] != DEVICE_BYTES ||
	    bytes[1] != TYPE_DEVICE || bytes[DEVICE_BYTES + 1] != TYPE_CONFIGURATION)
		return "device or configuration descriptor is missing";
	out->vid = get_le16(bytes + 8);
	out->pid = get_le16(bytes + 10);
	out->bcd_device = get_le16(bytes + 12);
	total = get_le16(bytes + DEVICE_BYTES + 2);
	if (total < CONFIGURATION_BYTES || total > length - DEVICE_BYTES)
		return "wTotalLength of the configuration is wrong";
	why = walk(bytes + DEVICE_BYTES, total, out);
	if (why != NULL)
		return why;
	if (out->alt_count == 0)
		return "there is no DFU interface";
	if (out->bcd_dfu != DFU_BCD_DFUSE)
		return "it does not speak DfuSe (bcdDFUVersion is not 1.1a)";
	return NULL;
}

int
descr_parse_dfu(const uint8_t *bytes, size_t length, struct descr_dfu *ret, const char **ret_why)
{
	struct descr_dfu out = { 0 };
	const char *why = parse(bytes, length, &out);

	if (why != NULL) {
		*ret_why = why;
		return -EINVAL;
	}
	*ret = out;
	return 0;
}

int
descr_parse_string(const uint8_t *bytes, size_t length, char *out, size_t size)
{
	size_t units, n = 0;

	if (length < 2 || bytes[1] != TYPE_STRING || bytes[0] < 2)
		return -EINVAL;
	units = ((bytes[0] < length ? bytes[0] : length) - 2) / 2;
	for (size_t i = 0; i < units && n + 1 < size; i++) {
		uint16_t unit = get_le16(bytes + 2 + 2 * i);

		if (unit == 0)
			break;
		out[n++] = unit >= 0x20 && unit < 0x7F ? (char)unit : '?';
	}
	out[n] = '\0';
	return 0;
}
