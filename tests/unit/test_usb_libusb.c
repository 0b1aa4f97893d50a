/* SPDX-License-Identifier: MIT */
/* Contract of include/cfdfu/usb_port.h, kept by daemon/usb over the real libusb and a usbfs made of
 * memory. */
#include "config.h"

#include "cfdfu/usb_port.h"
#include "fake_usbfs.h"

#include <event2/event.h>
#include <linux/usbdevice_fs.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define IDS_MAX 300

/* What has been heard of one id. */
struct heard {
	unsigned opened, ended, closed;
	int error;
	enum usb_status status;
	uint8_t data[USB_DESCRIPTOR_BYTES_MAX];
	size_t length;
};

struct rig {
	struct event_base *base;
	struct usb_bus *bus;
	struct heard heard[IDS_MAX];
	bool in_call; /* INVARIANT of the seam: no callback while set */
	unsigned total;
	void (*on_opened)(struct rig *r, uint64_t id);
	void (*on_ended)(struct rig *r, uint64_t id, const uint8_t *data, size_t length);
	void (*on_closed)(struct rig *r, uint64_t id);
};

/* Device descriptor, and one configuration with one interface without endpoints. */
static const uint8_t plain_descriptors[] = {
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

static int
set_up(void **state)
{
	static struct rig r;

	memset(&r, 0, sizeof(r));
	fake_reset();
	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
		struct fake_device *d = fake_device(i);

		memcpy(d->descriptors, plain_descriptors, sizeof(plain_descriptors));
		d->descriptors_length = sizeof(plain_descriptors);
	}
	r.base = event_base_new();
	if (r.base == NULL || usb_bus_new(r.base, &callbacks, &r, &r.bus) < 0)
		return -1;
	*state = &r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	r->in_call = true; /* usb_bus_free() calls nobody back */
	usb_bus_free(r->bus);
	event_base_free(r->base);
	return fake_open_nodes() == 0 && !fake_was_misused() ? 0 : -1;
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int
open_node(struct rig *r, unsigned id)
{
	char node[64];
	int result;

	(void)snprintf(node, sizeof(node), FAKE_NODE, id);
	r->in_call = true;
	result = usb_open(r->bus, id, node);
	r->in_call = false;
	return result;
}

static int
submit(struct rig *r, unsigned id, const struct usb_xfer *x)
{
	bool nested = r->in_call;
	int result;

	r->in_call = true;
	result = usb_submit(r->bus, id, x);
	r->in_call = nested;
	return result;
}

static void
close_id(struct rig *r, unsigned id)
{
	r->in_call = true;
	usb_close(r->bus, id);
	r->in_call = false;
}

static int
read_status(struct rig *r, unsigned id, uint32_t timeout_ms)
{
	struct usb_xfer x = { .kind = USB_CONTROL, .length = 6, .timeout_ms = timeout_ms };

	x.setup = (struct usb_setup){ .request_type = 0xA1, .request = 3, .length = 6 };
	return submit(r, id, &x);
}

/* Runs the loop until so many callbacks were heard since the beginning, or for five seconds. */
static void
run_until(struct rig *r, unsigned total)
{
	struct timeval slice = { 0, 5000 };
	uint64_t end = now_ms() + 5000;

	while (r->total < total && now_ms() < end) {
		assert_true(event_base_loopexit(r->base, &slice) == 0);
		assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
	}
	assert_int_equal(r->total, total);
}

/* Runs the loop so long and expects that nothing more is heard. */
static void
run_quietly(struct rig *r, unsigned ms)
{
	struct timeval slice = { 0, 2000 };
	unsigned total = r->total;
	uint64_t end = now_ms() + ms;

	while (now_ms() < end) {
		assert_true(event_base_loopexit(r->base, &slice) == 0);
		assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
	}
	assert_int_equal(r->total, total);
}

static void
open_well(struct rig *r, unsigned id)
{
	assert_int_equal(open_node(r, id), 0);
	run_until(r, r->total + 1);
	assert_int_equal(r->heard[id].opened, 1);
	assert_int_equal(r->heard[id].error, 0);
}

static void
close_well(struct rig *r, unsigned id)
{
	close_id(r, id);
	run_until(r, r->total + 1);
	assert_int_equal(r->heard[id].closed, 1);
}

static enum fake_answer
keep(struct fake_device *d, struct usbdevfs_urb *urb)
{
	(void)d;
	(void)urb;
	return FAKE_KEEP;
}

static void
opening_claims_interface_0_and_brings_the_descriptors(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(7);

	open_well(r, 7);
	assert_int_equal(r->heard[7].length, sizeof(plain_descriptors));
	assert_memory_equal(r->heard[7].data, plain_descriptors, sizeof(plain_descriptors));
	assert_int_equal(d->claims, 1);
	assert_int_equal(d->detaches, 0);
	close_well(r, 7);
	assert_false(d->is_open);
}

static void
an_error_of_opening_is_told_once_and_the_id_is_free_again(void **state)
{
	static const struct {
		int open_errno, claim_errno, expected;
	} cases[] = {
		{ ENOENT, 0, -ENOENT }, { EACCES, 0, -EACCES }, { EPERM, 0, -EACCES },
		{ ENODEV, 0, -ENODEV }, { ENXIO, 0, -ENODEV },	{ EMFILE, 0, -EMFILE },
		{ 0, EBUSY, -EBUSY },	{ 0, ENODEV, -ENODEV }, { 0, ENOENT, -ENXIO },
		{ 0, EINVAL, -EIO },
	};
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		d->open_errno = cases[i].open_errno;
		d->claim_errno = cases[i].claim_errno;
		assert_int_equal(open_node(r, 1), 0);
		run_until(r, i + 1);
		assert_int_equal(r->heard[1].error, cases[i].expected);
		assert_int_equal(read_status(r, 1, 100), -ENODEV);
		close_id(r, 1); /* unknown by now: ignored */
	}
	run_quietly(r, 20);
	assert_int_equal(fake_open_nodes(), 0);
	d->claim_errno = 0;
	r->heard[1].opened = 0;
	open_well(r, 1);
}

