/* SPDX-License-Identifier: MIT */
/* Contract of include/cfdfu/usb_port.h: opening and transfers, over libusb and a usbfs
 * made of memory. */
#include "config.h"

#include "usb_rig.h"

#include <linux/usbdevice_fs.h>

#include <errno.h>
#include <stdlib.h>

#include "test.h"

#define TEST_SET_UP(name) TEST_WITH(name, rig_set_up, rig_tear_down)

TEST_SET_UP(opening_claims_interface_0_and_brings_the_descriptors)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(7);

	rig_open_well(r, 7);
	assert_int_equal(r->heard[7].length, sizeof(rig_descriptors));
	assert_memory_equal(r->heard[7].data, rig_descriptors, sizeof(rig_descriptors));
	assert_int_equal(d->claims, 1);
	assert_int_equal(d->detaches, 0);
	rig_close_well(r, 7);
	assert_false(d->is_open);
}

TEST_SET_UP(a_device_is_asked_once_which_of_its_configurations_is_active)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);
	uint8_t *second = d->descriptors + sizeof(rig_descriptors);

	d->descriptors[17] = 2;
	memcpy(second, rig_descriptors + 18, 18);
	second[5] = 2;
	d->descriptors_length += 18;
	d->configuration = 2;
	rig_open_well(r, 1);
	assert_int_equal(r->heard[1].length, 18 + 18);
	assert_memory_equal(r->heard[1].data + 18, second, 18);
	assert_int_equal(d->configurations_asked, 1);
}

TEST_SET_UP(an_error_of_opening_is_told_once_and_the_id_is_free_again)
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
		assert_int_equal(rig_open(r, 1), 0);
		rig_run_until(r, i + 1);
		assert_int_equal(r->heard[1].error, cases[i].expected);
		assert_int_equal(rig_ask(r, 1, 100), -ENODEV);
		rig_close(r, 1); /* unknown by now: ignored */
	}
	rig_run_quietly(r, 20);
	assert_int_equal(fake_open_nodes(), 0);
	d->claim_errno = 0;
	r->heard[1].opened = 0;
	rig_open_well(r, 1);
}

TEST_SET_UP(a_node_that_has_passed_to_a_device_on_another_port_is_not_opened)
{
	static const struct {
		int where_errno;
		uint8_t port_count;
		int expected;
	} cases[] = {
		{ 0, 1, -ENODEV },	{ 0, 9, -ENODEV }, { 0, 3, -ENODEV },
		{ ENODEV, 0, -ENODEV }, { ENOTTY, 0, 0 }, /* a kernel that cannot say */
	};
	struct rig *r = *state;
	struct fake_device *d = fake_device(3);

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		d->where_errno = cases[i].where_errno;
		d->port_count = cases[i].port_count;
		assert_int_equal(rig_open(r, 3), 0);
		rig_run_until(r, i + 1);
		assert_int_equal(r->heard[3].error, cases[i].expected);
		assert_int_equal(d->claims, cases[i].expected == 0);
	}
	rig_close_well(r, 3);
}

TEST_SET_UP(descriptors_that_make_no_sense_or_are_too_long_are_refused)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->descriptors[18 + 2] = 200; /* wTotalLength of what is not there */
	d->descriptors[18 + 3] = 0;
	assert_int_equal(rig_open(r, 1), 0);
	rig_run_until(r, 1);
	assert_true(r->heard[1].error < 0);
	d = fake_device(2);
	d->descriptors[18 + 2] = (uint8_t)5900;
	d->descriptors[18 + 3] = 5900 >> 8;
	d->descriptors_length = 18 + 5900;
	for (size_t at = 36; at + 2 <= d->descriptors_length; at += 2)
		d->descriptors[at] = 2; /* tiny descriptors of no known type */
	assert_int_equal(rig_open(r, 2), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[2].error, -EMSGSIZE);
}

TEST_SET_UP(control_and_bulk_transfers_carry_their_bytes)
{
	static const uint8_t out[3] = { 0x21, 0, 8 };
	struct rig *r = *state;
	struct usb_xfer x = { .kind = USB_CONTROL, .length = 4096, .timeout_ms = 1000 };

	fake_device(1)->on_submit = rig_echo;
	rig_open_well(r, 1);
	x.setup =
	    (struct usb_setup){ .request_type = 0xA1, .request = 2, .value = 5, .length = 4096 };
	assert_int_equal(rig_submit(r, 1, &x), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(r->heard[1].length, 4096);
	assert_int_equal(r->heard[1].data[0], 5);
	assert_int_equal(r->heard[1].data[4095], (uint8_t)(4095 + 5));
	x = (struct usb_xfer){ .kind = USB_CONTROL, .data = out, .length = 3, .timeout_ms = 1000 };
	x.setup = (struct usb_setup){ .request_type = 0x21, .request = 1, .length = 3 };
	assert_int_equal(rig_submit(r, 1, &x), 0);
	rig_run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
	assert_int_equal(r->heard[1].length, 0);
	x = (struct usb_xfer){
		.kind = USB_BULK_IN, .endpoint = 0x81, .length = 64, .timeout_ms = 1000
	};
	assert_int_equal(rig_submit(r, 1, &x), 0);
	rig_run_until(r, 4);
	assert_int_equal(r->heard[1].length, 6);
	assert_memory_equal(r->heard[1].data, "packet", 6);
	x = (struct usb_xfer){
		.kind = USB_BULK_OUT, .endpoint = 0x01, .data = out, .length = 3, .timeout_ms = 1000
	};
	assert_int_equal(rig_submit(r, 1, &x), 0);
	rig_run_until(r, 5);
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

TEST_SET_UP(every_status_of_the_kernel_has_its_word)
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
	rig_open_well(r, 1);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		status_to_give = cases[i].status;
		assert_int_equal(rig_ask(r, 1, 1000), 0);
		rig_run_until(r, 2 + i);
		assert_int_equal(r->heard[1].status, cases[i].expected);
	}
}

