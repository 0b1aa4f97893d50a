/* SPDX-License-Identifier: MIT */
/*
 * Which image belongs on which drone: the operator's selection against what is known of the drone
 * (doc/promises.md 3 and promise 2).  Pure decisions; the table of selections is owned here.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/platform.h"
#include "cfdfu/watch.h"
#include "core/image.h"

#define POLICY_RULES_MAX 512	  /* LIMIT: slots, labels, serials with an own image or a rule */
#define POLICY_QUARANTINED_MAX 64 /* LIMIT: images quarantined at one time */
#define POLICY_REASON_MAX 96

struct policy;

int policy_new(struct policy **ret_policy) MUST_CHECK;
void policy_free(struct policy *p); /* NULL is fine; drops its references */

/* The image for all drones of this platform; NULL deselects.  Takes its own reference. */
void policy_select(struct policy *p, enum platform platform, struct image *image);
/* An image is selected for it and cannot be used: its drones get nothing, and are told why, until
 * another selection is made. */
void policy_select_lost(struct policy *p, enum platform platform);
void policy_lose(struct policy *p); /* the same of all that is selected, for whatever */
bool policy_is_lost(const struct policy *p, enum platform platform);
struct image *policy_selected(const struct policy *p, enum platform platform); /* borrowed */
bool policy_any_selected(const struct policy *p);
bool policy_any_to_give(const struct policy *p); /* ... that is not quarantined */
bool policy_any_lost(const struct policy *p);

/* The same rules with the same images, to try something out on. */
int policy_copy(const struct policy *p, struct policy **ret_policy) MUST_CHECK;

/*
 * The platforms that a selection of this image is for: the one named, else those of its own; but an
 * image of several platforms does not replace what is selected for one of them (unless it replaces
 * one image on all of them).  ret_kept: those of its platforms that keep another image.
 *
 * -EINVAL: nothing says which platform; -EPERM: it is not for the one named; -EEXIST: all of its
 * platforms have others.
 */
int policy_platforms_for(const struct policy *p, const struct image *image, enum platform named,
			 unsigned *ret_chosen, unsigned *ret_kept) MUST_CHECK;

/*
 * An own image for one slot (port, or its device path), all slots of a label, or one drone (serial,
 * run-time or DFU); NULL removes the rule.  -E2BIG when full, -EINVAL: empty, or longer than a
 * device path can be.
 */
int policy_select_own(struct policy *p, const char *target, struct image *image) MUST_CHECK;
struct image *policy_own(const struct policy *p, const char *target); /* borrowed, or NULL */
/* As policy_select_lost(): nor do its drones get what is selected for their platform. */
int policy_select_own_lost(struct policy *p, const char *target) MUST_CHECK;
bool policy_own_is_lost(const struct policy *p, const char *target);

/*
 * The operator's word on what a slot's, label's or serial's drone is (the only way to tell a
 * Flapper from the board it is built on); PLATFORM_UNKNOWN removes the rule.  -E2BIG, -EINVAL.
 */
int policy_set_platform(struct policy *p, const char *target, enum platform platform) MUST_CHECK;

/*
 * Quarantines an image, by its digest: it is flashed onto no drone until it is released, whatever
 * is selected.  reason: half a sentence, copied.  -E2BIG: POLICY_QUARANTINED_MAX.
 */
int policy_quarantine(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES],
		      const char *reason) MUST_CHECK;
bool policy_release(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES]); /* it was */
/* The reason, borrowed until the next change; NULL: it is not quarantined. */
const char *policy_quarantined(const struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES]);

/* Is there a platform rule or a selection for a Flapper?  Then a board that may be one's decides
 * nothing by itself. */
bool policy_knows_flappers(const struct policy *p);

/* A drone as it is known when the question is asked.  Missing: "" or 0. */
struct policy_drone {
	const char *port;
	const char *runtime_serial; /* may be "" */
	const char *dfu_serial;	    /* may be "" */
	enum platform crtp; /* what its firmware called itself, now or when last seen; UNKNOWN */
	unsigned board;	    /* platforms_of_board() of its OTP; 0 not read or not known */
	bool board_read;    /* OTP was read in this session (blank counts as read: board = cf2) */
	const char *label;  /* of its slot; may be NULL */
	const char *path;   /* the port by its device path; may be NULL */
};

enum policy_answer {
	POLICY_USE,	    /* ret->image belongs on it (as far as is known now) */
	POLICY_NO_IMAGE,    /* nothing selected for this drone: leave it alone */
	POLICY_QUARANTINED, /* ret->image would belong on it and is quarantined: do nothing */
	POLICY_ASK_OTP,	 /* something is selected, but only DFU mode can tell what the drone is */
	POLICY_DISAGREE, /* CRTP, OTP, operator's rule or image contradict one another: SKIPPED */
	POLICY_UNKNOWN,	 /* everything was asked and nothing says what it is: SKIPPED */
};

/* Whose image it is; the first of these that has one counts. */
enum policy_by {
	POLICY_BY_NOTHING,
	POLICY_BY_SERIAL,
	POLICY_BY_SLOT,
	POLICY_BY_LABEL,
	POLICY_BY_PLATFORM,
};

struct policy_choice {
	struct image *image;	/* borrowed; NULL unless POLICY_USE or POLICY_QUARANTINED */
	enum policy_by by;	/* NOTHING unless POLICY_USE */
	enum platform platform; /* what the drone is taken for; UNKNOWN when not decided */
	const char *why;	/* a static sentence, never NULL; QUARANTINED: the reason */
};

/*
 * The operator's rule beats CRTP; CRTP beats OTP for telling cf2 from flapper; but where two
 * sources exclude each other the answer is POLICY_DISAGREE.  Where Flappers are known of, the OTP
 * alone does not tell a cf2 from one: POLICY_UNKNOWN.  A drone that calls itself a Flapper,
 * or a flapper image, needs the operator's rule.  An image whose platforms are known and do not
 * include the drone's disagrees; an image that says nothing (0) is taken at the operator's word.
 */
enum policy_answer policy_choose(const struct policy *p, const struct policy_drone *d,
				 struct policy_choice *ret_choice);

#endif
