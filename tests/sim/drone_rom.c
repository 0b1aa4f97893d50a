/* SPDX-License-Identifier: MIT */
/*
 * The boot loader's conversation: DFU 1.1 with ST's extensions (doc/protocol.md 3.1 to 3.6).
 *
 *   ERROR(10, firmware) --CLRSTATUS--> IDLE --DNLOAD--> DNLOAD-SYNC --GETSTATUS--> DNBUSY
 *                                       |  ^                ^                        | over
 *                                UPLOAD |  | ABORT          | DNLOAD                 v GETSTATUS
 *                                       v  |                +------------------ DNLOAD-IDLE, ERROR
 *                                  UPLOAD-IDLE
 *
 *   IDLE, DNLOAD-IDLE --DNLOAD without data--> MANIFEST-SYNC --GETSTATUS--> MANIFEST, off the bus
 *
 * The operation of a DNLOAD begins when the first GETSTATUS has been answered, and that answer is
 * always DNBUSY.
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define ADDRESS_DEFAULT 0x08000000U

void
rom_enter(struct drone *d, bool by_button)
{
	struct rom *m = &d->rom;
	bool running = m->running;

	/*
	 * SPEC: doc/protocol.md 3.2: from reset the two variables say "firmware corrupt"; not a
	 * fault.
	 */
	m->state = ST_ERROR;
	m->status = ERR_FIRMWARE;
	m->pointer = ADDRESS_DEFAULT;
	m->by_button = by_button;
	m->stick_next = false;
	if (running && m->over_us != DRONE_NEVER)
		return; /* the chip was not reset: let it finish */
	m->running = false;
	m->op = OP_NONE;
	m->over_us = 0;
	m->parallelism = 0;
}

void
rom_force_error(struct drone *d, uint8_t status)
{
	struct rom *m = &d->rom;

	m->op = OP_NONE;
	m->running = false;
	m->over_us = 0;
	m->state = ST_ERROR;
	m->status = status;
}

static bool
is_getstatus(const struct usb_setup *s)
{
	return s->request_type == 0xA1 && s->request == 3;
}

uint64_t
rom_ready_us(const struct drone *d, uint64_t now, const struct usb_setup *s)
{
	const struct rom *m = &d->rom;

	if (m->state == ST_MANIFEST && d->detach_us != DRONE_NEVER)
		return DRONE_NEVER; /* it is jumping into the application */
	if (m->over_us <= now)
		return now;
	/* SPEC: doc/protocol.md 3.5: the processor is stalled, so nothing at all is answered. */
	if (d->config.kind == DRONE_KIND_NAK || m->state != ST_DNBUSY)
		return m->over_us;
	(void)s;
	return now;
}

static void
stall(struct reply *r)
{
	r->status = USB_STALL;
}

/* ---- DNLOAD ---- */

static void
command(struct drone *d, const uint8_t *p, size_t n)
{
	struct rom *m = &d->rom;

	m->op_length = 0;
	m->op_addr = n == 5 ? get_le32(p + 1) : 0;
	if (n == 5 && p[0] == 0x21)
		m->op = OP_ADDRESS;
	else if (n == 5 && p[0] == 0x41)
		m->op = OP_ERASE;
	else if (n == 1 && p[0] == 0x41)
		m->op = OP_MASS_ERASE;
	else if (n == 1 && p[0] == 0x92)
		m->op = OP_UNPROTECT;
	else
		m->op = OP_UNKNOWN;
}

static uint32_t
block_addr(const struct drone *d, unsigned block)
{
	return d->rom.pointer + (block - 2) * usb_transfer_size(d);
}

