/* SPDX-License-Identifier: MIT */
/*
 * The boot loader's operations on the memories: their effect, their duration, their state after a
 * power cut.
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define QUICK_US 20 /* an address taken over, a command refused */

/* 0: bytes, 1: half-words, 2: words, by the Device Feature (doc/protocol.md 5). */
static unsigned
parallelism(const struct drone *d)
{
	if (!d->config.feature_effective || d->rom.parallelism == 0)
		return 0;
	return d->rom.parallelism <= 2 ? 1 : 2;
}

static uint64_t
scaled(const struct drone *d, uint64_t us)
{
	return us * d->config.timing.flash_permille / 1000;
}

static uint64_t
mass_erase_us(const struct chip_memory *cm, unsigned p)
{
	uint64_t sum = 0;

	if (cm->mass_us[p] != 0)
		return cm->mass_us[p];
	for (unsigned i = 0; i < CHIP_RUNS_MAX; i++)
		sum += (uint64_t)cm->runs[i].count * cm->runs[i].erase_us[p];
	return sum;
}

static bool
is_write_protected(const struct drone *d, const struct chip_memory *cm, unsigned sector)
{
	return cm == d->chip->memory && sector < 16 && (d->config.write_protected >> sector & 1);
}

/* Which status the operation ends with; decided before anything is touched. */
static uint8_t
judge(const struct drone *d)
{
	const struct rom *m = &d->rom;
	const struct chip_memory *cm = chip_memory_at(d->chip, m->op_addr);

	switch (m->op) {
	case OP_ADDRESS:
		return cm != NULL ? ERR_OK : ERR_TARGET;
	case OP_ERASE:
		if (d->config.read_protected)
			return ERR_VENDOR;
		if (cm == NULL || cm->kind != MEMORY_FLASH ||
		    chip_sector_at(cm, m->op_addr).run->read_only)
			return ERR_TARGET;
		return ERR_OK;
	case OP_WRITE:
		if (d->config.read_protected)
			return ERR_VENDOR;
		if (cm == NULL || m->op_length > cm->size - (m->op_addr - cm->base))
			return ERR_TARGET;
		if (cm->kind == MEMORY_FLASH && chip_sector_at(cm, m->op_addr).run->read_only)
			return ERR_TARGET;
		return ERR_OK;
	case OP_MASS_ERASE:
		return d->config.read_protected ? ERR_VENDOR : ERR_OK;
	case OP_UNPROTECT:
	case OP_NONE:
		return ERR_OK;
	case OP_UNKNOWN:
		break;
	}
	return ERR_STALLEDPKT;
}

static uint64_t
work_us(const struct drone *d)
{
	const struct rom *m = &d->rom;
	const struct chip_memory *cm = chip_memory_at(d->chip, m->op_addr);
	unsigned p = parallelism(d), unit = 1U << p;
	struct chip_sector s;

	switch (m->op) {
	case OP_ERASE:
		s = chip_sector_at(cm, m->op_addr);
		return is_write_protected(d, cm, s.index) ? QUICK_US : s.run->erase_us[p];
	case OP_WRITE:
		if (cm->kind == MEMORY_FEATURE)
			return QUICK_US;
		return (m->op_length + unit - 1) / unit * (uint64_t)cm->program_us[p];
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
		return mass_erase_us(d->chip->memory, p);
	case OP_ADDRESS:
	case OP_UNKNOWN:
	case OP_NONE:
		break;
	}
	return QUICK_US;
}

uint64_t
rom_op_duration_us(const struct drone *d)
{
	if (judge(d) != ERR_OK)
		return QUICK_US;
	return scaled(d, work_us(d));
}

static bool
is_outside(const struct drone *d, const struct chip_memory *cm, uint32_t addr)
{
	if (cm->kind == MEMORY_FEATURE)
		return false;
	return cm->kind != MEMORY_FLASH ||
	       (cm == d->chip->memory && addr < d->config.application_addr);
}

static void
count_write(struct drone *d, const struct chip_memory *cm)
{
	struct drone_counters *n = &d->counters;

	n->blocks_written++;
	n->bytes_written += d->rom.op_length;
	if (is_outside(d, cm, d->rom.op_addr))
		n->outside_writes++;
	switch (cm->kind) {
	case MEMORY_OPTIONS:
		n->option_writes++;
		break;
	case MEMORY_OTP:
		n->otp_writes++;
		break;
	case MEMORY_FEATURE:
		n->feature_writes++;
		break;
	case MEMORY_FLASH:
		break;
	}
}

