/* SPDX-License-Identifier: MIT */
/* A programmer's probe on the drone: its memories from outside, without time passing. */
#include "config.h"

#include "sim/drone.h"

#include <assert.h>
#include <errno.h>

#include "sim/model.h"

int
drone_load(struct drone *d, uint32_t addr, const void *data, size_t length)
{
	const struct chip_memory *cm = chip_memory_at(d->chip, addr);
	struct memory *m;

	if (cm == NULL || length > cm->size || addr - cm->base > cm->size - length)
		return -ERANGE;
	boot_flash_changed(d);
	m = &d->memory[cm - d->chip->memory];
	return memory_set(m, addr - cm->base, data, length);
}

void
drone_peek(struct drone *d, uint64_t now_us, uint32_t addr, void *data, size_t length)
{
	uint8_t *to = data;

	rom_settle(d, now_us);
	while (length > 0) {
		const struct chip_memory *cm = chip_memory_at(d->chip, addr);
		size_t n = cm != NULL ? cm->size - (addr - cm->base) : 1;

		if (n > length)
			n = length;
		if (cm != NULL)
			memory_read(&d->memory[cm - d->chip->memory], addr - cm->base, to, n);
		else
			*to = 0;
		to += n;
		addr += (uint32_t)n;
		length -= n;
	}
}

int
drone_copy_flash(struct drone *d, const struct drone *from)
{
	assert(d->chip == from->chip);
	boot_flash_changed(d);
	for (unsigned i = 0; i < d->chip->memories; i++) {
		int r = memory_copy(&d->memory[i], &from->memory[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void
drone_blank(struct drone *d, uint32_t addr, size_t length)
{
	const struct chip_memory *cm = chip_memory_at(d->chip, addr);

	assert(cm != NULL && length <= cm->size && addr - cm->base <= cm->size - length);
	boot_flash_changed(d);
	memory_erase(&d->memory[cm - d->chip->memory], addr - cm->base, length);
}

bool
drone_selftest_passed(const struct drone *d, uint64_t now_us)
{
	return d->on_bus == DRONE_RUNTIME && firmware_selftest_passed(d, now_us);
}

bool
drone_resumed(const struct drone *d)
{
	return d->firmware.resumed;
}
