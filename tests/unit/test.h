/* SPDX-License-Identifier: MIT */
/*
 * All that a unit test needs of cmocka.  TEST(a_sentence) { ... } declares a test and has it run,
 * in the order of the file; TEST_WITH() one with its set-up and tear-down, which a file may call
 * TEST_SET_UP(); TEST_MAIN() is the program.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TESTS_MAX 128

static struct CMUnitTest test_list[TESTS_MAX] __attribute__((unused));
static size_t test_count __attribute__((unused));

#define TEST_WITH(name, set_up, tear_down)                                                         \
	static void name(void **state);                                                            \
	static void __attribute__((constructor)) register_##name(void)                             \
	{                                                                                          \
		test_list[test_count++] =                                                          \
		    (struct CMUnitTest){ #name, name, set_up, tear_down, NULL };                   \
	}                                                                                          \
	static void name(void **state __attribute__((unused)))
#define TEST(name) TEST_WITH(name, NULL, NULL)

/* group_set_up: once before all tests, or NULL. */
#define TEST_MAIN(group_set_up)                                                                    \
	int main(void)                                                                             \
	{                                                                                          \
		return _cmocka_run_group_tests("tests", test_list, test_count, group_set_up,       \
					       NULL);                                              \
	}

#endif