static void
descriptors_that_make_no_sense_or_are_too_long_are_refused(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->descriptors[18 + 2] = 200; /* wTotalLength of what is not there */
	d->descriptors[18 + 3] = 0;
	assert_int_equal(open_node(r, 1), 0);
	run_until(r, 1);
	assert_true(r->heard[1].error < 0);
	d = fake_device(2);
	d->descriptors[18 + 2] = (uint8_t)5900;
	d->descriptors[18 + 3] = 5900 >> 8;
	d->descriptors_length = 18 + 5900;
	for (size_t at = 36; at + 2 <= d->descriptors_length; at += 2)
		d->descriptors[at] = 2; /* tiny descriptors of no known type */
	assert_int_equal(open_node(r, 2), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[2].error, -EMSGSIZE);
}

static enum fake_answer
echo(struct fake_device *d, struct usbdevfs_urb *urb)
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

static void
control_and_bulk_transfers_carry_their_bytes(void **state)
{
	static const uint8_t out[3] = { 0x21, 0, 8 };
	struct rig *r = *state;
	struct usb_xfer x = { .kind = USB_CONTROL, .length = 4096, .timeout_ms = 1000 };

	fake_device(1)->on_submit = echo;
	open_well(r, 1);
	x.setup =
	    (struct usb_setup){ .request_type = 0xA1, .request = 2, .value = 5, .length = 4096 };
	assert_int_equal(submit(r, 1, &x), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(r->heard[1].length, 4096);
	assert_int_equal(r->heard[1].data[0], 5);
	assert_int_equal(r->heard[1].data[4095], (uint8_t)(4095 + 5));
	x = (struct usb_xfer){ .kind = USB_CONTROL, .data = out, .length = 3, .timeout_ms = 1000 };
	x.setup = (struct usb_setup){ .request_type = 0x21, .request = 1, .length = 3 };
	assert_int_equal(submit(r, 1, &x), 0);
	run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(r->heard[1].length, 0);
	x = (struct usb_xfer){
		.kind = USB_BULK_IN, .endpoint = 0x81, .length = 64, .timeout_ms = 1000
	};
	assert_int_equal(submit(r, 1, &x), 0);
	run_until(r, 4);
	assert_int_equal(r->heard[1].length, 6);
	assert_memory_equal(r->heard[1].data, "packet", 6);
	x = (struct usb_xfer){
		.kind = USB_BULK_OUT, .endpoint = 0x01, .data = out, .length = 3, .timeout_ms = 1000
	};
	assert_int_equal(submit(r, 1, &x), 0);
	run_until(r, 5);
	assert_int_equal(r->heard[1].status, USB_OK);
}

static int status_to_give;

static enum fake_answer
end_badly(struct fake_device *d, struct usbdevfs_urb *urb)
{
	(void)d;
	urb->status = status_to_give;
	urb->actual_length = 0;
	return FAKE_COMPLETE;
}

static void
every_status_of_the_kernel_has_its_word(void **state)
{
	static const struct {
		int status;
		enum usb_status expected;
	} cases[] = {
		{ -EPIPE, USB_STALL },	      { -EPROTO, USB_IO },    { -EILSEQ, USB_IO },
		{ -ETIME, USB_IO },	      { -ECOMM, USB_IO },     { -ENOSR, USB_IO },
		{ -EOVERFLOW, USB_OVERFLOW }, { -ENODEV, USB_GONE },  { -ESHUTDOWN, USB_GONE },
		{ -EXDEV, USB_IO },	      { -EREMOTEIO, USB_IO }, { 0, USB_OK },
	};
	struct rig *r = *state;

	fake_device(1)->on_submit = end_badly;
	open_well(r, 1);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		status_to_give = cases[i].status;
		assert_int_equal(read_status(r, 1, 1000), 0);
		run_until(r, 2 + i);
		assert_int_equal(r->heard[1].status, cases[i].expected);
	}
}

