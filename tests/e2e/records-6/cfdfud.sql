PRAGMA application_id = 1128678470;
PRAGMA user_version = 6;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE record (
 seq INTEGER PRIMARY KEY,
 kind TEXT NOT NULL,
 ref INTEGER,
 prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
 hash BLOB NOT NULL CHECK (length(hash) = 32),
 body TEXT) STRICT;
INSERT INTO record VALUES(1,'station',NULL,X'0000000000000000000000000000000000000000000000000000000000000000',X'685168154a5c68d5e0d68e021e646569f9f401c6f38946fcaab32329a47c46f4','{"station":"adddb18169e15ec58144c8376040d66f","at":1796023475398,"mono":43310875,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(2,'start',NULL,X'685168154a5c68d5e0d68e021e646569f9f401c6f38946fcaab32329a47c46f4',X'f189f512d9c6638d8eee93f482d5b32c3d7f10585e22247a929c44c3a71bb78f','{"at":1796023475398,"mono":43310875,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"schema":6}');
INSERT INTO record VALUES(3,'setting',NULL,X'f189f512d9c6638d8eee93f482d5b32c3d7f10585e22247a929c44c3a71bb78f',X'409aae485b2bf018eb79148c28a6afab560f517b3045bffbd8d54bb51eb251b4','{"at":1796023475411,"mono":43310888,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"brake-since","value":"0"}');
INSERT INTO record VALUES(4,'firmware',NULL,X'409aae485b2bf018eb79148c28a6afab560f517b3045bffbd8d54bb51eb251b4',X'06fc10f39e946510c0546b4bb17d7f942ebf2a5aa901b2669a1b3cfcff9a2e71','{"at":1796023475616,"mono":43311094,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"name":"new","sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","file":"567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df.dfu","file_sha256":"567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df","source_name":"2025.12___size_163840.bin","source_sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","version":"2025.12","revision":"5da1cae4a365","platforms":2,"size_bytes":163840,"added_by":"root"}');
INSERT INTO record VALUES(5,'act',NULL,X'06fc10f39e946510c0546b4bb17d7f942ebf2a5aa901b2669a1b3cfcff9a2e71',X'28139905e544251f64aaf72c2e2dcc07e14f870aa7966bb8a1b84ee4fc86f660','{"at":1796023475619,"mono":43311096,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":23726,"user":"root","method":"AddFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\",\"source_name\":\"2025.12___size_163840.bin\",\"source_sha256\":\"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7\",\"version\":\"2025.12\",\"notes\":[]}"}');
INSERT INTO record VALUES(6,'setting',NULL,X'28139905e544251f64aaf72c2e2dcc07e14f870aa7966bb8a1b84ee4fc86f660',X'bb8b3649d6ecc3eaa5c8a05c750bf1d0e14a12b212284002edf5b8d32a7621a4','{"at":1796023475625,"mono":43311102,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"selected","name":"cf2","value":"new"}');
INSERT INTO record VALUES(7,'act',NULL,X'bb8b3649d6ecc3eaa5c8a05c750bf1d0e14a12b212284002edf5b8d32a7621a4',X'3c9b1fad1cacab6e7f15628250f1c47105913aca891dad9b485b981be746e6bb','{"at":1796023475626,"mono":43311103,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":23727,"user":"root","method":"SelectFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\"}"}');
INSERT INTO record VALUES(8,'setting',NULL,X'3c9b1fad1cacab6e7f15628250f1c47105913aca891dad9b485b981be746e6bb',X'1ab5ef98cfdc015a278ddcadaac575689f4107ad3f838f47c5066ed8ea0fc3d7','{"at":1796023475671,"mono":43311149,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"bus 1","value":"platform-sim_hcd.1"}');
INSERT INTO record VALUES(9,'begin',1,X'1ab5ef98cfdc015a278ddcadaac575689f4107ad3f838f47c5066ed8ea0fc3d7',X'acbc7f95cd037133114b92d7033f772de83fedf789d73fc1596b0d4a01e01f99',NULL);
INSERT INTO record VALUES(10,'drone',NULL,X'acbc7f95cd037133114b92d7033f772de83fedf789d73fc1596b0d4a01e01f99',X'f7e6aee5fe7e5ec08a4ac01c8d414a0d6816198806946988b092231d096d9cc7','{"at":1796023476340,"mono":43311817,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"330041000A51353432343630","dfu_serial":"307734653435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(11,'end',1,X'f7e6aee5fe7e5ec08a4ac01c8d414a0d6816198806946988b092231d096d9cc7',X'aa485fbf2b47a7ae3869f9dd22bc3a2fba768eed00f3ececaba85b3e280619c9',NULL);
INSERT INTO record VALUES(12,'act',NULL,X'aa485fbf2b47a7ae3869f9dd22bc3a2fba768eed00f3ececaba85b3e280619c9',X'ef799903c6c0c5b187059ae00836b019501b038fe0a3ac981468619d486586d7','{"at":1796023476548,"mono":43312026,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":23819,"user":"root","method":"Backup","arguments":"{\"outcome\":\"begun\",\"slot\":\"1-1\"}"}');
INSERT INTO record VALUES(13,'begin',2,X'ef799903c6c0c5b187059ae00836b019501b038fe0a3ac981468619d486586d7',X'56849889858f04f25c1e29b6484927a40369e5509702b381ff67d7dccd2e4bbf',NULL);
INSERT INTO record VALUES(14,'end',2,X'56849889858f04f25c1e29b6484927a40369e5509702b381ff67d7dccd2e4bbf',X'2106bfd13ae0b3df0519f8648e428eaf6e6774d52d4ae459865f9f00308dbd1c',NULL);
INSERT INTO record VALUES(15,'begin',3,X'2106bfd13ae0b3df0519f8648e428eaf6e6774d52d4ae459865f9f00308dbd1c',X'd50dd1545958c7967ec7bf2ab9f1bdd067f5af1d58ceb9a7f2fd9def3d7fd003',NULL);
INSERT INTO record VALUES(16,'drone',NULL,X'd50dd1545958c7967ec7bf2ab9f1bdd067f5af1d58ceb9a7f2fd9def3d7fd003',X'bca16cc40c501a6b4e6252da8a1f9de928a0483b1c5d7293e1f15ee9c4b7cd1b','{"at":1796023479018,"mono":43314495,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"440042000A51353432343630","dfu_serial":"307834763435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(17,'end',3,X'bca16cc40c501a6b4e6252da8a1f9de928a0483b1c5d7293e1f15ee9c4b7cd1b',X'fc1632924a0502b7394e1cb9ede4e0ad332767508ce4c2ea03bc633aeaf03b61',NULL);
INSERT INTO record VALUES(18,'stop',NULL,X'fc1632924a0502b7394e1cb9ede4e0ad332767508ce4c2ea03bc633aeaf03b61',X'298ab7974c675bd52322572f46c3804a7c9d3532256c08d5a35740a3f6c40324','{"at":1796023479165,"mono":43314643,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(19,'start',NULL,X'298ab7974c675bd52322572f46c3804a7c9d3532256c08d5a35740a3f6c40324',X'001052a7794bacfb726e883db166b39da363f318d694460dee0eac5e093ec2bf','{"at":1796023479172,"mono":43314649,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"schema":6}');
INSERT INTO record VALUES(20,'begin',4,X'001052a7794bacfb726e883db166b39da363f318d694460dee0eac5e093ec2bf',X'ff4a5e42fec495eeed7db3f1e7c8b9a10444accea50a639cc7910463666a7ee4',NULL);
CREATE TABLE boot (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO boot VALUES(1,'cd315961-d2d9-4bd9-88d5-3fedb8c0b36b');
CREATE TABLE image (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
 sha256 TEXT NOT NULL, UNIQUE (sha256, name, version)) STRICT;
INSERT INTO image VALUES(1,'new','2025.12','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7');
INSERT INTO image VALUES(2,'','','');
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
 aside_ms INTEGER, aside_why TEXT) STRICT;
INSERT INTO drone VALUES(1,'330041000A51353432343630','307734653435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796023475673,1796023476674,2,'unchanged',2,0,NULL,NULL);
INSERT INTO drone VALUES(2,'440042000A51353432343630','307834763435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796023476708,1796023479018,3,'pass',1,0,NULL,NULL);
INSERT INTO drone VALUES(3,'770045000A51353432343630',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1796023480158,1796023480158,4,NULL,NULL,0,NULL,NULL);
CREATE TABLE drone_failure (
 drone INTEGER NOT NULL REFERENCES drone (id), port TEXT NOT NULL,
 PRIMARY KEY (drone, port)) STRICT, WITHOUT ROWID;
CREATE TABLE port (
 port TEXT PRIMARY KEY,
 label TEXT,
 failures INTEGER NOT NULL DEFAULT 0,
 crashes INTEGER NOT NULL DEFAULT 0,
 aside_ms INTEGER, aside_why TEXT) STRICT, WITHOUT ROWID;
INSERT INTO port VALUES('1-1','A1',0,0,NULL,NULL);
INSERT INTO port VALUES('1-2',NULL,0,0,NULL,NULL);
INSERT INTO port VALUES('1-3',NULL,0,0,NULL,NULL);
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
 port_count INTEGER, drone_count INTEGER, crash INTEGER,
 CHECK ((end_seq IS NULL) = (verdict IS NULL))) STRICT;
INSERT INTO attempt VALUES(1,9,11,0,1796023475673,43311150,1,0,1,'flash','1-1','A1','330041000A51353432343630',NULL,'cf2',1,'2025.02',NULL,1796023476340,43311817,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,163840,5,415,'2025.12','Flashed, read back equal, and running the new firmware. It is safe to unplug.',NULL,'330041000A51353432343630','307734653435','cf2','2025.02','[["asking",1],["rebooting",25],["probing",2],["comparing",0],["erasing",489],["writing",96],["verifying",7],["first-page",1],["leaving",0],["booting",42],["confirming",0]]',2,2,NULL);
INSERT INTO attempt VALUES(2,13,14,0,1796023476588,43312065,1,0,1,'backup','1-1','A1','330041000A51353432343630','307734653435','cf2',2,'2025.12',' asked-again',1796023476674,43312151,1,0,2,'unchanged',NULL,NULL,NULL,NULL,11,'confirming',NULL,0,0,570,'2025.12','Read; nothing was written. It is safe to unplug.',' asked-again','330041000A51353432343630','307734653435','cf2','2025.12','[["asking",1],["rebooting",36],["probing",3],["leaving",1],["booting",34],["confirming",0],["backing-up",48]]',NULL,NULL,NULL);
INSERT INTO attempt VALUES(3,15,17,0,1796023476708,43312185,1,0,2,'flash','1-2',NULL,'440042000A51353432343630',NULL,'cf2',1,'2025.02',NULL,1796023479018,43314495,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,163840,5,414,'2025.12','Flashed, read back equal, and running the new firmware. It is safe to unplug.',NULL,'440042000A51353432343630','307834763435','cf2','2025.02','[["asking",0],["rebooting",29],["probing",2],["comparing",0],["erasing",2133],["writing",102],["verifying",7],["first-page",1],["leaving",0],["booting",31],["confirming",0]]',2,2,NULL);
INSERT INTO attempt VALUES(4,20,NULL,0,1796023480158,43315635,1,0,3,'flash','1-3',NULL,'770045000A51353432343630',NULL,'cf2',1,'2025.02',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE tally (verdict TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO tally VALUES('pass',2);
INSERT INTO tally VALUES('unchanged',1);
CREATE TABLE firmware (
 id INTEGER PRIMARY KEY,
 name TEXT NOT NULL UNIQUE,
 sha256 TEXT NOT NULL, file TEXT NOT NULL, file_sha256 TEXT,
 source_name TEXT, source_sha256 TEXT, version TEXT, revision TEXT,
 platforms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
 notes TEXT, added_ms INTEGER NOT NULL, added_by TEXT, incomplete INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO firmware VALUES(1,'new','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7','567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df.dfu','567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df','2025.12___size_163840.bin','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7','2025.12','5da1cae4a365',2,163840,NULL,1796023475616,'root',0);
CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
 PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('selected','cf2','new');
INSERT INTO setting VALUES('station','brake-since','0');
INSERT INTO setting VALUES('station','bus 1','platform-sim_hcd.1');
INSERT INTO setting VALUES('store','running','1');
INSERT INTO setting VALUES('store','station','adddb18169e15ec58144c8376040d66f');
CREATE TABLE act (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
 uid INTEGER, pid INTEGER, user TEXT, method TEXT NOT NULL, arguments TEXT) STRICT;
INSERT INTO act VALUES(5,1796023475619,0,23726,'root','AddFirmware','{"outcome":"done","name":"new","source_name":"2025.12___size_163840.bin","source_sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","version":"2025.12","notes":[]}');
INSERT INTO act VALUES(7,1796023475626,0,23727,'root','SelectFirmware','{"outcome":"done","name":"new"}');
INSERT INTO act VALUES(12,1796023476548,0,23819,'root','Backup','{"outcome":"begun","slot":"1-1"}');
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
, a.kind AS kind
 FROM attempt a LEFT JOIN image i ON i.id = a.image;
COMMIT;
