/* SPDX-License-Identifier: MIT */
/* ctl/server and wire/varlink without memory: every allocation fails once, no client is harmed.
 */
#include "config.h"

#include "ctl/server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#include "server_world.h"

#define ALLOCATIONS_MAX 20000

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* The n-th allocation from now on fails; 0: none. */
static unsigned fail_at;
static bool failed;

static bool
fails(void)
{
	if (fail_at == 0 || --fail_at > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

/* WHY through the wrapped names: the libraries' own allocations fail, too. */
static void *
library_malloc(size_t size)
{
	return malloc(size);
}

static void *
library_realloc(void *old, size_t size)
{
	return realloc(old, size);
}

/* A day in the life of a server, whose clients may be lost at any point. */
static void
live(struct world *w)
{
	int fd = connect_only();

	(void)!send(fd, CALL("Defer"), sizeof(CALL("Defer")), MSG_NOSIGNAL);
	(void)!send(fd, WATCH, sizeof(WATCH), MSG_NOSIGNAL);
	(void)!send(fd, "{\"x\":1}", 8, MSG_NOSIGNAL);
	turn(w);
	if (w->pending != NULL) {
		struct call *call = w->pending;

		w->pending = NULL;
		call_refuse(call, "org.cfdfu.Station.Busy", "%s", "later");
	}
	turn(w);
	if (w->pending != NULL && call_continue(w->pending, json_pack("{s:i}", "n", 1)) < 0)
		assert_true(failed);
	turn(w);
	close(fd);
	turn(w);
}

TEST(every_allocation_may_fail_once)
{
	unsigned n = 0;

	do {
		struct world *w = server_world_new(0, 0);
		int fd;

		failed = false;
		fail_at = ++n;
		live(w);
		fail_at = 0;
		assert_int_equal(server_client_count(w->server), 0);
		fd = join(w);
		say_and_hear(w, fd, CALL("Echo"), "{\"parameters\":{}}");
		close(fd);
		server_world_free(w);
		assert_in_range(n, 1, ALLOCATIONS_MAX);
	} while (failed);
	assert_in_range(n, 30, ALLOCATIONS_MAX);
}

static int
take_allocations(void **state)
{
	(void)state;
	json_set_alloc_funcs(library_malloc, free);
	event_set_mem_functions(library_malloc, library_realloc, free);
	return 0;
}

TEST_MAIN(take_allocations)
