/* SPDX-License-Identifier: MIT */
/* ctl/memfile, params, station: files that cross the socket, parameters against signatures. */
#include "config.h"

#include "ctl/station.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/util.h"
#include "ctl/memfile.h"

#define SEALED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static int
memory_file(const char *text, unsigned seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

TEST(memory_files_for_writing_are_checked_and_written)
{
	int file = memory_file("", 0), full = memory_file("x", 0), sealed = memory_file("", SEALED);
	int disk = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	uint8_t data[5];
	const char *why;

	assert_int_equal(memfile_claim_writable(file, &why), 0);
	assert_int_equal(memfile_write(file, (const uint8_t *)"hello", 5), 0);
	assert_int_equal(pread(file, data, 5, 0), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(memfile_claim_writable(full, &why), -EINVAL);
	assert_int_equal(memfile_claim_writable(sealed, &why), -EINVAL);
	assert_int_equal(memfile_claim_writable(0, &why), -EINVAL);
	assert_int_equal(memfile_write(sealed, data, 5), -EPERM);
	/* what was accepted stays so, whatever the client does to it */
	assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_GROW), -1);
	assert_int_equal(memfile_write(file, (const uint8_t *)"world", 5), 0);
	if (disk >= 0)
		close(disk);
	close(file);
	close(full);
	close(sealed);
}

/* Every memory file that cannot take the bytes is refused before a drone is read for it. */
TEST(memory_files_that_cannot_be_written_are_refused)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK,
				     F_SEAL_FUTURE_WRITE };
	int file = memory_file("", 0), huge = memfd_create("test", MFD_ALLOW_SEALING | MFD_HUGETLB);
	int plain = memfd_create("test", 0), reader;
	char path[64];
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
		int sealed = memory_file("", (unsigned)seals[i]);

		assert_int_equal(memfile_claim_writable(sealed, &why), -EINVAL);
		close(sealed);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	reader = open(path, O_RDONLY);
	assert_true(reader >= 0);
	assert_int_equal(memfile_claim_writable(reader, &why), -EINVAL);
	if (huge >= 0) {
		assert_int_equal(memfile_claim_writable(huge, &why), -EINVAL);
		close(huge);
	}
	assert_int_equal(memfile_claim_writable(plain, &why), 0); /* it cannot be sealed */
	close(plain);
	close(reader);
	close(file);
}

TEST(a_file_over_the_limit_is_refused)
{
	int file = memory_file("12345678", SEALED);
	uint8_t *data;
	const char *why;
	size_t bytes;

	assert_int_equal(memfile_read(file, 7, &data, &bytes, &why), -EFBIG);
	assert_int_equal(memfile_read(file, 8, &data, &bytes, &why), 0);
	free(data);
	close(file);
}

static const struct method_signature *
signature(const char *name)
{
	for (size_t i = 0; i < station_method_count; i++)
		if (strcmp(station_signatures[i].name, name) == 0)
			return &station_signatures[i];
	fail_msg("no such method: %s", name);
	return NULL;
}

TEST(signatures_are_made_from_the_interface_description)
{
	const struct method_signature *retry = signature("org.cfdfu.Station.Retry");
	const struct method_signature *add = signature("org.cfdfu.Station.AddFirmware");
	size_t count = 0;

	for (const char *m = station_description; (m = strstr(m, "\nmethod ")) != NULL; m++)
		count++;
	assert_int_equal(count, station_method_count);
	assert_int_equal(signature("org.cfdfu.Station.Watch")->flags, METHOD_STREAMS);
	assert_int_equal(retry->flags, METHOD_CHANGES);
	assert_string_equal(retry->params[0].name, "targets");
	assert_int_equal(retry->params[0].type, PARAM_STRINGS);
	assert_int_equal(retry->params[2].type, PARAM_BOOL);
	assert_null(retry->params[3].name);
	assert_int_equal(add->flags, METHOD_CHANGES | METHOD_DESCRIPTOR);
	assert_false(add->params[0].required);
	assert_true(add->params[3].required);
}

TEST(long_lists_and_texts_are_refused)
{
	static const struct param_spec specs[] = { { "list", PARAM_STRINGS, false },
						   { "on", PARAM_BOOL, false },
						   { NULL, 0, false } };
	json_t *p = json_object(), *list = json_array();
	char text[PARAM_TEXT_MAX + 2];

	json_object_set(p, "list", list);
	for (int i = 0; i < PARAM_STRINGS_MAX; i++)
		json_array_append_new(list, json_string("x"));
	assert_null(params_check(specs, p));
	json_array_append_new(list, json_string("x"));
	assert_string_equal(params_check(specs, p), "list");
	json_array_clear(list);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	json_array_append_new(list, json_string(text));
	assert_string_equal(params_check(specs, p), "list");
	json_array_set_new(list, 0, json_string(text + 1));
	assert_null(params_check(specs, p));
	json_array_set_new(list, 0, json_integer(1));
	assert_string_equal(params_check(specs, p), "list");
	json_object_set_new(p, "list", json_string("x"));
	assert_string_equal(params_check(specs, p), "list");
	json_object_set_new(p, "list", json_null());
	json_object_set_new(p, "on", json_integer(1));
	assert_string_equal(params_check(specs, p), "on");
	json_decref(p);
	json_decref(list);
}

TEST(the_text_of_a_file_may_be_longer_than_others)
{
	const struct method_signature *add = signature("org.cfdfu.Station.AddFirmware");
	char text[PARAM_FILE_MAX + 2];
	json_t *p = json_object();

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	json_object_set_new(p, "source_name", json_string("a.bin"));
	json_object_set_new(p, "source_sha256", json_string("0"));
	json_object_set_new(p, "signature", json_string(text + 1));
	json_object_set_new(p, "selection", json_string(text + 1));
	assert_null(params_check(add->params, p));
	json_object_set_new(p, "selection", json_string(text));
	assert_string_equal(params_check(add->params, p), "selection");
	json_object_del(p, "selection");
	json_object_set_new(p, "version", json_string(text + 1));
	assert_string_equal(params_check(add->params, p), "version");
	json_decref(p);
}

TEST_MAIN(NULL)
