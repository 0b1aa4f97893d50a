/* SPDX-License-Identifier: MIT */
/* Kinds of records: the statements that apply one, and those that make its body again. */
#include "config.h"

#include "store/record.h"

#include <assert.h>

/* The statements are laid out by hand. */
/* clang-format off */
/* A value of the body. */
#define J(key) "json_extract(?2, '$." key "')"

/*
 * The drone with these serials.  The run-time serial decides; a DFU serial alone finds the drone
 * that has it, or one of which no run-time serial is known yet.  The lowest id when drones share a
 * DFU serial.
 */
#define DRONE_OF(serial, dfu)                                                                      \
	"coalesce((SELECT id FROM drone WHERE serial = " serial "),"                               \
	" (SELECT min(id) FROM drone WHERE dfu_serial = " dfu " AND (serial IS NULL OR " serial    \
	" IS NULL)))"
#define NOTED_DRONE DRONE_OF(J("serial"), J("dfu_serial"))
#define NAMELESS                                                                                   \
	"(SELECT min(id) FROM drone WHERE serial IS NULL AND dfu_serial = " J("dfu_serial") ")"
#define NAMED "(SELECT id FROM drone WHERE serial = " J("serial") ")"

#define STEP_BOOT                                                                                  \
	{ "INSERT OR IGNORE INTO boot (name) SELECT " J("boot")                                    \
	  " WHERE " J("boot") " IS NOT NULL", false }
#define THIS_BOOT "(SELECT id FROM boot WHERE name = " J("boot") ")"

#define STEP_NEW_DRONE                                                                             \
	{ "INSERT INTO drone (serial, dfu_serial, first_ms, last_ms)"                              \
	  " SELECT " J("serial") ", " J("dfu_serial") ", " J("at") ", " J("at")                    \
	  " WHERE coalesce(" J("serial") ", " J("dfu_serial") ") IS NOT NULL"                      \
	  " AND " NOTED_DRONE " IS NULL", false }

/* The values of an ending: column of its attempt, key of its body; in the order of the body. */
#define END_VALUES(V)                                                                              \
	V("verdict_code", "verdict_code") V("verdict", "verdict") V("fault_code", "fault_code")    \
	V("fault", "fault") V("class_code", "class_code") V("class", "class")                      \
	V("step_code", "step_code") V("step", "step") V("address", "address")                      \
	V("bytes_written", "bytes_written") V("sectors_erased", "sectors_erased")                  \
	V("transfers", "transfers") V("version_after", "version_after") V("message", "message")    \
	V("end_flags", "flags") V("late_serial", "serial") V("late_dfu_serial", "dfu_serial")      \
	V("late_platform", "platform") V("late_version_before", "version_before")                  \
	V("stages", "stages") V("port_count", "port_count") V("drone_count", "drone_count")
#define SET_VALUE(column, key) column " = " J(key) ", "
#define SELECT_VALUE(column, key) "a." column " AS " key ", "

/* Columns of firmware that are keys of its body, too. */
#define FIRMWARE_VALUES(V)                                                                         \
	V("sha256") V("file") V("file_sha256") V("source_name") V("source_sha256") V("version")    \
	V("revision") V("platforms") V("size_bytes") V("notes") V("added_by") V("signer")
#define PART_VALUES(V)                                                                             \
	V("version") V("soft_device") V("file") V("file_sha256") V("size_bytes") V("signer")
#define COLUMN(name) name ", "
#define VALUE(name) J(name) ", "
#define EXCLUDED(name) name " = excluded." name ", "

#define SET_RUNNING(value)                                                                         \
	{ "INSERT OR REPLACE INTO setting (scope, name, value)"                                    \
	  " VALUES ('store', 'running', '" value "')", false }

static const struct record_step steps_station[RECORD_STEPS_MAX + 1] = {
	{ "INSERT OR REPLACE INTO setting (scope, name, value)"
	  " VALUES ('store', 'station', " J("station") ")", false },
};

