-- SPDX-License-Identifier: MIT
-- The records of many stations.  Applied by "cfdfu-sync --init", in a transaction of its own.
--
-- A station calls two functions, position() and take(), and has no right to anything else.  All keys
-- begin with station_id and hold ended_at: what partitions by month, and a database that is distributed
-- by station_id (Citus), ask for.  No foreign keys, no sequences, no triggers: those they forbid.

DO $$
BEGIN
	IF getdatabaseencoding() NOT IN ('UTF8', 'SQL_ASCII') THEN
		RAISE feature_not_supported USING MESSAGE = 'the database has encoding ' ||
			getdatabaseencoding() || ', which has not all characters that stations send: UTF8 is needed';
	END IF;
END $$;

CREATE SCHEMA cfdfu;

-- Groups, without a login: GRANT cfdfu_station TO lab1;  (roles are the server's, not the database's)
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cfdfu_station') THEN
		CREATE ROLE cfdfu_station NOLOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cfdfu_reader') THEN
		CREATE ROLE cfdfu_reader NOLOGIN;
	END IF;
END $$;

CREATE TABLE cfdfu.migration (
	version int PRIMARY KEY,
	name text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- login: the role that came first with this station_id; no other may send for it.
CREATE TABLE cfdfu.station (
	station_id uuid PRIMARY KEY,
	host text,
	login name NOT NULL DEFAULT session_user,
	first_at timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz NOT NULL DEFAULT now()
);

-- How far each chain of records has come.  A station has a second epoch when its records are not those
-- that go on behind the first: it was restored from a backup, or copied.
CREATE TABLE cfdfu.position (
	station_id uuid,
	epoch int,
	seq bigint NOT NULL,
	hash text,
	endings bigint NOT NULL,
	moved_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (station_id, epoch)
);

-- An ending, as it came in first; never changed.  more: members that a newer station knows.
CREATE TABLE cfdfu.attempt (
	station_id uuid,
	uuid uuid,
	ended_at timestamptz,
	epoch int NOT NULL,
	seq bigint NOT NULL,
	id bigint NOT NULL,
	started_at timestamptz NOT NULL,
	duration_ms bigint,
	kind text,
	target text,
	path text,
	port text NOT NULL,
	label text,
	serial text,
	dfu_serial text,
	platform text,
	batch text,
	firmware_name text,
	firmware_version text,
	firmware_sha256 text,
	signer text,
	version_before text,
	version_after text,
	verdict text NOT NULL,
	fault text,
	step text,
	address bigint,
	bytes_written bigint,
	sectors_erased bigint,
	transfers bigint,
	message text,
	ready text,
	nrf_version text,
	stages jsonb,
	more jsonb,
	taken_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (station_id, uuid, ended_at)
) PARTITION BY RANGE (ended_at);
CREATE TABLE cfdfu.attempt_rest PARTITION OF cfdfu.attempt DEFAULT;
CREATE INDEX ON cfdfu.attempt (ended_at);
CREATE INDEX ON cfdfu.attempt (serial, ended_at);

-- What was learned of the drone behind the ending; the last one counts.  state: all of it.  digest: two
-- chains may have different ones of one number.
CREATE TABLE cfdfu.condition (
	station_id uuid,
	uuid uuid,
	ended_at timestamptz,
	seq bigint,
	digest text,
	epoch int NOT NULL,
	ready text,
	nrf_version text,
	state jsonb NOT NULL,
	taken_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (station_id, uuid, ended_at, seq, digest)
) PARTITION BY RANGE (ended_at);
CREATE TABLE cfdfu.condition_rest PARTITION OF cfdfu.condition DEFAULT;

-- What a station sent and the tables above cannot hold, and why: nothing stays behind for it.
CREATE TABLE cfdfu.refused (
	station_id uuid,
	epoch int,
	seq bigint,
	ending jsonb NOT NULL,
	why text NOT NULL,
	taken_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (station_id, epoch, seq)
);

-- The epochs of a station, the newest first.  Makes the station known.
CREATE FUNCTION cfdfu.position(station_id uuid, host text)
RETURNS TABLE (epoch int, seq bigint, hash text, endings bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO cfdfu.station AS s (station_id, host) VALUES ($1, $2)
	ON CONFLICT (station_id) DO UPDATE SET host = excluded.host, last_at = now()
	WHERE s.login = session_user;
	IF NOT FOUND THEN
		RAISE insufficient_privilege
			USING MESSAGE = 'station ' || $1 || ' belongs to another login than ' || session_user;
	END IF;
	RETURN QUERY SELECT p.epoch, p.seq, p.hash, p.endings FROM cfdfu.position p
		WHERE p.station_id = $1 ORDER BY p.epoch DESC;
END $$;

-- Endings and conditions into their tables; for take().  Returns the attempts that were not here yet.
CREATE FUNCTION cfdfu.keep(station_id uuid, epoch int, endings jsonb)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	added bigint;
BEGIN
	INSERT INTO cfdfu.attempt (station_id, uuid, ended_at, epoch, seq, id, started_at, duration_ms, kind,
		target, path, port, label, serial, dfu_serial, platform, batch, firmware_name,
		firmware_version, firmware_sha256, signer, version_before, version_after, verdict, fault,
		step, address, bytes_written, sectors_erased, transfers, message, ready, nrf_version, stages,
		more)
	SELECT $1, a.uuid, a.ended_at, $2, e.seq, a.id, a.started_at, a.duration_ms, a.kind,
		a.target, a.path, a.port, a.label, a.serial, a.dfu_serial, a.platform, a.batch, a.firmware_name,
		a.firmware_version, a.firmware_sha256, a.signer, a.version_before, a.version_after, a.verdict,
		a.fault, a.step, a.address, a.bytes_written, a.sectors_erased, a.transfers, a.message,
		a.ready, a.nrf_version, e.stages,
		jsonb_strip_nulls(e.attempt - '{uuid,ended_at,id,started_at,duration_ms,kind,target,path,port,
			label,serial,dfu_serial,platform,batch,firmware_name,firmware_version,
			firmware_sha256,signer,version_before,version_after,verdict,fault,step,address,
			bytes_written,sectors_erased,transfers,message,ready,nrf_version}'::text[])
	FROM jsonb_to_recordset($3) AS e (seq bigint, what text, attempt jsonb, stages jsonb),
		jsonb_to_record(e.attempt) AS a (uuid uuid, ended_at timestamptz, id bigint,
		started_at timestamptz, duration_ms bigint, kind text, target text, path text, port text,
		label text, serial text, dfu_serial text, platform text, batch text, firmware_name text,
		firmware_version text, firmware_sha256 text, signer text, version_before text,
		version_after text, verdict text, fault text, step text, address bigint,
		bytes_written bigint, sectors_erased bigint, transfers bigint, message text, ready text,
		nrf_version text)
	WHERE e.what = 'end'
	ON CONFLICT (station_id, uuid, ended_at) DO NOTHING;
	GET DIAGNOSTICS added = ROW_COUNT;

	INSERT INTO cfdfu.condition (station_id, uuid, ended_at, seq, digest, epoch, ready, nrf_version, state)
	SELECT $1, (c.state ->> 'uuid')::uuid, (c.state ->> 'ended_at')::timestamptz, c.seq,
		md5(c.known::text), $2, c.known ->> 'ready', c.known ->> 'nrf_version', c.known
	FROM (SELECT e.seq, e.attempt AS state,
			(SELECT jsonb_object_agg(m.key, m.value) FROM jsonb_each(e.attempt) m
			WHERE m.key IN ('ready', 'remaining', 'selftest', 'decks', 'radio', 'battery_mv',
				'crash', 'nrf_version')) AS known
		FROM jsonb_to_recordset($3) AS e (seq bigint, what text, attempt jsonb)
		WHERE e.what = 'condition') c
	ON CONFLICT (station_id, uuid, ended_at, seq, digest) DO NOTHING;
	RETURN added;
END $$;

-- Takes what a station recorded behind record number from_seq (with that hash), up to next_seq, and moves
-- the epoch's position: both or none.  A position that is not from_seq any more is an error of class 40:
-- another run was faster, begin again.  Returns the attempts that were not here yet.
CREATE FUNCTION cfdfu.take(station_id uuid, epoch int, from_seq bigint, from_hash text,
	endings jsonb, next_seq bigint, next_hash text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	place record;
	added bigint;
	one jsonb;
BEGIN
	PERFORM FROM cfdfu.station s WHERE s.station_id = $1 AND s.login = session_user;
	IF NOT FOUND THEN
		RAISE insufficient_privilege
			USING MESSAGE = 'station ' || $1 || ' belongs to another login than ' || session_user;
	END IF;
	INSERT INTO cfdfu.position (station_id, epoch, seq, endings) SELECT $1, $2, 0, 0 WHERE $3 = 0
	ON CONFLICT (station_id, epoch) DO NOTHING;
	SELECT p.seq, p.hash INTO place FROM cfdfu.position p
	WHERE p.station_id = $1 AND p.epoch = $2 FOR UPDATE;
	IF place IS NULL OR place.seq <> $3 OR place.hash IS DISTINCT FROM $4 THEN
		RAISE serialization_failure USING MESSAGE = 'the position of station ' || $1 || ' has moved';
	END IF;

	BEGIN
		added := cfdfu.keep($1, $2, $5);
	EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
		added := 0;
		FOR one IN SELECT * FROM jsonb_array_elements($5) LOOP
			BEGIN
				added := added + cfdfu.keep($1, $2, jsonb_build_array(one));
			EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
				RAISE WARNING 'record % of station %: %', one ->> 'seq', $1, sqlerrm;
				INSERT INTO cfdfu.refused (station_id, epoch, seq, ending, why)
				VALUES ($1, $2, (one ->> 'seq')::bigint, one, sqlerrm);
			END;
		END LOOP;
	END;

	UPDATE cfdfu.position p SET seq = $6, hash = $7, moved_at = now(), endings = p.endings +
		(SELECT count(*) FROM jsonb_array_elements($5) e WHERE e ->> 'what' = 'end')
	WHERE p.station_id = $1 AND p.epoch = $2;
	RETURN added;
END $$;

REVOKE ALL ON FUNCTION cfdfu.position, cfdfu.take, cfdfu.keep FROM PUBLIC;
GRANT USAGE ON SCHEMA cfdfu TO cfdfu_station, cfdfu_reader;
GRANT EXECUTE ON FUNCTION cfdfu.position, cfdfu.take TO cfdfu_station;
GRANT SELECT ON ALL TABLES IN SCHEMA cfdfu TO cfdfu_reader;
