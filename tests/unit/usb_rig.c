/* SPDX-License-Identifier: MIT */
/* A bus over the fake usbfs, and records of all callbacks for its devices. */
#include "config.h"

#include "usb_rig.h"

#include <linux/usbdevice_fs.h>

#include <stdlib.h>
#include <time.h>

#include "test.h"

#define PATIENCE_MS 60000

/* Device descriptor, and one configuration with one interface without endpoints. */
const uint8_t rig_descriptors[RIG_DESCRIPTORS_BYTES] = {
	18, 1, 0,  2, 0, 0, 0, 64,   0x83, 0x04, 0x11, 0xDF, 0, 0x22, 1,    2, 3, 1,
	9,  2, 18, 0, 1, 1, 0, 0xC0, 50,   9,	 4,    0,    0, 0,    0xFE, 1, 2, 4,
};

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct rig *r = ctx;
	struct heard *h = &r->heard[id];

	assert_false(r->in_call);
	assert_true((error == 0) == (descriptors != NULL));
	r->total++;
	h->opened++;
	h->error = error;
	h->length = length;
	if (length > 0)
		memcpy(h->data, descriptors, length);
	r->told = descriptors;
	if (r->on_opened != NULL)
		r->on_opened(r, id);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_status status, const uint8_t *data, size_t length)
{
	struct rig *r = ctx;
	struct heard *h = &r->heard[id];

	assert_false(r->in_call);
	assert_int_equal(h->opened, 1);
	assert_int_equal(h->closed, 0);
	r->total++;
	h->ended++;
	h->status = status;
	h->length = length;
	if (length > 0)
		memcpy(h->data, data, length);
	if (r->on_ended != NULL)
		r->on_ended(r, id, data, length);
}

static void
on_closed(void *ctx, uint64_t id)
{
	struct rig *r = ctx;

	assert_false(r->in_call);
	r->total++;
	r->heard[id].closed++;
	if (r->on_closed != NULL)
		r->on_closed(r, id);
}

static const struct usb_callbacks callbacks = { on_opened, on_ended, on_closed };

int
rig_set_up(void **state)
{
	static struct rig r;

	memset(&r, 0, sizeof(r));
	fake_reset();
	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
		struct fake_device *d = fake_device(i);

		memcpy(d->descriptors, rig_descriptors, sizeof(rig_descriptors));
		d->descriptors_length = sizeof(rig_descriptors);
	}
	r.base = event_base_new();
	if (r.base == NULL || usb_bus_new(r.base, &callbacks, &r, &r.bus) < 0)
		return -1;
	*state = &r;
	return 0;
}

int
rig_tear_down(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++)
		fake_release(fake_device(i)); /* of a test that failed */
	r->in_call = true;		      /* usb_bus_free() calls no callback */
	usb_bus_free(r->bus);
	event_base_free(r->base);
	return fake_open_nodes() == 0 && !fake_was_misused() ? 0 : -1;
}

uint64_t
rig_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int
rig_open(struct rig *r, unsigned id)
{
	char node[64], port[64];
	int result;

	(void)snprintf(node, sizeof(node), FAKE_NODE, id);
	(void)snprintf(port, sizeof(port), "9-%u.%u", id / 100 + 1, id % 100 + 1);
	r->in_call = true;
	result = usb_open(r->bus, id, node, port);
	r->in_call = false;
	return result;
}

int
rig_submit(struct rig *r, unsigned id, const struct usb_xfer *x)
{
	bool nested = r->in_call;
	int result;

	r->in_call = true;
	result = usb_submit(r->bus, id, x);
	r->in_call = nested;
	return result;
}

void
rig_close(struct rig *r, unsigned id)
{
	r->in_call = true;
	usb_close(r->bus, id);
	r->in_call = false;
}

int
rig_ask(struct rig *r, unsigned id, uint32_t timeout_ms)
{
	struct usb_xfer x = { .kind = USB_CONTROL, .length = 6, .timeout_ms = timeout_ms };

	x.setup = (struct usb_setup){ .request_type = 0xA1, .request = 3, .length = 6 };
	return rig_submit(r, id, &x);
}

/* Runs the loop until so many callbacks were heard since the beginning, or for a minute. */
void
rig_run_until(struct rig *r, unsigned total)
{
	struct timeval slice = { 0, 5000 };
	uint64_t end = rig_now_ms() + PATIENCE_MS;

	while (r->total < total && rig_now_ms() < end) {
		assert_true(event_base_loopexit(r->base, &slice) == 0);
		assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
	}
	assert_int_equal(r->total, total);
}

/* Runs the loop so long and expects that nothing more is heard. */
void
rig_run_quietly(struct rig *r, unsigned ms)
{
	struct timeval slice = { 0, 2000 };
	unsigned total = r->total;
	uint64_t end = rig_now_ms() + ms;

	while (rig_now_ms() < end) {
		assert_true(event_base_loopexit(r->base, &slice) == 0);
		assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
	}
	assert_int_equal(r->total, total);
}

void
rig_run_until_nodes(struct rig *r, unsigned opens, unsigned left)
{
	uint64_t end = rig_now_ms() + PATIENCE_MS;

	while ((fake_opens() != opens || fake_open_nodes() != left) && rig_now_ms() < end)
		rig_run_quietly(r, 5);
	assert_int_equal(fake_opens(), opens);
	assert_int_equal(fake_open_nodes(), left);
}

void
rig_open_well(struct rig *r, unsigned id)
{
	assert_int_equal(rig_open(r, id), 0);
	rig_run_until(r, r->total + 1);
	assert_int_equal(r->heard[id].opened, 1);
	assert_int_equal(r->heard[id].error, 0);
}

void
rig_close_well(struct rig *r, unsigned id)
{
	rig_close(r, id);
	rig_run_until(r, r->total + 1);
	assert_int_equal(r->heard[id].closed, 1);
}

enum fake_answer
rig_keep(struct fake_device *d, struct usbdevfs_urb *urb)
{
	(void)d;
	(void)urb;
	return FAKE_KEEP;
}

enum fake_answer
rig_echo(struct fake_device *d, struct usbdevfs_urb *urb)
{
	uint8_t *bytes = urb->buffer;

	(void)d;
	if (urb->type == USBDEVFS_URB_TYPE_CONTROL) {
		assert_int_equal(urb->buffer_length, 8 + get_le16(bytes + 6));
		if ((bytes[0] & 0x80) != 0)
			for (int i = 0; i < urb->buffer_length - 8; i++)
				bytes[8 + i] = (uint8_t)(i + bytes[2]);
	} else if ((urb->endpoint & 0x80) != 0) {
		memcpy(bytes, "packet", 6);
		urb->actual_length = 6;
	}
	return FAKE_COMPLETE;
}
