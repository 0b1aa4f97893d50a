/* SPDX-License-Identifier: MIT */
/* Culprits of the failures (yield.h). */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/yield_internal.h"

/* Two different ones failed, and more did than not: it is not taken for what is usual. */
static bool
is_suspect(const struct yield_group *g)
{
	return g->failed >= 2 && 2 * g->failed > g->tried;
}

/* The chance of at least k of n, each with chance p; 1 where that is what one expects. */
static double
chance_of(unsigned k, unsigned n, double p)
{
	double ways = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
	double term = exp(ways + k * log(p) + (n - k) * log1p(-p)), sum = 0;

	if (k <= n * p)
		return 1;
	for (; k <= n && term > 1e-30; k++) {
		sum += term;
		term *= p / (1 - p) * (n - k) / (k + 1);
	}
	return sum;
}

/* Its slot and its drone; false: there is none at i, or it is explained. */
static bool
failure_at(const struct yield *y, size_t i, struct yield_group *ret[AXIS_OTHER])
{
	const struct failure *f = &y->failures[i];

	if (f->at[AXIS_SLOT] == NO_GROUP)
		return false;
	for (enum axis a = AXIS_SLOT; a < AXIS_OTHER; a++)
		ret[a] = &y->groups[a][f->at[a]];
	return true;
}

/* True for the first time in this walk. */
static bool
is_new(const struct yield *y, struct yield_group *g)
{
	bool is = g->mark != y->mark;

	g->mark = y->mark;
	return is;
}

static void
add_culprit(struct yield *y, enum yield_kind kind, const struct yield_group *g,
	    const unsigned counts[4])
{
	struct yield_culprit *c = &y->sums.culprits[y->sums.culprit_count];

	if (y->sums.culprit_count == YIELD_CULPRITS_MAX)
		return;
	y->sums.culprit_count++;
	*c = (struct yield_culprit){ kind, g->id, "", counts[0], counts[1], counts[2], counts[3] };
	copy_text(c->port, sizeof(c->port), g->port);
}

/* Failures outside of suspects, and how many slots and drones there are of which one failed and
 * was tried again: each of them could have looked bad. */
static unsigned
count_usual(struct yield *y, size_t failures, unsigned ret_looked_at[AXIS_OTHER])
{
	struct yield_group *g[AXIS_OTHER];
	unsigned usual = 0;

	y->mark++;
	for (size_t i = 0; i < failures; i++) {
		bool suspect[AXIS_OTHER];

		if (!failure_at(y, i, g))
			continue;
		for (enum axis a = AXIS_SLOT; a < AXIS_OTHER; a++)
			suspect[a] = is_suspect(g[a]);
		usual += !suspect[AXIS_SLOT] && !suspect[AXIS_DRONE];
		for (enum axis a = AXIS_SLOT; a < AXIS_OTHER; a++)
			if ((suspect[a] || !suspect[!a]) && g[a]->tried >= 2)
				ret_looked_at[a] += is_new(y, g[a]);
	}
	for (enum axis a = AXIS_SLOT; a < AXIS_OTHER; a++)
		ret_looked_at[a] += ret_looked_at[a] == 0; /* only where suspects were */
	return usual;
}

static void
explain(struct yield *y, size_t failures, enum axis axis, const struct yield_group *culprit)
{
	struct yield_group *g[AXIS_OTHER];

	for (size_t i = 0; i < failures; i++) {
		if (!failure_at(y, i, g) || g[axis] != culprit)
			continue;
		g[!axis]->failed--;
		g[!axis]->tried--;
		g[!axis]->explained++;
		y->sums.total.failed--;
		y->sums.total.tried--;
		y->sums.total.explained++;
		y->failures[i].at[AXIS_SLOT] = NO_GROUP;
	}
}

/* One more; false: there is none. */
static bool
name_culprit(struct yield *y)
{
	size_t n = y->failure_count < YIELD_FAILURES_MAX ? y->failure_count : YIELD_FAILURES_MAX;
	unsigned looked_at[AXIS_OTHER] = { 0 }, usual = count_usual(y, n, looked_at);
	unsigned tried = y->sums.total.tried - (y->sums.total.failed - usual), elsewhere;
	double least = YIELD_CHANCE, chance, rate = (usual + 0.5) / (tried + 1);
	struct yield_group *g[AXIS_OTHER], *worst = NULL;
	enum axis axis = AXIS_SLOT;

	/* WHY: where many fail some are suspect by chance, and the rate without them is too low. */
	if (rate > 0.1)
		least /= 10;
	y->mark++;
	for (size_t i = 0; i < n; i++) {
		bool is = failure_at(y, i, g);

		for (enum axis a = AXIS_SLOT; is && a < AXIS_OTHER; a++) {
			if (g[a]->failed < 2 || !is_new(y, g[a]))
				continue;
			chance = looked_at[a] * chance_of(g[a]->failed - 1, g[a]->tried - 1, rate);
			if (chance >= least)
				continue;
			least = chance;
			worst = g[a];
			axis = a;
		}
	}
	if (worst == NULL)
		return false;
	/* WHY also what is explained: it happened there. */
	elsewhere = y->sums.total.explained - worst->explained;
	add_culprit(y, axis == AXIS_SLOT ? YIELD_BAD_SLOT : YIELD_BAD_DRONE, worst,
		    (unsigned[4]){ worst->failed, worst->tried,
				   y->sums.total.failed - worst->failed + elsewhere,
				   y->sums.total.tried - worst->tried + elsewhere });
	explain(y, n, axis, worst);
	return y->sums.culprit_count < YIELD_CULPRITS_MAX / 2; /* LIMIT: hubs and slow slots, too */
}

