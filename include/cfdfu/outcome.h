/* SPDX-License-Identifier: MIT */
/*
 * How an attempt can end, and where.  These numbers are stored in databases: append only, never
 * reuse. Names and sentences: daemon/core/outcome.c.
 */
#ifndef CFDFU_OUTCOME_H
#define CFDFU_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

/* Every attempt has exactly one of these endings (doc/promises.md 1, promise 7). */
enum verdict_kind {
	VERDICT_NONE = 0, /* still running */
	VERDICT_PASS = 1,
	VERDICT_UNCHANGED = 2,
	VERDICT_NEEDS_POWER_CYCLE = 3,
	VERDICT_NEEDS_BUTTON = 4,
	VERDICT_FAIL = 5,
	VERDICT_SKIPPED = 6,
	VERDICT_INTERRUPTED = 7,
	VERDICT_COUNT
};

/* The stages of a drone's life on a slot (doc/promises.md 2). */
enum step {
	STEP_NONE = 0,
	STEP_ASKING = 1,    /* version and type over CRTP */
	STEP_REBOOTING = 2, /* vendor request sent, waiting for DFU on the same port */
	STEP_PROBING = 3,   /* descriptors, clean slate, loader audit, platform from OTP */
	STEP_COMPARING = 4, /* reading back before anything is changed */
	STEP_ERASING = 5,
	STEP_WRITING = 6,
	STEP_VERIFYING = 7,
	STEP_FIRST_PAGE = 8, /* the page that makes the image bootable, and its verification */
	STEP_LEAVING = 9,
	STEP_BOOTING = 10,    /* waiting for run-time mode */
	STEP_CONFIRMING = 11, /* version over CRTP */
	STEP_BACKING_UP = 12, /* reading flash into a file */
	STEP_CHECKING = 13,   /* the whole drone is looked at, after the verdict */
	STEP_CYCLING = 14,    /* its power is switched off and on */
	STEP_COUNT
};

/* The side that has to do something about it. */
enum fault_class {
	CLASS_NONE = 0,
	CLASS_DEVICE = 1,
	CLASS_IMAGE = 2,
	CLASS_PORT = 3,
	CLASS_HOST = 4,
	CLASS_OPERATOR = 5,
	CLASS_COUNT
};

enum fault {
	FAULT_NONE = 0,
	/* device */
	FAULT_SILENT = 1,	  /* no answer within the deadline */
	FAULT_STALL = 2,	  /* kept stalling a legal request */
	FAULT_STUCK = 3,	  /* busy beyond every data-sheet maximum */
	FAULT_PROTOCOL = 4,	  /* an answer that DFU 1.1 does not allow here */
	FAULT_REFUSED = 5,	  /* error status, see dfu_status */
	FAULT_VERIFY = 6,	  /* read back different, see addr */
	FAULT_PROTECTED = 7,	  /* read- or write-protected */
	FAULT_WRONG_CHIP = 8,	  /* memory map is not the one of the device's profile */
	FAULT_DESCRIPTOR = 9,	  /* descriptors make no sense */
	FAULT_LOADER_BLANK = 10,  /* sector 0 is erased: no boot loader */
	FAULT_NO_DFU = 11,	  /* asked to reboot, did not appear in DFU mode */
	FAULT_NO_BOOT = 12,	  /* left DFU mode, did not come back */
	FAULT_WRONG_VERSION = 13, /* came back and says another version */
	FAULT_WRONG_SERIAL = 14,  /* another drone than the one that was here */
	FAULT_NO_LEAVE = 15,	  /* would not leave DFU mode */
	FAULT_TOO_OLD = 16,	  /* firmware cannot reboot into DFU by request */
	FAULT_DEADLINE = 17,	  /* the whole attempt took too long */
	FAULT_DARK = 18,	  /* asked to reboot, left the bus, did not come back in time */
	/* port */
	FAULT_GONE = 32, /* unplugged, or lost by the bus, during work */
	FAULT_BUS = 33,	 /* transfers end in bus errors */
	FAULT_FLAP = 34, /* arrives and leaves again and again */
	/* image */
	FAULT_PLATFORM = 48,	     /* image and drone are of different platforms */
	FAULT_PLATFORM_UNKNOWN = 49, /* nothing says which platform the drone is */
	FAULT_IMAGE = 50,	     /* image does not fit this device */
	/* host */
	FAULT_OPEN = 64,       /* the node cannot be opened */
	FAULT_PERMISSION = 65, /* the node is not ours: udev rule */
	FAULT_BUSY = 66,       /* another program holds the interface */
	FAULT_NO_MEMORY = 67,
	FAULT_STORAGE = 68, /* the record cannot be written */
	FAULT_SUSPEND = 69, /* the machine slept during the attempt */
	/* operator */
	FAULT_QUARANTINED = 80,	      /* port or drone is quarantined until released */
	FAULT_STOPPED = 81,	      /* the service was stopped */
	FAULT_IMAGE_QUARANTINED = 82, /* the drone's firmware is quarantined until released */
	FAULT_COUNT = 96
};

/* Passed by value: no allocation on the way up. */
struct verdict {
	enum verdict_kind kind;
	enum fault fault;
	enum step step;
	uint32_t addr;	    /* where in the device, when has_addr; 0 is a place, too */
	uint8_t dfu_status; /* bStatus as the device gave it */
	int sys_errno;	    /* when the host was at fault; positive errno */
	bool has_addr;
};

#endif
