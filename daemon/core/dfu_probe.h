/* SPDX-License-Identifier: MIT */
/*
 * The identity of a device in DFU mode: its descriptors, its memory layout, the profile that fits
 * them; and of a Crazyflie its OTP, its option bytes and its boot loader.  Only reads, and says
 * which operation it needs next; the session carries them out.
 *
 *   LAYOUT --> CLEAN --> OTP --> OPTIONS --> LOADER --> DONE           [dfu_probe_took]
 *              CLEAN --> DONE                           another kind   [dfu_probe_took]
 *   any    --> FAILED                                                  [dfu_probe_opened,
 *                                                                       layout_is_read]
 */
#ifndef CORE_DFU_PROBE_H
#define CORE_DFU_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/platform.h"
#include "core/descr.h"
#include "core/dfuse.h"
#include "core/maps.h"
#include "core/platform.h"
#include "cfdfu/device.h"
#include "core/request.h"

#define DFU_LOADER_BYTES 0x4000

enum dfu_otp { DFU_OTP_UNREAD, DFU_OTP_TYPE, DFU_OTP_BLANK, DFU_OTP_NONE };

enum dfu_probe_stage {
	DFU_PROBE_LAYOUT,
	DFU_PROBE_CLEAN,
	DFU_PROBE_OTP,
	DFU_PROBE_OPTIONS,
	DFU_PROBE_LOADER,
	DFU_PROBE_DONE,
	DFU_PROBE_FAILED,
	DFU_PROBE_STAGE_COUNT
};

struct dfu_probe_options {
	const struct device *const *profiles; /* what it may be, in order; borrowed */
	size_t profile_count;
	bool sent_by_us; /* its layout may be garbled (doc/protocol.md 8, last table) */
};

/* Embedded in its owner, who reads what was found and changes nothing. */
struct dfu_probe {
	struct descr_dfu descr;
	struct maps maps;
	const struct device *profile; /* what it is; NULL until its layout is read */
	enum dfu_otp otp;
	char board[BOARD_TYPE_MAX];
	bool loader_blank;
	uint32_t write_protected; /* BIT(sector), as the option bytes say; 0 unknown */
	uint8_t *loader;	  /* DONE: DFU_LOADER_BYTES, until dfu_probe_forget() */
	enum dfu_probe_stage stage;
	enum fault fault; /* FAILED: why ... */
	const char *why;  /* ... and words beside it, static, or NULL */
	/* private */
	struct dfu_probe_options options;
	uint32_t at;
};

/* All zero before the first time. */
void dfu_probe_init(struct dfu_probe *p, const struct dfu_probe_options *options);

/* Frees what it holds: the copy of the boot loader. */
void dfu_probe_forget(struct dfu_probe *p);

/* The descriptors of the opened device; must come before all that follows. */
void dfu_probe_opened(struct dfu_probe *p, const uint8_t *descriptors, size_t length);

/* The device was reset by us: its layout is read anew. */
void dfu_probe_again(struct dfu_probe *p);

/* LAYOUT: the next transfer; REQUEST_NOTHING: the layout is read, on to another stage. */
void dfu_probe_layout_next(struct dfu_probe *p, struct request *ret_request);
void dfu_probe_layout_ended(struct dfu_probe *p, enum usb_status status, const uint8_t *data,
			    size_t length);

/* The operation that the stage needs; false in LAYOUT, DONE and FAILED. */
bool dfu_probe_next(const struct dfu_probe *p, struct dfuse_operation *ret_operation);

/* That operation is over: data and length of what was read. */
void dfu_probe_took(struct dfu_probe *p, const uint8_t *data, uint32_t length);

/* It failed.  True: what it was to read is optional, and left out. */
bool dfu_probe_forgives(struct dfu_probe *p, enum fault fault) MUST_CHECK;

/* May a device refuse what is only inferred (doc/protocol.md 5, 9.4), and live? */
bool dfu_probe_is_refusal(enum fault fault);

#endif
