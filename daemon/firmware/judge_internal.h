/* SPDX-License-Identifier: MIT */
/* Shared by the judge's files: adding findings, and the checks of bytes apart from those of
 * places. */
#ifndef FIRMWARE_JUDGE_INTERNAL_H
#define FIRMWARE_JUDGE_INTERNAL_H

#include "firmware/judge.h"

/* findings.c: the gravest first; of one kind only a few are kept. */
void judge_add(struct judgement *j, enum judge_level level, enum judge_code code,
	       const char *format, ...) PRINTF_LIKE(4, 5);

/* Stack pointer, reset vector, true base; of the bytes in j->content that would be written to base.
 */
void judge_vectors(struct judgement *j, const struct device *device);

/* All of it there?  JUDGE_INCOMPLETE where not: refused, or warned after the operator's word. */
void judge_whole(struct judgement *j, const struct judge_options *options);

/* Platforms and version: what a Crazyflie application has to say of itself. */
void judge_content(struct judgement *j, const struct judge_options *options);

#endif
