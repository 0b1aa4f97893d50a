PRAGMA application_id = 1128678470;
PRAGMA user_version = 8;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE record (
 seq INTEGER PRIMARY KEY,
 kind TEXT NOT NULL,
 ref INTEGER,
 prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
 hash BLOB NOT NULL CHECK (length(hash) = 32),
 body TEXT) STRICT;
INSERT INTO record VALUES(1,'station',NULL,X'0000000000000000000000000000000000000000000000000000000000000000',X'1a8f57557e94c98ba6bfbb01b4ee7b83bdce70495f691644f5d3391fca949c33','{"station":"ca30a2998c53435b2f270e58285fe857","at":1796047882035,"mono":67717512,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(2,'start',NULL,X'1a8f57557e94c98ba6bfbb01b4ee7b83bdce70495f691644f5d3391fca949c33',X'bc1dad962698e572a674bd7393d150d6baaebfb5eb9822660557afb3119be832','{"at":1796047882035,"mono":67717512,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"schema":8}');
INSERT INTO record VALUES(3,'setting',NULL,X'bc1dad962698e572a674bd7393d150d6baaebfb5eb9822660557afb3119be832',X'98fd412e1eb1f40285c0572f407be91d5704e2f007ac3310039ae9a4fd64acf0','{"at":1796047882621,"mono":67718098,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"brake-since","value":"0"}');
INSERT INTO record VALUES(4,'firmware',NULL,X'98fd412e1eb1f40285c0572f407be91d5704e2f007ac3310039ae9a4fd64acf0',X'7a60a103ea109f83c708f03a3f7b81b5d517f97673348da24828be9ed441e3be','{"at":1796047882696,"mono":67718173,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"name":"new","sha256":"b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62","file":"0e66a26ea705400558a9540885aab9191f2722812f85e534bc6c54e107544c77.dfu","file_sha256":"0e66a26ea705400558a9540885aab9191f2722812f85e534bc6c54e107544c77","source_name":"2025.12___size_61440.bin","source_sha256":"b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62","version":"2025.12","revision":"5da1cae4a365","platforms":2,"size_bytes":61440,"added_by":"root"}');
INSERT INTO record VALUES(5,'act',NULL,X'7a60a103ea109f83c708f03a3f7b81b5d517f97673348da24828be9ed441e3be',X'35c00f5ec708eb241258efeff696a2ff8cf3250b434583330bdac0da2b1d8065','{"at":1796047882739,"mono":67718217,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":24543,"user":"root","method":"AddFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\",\"source_name\":\"2025.12___size_61440.bin\",\"source_sha256\":\"b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62\",\"version\":\"2025.12\",\"notes\":[]}"}');
INSERT INTO record VALUES(6,'setting',NULL,X'35c00f5ec708eb241258efeff696a2ff8cf3250b434583330bdac0da2b1d8065',X'695297a9d3bfb23f01c70bdc0d2145e1dd65de255c9bca42c21b487e9e50c626','{"at":1796047882776,"mono":67718253,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"selected","name":"cf2","value":"new"}');
INSERT INTO record VALUES(7,'act',NULL,X'695297a9d3bfb23f01c70bdc0d2145e1dd65de255c9bca42c21b487e9e50c626',X'd4098ecf8e551b891af356720b088ad843d93fee928fae877fc167881dcbca60','{"at":1796047882794,"mono":67718271,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":24547,"user":"root","method":"SelectFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\"}"}');
INSERT INTO record VALUES(8,'setting',NULL,X'd4098ecf8e551b891af356720b088ad843d93fee928fae877fc167881dcbca60',X'f866a442775002646eaa9eaae840999ac2238e94dac4317fd309077f7a6b8f9b','{"at":1796047882957,"mono":67718434,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"bus 1","value":"platform-sim_hcd.1"}');
INSERT INTO record VALUES(9,'begin',1,X'f866a442775002646eaa9eaae840999ac2238e94dac4317fd309077f7a6b8f9b',X'cfd5b8219415fd61cf8ba7001359d061bb640021b9c1117c3491a9a15f63fe18',NULL);
INSERT INTO record VALUES(10,'drone',NULL,X'cfd5b8219415fd61cf8ba7001359d061bb640021b9c1117c3491a9a15f63fe18',X'dffa329fbdc3a48004194371d98ce12187bf26cfbf9c668b7df02dc5d5dec394','{"at":1796047884695,"mono":67720172,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"330041000A51353432343630","dfu_serial":"307734653435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(11,'end',1,X'dffa329fbdc3a48004194371d98ce12187bf26cfbf9c668b7df02dc5d5dec394',X'b46137fefa0644fff5d2ce14cba78318dec2e4a40f55e3c8982f3b369fe967f9',NULL);
INSERT INTO record VALUES(12,'begin',2,X'b46137fefa0644fff5d2ce14cba78318dec2e4a40f55e3c8982f3b369fe967f9',X'b006f7a01def5f5da96d5cd5a00c55ffff86f6e9530af25b4aaf01ff0bac94b8',NULL);
INSERT INTO record VALUES(13,'drone',NULL,X'b006f7a01def5f5da96d5cd5a00c55ffff86f6e9530af25b4aaf01ff0bac94b8',X'f6e51bfac91731a8606f4789c02e9ee57c95c5240badb50ba88f73be11505d7c','{"at":1796047885431,"mono":67720909,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"440042000A51353432343630","dfu_serial":"307834763435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(14,'end',2,X'f6e51bfac91731a8606f4789c02e9ee57c95c5240badb50ba88f73be11505d7c',X'd351bf9b2484397d2321dbb8a9401919d055b008d5da7f319efa59f7964ee567',NULL);
INSERT INTO record VALUES(15,'drone',NULL,X'd351bf9b2484397d2321dbb8a9401919d055b008d5da7f319efa59f7964ee567',X'56ff8d2444ecfcaa663694cd8d2d0bb9ba22dae3f17a5fab9ba9a33cd47ede65','{"at":1796047886070,"mono":67721547,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"330041000A51353432343630","dfu_serial":"307734653435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","version":"2025.12","nrf_version":"2025.12","radio":"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"}","decks":"[]"}');
INSERT INTO record VALUES(16,'condition',NULL,X'56ff8d2444ecfcaa663694cd8d2d0bb9ba22dae3f17a5fab9ba9a33cd47ede65',X'f4002ce12d18cfe8c5279de6d5ffa95d16f2b1be616e64e1301213c39b01ccd6','{"id":1,"at":1796047886070,"mono":67721547,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"yes","ready_note":null,"remaining":[],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(17,'drone',NULL,X'f4002ce12d18cfe8c5279de6d5ffa95d16f2b1be616e64e1301213c39b01ccd6',X'e3b8769560f0a8eacf5f66666640843c691fd237bcaa89c25c81f5ac8d03cf48','{"at":1796047886785,"mono":67722262,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"440042000A51353432343630","dfu_serial":"307834763435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","version":"2025.12","nrf_version":"2025.12","radio":"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"}","decks":"[]"}');
INSERT INTO record VALUES(18,'condition',NULL,X'e3b8769560f0a8eacf5f66666640843c691fd237bcaa89c25c81f5ac8d03cf48',X'e49400ef0c166ced3e0125cb0bb8c80a4a90d88434d59006b91f26e7adca9e0c','{"id":2,"at":1796047886785,"mono":67722262,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"no","ready_note":null,"remaining":[{"what":"address","text":"Radio address and channel of 1-1, too: ''cfdfuctl drone set 1-2 --address A'' gives it its own."}],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(19,'condition',NULL,X'e49400ef0c166ced3e0125cb0bb8c80a4a90d88434d59006b91f26e7adca9e0c',X'c398bddba939fabca77d77ccad8aab9088cd24da1a330162b40ce9abaa99c785','{"id":1,"at":1796047886785,"mono":67722262,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"no","ready_note":null,"remaining":[{"what":"address","text":"Radio address and channel of 1-2, too: ''cfdfuctl drone set 1-1 --address A'' gives it its own."}],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(20,'begin',3,X'c398bddba939fabca77d77ccad8aab9088cd24da1a330162b40ce9abaa99c785',X'84a2861027bf1cbfe1595ddc6f2823fc79cad74f28f975bebe9d86acf1bbc1d5',NULL);
CREATE TABLE boot (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO boot VALUES(1,'cd315961-d2d9-4bd9-88d5-3fedb8c0b36b');
CREATE TABLE image (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
 sha256 TEXT NOT NULL, UNIQUE (sha256, name, version)) STRICT;
INSERT INTO image VALUES(1,'new','2025.12','b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62');
CREATE TABLE segment (id INTEGER PRIMARY KEY) STRICT;
INSERT INTO segment VALUES(0);
CREATE TABLE drone (
 id INTEGER PRIMARY KEY,
 serial TEXT COLLATE NOCASE UNIQUE,
 dfu_serial TEXT COLLATE NOCASE,
 platform TEXT, device_type TEXT, board_type TEXT, loader_sha256 TEXT, version TEXT,
 quirks TEXT,
 first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
 last_attempt INTEGER,
 last_verdict TEXT,
 last_image INTEGER REFERENCES image (id),
 failures INTEGER NOT NULL DEFAULT 0,
 aside_ms INTEGER, aside_why TEXT, nrf_version TEXT, radio TEXT, decks TEXT) STRICT;
INSERT INTO drone VALUES(1,'330041000A51353432343630','307734653435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796047882992,1796047886070,1,'pass',1,0,NULL,NULL,'2025.12','{"channel":80,"rate":"2M","address":"E7E7E7E7E7"}','[]');
INSERT INTO drone VALUES(2,'440042000A51353432343630','307834763435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796047885249,1796047886785,2,'unchanged',1,0,NULL,NULL,'2025.12','{"channel":80,"rate":"2M","address":"E7E7E7E7E7"}','[]');
INSERT INTO drone VALUES(3,'550043000A51353432343630',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1796047890612,1796047890612,3,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE drone_failure (
 drone INTEGER NOT NULL REFERENCES drone (id), port TEXT NOT NULL,
 PRIMARY KEY (drone, port)) STRICT, WITHOUT ROWID;
CREATE TABLE port (
 port TEXT PRIMARY KEY,
 label TEXT,
 failures INTEGER NOT NULL DEFAULT 0,
 crashes INTEGER NOT NULL DEFAULT 0,
 aside_ms INTEGER, aside_why TEXT) STRICT, WITHOUT ROWID;
INSERT INTO port VALUES('1-1',NULL,0,0,NULL,NULL);
INSERT INTO port VALUES('1-2',NULL,0,0,NULL,NULL);
INSERT INTO port VALUES('1-4',NULL,0,0,NULL,NULL);
CREATE TABLE attempt (
 id INTEGER PRIMARY KEY,
 begin_seq INTEGER NOT NULL,
 end_seq INTEGER,
 segment INTEGER NOT NULL REFERENCES segment (id),
 started_ms INTEGER NOT NULL, started_mono_ms INTEGER NOT NULL,
 started_boot INTEGER REFERENCES boot (id), started_sync INTEGER NOT NULL,
 drone INTEGER,
 kind TEXT NOT NULL,
 port TEXT NOT NULL,
 label TEXT, serial TEXT, dfu_serial TEXT, platform TEXT,
 image INTEGER REFERENCES image (id),
 version_before TEXT, flags TEXT,
 ended_ms INTEGER, ended_mono_ms INTEGER,
 ended_boot INTEGER REFERENCES boot (id), ended_sync INTEGER,
 verdict_code INTEGER, verdict TEXT,
 fault_code INTEGER, fault TEXT,
 class_code INTEGER, class TEXT,
 step_code INTEGER, step TEXT,
 address INTEGER, bytes_written INTEGER, sectors_erased INTEGER, transfers INTEGER,
 version_after TEXT, message TEXT, end_flags TEXT,
 late_serial TEXT, late_dfu_serial TEXT, late_platform TEXT, late_version_before TEXT,
 stages TEXT,
 port_count INTEGER, drone_count INTEGER, crash INTEGER, target TEXT, radio_before TEXT, condition_seq INTEGER,
 CHECK ((end_seq IS NULL) = (verdict IS NULL))) STRICT;
INSERT INTO attempt VALUES(1,9,11,0,1796047882992,67718469,1,0,1,'flash','1-1',NULL,'330041000A51353432343630',NULL,'cf2',1,'2025.02',NULL,1796047884694,67720172,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,61440,4,265,'2025.12','Flashed, read back equal, and running the new firmware.',NULL,'330041000A51353432343630','307734653435','cf2','2025.02','[["asking",34],["rebooting",48],["probing",23],["comparing",4],["erasing",1305],["writing",212],["verifying",13],["first-page",2],["leaving",1],["booting",36],["confirming",54]]',2,2,NULL,'stm32',NULL,19);
INSERT INTO attempt VALUES(2,12,14,0,1796047885249,67720727,1,0,2,'flash','1-2',NULL,'440042000A51353432343630',NULL,'cf2',1,'2025.12',NULL,1796047885431,67720909,1,0,2,'unchanged',NULL,NULL,NULL,NULL,11,'confirming',NULL,0,0,125,'2025.12','The drone already holds this firmware; nothing was written.',NULL,'440042000A51353432343630','307834763435','cf2','2025.12','[["asking",40],["rebooting",84],["probing",2],["comparing",2],["leaving",0],["booting",60],["confirming",31]]',2,2,NULL,'stm32',NULL,18);
INSERT INTO attempt VALUES(3,20,NULL,0,1796047890612,67726089,1,0,3,'flash','1-4',NULL,'550043000A51353432343630',NULL,'cf2',1,'2025.02',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'stm32',NULL,NULL);
CREATE TABLE tally (verdict TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO tally VALUES('pass',1);
INSERT INTO tally VALUES('unchanged',1);
CREATE TABLE firmware (
 id INTEGER PRIMARY KEY,
 name TEXT NOT NULL UNIQUE,
 sha256 TEXT NOT NULL, file TEXT NOT NULL, file_sha256 TEXT,
 source_name TEXT, source_sha256 TEXT, version TEXT, revision TEXT,
 platforms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
 notes TEXT, added_ms INTEGER NOT NULL, added_by TEXT, incomplete INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO firmware VALUES(1,'new','b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62','0e66a26ea705400558a9540885aab9191f2722812f85e534bc6c54e107544c77.dfu','0e66a26ea705400558a9540885aab9191f2722812f85e534bc6c54e107544c77','2025.12___size_61440.bin','b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62','2025.12','5da1cae4a365',2,61440,NULL,1796047882696,'root',0);
CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
 PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('selected','cf2','new');
INSERT INTO setting VALUES('station','brake-since','0');
INSERT INTO setting VALUES('station','bus 1','platform-sim_hcd.1');
INSERT INTO setting VALUES('store','running','1');
INSERT INTO setting VALUES('store','station','ca30a2998c53435b2f270e58285fe857');
CREATE TABLE act (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
 uid INTEGER, pid INTEGER, user TEXT, method TEXT NOT NULL, arguments TEXT) STRICT;
INSERT INTO act VALUES(5,1796047882739,0,24543,'root','AddFirmware','{"outcome":"done","name":"new","source_name":"2025.12___size_61440.bin","source_sha256":"b886b056d275197e690d9bdd58b333a4dca529374a6ada5aa309237282e19d62","version":"2025.12","notes":[]}');
INSERT INTO act VALUES(7,1796047882794,0,24547,'root','SelectFirmware','{"outcome":"done","name":"new"}');
CREATE TABLE part (
 id INTEGER PRIMARY KEY,
 firmware TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL,
 version TEXT, soft_device TEXT,
 file TEXT NOT NULL, file_sha256 TEXT, size_bytes INTEGER NOT NULL,
 UNIQUE (firmware, target, type)) STRICT;
CREATE INDEX drone_dfu ON drone (dfu_serial) WHERE dfu_serial IS NOT NULL;
CREATE INDEX attempt_time ON attempt (segment, started_ms);
CREATE INDEX attempt_drone ON attempt (drone, segment, started_ms);
CREATE INDEX attempt_port ON attempt (port, segment, started_ms);
CREATE INDEX attempt_label ON attempt (label, segment, started_ms)
 WHERE label IS NOT NULL;
CREATE INDEX attempt_verdict ON attempt (verdict, segment, started_ms)
 WHERE verdict IS NOT NULL;
CREATE INDEX attempt_open ON attempt (id) WHERE end_seq IS NULL;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt WHEN OLD.end_seq IS NOT NULL
 AND (NEW.end_seq IS NOT OLD.end_seq OR NEW.verdict IS NOT OLD.verdict)
 BEGIN SELECT RAISE(ABORT, 'an attempt has exactly one ending'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt
 BEGIN SELECT RAISE(ABORT, 'attempts are never deleted'); END;
CREATE VIEW acts AS SELECT seq AS id,
 strftime('%Y-%m-%dT%H:%M:%S', at_ms / 1000, 'unixepoch')
  || printf('.%03dZ', at_ms % 1000) AS at, at_ms, uid, pid, user, method, arguments
 FROM act;
CREATE INDEX attempt_drone_verdict ON attempt (drone, verdict, segment, started_ms)
 WHERE verdict IS NOT NULL;
CREATE INDEX attempt_port_verdict ON attempt (port, verdict, segment, started_ms)
 WHERE verdict IS NOT NULL;
CREATE INDEX attempt_label_verdict ON attempt (label, verdict, segment, started_ms)
 WHERE label IS NOT NULL AND verdict IS NOT NULL;
CREATE VIEW attempts AS SELECT a.id AS id,
 strftime('%Y-%m-%dT%H:%M:%S', a.started_ms / 1000, 'unixepoch')
  || printf('.%03dZ', a.started_ms % 1000) AS started_at,
 strftime('%Y-%m-%dT%H:%M:%S', a.ended_ms / 1000, 'unixepoch')
  || printf('.%03dZ', a.ended_ms % 1000) AS ended_at,
 a.port AS port, a.label AS label,
 coalesce(a.late_serial, a.serial) AS serial,
 coalesce(a.late_dfu_serial, a.dfu_serial) AS dfu_serial,
 coalesce(a.late_platform, a.platform) AS platform,
 nullif(i.name, '') AS firmware_name, nullif(i.version, '') AS firmware_version,
 nullif(i.sha256, '') AS firmware_sha256,
 coalesce(a.late_version_before, a.version_before) AS version_before,
 a.version_after AS version_after,
 a.verdict AS verdict, a.fault AS fault, a.step AS step, a.address AS address,
 a.bytes_written AS bytes_written, a.sectors_erased AS sectors_erased,
 a.transfers AS transfers,
 CASE WHEN a.started_boot IS a.ended_boot AND a.ended_mono_ms >= a.started_mono_ms
  THEN a.ended_mono_ms - a.started_mono_ms END AS duration_ms,
 a.message AS message
, a.kind AS kind,
 NULL AS batch, json_extract(c.body, '$.condition.ready') AS ready,
 coalesce(a.target, 'stm32') AS target, 'usb' AS path,
 json_extract(c.body, '$.condition.nrf.version') AS nrf_version,
 lower(substr(hex(b.hash), 1, 8) || '-' || substr(hex(b.hash), 9, 4) || '-8' || substr(hex(b.hash), 13, 3) || '-8' || substr(hex(b.hash), 16, 3) || '-' || substr(hex(b.hash), 19, 12)) AS uuid
 FROM attempt a LEFT JOIN image i ON i.id = a.image
 LEFT JOIN record b ON b.seq = a.begin_seq
 LEFT JOIN record c ON c.seq = a.condition_seq;
COMMIT;
