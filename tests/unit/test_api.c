/* SPDX-License-Identifier: MIT */
/* app/api_*: handlers of the control interface over the real services, without socket and bus. */
#include "config.h"

#include "app/api.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "test_api_bench.h"

#include "app/recall.h"
#include "app/reply.h"
#include "app/selection.h"
#include "app/whole.h"
#include "core/image.h"
#include "core/policy.h"
#include "fixtures/mkimage.h"
#include "fixtures/parts.h"

/* A sealed memory file; the call that gets it closes it. */
static int
sealed(const void *bytes, size_t size)
{
	int fd = memfd_create("part", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
	return fd;
}

TEST_WITH(parts_of_a_release_are_judged_again_and_reach_the_selected_image, set_up, tear_down)
{
	static const char wrong[40] = "not for an nRF51";
	static uint8_t nrf[20000];
	struct bench *b = *state;
	struct policy *policy = fleet_policy(b->sv.fleet);
	uint8_t *file;
	size_t size;

	recorder_look(b->sv.recorder, true);
	assert_true(recorder_loaded(b->sv.recorder));
	parts_vectors(nrf, sizeof(nrf), 0x20004000, 0x1B0C1, "2025.12");
	assert_int_equal(
	    mkimage_make(&(struct mkimage_spec){ .size = 8192 }, MKIMAGE_DFU, &file, &size), 0);
#define NRF "{\"name\":\"r\",\"target\":\"nrf51\",\"type\":\"fw\",\"version\":\"2025.12\"}"
	replies(b, "AddFirmwarePart", NRF, sealed(nrf, sizeof(nrf)), "Station.NoSuchFirmware");
	replies(b, "AddFirmware",
		"{\"name\":\"r\",\"source_name\":\"r.zip\",\"source_sha256\":\"00\"}",
		sealed(file, size), "\"parts\":[]");
	free(file);
	replies(b, "SelectFirmware", "{\"name\":\"r\"}", -1, "\"platform\":\"cf2\"");
	assert_null(image_part_for(policy_selected(policy, PLATFORM_CF2), "nrf51"));
	replies(b, "AddFirmwarePart", NRF, -1, "Station.BadDescriptor");
	replies(b, "AddFirmwarePart", NRF, memfd_create("open", MFD_CLOEXEC),
		"Station.BadDescriptor");
	replies(b, "AddFirmwarePart", NRF, sealed(wrong, sizeof(wrong)), "Station.ImageRefused");
	replies(b, "AddFirmwarePart",
		"{\"name\":\"r\",\"target\":\"a target that is far too long\",\"type\":\"fw\"}",
		sealed(nrf, sizeof(nrf)), "\"parameter\":\"target\"");
	replies(b, "GetFirmware", "{\"name\":\"r\"}", -1, "\"parts\":[]");
	replies(b, "AddFirmwarePart", NRF, sealed(nrf, sizeof(nrf)),
		"\"target\":\"nrf51\",\"type\":\"fw\",\"version\":\"2025.12\",\"bytes\":20000,"
		"\"use\":\"radio\",");
	assert_string_equal(image_part_for(policy_selected(policy, PLATFORM_CF2), "nrf51")->version,
			    "2025.12");
	replies(b, "ListFirmware", "{}", -1, "\"parts\":[{\"target\":\"nrf51\"");
	replies(b, "DeselectFirmware", "{}", -1, "\"selected\":[]");
	replies(b, "RemoveFirmware", "{\"name\":\"r\"}", -1, "{}");
}

/* A drone that only the records know, and its name. */
static void
know(struct bench *b, const char *serial, const char *name)
{
	struct store_drone_facts facts = { .serial = serial };
	struct store_time now = clock_time(b->sv.clock);
	char why[SETTINGS_WHY_MAX];

	assert_int_equal(store_drone_note(b->sv.store, &facts, &now), 0);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
	assert_int_equal(names_set(b->sv.names, serial, name, why), 0);
}

struct question {
	const char *method, *parameters, *reply; /* a part of it */
};

/* In this order, one after the other. */
static void
expect_replies(struct bench *b, const struct question *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *reply = call(b, rows[i].method, rows[i].parameters);

		if (strstr(reply, rows[i].reply) == NULL)
			fail_msg("%s %s: %s", rows[i].method, rows[i].parameters, reply);
	}
}

