/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/schema.h"

#include "cfdfu/util.h"

/* The statements are laid out by hand. */
/* clang-format off */
/*
 * record: one row per line of the audit file.  body is kept where it cannot be made again from the
 * other tables.
 * attempt: columns of the beginning never change; those of the ending are set once, with end_seq.
 * segment: a new one begins whenever the wall clock was set back, so that within a segment the
 * order of started_ms is that of ids: one index serves "newest first" and "between two moments".
 */
static const char step_records[] =
	"CREATE TABLE record (\n"
	" seq INTEGER PRIMARY KEY,\n"
	" kind TEXT NOT NULL,\n"
	" ref INTEGER,\n"
	" prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),\n"
	" hash BLOB NOT NULL CHECK (length(hash) = 32),\n"
	" body TEXT) STRICT;\n"
	"CREATE TABLE boot (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;\n"
	"CREATE TABLE image (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,\n"
	" sha256 TEXT NOT NULL, UNIQUE (sha256, name, version)) STRICT;\n"
	"CREATE TABLE segment (id INTEGER PRIMARY KEY) STRICT;\n"
	"INSERT INTO segment (id) VALUES (0);\n"
	"CREATE TABLE drone (\n"
	" id INTEGER PRIMARY KEY,\n"
	" serial TEXT COLLATE NOCASE UNIQUE,\n"
	" dfu_serial TEXT COLLATE NOCASE,\n"
	" platform TEXT, device_type TEXT, board_type TEXT, loader_sha256 TEXT, version TEXT,\n"
	" quirks TEXT,\n"
	" first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,\n"
	" last_attempt INTEGER,\n"
	" last_verdict TEXT,\n"
	" last_image INTEGER REFERENCES image (id),\n"
	" failures INTEGER NOT NULL DEFAULT 0,\n"
	" aside_ms INTEGER, aside_why TEXT) STRICT;\n"
	"CREATE INDEX drone_dfu ON drone (dfu_serial) WHERE dfu_serial IS NOT NULL;\n"
	"CREATE TABLE drone_failure (\n"
	" drone INTEGER NOT NULL REFERENCES drone (id), port TEXT NOT NULL,\n"
	" PRIMARY KEY (drone, port)) STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE port (\n"
	" port TEXT PRIMARY KEY,\n"
	" label TEXT,\n"
	" failures INTEGER NOT NULL DEFAULT 0,\n"
	" crashes INTEGER NOT NULL DEFAULT 0,\n"
	" aside_ms INTEGER, aside_why TEXT) STRICT, WITHOUT ROWID;\n";

/* The view for other programs: columns are only ever added, at its end, by a step of their own. */
#define ATTEMPTS_VIEW \
	"CREATE VIEW attempts AS SELECT a.id AS id,\n" \
	" strftime('%Y-%m-%dT%H:%M:%S', a.started_ms / 1000, 'unixepoch')\n" \
	"  || printf('.%03dZ', a.started_ms % 1000) AS started_at,\n" \
	" strftime('%Y-%m-%dT%H:%M:%S', a.ended_ms / 1000, 'unixepoch')\n" \
	"  || printf('.%03dZ', a.ended_ms % 1000) AS ended_at,\n" \
	" a.port AS port, a.label AS label,\n" \
	" coalesce(a.late_serial, a.serial) AS serial,\n" \
	" coalesce(a.late_dfu_serial, a.dfu_serial) AS dfu_serial,\n" \
	" coalesce(a.late_platform, a.platform) AS platform,\n" \
	" nullif(i.name, '') AS firmware_name, nullif(i.version, '') AS firmware_version,\n" \
	" nullif(i.sha256, '') AS firmware_sha256,\n" \
	" coalesce(a.late_version_before, a.version_before) AS version_before,\n" \
	" a.version_after AS version_after,\n" \
	" a.verdict AS verdict, a.fault AS fault, a.step AS step, a.address AS address,\n" \
	" a.bytes_written AS bytes_written, a.sectors_erased AS sectors_erased,\n" \
	" a.transfers AS transfers,\n" \
	" CASE WHEN a.started_boot IS a.ended_boot AND a.ended_mono_ms >= a.started_mono_ms\n" \
	"  THEN a.ended_mono_ms - a.started_mono_ms END AS duration_ms,\n" \
	" a.message AS message\n"
#define ATTEMPTS_FROM " FROM attempt a LEFT JOIN image i ON i.id = a.image;\n"