static void
data_block(struct drone *d, const struct channel *c)
{
	struct rom *m = &d->rom;
	uint32_t bit = c->fate.has_value ? c->fate.value : 77;

	m->op = OP_WRITE;
	m->op_addr = block_addr(d, c->x.setup.value);
	m->op_length = c->x.length;
	memcpy(m->op_data, c->buf, c->x.length);
	if (c->fate.kind == FATE_FLIP_WRITE) {
		bit %= (uint32_t)c->x.length * 8;
		m->op_data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void
dnload(struct drone *d, const struct channel *c, struct reply *r)
{
	struct rom *m = &d->rom;
	unsigned block = c->x.setup.value;

	if (m->state != ST_IDLE && m->state != ST_DNLOAD_IDLE) {
		stall(r);
		return;
	}
	if (c->x.length == 0) {
		m->state = ST_MANIFEST_SYNC;
		return;
	}
	if (block == 1 || c->x.length > usb_transfer_size(d)) {
		stall(r);
		return;
	}
	if (block == 0)
		command(d, c->buf, c->x.length);
	else
		data_block(d, c);
	m->state = ST_DNLOAD_SYNC;
	if (c->fate.kind == FATE_BUSY_FOREVER)
		m->stick_next = true;
}

/* ---- UPLOAD ---- */

static void
upload(struct drone *d, const struct channel *c, struct reply *r)
{
	static const uint8_t commands[4] = { 0x00, 0x21, 0x41, 0x92 };
	struct rom *m = &d->rom;
	const struct usb_setup *s = &c->x.setup;
	int error;

	if ((m->state != ST_IDLE && m->state != ST_UPLOAD_IDLE) || s->value == 1 ||
	    s->length > usb_transfer_size(d)) {
		stall(r);
		return;
	}
	if (s->value == 0) {
		r->length = s->length < sizeof(commands) ? s->length : sizeof(commands);
		memcpy(d->reply, commands, r->length);
		m->state = s->length > 3 ? ST_IDLE : ST_UPLOAD_IDLE;
		return;
	}
	error = rom_read(d, block_addr(d, s->value), d->reply, s->length);
	if (error < 0) {
		/* SPEC: doc/protocol.md 3.2: past the end of a memory the ROM hangs for good. */
		m->over_us = DRONE_NEVER;
		r->pending = true;
		return;
	}
	if (error > 0) {
		rom_force_error(d, (uint8_t)error);
		stall(r);
		return;
	}
	m->state = ST_UPLOAD_IDLE;
	r->length = s->length;
	d->counters.blocks_read++;
	d->counters.bytes_read += s->length;
}

/* ---- GETSTATUS ---- */

static uint32_t
poll_ms(const struct drone *d)
{
	const struct drone_config *c = &d->config;

	if (c->kind == DRONE_KIND_STALL_EARLY)
		return (uint32_t)(rom_op_duration_us(d) / 1000) + 1;
	if (d->rom.op == OP_ERASE || d->rom.op == OP_MASS_ERASE)
		return c->poll_erase_ms;
	return c->poll_write_ms;
}

static void
begin_operation(struct drone *d, uint64_t now)
{
	struct rom *m = &d->rom;

	m->state = ST_DNBUSY;
	m->begun_us = now;
	m->over_us = now + rom_op_duration_us(d);
	m->running = true;
	rom_op_begin(d, now);
	if (m->stick_next) {
		m->over_us = DRONE_NEVER;
		m->stick_next = false;
	}
}

static void
leave(struct drone *d, uint64_t now)
{
	const struct drone_timing *t = &d->config.timing;
	uint64_t off = now + drone_draw_ms(d, t->leave_min_ms, t->leave_max_ms) * 1000;
	uint64_t back = off + drone_draw_ms(d, t->boot_min_ms, t->boot_max_ms) * 1000;
	bool by_button = d->rom.by_button;
	enum drone_personality next;
	struct fate f;

	d->rom.state = ST_MANIFEST;
	d->counters.leaves++;
	if (fate_occasion(d, FATE_NO_LEAVE, &f))
		return;
	next = boot_decide(d, BOOT_JUMP, d->rom.pointer, by_button);
	if (fate_occasion(d, FATE_LEAVE_RUNTIME, &f))
		next = DRONE_RUNTIME;
	if (fate_occasion(d, FATE_LEAVE_DFU, &f))
		next = DRONE_ROM;
	if (fate_occasion(d, FATE_LEAVE_NOTHING, &f))
		next = DRONE_OFF;
	if (fate_occasion(d, FATE_SWAP_BACK, &f)) {
		d->swap_pending = true;
		d->swap_as = DRONE_RUNTIME;
		d->swap_back_ms = (uint32_t)((back - off) / 1000);
	}
	d->by_button_next = by_button && next == DRONE_ROM;
	drone_leave_bus(d, off, next, back);
}

/* True: the answer is in state, status and the poll value returned. */
static bool
advance(struct drone *d, uint64_t now, uint32_t *ret_poll)
{
	struct rom *m = &d->rom;

	switch (m->state) {
	case ST_DNLOAD_SYNC:
		*ret_poll = poll_ms(d);
		begin_operation(d, now);
		return true;
	case ST_DNBUSY:
		if (now < m->over_us) {
			*ret_poll = d->config.poll_busy_ms;
			return d->config.kind != DRONE_KIND_STALL_EARLY;
		}
		m->status = m->result;
		m->state = m->result == ERR_OK ? ST_DNLOAD_IDLE : ST_ERROR;
		return true;
	case ST_MANIFEST_SYNC:
		*ret_poll = 1;
		leave(d, now);
		return true;
	default:
		return true;
	}
}

static void
getstatus(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	uint32_t poll = 0;

	if (!advance(d, now, &poll)) {
		stall(r);
		return;
	}
	if (d->poll_overridden) {
		poll = d->poll_override;
		d->poll_overridden = false;
	}
	d->reply[0] = d->rom.status;
	put_le32(d->reply + 1, poll & 0xFFFFFF);
	d->reply[4] = d->rom.state;
	d->reply[5] = 0;
	r->length = c->x.setup.length < 6 ? c->x.setup.length : 6;
}

/* ---- the rest ---- */

static void
clrstatus(struct drone *d)
{
	struct rom *m = &d->rom;

	if (m->state == ST_ERROR) {
		m->state = ST_IDLE;
		m->status = ERR_OK;
		return;
	}
	/* SPEC: doc/protocol.md 3.2 note a: anywhere else it is itself an error. */
	rom_force_error(d, ERR_UNKNOWN);
}

static void
abort_request(struct drone *d, struct reply *r)
{
	struct rom *m = &d->rom;

	if (m->state == ST_ERROR || m->state == ST_MANIFEST ||
	    (m->state == ST_DNBUSY && d->config.abort_busy_stalls)) {
		stall(r);
		return;
	}
	m->op = OP_NONE;
	m->state = ST_IDLE;
}

static void
class_request(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	const struct usb_setup *s = &c->x.setup;
	bool in = s->request_type & 0x80;

	switch (s->request) {
	case 0: /* DETACH: no meaning here */
		return;
	case 1:
		if (!in) {
			dnload(d, c, r);
			return;
		}
		break;
	case 2:
		if (in) {
			upload(d, c, r);
			return;
		}
		break;
	case 3:
		if (in) {
			getstatus(d, now, c, r);
			return;
		}
		break;
	case 4:
		clrstatus(d);
		return;
	case 5:
		if (in) {
			d->reply[0] = d->rom.state;
			r->length = s->length < 1 ? 0 : 1;
			return;
		}
		break;
	case 6:
		abort_request(d, r);
		return;
	default:
		break;
	}
	stall(r);
}

void
rom_control(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	const struct usb_setup *s = &c->x.setup;
	unsigned type = s->request_type >> 5 & 3;
	struct rom *m = &d->rom;

	rom_settle(d, now);
	if (type == 0)
		usb_standard(d, s, r);
	else if (type != 1 || (s->request_type & 0x1F) != 1)
		stall(r);
	else if (m->over_us > now && !is_getstatus(s) && s->request != 5)
		stall(r); /* a kind that talks while busy, asked for something else */
	else
		class_request(d, now, c, r);
}
