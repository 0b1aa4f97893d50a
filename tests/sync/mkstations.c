/* SPDX-License-Identifier: MIT */
/*
 * State directories of stations with records for cfdfu-sync: mkstations DIRECTORY FIRST LAST
 * ATTEMPTS [SEED].  Adds ATTEMPTS to each of DIRECTORY/FIRST ... DIRECTORY/LAST, through the
 * product's store, while no service runs there; a directory that is not there is made.  Same
 * arguments, same records, but for the random identity of each new station.
 *
 * The records hold what a centre has to cope with: sixteen drones at a time that end in another
 * order than they began in, conditions recorded behind the ending, attempts that run when the
 * station dies, texts at their limits and in many scripts, the same serials on many stations,
 * numbers at their limits, and clocks that jump, stand at 1970 or are years ahead.
 */
#include "config.h"

#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"

#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define YEAR_MS INT64_C(31557600000)
#define RUNNING_MAX 16
#define ATTEMPTS_PER_COMMIT 500
#define PATH_MAX_BYTES 512

struct station {
	struct store *store;
	struct rng rng;
	int64_t running[RUNNING_MAX];
	unsigned count;
	int64_t last_ended;
	int64_t mono_ms, wall_ms;
	unsigned number;
};

static const char *const texts[] = {
	"Read back different at 0x08010000. Try again; if it fails again, the flash is worn.",
	"Der Drohne fehlt ein Stück: „Größe“ ≠ 163 840 Bytes",
	"无人机没有回来。请拔下再插上。 \U0001F681\U0001F4A5",
	"it's \"quoted\", a back\\slash, a \\u0000 that is none, a comma, {a brace} and 100%",
	"'; DROP SCHEMA cfdfu CASCADE; --",
	"$$ \\. \\N \\x41 E'\\n' {1,2} (a,b) NULL",
	"\u0644\u0645 \u00ad\u2060\ufeff e\u0301 \u202eback\u202c \u2028",
	"null",
};

static struct store_time
now(const struct station *s)
{
	return (struct store_time){ .wall_ms = s->wall_ms,
				    .mono_ms = s->mono_ms,
				    .boot_id = "8f14e45f-ceea-467f-a0e6-1f1b3f5c7d21",
				    .synchronised = s->wall_ms > START_MS };
}

static int
require(int r, const char *what)
{
	if (r < 0) {
		(void)fprintf(stderr, "mkstations: %s: %s\n", what, strerror(-r));
		exit(1);
	}
	return r;
}

/* Time passes; the wall clock has its own ideas now and then. */
static void
pass(struct station *s, int64_t ms)
{
	s->mono_ms += ms;
	s->wall_ms += ms;
	if (rng_next(&s->rng) % 997 != 0)
		return;
	switch (rng_between(&s->rng, 0, 4)) {
	case 0:
		s->wall_ms = (int64_t)rng_between(&s->rng, 0, 100000); /* no battery: 1970 */
		break;
	case 1:
		s->wall_ms += 9 * YEAR_MS;
		break;
	case 2:
		s->wall_ms -= (int64_t)rng_between(&s->rng, 1, 90000000);
		break;
	default:
		s->wall_ms = START_MS + s->mono_ms;
		break;
	}
}

static const char *
text_of(struct station *s)
{
	return texts[rng_between(&s->rng, 0, ARRAY_LEN(texts) - 1)];
}

static void
begin_one(struct station *s)
{
	char port[32], serial[32], label[STORE_NAME_MAX];
	struct store_begin b = {
		.port = port,
		.label = rng_chance(&s->rng, 30) ? label : NULL,
		.serial = rng_chance(&s->rng, 95) ? serial : NULL,
		.dfu_serial = rng_chance(&s->rng, 80) ? "356A38570042" : NULL,
		.platform = rng_chance(&s->rng, 90) ? "cf2" : NULL,
		.firmware_name = rng_chance(&s->rng, 90) ? "cf2-2026.08" : NULL,
		.firmware_version = "2026.08",
		.version_before = rng_chance(&s->rng, 50) ? "2025.12" : NULL,
		.firmware_sha256 =
		    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	};
	struct store_time t = now(s);

	(void)snprintf(port, sizeof(port), "3-2.%" PRIu64, rng_between(&s->rng, 1, 120));
	/* WHY no station in it: drones travel. */
	(void)snprintf(serial, sizeof(serial), "3300250B4353501020323%03" PRIu64,
		       rng_between(&s->rng, 0, 999));
	(void)snprintf(label, sizeof(label), "%.94s", text_of(s));
	if (rng_chance(&s->rng, 5)) {
		b.kind = "deck";
		b.target = "deck:bcLighthouse4";
	}
	require(store_attempt_begin(s->store, &b, &t, &s->running[s->count]), "begin");
	s->count++;
}

