/* SPDX-License-Identifier: MIT */
/*
 * sweep: every fault at every request of one drone's update, from three ways to begin; then
 * every pair of them within five requests.
 *
 *   sweep [--singles EVERY] [--pairs EVERY] [--list]     one single, one pair in EVERY (no pair: 0)
 *   sweep --replay START "FATE" ["FATE"]      one trial, in words
 */
#include "config.h"

#include "flow/sweep.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/outcome.h"
#include "flow/station.h"

#define IMAGE_BYTES 18000 /* two sectors, the second in part */
#define PAIR_DISTANCE 5
#if defined(__SANITIZE_ADDRESS__)
/* WHY: all of them take hours; primes reach every kind.  ./dev test sweeps without them, too. */
#define SINGLES_EVERY 5
#define PAIRS_EVERY 509
#else
#define SINGLES_EVERY 1
#define PAIRS_EVERY 11
#endif

static const char *const start_names[SWEEP_START_COUNT] = {
	[SWEEP_RUNTIME] = "runtime",
	[SWEEP_ADOPTED] = "adopted",
	[SWEEP_RESUMED] = "resumed",
};

/* Faults that wait for the n-th request. */
static const char *const singles[] = {
	"stall",
	"stall count=3",
	"stall count=40",
	"eproto",
	"eproto count=40",
	"lost-ack",
	"no-answer",
	"no-answer count=40",
	"silent",
	"late value=60",
	"late value=3000",
	"slow value=5",
	"disconnect",
	"disconnect back=800",
	"power-loss",
	"power-loss back=800",
	"reset-runtime",
	"assert",
	"wrong-state value=2",
	"wrong-state value=10",
	"wrong-state value=99",
	"status value=3",
	"status value=1",
	"status value=11",
	"status value=14 count=40",
	"garbage",
	"short",
	"short value=0",
	"overflow",
	"overflow count=40",
	"nomem",
	"nomem count=40",
	"flip-write value=5",
	"flip-write value=5 count=400",
	"flip-read value=5",
	"flip-read value=5 count=400",
	"busy-forever",
	"poll-huge",
	"poll-zero",
	"swap-now",
};

/*
 * Those of them that differ in pairs.  Not the same bit written and read wrong: no reading back can
 * see that (doc/faults.md H11).
 */
static const char *const paired[] = {
	"stall",
	"eproto",
	"lost-ack",
	"no-answer",
	"silent",
	"late value=3000",
	"disconnect back=800",
	"power-loss back=800",
	"reset-runtime",
	"wrong-state value=10",
	"status value=3",
	"garbage",
	"short",
	"flip-write value=5",
	"flip-read value=9",
	"busy-forever",
	"swap-now",
};

/* Faults of an occasion: a boot, a mode change, an enumeration, an open. */
static const char *const occasions[] = {
	"no-leave",
	"no-leave count=2",
	"leave-runtime",
	"leave-dfu",
	"leave-nothing",
	"no-switch",
	"no-switch count=2",
	"no-switch count=5",
	"switch-lost",
	"swap",
	"swap-back",
	"no-serial at=1",
	"no-serial at=2",
	"no-serial at=3",
	"cut-strings at=1",
	"cut-strings at=2",
	"cut-strings at=3",
	"hostile-strings at=1",
	"hostile-strings at=2",
	"hostile-strings at=3",
	"dup-serial at=1",
	"dup-serial at=2",
	"dup-serial at=3",
	"open-busy count=1",
	"open-busy count=40",
	"open-access count=3",
	"open-access count=40",
};

struct sweep {
	struct image *old, *now;
	struct sweep_outcome canon[SWEEP_START_COUNT];
	struct sweep_outcome last;
	uint64_t trials, strikes, failed;
	uint64_t number, singles_every; /* faults at a request so far; one in so many is tried */
	bool list;
};