static const struct record_step steps_start[RECORD_STEPS_MAX + 1] = {
	{ "UPDATE port SET crashes = 0 WHERE crashes > 0 AND NOT (port IN"
	  " (SELECT port FROM attempt WHERE end_seq IS NULL) AND EXISTS (SELECT 1 FROM setting"
	  " WHERE scope = 'store' AND name = 'running' AND value = '1'))", false },
	SET_RUNNING("1"),
};

static const struct record_step steps_stop[RECORD_STEPS_MAX + 1] = {
	SET_RUNNING("0"),
};

static const struct record_step steps_begin[RECORD_STEPS_MAX + 1] = {
	STEP_BOOT,
	{ "INSERT OR IGNORE INTO image (name, version, sha256) VALUES ("
	  " ifnull(" J("firmware") ", ''), ifnull(" J("version") ", ''),"
	  " ifnull(" J("sha256") ", ''))", false },
	{ "INSERT INTO segment (id) SELECT s.last + 1 FROM (SELECT max(id) AS last FROM segment) s"
	  " WHERE " J("at") " < (SELECT started_ms FROM attempt ORDER BY id DESC LIMIT 1)"
	  " AND NOT EXISTS (SELECT 1 FROM attempt WHERE id = " J("id") ")", false },
	STEP_NEW_DRONE,
	{ "INSERT OR IGNORE INTO attempt (id, begin_seq, segment, started_ms, started_mono_ms,"
	  " started_boot, started_sync, drone, kind, port, label, serial, dfu_serial, platform,"
	  " image, version_before, flags, target, radio_before, batch, signer)"
	  " VALUES (" J("id") ", ?1, (SELECT max(id) FROM segment),"
	  " " J("at") ", " J("mono") ", " THIS_BOOT ", " J("sync") ", " NOTED_DRONE ","
	  " " J("kind") ", " J("port") ", " J("label") ", " J("serial") ", " J("dfu_serial") ","
	  " " J("platform") ", (SELECT id FROM image WHERE name = ifnull(" J("firmware") ", '')"
	  " AND version = ifnull(" J("version") ", '') AND sha256 = ifnull(" J("sha256") ", '')),"
	  " " J("version_before") ", " J("flags") ", " J("target") ", " J("radio_before") ","
	  " " J("batch") ", " J("signer") ")",
	  true },
	{ "INSERT INTO port (port, label) VALUES (" J("port") ", " J("label") ")"
	  " ON CONFLICT (port) DO UPDATE SET label = coalesce(excluded.label, label)", false },
	{ "UPDATE drone SET last_ms = " J("at") ", last_attempt = " J("id") ","
	  " dfu_serial = coalesce(dfu_serial, " J("dfu_serial") ")"
	  " WHERE id = (SELECT drone FROM attempt WHERE id = " J("id") ")", false },
};

