/* SPDX-License-Identifier: MIT */
/* app/backups: kept by serial, thinned by age and count. */
#include "config.h"

#include "app/backups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "app/settings.h"
#include "core/job.h"

static const uint8_t bytes[] = "the flash of a drone";

struct bench {
	struct settings *settings;
	char dir[64];
};

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->dir, "/tmp/cfdfu-backups-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->settings = calloc(1, sizeof(*b->settings));
	assert_non_null(b->settings);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	assert_int_equal(system(command), 0);
	free(b->settings);
	free(b);
	return 0;
}

/* How many backups there are whose names begin so. */
static unsigned
count(const struct bench *b, const char *begin)
{
	unsigned n = 0;
	char path[128];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/backups", b->dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && strncmp(e->d_name, begin, strlen(begin)) == 0;
	if (d != NULL)
		closedir(d);
	return n;
}

static bool
exists(const struct bench *b, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/backups/%s", b->dir, name);
	return access(path, F_OK) == 0;
}

/* A backup of an earlier time, so many days ago. */
static void
put_old(const struct bench *b, const char *name, unsigned days)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - (time_t)days * 86400 } };
	char path[192];
	int fd;

	times[1] = times[0];
	snprintf(path, sizeof(path), "%s/backups", b->dir);
	(void)mkdir(path, 0700); /* there already, perhaps */
	snprintf(path, sizeof(path), "%s/backups/%s", b->dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static int
keep(struct bench *b, const char *serial)
{
	struct job_record r = { .id = 1 };

	copy_text(r.serial, sizeof(r.serial), serial);
	return backups_keep(b->dir, b->settings, &r, bytes, sizeof(bytes));
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(a_copy_is_named_after_the_drone_and_private)
{
	struct bench *b = *state;
	struct stat st;
	char path[128];

	assert_int_equal(keep(b, "0D0027000B31383533303130"), 0);
	assert_int_equal(count(b, "0D0027000B31383533303130-2"), 1);
	assert_int_equal(keep(b, "../../etc/passwd"), 0);
	assert_int_equal(count(b, "ecad-"), 1);
	assert_int_equal(keep(b, "/../"), 0);
	assert_int_equal(count(b, "no-serial-"), 1);
	assert_int_equal(count(b, ""), 3);
	snprintf(path, sizeof(path), "%s/backups", b->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

TEST_SET_UP(copies_of_one_second_do_not_replace_one_another)
{
	struct bench *b = *state;

	for (int i = 0; i < 20; i++)
		assert_int_equal(keep(b, ""), 0);
	assert_int_equal(count(b, "no-serial-"), 20);
}

TEST_SET_UP(the_oldest_backups_beyond_the_limit_are_removed)
{
	struct bench *b = *state;

	b->settings->backup_keep = 3;
	put_old(b, "ABCD-20260101T000000Z.dfu", 40);
	put_old(b, "ABCD-20260102T000000Z.dfu", 39);
	put_old(b, "ABCD-20260103T000000Z.dfu", 38);
	put_old(b, "ABCDEF-20250101T000000Z.dfu", 400);
	put_old(b, "0123-20250101T000000Z.dfu", 400);
	assert_int_equal(keep(b, "ABCD"), 0);
	assert_int_equal(count(b, "ABCD-"), 3);
	assert_false(exists(b, "ABCD-20260101T000000Z.dfu"));
	assert_true(exists(b, "ABCD-20260103T000000Z.dfu"));
	assert_true(exists(b, "ABCDEF-20250101T000000Z.dfu"));
	assert_true(exists(b, "0123-20250101T000000Z.dfu"));
}

TEST_SET_UP(backups_that_are_too_old_are_removed)
{
	struct bench *b = *state;

	b->settings->backup_age_ms = 30ULL * 86400 * 1000;
	put_old(b, "ABCD-20260101T000000Z.dfu", 31);
	put_old(b, "ABCD-20260102T000000Z.dfu", 29);
	assert_int_equal(keep(b, "ABCD"), 0);
	assert_int_equal(count(b, "ABCD-"), 2);
	assert_true(exists(b, "ABCD-20260102T000000Z.dfu"));
}

/* A clock that was set back must not cost the copy that was just made. */
TEST_SET_UP(the_newest_backup_stays_for_any_clock)
{
	struct bench *b = *state;
	unsigned before;

	b->settings->backup_keep = 1;
	b->settings->backup_age_ms = 1000;
	put_old(b, "ABCD-29990101T000000Z.dfu", 0);
	put_old(b, "ABCD-29990102T000000Z.dfu", 0);
	before = count(b, "ABCD-2");
	assert_int_equal(before, 2);
	assert_int_equal(keep(b, "ABCD"), 0);
	assert_int_equal(count(b, "ABCD-"), 1);
	assert_int_equal(count(b, "ABCD-2999"), 0);
}

TEST_SET_UP(a_folder_that_cannot_be_made_is_an_error)
{
	struct bench *b = *state;
	struct job_record r = { .id = 1 };

	assert_true(backups_keep("/proc/nowhere", b->settings, &r, bytes, sizeof(bytes)) < 0);
}

TEST_MAIN(NULL)
