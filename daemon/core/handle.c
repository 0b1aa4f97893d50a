/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/handle.h"

#include <errno.h>

#include "cfdfu/util.h"

enum { OPEN_TRIES = 10 };

/* cost: tries of the ten that this error is worth. */
static const struct {
	int error;
	enum fault fault;
	uint32_t retry_us;
	uint8_t cost;
} open_errors[] = {
	/* Right after arrival udev is still at work (doc/protocol.md 10, row 9). */
	{ -EACCES, FAULT_PERMISSION, 200000, 1 }, { -EPERM, FAULT_PERMISSION, 200000, 1 },
	{ -EBUSY, FAULT_BUSY, 500000, 3 }, /* another program has it (doc/faults.md U17) */
	{ -ENODEV, FAULT_GONE, 0, OPEN_TRIES },	  { -ENOENT, FAULT_OPEN, 200000, 1 },
	{ -ENOMEM, FAULT_NO_MEMORY, 200000, 1 },  { 0, FAULT_OPEN, 200000, 1 }, /* any other */
};

bool
handle_is_open(const struct handle *h)
{
	return h->state >= HANDLE_OPEN;
}

struct handle_failure
handle_open_failed(struct handle *h, int error, bool spoken)
{
	struct handle_failure failure;
	size_t i = 0;

	while (i < ARRAY_LEN(open_errors) - 1 && open_errors[i].error != error)
		i++;
	failure.fault = open_errors[i].fault;
	failure.retry_us = open_errors[i].retry_us;
	/* WHY: the device had a node before; it was unplugged, and that event is still to come. */
	if (error == -ENOENT && spoken)
		failure.fault = FAULT_GONE;
	h->open_tries = (uint8_t)(h->open_tries + open_errors[i].cost);
	if (h->open_tries >= OPEN_TRIES)
		failure.retry_us = 0;
	return failure;
}
