/* SPDX-License-Identifier: MIT */
/* The statements that read, and those that frame the ones that write: DB_QUERIES(), for db.h. */
#ifndef STORE_DB_QUERIES_H
#define STORE_DB_QUERIES_H

#include "store/schema.h"

/* The statements are laid out by hand. */
/* clang-format off */
#define ATTEMPT_COLUMNS ATTEMPT_COLUMNS_WITH("a.condition_seq")
#define ATTEMPT_COLUMNS_WITH(condition)                                                            \
	"a.id, a.started_ms, a.ended_ms,"                                                          \
	" a.kind, a.port, a.label, coalesce(a.late_serial, a.serial),"                             \
	" coalesce(a.late_dfu_serial, a.dfu_serial), coalesce(a.late_platform, a.platform),"       \
	" nullif(i.name, ''), nullif(i.version, ''), nullif(i.sha256, ''),"                        \
	" coalesce(a.late_version_before, a.version_before), a.version_after,"                     \
	" a.verdict, a.fault, a.class, a.step, a.address,"                                         \
	" a.bytes_written, a.sectors_erased, a.transfers,"                                         \
	" CASE WHEN a.started_boot IS a.ended_boot AND a.ended_mono_ms >= a.started_mono_ms"       \
	" THEN a.ended_mono_ms - a.started_mono_ms END, a.message,"                                \
	" CASE WHEN a.flags IS NULL OR a.end_flags IS NULL THEN coalesce(a.flags, a.end_flags)"    \
	" ELSE a.flags || ' ' || a.end_flags END, a.started_sync,"                                 \
	" coalesce(a.target, 'stm32'), a.radio_before, a.begin_seq, " condition ","             \
	" (SELECT name FROM batch WHERE id = a.batch), a.signer"

/*
 * One form for every filter.  ?1 serial, ?2 slot, ?3 verdict, ?4 since, ?5 until, ?6 before_id;
 * ?7 and ?8: segment and start of the attempt before_id (or the last ones there are); ?9 drone;
 * ?10 kind, ?11 batch.  The last column says whether the row is wanted: reading can stop at any
 * row and go on behind it.
 * WHY: segments newest first, and in each the index of the driving columns newest first, is exactly
 * the order of ids; so nothing is sorted, and nothing before the wanted time or cursor is passed.
 */
#define WANTED                                                                                     \
	"(?1 IS NULL OR coalesce(a.late_serial, a.serial) = ?1 COLLATE NOCASE"                     \
	" OR coalesce(a.late_dfu_serial, a.dfu_serial) = ?1 COLLATE NOCASE"                        \
	" OR a.drone IN (SELECT id FROM drone WHERE serial = ?1 OR dfu_serial = ?1))"              \
	" AND (?2 IS NULL OR a.port = ?2 OR a.label = ?2)"                                         \
	" AND (?3 IS NULL OR a.verdict = ?3)"                                                      \
	" AND (?10 IS NULL OR a.kind = ?10)"                                                       \
	" AND (?11 = 0 OR a.batch = ?11)"
#define HISTORY(driver)                                                                            \
	"SELECT " ATTEMPT_COLUMNS ", " WANTED " FROM segment s CROSS JOIN attempt a"               \
	" ON a.segment = s.id AND " driver " a.started_ms >= ?4"                                   \
	" AND a.started_ms <= CASE WHEN s.id = ?7 THEN min(?5 - 1, ?8) ELSE ?5 - 1 END"            \
	" LEFT JOIN image i ON i.id = a.image"                                                     \
	" WHERE s.id <= ?7 AND a.id < ?6"                                                          \
	" ORDER BY s.id DESC, a.started_ms DESC, a.id DESC"

