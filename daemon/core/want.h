/* SPDX-License-Identifier: MIT */
/*
 * What a conversation (dfuse, crtp, flash) wants next from the outside.  A plain value.
 *
 * Conversations are sans-IO: X_next() says what is wanted, X_ended() reports how the transfer went,
 * and time comes in as now_us (microseconds of any monotonic clock).  X_next() may be called again
 * before anything happened and then says the same.
 */
#ifndef CORE_WANT_H
#define CORE_WANT_H

#include <stdint.h>

#include "cfdfu/usb_port.h"

enum want_kind {
	WANT_NOTHING, /* waits for something else than a transfer or the clock */
	WANT_XFER,    /* this transfer; its data pointer stays good until the transfer has ended */
	WANT_PAUSE,   /* ask again at until_us */
	WANT_OVER,    /* finished, one way or the other */
};

struct want {
	enum want_kind kind;
	struct usb_xfer xfer;
	uint64_t until_us;
};

#endif