static void
parse_fate(const char *text, struct fate *f)
{
	char error[128] = "";

	if (fate_parse(text, f, error, sizeof(error)) == 0)
		return;
	(void)fprintf(stderr, "sweep: '%s': %s\n", text, error);
	exit(2);
}

static void
complain(struct sweep *s, const struct sweep_trial *t, const char *what)
{
	char text[128];

	s->failed++;
	printf("%s: ", what);
	for (unsigned i = 0; i < t->count; i++) {
		fate_print(&t->fates[i], text, sizeof(text));
		printf("%s%s", i > 0 ? " and " : "", text);
	}
	printf("\n  sweep --replay %s", start_names[t->start]);
	for (unsigned i = 0; i < t->count; i++) {
		fate_print(&t->fates[i], text, sizeof(text));
		printf(" \"%s\"", text);
	}
	printf("\n");
}

static const struct sweep_outcome *
try(struct sweep *s, const struct sweep_trial *t)
{
	s->trials++;
	sweep_try(t, s->old, s->now, &s->last);
	s->strikes += s->last.struck;
	if (s->last.broken)
		complain(s, t, s->last.text);
	return &s->last;
}

/* Did it end as the table wants it? */
static void
check_end(struct sweep *s, const struct sweep_trial *t, uint32_t right)
{
	char what[160];

	if (s->last.broken || (right & BIT(s->last.end)) != 0)
		return;
	(void)snprintf(what, sizeof(what), "ends with '%s'", sweep_end_name(s->last.end));
	complain(s, t, what);
}

/* ---- singles ----------------------------------------------------------------------------- */

static void
print_seen(const char *start, const char *fate, const uint32_t *seen)
{
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		if (seen[step] == 0)
			continue;
		printf("%-8s %-28s %-12s", start, fate,
		       step == SWEEP_LIGHT ? "light" : step_name((enum step)step));
		for (unsigned e = 0; e < SWEEP_END_COUNT; e++)
			if ((seen[step] & BIT(e)) != 0)
				printf(" %s", sweep_end_name((enum sweep_end)e));
		printf("\n");
	}
}

static void
sweep_single(struct sweep *s, enum sweep_start start, const char *fate)
{
	const struct sweep_outcome *canon = &s->canon[start];
	struct sweep_trial t = { .start = start, .count = 1 };
	uint32_t seen[STEP_COUNT] = { 0 };

	parse_fate(fate, &t.fates[0]);
	for (uint32_t n = 1; n <= canon->requests; n++) {
		enum step step = (enum step)canon->step[n - 1];

		if (s->number++ % s->singles_every != 0)
			continue;
		t.fates[0].at = n;
		seen[step] |= BIT(try(s, &t)->end);
		check_end(s, &t, sweep_ends(fate, step));
	}
	if (s->list)
		print_seen(start_names[start], fate, seen);
}

static void
sweep_occasion(struct sweep *s, enum sweep_start start, const char *fate)
{
	struct sweep_trial t = { .start = start, .count = 1 };
	uint32_t seen[STEP_COUNT] = { 0 };

	parse_fate(fate, &t.fates[0]);
	/* WHY: they concern a whole passage, not a step; rules for them name no step. */
	seen[STEP_NONE] |= BIT(try(s, &t)->end);
	check_end(s, &t, sweep_ends(fate, STEP_NONE));
	if (s->list)
		print_seen(start_names[start], fate, seen);
}

/* ---- pairs ------------------------------------------------------------------------------- */

static void
sweep_pair(struct sweep *s, enum sweep_start start, const char *a, const char *b, uint32_t n,
	   uint32_t distance)
{
	struct sweep_trial t = { .start = start, .count = 2 };
	uint32_t right = BIT(END_PASS) | sweep_last_straw(a) | sweep_last_straw(b);

	parse_fate(a, &t.fates[0]);
	parse_fate(b, &t.fates[1]);
	t.fates[0].at = n;
	t.fates[1].at = n + distance;
	(void)try(s, &t);
	/* Together they may do what each of them may do, at any step: the first changes the way. */
	for (enum step step = 0; step < STEP_COUNT; step++)
		right |= sweep_ends(a, step) | sweep_ends(b, step);
	/* A foreign device with two faults may not be identified at all. */
	if (start == SWEEP_ADOPTED)
		right |= BIT(END_NOTHING);
	check_end(s, &t, right);
}

