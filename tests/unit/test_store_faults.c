/* SPDX-License-Identifier: MIT */
/*
 * The store on a disk that fails at the n-th operation, for every n: errors, full, read-only,
 * process killed, power cut. In each case every announced record is on disk, and afterwards both
 * files are whole (doc/faults.md D, I6, I7, I12).
 */
#include "config.h"

#include "test_store_work.h"

#include <sys/wait.h>

#define OPERATIONS_MAX 4000 /* LIMIT: the work needs a few hundred */

/* Every operation takes minutes: asked for by CFDFU_STORE_SWEEP=full, else every 25th or so. */
static unsigned long
stride(unsigned long step)
{
	const char *how = getenv("CFDFU_STORE_SWEEP");

	return how != NULL && strcmp(how, "full") == 0 ? step : 23 * step + 2;
}

/* Runs the work in a process that dies at operation n.  False when it came to its end. */
static bool
dies_at(struct disk d)
{
	unsigned char message[2];
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		struct store *s;

		disk_reset(d);
		for (int life = 0; life < 2; life++) {
			s = try_open();
			try_work(s, pipes[1]);
			close_store(s);
		}
		_exit(0);
	}
	(void)close(pipes[1]);
	while (read(pipes[0], message, 2) == 2)
		told[message[0]] |= message[1];
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0));
	return WEXITSTATUS(status) == 77;
}

static void
sweep_deaths(struct disk d, unsigned long step)
{
	bool died = true;

	for (d.at = 1; died && d.at < OPERATIONS_MAX; d.at += stride(step)) {
		died = dies_at(d);
		assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
	assert_false(died);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(killed_at_every_operation_nothing_announced_is_lost)
{
	sweep_deaths((struct disk){ .fault = DISK_KILL }, 1);
}

TEST_SET_UP(power_cut_at_every_operation_nothing_announced_is_lost)
{
	sweep_deaths((struct disk){ .fault = DISK_POWER_CUT }, 1);
}

TEST_SET_UP(power_cut_with_some_writes_surviving_nothing_announced_is_lost)
{
	for (uint64_t seed = 1; seed <= 3; seed++)
		sweep_deaths((struct disk){ .fault = DISK_POWER_CUT, .seed = seed }, 2);
}

/* Fails from operation n on (count times, or until the work is done), then the disk is well again.
 */
static bool
fails_at(struct disk d)
{
	struct store_time now;
	struct store *s;
	bool reached;

	disk_reset(d);
	s = try_open();
	try_work(s, -1);
	reached = disk.ops >= d.at;
	disk.fault = DISK_FINE;
	for (int i = 0; i < 3; i++) {
		now = at(10000 + 60000 * i);
		(void)store_check(s, &now);
		(void)!store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL);
	}
	assert_true(health_of(s) != STORE_DEGRADED);
	assert_true(store_durable(s) == store_queued(s));
	assert_int_equal(store_ready(s, &now), 0);
	try_attempt(s, -1, 60, 0);
	assert_true(store_durable(s) == store_queued(s));
	store_close(s, NULL);
	disk_lose_unsynced();
	return reached;
}

static void
sweep_faults(struct disk d, unsigned long step)
{
	bool reached = true;

	for (d.at = 1; reached && d.at < OPERATIONS_MAX; d.at += stride(step)) {
		reached = fails_at(d);
		assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
	assert_false(reached);
}

/* The first operations make the files: never left out by the stride. */
TEST_SET_UP(an_error_while_the_files_are_made_is_survived)
{
	for (unsigned long n = 1; n <= 14; n++) {
		assert_true(fails_at((struct disk){ .fault = DISK_EIO, .at = n, .count = 1 }));
		assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
}

TEST_SET_UP(an_error_at_every_operation_is_survived)
{
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1 }, 1);
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1, .lies = true }, 1);
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 3, .lies = true }, 3);
}

TEST_SET_UP(a_disk_that_fails_for_long_is_survived)
{
	sweep_faults((struct disk){ .fault = DISK_EIO }, 2);
}

TEST_SET_UP(an_error_at_every_read_is_survived)
{
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1, .reads = true }, 3);
}

TEST_SET_UP(a_full_disk_at_every_operation_is_survived)
{
	sweep_faults((struct disk){ .fault = DISK_FULL, .count = 1 }, 1);
	sweep_faults((struct disk){ .fault = DISK_FULL }, 2);
	sweep_faults((struct disk){ .fault = DISK_FULL, .ballast_helps = true }, 1);
}

TEST_SET_UP(a_disk_that_turns_read_only_is_survived)
{
	sweep_faults((struct disk){ .fault = DISK_READ_ONLY }, 2);
}

static int
register_disk(void **state)
{
	(void)state;
	disk_set_up();
	return 0;
}

TEST_MAIN(register_disk)