/* ---- hubs and slow slots --------------------------------------------------------------------- */

static bool
is_in(const char *port, const char *hub)
{
	char of[PORT_TEXT_MAX];

	yield_hub(port, of);
	return strcmp(of, hub) == 0;
}

/* At its second bad slot, in the order of naming. */
static void
name_hubs(struct yield *y)
{
	for (unsigned i = 0, n = y->sums.culprit_count; i < n; i++) {
		struct yield_group hub = { 0 };
		unsigned before = 0, bad = 0, used = 0;

		yield_hub(y->sums.culprits[i].port, hub.port);
		for (unsigned j = 0; j < n; j++)
			if (y->sums.culprits[j].kind == YIELD_BAD_SLOT &&
			    is_in(y->sums.culprits[j].port, hub.port)) {
				before += j < i;
				bad++;
			}
		for (uint32_t j = 0; j < y->counts[AXIS_SLOT]; j++)
			used += is_in(y->groups[AXIS_SLOT][j].port, hub.port);
		if (y->sums.culprits[i].kind == YIELD_BAD_SLOT && before == 1 && 2 * bad >= used)
			add_culprit(y, YIELD_BAD_HUB, &hub, (unsigned[4]){ bad, used, 0, 0 });
	}
}

static void
look_at_pace(struct yield *y, const struct yield_group *g)
{
	uint32_t others[YIELD_BUCKETS] = { 0 };
	char hub[PORT_TEXT_MAX];
	unsigned of, others_of, ms = yield_percentile(g->detail->times[STEP_NONE], 50, &of),
				others_ms;

	if (of < YIELD_PACE_MIN)
		return;
	yield_hub(g->port, hub);
	for (uint32_t i = 0; i < y->counts[AXIS_SLOT] && i < YIELD_DETAILED_MAX; i++) {
		const struct yield_group *o = &y->groups[AXIS_SLOT][i];

		if (o == g || o->detail == NULL || !is_in(o->port, hub))
			continue;
		for (unsigned j = 0; j < YIELD_BUCKETS; j++)
			others[j] += o->detail->times[STEP_NONE][j];
	}
	others_ms = yield_percentile(others, 50, &others_of);
	if (others_of >= YIELD_PACE_MIN && ms > others_ms + others_ms / 4)
		add_culprit(y, YIELD_SLOW_SLOT, g, (unsigned[4]){ ms, of, others_ms, others_of });
}

bool
yield_conclude(struct yield *y)
{
	yield_wilson(y->sums.total.first_good, y->sums.total.first, &y->sums.total.low,
		     &y->sums.total.high);
	if (yield_rank_some(y))
		return true;
	if (!y->named) {
		y->named = !name_culprit(y);
		if (y->named)
			name_hubs(y);
		return true;
	}
	if (y->paced == y->counts[AXIS_SLOT] || y->paced == YIELD_DETAILED_MAX)
		return false;
	if (y->groups[AXIS_SLOT][y->paced].detail != NULL)
		look_at_pace(y, &y->groups[AXIS_SLOT][y->paced]);
	y->paced++;
	return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

void
yield_text(const struct yield_culprit *c, const char *name, char ret_text[YIELD_TEXT_MAX])
{
	switch (c->kind) {
	case YIELD_BAD_SLOT:
		(void)snprintf(ret_text, YIELD_TEXT_MAX,
			       "Slot %s is bad: %u of %u drones failed there at first, elsewhere "
			       "%u of %u.  Change its cable, then its port.",
			       name, c->bad, c->of, c->others_bad, c->others_of);
		return;
	case YIELD_BAD_DRONE:
		(void)snprintf(ret_text, YIELD_TEXT_MAX,
			       "Drone %s is bad: it failed in %u of %u slots at first, others in "
			       "%u of %u.  Set it aside; the slots are not to blame.",
			       name, c->bad, c->of, c->others_bad, c->others_of);
		return;
	case YIELD_BAD_HUB:
		(void)snprintf(ret_text, YIELD_TEXT_MAX,
			       "Hub %s is bad: %u of its %u slots are.  Look at its power supply "
			       "and its cable.",
			       name, c->bad, c->of);
		return;
	case YIELD_SLOW_SLOT:
		(void)snprintf(ret_text, YIELD_TEXT_MAX,
			       "Slot %s is slow: writing 256 KiB takes %u.%u s there, in the "
			       "other slots of its hub %u.%u s (medians of %u and %u).",
			       name, c->bad / 1000, c->bad / 100 % 10, c->others_bad / 1000,
			       c->others_bad / 100 % 10, c->of, c->others_of);
		return;
	}
}