TEST_WITH(calls_that_make_no_sense_are_refused_by_name_and_others_answered, set_up, tear_down)
{
	static const struct question rows[] = {
		{ "GetStatus", "{\"target\":\"9-9\"}", "Station.NoSuchSlot" },
		{ "GetStatus", "{\"target\":\"396b\"}", "\"candidates\":[\"396B37583432\"" },
		{ "GetStatus", "{\"target\":\"396b3\"}", "\"port\":\"1-1\"" },
		{ "GetStatus", "{}", "\"state\":\"armed\"" },
		{ "GetStatus", "{}",
		  "\"ready\":\"unknown\",\"ready_note\":null,\"remaining\":[],\"selftest\":null,"
		  "\"nrf\":null,\"decks\":[],\"radio\":null,\"battery_mv\":null,\"crash\":null" },
		{ "Pause", "{}", "\"active\":" },
		{ "GetStatus", "{}", "\"paused_by\":\"operator\"" },
		{ "Resume", "{}", "\"active\":" },
		{ "Retry", "{}", "\"parameter\":\"targets\"" },
		{ "Retry", "{\"targets\":[\"9-9\"]}", "Station.NoSuchSlot" },
		{ "Retry", "{\"failed\":true}", "\"queued\":[]" },
		{ "ReleasePort", "{\"target\":\"1-1\"}", "\"released\":[]" },
		{ "SelectFirmware", "{\"name\":\"x\"}", "Station.NoSuchFirmware" },
		{ "SelectFirmware", "{\"name\":\"x\",\"platform\":\"y\"}", "InvalidParameter" },
		{ "SelectFirmware", "{\"name\":\"x\",\"platform\":\"cf2\",\"target\":\"1-1\"}",
		  "Station.Refused" },
		{ "DeselectFirmware", "{\"target\":\"a shelf\"}", "Station.NoSuchSlot" },
		{ "DeselectFirmware", "{\"target\":\"1-9\"}", "had no firmware of its own" },
		{ "SetPlatformRule", "{\"target\":\"1-9\",\"platform\":\"bolt\"}",
		  "{\"target\":\"1-9\",\"platform\":\"bolt\"}" },
		{ "SetPlatformRule", "{\"target\":\"1-9\"}", "\"rules\":[]" },
		{ "ListFirmware", "{}", "\"firmware\":[]" },
		{ "GetFirmware", "{\"name\":\"x\"}", "Station.NoSuchFirmware" },
		{ "RemoveFirmware", "{\"name\":\"x\"}", "Station.NoSuchFirmware" },
		{ "ReleaseFirmware", "{\"name\":\"x\"}", "Station.NoSuchFirmware" },
		{ "GetHistory", "{\"limit\":0}", "\"parameter\":\"limit\"" },
		{ "GetHistory", "{\"since\":\"yesterday\"}", "\"parameter\":\"since\"" },
		{ "GetHistory", "{\"verdict\":\"fine\"}", "\"parameter\":\"verdict\"" },
		{ "GetHistory", "{\"kind\":\"other\"}", "\"parameter\":\"kind\"" },
		{ "GetHistory", "{\"kind\":\"checkup\"}", "\"parameter\":\"kind\"" },
		{ "GetHistory", "{\"kind\":\"eeprom\"}", "\"attempts\":[]" },
		{ "GetHistory", "{\"serial\":\"396b\"}", "Station.AmbiguousTarget" },
		{ "GetHistory", "{}", "\"attempts\":[],\"next\":null" },
		{ "GetEndings", "{\"after\":-1}", "\"parameter\":\"after\"" },
		{ "GetEndings", "{\"after\":0,\"limit\":-1}", "\"parameter\":\"limit\"" },
		{ "GetEndings", "{\"after\":0,\"limit\":0}", "\"after_hash\":null,\"endings\":[]" },
		{ "GetEndings", "{\"after\":9999}",
		  "\"after_hash\":null,\"endings\":[],\"next\":9999," },
		{ "Stats", "{\"by\":\"moon\"}", "\"parameter\":\"by\"" },
		{ "Stats", "{\"until\":\"noon\"}", "\"parameter\":\"until\"" },
		{ "GetAttempt", "{\"id\":7}", "Station.NoSuchAttempt" },
		{ "GetDrone", "{\"serial\":\"1-1\"}", "Station.NoSuchDrone" },
		{ "Plan", "{\"with\":\"x\"}", "Station.NoSuchFirmware" },
		{ "Plan", "{\"target\":\"1-2\"}", "\"port\":\"1-2\"" },
		{ "GetConfig", "{}", "\"origin\":null" },
		{ "Restart", "{}", "\"active\":2" },
	};

	expect_replies(*state, rows, ARRAY_LEN(rows));
}

