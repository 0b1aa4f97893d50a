/* SPDX-License-Identifier: MIT */
/*
 * One visit of one device in DFU mode: probe it, wait for the decision what belongs on it, carry
 * out the plan, leave.  Composes descr, layout, dfuse and plan; decides nothing about identity or
 * policy.
 *
 *   MAPS --> CLEAN --> OTP --> OPTIONS --> LOADER --> PROBED    reading only      [next_operation]
 *   PROBED     --> FEATURE --> CHECK_FEATURE --> WORK                             [flash_run]
 *   PROBED     --> BACKUP --> PROBED                                              [flash_backup]
 *   WORK       --> WRITE_TURN --> WORK           before the first erase           [flash_granted]
 *   WORK       --> LEAVE_TURN --> LEAVE --> OVER                                  [flash_granted]
 *   PROBED, WRITE_TURN --> LEAVE_TURN            left as it is                   [flash_only_leave]
 *   any        --> OVER                          verdict says how                 [give_up]
 *
 * INVARIANT: nothing is erased or written before flash_run() and flash_granted(FLASH_WRITE_TURN).
 */
#ifndef CORE_FLASH_H
#define CORE_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/descr.h"
#include "core/dfuse.h"
#include "core/maps.h"
#include "core/plan.h"
#include "core/platform.h"
#include "core/device.h"
#include "core/request.h"

#define FLASH_LOADER_BYTES 0x4000

enum flash_stage {
	FLASH_MAPS,
	FLASH_CLEAN,
	FLASH_OTP,
	FLASH_OPTIONS,
	FLASH_LOADER,
	FLASH_PROBED,
	FLASH_BACKUP,
	FLASH_FEATURE,
	FLASH_CHECK_FEATURE,
	FLASH_WORK,
	FLASH_WRITE_TURN,
	FLASH_LEAVE_TURN,
	FLASH_LEAVE,
	FLASH_OVER,
	FLASH_STAGE_COUNT
};

struct flash_options {
	const struct device *const *profiles; /* what it may be, in order; borrowed for the visit */
	size_t profile_count;
	bool leave_loader; /* leave = loader: by way of the boot loader */
	bool word;	   /* ask for 32-bit parallelism */
	bool compare;	   /* skip = readback: look before erasing */
	bool trust_blank;  /* last visit of this drone ended well */
	bool own;    /* we sent it here: its map may be garbled (doc/protocol.md 8, last table) */
	bool loader; /* the job is to write the boot loader's sector, and nothing else */
};

enum flash_otp { FLASH_OTP_UNREAD, FLASH_OTP_TYPE, FLASH_OTP_BLANK, FLASH_OTP_NONE };

struct flash {
	struct dfuse dfuse;
	struct verdict verdict; /* kind NONE: nothing went wrong */
	const char *why;	/* words beside the verdict, or NULL; good as long as this struct */
	struct descr_dfu descr;
	struct maps maps;
	const struct device *profile; /* what it is; NULL until its maps are read */
	enum flash_otp otp;
	char board[BOARD_TYPE_MAX];
	bool loader_blank;
	uint32_t write_protected; /* BIT(sector), as the option bytes say; 0 unknown */
	bool word_refused;	  /* asked for word parallelism, did not take */
	/* private */
	struct flash_options options;
	enum flash_stage stage;
	struct plan *plan;
	uint32_t at;
	bool write_granted;
	bool under_way; /* a dfuse operation has been begun */
	char why_text[64];
	uint8_t padded[USB_TRANSFER_BYTES_MAX];
	uint8_t loader[FLASH_LOADER_BYTES];
	uint32_t backup_addr, backup_bytes;
	uint8_t *backup; /* borrowed */
};

void flash_init(struct flash *f, const struct flash_options *options, const struct pace *pace);
void flash_done(struct flash *f); /* frees the plan */

/* The descriptors of the opened device; must come before flash_next(). */
void flash_opened(struct flash *f, const uint8_t *descriptors, size_t length);

void flash_next(struct flash *f, uint64_t now_us, struct request *ret_request);
void flash_ended(struct flash *f, enum usb_status status, const uint8_t *data, size_t length,
		 uint64_t now_us);

/*
 * PROBED: carry this image out, or read into backup (of bytes, from addr), or leave as it is; the
 * last also at WRITE_TURN.
 */
void flash_run(struct flash *f, struct image *image);
void flash_backup(struct flash *f, uint32_t addr, uint32_t bytes, uint8_t *backup);
void flash_only_leave(struct flash *f);

/* WRITE_TURN, LEAVE_TURN: go on. */
void flash_granted(struct flash *f);

enum flash_stage flash_stage(const struct flash *f);
enum step flash_step(const struct flash *f); /* for the record and the operator */
bool flash_unchanged(const struct flash *f);
void flash_estimate(const struct flash *f, uint64_t now_us, uint64_t *ret_left_us,
		    uint64_t *ret_total_us);

/* The device was reset by us and is as after enumeration: begin the visit again (the plan is
 * dropped). */
void flash_again(struct flash *f);

#endif