#define DRONE_COLUMNS                                                                              \
	"d.id, d.serial, d.dfu_serial, d.platform, d.device_type, d.board_type, d.loader_sha256,"  \
	" d.version, d.quirks, d.first_ms, d.last_ms, d.last_attempt, d.last_verdict,"             \
	" nullif(i.name, ''), nullif(i.sha256, ''), d.failures,"                                   \
	" (SELECT group_concat(port, ' ') FROM drone_failure f WHERE f.drone = d.id),"             \
	" (SELECT count(*) FROM drone_failure f WHERE f.drone = d.id),"                            \
	" d.aside_ms, d.aside_why,"                                                                \
	" d.dfu_serial IS NOT NULL AND EXISTS (SELECT 1 FROM drone o"                              \
	" WHERE o.dfu_serial = d.dfu_serial AND o.id <> d.id),"                                    \
	" d.nrf_version, d.radio, d.decks"                                                         \
	" FROM drone d LEFT JOIN image i ON i.id = d.last_image"

#define PORT_COLUMNS "port, label, failures, crashes, aside_ms, aside_why FROM port"

/* The last one: the head of the chain at its end; now, while it runs. */
#define BATCH_COLUMNS                                                                              \
	"b.id, b.name, b.started_by, b.expect, b.canary, b.stop_after, b.started_ms, b.ended_ms,"  \
	" b.stopped, lower(hex((SELECT hash FROM record WHERE seq ="                \
	" ifnull(b.end_seq, (SELECT max(seq) FROM record))))) FROM batch b"
#define FLAGS "(ifnull(flags, '') || ifnull(end_flags, ''))"
#define FLASHED_IN "FROM attempt WHERE batch = ?1 AND kind = 'flash'"

#define FIRMWARE_COLUMNS                                                                           \
	"name, sha256, file, file_sha256, source_name, source_sha256, version, revision,"          \
	" platforms, size_bytes, notes, added_ms, added_by, incomplete, signer FROM firmware"

#define INDEXED(name, same)                                                                        \
	"EXISTS (SELECT 1 FROM attempt t INDEXED BY attempt_" name                                 \
	" WHERE t.segment = a.segment AND t.started_ms = a.started_ms AND t.id = a.id AND " same ")"
#define SAME_VERDICT "t.verdict = a.verdict"

