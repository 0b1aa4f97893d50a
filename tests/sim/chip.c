/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/chip.h"

#include <assert.h>

#define STM "STMicroelectronics"
#define ROM_PRODUCT "STM32  BOOTLOADER"

/* clang-format off */
/* SPEC: doc/protocol.md 6, typical values at x8, x16, x32. */
#define ERASE_16K { 400000, 300000, 250000 }
#define ERASE_64K { 1200000, 700000, 550000 }
#define ERASE_128K { 2000000, 1300000, 1000000 }
#define PROGRAM_F4 { 16, 16, 16 }

/* F10x: half-words only, 52.5 us typical; a page takes 20 ms (40 at most). */
#define ERASE_PAGE { 20000, 20000, 20000 }
#define PROGRAM_F10X { 53, 53, 106 }
/* clang-format on */

static const struct chip f405 = {
	.name = "STM32F405",
	.bcd_device = 0x2200,
	.transfer_size = 2048,
	.memories = 4,
	.manufacturer = STM,
	.product = ROM_PRODUCT,
	.application_addr = 0x08004000,
	.ram_end = 0x20020000,
	.memory = {
		{ MEMORY_FLASH, 0x08000000, 1024 * 1024, PROGRAM_F4,
		  "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg",
		  { { 4, 16 * 1024, ERASE_16K, 0 },
		    { 1, 64 * 1024, ERASE_64K, 0 },
		    { 7, 128 * 1024, ERASE_128K, 0 } },
		  { 16000000, 11000000, 8000000 } },
		{ MEMORY_OPTIONS, 0x1FFFC000, 16, PROGRAM_F4,
		  "@Option Bytes  /0x1FFFC000/01*016 e", { { 0 } }, { 0 } },
		{ MEMORY_OTP, 0x1FFF7800, 528, PROGRAM_F4,
		  "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", { { 0 } }, { 0 } },
		{ MEMORY_FEATURE, 0xFFFF0000, 4, PROGRAM_F4,
		  "@Device Feature/0xFFFF0000/01*004 e", { { 0 } }, { 0 } },
	},
};

static const struct chip f411 = {
	.name = "STM32F411",
	.bcd_device = 0x2200,
	.transfer_size = 2048,
	.memories = 4,
	.manufacturer = STM,
	.product = ROM_PRODUCT,
	.application_addr = 0x08000000,
	.ram_end = 0x20020000,
	.memory = {
		{ MEMORY_FLASH, 0x08000000, 512 * 1024, PROGRAM_F4,
		  "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg",
		  { { 4, 16 * 1024, ERASE_16K, 0 },
		    { 1, 64 * 1024, ERASE_64K, 0 },
		    { 3, 128 * 1024, ERASE_128K, 0 } },
		  { 8000000, 5500000, 4000000 } },
		{ MEMORY_OPTIONS, 0x1FFFC000, 16, PROGRAM_F4,
		  "@Option Bytes  /0x1FFFC000/01*016 e", { { 0 } }, { 0 } },
		{ MEMORY_OTP, 0x1FFF7800, 528, PROGRAM_F4,
		  "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", { { 0 } }, { 0 } },
		{ MEMORY_FEATURE, 0xFFFF0000, 4, PROGRAM_F4,
		  "@Device Feature/0xFFFF0000/01*004 e", { { 0 } }, { 0 } },
	},
};

static const struct chip f10x_medium = {
	.name = "STM32F103xB",
	.bcd_device = 0x0200,
	.transfer_size = 1024,
	.memories = 1,
	.manufacturer = STM,
	.product = "STM32 DFU",
	.application_addr = 0x08003000,
	.ram_end = 0x20005000,
	.memory = {
		{ MEMORY_FLASH, 0x08000000, 128 * 1024, PROGRAM_F10X,
		  "@Internal Flash  /0x08000000/12*001Ka,116*001Kg",
		  { { 12, 1024, ERASE_PAGE, 1 }, { 116, 1024, ERASE_PAGE, 0 } }, { 0 } },
	},
};

static const struct chip f10x_high = {
	.name = "STM32F103xE",
	.bcd_device = 0x0200,
	.transfer_size = 2048,
	.memories = 1,
	.manufacturer = STM,
	.product = "STM32 DFU",
	.application_addr = 0x08003000,
	.ram_end = 0x20010000,
	.memory = {
		{ MEMORY_FLASH, 0x08000000, 512 * 1024, PROGRAM_F10X,
		  "@Internal Flash  /0x08000000/06*002Ka,250*002Kg",
		  { { 6, 2048, ERASE_PAGE, 1 }, { 250, 2048, ERASE_PAGE, 0 } }, { 0 } },
	},
};

static const struct chip eval = {
	.name = "STM3210E-EVAL",
	.bcd_device = 0x0200,
	.transfer_size = 2048,
	.memories = 3,
	.manufacturer = STM,
	.product = "STM3210E-EVAL DFU",
	.application_addr = 0x08003000,
	.ram_end = 0x20010000,
	.memory = {
		{ MEMORY_FLASH, 0x08000000, 512 * 1024, PROGRAM_F10X,
		  "@Internal Flash  /0x08000000/06*002Ka,250*002Kg",
		  { { 6, 2048, ERASE_PAGE, 1 }, { 250, 2048, ERASE_PAGE, 0 } }, { 0 } },
		{ MEMORY_FLASH, 0x00000000, 8 * 1024 * 1024, { 3, 6, 12 },
		  "@SPI Flash : M25P64 /0x00000000/128*064Kg",
		  { { 128, 64 * 1024, { 1000000, 1000000, 1000000 }, 0 } }, { 0 } },
		{ MEMORY_FLASH, 0x64000000, 16 * 1024 * 1024, { 5, 10, 20 },
		  "@NOR Flash : M29W128F /0x64000000/256*064Kg",
		  { { 256, 64 * 1024, { 800000, 800000, 800000 }, 0 } }, { 0 } },
	},
};

const struct chip *
chip_of(enum drone_model model)
{
	switch (model) {
	case DRONE_OTHER_DFU:
		return &f411;
	case DRONE_F10X_MEDIUM:
		return &f10x_medium;
	case DRONE_F10X_HIGH:
		return &f10x_high;
	case DRONE_EVAL:
		return &eval;
	case DRONE_CRAZYFLIE:
	case DRONE_OTHER_VCP:
	case DRONE_MODEL_COUNT:
		break;
	}
	return &f405;
}

const struct chip_memory *
chip_memory_at(const struct chip *c, uint32_t addr)
{
	for (unsigned i = 0; i < c->memories; i++)
		if (addr - c->memory[i].base < c->memory[i].size)
			return &c->memory[i];
	return NULL;
}

struct chip_sector
chip_sector_at(const struct chip_memory *m, uint32_t addr)
{
	struct chip_sector s = { 0, m->base, 0, NULL };

	assert(addr - m->base < m->size);
	for (unsigned i = 0; i < CHIP_RUNS_MAX && m->runs[i].count > 0; i++) {
		const struct chip_run *run = &m->runs[i];
		uint32_t skip = (addr - s.base) / run->size;

		if (skip < run->count) {
			s.index += skip;
			s.base += skip * run->size;
			s.size = run->size;
			s.run = run;
			return s;
		}
		s.index += run->count;
		s.base += run->count * run->size;
	}
	return s; /* not a flash: size 0 */
}
