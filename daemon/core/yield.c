/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/yield.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/outcome.h"
#include "core/yield_internal.h"

/* A key of a cell stands for one of these, beside the groups of each axis. */
enum what { WHAT_LOT = AXIS_COUNT + 1, WHAT_PAIR, WHAT_FIRST, WHAT_MEMBER };

enum { CELLS_PER_FACT = AXIS_COUNT + 4 }; /* LIMIT: one of each */

/* ---- facts ----------------------------------------------------------------------------------- */

/* The value of this key: 0 when it is new. */
static uint32_t *
find(struct yield *y, unsigned what, uint64_t a, uint64_t b)
{
	uint64_t key = (uint64_t)what << 61 | ((a << 31 ^ b) & ((UINT64_C(1) << 61) - 1));
	uint32_t *at = &y->heads[key * UINT64_C(0x9E3779B97F4A7C15) >> 32 & y->head_mask];

	while (*at != 0 && y->cells[*at].key != key)
		at = &y->cells[*at].next;
	if (*at == 0) {
		*at = ++y->cell_count;
		y->cells[*at].key = key;
	}
	return &y->cells[*at].value;
}

static uint32_t
group_of(struct yield *y, enum axis axis, uint64_t id, const char *port)
{
	uint64_t sum = id; /* of a port its hash */
	uint32_t *number;

	for (const char *p = port; *p != '\0'; p++)
		sum = (sum ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
	number = find(y, axis + 1, 0, sum);
	if (*number == 0) {
		struct yield_group *g = &y->groups[axis][y->counts[axis]];

		*number = ++y->counts[axis];
		g->id = (int64_t)id;
		copy_text(g->port, sizeof(g->port), port);
		if (*number <= YIELD_DETAILED_MAX && (axis != AXIS_DRONE || y->by == YIELD_DRONE))
			g->detail = calloc(1, sizeof(*g->detail));
	}
	return *number - 1;
}

void
yield_hub(const char *port, char ret_hub[PORT_TEXT_MAX])
{
	char *end;

	copy_text(ret_hub, PORT_TEXT_MAX, port);
	end = strrchr(ret_hub, '.');
	if (end == NULL)
		end = strrchr(ret_hub, '-');
	if (end != NULL)
		*end = '\0';
}

/* Of a grouping by neither slot nor drone. */
static uint32_t
other_group(struct yield *y, const struct yield_fact *f)
{
	int64_t id = y->by == YIELD_FAULT      ? (int64_t)f->fault
		     : y->by == YIELD_FIRMWARE ? f->image
		     : y->by == YIELD_BATCH    ? f->batch
					       : 0;
	char hub[PORT_TEXT_MAX] = "";

	if (y->by == YIELD_HUB)
		yield_hub(f->port, hub);
	return id != 0 || hub[0] != '\0' ? group_of(y, AXIS_OTHER, (uint64_t)id, hub) : NO_GROUP;
}

/* The first ending of a drone in a slot that says something of either. */
static void
try(struct yield *y, const struct yield_fact *f, const uint32_t at[AXIS_COUNT], uint32_t *tried)
{
	struct verdict v = { .kind = f->verdict, .fault = f->fault };
	bool bad = verdict_counts_against(&v);
	struct yield_group *all[] = { &y->sums.total, &y->groups[AXIS_SLOT][at[AXIS_SLOT]],
				      &y->groups[AXIS_DRONE][at[AXIS_DRONE]] };

	if (!bad && f->verdict != VERDICT_PASS && f->verdict != VERDICT_UNCHANGED &&
	    f->verdict != VERDICT_NEEDS_POWER_CYCLE)
		return;
	*tried = 2;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i]->tried++;
		all[i]->failed += bad;
	}
	if (bad)
		memcpy(y->failures[y->failure_count++ % YIELD_FAILURES_MAX].at, at,
		       sizeof(struct failure));
}

