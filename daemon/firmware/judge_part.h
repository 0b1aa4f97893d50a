/* SPDX-License-Identifier: MIT */
/*
 * Is a part of a release that DFU mode does not carry fit to be kept with its image?  Client and
 * daemon call the same judge on the same bytes.
 */
#ifndef FIRMWARE_JUDGE_PART_H
#define FIRMWARE_JUDGE_PART_H

#include "core/image.h"
#include "firmware/judge.h"

#define PART_BYTES_MAX (1024U * 1024U) /* LIMIT: the AI deck's ESP32 holds 1 MiB */
#define PART_NRF51 "nrf51"

enum part_use {
	PART_REPORTED = 0, /* this station writes it nowhere */
	PART_DECK,	   /* written over USB, by the running firmware */
	PART_RADIO,	   /* for the nRF51, which only the radio reaches */
};

/* The use of firmware for this target: a record of the deck memory, or "nrf51". */
enum part_use judge_part_use(const char *target);
const char *judge_part_use_name(enum part_use use); /* "reported", "deck", "radio" */
const char *judge_part_words(const char *target, const char *type); /* without a full stop */

/*
 * Judges its bytes, counts their CRC-32, and cuts the nRF51's version to what a drone says of it.
 * soft_device: of the nRF51, which the part needs (or brings); "" or NULL: the release does not
 * say.  Refused or warned with JUDGE_PART.
 */
void judge_part(struct image_part *part, const char *soft_device, struct judgement *ret_judgement);

#endif