TEST_WITH(drones_are_listed_and_named_and_nothing_is_written_unasked, set_up, tear_down)
{
	static const struct question rows[] = {
		{ "ListDrones", "{\"target\":\"9-9\"}", "Station.NoSuchSlot" },
		{ "ListDrones", "{}", "\"dfu_serial\":\"396B37583432\"" },
		{ "ListDrones", "{\"target\":\"1-2\"}", "\"port\":\"1-2\"" },
		{ "SetDrone", "{\"target\":\"1-1\"}", "\"parameter\":\"name\"" },
		{ "SetDrone", "{\"target\":\"9-9\",\"name\":\"x\"}", "Station.NoSuchSlot" },
		{ "SetDrone", "{\"target\":\"396b\",\"name\":\"x\"}", "AmbiguousTarget" },
		{ "SetDrone", "{\"target\":\"1-1\",\"name\":\"x\"}", "once it was seen running" },
		{ "SetDrone", "{\"target\":\"51AA\",\"name\":\"1-1\"}", "already" },
		{ "SetDrone", "{\"target\":\"51AA\",\"name\":\"Cleo\"}", "name of drone 52AA" },
		{ "SetDrone", "{\"target\":\"51AA\",\"name\":\"Bea\"}", "\"name\":\"Bea\"" },
		{ "SetDrone", "{\"target\":\"bea\",\"channel\":1}", "is not plugged in" },
		{ "ListDrones", "{}", "\"name\":\"Bea\"" },
		{ "SetDrone", "{\"target\":\"Bea\",\"name\":\"\"}", "\"name\":null" },
		{ "SetDrone", "{\"target\":\"Bea\",\"name\":\"x\"}", "Station.NoSuchSlot" },
		{ "AssignDrones", "{\"base\":\"E7E7\"}", "10 hexadecimal digits" },
		{ "AssignDrones", "{\"base\":\"E7E7E7E701\",\"by\":\"age\"}",
		  "\"parameter\":\"by\"" },
		{ "AssignDrones", "{\"base\":\"E7E7E7E701\"}", "Nothing was written." },
		{ "ListDecks", "{}", "\"decks\":[]" },
		{ "UpdateDeck", "{}", "\"plans\":[],\"results\":[]" },
		{ "Identify", "{\"targets\":[\"9-9\"]}", "Station.NoSuchSlot" },
	};

	know(*state, "51AA", "Ada");
	know(*state, "52AA", "Cleo");
	expect_replies(*state, rows, ARRAY_LEN(rows));
}

TEST_WITH(a_drone_that_only_the_loader_knows_has_no_name, set_up, tear_down)
{
	struct store_drone_facts facts = { .dfu_serial = "396B37583432" };
	struct bench *b = *state;
	struct store_time now = clock_time(b->sv.clock);

	assert_int_equal(store_drone_note(b->sv.store, &facts, &now), 0);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
	assert_non_null(strstr(call(b, "GetDrone", "{\"serial\":\"396B37583432\"}"),
			       "\"port\":\"1-1\",\"ready\":\"unknown\""));
	assert_non_null(strstr(b->reply, "\"name\":null"));
	assert_non_null(strstr(call(b, "ListDrones", "{}"), "\"dfu_serial\":\"396B37583432\""));
}

