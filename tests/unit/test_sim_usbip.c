/* SPDX-License-Identifier: MIT */
/*
 * The USB/IP side of the rack: a kernel played by hand on the other end of a socketpair; ports of
 * vhci_hcd.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "sim/live.h"
#include "sim/usbip.h"
#include "sim/vhci.h"

struct fixture {
	struct event_base *base;
	struct live *live;
	struct usbip *usbip;
	int kernel; /* our end */
	bool broken;
	uint64_t arrival;
};

static struct fixture f;

static void
on_broken(void *ctx)
{
	(void)ctx;
	f.broken = true;
	usbip_free(f.usbip);
	f.usbip = NULL;
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	(void)ctx;
	f.arrival = s->arrival;
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	int fd[2];

	(void)ctx;
	(void)descriptors;
	(void)length;
	assert_int_equal(error, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f.kernel = fd[0];
	assert_int_equal(usbip_new(f.base, f.live, id, fd[1], on_broken, NULL, &f.usbip), 0);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	(void)ctx;
	(void)id;
	usbip_ended(f.usbip, kind, status, data, length);
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted,
	.opened = on_opened,
	.ended = on_ended,
};

static int
setup(void **state)
{
	struct live_options o = { .seed = 1, .fast = true };
	char error[128], line[] = "add 1-1", button[] = "button 1-1";

	(void)state;
	memset(&f, 0, sizeof(f));
	f.kernel = -1;
	f.base = event_base_new();
	if (live_new(f.base, &o, &callbacks, NULL, &f.live, error, sizeof(error)) < 0)
		return -1;
	commander_run(live_commander(f.live), line, stderr);
	commander_run(live_commander(f.live), button, stderr);
	live_kick(f.live);
	while (f.arrival == 0)
		event_base_loop(f.base, EVLOOP_ONCE);
	if (world_open(live_world(f.live), 1, f.arrival) < 0)
		return -1;
	live_kick(f.live);
	while (f.usbip == NULL)
		event_base_loop(f.base, EVLOOP_ONCE);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	usbip_free(f.usbip);
	if (f.kernel >= 0)
		close(f.kernel);
	live_free(f.live);
	event_base_free(f.base);
	return 0;
}

static void
put_word(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, 4);
}

static uint32_t
word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return be32toh(v);
}

static void
send_submit(uint32_t seqnum, bool in, uint32_t ep, uint32_t length, const uint8_t *setup_packet,
	    const uint8_t *data)
{
	uint8_t h[48] = { 0 };

	put_word(h, 1);
	put_word(h + 4, seqnum);
	put_word(h + 8, 0x10002);
	put_word(h + 12, in);
	put_word(h + 16, ep);
	put_word(h + 24, length);
	put_word(h + 32, 0xFFFFFFFF);
	if (setup_packet != NULL)
		memcpy(h + 40, setup_packet, 8);
	assert_int_equal(write(f.kernel, h, sizeof(h)), sizeof(h));
	if (!in && length > 0)
		assert_int_equal(write(f.kernel, data, length), length);
}

static void
send_unlink(uint32_t seqnum, uint32_t victim)
{
	uint8_t h[48] = { 0 };

	put_word(h, 2);
	put_word(h + 4, seqnum);
	put_word(h + 20, victim);
	assert_int_equal(write(f.kernel, h, sizeof(h)), sizeof(h));
}

/* Runs the loop until so many bytes have come from the device's side. */
static void
receive(uint8_t *buf, size_t length)
{
	size_t have = 0;

	for (unsigned turns = 0; have < length; turns++) {
		ssize_t n = recv(f.kernel, buf + have, length - have, MSG_DONTWAIT);

		if (n > 0)
			have += (size_t)n;
		else
			event_base_loop(f.base, EVLOOP_NONBLOCK);
		assert_true(turns < 2000000);
	}
}

