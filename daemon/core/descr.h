/* SPDX-License-Identifier: MIT */
/*
 * USB descriptors of a DFU device -> what we need of them.  USB 2.0 section 9.6; DFU 1.1
 * section 4.2. Hostile input: every length is checked (doc/faults.md H4, H5, H7).
 */
#ifndef CORE_DESCR_H
#define CORE_DESCR_H

#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

#define DESCR_ALTS_MAX 16 /* LIMIT: alternates that are looked at; the F405's ROM has 4 */

struct descr_dfu {
	uint16_t vid, pid, bcd_device;
	uint16_t transfer_bytes; /* wTransferSize: 64 to USB_TRANSFER_BYTES_MAX, even */
	uint16_t bcd_dfu;
	uint8_t attributes;
	size_t alt_count;
	uint8_t alt_string[DESCR_ALTS_MAX]; /* iInterface of alternate i */
};

/* 0, or -EINVAL with ret_why (static sentence). */
int descr_parse_dfu(const uint8_t *bytes, size_t length, struct descr_dfu *ret,
		    const char **ret_why) MUST_CHECK;

/*
 * A string descriptor -> bounded, terminated text; units outside printable ASCII become '?'.
 * -EINVAL when it is not a string descriptor.  QUIRK: bLength and the transferred length may
 * disagree (F427 ROMs): the smaller counts.
 */
int descr_parse_string(const uint8_t *bytes, size_t length, char *out, size_t size) MUST_CHECK;

#endif