TEST_WITH(each_method_that_changes_something_needs_the_right_to, set_up, tear_down)
{
	struct bench *b = *state;

	b->caller.peer.may_change = false;
	for (size_t i = 0; i < station_method_count; i++) {
		const struct method_signature *s = &station_signatures[i];

		if ((s->flags & METHOD_CHANGES) != 0)
			assert_non_null(strstr(call(b, strrchr(s->name, '.') + 1, "{}"),
					       "Station.NotPermitted"));
	}
}

/* ---- the whole drone ------------------------------------------------------------------------ */

static void
see_all(struct condition *c)
{
	*c = (struct condition){
		.selftest = SELFTEST_PASS,
		.nrf_version = "2025.02",
		.crash = "file.c:7",
		.battery_mv = 3912,
		.decks_known = true,
		.deck_count = 1,
		.decks = { { .name = "bcLighthouse4", .state = DECK_NOT_STARTED } },
		.radio = { .read = true,
			   .valid = true,
			   .bytes = { 0x30, 0x78 },
			   .channel = 80,
			   .rate = 2,
			   .address = UINT64_C(0xE7E7E7E701) },
	};
}

#define DECKS "[{\"name\":\"bcLighthouse4\",\"state\":\"not-started\",\"version\":null}]"
#define RADIO "{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E701\"}"

TEST_WITH(all_that_was_seen_is_said_and_what_is_left_in_its_order, set_up, tear_down)
{
	static const char unread[] = "{\"ready\":\"no\",";
	struct bench *b = *state;
	struct condition c;
	struct readiness r = { .ready = READY_NO,
			       .rests = BIT(REST_NRF51) | BIT(REST_SELF_TEST),
			       .text = { [REST_SELF_TEST] = "It failed: 'cfdfuctl show SLOT'.",
					 [REST_NRF51] = "It is old." } };
	struct slot_view v = { .port = "1-1", .condition = &c, .readiness = &r };
	char *text;

	see_all(&c);
	text = whole_text(whole_slot(&b->sv, 0, &v));
	assert_string_equal(text,
			    "{\"ready\":\"no\",\"ready_note\":null,\"remaining\":["
			    "{\"what\":\"self-test\",\"text\":\"It failed: 'cfdfuctl show 1-1'.\"},"
			    "{\"what\":\"nrf51\",\"text\":\"It is old.\"}],\"selftest\":\"pass\","
			    "\"nrf\":{\"version\":\"2025.02\",\"wanted\":null},\"decks\":" DECKS ","
			    "\"radio\":" RADIO ",\"battery_mv\":3912,\"crash\":\"file.c:7\"}");
	free(text);
	c.radio.valid = false;
	c.selftest = SELFTEST_FAIL;
	text = whole_text(whole_slot(&b->sv, 0, &v));
	assert_memory_equal(text, unread, sizeof(unread) - 1);
	assert_non_null(strstr(text, "\"radio\":null"));
	assert_non_null(strstr(text, "\"selftest\":\"fail\""));
	free(text);
	assert_null(whole_text(whole_radio(&c.radio)));
}

static void
ignore_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)ctx;
	(void)i;
}

/* An attempt that was interrupted, in the records of a station that has started. */
static int64_t
record_attempt(struct bench *b, const struct store_begin *begin)
{
	static const struct store_ending interrupted = { .verdict = VERDICT_INTERRUPTED,
							 .verdict_name = "interrupted",
							 .address = -1 };
	struct store_time now = clock_time(b->sv.clock);
	int64_t id = 0;

	assert_int_equal(
	    store_interrupt_running(b->sv.store, &interrupted, &now, ignore_interrupted, NULL), 0);
	assert_int_equal(store_attempt_begin(b->sv.store, begin, &now, &id), 0);
	assert_int_equal(store_attempt_end(b->sv.store, id, &interrupted, &now), 0);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
	return id;
}