TEST_SET_UP(a_timeout_cancels_and_the_device_goes_on)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);
	uint64_t before;

	d->on_submit = rig_keep;
	rig_open_well(r, 1);
	before = rig_now_ms();
	assert_int_equal(rig_ask(r, 1, 60), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_TIMEOUT);
	assert_true(rig_now_ms() - before >= 50);
	assert_int_equal(d->discards, 1);
	d->on_submit = NULL;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_OK);
}

TEST_SET_UP(a_transfer_that_the_host_cannot_queue_is_reported_as_such)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	rig_open_well(r, 1);
	d->submit_errno = ENOMEM;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].status, USB_NOMEM);
	d->submit_errno = EINVAL;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 3);
	assert_int_equal(r->heard[1].status, USB_IO);
	d->submit_errno = ENODEV;
	assert_int_equal(rig_ask(r, 1, 1000), -ENODEV);
	d->submit_errno = 0;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 4);
	assert_int_equal(r->heard[1].status, USB_OK);
}

TEST_SET_UP(unsound_requests_are_refused)
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

	rig_open_well(r, 1);
	for (unsigned i = 0; i < ARRAY_LEN(unsound); i++)
		assert_int_equal(rig_submit(r, 1, &unsound[i]), -EINVAL);
	assert_int_equal(rig_submit(r, 2, &unsound[0]), -ENODEV);
}

static void
submit_again(struct rig *r, uint64_t id, const uint8_t *data, size_t length)
{
	if (r->heard[id].ended < 1000)
		assert_int_equal(rig_ask(r, (unsigned)id, 1000), 0);
	/* The received data are still there, although the next transfer is under way. */
	for (size_t i = 0; i < length; i++)
		assert_int_equal(data[i], (uint8_t)i);
}

TEST_SET_UP(a_callback_may_submit_and_still_read_the_received_data)
{
	struct rig *r = *state;

	fake_device(1)->on_submit = rig_echo;
	rig_open_well(r, 1);
	r->on_ended = submit_again;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 1001);
	assert_int_equal(r->heard[1].ended, 1000);
}

static void
ask_for_more(struct rig *r, uint64_t id, const uint8_t *data, size_t length)
{
	struct usb_xfer x = { .kind = USB_CONTROL, .length = 4096, .timeout_ms = 1000 };

	x.setup = (struct usb_setup){ .request_type = 0xA1, .request = 2, .length = 4096 };
	if (r->heard[id].ended < 4)
		assert_int_equal(rig_submit(r, (unsigned)id, &x), 0);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(data[i], (uint8_t)i);
}

TEST_SET_UP(a_longer_transfer_leaves_the_received_data_where_they_are)
{
	struct rig *r = *state;

	fake_device(1)->on_submit = rig_echo;
	rig_open_well(r, 1);
	r->on_ended = ask_for_more;
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, 5);
	assert_int_equal(r->heard[1].length, 4096);
}

static void
ask_and_read(struct rig *r, uint64_t id)
{
	const uint8_t *told = r->told;

	ask_for_more(r, id, NULL, 0);
	for (size_t at = 36; at < r->heard[id].length; at++)
		assert_int_equal(told[at], 2);
}

TEST_SET_UP(long_descriptors_stay_while_they_are_told)
{
	struct rig *r = *state;
	struct fake_device *d = fake_device(1);

	d->descriptors[18 + 2] = (uint8_t)4000;
	d->descriptors[18 + 3] = 4000 >> 8;
	d->descriptors_length = 18 + 4000;
	memset(d->descriptors + 36, 2, 4000 - 18);
	d->on_submit = rig_echo;
	r->on_opened = ask_and_read;
	assert_int_equal(rig_open(r, 1), 0);
	rig_run_until(r, 2);
	assert_int_equal(r->heard[1].error, 0);
	assert_int_equal(r->heard[1].status, USB_OK);
}

/* Submit, wait, reap: what the kernel's interface needs. */
TEST_SET_UP(a_transfer_takes_three_system_calls_however_many_devices_are_open)
{
	struct rig *r = *state;
	unsigned ioctls, waits;

	for (unsigned i = 1; i < 100; i++)
		rig_open_well(r, i);
	fake_device(1)->on_submit = rig_echo;
	r->on_ended = submit_again;
	ioctls = fake_ioctls();
	waits = fake_waits();
	assert_int_equal(rig_ask(r, 1, 1000), 0);
	rig_run_until(r, r->total + 1000);
	assert_int_equal(fake_ioctls() - ioctls, 2000);
	assert_in_range(fake_waits() - waits, 1000, 1010);
}

TEST_MAIN(NULL)