/* Name and text; prepared once, when the database is opened. */
#define DB_QUERIES(Q) \
	Q(BEGIN, "BEGIN IMMEDIATE") \
	Q(COMMIT, "COMMIT") \
	Q(ROLLBACK, "ROLLBACK") \
	Q(SAVEPOINT, "SAVEPOINT one") \
	Q(RELEASE, "RELEASE one") \
	Q(UNDO, "ROLLBACK TO one") \
	Q(ADD_RECORD, "INSERT INTO record (seq, kind, ref, prev_hash, hash, body)" \
		" VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6)") \
	Q(LAST_RECORD, "SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1") \
	Q(RECORD, "SELECT kind, ref, prev_hash, hash, body FROM record WHERE seq = ?1") \
	Q(HASH, "SELECT hash FROM record WHERE seq = ?1") \
	Q(NEXT_ID, "SELECT ifnull(max(id), 0) + 1 FROM attempt") \
	/* the index alone is not believed: what it names is asked of the row */ \
	Q(OPEN_IDS, "SELECT a.id FROM attempt o CROSS JOIN attempt a NOT INDEXED ON a.id = o.id" \
		" WHERE o.end_seq IS NULL AND a.end_seq IS NULL ORDER BY o.id LIMIT ?1") \
	Q(INDEXED, "SELECT " INDEXED("time", "1") " AND " INDEXED("drone", "t.drone IS a.drone") \
		" AND " INDEXED("port", "t.port = a.port") \
		" AND (a.label IS NULL OR " INDEXED("label", "t.label = a.label") ")" \
		" AND (a.verdict IS NULL OR (" INDEXED("verdict", SAME_VERDICT) \
		" AND " INDEXED("drone_verdict", SAME_VERDICT " AND t.drone IS a.drone") \
		" AND " INDEXED("port_verdict", SAME_VERDICT " AND t.port = a.port") \
		" AND (a.label IS NULL OR " \
		INDEXED("label_verdict", SAME_VERDICT " AND t.label = a.label") ")))" \
		" AND (a.batch IS NULL OR " INDEXED("batch", "t.batch = a.batch") ")" \
		" AND (a.end_seq IS NOT NULL OR EXISTS (SELECT 1 FROM attempt t" \
		" INDEXED BY attempt_open WHERE t.end_seq IS NULL AND t.id = a.id))" \
		" FROM attempt a WHERE a.id = ?1") \
	Q(SETTING, "SELECT value FROM setting WHERE scope = ?1 AND name = ?2") \
	Q(SETTINGS, "SELECT name, value FROM setting WHERE scope = ?1 ORDER BY name") \
	Q(HISTORY, HISTORY("")) \
	Q(HISTORY_DRONE, HISTORY("a.drone = ?9 AND")) \
	Q(HISTORY_DRONE_VERDICT, HISTORY("a.drone = ?9 AND a.verdict = ?3 AND")) \
	/* of the few drones that share a serial: their ids are sorted, out of the index alone */ \
	Q(HISTORY_DRONES, \
		"SELECT " ATTEMPT_COLUMNS ", " WANTED " FROM (SELECT h.id AS id FROM attempt h" \
		" WHERE h.drone IN (SELECT id FROM drone WHERE serial = ?1 OR dfu_serial = ?1)" \
		" AND h.segment <= ?7 AND h.started_ms >= ?4 AND h.started_ms < ?5 AND h.id < ?6" \
		" ORDER BY h.id DESC) c CROSS JOIN attempt a ON a.id = c.id" \
		" LEFT JOIN image i ON i.id = a.image ORDER BY c.id DESC") \
	Q(HISTORY_PORT, HISTORY("a.port = ?2 AND")) \
	Q(HISTORY_PORT_VERDICT, HISTORY("a.port = ?2 AND a.verdict = ?3 AND")) \
	Q(HISTORY_LABEL, HISTORY("a.label = ?2 AND")) \
	Q(HISTORY_LABEL_VERDICT, HISTORY("a.label = ?2 AND a.verdict = ?3 AND")) \
	Q(HISTORY_VERDICT, HISTORY("a.verdict = ?3 AND")) \
	Q(HISTORY_BATCH, HISTORY("a.batch = ?11 AND")) \
	Q(HISTORY_RUNNING, \
		"SELECT " ATTEMPT_COLUMNS ", (?1 IS NULL OR a.serial = ?1 COLLATE NOCASE" \
		" OR a.dfu_serial = ?1 COLLATE NOCASE)" \
		" AND (?2 IS NULL OR a.port = ?2 OR a.label = ?2)" \
		" AND (?11 = 0 OR a.batch = ?11)" \
		" FROM attempt a LEFT JOIN image i ON i.id = a.image" \
		" WHERE a.end_seq IS NULL AND a.id < ?6" \
		" AND a.started_ms >= ?4 AND a.started_ms < ?5 ORDER BY a.id DESC") \
	Q(ATTEMPT, "SELECT " ATTEMPT_COLUMNS \
		" FROM attempt a LEFT JOIN image i ON i.id = a.image WHERE a.id = ?1") \
	/* ?1, ?2: the records of its beginning and of its condition */ \
	Q(RECORDS_OF, "SELECT " SCHEMA_UUID("b.hash") ", json_extract(c.body, '$.condition')" \
		" FROM record b LEFT JOIN record c ON c.seq = ?2 WHERE b.seq = ?1") \
	Q(CONDITION, "SELECT c.body FROM attempt a JOIN record c ON c.seq = a.condition_seq" \
		" WHERE a.id = ?1") \
	/* an attempt that shows an older condition than this record's, or none */ \
	Q(CONDITION_LOST, "SELECT 1 FROM attempt WHERE id = ?1 AND ifnull(condition_seq, 0) < ?2") \
	Q(STAGES, "SELECT json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]')" \
		" FROM attempt a, json_each(a.stages) e WHERE a.id = ?1") \
	/* records behind ?1; of a condition behind the ending, the attempt with that condition */ \
	Q(ENDINGS, "SELECT " ATTEMPT_COLUMNS_WITH( \
		"iif(r.seq > a.end_seq, r.seq, a.condition_seq)") ", a.id IS NOT NULL," \
		" r.seq, lower(hex(r.hash)), r.seq > a.end_seq FROM record r LEFT JOIN attempt a" \
		" ON a.id = CASE r.kind WHEN 'end' THEN r.ref" \
		" WHEN 'condition' THEN json_extract(r.body, '$.id') END" \
		" AND (r.seq = a.end_seq OR (r.kind = 'condition' AND r.seq > a.end_seq))" \
		" LEFT JOIN image i ON i.id = a.image WHERE r.seq > ?1 ORDER BY r.seq") \
	Q(CHAIN, "SELECT (SELECT value FROM setting WHERE scope = 'store' AND name = 'station')," \
		" lower(hex((SELECT hash FROM record WHERE seq = ?1)))," \
		" (SELECT max(seq) FROM record), (SELECT sum(n) FROM tally)") \
	Q(PLACE, "SELECT segment, started_ms FROM attempt WHERE id < ?1" \
		" ORDER BY id DESC LIMIT 1") \
	Q(DRONES_WITH, "SELECT min(id), count(*) FROM drone" \
		" WHERE serial = ?1 OR dfu_serial = ?1") \
	Q(PORT_KNOWN, "SELECT 1 FROM attempt WHERE port = ?1 LIMIT 1") \
	Q(FACTS, "SELECT id, started_ms, drone, image, batch," \
		" CASE WHEN kind = 'flash' THEN verdict_code END, fault_code, port," \
		" bytes_written, stages FROM attempt WHERE id > ?1 ORDER BY id") \
	Q(NAMED_DRONE, "SELECT coalesce(serial, dfu_serial), NULL FROM drone WHERE id = ?1") \
	Q(NAMED_IMAGE, "SELECT sha256, name FROM image WHERE id = ?1") \
	Q(NAMED_BATCH, "SELECT name, name FROM batch WHERE id = ?1") \
	Q(INTERRUPTED, \
		"SELECT a.kind, a.port, a.serial, coalesce(a.dfu_serial, d.dfu_serial)," \
		" a.platform, nullif(i.name, ''), nullif(i.sha256, ''), a.flags, p.crashes" \
		" FROM attempt a LEFT JOIN image i ON i.id = a.image" \
		" LEFT JOIN drone d ON d.id = a.drone LEFT JOIN port p ON p.port = a.port" \
		" WHERE a.id = ?1") \
	Q(DRONE, "SELECT " DRONE_COLUMNS " WHERE d.id = coalesce(" \
		"(SELECT id FROM drone WHERE serial = ?1), (SELECT min(id) FROM drone" \
		" WHERE dfu_serial = ?2 AND (serial IS NULL OR ?1 IS NULL)))") \
	Q(DRONES_FROM, "SELECT serial, dfu_serial FROM drone WHERE serial >= ?1 AND serial < ?2" \
		" UNION SELECT serial, dfu_serial FROM drone" \
		" WHERE dfu_serial >= ?1 AND dfu_serial < ?2 LIMIT ?3") \
	Q(PORTS, "SELECT " PORT_COLUMNS " ORDER BY port") \
	Q(FIRMWARE, "SELECT " FIRMWARE_COLUMNS " WHERE name = ?1") \
	Q(FIRMWARES, "SELECT " FIRMWARE_COLUMNS " ORDER BY id") \
	Q(PARTS, "SELECT firmware, target, type, version, soft_device, file, file_sha256," \
		" size_bytes, signer FROM part WHERE ?1 IS NULL OR firmware = ?1 ORDER BY id") \
	Q(FIRMWARE_USE, "SELECT 1 FROM setting" \
		" WHERE scope IN ('selected', 'own') AND value = ?1") \
	Q(BATCHES, "SELECT " BATCH_COLUMNS " WHERE ?1 IS NULL OR b.name = ?1 ORDER BY b.id DESC") \
	Q(BATCH_NEXT, "SELECT ifnull(max(id), 0) + 1, sum(name = ?1), sum(ended_ms IS NULL)" \
		" FROM batch") \
	/* of each drone its first and last ending */ \
	Q(BATCH_COUNTS, "SELECT count(*), sum(l.verdict IN ('pass', 'unchanged'))," \
		" sum(l.verdict IN ('pass', 'unchanged')" \
		" AND json_extract(c.body, '$.condition.ready') IS 'yes')," \
		" sum(l.verdict IN ('fail', 'needs-button', 'interrupted'))," \
		" sum(f.verdict IN ('pass', 'unchanged'))" \
		" FROM (SELECT min(id) AS first, max(id) AS last " FLASHED_IN \
		" AND verdict IS NOT NULL GROUP BY iif(" FLAGS " LIKE '%dup-serial%'" \
		" OR (coalesce(late_serial, serial) IS NULL AND " FLAGS " LIKE '%no-serial%')," \
		" port, ifnull(drone, port))) d" \
		" JOIN attempt f ON f.id = d.first JOIN attempt l ON l.id = d.last" \
		" LEFT JOIN record c ON c.seq = l.condition_seq") \
	/* A serial that others have, too, tells no drone from another. */ \
	Q(BATCH_ENDINGS, "SELECT iif(o.flags LIKE '%dup-serial%', ''," \
		" coalesce(a.late_serial, a.serial, ''))," \
		" iif(o.flags LIKE '%dup-serial%' OR o.flags LIKE '%no-serial%', ''," \
		" coalesce(a.late_dfu_serial, a.dfu_serial, '')), a.port, a.verdict_code," \
		" a.fault_code, a.step_code, json_extract(c.body, '$.condition.ready') IS 'yes'," \
		" ifnull(a.end_seq < b.resumed_seq, 0)" \
		" FROM (SELECT id AS id, ifnull(flags, '') || ifnull(end_flags, '') AS flags " \
		FLASHED_IN ") o JOIN attempt a ON a.id = o.id" \
		" JOIN batch b ON b.id = a.batch LEFT JOIN record c ON c.seq = a.condition_seq" \
		" ORDER BY a.end_seq IS NULL, a.end_seq") \
	Q(BATCH_PORTS, "SELECT DISTINCT port " FLASHED_IN) \
	Q(BATCH_ABSENT, "SELECT d.serial, d.dfu_serial, d.last_ms, a.port, a.label" \
		" FROM (SELECT * FROM drone" \
		" WHERE id NOT IN (SELECT drone " FLASHED_IN " AND drone IS NOT NULL)" \
		" ORDER BY last_ms DESC, id LIMIT ?2) d" \
		" LEFT JOIN attempt a ON a.id = d.last_attempt ORDER BY d.last_ms DESC, d.id") \
	Q(SAME_BATCH, "SELECT 1 FROM batch WHERE id IS json_extract(?2, '$.batch')" \
		" AND ((end_seq = ?1 AND ended_ms IS json_extract(?2, '$.at'))" \
		" OR (begin_seq = ?1 AND started_ms IS json_extract(?2, '$.at')" \
		" AND name IS json_extract(?2, '$.name')" \
		" AND started_by IS json_extract(?2, '$.started_by')" \
		" AND expect IS json_extract(?2, '$.expect')" \
		" AND canary IS json_extract(?2, '$.canary')" \
		" AND stop_after IS json_extract(?2, '$.stop_after')))") \
	Q(SAME_ACT, "SELECT 1 FROM act WHERE seq = ?1 AND at_ms IS json_extract(?2, '$.at')" \
		" AND uid IS json_extract(?2, '$.uid') AND pid IS json_extract(?2, '$.pid')" \
		" AND user IS json_extract(?2, '$.user')" \
		" AND method IS json_extract(?2, '$.method')" \
		" AND arguments IS json_extract(?2, '$.arguments')")
/* clang-format on */

#endif
