/* SPDX-License-Identifier: MIT */
/*
 * One kind of DfuSe device: how it is known, which memories it has, where its application lives
 * and what must never be touched.  Fleet and judge work by it, in the daemon and in the client.
 * The Crazyflie family is built in; every other kind is a [device NAME] section
 * (cfdfud.conf(5); systemd/devices), of which device_set() reads one line.
 */
#ifndef CFDFU_DEVICE_H
#define CFDFU_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/layout.h"

#define DEVICE_NAME_MAX 32
#define DEVICE_TEXT_MAX 64
#define DEVICE_ALTS_MAX 8   /* LIMIT: memories of one device that can be programmed */
#define DEVICE_RANGES_MAX 8 /* LIMIT: protected ranges of one device */
#define DEVICE_WHY_MAX 256

/* The Crazyflie's internal flash (doc/protocol.md 9.3): sector 0 is the boot loader's. */
#define CRAZYFLIE_LOADER_ADDR 0x08000000U
#define CRAZYFLIE_LOADER_BYTES 0x4000U
#define CRAZYFLIE_APP_ADDR 0x08004000U
#define CRAZYFLIE_FLASH_END 0x080FFFFFU /* its last byte */
#define CRAZYFLIE_APP_BYTES_MAX (CRAZYFLIE_FLASH_END - CRAZYFLIE_APP_ADDR + 1)

struct device_range {
	uint32_t first, last; /* both inclusive */
};

/* A plain value. */
struct device {
	char name[DEVICE_NAME_MAX];
	uint16_t vid, pid;		    /* in DFU mode */
	char manufacturer[DEVICE_TEXT_MAX]; /* glob on the string; "" matches all */
	char product[DEVICE_TEXT_MAX];	    /* likewise */
	bool family;	       /* a Crazyflie: OTP, loader audit, run-time mode, platforms */
	uint32_t app_addr;     /* where the application begins, in alternate 0; 0 not given */
	bool app_given;	       /* a section says so, be it 0: device_check() looks at it */
	uint32_t loader_addr;  /* the boot loader's range, in alternate 0: protected, too */
	uint32_t loader_bytes; /* 0 = none */
	struct device_range protect[DEVICE_RANGES_MAX]; /* never erased or written, alternate 0 */
	size_t protect_count;
	bool leave; /* leaving starts the application (false: stay in DFU mode) */
	bool map_given[DEVICE_ALTS_MAX]; /* map[] is the authority and the device has to agree; */
	struct layout map[DEVICE_ALTS_MAX]; /* else "as the device says" */
	uint32_t ram_addr, ram_bytes;	    /* for the stack pointer; bytes 0: not judged */
	uint32_t ccm_addr, ccm_bytes;	    /* core-coupled memory: likewise, with a warning */
};

/* The Crazyflie family on the STM32F405 (doc/protocol.md 6, 9.3); static. */
const struct device *device_crazyflie(void);

/* A device of which only the name is known yet: what device_set() fills. -EINVAL with ret_why. */
int device_init(struct device *d, const char *name, char ret_why[DEVICE_WHY_MAX]) MUST_CHECK;

/*
 * One line `key = value` of a [device NAME] section.  0; -ENOENT without a text for a key that is
 * not among them ("ports" is the settings' own); -EINVAL with ret_why, one clause without a full
 * stop.
 */
int device_set(struct device *d, const char *key, const char *value,
	       char ret_why[DEVICE_WHY_MAX]) MUST_CHECK;

/* Checks that need the whole section.  0, or -EINVAL with ret_why. */
int device_check(const struct device *d, char ret_why[DEVICE_WHY_MAX]) MUST_CHECK;

/* The protected range, the boot loader's among them, that shares a byte with [first, last]. */
bool device_protects(const struct device *d, uint32_t first, uint32_t last,
		     struct device_range *ret_range);

#endif
