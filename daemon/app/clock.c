/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/clock.h"

#include "cfdfu/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct clock {
	char boot_id[40]; /* "" unknown */
};

static void
read_boot_id(struct clock *c)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return; /* ProcSubset=pid hides it: rows then carry no boot id */
	n = read(fd, c->boot_id, sizeof(c->boot_id) - 1);
	c->boot_id[n > 0 ? n : 0] = '\0';
	c->boot_id[strcspn(c->boot_id, "\n")] = '\0';
	(void)close(fd);
}

int
clock_new(struct clock **ret_clock)
{
	struct clock *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	read_boot_id(c);
	*ret_clock = c;
	return 0;
}

void
clock_free(struct clock *c)
{
	free(c);
}

uint64_t
clock_now_us(void)
{
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_suspended_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME) - clock_ms(CLOCK_MONOTONIC);
}

struct store_time
clock_time(const struct clock *c)
{
	return (struct store_time){ .wall_ms = clock_ms(CLOCK_REALTIME),
				    .mono_ms = clock_ms(CLOCK_BOOTTIME),
				    .boot_id = c->boot_id[0] != '\0' ? c->boot_id : NULL,
				    .synchronised =
					access("/run/systemd/timesync/synchronized", F_OK) == 0 };
}
