/* SPDX-License-Identifier: MIT */
/* Names (stable: stored, sent and shown) and sentences for cfdfu/outcome.h. */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/outcome.h"

/* "pass", "needs-power-cycle", ...; NULL for VERDICT_NONE (JSON null) and out of range. */
const char *verdict_name(enum verdict_kind v);
enum step step_by_name(const char *name);	     /* STEP_NONE when unknown */
enum verdict_kind verdict_by_name(const char *name); /* VERDICT_NONE when unknown */

/* "erasing", "first-page", ...; NULL for STEP_NONE. */
const char *step_name(enum step s);

/* "verify", "wrong-serial", ...; NULL for FAULT_NONE. */
const char *fault_name(enum fault f);
enum fault fault_by_name(const char *name); /* FAULT_NONE when unknown */

/* "device", "port", ... */
const char *fault_class_name(enum fault_class c);
enum fault_class fault_class_of(enum fault f);
/* A failure of the drone or its port, which counts against both. */
bool verdict_counts_against(const struct verdict *v);

/* Cause and remedy, for the operator: one sentence each, never NULL. */
const char *fault_sentence(enum fault f);
const char *fault_advice(enum fault f);
const char *verdict_advice(enum verdict_kind v);

/*
 * The whole message of an ending: what happened, where (step, address, DFU status by its standard
 * name), why (half a sentence; NULL: nothing to add), what to do now.  Always terminated; what does
 * not fit is cut.
 */
void outcome_message(const struct verdict *v, const char *why, char *out, size_t size);
/* The same of a device that the configuration describes: nothing of buttons and batteries. */
void outcome_described_message(const struct verdict *v, const char *why, char *out, size_t size);

#endif
