/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/counters.h"

#include <errno.h>
#include <stdlib.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/services.h"
#include "core/event.h"
#include "core/job.h"
#include "core/outcome.h"

/* WHY these: the shortest stage takes some 50 ms, the longest deadline is two minutes. */
static const unsigned bounds_ms[] = { 100,   200,   500,   1000,  2000,	 5000,
				      10000, 20000, 30000, 60000, 120000 };

struct stage_times {
	uint64_t us, count;
	uint64_t within[ARRAY_LEN(bounds_ms)]; /* count of those that took at most so long */
};

struct counters {
	int64_t since_ms;
	uint64_t endings[JOB_KIND_COUNT][VERDICT_COUNT][FAULT_COUNT];
	struct stage_times stages[STEP_COUNT]; /* of JOB_UPDATE */
	uint64_t bytes_written, sectors_erased;
};

int
counters_new(const struct services *sv, struct counters **ret_counters)
{
	struct counters *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->since_ms = clock_time(sv->clock).wall_ms;
	*ret_counters = c;
	return 0;
}

void
counters_free(struct counters *c)
{
	free(c);
}

static void
add_time(struct stage_times *t, uint64_t us)
{
	t->us += us;
	t->count++;
	for (size_t i = 0; i < ARRAY_LEN(bounds_ms); i++)
		t->within[i] += us <= bounds_ms[i] * UINT64_C(1000);
}

void
counters_tell(void *ctx, const struct fleet_event *event)
{
	struct counters *c = ctx;
	const struct job_record *r = event->record;

	if ((event->kind != EVENT_ENDED && event->kind != EVENT_SPECIAL_ENDED) ||
	    r->verdict.kind == VERDICT_NONE)
		return;
	c->endings[r->kind][r->verdict.kind][r->verdict.fault]++;
	c->bytes_written += r->bytes_written;
	c->sectors_erased += r->sectors_erased;
	for (enum step s = STEP_NONE + 1; r->kind == JOB_UPDATE && s < STEP_COUNT; s++)
		if (r->stage_us[s] > 0)
			add_time(&c->stages[s], r->stage_us[s]);
}

/* WHY also some that never occurred: a rate does not see the first one of a series that is new. */
static void
add_endings(const struct counters *c, enum job_kind k, json_t *list)
{
	const char *kind = recorder_kind_name(k);

	for (enum verdict_kind v = VERDICT_PASS; kind != NULL && v < VERDICT_COUNT; v++)
		for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++) {
			json_int_t count = (json_int_t)c->endings[k][v][f];
			bool usual = k == JOB_UPDATE && v == VERDICT_FAIL && fault_name(f) != NULL;

			if (count > 0 || usual || f == FAULT_NONE)
				(void)json_array_append_new(
				    list, json_pack("{s:s, s:s, s:o, s:I}", "kind", kind, "verdict",
						    verdict_name(v), "fault",
						    reply_text(fault_name(f)), "count", count));
		}
}

static json_t *
stages_json(const struct counters *c)
{
	json_t *list = json_array();

	for (enum step s = STEP_NONE + 1; s < STEP_COUNT; s++) {
		const struct stage_times *t = &c->stages[s];
		json_t *buckets = json_array();

		for (size_t i = 0; i < ARRAY_LEN(bounds_ms); i++)
			(void)json_array_append_new(buckets, json_pack("{s:i, s:I}", "le_ms",
								       (int)bounds_ms[i], "count",
								       (json_int_t)t->within[i]));
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:I, s:I, s:o}", "step", step_name(s), "count",
				    (json_int_t)t->count, "sum_ms", (json_int_t)(t->us / 1000),
				    "buckets", buckets));
	}
	return list;
}

void
api_get_counters(void *ctx, struct call *call, json_t *parameters)
{
	const struct counters *c = ((const struct services *)ctx)->counters;
	json_t *endings = json_array();

	(void)parameters;
	for (enum job_kind k = 0; k < JOB_KIND_COUNT; k++)
		add_endings(c, k, endings);
	call_reply(call, json_pack("{s:o, s:o, s:o, s:I, s:I}", "since", reply_moment(c->since_ms),
				   "endings", endings, "stages", stages_json(c), "bytes_written",
				   (json_int_t)c->bytes_written, "sectors_erased",
				   (json_int_t)c->sectors_erased));
}
