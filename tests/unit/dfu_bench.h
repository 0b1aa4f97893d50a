/* SPDX-License-Identifier: MIT */
/*
 * A DfuSe conversation (core/dfuse) with a simulated drone, an operation at a time, on the drone's
 * clock.
 */
#ifndef TESTS_DFU_BENCH_H
#define TESTS_DFU_BENCH_H

#include "cfdfu/dfu.h"
#include "core/dfuse.h"
#include "sim_bench.h"

#define DFU_TRANSFER 256U     /* wTransferSize of the drone */
#define DFU_FLASH 0x08004000U /* what may be written: sectors 1 to 4 */
#define DFU_FLASH_BYTES 0x1C000U
#define DFU_FEATURE 0xFFFF0000U

struct dfu_bench {
	struct bench b;
	struct dfuse d;
	unsigned requests, questions; /* of the engine; questions: GETSTATUS */
};

extern const uint8_t dfu_page[DFU_TRANSFER]; /* what is programmed */

/* A Crazyflie with the transfer size above, standard requests counted. */
void dfu_config_init(struct drone_config *c);

/*
 * Puts the drone in, in DFU mode: in dfuERROR, as from reset.  A drone that was in t before is
 * freed; t is zero at first.
 */
void dfu_meet(struct dfu_bench *t, const struct drone_config *c, bool obey);

/* Another host brings the drone, which is in dfuIDLE or dfuERROR, to this state. */
void dfu_leave_in(struct dfu_bench *t, uint8_t state);

/* Arms a fate, given as a text. */
void dfu_arm(struct dfu_bench *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Talks until the operation is over; false when it does not end. */
bool dfu_talk(struct dfu_bench *t);
bool dfu_try(struct dfu_bench *t, const struct dfuse_operation *req);

/* An operation on alternate 0, or of the Device Feature on 3, that has to end well ... */
void dfu_do(struct dfu_bench *t, enum dfuse_op op, uint32_t addr, uint32_t length);
/* ... or with the fault returned. */
enum fault dfu_fault(struct dfu_bench *t, enum dfuse_op op, uint32_t addr, uint32_t length);

/* The first thing done to the drone that must never be done; NULL. */
const char *dfu_offence(const struct dfu_bench *t);

bool dfu_flash_is(struct dfu_bench *t, uint32_t addr, const void *data, size_t length);

#endif
