/* SPDX-License-Identifier: MIT */
/* Shared by dfuse.c (what is wanted) and dfuse_ended.c (how it ended); nobody else includes it. */
#ifndef CORE_DFUSE_PARTS_H
#define CORE_DFUSE_PARTS_H

#include "core/dfuse.h"

/* The only place where the phase changes. */
void dfuse_enter(struct dfuse *d, enum dfuse_phase next);

/* What the operation needs next, given the state of the device. */
enum dfuse_phase dfuse_next_phase(const struct dfuse *d);

/* Enters it, with the allowance of a new operation of the flash where it begins one. */
void dfuse_go_on(struct dfuse *d);

/* As what the operation under way counts: Set Address is a command, whatever it is for. */
enum pace_op dfuse_pace_kind(const struct dfuse *d);

#endif
