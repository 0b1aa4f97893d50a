/* SPDX-License-Identifier: MIT */
/* A single simulated drone in run-time mode under test: its link, questions and answers. */
#ifndef SIM_TALK_H
#define SIM_TALK_H

#include "sim_bench.h"

static struct bench b;

static inline void
begin(const struct drone_config *c, const char *types)
{
	bench_begin(&b, c);
	if (types != NULL)
		bench_load_tiny(&b, types, "2025.09.1 +100", 16384);
	drone_plug(b.d, b.now);
	bench_wait(&b, 5000000);
}

static inline int
setup(void **state)
{
	struct drone_config c;

	(void)state;
	drone_config_init(&c, 11);
	c.chatter = 0;
	c.console = false;
	begin(&c, "CF20,CF21");
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	drone_free(b.d);
	return 0;
}

static inline void
begin_again(const struct drone_config *c, const char *types)
{
	drone_free(b.d);
	begin(c, types);
}

static inline enum usb_status
bulk(enum usb_xfer_kind kind, const void *data, uint32_t length, uint32_t limit_ms)
{
	struct usb_xfer x = { .kind = kind,
			      .endpoint = kind == USB_BULK_OUT ? 0x01 : 0x81,
			      .data = data,
			      .length = length,
			      .timeout_ms = limit_ms };

	return bench_transfer(&b, &x, limit_ms * 1000);
}

/* Sends a packet and reads the next; false when nothing comes. */
static inline bool
ask(const void *packet, uint32_t length)
{
	assert_int_equal(bulk(USB_BULK_OUT, packet, length, 100), USB_OK);
	return bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK;
}

static inline void
link_on(void)
{
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 1, NULL, 0), USB_OK);
}

static inline void
link_off(void)
{
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 0, NULL, 0), USB_OK);
}

static inline void
answer_is(const void *bytes, size_t length)
{
	assert_int_equal(b.length, length);
	assert_memory_equal(b.data, bytes, length);
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

#endif