/* True where it is a first pass. */
static bool
add_drone(struct yield *y, const struct yield_fact *f, const uint32_t at[AXIS_COUNT])
{
	uint64_t drone = at[AXIS_DRONE], lot = (uint64_t)f->image;
	uint32_t *value = find(y, WHAT_PAIR, drone, at[AXIS_SLOT]);

	y->sums.total.drones = y->counts[AXIS_DRONE];
	y->groups[AXIS_DRONE][drone].drones = 1;
	y->groups[AXIS_SLOT][at[AXIS_SLOT]].drones += *value == 0;
	if (*value < 2) {
		*value = 1;
		try(y, f, at, value);
	}
	if (at[AXIS_OTHER] != NO_GROUP)
		y->groups[AXIS_OTHER][at[AXIS_OTHER]].drones +=
		    (*find(y, WHAT_MEMBER, drone, at[AXIS_OTHER]))++ == 0;
	if (f->image == 0 || f->verdict == VERDICT_SKIPPED)
		return false;
	if (y->by == YIELD_BATCH) {
		value = find(y, WHAT_LOT, lot, (uint64_t)f->batch);
		lot = *value = *value != 0 ? *value : ++y->lots;
	}
	return (*find(y, WHAT_FIRST, drone, lot))++ == 0;
}

/* In ms; then their buckets. */
struct stages {
	uint32_t ms[STEP_COUNT];
	unsigned seen; /* BIT(step) */
};

static unsigned
bucket_of(uint32_t ms)
{
	unsigned octave;

	ms = ms < BIT(22) ? ms : BIT(22) - 1;
	octave = ms < 64 ? 0 : 26 - (unsigned)__builtin_clz(ms);
	return octave * 32 + (ms >> octave);
}

static unsigned
name_sum(const char *name, size_t size)
{
	return ((unsigned char)*name + (unsigned)size * 31) % YIELD_NAMES;
}

static void
read_stages(const struct yield *y, const struct yield_fact *f, struct stages *ret)
{
	const char *name = f->stages != NULL ? strchr(f->stages, '"') : NULL, *p;

	for (; name != NULL; name = strchr(p, '"')) {
		enum step s;
		uint32_t ms = 0;

		for (p = ++name; *p != '"' && *p != '\0'; p++)
			;
		s = y->steps[name_sum(name, (size_t)(p - name))];
		if (*p == '\0' || *++p != ',')
			break;
		while (*++p >= '0' && *p <= '9')
			ms = ms < BIT(22) ? ms * 10 + (uint32_t)(*p - '0') : ms;
		ret->ms[s] += ms;
		ret->seen |= BIT(s);
	}
	ret->seen &= ~BIT(STEP_NONE); /* steps without a known name */
	if (f->bytes_written >= YIELD_PACE_BYTES / 8 && (ret->seen & BIT(STEP_WRITING)) != 0) {
		ret->seen |= BIT(STEP_NONE);
		ret->ms[STEP_NONE] = (uint32_t)((uint64_t)ret->ms[STEP_WRITING] * YIELD_PACE_BYTES /
						f->bytes_written);
	}
	for (unsigned step = 0; step < STEP_COUNT; step++)
		ret->ms[step] = bucket_of(ret->ms[step]);
}

static void
count(struct yield_group *g, const struct yield_fact *f, const struct stages *s, bool first)
{
	bool good = f->verdict == VERDICT_PASS || f->verdict == VERDICT_UNCHANGED;

	g->attempts++;
	g->ended[f->verdict]++;
	g->first += first;
	g->first_good += first && good;
	if (g->detail == NULL)
		return;
	g->detail->faults[f->fault]++;
	for (unsigned step = 0; step < STEP_COUNT; step++)
		if ((s->seen & BIT(step)) != 0)
			g->detail->times[step][s->ms[step]]++;
}

void
yield_add(struct yield *y, const struct yield_fact *f)
{
	uint32_t at[AXIS_COUNT] = { group_of(y, AXIS_SLOT, 0, f->port), NO_GROUP,
				    other_group(y, f) };
	struct stages stages = { .seen = 0 };
	bool first = false;

	if (f->drone != 0) {
		at[AXIS_DRONE] = group_of(y, AXIS_DRONE, (uint64_t)f->drone, "");
		first = add_drone(y, f, at);
	}
	read_stages(y, f, &stages);
	count(&y->sums.total, f, &stages, first);
	for (enum axis a = AXIS_SLOT; a < AXIS_COUNT; a++)
		if (at[a] != NO_GROUP)
			count(&y->groups[a][at[a]], f, &stages, first);
}

/* ---- groups ---------------------------------------------------------------------------------- */

