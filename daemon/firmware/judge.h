/* SPDX-License-Identifier: MIT */
/*
 * Decides whether an image is fit to be flashed (doc/promises.md 1, promise 2; doc/firmware.md 2-4,
 * 6; doc/protocol.md 9).
 *
 * Client and daemon call the same judge on the same segments and get the same verdict: nothing but
 * the image and the options counts, whatever file the image came from.
 */
#ifndef FIRMWARE_JUDGE_H
#define FIRMWARE_JUDGE_H

#include "cfdfu/device.h"
#include "firmware/content.h"

struct image;
struct layout;
struct sector;

#define JUDGE_FINDINGS_MAX 48
#define JUDGE_TEXT_MAX 224

enum judge_level { JUDGE_NOTE = 0, JUDGE_WARN = 1, JUDGE_REFUSE = 2 };

/* Stable names in JSON: judge_code_name().  Append only. */
enum judge_code {
	JUDGE_OK = 0,
	JUDGE_EMPTY,	      /* no byte for the internal flash */
	JUDGE_TOO_BIG,	      /* reaches beyond the application's room */
	JUDGE_LOADER_GUARD,   /* touches the boot loader below the application */
	JUDGE_START,	      /* does not start at the application's first byte */
	JUDGE_RANGE,	      /* outside the memory of this alternate */
	JUDGE_PROTECTED,      /* a sector that must not be written: read-only in the device */
	JUDGE_OPTION_BYTES,   /* would write option bytes, OTP or the device feature */
	JUDGE_ALTERNATE,      /* a memory this device does not have, or not to be written */
	JUDGE_TOO_SHORT,      /* no room for a vector table's first two words */
	JUDGE_BLANK_START,    /* first word 0xFFFFFFFF: the loader takes that as "no application" */
	JUDGE_STACK,	      /* initial stack pointer is not in RAM */
	JUDGE_STACK_CCM,      /* ... but in core-coupled memory: unusual */
	JUDGE_RESET_EVEN,     /* reset vector without the Thumb bit */
	JUDGE_RESET_OUTSIDE,  /* reset vector outside the image */
	JUDGE_BASE_WRONG,     /* linked for another address */
	JUDGE_BASE_UNDECIDED, /* nothing shows the address it was linked for */
	JUDGE_HANDLERS_OUTSIDE, /* interrupt vectors outside the image */
	JUDGE_IS_LOADER,	/* this is cf2loader, not an application */
	JUDGE_NOT_LOADER,	/* asked to restore a loader, and this does not look like one */
	JUDGE_PLATFORM,		/* content, manifest and operator contradict one another */
	JUDGE_PLATFORM_UNKNOWN, /* nothing says which platform it is for */
	JUDGE_PLATFORM_SEVERAL, /* fits several platforms */
	JUDGE_VERSION_UNKNOWN,	/* carries no version: cannot be confirmed after the boot */
	JUDGE_MODIFIED,	      /* built from changed sources: version says nothing about equality */
	JUDGE_TRAILER,	      /* last 16 bytes do not point to version and revision */
	JUDGE_RECORD_UNKNOWN, /* table of devices names a board we do not know */
	JUDGE_GAPS,	      /* several pieces with gaps, which will be blank */
	JUDGE_INCOMPLETE,     /* a Crazyflie build of which a part is missing, or not shown */
	JUDGE_CODE_COUNT
};

struct finding {
	enum judge_level level;
	enum judge_code code;
	char text[JUDGE_TEXT_MAX]; /* one sentence */
};

struct judge_options {
	enum platform manifest; /* what the zip says; UNKNOWN: nothing */
	enum platform
	    user_platform; /* --platform, also as the client sent it; UNKNOWN: not given */
	const struct device *device; /* NULL: the Crazyflie */
	bool incomplete; /* the operator's word: also what lacks evidence of being whole */
};

/* The verdict and everything behind it.  A plain value, about 12 KiB. */
struct judgement {
	bool accepted;				     /* no finding is JUDGE_REFUSE */
	struct finding findings[JUDGE_FINDINGS_MAX]; /* refusals first, then warnings, then notes */
	size_t finding_count;
	struct content content;
	unsigned platforms;		/* that content, manifest and operator leave; 0 unknown */
	uint32_t first_addr, last_addr; /* inclusive, of the internal flash; both 0 when empty */
	unsigned sector_count;		/* it touches, of the device's layout of alternate 0 */
	uint32_t erase_bytes;		/* their sizes together */
};

/* A DfuSe device of which nothing is known: the station judges again by its [device] sections. */
const struct device *judge_any_device(void);

/* options NULL: nothing said, Crazyflie.  0, or -ENOMEM.  The verdict is in ret_judgement. */
int judge_image(const struct image *image, const struct judge_options *options,
		struct judgement *ret_judgement) MUST_CHECK;

/* Loader recovery: is this fit for sector 0, and for nothing else?  As above. */
int judge_loader(const struct image *image, struct judgement *ret_judgement) MUST_CHECK;

/*
 * The sectors of l that the image's segments in memory alt touch, ascending, each once; at most max
 * are written. Returns how many there are.
 */
size_t judge_sectors(const struct image *image, uint8_t alt, const struct layout *l,
		     struct sector *ret_sectors, size_t max);

/* Is a finding of this kind among them? */
bool judge_says(const struct judgement *j, enum judge_code code);

/* The first refusal, else "accepted": never NULL, lives as long as j. */
const char *judge_reason(const struct judgement *j);

const char *judge_level_name(enum judge_level level); /* "note", "warning", "refused" */
const char *judge_code_name(enum judge_code code);    /* "loader-guard", ... */

#endif
