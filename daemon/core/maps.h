/* SPDX-License-Identifier: MIT */
/*
 * Reading the memory maps of a device in DFU mode (the names of its alternate settings), and
 * telling from them which kind of device it is.  Standard GET_DESCRIPTOR requests only: nothing
 * that a foreign device could mind.
 */
#ifndef CORE_MAPS_H
#define CORE_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/outcome.h"
#include "core/descr.h"
#include "cfdfu/layout.h"
#include "cfdfu/device.h"
#include "core/request.h"

struct maps {
	struct layout map[DEVICE_ALTS_MAX];
	bool known[DEVICE_ALTS_MAX];
	bool assumed; /* alternate 0 was garbled, the family's own map is used */
	uint32_t transfers;
	/* private */
	bool over;
	bool garbled_flash; /* alternate 0 begins like the F405's name, but is no map */
	bool unread;	    /* alternate 0 gave no string at all */
	uint8_t alt, alt_count;
	uint8_t string[DEVICE_ALTS_MAX];
	uint16_t bcd_device;
	uint8_t tries;
	enum fault fault;
	enum fault unread_fault; /* NONE: a string came, but not one of use */
};

void maps_init(struct maps *m, const struct descr_dfu *descr);
void maps_next(const struct maps *m,
	       struct request *ret_request); /* REQUEST_OVER when all are read */
void maps_ended(struct maps *m, enum usb_status status, const uint8_t *data, size_t length);

/* Only FAULT_GONE: the device vanished.  The reason why the first map was not read is in
 * unread_fault. */
enum fault maps_fault(const struct maps *m);

/*
 * The first of the profiles that this device can be: a map that the profile gives must agree with
 * the device's.  own: we sent a Crazyflie here ourselves; then only the family's profile counts,
 * and a garbled map may be assumed (doc/protocol.md 8, last table).  NULL with ret_why when there
 * is none.
 */
const struct device *maps_choose(struct maps *m, const struct device *const *profiles, size_t count,
				 bool own, const char **ret_why);

#endif