static void
sweep_pairs(struct sweep *s, enum sweep_start start, uint64_t every)
{
	uint64_t number = 0;

	for (uint32_t n = 1; n <= s->canon[start].requests; n++)
		for (uint32_t distance = 1; distance <= PAIR_DISTANCE; distance++)
			for (size_t a = 0; a < ARRAY_LEN(paired); a++)
				for (size_t b = 0; b < ARRAY_LEN(paired); b++)
					if (number++ % every == 0)
						sweep_pair(s, start, paired[a], paired[b], n,
							   distance);
}

/* ---- all --------------------------------------------------------------------------------- */

static void
sweep_start(struct sweep *s, enum sweep_start start, uint64_t pairs_every)
{
	struct sweep_trial t = { .start = start };
	uint64_t before = s->trials;

	s->canon[start] = *try(s, &t);
	check_end(s, &t, BIT(END_PASS));
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		sweep_single(s, start, singles[i]);
	for (size_t i = 0; i < ARRAY_LEN(occasions); i++)
		sweep_occasion(s, start, occasions[i]);
	printf("# %s: %u requests, %" PRIu64 " trials with one fault", start_names[start],
	       s->canon[start].requests, s->trials - before);
	before = s->trials;
	if (pairs_every > 0)
		sweep_pairs(s, start, pairs_every);
	printf(", %" PRIu64 " with two\n", s->trials - before);
	(void)fflush(stdout);
}

static int
replay(struct sweep *s, int argc, char **argv)
{
	struct sweep_trial t = { .start = SWEEP_START_COUNT, .verbose = true };

	for (unsigned i = 0; i < SWEEP_START_COUNT && argc > 0; i++)
		if (strcmp(start_names[i], argv[0]) == 0)
			t.start = (enum sweep_start)i;
	if (t.start == SWEEP_START_COUNT || argc > 1 + SWEEP_FATES_MAX)
		return 2;
	for (int i = 1; i < argc; i++)
		parse_fate(argv[i], &t.fates[t.count++]);
	(void)try(s, &t);
	printf("first attempt: %s%s%s\n", sweep_end_name(s->last.end), s->last.broken ? "; " : "",
	       s->last.text);
	return s->last.broken ? 1 : 0;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pairs", required_argument, NULL, 'p' },
		{ "singles", required_argument, NULL, 's' },
		{ "list", no_argument, NULL, 'l' },
		{ "replay", no_argument, NULL, 'r' },
		{ 0 },
	};
	static struct sweep s = { .singles_every = SINGLES_EVERY };
	uint64_t pairs_every = PAIRS_EVERY;
	bool replaying = false;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			pairs_every = strtoull(optarg, NULL, 10);
		if (c == 's')
			s.singles_every = strtoull(optarg, NULL, 10);
		s.list = s.list || c == 'l';
		replaying = replaying || c == 'r';
		if (c == '?' || s.singles_every == 0)
			return 2;
	}
	s.old = station_image("cf2", "2024.10", IMAGE_BYTES, 3);
	s.now = station_image("cf2", "2026.08", IMAGE_BYTES, 4);
	if (replaying) {
		r = replay(&s, argc - optind, argv + optind);
	} else {
		for (enum sweep_start start = 0; start < SWEEP_START_COUNT; start++)
			sweep_start(&s, start, pairs_every);
		printf("# %" PRIu64 " trials, %" PRIu64 " struck, %" PRIu64 " ended wrong\n",
		       s.trials, s.strikes, s.failed);
		r = s.failed > 0 ? 1 : 0;
	}
	image_unref(s.old);
	image_unref(s.now);
	return r;
}
