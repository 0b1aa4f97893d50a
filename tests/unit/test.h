/* SPDX-License-Identifier: MIT */
/* All that a unit test needs of cmocka.  TEST(a_sentence) declares one. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state __attribute__((unused)))

#endif