static void
count_erase(struct drone *d, const struct chip_memory *cm)
{
	struct chip_sector s = chip_sector_at(cm, d->rom.op_addr);

	d->counters.erases++;
	if (cm == d->chip->memory && s.index < DRONE_SECTORS_MAX)
		d->counters.sector_erases[s.index]++;
	if (is_outside(d, cm, s.base))
		d->counters.outside_erases++;
}

void
rom_op_begin(struct drone *d, uint64_t now)
{
	struct rom *m = &d->rom;
	const struct chip_memory *cm = chip_memory_at(d->chip, m->op_addr);

	m->result = judge(d);
	d->counters.busy_us += m->over_us - now;
	if (m->op == OP_UNPROTECT)
		d->counters.unprotects++;
	if (m->op == OP_MASS_ERASE)
		d->counters.mass_erases++;
	if (m->result != ERR_OK)
		return;
	if (m->op == OP_ADDRESS)
		d->counters.set_addresses++;
	if (m->op == OP_ERASE)
		count_erase(d, cm);
	if (m->op == OP_WRITE)
		count_write(d, cm);
}

/* ---- effects ---- */

struct memory *
rom_view(struct drone *d, const struct chip_memory *cm)
{
	struct memory *all = d->echo != NULL ? d->echo : d->memory;

	return &all[cm - d->chip->memory];
}

/* Our own lack of memory must not look like a wrong flash: the device dies instead. */
static void
must(struct drone *d, int r)
{
	if (r < 0)
		d->mute = true;
}

/* Programs length bytes, leaving out write-protected sectors, silently (doc/protocol.md 3.3). */
static void
program(struct drone *d, const struct chip_memory *cm, size_t length)
{
	const struct rom *m = &d->rom;
	uint32_t addr = m->op_addr;
	const uint8_t *from = m->op_data;

	while (length > 0) {
		struct chip_sector s = chip_sector_at(cm, addr);
		size_t n = s.size > 0 ? s.base + s.size - addr : length;

		if (n > length)
			n = length;
		if (!is_write_protected(d, cm, s.index) || s.size == 0)
			must(d, memory_program(rom_view(d, cm), addr - cm->base, from, n,
					       &d->counters.overwrites));
		from += n;
		addr += (uint32_t)n;
		length -= n;
	}
}

static void
rewrite(struct drone *d, const struct chip_memory *cm)
{
	must(d, memory_set(rom_view(d, cm), d->rom.op_addr - cm->base, d->rom.op_data,
			   d->rom.op_length));
	if (cm->kind == MEMORY_FEATURE) {
		if (d->rom.op_addr == cm->base)
			d->rom.parallelism = d->rom.op_data[0];
		return;
	}
	/* SPEC: doc/protocol.md 3.3: new option bytes take effect by a reset. */
	drone_leave_bus(d, d->now_us, boot_decide(d, BOOT_RESET, 0, d->rom.by_button),
			d->now_us + drone_draw_ms(d, d->config.timing.boot_min_ms,
						  d->config.timing.boot_max_ms) *
					1000);
}

static void
erase_everything(struct drone *d)
{
	const struct chip_memory *cm = d->chip->memory;
	uint32_t at = 0;

	while (at < cm->size) {
		struct chip_sector s = chip_sector_at(cm, cm->base + at);

		if (!is_write_protected(d, cm, s.index) && !s.run->read_only)
			memory_erase(rom_view(d, cm), at, s.size);
		at += s.size;
	}
}

static void
apply(struct drone *d)
{
	struct rom *m = &d->rom;
	const struct chip_memory *cm = chip_memory_at(d->chip, m->op_addr);
	struct chip_sector s;

	switch (m->op) {
	case OP_ADDRESS:
		m->pointer = m->op_addr;
		break;
	case OP_ERASE:
		s = chip_sector_at(cm, m->op_addr);
		if (!is_write_protected(d, cm, s.index))
			memory_erase(rom_view(d, cm), s.base - cm->base, s.size);
		break;
	case OP_WRITE:
		if (cm->kind == MEMORY_FLASH || cm->kind == MEMORY_OTP)
			program(d, cm, m->op_length);
		else
			rewrite(d, cm);
		break;
	case OP_UNPROTECT:
		d->config.read_protected = false;
		erase_everything(d);
		drone_leave_bus(d, d->now_us, boot_decide(d, BOOT_RESET, 0, m->by_button),
				d->now_us + 1000000);
		break;
	case OP_MASS_ERASE:
		erase_everything(d);
		break;
	case OP_UNKNOWN:
	case OP_NONE:
		break;
	}
}