static void
end_one(struct station *s)
{
	static const char *const verdicts[] = { "pass",	   "unchanged",	  "fail",
						"skipped", "interrupted", "needs-button" };
	struct store_stage stages[STORE_STAGES_MAX];
	unsigned i = (unsigned)rng_between(&s->rng, 0, s->count - 1);
	unsigned verdict = rng_chance(&s->rng, 80) ? 0 : (unsigned)rng_between(&s->rng, 0, 5);
	bool extreme = rng_next(&s->rng) % 499 == 0;
	char message[STORE_MESSAGE_MAX + 64] = "";
	struct store_ending e = {
		.verdict_name = verdicts[verdict],
		.fault_name = verdict == 2 ? "verify" : NULL,
		.fault_class_name = verdict == 2 ? "device" : NULL,
		.step_name = verdict == 2 ? "verifying" : NULL,
		.address = verdict == 2 ? 0x08010000 : -1,
		.bytes_written = extreme ? UINT64_MAX : 243176,
		.sectors_erased = extreme ? UINT32_MAX : 6,
		.transfers = extreme ? UINT32_MAX : 900,
		.version_after = "2026.08",
		.message = message,
		.stages = stages,
		.stage_count = (size_t)rng_between(&s->rng, 0, extreme ? STORE_STAGES_MAX : 11),
	};
	struct store_time t;

	for (size_t k = 0; k < e.stage_count; k++)
		stages[k] =
		    (struct store_stage){ k % 2 != 0 ? "erasing" : "writing",
					  extreme ? INT64_MAX / 4
						  : (int64_t)rng_between(&s->rng, 0, 9000) };
	while (verdict != 0 && strlen(message) < (extreme ? STORE_MESSAGE_MAX : 1))
		(void)snprintf(message + strlen(message), sizeof(message) - strlen(message), "%s",
			       text_of(s));
	if (extreme)
		e.address = UINT32_MAX;
	pass(s, (int64_t)rng_between(&s->rng, 0, 2000));
	t = now(s);
	s->last_ended = s->running[i];
	require(store_attempt_end(s->store, s->running[i], &e, &t), "end");
	s->running[i] = s->running[--s->count];
}

/* As recorder.c writes it; ready, battery_mv. */
static const char condition[] =
    "{\"ready\":\"%s\",\"ready_note\":null,"
    "\"remaining\":[{\"what\":\"power-cycle\",\"text\":\"Größe „A“ \\\"now\\\".\"}],"
    "\"selftest\":\"pass\",\"nrf\":{\"version\":\"2025.12\",\"wanted\":null},"
    "\"decks\":[{\"name\":\"bcLighthouse4\",\"state\":\"started\",\"version\":null}],"
    "\"radio\":{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"},"
    "\"battery_mv\":%" PRIu64 ",\"crash\":null}";

/* Of the drone that ended last. */
static void
add_condition(struct station *s)
{
	char text[512];
	struct store_time t;

	pass(s, 1500);
	t = now(s);
	(void)snprintf(text, sizeof(text), condition, rng_chance(&s->rng, 70) ? "yes" : "unknown",
		       rng_between(&s->rng, 3000, 4200));
	require(store_attempt_condition(s->store, s->last_ended, text, &t), "condition");
}

static void
on_newest(void *ctx, const struct store_attempt *a)
{
	struct station *s = ctx;

	s->mono_ms = a->id * 10000;
}

static void
ignore_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)ctx;
	(void)i;
}

/* Where the directory has records, goes on behind them. */
static void
open_station(struct station *s, const char *path, unsigned number, uint64_t seed)
{
	static const struct store_options small = { .ballast_bytes = 1, .floor_bytes = 1 };
	static const struct store_ending interrupted = { .verdict_name = "interrupted",
							 .address = -1 };
	char why[STORE_WHY_MAX];
	struct store_time t = { .wall_ms = START_MS, .synchronised = true };

	*s = (struct station){ .number = number };
	if (store_open(path, &small, &t, &s->store, why) < 0) {
		(void)fprintf(stderr, "mkstations: %s: %s\n", path, why);
		exit(1);
	}
	require(store_interrupt_running(s->store, &interrupted, &t, ignore_interrupted, NULL),
		"interrupt");
	require(store_history(s->store, &(struct store_filter){ .limit = 1 }, on_newest, s),
		"history");
	rng_init(&s->rng, seed * 1000003 + number + (uint64_t)s->mono_ms);
	s->wall_ms = START_MS + s->mono_ms;
}

static void
commit(struct station *s)
{
	struct store_time t = now(s);

	require(store_commit(s->store, &t), "commit");
}

static void
fill(struct station *s, int64_t attempts)
{
	int64_t begun = 0;

	while (begun < attempts) {
		if (s->count < RUNNING_MAX && (s->count == 0 || rng_chance(&s->rng, 55))) {
			begin_one(s);
			if (++begun % ATTEMPTS_PER_COMMIT == 0)
				commit(s);
		} else {
			end_one(s);
			if (rng_chance(&s->rng, 20))
				add_condition(s);
		}
	}
	commit(s);
}

int
main(int argc, char **argv)
{
	char path[PATH_MAX_BYTES];
	struct station s;

	if (argc < 5) {
		(void)fprintf(stderr, "usage: mkstations DIRECTORY FIRST LAST ATTEMPTS [SEED]\n");
		return 2;
	}
	for (unsigned n = (unsigned)atoi(argv[2]); n <= (unsigned)atoi(argv[3]); n++) {
		(void)snprintf(path, sizeof(path), "%s/%u", argv[1], n);
		open_station(&s, path, n, argc > 5 ? strtoull(argv[5], NULL, 10) : 1);
		fill(&s, atoll(argv[4]));
		store_close(s.store, NULL); /* as if killed: what runs is interrupted by the next */
	}
	return 0;
}
