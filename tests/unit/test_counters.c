/* SPDX-License-Identifier: MIT */
/* app/counters: what is counted of endings, and what GetCounters says of it. */
#include "config.h"

#include "app/counters.h"

#include "test_api_bench.h"

#include "core/event.h"
#include "core/job.h"

static void
end(struct bench *b, enum event_kind event, const struct job_record *r)
{
	counters_tell(b->sv.counters, &(struct fleet_event){ .kind = event, .record = r });
}

TEST_WITH(endings_are_counted_by_kind_verdict_and_fault, set_up, tear_down)
{
	struct bench *b = *state;
	struct job_record pass = { .verdict = { .kind = VERDICT_PASS }, .bytes_written = 1000 };
	struct job_record fail = { .verdict = { .kind = VERDICT_FAIL, .fault = FAULT_GONE },
				   .bytes_written = 24,
				   .sectors_erased = 3 };
	struct job_record deck = { .kind = JOB_DECK,
				   .verdict = { .kind = VERDICT_FAIL, .fault = FAULT_VERIFY } };

	end(b, EVENT_ENDED, &pass);
	end(b, EVENT_ENDED, &pass);
	end(b, EVENT_ENDED, &fail);
	end(b, EVENT_SPECIAL_ENDED, &deck);
	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"flash\",\"verdict\":\"pass\",\"fault\":null,\"count\":2}");
	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"flash\",\"verdict\":\"fail\",\"fault\":\"gone\",\"count\":1}");
	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"deck\",\"verdict\":\"fail\",\"fault\":\"verify\",\"count\":1}");
	replies(b, "GetCounters", "{}", -1, "\"bytes_written\":2024,\"sectors_erased\":3}");
}

TEST_WITH(what_never_occurred_is_counted_as_0, set_up, tear_down)
{
	struct bench *b = *state;

	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"flash\",\"verdict\":\"interrupted\",\"fault\":null,\"count\":0}");
	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"flash\",\"verdict\":\"fail\",\"fault\":\"gone\",\"count\":0}");
	replies(b, "GetCounters", "{}", -1,
		"{\"kind\":\"eeprom\",\"verdict\":\"pass\",\"fault\":null,\"count\":0}");
	replies(b, "GetCounters", "{}", -1,
		"{\"step\":\"confirming\",\"count\":0,\"sum_ms\":0,\"buckets\":[");
	/* No row for a check-up, which is no attempt. */
	assert_null(strstr(b->reply, "\"kind\":null"));
}

TEST_WITH(other_events_and_jobs_that_came_to_nothing_do_not_count, set_up, tear_down)
{
	struct bench *b = *state;
	struct job_record pass = { .verdict = { .kind = VERDICT_PASS }, .bytes_written = 1000 };
	struct job_record nothing = { .kind = JOB_DECK, .bytes_written = 1000 };
	char before[64 * 1024];

	copy_text(before, sizeof(before), call(b, "GetCounters", "{}"));
	for (enum event_kind e = 0; e < EVENT_COUNT; e++)
		if (e != EVENT_ENDED && e != EVENT_SPECIAL_ENDED)
			end(b, e, &pass);
	end(b, EVENT_SPECIAL_ENDED, &nothing);
	replies(b, "GetCounters", "{}", -1, before);
}

TEST_WITH(times_of_stages_are_counted_up_to_each_bound_of_flashing_alone, set_up, tear_down)
{
	struct bench *b = *state;
	struct job_record one = { .verdict = { .kind = VERDICT_PASS },
				  .stage_us = { [STEP_WRITING] = 5000000, [STEP_ASKING] = 1 } };
	struct job_record other = { .verdict = { .kind = VERDICT_PASS },
				    .stage_us = {
					[STEP_WRITING] = 5000001, [STEP_BACKING_UP] = 300000000 } };
	struct job_record deck = { .kind = JOB_DECK,
				   .verdict = { .kind = VERDICT_PASS },
				   .stage_us = { [STEP_WRITING] = 7000000 } };

	end(b, EVENT_ENDED, &one);
	end(b, EVENT_ENDED, &other);
	end(b, EVENT_SPECIAL_ENDED, &deck);
	replies(b, "GetCounters", "{}", -1,
		"{\"step\":\"writing\",\"count\":2,\"sum_ms\":10000,\"buckets\":["
		"{\"le_ms\":100,\"count\":0},{\"le_ms\":200,\"count\":0},"
		"{\"le_ms\":500,\"count\":0},{\"le_ms\":1000,\"count\":0},"
		"{\"le_ms\":2000,\"count\":0},{\"le_ms\":5000,\"count\":1},"
		"{\"le_ms\":10000,\"count\":2},{\"le_ms\":20000,\"count\":2},"
		"{\"le_ms\":30000,\"count\":2},{\"le_ms\":60000,\"count\":2},"
		"{\"le_ms\":120000,\"count\":2}]}");
	replies(b, "GetCounters", "{}", -1, "{\"step\":\"asking\",\"count\":1,\"sum_ms\":0,");
	/* Longer than each bound: only count and sum have it. */
	replies(b, "GetCounters", "{}", -1,
		"{\"step\":\"backing-up\",\"count\":1,\"sum_ms\":300000");
	assert_non_null(
	    strstr(b->reply, "{\"le_ms\":120000,\"count\":0}]},{\"step\":\"checking\""));
}

TEST_MAIN(NULL)
