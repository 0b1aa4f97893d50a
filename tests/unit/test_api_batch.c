/* SPDX-License-Identifier: MIT */
/* app/api_batch, app/batches: a batch over the control interface, and over restarts. */
#include "config.h"

#include "app/batches.h"

#include "test_api_bench.h"

#include "core/outcome.h"

TEST_WITH(a_batch_is_begun_shown_and_ended, set_up, tear_down)
{
	static const struct {
		const char *method, *parameters, *words;
	} calls[] = {
		{ "GetBatch", "{}", "NoSuchBatch\",\"parameters\":{\"name\":\"\"}" },
		{ "EndBatch", "{}", "No batch runs." },
		{ "ListBatches", "{}", "{\"batches\":[],\"more\":false}" },
		{ "StartBatch", "{\"name\":\"\"}", "\"parameter\":\"name\"" },
		{ "StartBatch", "{\"name\":\"a\",\"canary\":33}", "\"parameter\":\"canary\"" },
		{ "StartBatch", "{\"name\":\"a\",\"expect\":-1}", "\"parameter\":\"expect\"" },
		{ "GetStatus", "{}", "\"batch\":null" },
		{ "StartBatch", "{\"name\":\"spring\",\"expect\":2,\"canary\":1}",
		  "\"name\":\"spring\"" },
		{ "StartBatch", "{\"name\":\"b\"}", "A batch runs" },
		{ "GetStatus", "{}", "\"batch\":{\"name\":\"spring\"" },
		{ "GetHistory", "{\"batch\":\"spring\"}", "{\"attempts\":[],\"next\":null}" },
		{ "GetHistory", "{\"batch\":\"autumn\"}", "NoSuchBatch" },
		{ "EndBatch", "{}", "\"drones\":0" },
		{ "StartBatch", "{\"name\":\"spring\"}", "NameTaken" },
		{ "GetBatch", "{\"name\":\"spring\"}", "\"started_by\":\"test\"" },
		{ "ListBatches", "{}", "\"more\":false" },
		{ "GetStatus", "{}", "\"batch\":null" },
	};
	struct bench *b = *state;

	recorder_look(b->sv.recorder, true);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		replies(b, calls[i].method, calls[i].parameters, -1, calls[i].words);
}

TEST_WITH(what_a_batch_has_that_is_not_said_can_be_set_for_the_station, set_up, tear_down)
{
	static const struct {
		const char *method, *parameters, *words;
	} calls[] = {
		{ "SetBatchDefaults", "{\"canary\":33}", "\"parameter\":\"canary\"" },
		{ "SetBatchDefaults", "{\"stop_after\":100000}", "\"parameter\":\"stop_after\"" },
		{ "SetBatchDefaults", "{\"expect\":25,\"canary\":2,\"stop_after\":3}", "{}" },
		{ "StartBatch", "{\"name\":\"a\"}", "\"expect\":25,\"canary\":2,\"stop_after\":3" },
		{ "EndBatch", "{}", "\"name\":\"a\"" },
		{ "StartBatch", "{\"name\":\"b\",\"expect\":1,\"canary\":0,\"stop_after\":null}",
		  "\"expect\":1,\"canary\":null,\"stop_after\":3" },
		{ "EndBatch", "{}", "\"name\":\"b\"" },
		{ "SetBatchDefaults", "{\"canary\":1}", "{}" },
		{ "StartBatch", "{\"name\":\"c\"}",
		  "\"expect\":null,\"canary\":1,\"stop_after\":null" },
		{ "EndBatch", "{}", "\"name\":\"c\"" },
		{ "SetBatchDefaults", "{}", "{}" },
		{ "StartBatch", "{\"name\":\"d\"}",
		  "\"expect\":null,\"canary\":null,\"stop_after\":null" },
	};
	struct bench *b = *state;

	recorder_look(b->sv.recorder, true);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		replies(b, calls[i].method, calls[i].parameters, -1, calls[i].words);
}

/* Ended in the records, as a batch before a restart has them. */
static void
end_recorded(struct bench *b, const char *port, const char *serial, enum verdict_kind verdict)
{
	struct store_begin begin = { .port = port,
				     .serial = serial,
				     .batch = batches_id(b->sv.batches) };
	struct store_ending end = { .verdict = verdict,
				    .verdict_name = verdict_name(verdict),
				    .fault = verdict == VERDICT_FAIL ? FAULT_VERIFY : FAULT_NONE,
				    .fault_name = verdict == VERDICT_FAIL ? "verify" : NULL,
				    .address = -1 };
	struct store_time now = clock_time(b->sv.clock);
	int64_t id;

	assert_int_equal(store_attempt_begin(b->sv.store, &begin, &now, &id), 0);
	assert_int_equal(store_attempt_end(b->sv.store, id, &end, &now), 0);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
}

static void
restart_batches(struct bench *b)
{
	struct fleet_event stopped = { .kind = EVENT_BATCH_STOPPED };

	batches_free(b->sv.batches);
	fleet_end_batch(b->sv.fleet);
	assert_int_equal(batches_new(&b->sv, &b->sv.batches), 0);
	assert_int_equal(batches_load(b->sv.batches), 0);
	if (batch_stopped(fleet_batch(b->sv.fleet))[0] != '\0')
		batches_tell(b->sv.batches, &stopped);
}

TEST_WITH(a_batch_goes_on_after_a_restart_where_it_was, set_up, tear_down)
{
	struct bench *b = *state;
	char paused[8];

	recorder_look(b->sv.recorder, true);
	replies(b, "StartBatch", "{\"name\":\"spring\",\"stop_after\":2,\"expect\":25}", -1,
		"spring");
	end_recorded(b, "1-1", "S1", VERDICT_PASS);
	end_recorded(b, "1-2", "S2", VERDICT_FAIL);
	restart_batches(b);
	replies(
	    b, "GetBatch", "{}", -1,
	    "\"drones\":2,\"good\":1,\"ready\":0,\"failed\":1,\"first_good\":1,\"stopped\":null");
	assert_false(fleet_paused(b->sv.fleet));
	end_recorded(b, "1-3", "S3", VERDICT_FAIL); /* killed before its stop was recorded */
	restart_batches(b);
	assert_true(fleet_paused(b->sv.fleet));
	replies(b, "GetStatus", "{}", -1, "\"paused_by\":\"batch\"");
	replies(b, "Resume", "{}", -1, "active");
	end_recorded(b, "1-4", "S4", VERDICT_FAIL); /* the first since it was resumed */
	restart_batches(b);
	assert_false(fleet_paused(b->sv.fleet));
	replies(b, "GetBatch", "{}", -1, "\"failed\":3");
	end_recorded(b, "1-5", "S5", VERDICT_FAIL);
	restart_batches(b);
	assert_true(fleet_paused(b->sv.fleet));
	/* An end does not resume it. */
	replies(b, "EndBatch", "{}", -1, "\"stopped\":\"");
	assert_true(store_get(b->sv.store, STORE_STATION, "paused", paused, sizeof(paused)) > 0);
	replies(b, "GetStatus", "{}", -1, "\"paused_by\":\"operator\"");
	restart_batches(b);
	assert_null(fleet_batch(b->sv.fleet));
	replies(b, "GetBatch", "{}", -1, "\"drones\":5,\"good\":1,\"ready\":0,\"failed\":4");
	replies(b, "GetBatch", "{}", -1, "\"missing\":[");
}

TEST_MAIN(NULL)
