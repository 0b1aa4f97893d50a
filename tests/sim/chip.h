/* SPDX-License-Identifier: MIT */
/* The parts of the simulated chips: memories, sectors, times, variations of the descriptors. */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/drone.h"

#define CHIP_MEMORIES_MAX DRONE_LAYOUTS_MAX
#define CHIP_RUNS_MAX 4

/* How a memory takes what is written to it. */
enum memory_kind {
	MEMORY_FLASH = 0, /* erased by sector, programming only clears bits */
	MEMORY_OPTIONS,	  /* rewritten whole; the chip resets itself */
	MEMORY_OTP,	  /* programming only clears bits, no erase */
	MEMORY_FEATURE	  /* volatile word that selects the parallelism */
};

/* Typical times by parallelism: bytes, half-words, words. */
struct chip_run {
	uint16_t count; /* sectors of equal size; 0 ends the list */
	uint32_t size;
	uint32_t erase_us[3];
	bool read_only; /* a resident loader: refused */
};

struct chip_memory {
	enum memory_kind kind;
	uint32_t base, size;
	uint32_t program_us[3]; /* one unit of 1, 2 or 4 bytes */
	const char *layout;	/* string descriptor of the alternate */
	struct chip_run runs[CHIP_RUNS_MAX];
	uint32_t mass_us[3]; /* mass erase; 0 = the sum of the sectors */
};

struct chip {
	const char *name;
	uint16_t bcd_device;
	uint16_t transfer_size;
	uint8_t memories;
	const char *manufacturer, *product; /* in DFU mode */
	uint32_t application_addr;
	uint32_t ram_end; /* highest initial stack pointer */
	struct chip_memory memory[CHIP_MEMORIES_MAX];
};

struct chip_sector {
	unsigned index;
	uint32_t base, size;
	const struct chip_run *run;
};

const struct chip *chip_of(enum drone_model model);

/* The memory that holds addr, or NULL. */
const struct chip_memory *chip_memory_at(const struct chip *c, uint32_t addr);

/* The sector of a flash that holds addr (which must be inside the memory). */
struct chip_sector chip_sector_at(const struct chip_memory *m, uint32_t addr);

#endif
