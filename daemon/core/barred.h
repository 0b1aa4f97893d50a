/* SPDX-License-Identifier: MIT */
/* Images that no drone gets, by their digests, each with its reason.  All zero: none. */
#ifndef CORE_BARRED_H
#define CORE_BARRED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/policy.h"

struct barred {
	struct {
		uint8_t sha256[IMAGE_SHA256_BYTES];
		char reason[POLICY_REASON_MAX]; /* "": this place is free */
	} list[POLICY_QUARANTINED_MAX];
};

/* reason: half a sentence, copied; the first one stays.  -E2BIG: all places are taken. */
int barred_add(struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES],
	       const char *reason) MUST_CHECK;
bool barred_remove(struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES]); /* it was there */
/* The reason, borrowed until the next change; NULL: it is not barred. */
const char *barred_why(const struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES]);

#endif