static void
a_timeout_cancels_and_the_device_goes_on(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);
	uint64_t before;

	d->on_submit = keep;
	open_well(r, 1);
	before = now_ms();
	assert_int_equal(read_status(r, 1, 60), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_TIMEOUT);
	assert_in_range(now_ms() - before, 50, 1000);
	assert_int_equal(d->discards, 1);
	d->on_submit = NULL;
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
}

static void
what_the_host_cannot_queue_is_told_as_such(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	open_well(r, 1);
	d->submit_errno = ENOMEM;
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_NOMEM);
	d->submit_errno = EINVAL;
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_IO);
	d->submit_errno = ENODEV;
	assert_int_equal(read_status(r, 1, 1000), -ENODEV);
	d->submit_errno = 0;
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 4);
	assert_int_equal(r->heard[1].status, USB_OK);
}

static void
unsound_requests_are_refused(void **state)
{
	static const uint8_t byte = 0;
	static const struct usb_xfer unsound[] = {
		{ .kind = USB_CONTROL, .timeout_ms = 0 },
		{ .kind = USB_RESET, .timeout_ms = 0 },
		{ .kind = USB_CONTROL,
		  .length = 4097,
		  .setup = { 0xA1, 2, 0, 0, 4097 },
		  .timeout_ms = 1 },
		{ .kind = USB_CONTROL,
		  .length = 1,
		  .setup = { 0xA1, 2, 0, 0, 2 },
		  .timeout_ms = 1 },
		{ .kind = USB_CONTROL,
		  .length = 1,
		  .setup = { 0x21, 1, 0, 0, 1 },
		  .timeout_ms = 1 },
		{ .kind = USB_BULK_IN, .endpoint = 0x01, .length = 1, .timeout_ms = 1 },
		{ .kind = USB_BULK_OUT,
		  .endpoint = 0x81,
		  .data = &byte,
		  .length = 1,
		  .timeout_ms = 1 },
	};
	struct rig *r = *state;

	open_well(r, 1);
	for (unsigned i = 0; i < ARRAY_LEN(unsound); i++)
		assert_int_equal(submit(r, 1, &unsound[i]), -EINVAL);
	assert_int_equal(submit(r, 2, &unsound[0]), -ENODEV);
}

