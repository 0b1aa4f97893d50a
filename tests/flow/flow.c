/* SPDX-License-Identifier: MIT */
/*
 * flow: thousands of fleets on a virtual clock, each drawn from a seed, each second run twice.
 *
 *   flow                                                the regression seeds, then 10,000
 *                                                       (2,500 with sanitizers)
 *   flow [--runs N] [--seed S] [--soak SECONDS]         many
 *   ... --bare                                          without the whole drone's troubles
 *   flow --replay SEED [--without KIND]... [--verbose]  one, in words
 *   flow --reduce SEED                                  what of a failing seed matters
 */
#include "config.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cfdfu/util.h"
#include "flow/swarm.h"

#if defined(__SANITIZE_ADDRESS__)
#define RUNS 2500 /* WHY: they take three times as long; ./dev test makes the others without */
#else
#define RUNS 10000
#endif
#define AGAIN_EVERY 2	   /* one run in so many is made again, and must be the same */
#define ISOLATION_EVERY 20 /* one run in so many compares a swarm with and without its trouble */
#define REPORT_EVERY 1000

struct sums {
	uint64_t runs, flashes, attempts, faults, deeds, kills, events, virtual_us;
};

struct arguments {
	uint64_t runs, seed, replay, soak_s;
	bool verbose, replaying, reducing, given, bare;
	const char *seeds;
	struct swarm_without without;
};

/* WHY global: a failed assertion has to name its seed, and a signal's handler gets nothing. */
static char seed_under_way[64];

static void
on_abort(int number)
{
	ssize_t n = write(STDOUT_FILENO, seed_under_way, strlen(seed_under_way));

	(void)n;      /* no error path is left */
	(void)number; /* SIGABRT: the handler is gone, so returning ends the program */
}

#if defined(__SANITIZE_ADDRESS__)
/* So that what the sanitizers find names its seed, too. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "abort_on_error=1";
}
#endif

static void
name_seed(uint64_t seed)
{
	struct sigaction action = { .sa_handler = on_abort, .sa_flags = SA_RESETHAND };

	(void)snprintf(seed_under_way, sizeof(seed_under_way),
		       "\nflow --replay %" PRIu64 " --verbose\n", seed);
	(void)sigaction(SIGABRT, &action, NULL);
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
add(struct sums *sums, const struct swarm_result *r)
{
	sums->flashes += r->flashes;
	sums->attempts += r->attempts;
	sums->faults += r->faults;
	sums->deeds += r->deeds;
	sums->kills += r->kills;
	sums->events += r->events;
	sums->virtual_us += r->virtual_us;
}

static bool
is_isolation(uint64_t seed)
{
	return seed % ISOLATION_EVERY == 0;
}

static void
draw(struct swarm_plan *plan, uint64_t seed, bool bare)
{
	swarm_draw(plan, seed);
	if (bare)
		return;
	swarm_draw_whole(plan);
	swarm_draw_batch(plan);
}

/* One seed, some twice.  0, or 1 with the sentence printed. */
static int
run_seed(uint64_t seed, const struct arguments *a, bool bare, struct sums *sums)
{
	const char *how = bare ? " --bare" : "";
	bool verbose = a->verbose;

	static struct swarm_plan plan;
	static struct swarm_result first, again;

	name_seed(seed);
	if (is_isolation(seed)) {
		swarm_isolation(seed, verbose, &first);
		add(sums, &first);
		sums->runs++;
		if (first.broken == NULL)
			return 0;
		printf("seed %" PRIu64 ": %s\n  flow --replay %" PRIu64 " --verbose\n", seed,
		       first.broken, seed);
		return 1;
	}
	draw(&plan, seed, bare);
	if (verbose)
		swarm_print(&plan);
	swarm_run(&plan, &a->without, verbose, &first);
	add(sums, &first);
	if (first.broken == NULL && (seed % AGAIN_EVERY == 0 || verbose)) {
		swarm_run(&plan, &a->without, false, &again);
		if (again.trace != first.trace || again.events != first.events) {
			first.broken = "two runs of this seed differ";
		}
		add(sums, &again);
	}
	sums->runs++;
	if (first.broken == NULL)
		return 0;
	printf("seed %" PRIu64 ": %s\n  flow --replay %" PRIu64 "%s --verbose\n", seed,
	       first.broken, seed, how);
	return 1;
}

/* ---- reduction --------------------------------------------------------------------------- */

static bool
fails_without(const struct swarm_plan *plan, const struct swarm_without *without)
{
	static struct swarm_result r;

	swarm_run(plan, without, false, &r);
	return r.broken != NULL;
}

/* Takes kinds out, one by one, as long as it still fails. */
static int
reduce(uint64_t seed, bool bare)
{
	static struct swarm_plan plan;
	static struct swarm_result r;
	struct swarm_without without = { 0 };

	draw(&plan, seed, bare);
	if (!fails_without(&plan, &without)) {
		printf("seed %" PRIu64 " does not fail\n", seed);
		return 1;
	}
	for (unsigned k = 1; k < DEED_COUNT; k++) {
		struct swarm_without less = without;

		less.deeds |= 1ULL << k;
		if (fails_without(&plan, &less))
			without = less;
	}
	for (unsigned k = 1; k < FATE_COUNT; k++) {
		struct swarm_without less = without;

		less.fates |= 1ULL << k;
		if (fails_without(&plan, &less))
			without = less;
	}
	printf("seed %" PRIu64 " still fails with:", seed);
	for (unsigned i = 0; i < plan.deed_count; i++) {
		const struct deed *d = &plan.deeds[i];
		char text[128] = "";

		if (d->kind == DEED_PLUG || (without.deeds >> d->kind & 1) != 0)
			continue;
		if (d->kind == DEED_FATE && (without.fates >> d->fate.kind & 1) != 0)
			continue;
		if (d->kind == DEED_FATE)
			fate_print(&d->fate, text, sizeof(text));
		printf("\n  %.3f s %s %s %s", (double)d->at_us / 1e6, plan.members[d->who].port,
		       deed_name(d->kind), text);
	}
	swarm_run(&plan, &without, true, &r);
	printf("\n%s\n", r.broken != NULL ? r.broken : "");
	return 0;
}

