/* SPDX-License-Identifier: MIT */
/* Contract of udev/sysfs: a device and its place in the tree, from directories that look like
 * sysfs. */
#include "config.h"

#include "udev/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct tree {
	char root[64];
	int fd;
};

static int
set_up(void **state)
{
	static struct tree t;

	copy_text(t.root, sizeof(t.root), "/tmp/cfdfud-sysfs-XXXXXX");
	if (mkdtemp(t.root) == NULL)
		return -1;
	t.fd = open(t.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &t;
	return t.fd < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct tree *t = *state;
	char command[128];

	(void)close(t->fd);
	(void)snprintf(command, sizeof(command), "rm -rf %s", t->root);
	return system(command);
}

static void
write_attr(struct tree *t, const char *port, const char *name, const char *value)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", t->root, port);
	(void)mkdir(path, 0755); /* may be there */
	(void)snprintf(path, sizeof(path), "%s/%s/%s", t->root, port, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(value, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
add_hub(struct tree *t, const char *port, const char *speed, const char *protocol,
	const char *alternate)
{
	char interface[64], path[160];

	write_attr(t, port, "speed", speed);
	write_attr(t, port, "bDeviceProtocol", protocol);
	(void)snprintf(interface, sizeof(interface), "%s:1.0", port);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", t->root, port, interface);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/bAlternateSetting", interface);
	write_attr(t, port, path, alternate);
}

static void
add_drone(struct tree *t, const char *port)
{
	write_attr(t, port, "idVendor", "0483\n");
	write_attr(t, port, "idProduct", "df11\n");
	write_attr(t, port, "bcdDevice", "2200\n");
	write_attr(t, port, "busnum", "1\n");
	write_attr(t, port, "devnum", "23\n");
	write_attr(t, port, "speed", "12\n");
	write_attr(t, port, "manufacturer", "STMicroelectronics\n");
	write_attr(t, port, "product", "STM32  BOOTLOADER\n");
	write_attr(t, port, "serial", "325E35633334\n");
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(ports_are_told_from_root_hubs_and_interfaces)
{
	static const char *const ports[] = { "1-4", "3-2.1", "12-1.2.3.4.5.6", "1-15" };
	static const char *const others[] = { "",
					      "usb1",
					      "1-0:1.0",
					      "1-4:1.0",
					      "1-",
					      "-1",
					      "1-4.",
					      "..",
					      "1-4/..",
					      "a-1",
					      "1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1" };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		assert_true(sysfs_is_port(ports[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(sysfs_is_port(others[i]));
}

TEST_SET_UP(a_sighting_has_all_that_sysfs_says)
{
	struct tree *t = *state;
	uint64_t enumeration = 0, again = 1;
	struct sighting s;

	add_drone(t, "1-4");
	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), 0);
	assert_string_equal(s.port, "1-4");
	assert_int_equal(s.vid, 0x0483);
	assert_int_equal(s.pid, 0xDF11);
	assert_int_equal(s.bcd_device, 0x2200);
	assert_string_equal(s.manufacturer, "");
	assert_int_equal(sysfs_read_strings(t->fd, enumeration, &s), 0);
	assert_string_equal(s.manufacturer, "STMicroelectronics");
	assert_string_equal(s.product, "STM32  BOOTLOADER");
	assert_string_equal(s.serial, "325E35633334");
	assert_string_equal(s.node, "/dev/bus/usb/001/023");
	assert_string_equal(s.controller, "usb1");
	assert_string_equal(s.translator, "");
	assert_int_equal(sysfs_enumeration(t->fd, "1-4", &again), 0);
	assert_true(enumeration == again);
}

TEST_SET_UP(strings_may_be_missing_and_are_cut)
{
	struct tree *t = *state;
	char path[128], text[201];
	struct sighting s;
	uint64_t enumeration;

	add_drone(t, "1-4");
	(void)snprintf(path, sizeof(path), "%s/1-4/serial", t->root);
	assert_int_equal(unlink(path), 0);
	memset(text, 'x', 200);
	text[200] = '\0';
	write_attr(t, "1-4", "product", text);
	write_attr(t, "1-4", "manufacturer", "");
	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), 0);
	assert_int_equal(sysfs_read_strings(t->fd, enumeration, &s), 0);
	assert_string_equal(s.serial, "");
	assert_string_equal(s.manufacturer, "");
	assert_int_equal(strlen(s.product), sizeof(s.product) - 1);
}

TEST_SET_UP(strings_of_another_enumeration_are_not_mixed_in)
{
	struct tree *t = *state;
	struct sighting s;
	uint64_t enumeration;

	add_drone(t, "1-4");
	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), 0);
	assert_int_equal(sysfs_read_strings(t->fd, enumeration + 1, &s), -ENOENT);
	assert_string_equal(s.serial, "");
	copy_text(s.port, sizeof(s.port), "1-5");
	assert_int_equal(sysfs_read_strings(t->fd, enumeration, &s), -ENOENT);
}