static void
pulling_the_plug_ends_what_is_in_flight(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->on_submit = keep;
	open_well(r, 1);
	assert_int_equal(read_status(r, 1, 5000), 0);
	run_quietly(r, 10);
	fake_unplug(d);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_GONE);
	run_quietly(r, 20);
	assert_int_equal(read_status(r, 1, 100), -ENODEV);
	close_well(r, 1);
}

static void
pulling_the_plug_of_an_idle_device_is_seen_at_the_next_transfer(void **state)
{
	struct rig *r = *state;

	open_well(r, 1);
	open_well(r, 2);
	fake_unplug(fake_device(1));
	run_quietly(r, 20);
	assert_int_equal(read_status(r, 1, 100), -ENODEV);
	assert_int_equal(read_status(r, 2, 100), 0);
	run_until(r, 3);
	close_well(r, 1);
}

static void
closing_cancels_without_a_word_and_says_closed_once(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->on_submit = keep;
	open_well(r, 1);
	assert_int_equal(read_status(r, 1, 5000), 0);
	close_id(r, 1);
	close_id(r, 1);
	run_until(r, 2);
	run_quietly(r, 20);
	assert_int_equal(r->heard[1].ended, 0);
	assert_int_equal(r->heard[1].closed, 1);
	assert_int_equal(d->discards, 1);
	assert_int_equal(fake_open_nodes(), 0);
}

static void
a_transfer_that_has_just_ended_is_not_told_after_close(void **state)
{
	struct rig *r = *state;

	open_well(r, 1);
	assert_int_equal(read_status(r, 1, 1000), 0); /* is complete already, and not yet reaped */
	close_id(r, 1);
	run_until(r, 2);
	run_quietly(r, 20);
	assert_int_equal(r->heard[1].ended, 0);
	assert_int_equal(r->heard[1].closed, 1);
}

static void
a_silent_device_being_opened_delays_nobody(void **state)
{
	struct rig *r = *state;
	uint64_t before;

	fake_device(1)->configuration_ms = 400;
	assert_int_equal(open_node(r, 1), 0);
	before = now_ms();
	for (unsigned i = 2; i < 40; i++)
		open_well(r, i);
	for (unsigned i = 2; i < 40; i++) {
		assert_int_equal(read_status(r, i, 1000), 0);
		run_until(r, r->total + 1);
	}
	assert_true(now_ms() - before < 350);
	assert_int_equal(r->heard[1].opened, 0);
	run_until(r, r->total + 1);
	assert_int_equal(r->heard[1].opened, 1);
	assert_int_equal(r->heard[1].error, 0);
}

static void
closing_what_is_still_being_opened_does_not_wait(void **state)
{
	struct rig *r = *state;
	uint64_t before = now_ms();

	fake_device(1)->open_ms = 200;
	fake_device(2)->configuration_ms = 200;
	assert_int_equal(open_node(r, 1), 0);
	assert_int_equal(open_node(r, 2), 0);
	close_id(r, 1);
	close_id(r, 2);
	run_until(r, 2);
	assert_true(now_ms() - before < 150);
	assert_int_equal(r->heard[1].opened + r->heard[2].opened, 0);
	assert_int_equal(r->heard[1].closed + r->heard[2].closed, 2);
	run_quietly(r, 300);
	assert_int_equal(fake_open_nodes(), 0);
}

