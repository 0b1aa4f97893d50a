/* SPDX-License-Identifier: MIT */
/* Contract of udev/path: the chains of devices above a port, as kernels show them, and the path
 * that udev's builtin path_id makes of each (systemd, src/udev/udev-builtin-path_id.c). */
#include "config.h"

#include "udev/path.h"

#include "test.h"
#include <string.h>

#define CHAIN_MAX 8

static const struct {
	const char *port, *path;
	struct path_parent parents[CHAIN_MAX];
} cases[] = {
	/* A PC: /sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2 */
	{ "1-4.2",
	  "pci-0000:00:14.0-usb-0:4.2",
	  { { "usb", "1-4.2" },
	    { "usb", "1-4" },
	    { "usb", "usb1" },
	    { "pci", "0000:00:14.0" },
	    { NULL, "pci0000:00" } } },
	/* The same controller when its bus has another number. */
	{ "3-4.2",
	  "pci-0000:00:14.0-usb-0:4.2",
	  { { "usb", "3-4.2" },
	    { "usb", "3-4" },
	    { "usb", "usb3" },
	    { "pci", "0000:00:14.0" },
	    { NULL, "pci0000:00" } } },
	/* Behind bridges the controller's own function counts. */
	{ "3-6",
	  "pci-0000:06:00.3-usb-0:6",
	  { { "usb", "3-6" },
	    { "usb", "usb3" },
	    { "pci", "0000:06:00.3" },
	    { "pci", "0000:03:08.0" },
	    { "pci", "0000:00:01.2" },
	    { NULL, "pci0000:00" } } },
	/* A Raspberry Pi 4: PCIe of a platform device. */
	{ "1-1.2",
	  "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2",
	  { { "usb", "1-1.2" },
	    { "usb", "1-1" },
	    { "usb", "usb1" },
	    { "pci", "0000:01:00.0" },
	    { "pci", "0000:00:00.0" },
	    { NULL, "pci0000:00" },
	    { "platform", "fd500000.pcie" },
	    { "platform", "scb" } } },
	/* The kernel's virtual host controller. */
	{ "3-1",
	  "platform-vhci_hcd.0-usb-0:1",
	  { { "usb", "3-1" },
	    { "usb", "usb3" },
	    { "platform", "vhci_hcd.0" },
	    { NULL, "platform" } } },
	/* Nothing above it has a name that lasts. */
	{ "1-1", "", { { "usb", "1-1" }, { "usb", "usb1" } } },
	{ "1-1", "", { { "usb", "1-1" }, { "usb", "usb1" }, { "virtio", "virtio0" } } },
	{ "usb1", "", { { "usb", "usb1" }, { "pci", "0000:00:14.0" } } },
};

TEST(every_chain_has_the_path_that_udev_gives_it)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[PATH_TEXT_MAX];
		size_t count = 0;

		while (count < CHAIN_MAX && cases[i].parents[count].sysname != NULL)
			count++;
		assert_int_equal(path_compose(cases[i].parents, count, cases[i].port, path),
				 cases[i].path[0] != '\0');
		assert_string_equal(path, cases[i].path);
	}
}

/* Whichever port of a bus was asked for first, the path of another is the same. */
TEST(a_neighbour_has_the_path_that_udev_gives_it)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[PATH_TEXT_MAX] = "x", back[PATH_TEXT_MAX];

		if (cases[i].path[0] == '\0') {
			assert_false(path_beside(cases[i].path, "1-2", path));
			assert_string_equal(path, "");
			continue;
		}
		assert_true(path_beside(cases[i].path, "1-13.7.1", path));
		assert_memory_equal(strrchr(path, ':'), ":13.7.1", 8);
		assert_string_not_equal(path, cases[i].path);
		assert_true(path_beside(path, cases[i].port, back));
		assert_string_equal(back, cases[i].path);
	}
}

TEST(a_neighbour_whose_path_does_not_fit_has_none)
{
	static const char longest[] = "platform-a-controller-with-a-name-of-this-length-pci-"
				      "0000:00:14.0-and-another-one-usb-0:1";
	char path[PATH_TEXT_MAX] = "x";

	assert_true(strlen(longest) < PATH_TEXT_MAX);
	assert_false(path_beside(longest, "1-1.2.3.4.5.6.7.8.9", path));
	assert_string_equal(path, "");
	assert_false(path_beside("pci-0000:00:14.0-usb-0:1", "usb1", path));
	assert_string_equal(path, "");
}

TEST(a_path_that_does_not_fit_is_none)
{
	static const char name[] =
	    "a-controller-with-a-name-that-is-much-longer-than-any-0123456789";
	const struct path_parent parents[] = { { "usb", "1-1" },
					       { "pci", name },
					       { "platform", name } };
	char path[PATH_TEXT_MAX] = "x";

	assert_false(path_compose(parents, 3, "1-1", path));
	assert_string_equal(path, "");
}

TEST_MAIN(NULL)
