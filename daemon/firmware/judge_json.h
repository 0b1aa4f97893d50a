/* SPDX-License-Identifier: MIT */
/* Findings and platforms as JSON: the types of the interface, and of `cfdfuctl firmware check`. */
#ifndef FIRMWARE_JUDGE_JSON_H
#define FIRMWARE_JUDGE_JSON_H

#include <jansson.h>

struct judgement;

/* A list of type Finding; NULL when memory ran out. */
json_t *judge_findings_json(const struct judgement *j);

/* Bits -> a list of names. */
json_t *judge_platforms_json(unsigned platforms);

#endif