static void
expect_submit(uint32_t seqnum, int status, uint32_t actual)
{
	uint8_t h[48];

	receive(h, sizeof(h));
	assert_int_equal(word(h), 3);
	assert_int_equal(word(h + 4), seqnum);
	assert_int_equal((int)word(h + 20), status);
	assert_int_equal(word(h + 24), actual);
}

static void
expect_unlink(uint32_t seqnum, int status)
{
	uint8_t h[48];

	receive(h, sizeof(h));
	assert_int_equal(word(h), 4);
	assert_int_equal(word(h + 4), seqnum);
	assert_int_equal((int)word(h + 20), status);
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

TEST_SET_UP(enumeration_as_a_kernel_does_it)
{
	static const uint8_t device[8] = { 0x80, 6, 0, 1, 0, 0, 64, 0 };
	static const uint8_t head[8] = { 0x80, 6, 0, 2, 0, 0, 9, 0 };
	static const uint8_t whole[8] = { 0x80, 6, 0, 2, 0, 0, 54, 0 };
	static const uint8_t qualifier[8] = { 0x80, 6, 0, 6, 0, 0, 10, 0 };
	static const uint8_t configure[8] = { 0x00, 9, 1, 0, 0, 0, 0, 0 };
	static const uint8_t status[8] = { 0x80, 0, 0, 0, 0, 0, 2, 0 };
	uint8_t buf[64];

	send_submit(1, true, 0, 64, device, NULL);
	expect_submit(1, 0, 18);
	receive(buf, 18);
	assert_int_equal(buf[10], 0x11);
	send_submit(2, true, 0, 9, head, NULL);
	send_submit(3, true, 0, 54, whole, NULL);
	expect_submit(2, 0, 9);
	receive(buf, 9);
	expect_submit(3, 0, 54);
	receive(buf, 54);
	send_submit(4, true, 0, 10, qualifier, NULL);
	expect_submit(4, -EPIPE, 0);
	send_submit(5, false, 0, 0, configure, NULL);
	expect_submit(5, 0, 0);
	send_submit(6, true, 0, 2, status, NULL);
	expect_submit(6, 0, 2);
	receive(buf, 2);
	assert_int_equal(buf[0], 1);
}

/* The kernel's first requests after a reset. */
static void
begin_enumeration(void)
{
	static const uint8_t device[8] = { 0x80, 6, 0, 1, 0, 0, 64, 0 };
	uint8_t buf[18];

	send_submit(99, true, 0, 64, device, NULL);
	expect_submit(99, 0, 18);
	receive(buf, 18);
}

TEST_SET_UP(a_device_that_was_not_enumerated_does_not_answer)
{
	static const uint8_t getstatus[8] = { 0xA1, 3, 0, 0, 0, 0, 6, 0 };
	uint8_t buf[6];

	send_submit(1, true, 0, 6, getstatus, NULL); /* meant for what was there before */
	expect_submit(1, -EPROTO, 0);
	send_submit(2, true, 3, 8, NULL, NULL);
	expect_submit(2, -EPROTO, 0);
	begin_enumeration();
	send_submit(3, true, 0, 6, getstatus, NULL);
	expect_submit(3, 0, 6);
	receive(buf, 6);
}

TEST_SET_UP(data_stages_go_both_ways)
{
	static const uint8_t clrstatus[8] = { 0x21, 4, 0, 0, 0, 0, 0, 0 };
	static const uint8_t dnload[8] = { 0x21, 1, 0, 0, 0, 0, 5, 0 };
	static const uint8_t getstatus[8] = { 0xA1, 3, 0, 0, 0, 0, 6, 0 };
	static const uint8_t command[5] = { 0x21, 0x00, 0x40, 0x00, 0x08 };
	uint8_t buf[8];

	begin_enumeration();
	send_submit(1, false, 0, 0, clrstatus, NULL);
	send_submit(2, false, 0, 5, dnload, command);
	send_submit(3, true, 0, 6, getstatus, NULL);
	expect_submit(1, 0, 0);
	expect_submit(2, 0, 5);
	expect_submit(3, 0, 6);
	receive(buf, 6);
	assert_int_equal(buf[4], 4);
}

TEST_SET_UP(unlinking_takes_back_or_comes_too_late)
{
	static const uint8_t getstatus[8] = { 0xA1, 3, 0, 0, 0, 0, 6, 0 };
	struct fate silent = { .kind = FATE_NO_ANSWER, .at = 1, .count = 1 };
	uint8_t buf[8];

	begin_enumeration();
	assert_int_equal(world_arm(live_world(f.live), "1-1", &silent), 0);
	send_submit(1, true, 0, 6, getstatus, NULL);
	send_submit(2, true, 0, 6, getstatus, NULL); /* waits behind it */
	send_unlink(3, 1);
	expect_unlink(3, -ECONNRESET);
	expect_submit(2, 0, 6);
	receive(buf, 6);
	send_unlink(4, 2);
	expect_unlink(4, 0);
	send_submit(5, true, 3, 8, NULL, NULL); /* the CDC notification endpoint: never anything */
	send_submit(6, false, 2, 4, NULL, (const uint8_t *)"abcd");
	expect_submit(6, 0, 4);
	send_unlink(7, 5);
	expect_unlink(7, -ECONNRESET);
}

TEST_SET_UP(invalid_packets_end_the_connection)
{
	uint8_t h[48] = { 0 };

	put_word(h, 77);
	assert_int_equal(write(f.kernel, h, sizeof(h)), sizeof(h));
	for (unsigned i = 0; i < 100 && !f.broken; i++)
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	assert_true(f.broken);
}

TEST_SET_UP(hanging_up_is_noticed)
{
	shutdown(f.kernel, SHUT_WR);
	for (unsigned i = 0; i < 100 && !f.broken; i++)
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	assert_true(f.broken);
}

TEST_SET_UP(too_many_requests_end_the_connection)
{
	begin_enumeration();
	for (unsigned i = 0; i < USBIP_URBS_MAX + 1; i++)
		send_submit(i, true, 3, 8, NULL, NULL);
	for (unsigned i = 0; i < 100 && !f.broken; i++)
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	assert_true(f.broken);
}

/* ---- vhci ---- */

static void
write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *to;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	to = fopen(path, "w");
	assert_non_null(to);
	(void)fputs(text, to);
	(void)fclose(to);
}

