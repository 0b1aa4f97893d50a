/* SPDX-License-Identifier: MIT */
/*
 * Named faults.  A fate is armed on a drone (or on a port of the world) and strikes at the
 * at-th matching request, count times in a row; those that concern a boot, a mode change or the
 * descriptors strike at the at-th such occasion.  The text form names fates on command lines and in
 * seeds:
 *
 *     stall at=7 in=dfu on=getstatus count=2
 *     status at=3 value=11
 *     disconnect at=20 back=800
 */
#ifndef SIM_FATE_H
#define SIM_FATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

enum fate_kind {
	FATE_NONE = 0,
	/* A request matches; what it would have done is not done, unless said otherwise. */
	FATE_STALL,	    /* endpoint answers STALL */
	FATE_EPROTO,	    /* bus error before the device saw it */
	FATE_LOST_ACK,	    /* the device did it, the host sees a bus error */
	FATE_NO_ANSWER,	    /* never completes (count = 1: this one only; next ones work) */
	FATE_SILENT,	    /* from here on nothing is ever answered, until power is removed */
	FATE_LATE,	    /* done at once, answered value ms later (default 3000) */
	FATE_SLOW,	    /* from here on answers come value ms before the timeout (5) */
	FATE_DISCONNECT,    /* off the bus; back after back ms (0 = never), same mode */
	FATE_POWER_LOSS,    /* power fails in mid-operation; boots after back ms (0 = never) */
	FATE_RESET_RUNTIME, /* chip reset: off the bus, boots what is in the flash */
	FATE_ASSERT, /* the firmware resets itself, as on six radio packets: its next start fails
			     * its self-test; nothing in DFU mode */
	FATE_WRONG_STATE,  /* GETSTATUS says bState = value % 256 (default 2) and, unless it is 0,
			     * bStatus = value / 256; it goes on as usual */
	FATE_STATUS,	   /* GETSTATUS: dfuERROR with bStatus = value (default 3, errWRITE) */
	FATE_GARBAGE,	   /* an IN transfer brings random bytes of the right length */
	FATE_SHORT,	   /* an IN transfer brings value bytes only (default half) */
	FATE_OVERFLOW,	   /* the device babbles: USB_OVERFLOW */
	FATE_NOMEM,	   /* the host cannot queue it: USB_NOMEM */
	FATE_FLIP_WRITE,   /* bit number value of this data block is programmed wrong */
	FATE_FLIP_READ,	   /* bit number value of this data block arrives wrong */
	FATE_BUSY_FOREVER, /* the operation begun by this request never ends */
	FATE_POLL_HUGE,	   /* this GETSTATUS says poll in value ms (default 0xFFFFFF) */
	FATE_POLL_ZERO,	   /* this GETSTATUS says poll in 0 ms */
	FATE_SWAP_NOW,	   /* pulled, another one put in, in the same mode, back ms later */
	/* The at-th mode change, leave or enumeration matches (in=, on= are ignored). */
	FATE_NO_LEAVE,	    /* answers dfuMANIFEST and stays in DFU */
	FATE_LEAVE_RUNTIME, /* after leaving comes up in run-time mode, whatever the flash holds */
	FATE_LEAVE_DFU,	    /* after leaving comes up in DFU mode again */
	FATE_LEAVE_NOTHING, /* after leaving stays off the bus */
	FATE_NO_SWITCH,	    /* the reboot request brings it back in run-time mode */
	FATE_SWITCH_LOST,   /* the reboot request makes it vanish until power is removed */
	FATE_SWAP,	    /* in the mode change another drone takes its place, in DFU mode */
	FATE_SWAP_BACK,	    /* after leaving another drone takes its place, run-time mode */
	FATE_NO_SERIAL,	    /* enumerates without a serial string */
	FATE_CUT_STRINGS,   /* string descriptors announce more than they deliver */
	FATE_HOSTILE_STRINGS, /* control characters, quotes, markup, lone surrogates, formulas */
	FATE_DUP_SERIAL,      /* enumerates with the serial of "FFFFFFFEFFFF" clones */
	/* From now on. */
	FATE_LIAR,	  /* accepts and echoes everything, the flash never changes */
	FATE_OPEN_BUSY,	  /* the next count opens fail with -EBUSY */
	FATE_OPEN_ACCESS, /* the next count opens fail with -EACCES */
	/* The at-th reboot request. */
	FATE_DARK, /* ends in the radio's boot loader: nothing on the bus until its power goes */
	FATE_COUNT
};

/* Which personality must be on the bus for a request to match. */
enum fate_mode { FATE_MODE_ANY = 0, FATE_MODE_RUNTIME, FATE_MODE_DFU, FATE_MODE_COUNT };

/* Which requests match. */
enum fate_request {
	FATE_ON_ANY = 0,
	FATE_ON_DETACH,
	FATE_ON_DNLOAD,
	FATE_ON_UPLOAD,
	FATE_ON_GETSTATUS,
	FATE_ON_CLRSTATUS,
	FATE_ON_GETSTATE,
	FATE_ON_ABORT,
	FATE_ON_COMMAND, /* DNLOAD of block 0 with data: set address, erase */
	FATE_ON_DATA,	 /* DNLOAD of block 2 and up with data */
	FATE_ON_LEAVE,	 /* DNLOAD without data */
	FATE_ON_STANDARD,
	FATE_ON_VENDOR,
	FATE_ON_BULK_OUT,
	FATE_ON_BULK_IN,
	FATE_ON_RESET, /* port reset */
	FATE_ON_COUNT
};

struct fate {
	enum fate_kind kind;
	enum fate_mode mode;
	enum fate_request on;
	uint32_t at;	/* 1 = the next matching one; 0 counts as 1 */
	uint32_t count; /* strikes; 0 counts as 1 */
	uint32_t value; /* see the kind; meaningful when has_value */
	uint32_t back_ms;
	bool has_value;
};

/* "stall", "flip-write", ...: the text name; "none" for FATE_NONE, NULL out of range. */
const char *fate_name(enum fate_kind kind);
const char *fate_request_name(enum fate_request on);

/*
 * text: "NAME [key=value]..."; error: receives a sentence on failure, error_size bytes.
 * 0, or -EINVAL.
 */
int fate_parse(const char *text, struct fate *ret, char *error, size_t error_size) MUST_CHECK;

/* Writes the text form, always terminated; what does not fit is cut. */
void fate_print(const struct fate *f, char *text, size_t size);

/* Does it wait for a matching request?  The rest wait for an occasion or hold from now on. */
bool fate_is_by_request(enum fate_kind kind);

#endif
