/* SPDX-License-Identifier: MIT */
/* A drone's life: power, attach and detach, transfers in flight, and the events they make. */
#include "config.h"

#include "sim/drone.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

#define RESET_US 50000 /* a port reset with re-enumeration */
#define REENUMERATE_US 120000

int
drone_new(const struct drone_config *c, struct drone **ret_drone)
{
	struct drone *d = calloc(1, sizeof(*d));
	int r = -ENOMEM;

	if (d == NULL)
		goto out;
	d->config = *c;
	d->chip = chip_of(c->model);
	d->attach_us = d->detach_us = DRONE_NEVER;
	rng_init(&d->rng, c->seed);
	for (unsigned i = 0; i < DRONE_CHANNELS; i++)
		d->channel[i].done_us = DRONE_NEVER;
	for (unsigned i = 0; i < d->chip->memories; i++) {
		r = memory_init(&d->memory[i], &d->chip->memory[i]);
		if (r < 0)
			goto out;
	}
	r = boot_prepare(d);
	if (r < 0)
		goto out;
	eeprom_prepare(d);
	decks_mount(d);
	copy_text(d->ram_crash, sizeof(d->ram_crash), c->crash);
	*ret_drone = d;
	d = NULL;
out:
	drone_free(d);
	return r;
}

void
drone_free(struct drone *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < CHIP_MEMORIES_MAX; i++) {
		memory_done(&d->memory[i]);
		if (d->echo != NULL)
			memory_done(&d->echo[i]);
	}
	free(d->echo);
	decks_free(d);
	free(d);
}

/* ---- power ---- */

uint64_t
drone_draw_ms(struct drone *d, uint32_t low, uint32_t high)
{
	return rng_between(&d->rng, low, high > low ? high : low);
}

static uint64_t
draw_boot_us(struct drone *d)
{
	return drone_draw_ms(d, d->config.timing.boot_min_ms, d->config.timing.boot_max_ms) * 1000;
}

void
drone_leave_bus(struct drone *d, uint64_t at_us, enum drone_personality next, uint64_t back_us)
{
	d->next = next;
	d->keeps_running = d->vcc_off = false;
	d->attach_us = next == DRONE_OFF ? DRONE_NEVER : back_us;
	d->detach_us = d->on_bus == DRONE_OFF ? DRONE_NEVER : at_us;
}

/* Power comes on, or the chip is reset with BOOT0 as it is. */
static void
power_up(struct drone *d, uint64_t now, uint64_t detach_us)
{
	enum drone_personality as = boot_decide(d, BOOT_RESET, 0, false);

	d->by_button_next = false;
	drone_leave_bus(d, detach_us, as, now + draw_boot_us(d));
}

static void
power_down(struct drone *d, uint64_t now)
{
	rom_interrupt(d, now);
	d->powered = false;
	power_off(d, now);
	d->swap_pending = false;
	d->by_button_next = false;
	drone_leave_bus(d, now, DRONE_OFF, 0);
}

void
drone_plug(struct drone *d, uint64_t now_us)
{
	if (d->powered)
		return;
	d->powered = true;
	power_up(d, now_us, d->detach_us);
}

void
drone_unplug(struct drone *d, uint64_t now_us)
{
	if (d->powered)
		power_down(d, now_us);
}

void
drone_button(struct drone *d, uint64_t now_us)
{
	const struct drone_timing *t = &d->config.timing;

	if (d->powered)
		power_down(d, now_us);
	d->powered = true;
	if (d->config.model == DRONE_OTHER_VCP) {
		power_up(d, now_us, d->detach_us);
		return;
	}
	d->by_button_next = true;
	drone_leave_bus(d, now_us, DRONE_ROM,
			now_us + drone_draw_ms(d, t->gap_min_ms, t->gap_max_ms) * 1000);
}

void
drone_power_cycle(struct drone *d, uint64_t now_us)
{
	if (d->powered)
		power_down(d, now_us);
	d->powered = true;
	power_up(d, now_us + 200000, d->detach_us);
}

void
drone_glitch(struct drone *d, uint64_t now_us, uint32_t back_ms)
{
	if (d->on_bus == DRONE_OFF)
		return;
	d->by_button_next = d->rom.by_button;
	drone_leave_bus(d, now_us, back_ms > 0 ? d->on_bus : DRONE_OFF,
			now_us + (uint64_t)back_ms * 1000);
	d->keeps_running = true;
}

