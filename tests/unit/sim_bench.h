/* SPDX-License-Identifier: MIT */
/* A single drone under test: one transfer after the other, on a clock that follows the drone. */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"
#include "sim/drone.h"
#include "sim/fate.h"
#include "sim/tiny.h"

struct bench {
	struct drone *d;
	uint64_t now;
	uint8_t data[USB_TRANSFER_BYTES_MAX];
	size_t length;
	uint64_t took_us; /* of the last transfer */
	unsigned attached, detached, swapped;
};

static inline void
bench_begin(struct bench *b, const struct drone_config *c)
{
	memset(b, 0, sizeof(*b));
	if (drone_new(c, &b->d) < 0)
		abort();
}

static inline void
bench_note(struct bench *b, const struct drone_event *ev)
{
	b->attached += ev->kind == DRONE_ATTACHED;
	b->detached += ev->kind == DRONE_DETACHED;
	b->swapped += ev->kind == DRONE_SWAPPED;
}

/* Lets everything happen that is due until then. */
static inline void
bench_wait(struct bench *b, uint64_t us)
{
	uint64_t until = b->now + us;

	while (drone_next_us(b->d) <= until) {
		struct drone_event ev;

		b->now = drone_next_us(b->d);
		drone_step(b->d, b->now, &ev);
		bench_note(b, &ev);
	}
	b->now = until;
}

/* Runs one transfer to its end; a host that waits limit_us. */
static inline enum usb_status
bench_transfer(struct bench *b, const struct usb_xfer *x, uint64_t limit_us)
{
	uint64_t begun = b->now, limit = b->now + limit_us;
	int r = drone_submit(b->d, b->now, x);

	if (r < 0)
		return USB_GONE;
	for (;;) {
		struct drone_event ev;
		uint64_t next = drone_next_us(b->d);

		if (next > limit) {
			b->now = limit;
			drone_cancel(b->d, b->now, drone_channel_of(x));
			b->took_us = limit_us;
			return USB_TIMEOUT;
		}
		b->now = next > b->now ? next : b->now;
		drone_step(b->d, b->now, &ev);
		bench_note(b, &ev);
		if (ev.kind != DRONE_ENDED || ev.channel != drone_channel_of(x))
			continue;
		b->length = ev.length;
		memcpy(b->data, ev.data, ev.length);
		b->took_us = b->now - begun;
		return ev.status;
	}
}

static inline enum usb_status
bench_control(struct bench *b, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
	      const void *data, uint16_t length)
{
	struct usb_xfer x = { .kind = USB_CONTROL,
			      .setup = { type, request, value, index, length },
			      .data = data,
			      .length = length,
			      .timeout_ms = 10000 };

	return bench_transfer(b, &x, 60000000);
}

static inline enum usb_status
bench_dnload(struct bench *b, uint16_t block, const void *data, uint16_t length)
{
	return bench_control(b, 0x21, 1, block, 0, data, length);
}

static inline enum usb_status
bench_upload(struct bench *b, uint16_t block, uint16_t length)
{
	return bench_control(b, 0xA1, 2, block, 0, NULL, length);
}

static inline enum usb_status
bench_getstatus(struct bench *b)
{
	return bench_control(b, 0xA1, 3, 0, 0, NULL, 6);
}

static inline enum usb_status
bench_clrstatus(struct bench *b)
{
	return bench_control(b, 0x21, 4, 0, 0, NULL, 0);
}

static inline enum usb_status
bench_abort(struct bench *b)
{
	return bench_control(b, 0x21, 6, 0, 0, NULL, 0);
}

static inline uint32_t
bench_poll_ms(const struct bench *b)
{
	return get_le32(b->data + 1) & 0xFFFFFF;
}

/* Command with an address: 0x21 set, 0x41 erase. */
static inline enum usb_status
bench_command(struct bench *b, uint8_t command, uint32_t addr)
{
	uint8_t p[5] = { command };

	put_le32(p + 1, addr);
	return bench_dnload(b, 0, p, sizeof(p));
}

/* The command and its two status requests; returns bStatus of the second. */
static inline uint8_t
bench_do(struct bench *b, uint8_t command, uint32_t addr)
{
	if (bench_command(b, command, addr) != USB_OK || bench_getstatus(b) != USB_OK ||
	    b->data[4] != 4 || bench_getstatus(b) != USB_OK)
		return 0xFF;
	return b->data[0];
}

static inline uint8_t
bench_write(struct bench *b, uint16_t block, const void *data, uint16_t length)
{
	if (bench_dnload(b, block, data, length) != USB_OK || bench_getstatus(b) != USB_OK ||
	    b->data[4] != 4 || bench_getstatus(b) != USB_OK)
		return 0xFF;
	return b->data[0];
}

/* In the boot loader by the button, past the first error. */
static inline void
bench_enter_dfu(struct bench *b)
{
	drone_button(b->d, b->now);
	bench_wait(b, 5000000);
	(void)bench_clrstatus(b);
}

static inline void
bench_load_tiny(struct bench *b, const char *types, const char *tag, size_t size)
{
	static uint8_t image[64 * 1024];
	struct tiny t = { types, tag, "0123456789ab", 0, 7 };

	tiny_make(&t, image, size);
	if (drone_load(b->d, TINY_ADDR, image, size) < 0)
		abort();
}

#endif
