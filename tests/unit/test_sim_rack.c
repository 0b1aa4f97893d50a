/* SPDX-License-Identifier: MIT */
/* Whole racks of the command language, and its words for what is in a drone (sim/command.h). */
#include "config.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/bitstream.h"
#include "sim/command.h"
#include "sim/tiny.h"

static struct world *w;
static struct commander c;
static char said[8192], folder[64];

static int
setup(void **state)
{
	static const struct world_callbacks none = { 0 };

	(void)state;
	copy_text(folder, sizeof(folder), "/tmp/test_sim_rack.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(world_new(5, &none, NULL, &w), 0);
	commander_init(&c, w, 5);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	world_free(w);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command); /* NOLINT(cert-env33-c): a folder of our own name */
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

static const char *
run(const char *line)
{
	char copy[4096];
	FILE *out = fmemopen(said, sizeof(said), "w");

	assert_non_null(out);
	copy_text(copy, sizeof(copy), line);
	commander_run(&c, copy, out);
	assert_int_equal(fclose(out), 0);
	return said;
}

static void
write_file(const char *name, const void *data, size_t length)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
}

static const char *
in_folder(const char *command, const char *rest)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "%s %s/%s", command, folder, rest);
	return run(line);
}

static void
live(uint64_t us)
{
	uint64_t until = world_now_us(w) + us;

	while (world_next_us(w) <= until)
		(void)world_run_one(w);
	world_advance(w, until);
}

TEST_SET_UP(a_mixed_rack_is_one_command)
{
	static uint8_t image[16384];
	struct tiny t = { "CF21", "2026.08", "0123456789ab", 0, 7 };
	const char *srcdir = getenv("srcdir");
	char line[4096];

	tiny_make(&t, image, sizeof(image));
	write_file("image", image, sizeof(image));
	(void)snprintf(line, sizeof(line), "rack %s/tests/sim/racks/mixed-16 %s/image",
		       srcdir != NULL ? srcdir : ".", folder);
	assert_string_equal(run(line), "ok\n");
	for (unsigned i = 1; i <= 16; i++) {
		(void)snprintf(line, sizeof(line), "plug 1-%u", i);
		assert_string_equal(run(line), "ok\n");
	}
	live(10000000);
	(void)run("list");
	assert_null(strstr(said, "absent"));
	assert_non_null(strstr(said, "1-16 runtime"));
	assert_string_equal(run("decks 1-1"), "lighthouse-wrong in-loader\nok\n");
	assert_string_equal(run("decks 1-5"), "led-bottom runs\nled-top runs\nok\n");
	assert_string_equal(run("decks 1-16"), "ok\n");
	assert_string_equal(run("radio 1-12"), "80 2M E7E7E7E70B\nok\n");
	assert_string_equal(drone_config(world_drone(w, "1-8"))->nrf, "2022.09");
	assert_string_equal(run("decks 9-9"), "error: no drone on port '9-9'\n");
	assert_string_equal(run(line), "ok\n"); /* plugged in already: nothing */
}

TEST_SET_UP(a_rack_that_is_wrong_is_refused)
{
	write_file("itself", "rack x\n", 7);
	assert_string_equal(in_folder("rack", "itself"), "error: a rack holds no racks\n");
	write_file("wings", "add 1-1\n# \n\nadd 1-2 deck=wings\n", 30);
	assert_string_equal(in_folder("rack", "wings"),
			    "error: deck: 'wings' is not a value for it\n");
	assert_non_null(strstr(in_folder("rack", "missing"), "error: No such file"));
	assert_string_equal(run("add 1-3 deck=ai,ai,ai,ai,ai"),
			    "error: deck: 'ai,ai,ai,ai,ai' is not a value for it\n");
}

TEST_SET_UP(a_bitstream_is_written_to_a_file)
{
	static uint8_t data[BITSTREAM_BYTES + 1];
	char path[128];
	FILE *f;

	assert_string_equal(in_folder("bitstream", "new"), "ok\n");
	(void)snprintf(path, sizeof(path), "%s/new", folder);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fread(data, 1, sizeof(data), f), BITSTREAM_BYTES);
	(void)fclose(f);
	assert_int_equal(bitstream_crc(data, BITSTREAM_BYTES), BITSTREAM_CRC);
	assert_string_equal(in_folder("bitstream", "old 0x112BC794 104093"), "ok\n");
	assert_string_equal(in_folder("bitstream", "short 1 3"), "error: no such length\n");
	assert_string_equal(in_folder("bitstream", "half 1"), "error: a CRC wants a length\n");
}

TEST_MAIN(NULL)
