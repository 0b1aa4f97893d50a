/* SPDX-License-Identifier: MIT */
/*
 * The phases of a DfuSe conversation, drawn in core/dfuse.h: the one that an operation needs next
 * on a device as it is now, and the one place where they change.
 */
#ifndef CORE_DFUSE_PHASE_H
#define CORE_DFUSE_PHASE_H

#include "core/dfuse.h"

enum { DFUSE_STALLS = 12 }; /* questions asked too early in one operation */

/* The only place where the phase changes. */
void dfuse_enter(struct dfuse *d, enum dfuse_phase next);

/* The phase that the operation needs next, given the state of the device. */
enum dfuse_phase dfuse_next_phase(const struct dfuse *d);

/* Enters it, with the allowance of a new operation of the flash where it begins one. */
void dfuse_go_on(struct dfuse *d);

/* As what the operation under way counts: Set Address is a command, whatever it is for. */
enum pace_op dfuse_pace_kind(const struct dfuse *d);

#endif
