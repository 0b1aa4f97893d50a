/* SPDX-License-Identifier: MIT */
/*
 * The only file that knows when two sightings are the same drone (doc/promises.md, promise 1;
 * doc/protocol.md 1.3, 2.3).  The caller compares the port path first; this is about the serials.
 */
#ifndef CORE_IDENT_H
#define CORE_IDENT_H

#include <stdbool.h>

#include "cfdfu/watch.h"

enum ident_match {
	IDENT_SAME,	 /* the serials agree under one of the known rules */
	IDENT_DIFFERENT, /* they cannot belong to one drone */
	IDENT_UNKNOWN,	 /* missing, malformed or constant: says nothing */
};

enum ident_kind {
	IDENT_OTHER,   /* not ours, never touched */
	IDENT_RUNTIME, /* 0483:5740 of "Bitcraze AB" */
	IDENT_DFU,     /* 0483:df11 */
};

/* The kind of a sighted device, from VID, PID and manufacturer string alone. */
enum ident_kind ident_kind_of(const struct sighting *s);

/* 24 upper- or lower-case hex digits. */
bool ident_runtime_serial_valid(const char *serial);

/* 12 hex digits and not one of the constants that clones share (doc/protocol.md 1.3). */
bool ident_dfu_serial_valid(const char *serial);

/* Is the DFU device with this serial the drone with that run-time serial?  All variants: carry or
 * no carry between bytes and between half-words, +0x0A on the low half-word or not; case does not
 * matter. */
enum ident_match ident_runtime_dfu(const char *runtime_serial, const char *dfu_serial);

/* Same kind of serial on both sides. */
enum ident_match ident_runtime_runtime(const char *a, const char *b);
enum ident_match ident_dfu_dfu(const char *a, const char *b);

#endif
