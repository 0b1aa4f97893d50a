/* SPDX-License-Identifier: MIT */
/* What the store does not believe: its own files, when they are not what it wrote. */
#include "config.h"

#include "test_store_whole.h"

static char *dir;

static int
set_up(void **state)
{
	(void)state;
	dir = make_dir();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

/* ---- the catalogue -------------------------------------------------------------------------- */

static void
a_row_of_the_catalogue_is_said_anew_and_keeps_its_place(void **state)
{
	struct store_firmware f = { .name = "a", .sha256 = "00", .file = "1.dfu" };
	struct store_time now = at(5);
	struct store *s;

	(void)state;
	(void)open_ready(dir, &small_options, &s);
	assert_int_equal(store_firmware_replace(s, &f, &now), -ENOENT);
	assert_int_equal(store_firmware_add(s, &f, &now), 0);
	assert_int_equal(store_firmware_add(s, &f, &now), -EEXIST);
	f.name = "b";
	assert_int_equal(store_firmware_add(s, &f, &now), 0);
	f = (struct store_firmware){ .name = "a", .sha256 = "00", .file = "2.dfu", .notes = "x" };
	assert_int_equal(store_firmware_replace(s, &f, &now), 0);
	f.file = NULL;
	assert_int_equal(store_firmware_replace(s, &f, &now), -EINVAL);
	close_store(s);
	for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
		assert_string_equal(
		    ask_db(dir, "SELECT group_concat(name || file || ifnull(notes, '-'), ' ') FROM"
				" (SELECT * FROM firmware ORDER BY id)"),
		    "a2.dfux b1.dfu-");
		assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
		(void)open_ready(dir, &small_options, &s);
		close_store(s);
	}
	(void)assert_files_agree(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(a_row_of_the_catalogue_is_said_anew_and_keeps_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