void
drone_appear(struct drone *d, uint64_t now_us, enum drone_personality as, uint32_t back_ms)
{
	d->powered = true;
	drone_leave_bus(d, now_us, as, now_us + (uint64_t)back_ms * 1000);
}

void
drone_replacement(const struct drone *d, enum drone_personality *ret_as, uint32_t *ret_back_ms)
{
	*ret_as = d->swap_as;
	*ret_back_ms = d->swap_back_ms;
}

/* ---- transfers ---- */

enum drone_channel
drone_channel_of(const struct usb_xfer *x)
{
	if (x->kind == USB_BULK_OUT)
		return DRONE_OUT;
	return x->kind == USB_BULK_IN ? DRONE_IN : DRONE_CONTROL;
}

bool
drone_in_flight(const struct drone *d, enum drone_channel ch)
{
	return d->channel[ch].active;
}

static uint64_t
cost_us(const struct drone *d, const struct usb_xfer *x)
{
	const struct drone_timing *t = &d->config.timing;

	if (x->kind == USB_RESET)
		return RESET_US;
	return t->control_us + (uint64_t)x->length * t->byte_ns / 1000;
}

/* When the transfer ends if nothing goes wrong; DRONE_NEVER = the device does not answer. */
static uint64_t
natural_end_us(const struct drone *d, const struct channel *c)
{
	uint64_t ready = c->begun_us;

	if (d->mute)
		return DRONE_NEVER;
	if (c->x.kind == USB_BULK_IN)
		ready = run_in_ready_us(d);
	else if (c->x.kind == USB_CONTROL && d->on_bus == DRONE_ROM)
		ready = rom_ready_us(d, c->begun_us, &c->x.setup);
	else if (c->x.kind == USB_CONTROL && !run_answers(d, &c->x.setup))
		ready = DRONE_NEVER;
	if (ready == DRONE_NEVER)
		return DRONE_NEVER;
	if (ready < c->begun_us)
		ready = c->begun_us;
	return ready + cost_us(d, &c->x);
}

/* Setting the address pointer is what reading begins with, too. */
static bool
asks_for_a_change(const struct usb_xfer *x, enum drone_personality p)
{
	const struct usb_setup *s = &x->setup;

	if (p == DRONE_RUNTIME)
		return (s->request_type >> 5 & 3) == 2 && s->index == 2;
	if (s->request_type != 0x21 || s->request != 1)
		return false;
	return s->value != 0 || x->length != 5 || x->data[0] != 0x21;
}

static void
count_control(struct drone_counters *n, const struct usb_xfer *x, enum drone_personality p)
{
	const struct usb_setup *s = &x->setup;
	unsigned type = s->request_type >> 5 & 3;

	if (type == 0) {
		n->standard++;
		return;
	}
	n->beyond_standard++;
	if (type == 2)
		n->vendor++;
	else if (p == DRONE_RUNTIME)
		n->cdc++;
	else if (s->request < ARRAY_LEN(n->dfu))
		n->dfu[s->request]++;
	n->writing += asks_for_a_change(x, p);
}

static void
count_request(struct drone *d, const struct usb_xfer *x)
{
	struct drone_counters *n = &d->counters;

	n->requests++;
	switch (x->kind) {
	case USB_CONTROL:
		count_control(n, x, d->on_bus);
		return;
	case USB_BULK_OUT:
		n->bulk_out++;
		break;
	case USB_BULK_IN:
		n->bulk_in++;
		break;
	case USB_RESET:
		n->resets++;
		break;
	}
	n->beyond_standard++;
}

static bool
is_acceptable(const struct usb_xfer *x)
{
	bool out =
	    x->kind == USB_BULK_OUT || (x->kind == USB_CONTROL && !(x->setup.request_type & 0x80));

	if (x->length > USB_TRANSFER_BYTES_MAX || (out && x->length > 0 && x->data == NULL))
		return false;
	if (x->kind == USB_CONTROL)
		return x->length == x->setup.length;
	if (x->kind == USB_RESET)
		return true;
	return x->endpoint == (x->kind == USB_BULK_OUT ? 0x01 : 0x81);
}

