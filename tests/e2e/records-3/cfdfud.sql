PRAGMA application_id = 1128678470;
PRAGMA user_version = 3;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE record (
 seq INTEGER PRIMARY KEY,
 kind TEXT NOT NULL,
 ref INTEGER,
 prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
 hash BLOB NOT NULL CHECK (length(hash) = 32),
 body TEXT) STRICT;
INSERT INTO record VALUES(1,'station',NULL,X'0000000000000000000000000000000000000000000000000000000000000000',X'55ca2a87e3c4c153f28bb8ff1535d423441dbdde7b1a348f80e76cdb1b05eb4b','{"station":"f529e97c49447c7164f7b9be0f0362d9","at":1795985677654,"mono":5513132,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(2,'start',NULL,X'55ca2a87e3c4c153f28bb8ff1535d423441dbdde7b1a348f80e76cdb1b05eb4b',X'fb46ea8890de6ecb042b7ade4be9cd201830c6e3f2bd4f13c3ccdc549dbebabb','{"at":1795985677654,"mono":5513132,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0}');
INSERT INTO record VALUES(3,'act',NULL,X'fb46ea8890de6ecb042b7ade4be9cd201830c6e3f2bd4f13c3ccdc549dbebabb',X'f902b8dca4ff099b7c24cc3975b6057a6e7b6ae9317a95d1e92f315e768a25d7','{"at":1795985677878,"mono":5513356,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":20887,"user":"root","method":"AddFirmware","arguments":"{\"name\":\"new\",\"notes\":[],\"source_name\":\"2025.12___size_163840.bin\",\"source_sha256\":\"e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c\",\"version\":\"2025.12\"}"}');
INSERT INTO record VALUES(4,'firmware',NULL,X'f902b8dca4ff099b7c24cc3975b6057a6e7b6ae9317a95d1e92f315e768a25d7',X'59d7424d87d0ddf3dd633f3b946b4a134a64d83799e13842eee6edc0828f48d6','{"at":1795985677880,"mono":5513357,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"name":"new","sha256":"e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c","file":"adf37e523c2eceece49691d55e1281fcdea6fb3b02abb464e4eeb73c466acf06.dfu","file_sha256":"adf37e523c2eceece49691d55e1281fcdea6fb3b02abb464e4eeb73c466acf06","source_name":"2025.12___size_163840.bin","source_sha256":"e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c","version":"2025.12","revision":"5da1cae4a365","platforms":2,"size_bytes":163840,"added_by":"root"}');
INSERT INTO record VALUES(5,'act',NULL,X'59d7424d87d0ddf3dd633f3b946b4a134a64d83799e13842eee6edc0828f48d6',X'd5baa2288a45a0647d69059318f1d15b24f404b6e11217446f6e37e87a94150d','{"at":1795985677903,"mono":5513381,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":20888,"user":"root","method":"AddFirmware","arguments":"{\"name\":\"old\",\"notes\":[],\"source_name\":\"2025.02___size_163840.bin\",\"source_sha256\":\"ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86\",\"version\":\"2025.02\"}"}');
INSERT INTO record VALUES(6,'firmware',NULL,X'd5baa2288a45a0647d69059318f1d15b24f404b6e11217446f6e37e87a94150d',X'ce6c73af09a348dc23882e3fb5539b0f164d73e2abbf8f136ee160a7be237e7a','{"at":1795985677905,"mono":5513382,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"name":"old","sha256":"ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86","file":"ddbdcf3dcfdc9ed3df03c54e481d739da50ff13dc39c655628a0fdd69b9b8f89.dfu","file_sha256":"ddbdcf3dcfdc9ed3df03c54e481d739da50ff13dc39c655628a0fdd69b9b8f89","source_name":"2025.02___size_163840.bin","source_sha256":"ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86","version":"2025.02","revision":"d38bac42df74","platforms":2,"size_bytes":163840,"added_by":"root"}');
INSERT INTO record VALUES(7,'act',NULL,X'ce6c73af09a348dc23882e3fb5539b0f164d73e2abbf8f136ee160a7be237e7a',X'd14ba3a9f81a96c7042a8a14a8b88d124b5fb7aed94d9c313b06d1a161dac93b','{"at":1795985677932,"mono":5513409,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":20893,"user":"root","method":"SelectFirmware","arguments":"{\"name\":\"new\"}"}');
INSERT INTO record VALUES(8,'setting',NULL,X'd14ba3a9f81a96c7042a8a14a8b88d124b5fb7aed94d9c313b06d1a161dac93b',X'dbbf2de0987a28ae55160963a59b885dba3081164f843f1841bb9f4ba02560d5','{"at":1795985677932,"mono":5513409,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"selected","name":"cf2","value":"new"}');
INSERT INTO record VALUES(9,'act',NULL,X'dbbf2de0987a28ae55160963a59b885dba3081164f843f1841bb9f4ba02560d5',X'405bcdcf9404790b0498939bf4af1187d462cec0877c918c85fb4a7e2f5f18fc','{"at":1795985677955,"mono":5513433,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":20894,"user":"root","method":"SelectFirmware","arguments":"{\"name\":\"old\",\"target\":\"1-2\"}"}');
INSERT INTO record VALUES(10,'setting',NULL,X'405bcdcf9404790b0498939bf4af1187d462cec0877c918c85fb4a7e2f5f18fc',X'4c88d7dd8eaf3e221e3cb87351b2f849ca6877d19a68af62c9a4d64179d47724','{"at":1795985677955,"mono":5513433,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"own","name":"1-2","value":"old"}');
INSERT INTO record VALUES(11,'act',NULL,X'4c88d7dd8eaf3e221e3cb87351b2f849ca6877d19a68af62c9a4d64179d47724',X'7dfb545ff699a3fa9e0945cbc82efd48f71d6a6f8e0426b66e38adaf7af33a61','{"at":1795985677973,"mono":5513451,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":20895,"user":"root","method":"SetPlatformRule","arguments":"{\"platform\":\"bolt\",\"target\":\"1-5\"}"}');
INSERT INTO record VALUES(12,'setting',NULL,X'7dfb545ff699a3fa9e0945cbc82efd48f71d6a6f8e0426b66e38adaf7af33a61',X'be54f9d7a2c274c9ae5ba4fa181de013825f8555e80c1d084fb5f44352879425','{"at":1795985677973,"mono":5513451,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"platform","name":"1-5","value":"bolt"}');
INSERT INTO record VALUES(13,'begin',1,X'be54f9d7a2c274c9ae5ba4fa181de013825f8555e80c1d084fb5f44352879425',X'314cbe8d1a58a8d8243f7a642f15203a1ae34f022a43b770a907af4fc2efeaf8',NULL);
INSERT INTO record VALUES(14,'begin',2,X'314cbe8d1a58a8d8243f7a642f15203a1ae34f022a43b770a907af4fc2efeaf8',X'544930f0f9fc6c5b92e49d8992ad817f9bd82f31b0dc480c8200c8e258f53ac8',NULL);
INSERT INTO record VALUES(15,'drone',NULL,X'544930f0f9fc6c5b92e49d8992ad817f9bd82f31b0dc480c8200c8e258f53ac8',X'6cf42ebc6668a80b378626e35dcda6e587ce0e619b795b168684e232ce6db252','{"at":1795985678675,"mono":5514153,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"440042000A51353432343630","dfu_serial":"307834763435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.02"}');
INSERT INTO record VALUES(16,'end',1,X'6cf42ebc6668a80b378626e35dcda6e587ce0e619b795b168684e232ce6db252',X'60303dcce4a8e335c07a4cdbd345d028b904a3741bfba9f52e67a274cdf8b513',NULL);
INSERT INTO record VALUES(17,'drone',NULL,X'60303dcce4a8e335c07a4cdbd345d028b904a3741bfba9f52e67a274cdf8b513',X'0c46c0f715ebf8372f1d64e277bdabade12624f0053760a0acfd9398d6994456','{"at":1795985680395,"mono":5515873,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"330041000A51353432343630","dfu_serial":"307734653435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.12"}');
INSERT INTO record VALUES(18,'end',2,X'0c46c0f715ebf8372f1d64e277bdabade12624f0053760a0acfd9398d6994456',X'90e6b1d5ee64c2542730a05b3cd763043cf117fddd3e01f924bdd19090a388ad',NULL);
INSERT INTO record VALUES(19,'act',NULL,X'90e6b1d5ee64c2542730a05b3cd763043cf117fddd3e01f924bdd19090a388ad',X'b2e9a00439487d36a0b193357a47a75edd088bfc6a36c0fefeaf1f65323b6fc6','{"at":1795985680460,"mono":5515937,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":21225,"user":"root","method":"Backup","arguments":"{\"slot\":\"1-1\"}"}');
INSERT INTO record VALUES(20,'begin',3,X'b2e9a00439487d36a0b193357a47a75edd088bfc6a36c0fefeaf1f65323b6fc6',X'42aae6daa721ff02d140bbc07afbc767c3c285e7442468ca3ad720bda385475e',NULL);
INSERT INTO record VALUES(21,'end',3,X'42aae6daa721ff02d140bbc07afbc767c3c285e7442468ca3ad720bda385475e',X'f3d3752480e301fd77df88b96aeed0fad6c499752b8fcb05a94acfcb62f15066',NULL);
INSERT INTO record VALUES(22,'begin',4,X'f3d3752480e301fd77df88b96aeed0fad6c499752b8fcb05a94acfcb62f15066',X'2c642317b6df49abe2a05f7a02ffb7d908847b1fcb9d28a5abee7575498ed80e',NULL);
INSERT INTO record VALUES(23,'drone',NULL,X'2c642317b6df49abe2a05f7a02ffb7d908847b1fcb9d28a5abee7575498ed80e',X'3b9ab4609df8d53a915b646fecfd03145728ab5fc517965ede287fec1250acc2','{"at":1795985683311,"mono":5518789,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"serial":"550043000A51353432343630","dfu_serial":"307934873435","platform":"cf2","device_type":"Crazyflie 2.1","board_type":"CF21","loader_sha256":"8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424","version":"2025.02"}');
INSERT INTO record VALUES(24,'end',4,X'3b9ab4609df8d53a915b646fecfd03145728ab5fc517965ede287fec1250acc2',X'0ed7e0fca92d9799bbc8cc7cd578be6ee35c17f637ea3cb870326d43fc4b9548',NULL);
INSERT INTO record VALUES(25,'port-aside',NULL,X'0ed7e0fca92d9799bbc8cc7cd578be6ee35c17f637ea3cb870326d43fc4b9548',X'cfc153f81e2dbf4337a26af8fc92ad155f920c0131e7474addd19fcc94218b81','{"at":1795985683328,"mono":5518805,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"port":"1-3","why":"The drone disappeared from its port (step writing). Check cable and hub power, and plug it in again on the same port. Its firmware is incomplete: it starts again once it has been flashed; if it does not appear when plugged in, put it into DFU mode: disconnect the battery and the USB cable, hold down the push button (on/off) while inserting the USB cable, keep holding it for about 5 seconds until the blue LED reaches its second, slower blink rate (1 Hz), then release it."}');
INSERT INTO record VALUES(26,'begin',5,X'cfc153f81e2dbf4337a26af8fc92ad155f920c0131e7474addd19fcc94218b81',X'3fb77f3d6a2f3c432d42371c75b01ae99b52a44083bd9c48be48f06f13057c95',NULL);
INSERT INTO record VALUES(27,'act',NULL,X'3fb77f3d6a2f3c432d42371c75b01ae99b52a44083bd9c48be48f06f13057c95',X'0a5efb2ff2afff29b938db4feb047aa6ffc5fe88ffd35ff064598988e4da3f0c','{"at":1795985684719,"mono":5520196,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"uid":0,"pid":21760,"user":"root","method":"Pause","arguments":"{}"}');
INSERT INTO record VALUES(28,'setting',NULL,X'0a5efb2ff2afff29b938db4feb047aa6ffc5fe88ffd35ff064598988e4da3f0c',X'fab787e926071a986685137db9c5de017a9dc0dd9951f14352fce065c847061c','{"at":1795985684719,"mono":5520196,"boot":"cd315961-d2d9-4bd9-88d5-3fedb8c0b36b","sync":0,"scope":"station","name":"paused","value":"yes"}');
CREATE TABLE boot (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO boot VALUES(1,'cd315961-d2d9-4bd9-88d5-3fedb8c0b36b');
CREATE TABLE image (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
 sha256 TEXT NOT NULL, UNIQUE (sha256, name, version)) STRICT;
INSERT INTO image VALUES(1,'old','2025.02','ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86');
INSERT INTO image VALUES(2,'new','2025.12','e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c');
INSERT INTO image VALUES(3,'','','');
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
INSERT INTO drone VALUES(1,'440042000A51353432343630','307834763435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.02',NULL,1795985678015,1795985678675,1,'pass',1,0,NULL,NULL);
INSERT INTO drone VALUES(2,'330041000A51353432343630','307734653435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.12',NULL,1795985678026,1795985680619,3,'unchanged',3,0,NULL,NULL);
INSERT INTO drone VALUES(3,'550043000A51353432343630','307934873435','cf2','Crazyflie 2.1','CF21','8a71bd589dd9868c44491fd878b474c26e2ebae4055c23264ba08b840cfa6424','2025.02',NULL,1795985680742,1795985683311,4,'fail',2,1,NULL,NULL);
INSERT INTO drone VALUES(4,'660044000A51353432343630',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795985683455,1795985683455,5,NULL,NULL,0,NULL,NULL);
CREATE TABLE drone_failure (
 drone INTEGER NOT NULL REFERENCES drone (id), port TEXT NOT NULL,
 PRIMARY KEY (drone, port)) STRICT, WITHOUT ROWID;
INSERT INTO drone_failure VALUES(3,'1-3');
CREATE TABLE port (
 port TEXT PRIMARY KEY,
 label TEXT,
 failures INTEGER NOT NULL DEFAULT 0,
 crashes INTEGER NOT NULL DEFAULT 0,
 aside_ms INTEGER, aside_why TEXT) STRICT, WITHOUT ROWID;
INSERT INTO port VALUES('1-1','A1',0,0,NULL,NULL);
INSERT INTO port VALUES('1-2',NULL,0,0,NULL,NULL);
INSERT INTO port VALUES('1-3',NULL,1,0,1795985683328,'The drone disappeared from its port (step writing). Check cable and hub power, and plug it in again on the same port. Its firmware is incomplete: it starts again once it has been flashed; if it does not appear when plugged in, put it into DFU mode: disconnect the battery and the USB cable, hold down the push button (on/off) while inserting the USB cable, keep holding it for about 5 seconds until the blue LED reaches its second, slower blink rate (1 Hz), then release it.');
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
 port_count INTEGER, drone_count INTEGER, crash INTEGER,
 CHECK ((end_seq IS NULL) = (verdict IS NULL))) STRICT;
INSERT INTO attempt VALUES(1,13,16,0,1795985678015,5513492,1,0,1,'flash','1-2',NULL,'440042000A51353432343630',NULL,'cf2',1,'2025.12',NULL,1795985678675,5514153,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,163840,5,396,'2025.02','Flashed, read back equal, and running the new firmware. It is safe to unplug.',NULL,'440042000A51353432343630','307834763435','cf2','2025.12','[["asking",0],["rebooting",32],["probing",1],["comparing",0],["erasing",488],["writing",95],["verifying",7],["first-page",1],["leaving",0],["booting",31],["confirming",0]]',2,2,NULL);
INSERT INTO attempt VALUES(2,14,18,0,1795985678026,5513504,1,0,2,'flash','1-1','A1','330041000A51353432343630',NULL,'cf2',2,'2025.02',NULL,1795985680395,5515873,1,0,1,'pass',NULL,NULL,NULL,NULL,11,'confirming',NULL,163840,5,397,'2025.12','Flashed, read back equal, and running the new firmware. It is safe to unplug.',NULL,'330041000A51353432343630','307734653435','cf2','2025.02','[["asking",1],["rebooting",60],["probing",9],["comparing",0],["erasing",2136],["writing",110],["verifying",7],["first-page",1],["leaving",0],["booting",42],["confirming",0]]',2,2,NULL);
INSERT INTO attempt VALUES(3,20,21,0,1795985680524,5516001,1,0,2,'backup','1-1','A1','330041000A51353432343630','307734653435','cf2',3,'2025.12',' asked-again',1795985680619,5516096,1,0,2,'unchanged',NULL,NULL,NULL,NULL,11,'confirming',NULL,0,0,563,'2025.12','Read; nothing was written. It is safe to unplug.',' asked-again','330041000A51353432343630','307734653435','cf2','2025.12','[["asking",18],["rebooting",39],["probing",11],["leaving",1],["booting",34],["confirming",0],["backing-up",52]]',2,2,NULL);
INSERT INTO attempt VALUES(4,22,24,0,1795985680742,5516220,1,0,3,'flash','1-3',NULL,'550043000A51353432343630',NULL,'cf2',2,'2025.02',NULL,1795985683311,5518789,1,0,5,'fail',32,'gone',3,'port',6,'writing',NULL,8192,5,74,NULL,'The drone disappeared from its port (step writing). Check cable and hub power, and plug it in again on the same port. Its firmware is incomplete: it starts again once it has been flashed; if it does not appear when plugged in, put it into DFU mode: disconnect the battery and the USB cable, hold down the push button (on/off) while inserting the USB cable, keep holding it for about 5 seconds until the blue LED reaches its second, slower blink rate (1 Hz), then release it.',NULL,'550043000A51353432343630','307934873435','cf2','2025.02','[["asking",0],["rebooting",47],["probing",1],["comparing",0],["erasing",2264],["writing",254]]',1,1,NULL);
INSERT INTO attempt VALUES(5,26,NULL,0,1795985683455,5518932,1,0,4,'flash','1-4',NULL,'660044000A51353432343630',NULL,'cf2',2,'2025.02',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE tally (verdict TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO tally VALUES('fail',1);
INSERT INTO tally VALUES('pass',2);
INSERT INTO tally VALUES('unchanged',1);
CREATE TABLE firmware (
 id INTEGER PRIMARY KEY,
 name TEXT NOT NULL UNIQUE,
 sha256 TEXT NOT NULL, file TEXT NOT NULL, file_sha256 TEXT,
 source_name TEXT, source_sha256 TEXT, version TEXT, revision TEXT,
 platforms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
 notes TEXT, added_ms INTEGER NOT NULL, added_by TEXT) STRICT;
INSERT INTO firmware VALUES(1,'new','e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c','adf37e523c2eceece49691d55e1281fcdea6fb3b02abb464e4eeb73c466acf06.dfu','adf37e523c2eceece49691d55e1281fcdea6fb3b02abb464e4eeb73c466acf06','2025.12___size_163840.bin','e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c','2025.12','5da1cae4a365',2,163840,NULL,1795985677880,'root');
INSERT INTO firmware VALUES(2,'old','ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86','ddbdcf3dcfdc9ed3df03c54e481d739da50ff13dc39c655628a0fdd69b9b8f89.dfu','ddbdcf3dcfdc9ed3df03c54e481d739da50ff13dc39c655628a0fdd69b9b8f89','2025.02___size_163840.bin','ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86','2025.02','d38bac42df74',2,163840,NULL,1795985677905,'root');
CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
 PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES('own','1-2','old');
INSERT INTO setting VALUES('platform','1-5','bolt');
INSERT INTO setting VALUES('selected','cf2','new');
INSERT INTO setting VALUES('station','paused','yes');
INSERT INTO setting VALUES('store','running','1');
INSERT INTO setting VALUES('store','station','f529e97c49447c7164f7b9be0f0362d9');
CREATE TABLE act (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
 uid INTEGER, pid INTEGER, user TEXT, method TEXT NOT NULL, arguments TEXT) STRICT;
INSERT INTO act VALUES(3,1795985677878,0,20887,'root','AddFirmware','{"name":"new","notes":[],"source_name":"2025.12___size_163840.bin","source_sha256":"e0905df6b5fcd3982cee0ccb633029640e1cdebcefdaba36f84312fe723c133c","version":"2025.12"}');
INSERT INTO act VALUES(5,1795985677903,0,20888,'root','AddFirmware','{"name":"old","notes":[],"source_name":"2025.02___size_163840.bin","source_sha256":"ecb3d02761ff6b03f9123f264f7dc8336646d911eaed9ee533cc1c4eed84dd86","version":"2025.02"}');
INSERT INTO act VALUES(7,1795985677932,0,20893,'root','SelectFirmware','{"name":"new"}');
INSERT INTO act VALUES(9,1795985677955,0,20894,'root','SelectFirmware','{"name":"old","target":"1-2"}');
INSERT INTO act VALUES(11,1795985677973,0,20895,'root','SetPlatformRule','{"platform":"bolt","target":"1-5"}');
INSERT INTO act VALUES(19,1795985680460,0,21225,'root','Backup','{"slot":"1-1"}');
INSERT INTO act VALUES(27,1795985684719,0,21760,'root','Pause','{}');
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
 FROM attempt a LEFT JOIN image i ON i.id = a.image;
CREATE VIEW acts AS SELECT seq AS id,
 strftime('%Y-%m-%dT%H:%M:%S', at_ms / 1000, 'unixepoch')
  || printf('.%03dZ', at_ms % 1000) AS at, at_ms, uid, pid, user, method, arguments
 FROM act;
COMMIT;
