/* SPDX-License-Identifier: MIT */
/* Where faults strike: before a transfer, on its answer, at mode changes and enumerations. */
#include "config.h"

#include "sim/drone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

#define LATE_MS 3000
#define SLOW_MS 5

int
drone_arm(struct drone *d, const struct fate *f)
{
	struct fate *slot = &d->fates[d->fate_count];

	if (f->kind == FATE_LIAR && d->echo == NULL) {
		struct memory *echo = calloc(CHIP_MEMORIES_MAX, sizeof(*echo));
		int r = echo != NULL ? 0 : -ENOMEM;

		for (unsigned i = 0; r == 0 && i < d->chip->memories; i++) {
			r = memory_init(&echo[i], &d->chip->memory[i]);
			if (r == 0)
				r = memory_copy(&echo[i], &d->memory[i]);
		}
		d->echo = echo; /* half-built on failure: drone_free() copes */
		return r;
	}
	if (f->kind == FATE_LIAR || f->kind == FATE_NONE)
		return 0;
	if (d->fate_count == DRONE_FATES_MAX)
		return -ENOSPC;
	*slot = *f;
	if (slot->at == 0)
		slot->at = 1;
	if (slot->count == 0)
		slot->count = 1;
	d->fate_count++;
	return 0;
}

void
drone_disarm(struct drone *d)
{
	d->fate_count = 0;
	d->mute = false;
	d->slow_ms = 0;
	d->poll_overridden = false;
	for (unsigned i = 0; d->echo != NULL && i < CHIP_MEMORIES_MAX; i++)
		memory_done(&d->echo[i]);
	free(d->echo);
	d->echo = NULL;
}

static void
remove_fate(struct drone *d, unsigned i)
{
	d->fate_count--;
	memmove(&d->fates[i], &d->fates[i + 1], (d->fate_count - i) * sizeof(d->fates[0]));
}

/* One occasion passes for the i-th fate: true when it strikes; it is gone after its last strike. */
static bool
strike(struct drone *d, unsigned i, struct fate *ret)
{
	struct fate *f = &d->fates[i];

	if (f->at > 1) {
		f->at--;
		return false;
	}
	*ret = *f;
	if (--f->count == 0)
		remove_fate(d, i);
	return true;
}

bool
fate_occasion(struct drone *d, enum fate_kind kind, struct fate *ret)
{
	for (unsigned i = 0; i < d->fate_count; i++)
		if (d->fates[i].kind == kind)
			return strike(d, i, ret);
	return false;
}

int
drone_open_error(struct drone *d)
{
	struct fate f;

	if (fate_occasion(d, FATE_OPEN_BUSY, &f))
		return -EBUSY;
	return fate_occasion(d, FATE_OPEN_ACCESS, &f) ? -EACCES : 0;
}

static bool
matches_control(const struct usb_setup *s, enum fate_request on)
{
	unsigned type = s->request_type >> 5 & 3;

	switch (on) {
	case FATE_ON_DETACH:
	case FATE_ON_DNLOAD:
	case FATE_ON_UPLOAD:
	case FATE_ON_GETSTATUS:
	case FATE_ON_CLRSTATUS:
	case FATE_ON_GETSTATE:
	case FATE_ON_ABORT:
		return type == 1 && s->request == (unsigned)(on - FATE_ON_DETACH);
	case FATE_ON_COMMAND:
		return type == 1 && s->request == 1 && s->value == 0 && s->length > 0;
	case FATE_ON_DATA:
		return type == 1 && s->request == 1 && s->value >= 2 && s->length > 0;
	case FATE_ON_LEAVE:
		return type == 1 && s->request == 1 && s->length == 0;
	case FATE_ON_STANDARD:
		return type == 0;
	case FATE_ON_VENDOR:
		return type == 2;
	case FATE_ON_ANY:
	case FATE_ON_BULK_OUT:
	case FATE_ON_BULK_IN:
	case FATE_ON_RESET:
	case FATE_ON_COUNT:
		break;
	}
	return false;
}

static bool
matches(const struct drone *d, const struct fate *f, const struct usb_xfer *x)
{
	bool standard = x->kind == USB_CONTROL && (x->setup.request_type >> 5 & 3) == 0;

	if (!fate_is_by_request(f->kind))
		return false;
	if (f->mode != FATE_MODE_ANY &&
	    (f->mode == FATE_MODE_RUNTIME) != (d->on_bus == DRONE_RUNTIME))
		return false;
	if (f->on == FATE_ON_ANY)
		return !standard || d->config.count_standard;
	switch (x->kind) {
	case USB_BULK_OUT:
		return f->on == FATE_ON_BULK_OUT;
	case USB_BULK_IN:
		return f->on == FATE_ON_BULK_IN;
	case USB_RESET:
		return f->on == FATE_ON_RESET;
	case USB_CONTROL:
		break;
	}
	return matches_control(&x->setup, f->on);
}

