/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of the folder fails once; and no file, good or bad, costs more than itself and 8
 * MiB beside itself.  Linked with --wrap for malloc, calloc, realloc and free.
 */
#include "config.h"

#include "fw_help.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

#include "fixtures/bad.h"
#include "firmware/fw_make.h"

#define SLACK_BYTES (8U * 1024U * 1024U)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static struct {
	bool counting;
	unsigned count, fails_at; /* fails_at 0: never */
	size_t now, peak;
} heap;

static bool
fails(void)
{
	return heap.counting && ++heap.count == heap.fails_at;
}

static void *
grown(void *p)
{
	if (p != NULL && heap.counting) {
		heap.now += malloc_usable_size(p);
		heap.peak = heap.now > heap.peak ? heap.now : heap.peak;
	}
	return p;
}

static void
shrunk(void *p)
{
	if (p != NULL && heap.counting)
		heap.now -= malloc_usable_size(p);
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : grown(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : grown(__real_calloc(count, size));
}

void *
__wrap_realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	shrunk(p);
	return grown(__real_realloc(p, size));
}

void
__wrap_free(void *p)
{
	shrunk(p);
	__real_free(p);
}

static void
start_counting(unsigned fails_at)
{
	memset(&heap, 0, sizeof(heap));
	heap.fails_at = fails_at;
	heap.counting = true;
}

/* One life of a file: loaded, judged, made into DfuSe.  0 or the first error. */
static int
live(const uint8_t *bytes, size_t size)
{
	struct fw_input in = { .data = bytes, .size = size, .addr = FW_ADDR_DEFAULT };
	static struct judgement j;
	struct image *image = NULL;
	struct fw_facts *facts = NULL;
	struct fw_error error;
	uint8_t *made = NULL;
	size_t made_size;
	int r = fw_load(&in, &image, &facts, &error);

	if (r == 0)
		r = judge_image(image, NULL, &j);
	image_unref(image);
	image = NULL;
	fw_facts_free(facts);
	if (r == 0)
		r = fw_load(&in, &image, NULL, &error);
	if (r == 0)
		r = fw_make_from_image(image, &made, &made_size);
	free(made);
	image_unref(image);
	return r;
}

TEST(every_allocation_may_fail_and_nothing_is_lost)
{
	const struct mkimage_spec spec = { .size = 4096 };

	for (unsigned f = 0; f < MKIMAGE_FORMAT_COUNT; f++) {
		uint8_t *bytes;
		size_t size;
		unsigned n = 0;
		int r;

		if (f == MKIMAGE_ZIP3)
			continue;
		assert_int_equal(mkimage_make(&spec, (enum mkimage_format)f, &bytes, &size), 0);
		do {
			start_counting(++n);
			r = live(bytes, size);
			heap.counting = false;
			assert_int_equal(heap.now, 0); /* all of ours is free again */
			assert_true(r == 0 || r == -ENOMEM);
		} while (heap.count >= n && n < 100);
		assert_int_equal(r, 0);
		assert_true(n > 5);
		free(bytes);
	}
}

TEST(two_pieces_may_fail_to_be_read_as_one)
{
	static const char text[] =
	    ":020000040800F2\n:0440000001020304B2\n:0440100001020304A2\n:00000001FF\n";
	unsigned n = 0;
	int r;

	do {
		start_counting(++n);
		r = live((const uint8_t *)text, sizeof(text) - 1);
		heap.counting = false;
		assert_int_equal(heap.now, 0);
		assert_true(r == 0 || r == -ENOMEM);
	} while (heap.count >= n && n < 100);
	assert_int_equal(r, 0);
}

static void
measure(const char *name, const uint8_t *bytes, size_t size)
{
	size_t peak;

	start_counting(0);
	(void)live(bytes, size);
	heap.counting = false;
	peak = heap.peak;
	assert_int_equal(heap.now, 0);
	/* The file itself is the caller's: once more its size, and the slack. */
	if (peak > size + SLACK_BYTES)
		print_error("%s: %zu bytes for a file of %zu\n", name, peak, size);
	assert_true(peak <= size + SLACK_BYTES);
}

TEST(no_file_costs_more_than_twice_itself_and_the_slack)
{
	const struct mkimage_spec spec = { .size = 1032192 }, huge = { .size = MKIMAGE_BYTES_MAX };
	const struct bad_file *b;

	for (size_t i = 0; (b = bad_file(i)) != NULL; i++) {
		uint8_t *bytes;
		size_t size;

		assert_int_equal(bad_make(b, &bytes, &size), 0);
		measure(b->name, bytes, size);
		free(bytes);
	}
	for (unsigned f = 0; f < MKIMAGE_FORMAT_COUNT; f++) {
		uint8_t *bytes;
		size_t size;

		assert_int_equal(mkimage_make(&spec, (enum mkimage_format)f, &bytes, &size), 0);
		measure("1,032,192 bytes", bytes, size);
		free(bytes);
		if (f >= MKIMAGE_ZIP1 && f <= MKIMAGE_ZIP3)
			continue;
		assert_int_equal(mkimage_make(&huge, (enum mkimage_format)f, &bytes, &size), 0);
		measure("4 MiB", bytes, size);
		free(bytes);
	}
}

TEST_MAIN(NULL)