static const struct usb_xfer port_reset = { .kind = USB_RESET, .timeout_ms = 1000 };

static void
a_port_reset_keeps_the_device_and_its_claim(void **state)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->reset_ms = 50;
	open_well(r, 1);
	assert_int_equal(submit(r, 1, &port_reset), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(d->resets, 1);
	assert_int_equal(d->claims, 2);
	assert_int_equal(d->detaches, 0);
	assert_true(d->is_claimed);
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
}

static void
a_device_that_is_another_after_a_reset_is_gone(void **state)
{
	struct rig *r = *state;

	fake_device(1)->reset_errno = ENODEV;
	open_well(r, 1);
	assert_int_equal(submit(r, 1, &port_reset), 0);
	run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_GONE);
	close_well(r, 1);
}

static void
a_reset_that_hangs_times_out_and_can_be_closed(void **state)
{
	struct rig *r = *state;
	struct usb_xfer x = { .kind = USB_RESET, .timeout_ms = 50 };
	uint64_t before = now_ms();

	fake_device(1)->reset_ms = 400;
	open_well(r, 1);
	open_well(r, 2);
	assert_int_equal(submit(r, 1, &x), 0);
	assert_int_equal(read_status(r, 2, 1000), 0);
	run_until(r, 4);
	assert_int_equal(r->heard[1].status, USB_TIMEOUT);
	assert_int_equal(read_status(r, 1, 100), -ENODEV);
	close_well(r, 1);
	assert_true(now_ms() - before < 350);
	run_quietly(r, 500);
	assert_false(fake_device(1)->is_open);
}

static void
submit_again(struct rig *r, uint64_t id, const uint8_t *data, size_t length)
{
	if (r->heard[id].ended < 1000)
		assert_int_equal(read_status(r, (unsigned)id, 1000), 0);
	/* What came is still there, although the next transfer is under way. */
	for (size_t i = 0; i < length; i++)
		assert_int_equal(data[i], (uint8_t)i);
}

static void
a_callback_may_submit_and_still_read_what_came(void **state)
{
	struct rig *r = *state;

	fake_device(1)->on_submit = echo;
	open_well(r, 1);
	r->on_ended = submit_again;
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 1001);
	assert_int_equal(r->heard[1].ended, 1000);
}

static void
close_in_callback(struct rig *r, uint64_t id)
{
	close_id(r, (unsigned)id);
}

static void
close_after_data(struct rig *r, uint64_t id, const uint8_t *data, size_t length)
{
	(void)data;
	(void)length;
	close_id(r, (unsigned)id);
}

static void
open_again(struct rig *r, uint64_t id)
{
	r->heard[id].opened = 0;
	if (r->heard[id].closed < 3)
		assert_int_equal(open_node(r, (unsigned)id), 0);
}

static void
callbacks_may_close_and_open_again(void **state)
{
	struct rig *r = *state;

	r->on_opened = close_in_callback;
	r->on_closed = open_again;
	assert_int_equal(open_node(r, 1), 0);
	run_until(r, 6);
	assert_int_equal(r->heard[1].closed, 3);
	r->on_opened = NULL;
	r->on_closed = NULL;
	r->on_ended = close_after_data;
	r->heard[1].closed = 0;
	open_well(r, 1);
	assert_int_equal(read_status(r, 1, 1000), 0);
	run_until(r, 9);
	assert_int_equal(r->heard[1].closed, 1);
}

static void
the_number_of_devices_is_limited(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(open_node(r, i), 0);
	assert_int_equal(open_node(r, 256), -EMFILE);
	run_until(r, 256);
	close_well(r, 3);
	run_quietly(r, 20);
	assert_int_equal(open_node(r, 256), 0);
	run_until(r, 258);
	assert_int_equal(r->heard[256].error, 0);
}