bool
fate_strikes(struct drone *d, const struct usb_xfer *x, struct fate *ret)
{
	bool struck = false;

	for (unsigned i = 0; i < d->fate_count;) {
		unsigned before = d->fate_count;
		struct fate f;

		if (matches(d, &d->fates[i], x) && strike(d, i, &f) && !struck) {
			*ret = f;
			struck = true;
		}
		if (d->fate_count == before)
			i++;
	}
	return struck;
}

/* ---- before ---- */

static void
end_with(struct drone *d, struct channel *c, enum usb_status status)
{
	c->skip = true;
	c->forced = status;
	c->done_us = c->begun_us + d->config.timing.control_us;
}

/* Done now, answered later, also when the host has given up by then. */
static void
do_now(struct drone *d, uint64_t now, struct channel *c)
{
	struct reply r = { .status = USB_OK };
	uint8_t kept[sizeof(d->reply)];

	/* WHY: the owner may still be reading the answer before this one. */
	memcpy(kept, d->reply, sizeof(kept));
	if (c->x.kind != USB_BULK_IN || run_in_ready_us(d) != DRONE_NEVER)
		drone_run_request(d, now, c, &r);
	c->already = true;
	c->skip = true;
	c->forced = r.status;
	c->reply_length = r.length;
	memcpy(c->buf, d->reply, r.length);
	memcpy(d->reply, kept, sizeof(kept));
}

/* True: the device leaves the bus now, and this says how it comes back. */
static bool
vanish(struct drone *d, uint64_t now, const struct fate *f)
{
	uint64_t back = now + (uint64_t)f->back_ms * 1000;
	const struct drone_timing *t = &d->config.timing;
	enum drone_personality was = d->on_bus;

	if (f->kind == FATE_DISCONNECT) {
		d->by_button_next = d->rom.by_button;
		drone_leave_bus(d, now, f->back_ms > 0 ? was : DRONE_OFF, back);
		d->keeps_running = true;
	} else if (f->kind == FATE_SWAP_NOW) {
		d->swap_pending = true;
		d->swap_as = was;
		d->swap_back_ms = f->back_ms > 0 ? f->back_ms : 500;
		rom_interrupt(d, now);
		drone_leave_bus(d, now, DRONE_OFF, back);
	} else if (f->kind == FATE_POWER_LOSS) {
		drone_unplug(d, now);
		if (f->back_ms > 0) {
			drone_plug(d, now);
			d->attach_us = d->next != DRONE_OFF ? back : DRONE_NEVER;
		}
	} else if (f->kind == FATE_RESET_RUNTIME) {
		rom_interrupt(d, now);
		d->by_button_next = false;
		drone_leave_bus(d, now, boot_decide(d, BOOT_RESET, 0, false),
				now + drone_draw_ms(d, t->boot_min_ms, t->boot_max_ms) * 1000);
	} else if (f->kind == FATE_ASSERT && was == DRONE_RUNTIME &&
		   d->config.model == DRONE_CRAZYFLIE) {
		firmware_assert(d, now, DRONE_ASSERT_RADIO, "src/hal/src/radiolink.c:155");
	} else {
		return false;
	}
	return true;
}

/* In a DFU conversation these change what the device is; elsewhere they are plain errors. */
static void
twist_state(struct drone *d, struct channel *c)
{
	const struct usb_setup *s = &c->x.setup;
	bool asks = c->x.kind == USB_CONTROL && s->request_type == 0xA1 &&
		    (s->request == 3 || s->request == 5);

	if (asks && c->fate.kind == FATE_WRONG_STATE)
		return; /* fate_after() writes it into the answer */
	if (d->on_bus == DRONE_ROM && c->fate.kind == FATE_STATUS)
		rom_force_error(d, (uint8_t)(c->fate.has_value ? c->fate.value : ERR_WRITE));
	else if (d->on_bus == DRONE_ROM)
		d->rom.state = (uint8_t)(c->fate.has_value ? c->fate.value : ST_IDLE);
	if (!asks)
		end_with(d, c, USB_STALL);
}