static const struct record_step steps_end[RECORD_STEPS_MAX + 1] = {
	STEP_BOOT,
	{ "UPDATE attempt SET end_seq = ?1, ended_ms = " J("at") ", ended_mono_ms = " J("mono") ","
	  " ended_boot = " THIS_BOOT ", ended_sync = " J("sync") ","
	  " " END_VALUES(SET_VALUE) "crash = " J("crash") ","
	  " drone = coalesce(drone, " NOTED_DRONE ")"
	  " WHERE id = " J("id") " AND end_seq IS NULL", true },
	{ "INSERT INTO tally (verdict, n) VALUES (" J("verdict") ", 1)"
	  " ON CONFLICT (verdict) DO UPDATE SET n = n + 1", false },
	{ "UPDATE port SET failures = CASE " J("port_count") " WHEN 1 THEN failures + 1"
	  " WHEN 2 THEN 0 ELSE failures END,"
	  " crashes = CASE " J("crash") " WHEN 1 THEN crashes + 1 ELSE 0 END"
	  " WHERE port = (SELECT port FROM attempt WHERE id = " J("id") ")", false },
	{ "UPDATE drone SET failures = CASE " J("drone_count") " WHEN 1 THEN failures + 1"
	  " WHEN 2 THEN 0 ELSE failures END,"
	  " last_verdict = CASE WHEN a.other THEN last_verdict ELSE a.verdict END,"
	  " last_image = CASE WHEN a.other THEN last_image ELSE a.image END,"
	  " version = coalesce(a.version_after, version), last_ms = " J("at")
	  " FROM (SELECT drone, verdict, image, version_after, kind IN ('deck', 'eeprom') AS other"
	  " FROM attempt WHERE id = " J("id") ") a"
	  " WHERE drone.id = a.drone", false },
	{ "INSERT OR IGNORE INTO drone_failure (drone, port) SELECT a.drone, a.port FROM attempt a"
	  " WHERE a.id = " J("id") " AND " J("drone_count") " = 1 AND a.drone IS NOT NULL"
	  " AND (SELECT count(*) FROM drone_failure f WHERE f.drone = a.drone) < 8", false },
	{ "DELETE FROM drone_failure WHERE " J("drone_count") " = 2"
	  " AND drone = (SELECT drone FROM attempt WHERE id = " J("id") ")", false },
};

/* The first four make one drone of two: one known by its run-time serial, and one that was met only
 * in DFU mode until now. */
static const struct record_step steps_drone[RECORD_STEPS_MAX + 1] = {
	{ "UPDATE attempt SET drone = " NAMED " WHERE drone = " NAMELESS
	  " AND " NAMED " IS NOT NULL", false },
	{ "DELETE FROM drone_failure WHERE drone = " NAMELESS " AND " NAMED " IS NOT NULL", false },
	{ "UPDATE drone SET first_ms = min(drone.first_ms, y.first_ms),"
	  " aside_ms = coalesce(drone.aside_ms, y.aside_ms),"
	  " aside_why = coalesce(drone.aside_why, y.aside_why),"
	  " loader_sha256 = coalesce(drone.loader_sha256, y.loader_sha256),"
	  " board_type = coalesce(drone.board_type, y.board_type)"
	  " FROM (SELECT * FROM drone WHERE id = " NAMELESS ") y WHERE drone.id = " NAMED, false },
	{ "DELETE FROM drone WHERE id = " NAMELESS " AND " NAMED " IS NOT NULL", false },
	STEP_NEW_DRONE,
	{ "UPDATE drone SET serial = coalesce(serial, " J("serial") "),"
	  " dfu_serial = coalesce(" J("dfu_serial") ", dfu_serial),"
	  " platform = coalesce(" J("platform") ", platform),"
	  " device_type = coalesce(" J("device_type") ", device_type),"
	  " board_type = coalesce(" J("board_type") ", board_type),"
	  " loader_sha256 = coalesce(" J("loader_sha256") ", loader_sha256),"
	  " version = coalesce(" J("version") ", version),"
	  " quirks = nullif(coalesce(" J("quirks") ", quirks), ''),"
	  " nrf_version = coalesce(" J("nrf_version") ", nrf_version),"
	  " radio = coalesce(" J("radio") ", radio), decks = coalesce(" J("decks") ", decks),"
	  " last_ms = " J("at")
	  " WHERE id = " NOTED_DRONE, false },
};

static const struct record_step steps_drone_quarantine[RECORD_STEPS_MAX + 1] = {
	{ "DELETE FROM drone_failure WHERE " J("why") " IS NULL AND drone IN (SELECT id FROM drone"
	  " WHERE serial = " J("serial") " OR dfu_serial = " J("serial") ")", false },
	{ "UPDATE drone SET aside_ms = CASE WHEN " J("why") " IS NOT NULL THEN " J("at") " END,"
	  " aside_why = " J("why") ","
	  " failures = CASE WHEN " J("why") " IS NULL THEN 0 ELSE failures END"
	  " WHERE serial = " J("serial") " OR dfu_serial = " J("serial"), false },
};