void
rom_settle(struct drone *d, uint64_t now)
{
	struct rom *m = &d->rom;

	if (!m->running || now < m->over_us)
		return;
	m->running = false;
	if (m->result != ERR_OK)
		return;
	if (m->op != OP_ADDRESS)
		boot_flash_changed(d);
	apply(d);
}

/* A sector half erased: its beginning is blank, of the rest some bits have come up. */
static void
spoil(struct drone *d, const struct chip_memory *cm, uint32_t permille)
{
	struct chip_sector s = chip_sector_at(cm, d->rom.op_addr);
	struct memory *m = rom_view(d, cm);
	uint32_t blank = (uint32_t)((uint64_t)s.size * permille / 1000) & ~3U;
	uint32_t at = s.base - cm->base;
	uint8_t chunk[256];

	memory_erase(m, at, blank);
	for (uint32_t i = blank; i < s.size;) {
		uint32_t n = s.size - i < sizeof(chunk) ? s.size - i : (uint32_t)sizeof(chunk);

		if (!memory_page_is_blank(m, at + i)) {
			memory_read(m, at + i, chunk, n);
			for (uint32_t k = 0; k < n; k++)
				chunk[k] |= (uint8_t)rng_next(&d->rng);
			must(d, memory_set(m, at + i, chunk, n));
		}
		i += n;
	}
}

void
rom_interrupt(struct drone *d, uint64_t now)
{
	struct rom *m = &d->rom;
	const struct chip_memory *cm = chip_memory_at(d->chip, m->op_addr);
	uint64_t whole = m->over_us - m->begun_us;

	rom_settle(d, now);
	if (m->running && m->result == ERR_OK && m->over_us != DRONE_NEVER && cm != NULL) {
		uint32_t permille = (uint32_t)((now - m->begun_us) * 1000 / whole);

		boot_flash_changed(d);
		if (m->op == OP_ERASE)
			spoil(d, cm, permille);
		else if (m->op == OP_WRITE && cm->kind == MEMORY_FLASH)
			program(d, cm, m->op_length * permille / 1000);
	}
	m->running = false;
	m->op = OP_NONE;
	m->over_us = 0;
}

/* ---- reading ---- */

/*
 * The option bytes of a chip as it comes, but for nWRP.  SPEC: RM0090 3.9: USER and RDP (0xAA:
 * none) at 0x1FFFC000, nWRP (a sector each in 12 bits, 0 protects) at 0x1FFFC008.
 */
static void
read_options(const struct drone *d, uint32_t offset, uint8_t *buf, size_t length)
{
	unsigned nwrp = 0xFFFFU & ~(d->config.write_protected & 0xFFFU);
	const uint8_t bytes[16] = { 0xEF, 0xAA, 0xFF, 0xFF,	     0xFF,
				    0xFF, 0xFF, 0xFF, (uint8_t)nwrp, (uint8_t)(nwrp >> 8),
				    0xFF, 0xFF, 0xFF, 0xFF,	     0xFF,
				    0xFF };

	for (size_t i = 0; i < length && offset + i < sizeof(bytes); i++)
		buf[i] = buf[i] == 0xFF ? bytes[offset + i] : buf[i];
}

/* 0; a status code; -1: the boot loader hangs. */
int
rom_read(struct drone *d, uint32_t addr, uint8_t *buf, size_t length)
{
	const struct chip_memory *cm = chip_memory_at(d->chip, addr);

	if (d->config.read_protected)
		return ERR_VENDOR;
	if (cm == NULL || (cm->kind == MEMORY_OPTIONS && !d->config.options_readable))
		return ERR_TARGET;
	if (length > cm->size - (addr - cm->base))
		return -1;
	memory_read(rom_view(d, cm), addr - cm->base, buf, length);
	if (cm->kind == MEMORY_OPTIONS)
		read_options(d, addr - cm->base, buf, length);
	if (cm->kind == MEMORY_FEATURE && d->config.feature_readable)
		buf[0] = d->rom.parallelism;
	else if (cm->kind == MEMORY_FEATURE)
		memset(buf, 0, length);
	return 0;
}