static void
make_directory(const char *directory, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

TEST(ports_are_found_by_their_bus)
{
	char directory[] = "/tmp/cfdfu-vhci.XXXXXX", command[64];
	struct vhci v;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(vhci_find(directory, &v), -ENODEV);
	for (unsigned i = 0; i < 2; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "vhci_hcd.%u", i);
		make_directory(directory, name);
		for (unsigned bus = 5 + 2 * i; bus < 7 + 2 * i; bus++) {
			(void)snprintf(name, sizeof(name), "vhci_hcd.%u/usb%u", i, bus);
			make_directory(directory, name);
			strcat(name, "/speed");
			write_file(directory, name, bus % 2 ? "480\n" : "5000\n");
		}
	}
	write_file(directory, "vhci_hcd.0/nports", "60\n");
	write_file(directory, "vhci_hcd.0/attach", "");
	assert_int_equal(vhci_find(directory, &v), 0);
	assert_int_equal(vhci_port_number(&v, "5-1"), 0);
	assert_int_equal(vhci_port_number(&v, "5-15"), 14);
	assert_int_equal(vhci_port_number(&v, "7-1"), 30);
	assert_int_equal(vhci_port_number(&v, "7-16"), -EINVAL);
	assert_int_equal(vhci_port_number(&v, "6-1"), -EINVAL);
	assert_int_equal(vhci_port_number(&v, "7-1.2"), -EINVAL);
	assert_int_equal(vhci_port_number(&v, "x"), -EINVAL);
	assert_int_equal(vhci_attach(&v, 31, 8, 0x10002), 0);
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

TEST_MAIN(NULL)