static const char step_attempts[] =
	"CREATE TABLE attempt (\n"
	" id INTEGER PRIMARY KEY,\n"
	" begin_seq INTEGER NOT NULL,\n"
	" end_seq INTEGER,\n"
	" segment INTEGER NOT NULL REFERENCES segment (id),\n"
	" started_ms INTEGER NOT NULL, started_mono_ms INTEGER NOT NULL,\n"
	" started_boot INTEGER REFERENCES boot (id), started_sync INTEGER NOT NULL,\n"
	" drone INTEGER,\n"
	" kind TEXT NOT NULL,\n"
	" port TEXT NOT NULL,\n"
	" label TEXT, serial TEXT, dfu_serial TEXT, platform TEXT,\n"
	" image INTEGER REFERENCES image (id),\n"
	" version_before TEXT, flags TEXT,\n"
	" ended_ms INTEGER, ended_mono_ms INTEGER,\n"
	" ended_boot INTEGER REFERENCES boot (id), ended_sync INTEGER,\n"
	" verdict_code INTEGER, verdict TEXT,\n"
	" fault_code INTEGER, fault TEXT,\n"
	" class_code INTEGER, class TEXT,\n"
	" step_code INTEGER, step TEXT,\n"
	" address INTEGER, bytes_written INTEGER, sectors_erased INTEGER, transfers INTEGER,\n"
	" version_after TEXT, message TEXT, end_flags TEXT,\n"
	" late_serial TEXT, late_dfu_serial TEXT, late_platform TEXT, late_version_before TEXT,\n"
	" stages TEXT,\n"
	" port_count INTEGER, drone_count INTEGER, crash INTEGER,\n"
	" CHECK ((end_seq IS NULL) = (verdict IS NULL))) STRICT;\n"
	"CREATE INDEX attempt_time ON attempt (segment, started_ms);\n"
	"CREATE INDEX attempt_drone ON attempt (drone, segment, started_ms);\n"
	"CREATE INDEX attempt_port ON attempt (port, segment, started_ms);\n"
	"CREATE INDEX attempt_label ON attempt (label, segment, started_ms)\n"
	" WHERE label IS NOT NULL;\n"
	"CREATE INDEX attempt_verdict ON attempt (verdict, segment, started_ms)\n"
	" WHERE verdict IS NOT NULL;\n"
	"CREATE INDEX attempt_open ON attempt (id) WHERE end_seq IS NULL;\n"
	"CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt WHEN OLD.end_seq IS NOT NULL\n"
	" AND (NEW.end_seq IS NOT OLD.end_seq OR NEW.verdict IS NOT OLD.verdict)\n"
	" BEGIN SELECT RAISE(ABORT, 'an attempt has exactly one ending'); END;\n"
	"CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt\n"
	" BEGIN SELECT RAISE(ABORT, 'attempts are never deleted'); END;\n"
	"CREATE TABLE tally (verdict TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;\n"
	ATTEMPTS_VIEW ATTEMPTS_FROM;

static const char step_catalogue[] =
	"CREATE TABLE firmware (\n"
	" id INTEGER PRIMARY KEY,\n"
	" name TEXT NOT NULL UNIQUE,\n"
	" sha256 TEXT NOT NULL, file TEXT NOT NULL, file_sha256 TEXT,\n"
	" source_name TEXT, source_sha256 TEXT, version TEXT, revision TEXT,\n"
	" platforms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,\n"
	" notes TEXT, added_ms INTEGER NOT NULL, added_by TEXT) STRICT;\n"
	"CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,\n"
	" PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE act (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,\n"
	" uid INTEGER, pid INTEGER, user TEXT, method TEXT NOT NULL, arguments TEXT) STRICT;\n"
	"CREATE VIEW acts AS SELECT seq AS id,\n"
	" strftime('%Y-%m-%dT%H:%M:%S', at_ms / 1000, 'unixepoch')\n"
	"  || printf('.%03dZ', at_ms % 1000) AS at, at_ms, uid, pid, user, method, arguments\n"
	" FROM act;\n";

/* For a verdict that a drone, a port or a label had seldom or never, among a million of others. */
static const char step_verdicts[] =
	"CREATE INDEX attempt_drone_verdict ON attempt (drone, verdict, segment, started_ms)\n"
	" WHERE verdict IS NOT NULL;\n"
	"CREATE INDEX attempt_port_verdict ON attempt (port, verdict, segment, started_ms)\n"
	" WHERE verdict IS NOT NULL;\n"
	"CREATE INDEX attempt_label_verdict ON attempt (label, verdict, segment, started_ms)\n"
	" WHERE label IS NOT NULL AND verdict IS NOT NULL;\n";