int
drone_submit(struct drone *d, uint64_t now_us, const struct usb_xfer *x)
{
	struct channel *c = &d->channel[drone_channel_of(x)];

	if (!is_acceptable(x))
		return -EINVAL;
	if (d->on_bus == DRONE_OFF || (d->on_bus == DRONE_ROM && c != &d->channel[DRONE_CONTROL]))
		return -ENODEV;
	if (c->active)
		return -EBUSY;
	d->now_us = now_us;
	c->active = true;
	c->skip = c->already = c->hold = false;
	c->fate.kind = FATE_NONE;
	c->x = *x;
	c->begun_us = now_us;
	if (x->data != NULL && x->length > 0)
		memcpy(c->buf, x->data, x->length);
	c->x.data = c->buf;
	count_request(d, x);
	c->done_us = natural_end_us(d, c);
	if (x->kind == USB_CONTROL && c->done_us != DRONE_NEVER)
		d->counters.nak_us += c->done_us - now_us - cost_us(d, x);
	if (fate_strikes(d, x, &c->fate))
		d->counters.fates++;
	fate_before(d, now_us, c);
	return 0;
}

void
drone_cancel(struct drone *d, uint64_t now_us, enum drone_channel ch)
{
	struct channel *c = &d->channel[ch];

	if (!c->active)
		return;
	d->now_us = now_us;
	c->active = false;
	c->done_us = DRONE_NEVER;
}

/* ---- events ---- */

enum due { DUE_CONTROL, DUE_OUT, DUE_IN, DUE_DETACH, DUE_ATTACH, DUE_SWAP, DUE_DOOM, DUE_COUNT };

static bool
any_in_flight(const struct drone *d)
{
	for (unsigned i = 0; i < DRONE_CHANNELS; i++)
		if (d->channel[i].active)
			return true;
	return false;
}

static uint64_t
due_us(const struct drone *d, enum due what)
{
	switch (what) {
	case DUE_CONTROL:
	case DUE_OUT:
	case DUE_IN:
		return d->channel[what].active ? d->channel[what].done_us : DRONE_NEVER;
	case DUE_DETACH:
		return d->detach_us;
	case DUE_ATTACH:
		return d->detach_us == DRONE_NEVER && !d->swap_pending ? d->attach_us : DRONE_NEVER;
	case DUE_SWAP:
		if (d->swap_pending && d->on_bus == DRONE_OFF && !any_in_flight(d))
			return 0;
		return DRONE_NEVER;
	case DUE_DOOM:
		return d->on_bus == DRONE_RUNTIME && d->firmware.doom_us > 0 ? d->firmware.doom_us
									     : DRONE_NEVER;
	case DUE_COUNT:
		break;
	}
	return DRONE_NEVER;
}

uint64_t
drone_next_us(const struct drone *d)
{
	uint64_t next = DRONE_NEVER;

	for (unsigned i = 0; i < DUE_COUNT; i++) {
		uint64_t at = due_us(d, (enum due)i);

		if (at < next)
			next = at;
	}
	return next < d->now_us ? d->now_us : next;
}

/* The device is not there any more for what is in flight. */
static void
end_all_gone(struct drone *d, uint64_t now, bool also_held)
{
	for (unsigned i = 0; i < DRONE_CHANNELS; i++) {
		struct channel *c = &d->channel[i];

		if (!c->active || (c->hold && !also_held))
			continue;
		c->skip = true;
		c->already = false;
		c->forced = USB_GONE;
		c->fate.kind = FATE_NONE;
		c->done_us = now;
	}
}

static void
end_transfer(struct drone *d, uint64_t now, unsigned ch, struct drone_event *ev)
{
	struct channel *c = &d->channel[ch];
	struct reply r = { .status = c->forced };

	if (c->already) {
		r.length = c->reply_length;
		memcpy(d->reply, c->buf, r.length);
	} else if (!c->skip) {
		r.status = USB_OK;
		drone_run_request(d, now, c, &r);
		fate_after(d, now, c, &r);
	}
	if (r.pending) {
		c->done_us = DRONE_NEVER;
		c->hold = r.hold;
		return;
	}
	c->active = false;
	c->done_us = DRONE_NEVER;
	if (r.status == USB_STALL)
		d->counters.stalls++;
	*ev = (struct drone_event){ DRONE_ENDED, (enum drone_channel)ch, r.status, d->reply,
				    r.status == USB_OK ? r.length : 0 };
}

