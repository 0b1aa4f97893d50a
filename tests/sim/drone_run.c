/* SPDX-License-Identifier: MIT */
/*
 * The run-time firmware's side of USB: vendor requests, the CRTP pipe, CDC class requests
 * (doc/protocol.md 2).
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define MISSED_US 3000 /* three missed handshakes */

void
run_enter(struct drone *d)
{
	memset(&d->run, 0, sizeof(d->run));
}

/* SPEC: doc/protocol.md 2.2: what the core does not dispatch gets no status stage at all. */
bool
run_answers(const struct drone *d, const struct usb_setup *s)
{
	(void)d;
	if ((s->request_type >> 5 & 3) != 2 || (s->request_type & 0x1F) == 1)
		return true;
	return s->request == 1 && s->value == 1;
}

static void
reboot(struct drone *d, uint64_t now, struct reply *r)
{
	const struct drone_timing *t = &d->config.timing;
	uint64_t back = now + drone_draw_ms(d, t->gap_min_ms, t->gap_max_ms) * 1000;
	enum drone_personality next = DRONE_ROM;
	uint64_t off = now + MISSED_US;
	struct fate f;

	if (back <= off)
		back = off + 1000;
	d->counters.reboots++;
	if (fate_occasion(d, FATE_NO_SWITCH, &f))
		next = boot_decide(d, BOOT_RESET, 0, false);
	if (fate_occasion(d, FATE_SWITCH_LOST, &f))
		next = DRONE_OFF;
	if (fate_occasion(d, FATE_SWAP, &f)) {
		d->swap_pending = true;
		d->swap_as = DRONE_ROM;
		d->swap_back_ms = (uint32_t)((back - off) / 1000);
	}
	switch (d->config.reboot) {
	case DRONE_REBOOT_EPROTO:
		r->status = USB_IO;
		break;
	case DRONE_REBOOT_EPIPE:
		r->status = USB_STALL;
		break;
	case DRONE_REBOOT_NODEV:
		r->pending = true;
		break;
	case DRONE_REBOOT_TIMEOUT:
		r->pending = r->hold = true;
		break;
	case DRONE_REBOOT_SUCCESS:
	case DRONE_REBOOT_COUNT:
		break;
	}
	d->by_button_next = false;
	drone_leave_bus(d, off, next, back);
}

static void
vendor(struct drone *d, uint64_t now, const struct usb_setup *s, struct reply *r)
{
	if ((s->request_type & 0x1F) == 1 && (s->index & 0xFF) > 1) {
		r->status = USB_STALL;
		return;
	}
	if (d->config.model != DRONE_CRAZYFLIE)
		return; /* other makers' firmware ignores it */
	if (s->index == 2 && d->config.ignored_requests > 0) {
		d->config.ignored_requests--;
		return;
	}
	if (s->index == 2 && !d->config.no_dfu_request) {
		reboot(d, now, r);
		return;
	}
	d->run.linked = s->index == 1;
	if (!d->run.linked)
		d->run.count = 0;
}

static void
cdc(struct drone *d, const struct usb_setup *s, struct reply *r)
{
	static const uint8_t line_coding[7] = { 0x00, 0xC2, 0x01, 0x00, 0x00, 0x00, 0x08 };

	if (d->config.one_interface) {
		r->status = USB_STALL;
		return;
	}
	if (s->length == 0)
		d->counters.passthrough++; /* SPEC: doc/protocol.md 2.1, CDC side effect */
	if (s->request == 0x21 && (s->request_type & 0x80)) {
		r->length = s->length < sizeof(line_coding) ? s->length : sizeof(line_coding);
		memcpy(d->reply, line_coding, r->length);
	}
}

void
run_control(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	const struct usb_setup *s = &c->x.setup;

	switch (s->request_type >> 5 & 3) {
	case 0:
		usb_standard(d, s, r);
		break;
	case 1:
		cdc(d, s, r);
		break;
	default:
		vendor(d, now, s, r);
		break;
	}
}

/* ---- the CRTP pipe ---- */

void
run_queue(struct drone *d, uint64_t ready_us, const uint8_t *bytes, size_t length)
{
	struct run *u = &d->run;
	struct channel *c = &d->channel[DRONE_IN];
	unsigned at = u->count;

	if (u->count == PACKETS_MAX || length > PACKET_BYTES)
		return;
	while (at > 0 && u->packet[at - 1].ready_us > ready_us) {
		u->packet[at] = u->packet[at - 1];
		at--;
	}
	u->packet[at].ready_us = ready_us;
	u->packet[at].length = (uint8_t)length;
	memcpy(u->packet[at].bytes, bytes, length);
	u->count++;
	if (at == 0 && c->active && !c->skip && !c->already && !d->mute &&
	    c->fate.kind != FATE_NO_ANSWER)
		c->done_us = ready_us + d->config.timing.control_us;
}

uint64_t
run_in_ready_us(const struct drone *d)
{
	return d->run.count > 0 ? d->run.packet[0].ready_us : DRONE_NEVER;
}

void
run_in(struct drone *d, const struct channel *c, struct reply *r)
{
	struct run *u = &d->run;
	const struct packet *p = &u->packet[0];
	uint64_t ready = p->ready_us;
	bool sample = (p->bytes[0] & 0xF3) == 0x52;

	if (u->count == 0) {
		r->pending = true; /* taken away meanwhile: the link was switched back */
		return;
	}
	if (p->length > c->x.length) {
		r->status = USB_OVERFLOW;
	} else {
		r->length = p->length;
		memcpy(d->reply, p->bytes, p->length);
	}
	u->count--;
	memmove(u->packet, u->packet + 1, u->count * sizeof(u->packet[0]));
	if (sample && u->log.started)
		crtp_log_sample(d, ready);
}

void
run_out(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	(void)r;
	/*
	 * SPEC: doc/protocol.md 2.4: longer than 31 bytes is dropped; nothing is heard before
	 * wIndex 1.
	 */
	if (d->config.model != DRONE_CRAZYFLIE || c->x.length < 1 || c->x.length > 31 ||
	    !d->run.linked || d->config.silent || d->firmware.asserted)
		return;
	crtp_answer(d, now, c->buf, c->x.length);
}