static const char step_incomplete[] =
	"ALTER TABLE firmware ADD COLUMN incomplete INTEGER NOT NULL DEFAULT 0;\n";

/* Further columns of it, and where all are from; batch: the column of that name; last: those that a
 * later step has added. */
#define ATTEMPTS_MORE(batch, last) \
	", a.kind AS kind,\n" \
	batch " AS batch, json_extract(c.body, '$.condition.ready') AS ready,\n" \
	" coalesce(a.target, 'stm32') AS target, 'usb' AS path,\n" \
	" json_extract(c.body, '$.condition.nrf.version') AS nrf_version,\n" \
	" " SCHEMA_UUID("b.hash") " AS uuid" last "\n" \
	" FROM attempt a LEFT JOIN image i ON i.id = a.image\n" \
	" LEFT JOIN record b ON b.seq = a.begin_seq\n" \
	" LEFT JOIN record c ON c.seq = a.condition_seq"

static const char step_kinds[] =
	"DROP VIEW attempts;\n"
	ATTEMPTS_VIEW ", a.kind AS kind\n" ATTEMPTS_FROM;

/*
 * The whole drone.  target, radio_before: of the beginning; target NULL is the STM32.
 * condition_seq: the record that says last in which condition the attempt has left its drone (what
 * has more than one value over time stays in its records, which keep their body).
 */
static const char step_whole[] =
	"ALTER TABLE attempt ADD COLUMN target TEXT;\n"
	"ALTER TABLE attempt ADD COLUMN radio_before TEXT;\n"
	"ALTER TABLE attempt ADD COLUMN condition_seq INTEGER;\n"
	"ALTER TABLE drone ADD COLUMN nrf_version TEXT;\n"
	"ALTER TABLE drone ADD COLUMN radio TEXT;\n"
	"ALTER TABLE drone ADD COLUMN decks TEXT;\n"
	"DROP VIEW attempts;\n"
	ATTEMPTS_VIEW ATTEMPTS_MORE(" NULL", "") ";\n";

/* Parts of a release that DFU mode does not carry; gone with the firmware of that name. */
static const char step_parts[] =
	"CREATE TABLE part (\n"
	" id INTEGER PRIMARY KEY,\n"
	" firmware TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL,\n"
	" version TEXT, soft_device TEXT,\n"
	" file TEXT NOT NULL, file_sha256 TEXT, size_bytes INTEGER NOT NULL,\n"
	" UNIQUE (firmware, target, type)) STRICT;\n";

/*
 * batch: a named span of attempts.  stopped: why it starts no more; NULL: it does.  resumed_seq:
 * the record of its last resuming: failures that were recorded before do not count any more.
 */
static const char step_batches[] =
	"CREATE TABLE batch (\n"
	" id INTEGER PRIMARY KEY,\n"
	" name TEXT NOT NULL UNIQUE,\n"
	" begin_seq INTEGER NOT NULL, end_seq INTEGER,\n"
	" started_ms INTEGER NOT NULL, ended_ms INTEGER,\n"
	" started_by TEXT, expect INTEGER, canary INTEGER, stop_after INTEGER,\n"
	" stopped TEXT, resumed_seq INTEGER) STRICT;\n"
	"ALTER TABLE attempt ADD COLUMN batch INTEGER;\n"
	"CREATE INDEX attempt_batch ON attempt (batch, segment, started_ms)\n"
	" WHERE batch IS NOT NULL;\n"
	"DROP VIEW attempts;\n"
	ATTEMPTS_VIEW ATTEMPTS_MORE(" t.name", "")
	" LEFT JOIN batch t ON t.id = a.batch;\n";

/* The id of the key that signed the firmware; of an attempt, in its beginning; NULL: not signed. */
static const char step_signers[] =
	"ALTER TABLE firmware ADD COLUMN signer TEXT;\n"
	"ALTER TABLE part ADD COLUMN signer TEXT;\n"
	"ALTER TABLE attempt ADD COLUMN signer TEXT;\n"
	"DROP VIEW attempts;\n"
	ATTEMPTS_VIEW ATTEMPTS_MORE(" t.name", ", a.signer AS signer")
	" LEFT JOIN batch t ON t.id = a.batch;\n";

/* clang-format on */

const char *const schema_steps[] = { step_records,    step_attempts, step_catalogue, step_verdicts,
				     step_incomplete, step_kinds,    step_whole,     step_parts,
				     step_batches,    step_signers };
const size_t schema_step_count = ARRAY_LEN(schema_steps);
