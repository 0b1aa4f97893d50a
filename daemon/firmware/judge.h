/* SPDX-License-Identifier: MIT */
/*
 * Is this image fit to be flashed?  (doc/promises.md 1, promise 2; doc/firmware.md 2-4, 6;
 * doc/protocol.md 9.)
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

/* Codes, and their stable names in JSON: judge_code_name().  Append only. */
/* clang-format off */
#define JUDGE_CODES(X) \
	X(OK, "ok") \
	X(EMPTY, "empty")                       /* no byte for the internal flash */ \
	X(TOO_BIG, "too-big")                   /* reaches beyond the application's room */ \
	X(LOADER_GUARD, "loader-guard")         /* touches the loader below the application */ \
	X(START, "start")                       /* not at the application's first byte */ \
	X(RANGE, "range")                       /* outside the memory of this alternate */ \
	X(PROTECTED, "protected")               /* a sector that is read-only in the device */ \
	X(OPTION_BYTES, "option-bytes")         /* option bytes, OTP or the device feature */ \
	X(ALTERNATE, "alternate")               /* a memory it does not have, or is read-only */ \
	X(TOO_SHORT, "too-short")               /* no room for a vector table's first two words */ \
	X(BLANK_START, "blank-start")           /* first word 0xFFFFFFFF: "no application" */ \
	X(STACK, "stack")                       /* initial stack pointer is not in RAM */ \
	X(STACK_CCM, "stack-ccm")               /* ... but in core-coupled memory: unusual */ \
	X(RESET_EVEN, "reset-even")             /* reset vector without the Thumb bit */ \
	X(RESET_OUTSIDE, "reset-outside")       /* reset vector outside the image */ \
	X(BASE_WRONG, "base-wrong")             /* linked for another address */ \
	X(BASE_UNDECIDED, "base-undecided")     /* nothing shows the address it was linked for */ \
	X(HANDLERS_OUTSIDE, "handlers-outside") /* interrupt vectors outside the image */ \
	X(IS_LOADER, "is-loader")               /* this is cf2loader, not an application */ \
	X(NOT_LOADER, "not-loader")             /* to be a loader, and does not look like one */ \
	X(PLATFORM, "platform")                 /* content, manifest, operator contradict */ \
	X(PLATFORM_UNKNOWN, "platform-unknown") /* nothing says which platform it is for */ \
	X(PLATFORM_SEVERAL, "platform-several") /* fits several platforms */ \
	X(VERSION_UNKNOWN, "version-unknown")   /* cannot be confirmed after the boot */ \
	X(MODIFIED, "modified")                 /* built from changed sources */ \
	X(TRAILER, "trailer")                   /* last 16 bytes do not point to version */ \
	X(RECORD_UNKNOWN, "record-unknown")     /* names a board that is unknown here */ \
	X(GAPS, "gaps")                         /* pieces with gaps, which will be blank */ \
	X(INCOMPLETE, "incomplete")             /* a part is missing, or not shown to be there */ \
	X(PART, "part")                         /* of the release, beside the image: judge_part() */
/* clang-format on */

#define JUDGE_CODE(code, name) JUDGE_##code,
enum judge_code { JUDGE_CODES(JUDGE_CODE) JUDGE_CODE_COUNT };

struct finding {
	enum judge_level level;
	enum judge_code code;
	char text[JUDGE_TEXT_MAX]; /* one sentence */
};

struct judge_options {
	enum platform manifest;	     /* what the zip says; UNKNOWN: nothing */
	enum platform user_platform; /* --platform, also a client's; UNKNOWN: not given */
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