TEST_WITH(the_condition_of_a_drone_is_recorded_once_and_told_of_attempt_and_drone, set_up,
	  tear_down)
{
	struct bench *b = *state;
	const struct store_begin begin = { .port = "1-1", .serial = "1F0049000A51353432343630" };
	struct job_record r = { .id = record_attempt(b, &begin),
				.port = "1-1",
				.serial = "1F0049000A51353432343630" };
	struct fleet_event event = { EVENT_CONDITION, 0, &r };
	uint64_t queued;
	const char *reply;

	see_all(&r.condition);
	recorder_tell(b->sv.recorder, &event);
	assert_false(recorder_wants_commit(b->sv.recorder)); /* it can wait */
	recorder_check(b->sv.recorder, false);
	queued = store_queued(b->sv.store);
	recorder_tell(b->sv.recorder, &event); /* nothing new */
	assert_true(store_queued(b->sv.store) == queued);
	reply = call(b, "GetAttempt", "{\"id\":1}");
	assert_non_null(strstr(reply, "\"verdict\":\"interrupted\""));
	assert_non_null(strstr(reply, "\"ready\":\"unknown\",\"remaining\":[]"));
	assert_non_null(strstr(reply, "\"batch\":null,\"target\":\"stm32\",\"path\":\"usb\""));
	reply = call(b, "GetDrone", "{\"serial\":\"1F0049000A51353432343630\"}");
	assert_non_null(
	    strstr(reply, "\"nrf_version\":\"2025.02\",\"radio\":" RADIO ",\"decks\":" DECKS));
}

static void
count_end(void *owner, const struct rescue_result *result)
{
	(void)result;
	++*(unsigned *)owner;
}

TEST_WITH(the_end_of_a_check_up_is_not_that_of_the_request_it_gave_way_to, set_up, tear_down)
{
	struct bench *b = *state;
	struct sighting s = { .vid = 0x0483,
			      .pid = 0x5740,
			      .arrival = 2,
			      .port = "1-3",
			      .serial = "1F0049000A51353432343630",
			      .manufacturer = "Bitcraze AB",
			      .product = "Crazyflie 2.x" };
	struct drone_history unknown = { 0 };
	unsigned ends = 0;
	struct rescue_request request = { .owner = &ends, .setup.kind = JOB_IDENTIFY, .fd = -1 };
	struct job_record r = { .kind = JOB_CHECKUP };
	struct fleet_event event = { EVENT_SPECIAL_ENDED, 2, &r };
	struct rescue *rescue = NULL;

	/* Quarantined: nothing begins there but what is asked for. */
	assert_int_equal(fleet_recall_port(b->sv.fleet, s.port, 3, PORT_QUARANTINE_FAILURES), 0);
	fleet_sighted(b->sv.fleet, &s, &unknown, clock_now_us());
	assert_int_equal(rescue_new(&b->sv, count_end, &rescue), 0);
	assert_int_equal(rescue_begin(rescue, 2, &request), 0);
	rescue_tell(rescue, &event);
	assert_int_equal(ends, 0);
	r.kind = JOB_IDENTIFY;
	rescue_tell(rescue, &event);
	assert_int_equal(ends, 1);
	rescue_free(rescue);
}

/* Nothing was done to its STM32: in DFU mode it is not known as one of ours that was cut off. */
TEST_WITH(a_deck_that_was_cut_off_makes_no_device_in_dfu_mode_ours, set_up, tear_down)
{
	struct bench *b = *state;
	struct store_begin begin = { .port = "1-1" };
	struct sighting s = { .vid = 0x0483, .pid = 0xdf11, .port = "1-1" };
	struct drone_history h = { 0 };

	(void)record_attempt(b, &begin);
	assert_int_equal(recall_drone(b->sv.store, &s, &h), 0);
	assert_true(h.known && h.interrupted);
	begin.kind = "deck";
	begin.target = "deck:bcLighthouse4";
	(void)record_attempt(b, &begin);
	h = (struct drone_history){ 0 };
	assert_int_equal(recall_drone(b->sv.store, &s, &h), 0);
	assert_false(h.known || h.interrupted);
}

TEST(any_time_is_printed_in_utc)
{
	static const struct {
		int64_t ms;
		const char *text;
	} moments[] = { { 0, "1970-01-01T00:00:00.000Z" },
			{ 1735787045678, "2025-01-02T03:04:05.678Z" },
			{ 253402300800123, "+10000-01-01T00:00:00.123Z" } };

	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		json_t *j = reply_moment(moments[i].ms);

		assert_string_equal(json_string_value(j), moments[i].text);
		json_decref(j);
	}
	assert_true(json_is_null(reply_time(0)));
}

TEST_MAIN(NULL)
