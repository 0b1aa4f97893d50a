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
#define SENT_MAX 8     /* SPEC: doc/beyond-dfu.md 11.3: answers that come behind wIndex 0 */

/* SPEC: doc/protocol.md 2.4: reset and disconnect put the link back to radio. */
void
run_enter(struct drone *d)
{
	d->run.linked = false;
	d->run.readable = 0;
	d->firmware.doom_us = 0;
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

bool
drone_is_linked(const struct drone *d)
{
	return d->run.linked;
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
	if (fate_occasion(d, FATE_SWITCH_LOST, &f) || power_ends_dark(d))
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

static struct packet *
packet_at(struct run *u, unsigned i)
{
	return &u->packet[(u->head + i) % PACKETS_MAX];
}

static bool
is_readable(const struct run *u)
{
	return u->count > 0 && (u->linked || u->readable > 0);
}

/* A transfer that waits for a packet gets the first there is. */
static void
wake_in(struct drone *d, uint64_t now)
{
	struct channel *c = &d->channel[DRONE_IN];
	uint64_t ready = run_in_ready_us(d);

	if (ready != DRONE_NEVER && c->active && !c->skip && !c->already && !d->mute &&
	    c->fate.kind != FATE_NO_ANSWER)
		c->done_us = (ready > now ? ready : now) + d->config.timing.control_us;
}

void
run_queue(struct drone *d, uint64_t ready_us, const uint8_t *bytes, size_t length)
{
	struct run *u = &d->run;
	unsigned at = u->count;
	struct packet *p;

	if (u->count == PACKETS_MAX || length > PACKET_BYTES)
		return;
	while (at > u->readable && packet_at(u, at - 1)->ready_us > ready_us) {
		*packet_at(u, at) = *packet_at(u, at - 1);
		at--;
	}
	p = packet_at(u, at);
	p->ready_us = ready_us;
	p->length = (uint8_t)length;
	memcpy(p->bytes, bytes, length);
	u->count++;
	if (at == 0)
		wake_in(d, 0);
}

uint64_t
run_in_ready_us(const struct drone *d)
{
	return is_readable(&d->run) ? d->run.packet[d->run.head].ready_us : DRONE_NEVER;
}

void
run_in(struct drone *d, const struct channel *c, struct reply *r)
{
	struct run *u = &d->run;
	const struct packet *p = packet_at(u, 0);
	uint64_t ready = p->ready_us;
	bool sample = p->bytes[0] == 0x52;
	uint8_t block = p->bytes[1];

	if (!is_readable(u)) {
		r->pending = true; /* taken away meanwhile: the link was switched back */
		return;
	}
	if (p->length > c->x.length) {
		r->status = USB_OVERFLOW;
	} else {
		r->length = p->length;
		memcpy(d->reply, p->bytes, p->length);
	}
	u->head = (u->head + 1) % PACKETS_MAX;
	u->count--;
	u->readable -= u->readable > 0;
	if (sample)
		crtp_log_sample(d, block, ready);
}

static void
take_link(struct drone *d, uint64_t now, bool on)
{
	struct run *u = &d->run;
	struct channel *out = &d->channel[DRONE_OUT];
	unsigned asked = u->questions;

	firmware_linked(d, now, on);
	if (d->firmware.asserted)
		return;
	if (u->linked && !on)
		for (u->readable = 0; u->readable < u->count && u->readable < SENT_MAX;
		     u->readable++)
			if (packet_at(u, u->readable)->ready_us > now)
				break;
	u->linked = on;
	if (!on)
		return;
	u->questions = 0;
	for (unsigned i = 0; i < asked; i++)
		crtp_answer(d, now, u->question[i].bytes, u->question[i].length);
	wake_in(d, now);
	if (out->active && out->done_us == DRONE_NEVER && !d->mute && out->fate.kind == FATE_NONE)
		out->done_us = now + d->config.timing.control_us;
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
	take_link(d, now, s->index == 1);
	r->pending = d->firmware.asserted;
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

void
run_out(struct drone *d, uint64_t now, const struct channel *c, struct reply *r)
{
	struct run *u = &d->run;
	struct packet *q;

	/* SPEC: doc/protocol.md 2.4: longer than 31 bytes is dropped. */
	if (d->config.model != DRONE_CRAZYFLIE || c->x.length < 1 || c->x.length > 31 ||
	    d->config.silent || d->firmware.asserted)
		return;
	if (u->linked) {
		crtp_answer(d, now, c->buf, c->x.length);
		return;
	}
	/* SPEC: doc/beyond-dfu.md 11.3: it waits for the link, and the host for room. */
	if (u->questions == QUESTIONS_MAX) {
		r->pending = true;
		return;
	}
	q = &u->question[u->questions++];
	q->length = (uint8_t)c->x.length;
	memcpy(q->bytes, c->buf, c->x.length);
}