TEST_SET_UP(an_empty_port_and_a_refused_device_are_not_there)
{
	struct tree *t = *state;
	struct sighting s;
	uint64_t enumeration;

	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), -ENOENT);
	assert_int_equal(sysfs_enumeration(t->fd, "1-4", &enumeration), -ENOENT);
	add_drone(t, "1-4");
	write_attr(t, "1-4", "authorized", "1\n");
	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), 0);
	assert_true(sysfs_is_authorised(t->fd, "1-4"));
	write_attr(t, "1-4", "authorized", "0\n");
	assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), -ENOENT);
	assert_false(sysfs_is_authorised(t->fd, "1-4"));
	assert_true(sysfs_is_authorised(t->fd, "1-5")); /* what says nothing of it is not refused */
}

TEST_SET_UP(an_invalid_attribute_is_refused)
{
	static const char *const bad[][2] = {
		{ "idVendor", "xyz\n" }, { "idProduct", "12345\n" },
		{ "bcdDevice", "-1\n" }, { "devnum", "128\n" },
		{ "devnum", "" },	 { "busnum", "99999999999999999999\n" },
		{ "busnum", "12 13\n" },
	};
	struct tree *t = *state;
	struct sighting s;
	uint64_t enumeration;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		add_drone(t, "1-4");
		write_attr(t, "1-4", bad[i][0], bad[i][1]);
		assert_int_equal(sysfs_read(t->fd, "1-4", &s, &enumeration), -EPROTO);
	}
}

static void
expect_translator(struct tree *t, const char *port, const char *translator)
{
	struct sighting s;
	uint64_t enumeration;

	add_drone(t, port);
	assert_int_equal(sysfs_read(t->fd, port, &s, &enumeration), 0);
	assert_string_equal(s.translator, translator);
}

TEST_SET_UP(behind_a_hub_with_one_translator_all_share_it)
{
	struct tree *t = *state;

	add_hub(t, "1-4", "480\n", "01\n", " 0\n");
	expect_translator(t, "1-4.1", "1-4");
	expect_translator(t, "1-4.2", "1-4");
}

TEST_SET_UP(behind_a_hub_with_a_translator_per_port_each_branch_has_its_own)
{
	struct tree *t = *state;

	add_hub(t, "1-4", "480\n", "02\n", " 1\n");
	expect_translator(t, "1-4.1", "1-4.1");
	add_hub(t, "1-4.3", "12\n", "00\n", " 0\n");
	expect_translator(t, "1-4.3.1", "1-4.3");
	expect_translator(t, "1-4.3.2", "1-4.3");
}

TEST_SET_UP(a_hub_that_could_but_does_not_use_several_counts_as_one)
{
	struct tree *t = *state;

	add_hub(t, "1-4", "480\n", "02\n", " 0\n");
	expect_translator(t, "1-4.1", "1-4");
}

TEST_SET_UP(a_fast_hub_behind_a_fast_hub_translates_itself)
{
	struct tree *t = *state;

	add_hub(t, "1-4", "480\n", "02\n", " 1\n");
	add_hub(t, "1-4.1", "480\n", "01\n", " 0\n");
	expect_translator(t, "1-4.1.4", "1-4.1");
}

TEST_SET_UP(a_fast_device_and_one_below_slow_hubs_only_need_no_translator)
{
	struct tree *t = *state;

	add_hub(t, "1-5", "12\n", "00\n", " 0\n");
	expect_translator(t, "1-5.1", "");
	add_hub(t, "1-4", "480\n", "01\n", " 0\n");
	add_drone(t, "1-4.1");
	write_attr(t, "1-4.1", "speed", "480\n");
	struct sighting s;
	uint64_t enumeration;
	assert_int_equal(sysfs_read(t->fd, "1-4.1", &s, &enumeration), 0);
	assert_string_equal(s.translator, "");
}

TEST_MAIN(NULL)