void
yield_wilson(unsigned good, unsigned of, double *ret_low, double *ret_high)
{
	double n = of, k = good, z2 = 1.959964 * 1.959964;
	double half = of > 0 ? sqrt(z2 * (k * (n - k) / n + z2 / 4)) : 0;

	*ret_low = good > 0 ? (k + z2 / 2 - half) / (n + z2) : 0;
	*ret_high = good < of ? (k + z2 / 2 + half) / (n + z2) : 1;
}

static int
by_high(const void *a, const void *b)
{
	const struct yield_group *x = *(struct yield_group *const *)a;
	const struct yield_group *y = *(struct yield_group *const *)b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	if (x->attempts != y->attempts)
		return x->attempts > y->attempts ? -1 : 1;
	return x < y ? -1 : x > y;
}

bool
yield_rank_some(struct yield *y)
{
	enum axis axis = y->by < YIELD_HUB ? (enum axis)y->by : AXIS_OTHER;

	if (y->ranked == y->counts[axis])
		return false;
	while (y->ranked < y->counts[axis] && y->sums.group_count < ARRAY_LEN(y->sums.groups)) {
		struct yield_group *g = &y->groups[axis][y->ranked++];

		yield_wilson(g->first_good, g->first, &g->low, &g->high);
		y->sums.groups[y->sums.group_count++] = g;
	}
	qsort(y->sums.groups, y->sums.group_count, sizeof(struct yield_group *), by_high);
	y->sums.more = y->ranked > YIELD_GROUPS_MAX;
	if (y->sums.more)
		y->sums.group_count = YIELD_GROUPS_MAX;
	return true;
}

unsigned
yield_percentile(const uint32_t *histogram, unsigned percent, unsigned *ret_count)
{
	uint64_t all = 0, upto = 0;
	unsigned i, octave;

	for (i = 0; i < YIELD_BUCKETS; i++)
		all += histogram[i];
	for (i = 0; i < YIELD_BUCKETS - 1 && (upto += histogram[i]) * 100 < all * percent; i++)
		;
	*ret_count = (unsigned)all;
	octave = i < 64 ? 0 : i / 32 - 1;
	return ((i - octave * 32 + 1) << octave) - 1;
}

struct yield_times
yield_times(const struct yield_group *g, enum step step)
{
	struct yield_times t = { 0 };
	unsigned count;

	if (g->detail == NULL)
		return t;
	t.p50_ms = yield_percentile(g->detail->times[step], 50, &t.count);
	t.p95_ms = yield_percentile(g->detail->times[step], 95, &count);
	t.p99_ms = yield_percentile(g->detail->times[step], 99, &count);
	return t;
}

/* ---- life ------------------------------------------------------------------------------------ */

const struct yield_sums *
yield_sums(const struct yield *y)
{
	return &y->sums;
}

int
yield_new(enum yield_by by, size_t facts, struct yield **ret_yield)
{
	struct yield *y = calloc(1, sizeof(*y));

	if (y == NULL)
		return -ENOMEM;
	y->by = by;
	while (y->head_mask < facts)
		y->head_mask = y->head_mask * 2 + 1;
	y->heads = calloc((size_t)y->head_mask + 1, sizeof(*y->heads));
	y->cells = calloc(CELLS_PER_FACT * facts + 1, sizeof(*y->cells));
	y->sums.total.detail = calloc(1, sizeof(*y->sums.total.detail));
	for (enum axis a = AXIS_SLOT; a < AXIS_COUNT; a++)
		y->groups[a] = calloc(facts + 1, sizeof(*y->groups[a]));
	for (enum step s = STEP_ASKING; s < STEP_COUNT; s++)
		y->steps[name_sum(step_name(s), strlen(step_name(s)))] = s;
	if (y->heads == NULL || y->cells == NULL || y->sums.total.detail == NULL ||
	    y->groups[AXIS_SLOT] == NULL || y->groups[AXIS_DRONE] == NULL ||
	    y->groups[AXIS_OTHER] == NULL) {
		yield_free(y);
		return -ENOMEM;
	}
	*ret_yield = y;
	return 0;
}

void
yield_free(struct yield *y)
{
	if (y == NULL)
		return;
	for (enum axis a = AXIS_SLOT; a < AXIS_COUNT; a++) {
		for (uint32_t i = 0; i < y->counts[a] && i < YIELD_DETAILED_MAX; i++)
			free(y->groups[a][i].detail);
		free(y->groups[a]);
	}
	free(y->sums.total.detail);
	free(y->heads);
	free(y->cells);
	free(y);
}