static const struct record_step steps_port_quarantine[RECORD_STEPS_MAX + 1] = {
	{ "INSERT INTO port (port, aside_ms, aside_why) VALUES (" J("port") ","
	  " CASE WHEN " J("why") " IS NOT NULL THEN " J("at") " END, " J("why") ")"
	  " ON CONFLICT (port) DO UPDATE SET aside_ms = excluded.aside_ms,"
	  " aside_why = excluded.aside_why,"
	  " failures = CASE WHEN excluded.aside_why IS NULL THEN 0 ELSE failures END,"
	  " crashes = CASE WHEN excluded.aside_why IS NULL THEN 0 ELSE crashes END", false },
};

static const struct record_step steps_firmware[RECORD_STEPS_MAX + 1] = {
	{ "INSERT INTO firmware (" FIRMWARE_VALUES(COLUMN) "name, added_ms, incomplete)"
	  " VALUES (" FIRMWARE_VALUES(VALUE) J("name") ", " J("at") ","
	  " coalesce(" J("incomplete") ", 0)) ON CONFLICT (name) DO UPDATE SET"
	  " " FIRMWARE_VALUES(EXCLUDED) "added_ms = excluded.added_ms,"
	  " incomplete = excluded.incomplete", false },
};

static const struct record_step steps_firmware_gone[RECORD_STEPS_MAX + 1] = {
	{ "DELETE FROM firmware WHERE name = " J("name"), true },
	{ "DELETE FROM part WHERE firmware = " J("name"), false },
};

static const struct record_step steps_part[RECORD_STEPS_MAX + 1] = {
	{ "INSERT INTO part (" PART_VALUES(COLUMN) "firmware, target, type)"
	  " VALUES (" PART_VALUES(VALUE) J("firmware") ", " J("target") ", " J("type") ")"
	  " ON CONFLICT (firmware, target, type) DO UPDATE SET " PART_VALUES(EXCLUDED)
	  "type = excluded.type", false },
};

static const struct record_step steps_setting[RECORD_STEPS_MAX + 1] = {
	{ "DELETE FROM setting WHERE scope = " J("scope") " AND name = " J("name")
	  " AND " J("value") " IS NULL", false },
	{ "INSERT OR REPLACE INTO setting (scope, name, value)"
	  " SELECT " J("scope") ", " J("name") ", " J("value")
	  " WHERE " J("value") " IS NOT NULL", false },
};

static const struct record_step steps_act[RECORD_STEPS_MAX + 1] = {
	{ "INSERT INTO act (seq, at_ms, uid, pid, user, method, arguments) VALUES (?1, " J("at") ","
	  " " J("uid") ", " J("pid") ", " J("user") ", " J("method") ","
	  " " J("arguments") ")", false },
};

static const struct record_step steps_condition[RECORD_STEPS_MAX + 1] = {
	{ "UPDATE attempt SET condition_seq = ?1 WHERE id = " J("id"), true },
};

static const struct record_step steps_batch[RECORD_STEPS_MAX + 1] = {
	{ "INSERT OR IGNORE INTO batch (id, begin_seq, name, started_ms, started_by, expect,"
	  " canary, stop_after) VALUES (" J("batch") ", ?1, " J("name") ", " J("at") ","
	  " " J("started_by") ", " J("expect") ", " J("canary") ", " J("stop_after") ")", true },
};

static const struct record_step steps_batch_stop[RECORD_STEPS_MAX + 1] = {
	{ "UPDATE batch SET stopped = " J("why") ","
	  " resumed_seq = CASE WHEN " J("why") " IS NULL THEN ?1 ELSE resumed_seq END"
	  " WHERE id = " J("batch"), false },
};

static const struct record_step steps_batch_end[RECORD_STEPS_MAX + 1] = {
	{ "UPDATE batch SET end_seq = ?1, ended_ms = " J("at")
	  " WHERE id = " J("batch") " AND end_seq IS NULL", true },
};