/* ---- many -------------------------------------------------------------------------------- */

static void
report(const struct sums *s, double took, uint64_t first, uint64_t last)
{
	printf("# %" PRIu64 " fleets, seeds %" PRIu64 "-%" PRIu64 ": %" PRIu64 " flashes, %" PRIu64
	       " attempts, %" PRIu64 " faults and %" PRIu64 " hands, %" PRIu64 " kills, %" PRIu64
	       " events, %.0f h of virtual time in %.0f s (%.0f flashes/s)\n",
	       s->runs, first, last, s->flashes, s->attempts, s->faults, s->deeds, s->kills,
	       s->events, (double)s->virtual_us / 3.6e9, took,
	       took > 0 ? (double)s->flashes / took : 0);
	(void)fflush(stdout);
}

static int
run_many(const struct arguments *a)
{
	struct sums sums = { 0 };
	double begun = seconds();
	uint64_t seed = a->seed;
	int failed = 0;

	while (a->soak_s > 0 ? seconds() - begun < (double)a->soak_s : seed < a->seed + a->runs) {
		failed += run_seed(seed++, a, a->bare, &sums);
		if (a->soak_s > 0 && sums.runs % REPORT_EVERY == 0)
			report(&sums, seconds() - begun, a->seed, seed - 1);
		if (failed >= 20)
			break;
	}
	report(&sums, seconds() - begun, a->seed, seed - 1);
	return failed > 0 ? 1 : 0;
}

/* Seeds that failed once, one a line; the rest of a line is why.  Each also with the whole drone's
 * troubles: which of the two it was found with is of no interest. */
static int
run_list(const char *path)
{
	static const struct arguments plain;
	struct sums sums = { 0 };
	FILE *f = fopen(path, "r");
	char line[256];
	int failed = 0;

	if (f == NULL) {
		printf("%s cannot be read\n", path);
		return 1;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] < '0' || line[0] > '9')
			continue;
		failed += run_seed(strtoull(line, NULL, 10), &plain, true, &sums);
		failed += run_seed(strtoull(line, NULL, 10), &plain, false, &sums);
	}
	(void)fclose(f);
	printf("# %" PRIu64 " regression seeds\n", sums.runs);
	return failed > 0 ? 1 : 0;
}

static bool
leave_out(struct swarm_without *without, const char *name)
{
	for (unsigned k = 0; k < DEED_COUNT; k++)
		if (strcmp(deed_name((enum deed_kind)k), name) == 0) {
			without->deeds |= 1ULL << k;
			return true;
		}
	for (unsigned k = 1; k < FATE_COUNT; k++)
		if (strcmp(fate_name((enum fate_kind)k), name) == 0) {
			without->fates |= 1ULL << k;
			return true;
		}
	return false;
}

static bool
parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{ "runs", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "replay", required_argument, NULL, 'r' },
		{ "reduce", required_argument, NULL, 'd' },
		{ "soak", required_argument, NULL, 'k' },
		{ "without", required_argument, NULL, 'w' },
		{ "seeds", required_argument, NULL, 'l' },
		{ "bare", no_argument, NULL, 'b' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			a->runs = strtoull(optarg, NULL, 10);
			break;
		case 's':
			a->seed = strtoull(optarg, NULL, 10);
			break;
		case 'r':
		case 'd':
			a->replay = strtoull(optarg, NULL, 10);
			a->replaying = c == 'r';
			a->reducing = c == 'd';
			break;
		case 'k':
			a->soak_s = strtoull(optarg, NULL, 10);
			break;
		case 'w':
			if (!leave_out(&a->without, optarg))
				return false;
			break;
		case 'l':
			a->seeds = optarg;
			break;
		case 'b':
			a->bare = true;
			break;
		case 'v':
			a->verbose = true;
			break;
		default:
			return false;
		}
		a->given = true;
	}
	return optind == argc;
}

int
main(int argc, char **argv)
{
	struct arguments a = { .runs = RUNS, .seed = 1 };
	struct sums sums = { 0 };
	const char *srcdir = getenv("srcdir");
	char path[512];
	int r = 0;

	if (!parse(argc, argv, &a)) {
		(void)fprintf(stderr, "usage: flow [--runs N] [--seed S] [--soak SECONDS] [--seeds "
				      "FILE] [--bare] [--verbose]\n"
				      "       flow --replay SEED [--bare] [--without KIND]... "
				      "[--verbose]\n"
				      "       flow --reduce SEED [--bare]\n");
		return 2;
	}
	if (a.reducing) {
		r = reduce(a.replay, a.bare);
	} else if (a.replaying) {
		r = run_seed(a.replay, &a, a.bare, &sums);
	} else {
		(void)snprintf(path, sizeof(path), "%s/tests/flow/seeds.txt",
			       srcdir != NULL ? srcdir : ".");
		if (a.seeds != NULL || !a.given)
			r = run_list(a.seeds != NULL ? a.seeds : path);
		r |= run_many(&a);
	}
	swarm_done();
	return r;
}