static void
make_lasting(struct drone *d, struct channel *c)
{
	const struct fate *f = &c->fate;

	if (f->kind == FATE_SILENT) {
		d->mute = true;
		c->done_us = DRONE_NEVER;
	} else if (f->kind == FATE_SLOW) {
		d->slow_ms = f->has_value && f->value > 0 ? f->value : SLOW_MS;
	} else if (f->kind == FATE_BUSY_FOREVER && d->on_bus == DRONE_ROM &&
		   d->rom.state != ST_IDLE && d->rom.state != ST_DNLOAD_IDLE) {
		if (d->rom.state == ST_DNBUSY)
			d->rom.over_us = DRONE_NEVER;
		else
			d->rom.stick_next = true;
		if (d->rom.state == ST_DNBUSY && d->config.kind == DRONE_KIND_NAK)
			c->done_us = DRONE_NEVER;
	} else if (f->kind == FATE_POLL_HUGE || f->kind == FATE_POLL_ZERO) {
		d->poll_overridden = true;
		d->poll_override = f->kind == FATE_POLL_ZERO ? 0 : 0xFFFFFF;
		if (f->has_value)
			d->poll_override = f->value;
	}
}

static void
delay_to_limit(struct drone *d, struct channel *c)
{
	uint64_t limit = c->begun_us + (uint64_t)c->x.timeout_ms * 1000;
	uint64_t margin = (uint64_t)d->slow_ms * 1000;

	if (d->slow_ms == 0 || c->x.timeout_ms == 0 || c->done_us == DRONE_NEVER)
		return;
	if (c->x.timeout_ms > d->slow_ms && limit - margin > c->done_us)
		c->done_us = limit - margin;
}

static bool
is_refused(enum fate_kind kind, enum usb_status *ret)
{
	static const struct {
		enum fate_kind kind;
		enum usb_status status;
	} table[] = {
		{ FATE_STALL, USB_STALL },
		{ FATE_EPROTO, USB_IO },
		{ FATE_OVERFLOW, USB_OVERFLOW },
		{ FATE_NOMEM, USB_NOMEM },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].kind == kind) {
			*ret = table[i].status;
			return true;
		}
	return false;
}

static void
answer_late(struct drone *d, uint64_t now, struct channel *c)
{
	if (c->done_us == DRONE_NEVER)
		return;
	/* A busy device has not seen it yet, so there is nothing to be done at once. */
	if (d->on_bus != DRONE_ROM || d->rom.over_us <= now)
		do_now(d, now, c);
	c->done_us += (uint64_t)(c->fate.has_value ? c->fate.value : LATE_MS) * 1000;
}

void
fate_before(struct drone *d, uint64_t now, struct channel *c)
{
	enum usb_status status;

	if (is_refused(c->fate.kind, &status))
		end_with(d, c, status);
	else if (c->fate.kind == FATE_NO_ANSWER)
		c->done_us = DRONE_NEVER;
	else if (c->fate.kind == FATE_LATE)
		answer_late(d, now, c);
	else if (c->fate.kind == FATE_WRONG_STATE || c->fate.kind == FATE_STATUS)
		twist_state(d, c);
	else if (vanish(d, now, &c->fate))
		c->done_us = DRONE_NEVER; /* ends when the device leaves the bus, now */
	else
		make_lasting(d, c);
	delay_to_limit(d, c);
}

/* ---- after ---- */

static bool
is_in(const struct channel *c)
{
	return c->x.kind == USB_BULK_IN ||
	       (c->x.kind == USB_CONTROL && (c->x.setup.request_type & 0x80));
}

void
fate_after(struct drone *d, uint64_t now, struct channel *c, struct reply *r)
{
	const struct fate *f = &c->fate;
	uint32_t bit = f->has_value ? f->value : 99;

	(void)now;
	if (f->kind == FATE_NONE || r->status != USB_OK || r->pending)
		return;
	if (f->kind == FATE_LOST_ACK)
		r->status = USB_IO;
	if (!is_in(c))
		return;
	if (f->kind == FATE_SHORT) {
		size_t n = f->has_value ? f->value : r->length / 2;

		r->length = n < r->length ? n : r->length;
	} else if (f->kind == FATE_FLIP_READ && r->length > 0) {
		bit %= (uint32_t)r->length * 8;
		d->reply[bit / 8] ^= (uint8_t)(1U << bit % 8);
	} else if (f->kind == FATE_GARBAGE) {
		for (size_t i = 0; i < r->length; i++)
			d->reply[i] = (uint8_t)rng_next(&d->rng);
	} else if (f->kind == FATE_WRONG_STATE && c->x.kind == USB_CONTROL) {
		uint8_t state = (uint8_t)(f->has_value ? f->value : ST_IDLE);

		if (c->x.setup.request == 3 && r->length > 4) {
			d->reply[4] = state;
			if (f->value >> 8 != 0)
				d->reply[0] = (uint8_t)(f->value >> 8);
		} else if (c->x.setup.request == 5 && r->length > 0)
			d->reply[0] = state;
	}
}