static const struct record_step steps_none[RECORD_STEPS_MAX + 1] = { { NULL, false } };

static const char body_of_begin[] =
	"SELECT a.id AS id, a.started_ms AS at, a.started_mono_ms AS mono, b.name AS boot,"
	" a.started_sync AS sync, a.kind AS kind, a.port AS port, a.label AS label,"
	" a.serial AS serial, a.dfu_serial AS dfu_serial, a.platform AS platform,"
	" nullif(i.name, '') AS firmware, nullif(i.version, '') AS version,"
	" nullif(i.sha256, '') AS sha256, a.version_before AS version_before, a.flags AS flags,"
	" a.target AS target, a.radio_before AS radio_before, a.batch AS batch, a.signer AS signer"
	" FROM attempt a LEFT JOIN boot b ON b.id = a.started_boot"
	" LEFT JOIN image i ON i.id = a.image WHERE a.id = ?1";

static const char body_of_end[] =
	"SELECT a.id AS id, a.ended_ms AS at, a.ended_mono_ms AS mono, b.name AS boot,"
	" a.ended_sync AS sync, " END_VALUES(SELECT_VALUE)
	"a.crash AS crash FROM attempt a LEFT JOIN boot b ON b.id = a.ended_boot"
	" WHERE a.id = ?1 AND a.end_seq IS NOT NULL";

/* clang-format on */

/* Names are stored and hashed: append only. */
static const struct {
	const char *name;
	const struct record_step *steps;
	const char *body_sql;
} kinds[] = {
	[RECORD_STATION] = { "station", steps_station, NULL },
	[RECORD_START] = { "start", steps_start, NULL },
	[RECORD_STOP] = { "stop", steps_stop, NULL },
	[RECORD_BEGIN] = { "begin", steps_begin, body_of_begin },
	[RECORD_END] = { "end", steps_end, body_of_end },
	[RECORD_DRONE] = { "drone", steps_drone, NULL },
	[RECORD_DRONE_QUARANTINE] = { "drone-aside", steps_drone_quarantine, NULL },
	[RECORD_PORT_QUARANTINE] = { "port-aside", steps_port_quarantine, NULL },
	[RECORD_FIRMWARE] = { "firmware", steps_firmware, NULL },
	[RECORD_FIRMWARE_GONE] = { "firmware-gone", steps_firmware_gone, NULL },
	[RECORD_SETTING] = { "setting", steps_setting, NULL },
	[RECORD_ACT] = { "act", steps_act, NULL },
	[RECORD_CONDITION] = { "condition", steps_condition, NULL },
	[RECORD_PART] = { "part", steps_part, NULL },
	[RECORD_BATCH] = { "batch", steps_batch, NULL },
	[RECORD_BATCH_STOP] = { "batch-stop", steps_batch_stop, NULL },
	[RECORD_BATCH_END] = { "batch-end", steps_batch_end, NULL },
	[RECORD_LOST] = { "lost", steps_none, NULL },
};
_Static_assert(ARRAY_LEN(kinds) == RECORD_KIND_COUNT, "every kind is described");

const char *
record_kind_name(enum record_kind k)
{
	assert(k < RECORD_KIND_COUNT);
	return kinds[k].name;
}

enum record_kind
record_kind_by_name(const char *name, size_t size)
{
	size_t k = 0;

	while (k < RECORD_KIND_COUNT &&
	       (strlen(kinds[k].name) != size || memcmp(kinds[k].name, name, size) != 0))
		k++;
	return (enum record_kind)k;
}

bool
record_keeps_body(enum record_kind k)
{
	assert(k < RECORD_KIND_COUNT);
	return kinds[k].body_sql == NULL;
}

const struct record_step *
record_steps(enum record_kind k)
{
	assert(k < RECORD_KIND_COUNT);
	return kinds[k].steps;
}

const char *
record_body_sql(enum record_kind k)
{
	assert(k < RECORD_KIND_COUNT);
	return kinds[k].body_sql;
}