static void
attach(struct drone *d, struct drone_event *ev)
{
	struct fate f;

	d->on_bus = d->next;
	d->attach_us = DRONE_NEVER;
	d->next = DRONE_OFF;
	d->counters.enumerations++;
	d->no_serial = fate_occasion(d, FATE_NO_SERIAL, &f);
	d->cut_strings = fate_occasion(d, FATE_CUT_STRINGS, &f);
	d->hostile_strings = fate_occasion(d, FATE_HOSTILE_STRINGS, &f);
	d->dup_serial = fate_occasion(d, FATE_DUP_SERIAL, &f);
	usb_reset_state(d);
	if (d->on_bus == DRONE_ROM) {
		rom_enter(d, d->by_button_next);
	} else {
		d->counters.boots++;
		run_enter(d);
		if (!d->keeps_running)
			firmware_start(d, d->now_us);
	}
	ev->kind = DRONE_ATTACHED;
}

static enum due
pick_due(struct drone *d, uint64_t now)
{
	enum due best = DUE_COUNT;
	uint64_t at = now;
	unsigned ties = 1;

	for (unsigned i = 0; i < DUE_COUNT; i++) {
		uint64_t t = due_us(d, (enum due)i);

		if (t > at || t == DRONE_NEVER)
			continue;
		ties = t < at || best == DUE_COUNT ? 1 : ties + 1;
		if (ties == 1 || rng_next(&d->rng) % ties == 0)
			best = (enum due)i;
		at = t;
	}
	return best;
}

void
drone_step(struct drone *d, uint64_t now_us, struct drone_event *ret_event)
{
	enum due what = pick_due(d, now_us);
	uint64_t at = what < DUE_COUNT ? due_us(d, what) : now_us;

	/*
	 * WHY: the model's own time is when it was due, so a late caller does not slow the drone
	 * down.
	 */
	if (at > d->now_us)
		d->now_us = at;
	*ret_event = (struct drone_event){ .kind = DRONE_QUIET };
	switch (what) {
	case DUE_CONTROL:
	case DUE_OUT:
	case DUE_IN:
		end_transfer(d, d->now_us, what, ret_event);
		break;
	case DUE_DETACH:
		end_all_gone(d, d->now_us, false);
		if (any_in_flight(d) && rng_next(&d->rng) % 2 == 0)
			break; /* a transfer hears of it first, perhaps */
		d->detach_us = DRONE_NEVER;
		d->on_bus = DRONE_OFF;
		if (d->vcc_off)
			power_off(d, d->now_us);
		ret_event->kind = DRONE_DETACHED;
		break;
	case DUE_ATTACH:
		if (any_in_flight(d))
			end_all_gone(d, d->now_us, true);
		else
			attach(d, ret_event);
		break;
	case DUE_SWAP:
		d->swap_pending = false;
		d->powered = false;
		power_off(d, d->now_us);
		d->attach_us = DRONE_NEVER;
		ret_event->kind = DRONE_SWAPPED;
		break;
	case DUE_DOOM:
		firmware_assert(d, d->now_us, DRONE_ASSERT_RADIO, "src/hal/src/radiolink.c:155");
		break;
	case DUE_COUNT:
		break;
	}
}

/* ---- requests ---- */

void
drone_bus_reset(struct drone *d, uint64_t now_us)
{
	d->now_us = now_us;
	usb_reset_state(d);
	if (d->on_bus == DRONE_ROM)
		rom_enter(d, d->rom.by_button);
	else if (d->on_bus == DRONE_RUNTIME)
		run_enter(d);
}

static void
port_reset(struct drone *d, uint64_t now, struct reply *r)
{
	if (d->on_bus == DRONE_RUNTIME) {
		/*
		 * SPEC: doc/protocol.md 2.1: the descriptors changed, so it comes back as a new
		 * device.
		 */
		r->status = USB_GONE;
		drone_leave_bus(d, now, DRONE_RUNTIME, now + REENUMERATE_US);
		d->keeps_running = true;
		return;
	}
	if (d->rom.over_us == DRONE_NEVER) {
		r->status = USB_GONE; /* hangs: does not enumerate any more */
		drone_leave_bus(d, now, DRONE_OFF, 0);
		return;
	}
	drone_bus_reset(d, now);
}

void
drone_run_request(struct drone *d, uint64_t now, struct channel *c, struct reply *r)
{
	switch (c->x.kind) {
	case USB_CONTROL:
		if (d->on_bus == DRONE_ROM)
			rom_control(d, now, c, r);
		else
			run_control(d, now, c, r);
		break;
	case USB_BULK_OUT:
		run_out(d, now, c, r);
		break;
	case USB_BULK_IN:
		run_in(d, c, r);
		break;
	case USB_RESET:
		port_reset(d, now, r);
		break;
	}
}
