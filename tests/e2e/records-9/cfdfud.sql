PRAGMA application_id = 1128678470;
PRAGMA user_version = 9;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE record (
 seq INTEGER PRIMARY KEY,
 kind TEXT NOT NULL,
 ref INTEGER,
 prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
 hash BLOB NOT NULL CHECK (length(hash) = 32),
 body TEXT) STRICT;
INSERT INTO record VALUES(1,'station',NULL,X'0000000000000000000000000000000000000000000000000000000000000000',X'cd7641dca7de0715004b425e943d9a48088045b9c37d9ce776a86da9d48575e8','{"station":"039844fcde966b1eeccd9cd437755e28","at":1796059365476,"mono":79200953,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(2,'start',NULL,X'cd7641dca7de0715004b425e943d9a48088045b9c37d9ce776a86da9d48575e8',X'83d18e171f610be4b6051cc8ec6b286593f353eb03929455ed1a9eee57ecf750','{"at":1796059365476,"mono":79200953,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"schema":9}');
INSERT INTO record VALUES(3,'setting',NULL,X'83d18e171f610be4b6051cc8ec6b286593f353eb03929455ed1a9eee57ecf750',X'3562dad6698efb815ef242f1d30a66ccb852da8ba2411d7d1e7f8fe07faa3c7e','{"at":1796059365690,"mono":79201168,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"brake-since","value":"0"}');
INSERT INTO record VALUES(4,'firmware',NULL,X'3562dad6698efb815ef242f1d30a66ccb852da8ba2411d7d1e7f8fe07faa3c7e',X'1f510a4248d91a7d45e5ed95411d9f5191603a7499ce5e066f56fa932aa11786','{"at":1796059365742,"mono":79201219,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"name":"new","sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","file":"567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df.dfu","file_sha256":"567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df","source_name":"2025.12___size_163840.bin","source_sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","version":"2025.12","revision":"5da1cae4a365","platforms":2,"size_bytes":163840,"added_by":"root"}');
INSERT INTO record VALUES(5,'act',NULL,X'1f510a4248d91a7d45e5ed95411d9f5191603a7499ce5e066f56fa932aa11786',X'7f93bd3e7b53ef3385df8fd1a57151068ab821836ac17d17fddf5da656ff6809','{"at":1796059365778,"mono":79201255,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":8652,"user":"root","method":"AddFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\",\"source_name\":\"2025.12___size_163840.bin\",\"source_sha256\":\"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7\",\"version\":\"2025.12\",\"notes\":[]}"}');
INSERT INTO record VALUES(6,'setting',NULL,X'7f93bd3e7b53ef3385df8fd1a57151068ab821836ac17d17fddf5da656ff6809',X'af5e7fd559163cc596578204bb35564b49ae4bc20a69dea117dfa480f346aae0','{"at":1796059365816,"mono":79201294,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"selected","name":"cf2","value":"new"}');
INSERT INTO record VALUES(7,'act',NULL,X'af5e7fd559163cc596578204bb35564b49ae4bc20a69dea117dfa480f346aae0',X'185b2a6a9a75b6c7b15f4eccfeb8d5b19a0649dbc393305b90e2932dc391fc99','{"at":1796059365840,"mono":79201317,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":8663,"user":"root","method":"SelectFirmware","arguments":"{\"outcome\":\"done\",\"name\":\"new\"}"}');
INSERT INTO record VALUES(8,'batch',NULL,X'185b2a6a9a75b6c7b15f4eccfeb8d5b19a0649dbc393305b90e2932dc391fc99',X'5380035926cde04fc2a52f430f5e57e670280a1c41a0a0ac6ae4d07ce4d97dc8','{"at":1796059365861,"mono":79201338,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"batch":1,"name":"first","started_by":"root","expect":3}');
INSERT INTO record VALUES(9,'act',NULL,X'5380035926cde04fc2a52f430f5e57e670280a1c41a0a0ac6ae4d07ce4d97dc8',X'82237e022142c4d3a70751ab9ef9b034d33d30bd0cef2683c9c7ad87ccbc961c','{"at":1796059365877,"mono":79201354,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":8672,"user":"root","method":"StartBatch","arguments":"{\"outcome\":\"done\",\"name\":\"first\",\"expect\":3}"}');
INSERT INTO record VALUES(10,'setting',NULL,X'82237e022142c4d3a70751ab9ef9b034d33d30bd0cef2683c9c7ad87ccbc961c',X'b12e66ba630b8ed73a20b2a336ca0a11fd5d4928158d0dc957c55f748837127a','{"at":1796059365960,"mono":79201437,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"bus 1","value":"platform-sim_hcd.1"}');
INSERT INTO record VALUES(11,'begin',1,X'b12e66ba630b8ed73a20b2a336ca0a11fd5d4928158d0dc957c55f748837127a',X'cfbd941618db639bb4866d1790af8f65c84e8b921a8e7d07e4ca2630c9b4aecd',NULL);
INSERT INTO record VALUES(12,'drone',NULL,X'cfbd941618db639bb4866d1790af8f65c84e8b921a8e7d07e4ca2630c9b4aecd',X'595ad59efb0d6e246aaec3c5031eb8540b338401da18a6a286b7fcca8fb67aac','{"at":1796059366975,"mono":79202453,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"110042000A51353432343630","dfu_serial":"307834433435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(13,'end',1,X'595ad59efb0d6e246aaec3c5031eb8540b338401da18a6a286b7fcca8fb67aac',X'3d453eee2bd529e294cbe5528550fcc9c1b2ebc6c96d61af52c93a827a9ed03f',NULL);
INSERT INTO record VALUES(14,'begin',2,X'3d453eee2bd529e294cbe5528550fcc9c1b2ebc6c96d61af52c93a827a9ed03f',X'1a64bd621a5bcf4dca18bd5fd10d520b3b24440c5ec0800c0bf536fc580eb1af',NULL);
INSERT INTO record VALUES(15,'drone',NULL,X'1a64bd621a5bcf4dca18bd5fd10d520b3b24440c5ec0800c0bf536fc580eb1af',X'74471b3154fff60c2eb8915b49787b94531de98fac06e8d327efe391c9c2463a','{"at":1796059367309,"mono":79202786,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"220042000A51353432343630","dfu_serial":"307834543435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(16,'end',2,X'74471b3154fff60c2eb8915b49787b94531de98fac06e8d327efe391c9c2463a',X'd27f6361e090f8a2b6ee53361951f304633ae54e255dd31f6a7cac21c87b2ebc',NULL);
INSERT INTO record VALUES(17,'drone',NULL,X'd27f6361e090f8a2b6ee53361951f304633ae54e255dd31f6a7cac21c87b2ebc',X'caa9582113907721def44d1ab9a97cdc0fdf53f51bcc3684f89b3cbc6feb4500','{"at":1796059368251,"mono":79203728,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"110042000A51353432343630","dfu_serial":"307834433435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","version":"2025.12","nrf_version":"2025.12","radio":"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"}","decks":"[]"}');
INSERT INTO record VALUES(18,'condition',NULL,X'caa9582113907721def44d1ab9a97cdc0fdf53f51bcc3684f89b3cbc6feb4500',X'016231433853cf6da7ab4e6ee8817316845417a34bf14e1c307aa77448b9ce6e','{"id":1,"at":1796059368251,"mono":79203728,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"yes","ready_note":null,"remaining":[],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(19,'drone',NULL,X'016231433853cf6da7ab4e6ee8817316845417a34bf14e1c307aa77448b9ce6e',X'028d9f1a1d68337a0e72f4a037ee51b02ad01968e763d2576b260976dd3bd0ae','{"at":1796059368580,"mono":79204057,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"220042000A51353432343630","dfu_serial":"307834543435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","version":"2025.12","nrf_version":"2025.12","radio":"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"}","decks":"[]"}');
INSERT INTO record VALUES(20,'condition',NULL,X'028d9f1a1d68337a0e72f4a037ee51b02ad01968e763d2576b260976dd3bd0ae',X'03e1e5353f0dbcd079f63f173c992fe0e1e34ea00b050e371391902e3507596a','{"id":2,"at":1796059368580,"mono":79204057,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"no","ready_note":null,"remaining":[{"what":"address","text":"Radio address and channel of 1-1, too: ''cfdfuctl drone set 1-2 --address A'' gives it its own."}],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(21,'drone',NULL,X'03e1e5353f0dbcd079f63f173c992fe0e1e34ea00b050e371391902e3507596a',X'2643796ff530cbdd3a0df3f3e18f134eb04d21846bdfb0de3181a35cc1a25803','{"at":1796059368580,"mono":79204057,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"110042000A51353432343630","dfu_serial":"307834433435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","version":"2025.12","nrf_version":"2025.12","radio":"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E7E7\"}","decks":"[]"}');
INSERT INTO record VALUES(22,'condition',NULL,X'2643796ff530cbdd3a0df3f3e18f134eb04d21846bdfb0de3181a35cc1a25803',X'7f8a11b6363ca404e0639e2994a180e8a6c5c4e5a82be06a413c0fc90d432ba1','{"id":1,"at":1796059368580,"mono":79204057,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"condition":{"ready":"no","ready_note":null,"remaining":[{"what":"address","text":"Radio address and channel of 1-2, too: ''cfdfuctl drone set 1-1 --address A'' gives it its own."}],"selftest":"pass","nrf":{"version":"2025.12","wanted":null},"decks":[],"radio":{"channel":80,"rate":"2M","address":"E7E7E7E7E7"},"battery_mv":4050,"crash":null}}');
INSERT INTO record VALUES(23,'stop',NULL,X'7f8a11b6363ca404e0639e2994a180e8a6c5c4e5a82be06a413c0fc90d432ba1',X'7ce7d58a5748a0c65f8aa0185b5d23018156fef9a005c3ccc74e4756795e6e44','{"at":1796059371539,"mono":79207016,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(24,'start',NULL,X'7ce7d58a5748a0c65f8aa0185b5d23018156fef9a005c3ccc74e4756795e6e44',X'183feb5824d416b6c6f4b1a6ef4ee953cedc6caac572a4f50669a4a8ec16c7c0','{"at":1796059371578,"mono":79207055,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"schema":9}');
INSERT INTO record VALUES(25,'setting',NULL,X'183feb5824d416b6c6f4b1a6ef4ee953cedc6caac572a4f50669a4a8ec16c7c0',X'36f5eb904742d343ad14be995bc122b01a904d3706a581d8af88126660a86110','{"at":1796059371832,"mono":79207309,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"paused"}');
INSERT INTO record VALUES(26,'setting',NULL,X'36f5eb904742d343ad14be995bc122b01a904d3706a581d8af88126660a86110',X'686e3e6bdff9d386f344804810e34fdeec14b63fd45feae084267eb5a5cf3d2b','{"at":1796059371832,"mono":79207309,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"brake-since","value":"2"}');
INSERT INTO record VALUES(27,'setting',NULL,X'686e3e6bdff9d386f344804810e34fdeec14b63fd45feae084267eb5a5cf3d2b',X'4162ea62096db8e7e4388a46687880a688994f3194b8d8b7856d14c90e651419','{"at":1796059371832,"mono":79207309,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"brake"}');
INSERT INTO record VALUES(28,'batch-stop',NULL,X'4162ea62096db8e7e4388a46687880a688994f3194b8d8b7856d14c90e651419',X'62cfe90ea51aad7c2d67cd2c982b98c37061b7cf4ecbaeb78d908ae61a5c5d91','{"at":1796059371832,"mono":79207309,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"batch":1}');
INSERT INTO record VALUES(29,'act',NULL,X'62cfe90ea51aad7c2d67cd2c982b98c37061b7cf4ecbaeb78d908ae61a5c5d91',X'4779b6889bf445151b0ab8a9be8dd34f5453b9b1715f984859ca704368640f70','{"at":1796059371832,"mono":79207309,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":9944,"user":"root","method":"Resume","arguments":"{\"outcome\":\"done\"}"}');
INSERT INTO record VALUES(30,'begin',3,X'4779b6889bf445151b0ab8a9be8dd34f5453b9b1715f984859ca704368640f70',X'd89bf64014a50a0493fc9bc2adb89ed3b5e3ff3742b783067286fec9bc6f708f',NULL);
CREATE TABLE boot (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO boot VALUES(1,'cd315961-d2d9-4bd9-88d5-3fedb8c0b36b');
CREATE TABLE image (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
 sha256 TEXT NOT NULL, UNIQUE (sha256, name, version)) STRICT;
INSERT INTO image VALUES(1,'new','2025.12','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7');
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
INSERT INTO drone VALUES(1,'110042000A51353432343630','307834433435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796059366012,1796059368580,1,'pass',1,0,NULL,NULL,'2025.12','{"channel":80,"rate":"2M","address":"E7E7E7E7E7"}','[]');
INSERT INTO drone VALUES(2,'220042000A51353432343630','307834543435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1796059367183,1796059368580,2,'unchanged',1,0,NULL,NULL,'2025.12','{"channel":80,"rate":"2M","address":"E7E7E7E7E7"}','[]');
INSERT INTO drone VALUES(3,'330042000A51353432343630',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1796059372686,1796059372686,3,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL);
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
 port_count INTEGER, drone_count INTEGER, crash INTEGER, target TEXT, radio_before TEXT, condition_seq INTEGER, batch INTEGER,
 CHECK ((end_seq IS NULL) = (verdict IS NULL))) STRICT;
INSERT INTO attempt VALUES(1,11,13,0,1796059366012,79201489,1,0,1,'flash','1-1',NULL,'110042000A51353432343630',NULL,'cf2',1,'2025.02',NULL,1796059366975,79202453,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,163840,5,474,'2025.12','Flashed, read back equal, and running the new firmware.',NULL,'110042000A51353432343630','307834433435','cf2','2025.02','[["asking",51],["rebooting",35],["probing",2],["comparing",0],["erasing",739],["writing",109],["verifying",8],["first-page",1],["leaving",0],["booting",31],["confirming",35]]',2,2,NULL,'stm32',NULL,22,1);
INSERT INTO attempt VALUES(2,14,16,0,1796059367183,79202660,1,0,2,'flash','1-2',NULL,'220042000A51353432343630',NULL,'cf2',1,'2025.12',NULL,1796059367309,79202786,1,0,2,'unchanged',NULL,NULL,NULL,NULL,11,'confirming',NULL,0,0,175,'2025.12','The drone already holds this firmware; nothing was written.',NULL,'220042000A51353432343630','307834543435','cf2','2025.12','[["asking",35],["rebooting",39],["probing",2],["comparing",7],["leaving",0],["booting",39],["confirming",37]]',2,2,NULL,'stm32',NULL,20,1);
INSERT INTO attempt VALUES(3,30,NULL,0,1796059372686,79208163,1,0,3,'flash','1-3',NULL,'330042000A51353432343630',NULL,'cf2',1,'2025.02',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'stm32',NULL,NULL,1);
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
INSERT INTO firmware VALUES(1,'new','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7','567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df.dfu','567cb0d5318e72ab7234e19a33ba263a778bd3fe1192cc2846a63545fe1cd7df','2025.12___size_163840.bin','3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7','2025.12','5da1cae4a365',2,163840,NULL,1796059365742,'root',0);
CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
 PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('selected','cf2','new');
INSERT INTO setting VALUES('station','brake-since','2');
INSERT INTO setting VALUES('station','bus 1','platform-sim_hcd.1');
INSERT INTO setting VALUES('store','running','1');
INSERT INTO setting VALUES('store','station','039844fcde966b1eeccd9cd437755e28');
CREATE TABLE act (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
 uid INTEGER, pid INTEGER, user TEXT, method TEXT NOT NULL, arguments TEXT) STRICT;
INSERT INTO act VALUES(5,1796059365778,0,8652,'root','AddFirmware','{"outcome":"done","name":"new","source_name":"2025.12___size_163840.bin","source_sha256":"3b81883d8b1b0a47aa86124a10198e82580f262a282107b9e15388898660a8f7","version":"2025.12","notes":[]}');
INSERT INTO act VALUES(7,1796059365840,0,8663,'root','SelectFirmware','{"outcome":"done","name":"new"}');
INSERT INTO act VALUES(9,1796059365877,0,8672,'root','StartBatch','{"outcome":"done","name":"first","expect":3}');
INSERT INTO act VALUES(29,1796059371832,0,9944,'root','Resume','{"outcome":"done"}');
CREATE TABLE part (
 id INTEGER PRIMARY KEY,
 firmware TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL,
 version TEXT, soft_device TEXT,
 file TEXT NOT NULL, file_sha256 TEXT, size_bytes INTEGER NOT NULL,
 UNIQUE (firmware, target, type)) STRICT;
CREATE TABLE batch (
 id INTEGER PRIMARY KEY,
 name TEXT NOT NULL UNIQUE,
 begin_seq INTEGER NOT NULL, end_seq INTEGER,
 started_ms INTEGER NOT NULL, ended_ms INTEGER,
 started_by TEXT, expect INTEGER, canary INTEGER, stop_after INTEGER,
 stopped TEXT, resumed_seq INTEGER) STRICT;
INSERT INTO batch VALUES(1,'first',8,NULL,1796059365861,NULL,'root',3,NULL,NULL,NULL,28);
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
CREATE INDEX attempt_batch ON attempt (batch, segment, started_ms)
 WHERE batch IS NOT NULL;
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
 t.name AS batch, json_extract(c.body, '$.condition.ready') AS ready,
 coalesce(a.target, 'stm32') AS target, 'usb' AS path,
 json_extract(c.body, '$.condition.nrf.version') AS nrf_version,
 lower(substr(hex(b.hash), 1, 8) || '-' || substr(hex(b.hash), 9, 4) || '-8' || substr(hex(b.hash), 13, 3) || '-8' || substr(hex(b.hash), 16, 3) || '-' || substr(hex(b.hash), 19, 12)) AS uuid
 FROM attempt a LEFT JOIN image i ON i.id = a.image
 LEFT JOIN record b ON b.seq = a.begin_seq
 LEFT JOIN record c ON c.seq = a.condition_seq LEFT JOIN batch t ON t.id = a.batch;
COMMIT;
