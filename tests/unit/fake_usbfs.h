/* SPDX-License-Identifier: MIT */
/*
 * A usbfs of our own: this file's program defines open(), close(), read(), lseek(), ioctl(),
 * opendir() and epoll_wait(); it and libusb thereby talk to devices made here.  A node is the
 * writing end of a pipe: full while nothing is to be reaped, without a reader when the device is
 * gone - which epoll(7) shows as usbfs shows it.
 *
 * Its rules are those of Linux 6.1, drivers/usb/core/devio.c:
 *  - usbdev_do_ioctl(): reaping works when the device is gone, everything else says ENODEV then;
 *  - proc_reapurbnonblock(): EAGAIN, or ENODEV when the device is gone, while nothing has ended;
 *  - proc_unlinkurb(): EINVAL for what has ended; otherwise it comes back when the transfer has
 *    ended, with ENOENT;
 *  - async_completed(), usbdev_remove(): each end of a transfer wakes the waiters, so does the
 *    removal of the device, which ends all of them first; its new state before that does not;
 *  - processcompl(): status and length are written when a transfer is reaped.
 */
#ifndef TESTS_FAKE_USBFS_H
#define TESTS_FAKE_USBFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_NODE "/dev/bus/usb/900/%03u" /* by index */
#define FAKE_DEVICES_MAX 300

struct usbdevfs_urb;

/* The fate of a submitted transfer. */
enum fake_answer { FAKE_COMPLETE, FAKE_KEEP, FAKE_REFUSE };

/* The call that blocks until fake_release(). */
enum fake_hold {
	FAKE_HOLD_NOTHING,
	FAKE_HOLD_OPEN,
	FAKE_HOLD_CONFIGURATION,
	FAKE_HOLD_RESET,
	FAKE_HOLD_DISCARD
};

struct fake_device {
	/* Set by the test, before anything is opened. */
	int open_errno, claim_errno, reset_errno, submit_errno; /* 0: works */
	int where_errno;					/* when asked on which port it is */
	uint8_t configuration;					/* the active one; 0: the first */
	uint8_t port_count;		     /* hubs on the way to it, and one; 0: 2 */
	unsigned configuration_ms, reset_ms; /* how long these wait */
	enum fake_hold hold;
	uint8_t descriptors[6000];
	size_t descriptors_length;
	/*
	 * May look at and change the buffer, status and actual_length of a transfer (control: the
	 * buffer begins with the setup packet); NULL answers with success and the length asked for.
	 */
	enum fake_answer (*on_submit)(struct fake_device *d, struct usbdevfs_urb *urb);
	/* The calls so far. */
	bool is_open, is_claimed, is_gone;
	unsigned opens, claims, releases, resets, discards, configurations_asked, detaches;
	/* Private. */
	int read_end, write_end;
	struct fake_urb {
		struct usbdevfs_urb *urb;
		int status, actual_length;
	} pending[4], done[4];
	unsigned pending_count, done_count;
};

/* Forgets everything; checks that nothing is left open. */
void fake_reset(void);
struct fake_device *fake_device(unsigned index);

/* Completes what FAKE_KEEP left pending. */
void fake_complete(struct fake_device *d, int status, int actual_length);

/* The device is pulled out: what is pending ends with -ESHUTDOWN, the node reports an error. */
void fake_unplug(struct fake_device *d);

/* As it is pulled out: the device is not attached any more, what is pending has yet to end. */
void fake_detach(struct fake_device *d);

/* Lets the blocked calls continue; their threads run some time later. */
void fake_release(struct fake_device *d);

unsigned fake_opens(void); /* so far */
unsigned fake_open_nodes(void);

/* So far: ioctl() of all nodes, and epoll_wait(). */
unsigned fake_ioctls(void);
unsigned fake_waits(void);

/* Was a node ever closed with a transfer pending, or given a second one? */
bool fake_was_misused(void);

#endif
