/* SPDX-License-Identifier: MIT */
/* Which of the bytes that usbfs gives for a device are its active configuration. */
#ifndef USB_DESCRIPTORS_H
#define USB_DESCRIPTORS_H

#include "cfdfu/util.h"

#define USB_DEVICE_DESCRIPTOR_BYTES 18

/*
 * bytes: the device descriptor in the machine's byte order, then all configurations back to back,
 * as read(2) of a usbfs node has them.  Puts the device descriptor into bus order and the
 * configuration with this value (0: the first) right behind it.  The length of both, or -EPROTO
 * when the bytes make no sense, -EMSGSIZE when the configuration is not whole.
 */
int descriptors_select(uint8_t *bytes, size_t length, uint8_t configuration_value) MUST_CHECK;

#endif
