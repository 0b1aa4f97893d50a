/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the USB interface: a bus over the fake usbfs, its loop, and records of all
 * callbacks. */
#ifndef TESTS_USB_RIG_H
#define TESTS_USB_RIG_H

#include <event2/event.h>

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "fake_usbfs.h"

#define RIG_DESCRIPTORS_BYTES 36

#define IDS_MAX 300

/* The callbacks for one id. */
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
	const uint8_t *told; /* the descriptors, while opened() is told */
	void (*on_opened)(struct rig *r, uint64_t id);
	void (*on_ended)(struct rig *r, uint64_t id, const uint8_t *data, size_t length);
	void (*on_closed)(struct rig *r, uint64_t id);
};

extern const uint8_t rig_descriptors[RIG_DESCRIPTORS_BYTES];

/* For cmocka.  The second checks that no node was left open or closed too early. */
int rig_set_up(void **state);
int rig_tear_down(void **state);

uint64_t rig_now_ms(void);

/* Calls of the seam; a callback from inside one fails the test. */
int rig_open(struct rig *r, unsigned id);
int rig_submit(struct rig *r, unsigned id, const struct usb_xfer *x);
void rig_close(struct rig *r, unsigned id);

/* A control transfer that reads six bytes. */
int rig_ask(struct rig *r, unsigned id, uint32_t timeout_ms);

/* Runs the loop until so many callbacks were heard since the beginning, or for five seconds. */
void rig_run_until(struct rig *r, unsigned total);

/* Runs the loop so long and expects that nothing more is heard. */
void rig_run_quietly(struct rig *r, unsigned ms);
/* ... until so many nodes have been opened and so many are left open. */
void rig_run_until_nodes(struct rig *r, unsigned opens, unsigned left);

void rig_open_well(struct rig *r, unsigned id);
void rig_close_well(struct rig *r, unsigned id);

/* For fake_device.on_submit: leaves a transfer pending; answers one with bytes that count up. */
enum fake_answer rig_keep(struct fake_device *d, struct usbdevfs_urb *urb);
enum fake_answer rig_echo(struct fake_device *d, struct usbdevfs_urb *urb);

#endif