static void
the_bus_can_be_freed_in_the_middle_of_everything(void **state)
{
	struct rig *r = *state;

	fake_device(1)->configuration_ms = 100;
	fake_device(2)->on_submit = keep;
	fake_device(3)->reset_ms = 100;
	open_well(r, 2);
	open_well(r, 3);
	open_well(r, 4);
	open_well(r, 5);
	assert_int_equal(open_node(r, 1), 0);
	assert_int_equal(read_status(r, 2, 5000), 0);
	assert_int_equal(submit(r, 3, &port_reset), 0);
	assert_int_equal(read_status(r, 4, 5000), 0);
	close_id(r, 5);
	/* tear_down() frees, and sees that nothing is left. */
}

/* 40 devices, random misfortunes and commands: every open has its opened() or closed(), every
 * transfer its end. */
static void
a_random_life_keeps_the_contract(void **state)
{
	enum { COUNT = 40 };
	bool open_now[COUNT] = { false };
	unsigned submitted[COUNT] = { 0 };
	struct rig *r = *state;

	srand(7);
	for (unsigned round = 0; round < 3000; round++) {
		unsigned i = (unsigned)rand() % COUNT;
		struct heard *h = &r->heard[i];
		struct fake_device *d = fake_device(i);
		bool busy = submitted[i] > h->ended;

		if (!open_now[i]) {
			memset(h, 0, sizeof(*h));
			submitted[i] = 0;
			d->is_gone = false;
			d->open_errno = rand() % 8 == 0 ? EACCES : 0;
			d->configuration_ms = rand() % 8 == 0 ? 3 : 0;
			d->on_submit = rand() % 3 == 0 ? keep : echo;
			open_now[i] = open_node(r, i) == 0;
		} else if (h->error < 0) {
			open_now[i] = false;
		} else if (h->closed > 0) {
			assert_int_equal(h->closed, 1);
			open_now[i] = false;
		} else if (rand() % 6 == 0) {
			close_id(r, i);
		} else if (h->opened == 1 && !busy && rand() % 3 != 0) {
			submitted[i] += read_status(r, i, 1 + (uint32_t)rand() % 20) == 0 ? 1 : 0;
		} else if (rand() % 5 == 0) {
			fake_complete(d, rand() % 2 == 0 ? 0 : -EPROTO, 6);
		} else if (rand() % 10 == 0) {
			fake_unplug(d);
		}
		assert_true(h->opened <= 1 && h->closed <= 1 && h->ended <= submitted[i]);
		assert_true(event_base_loop(r->base, EVLOOP_NONBLOCK) >= 0);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(opening_claims_interface_0_and_brings_the_descriptors),
		TEST(an_error_of_opening_is_told_once_and_the_id_is_free_again),
		TEST(descriptors_that_make_no_sense_or_are_too_long_are_refused),
		TEST(control_and_bulk_transfers_carry_their_bytes),
		TEST(every_status_of_the_kernel_has_its_word),
		TEST(a_timeout_cancels_and_the_device_goes_on),
		TEST(what_the_host_cannot_queue_is_told_as_such),
		TEST(unsound_requests_are_refused),
		TEST(pulling_the_plug_ends_what_is_in_flight),
		TEST(pulling_the_plug_of_an_idle_device_is_seen_at_the_next_transfer),
		TEST(closing_cancels_without_a_word_and_says_closed_once),
		TEST(a_transfer_that_has_just_ended_is_not_told_after_close),
		TEST(a_silent_device_being_opened_delays_nobody),
		TEST(closing_what_is_still_being_opened_does_not_wait),
		TEST(a_port_reset_keeps_the_device_and_its_claim),
		TEST(a_device_that_is_another_after_a_reset_is_gone),
		TEST(a_reset_that_hangs_times_out_and_can_be_closed),
		TEST(a_callback_may_submit_and_still_read_what_came),
		TEST(callbacks_may_close_and_open_again),
		TEST(the_number_of_devices_is_limited),
		TEST(the_bus_can_be_freed_in_the_middle_of_everything),
		TEST(a_random_life_keeps_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
