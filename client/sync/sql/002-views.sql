-- SPDX-License-Identifier: MIT
-- Views for people and Grafana, and partitions by month.

-- Each attempt with what is known of its drone now.
CREATE VIEW cfdfu.attempts AS
SELECT a.*, s.host, coalesce(c.ready, a.ready) AS ready_now,
	coalesce(c.nrf_version, a.nrf_version) AS nrf_version_now, coalesce(c.state, a.more) AS state
FROM cfdfu.attempt a
JOIN cfdfu.station s ON s.station_id = a.station_id
LEFT JOIN LATERAL (SELECT c.ready, c.nrf_version, c.state FROM cfdfu.condition c
	WHERE c.station_id = a.station_id AND c.uuid = a.uuid AND c.ended_at = a.ended_at
	ORDER BY c.epoch DESC, c.seq DESC LIMIT 1) c ON true;

-- Attempts at flashing; first: the first one of a drone with an image on that station, as the station's
-- own first-pass yield has it (skipped ones do not count).
CREATE VIEW cfdfu.flashed AS
SELECT a.station_id, a.uuid, a.ended_at, a.ended_at::date AS day, a.port, a.label, a.serial, a.verdict, a.fault,
	a.firmware_sha256, a.duration_ms, a.verdict IN ('pass', 'unchanged') AS good,
	row_number() OVER (PARTITION BY a.station_id, coalesce(a.serial, a.dfu_serial, a.port),
		a.firmware_sha256 ORDER BY a.ended_at, a.seq) = 1 AS first
FROM cfdfu.attempt a
WHERE coalesce(a.kind, 'flash') = 'flash' AND a.verdict <> 'skipped';

CREATE VIEW cfdfu.yield_by_station_day AS
SELECT f.station_id, s.host, f.day, count(*) AS attempts, count(*) FILTER (WHERE f.good) AS good,
	count(*) FILTER (WHERE f.verdict = 'fail') AS failed, count(DISTINCT f.serial) AS drones,
	count(*) FILTER (WHERE f.first) AS first, count(*) FILTER (WHERE f.first AND f.good) AS first_good
FROM cfdfu.flashed f JOIN cfdfu.station s ON s.station_id = f.station_id
GROUP BY f.station_id, s.host, f.day;

CREATE VIEW cfdfu.yield_by_slot AS
SELECT f.station_id, s.host, f.port, max(f.label) AS label, count(*) AS attempts,
	count(*) FILTER (WHERE f.good) AS good, count(*) FILTER (WHERE f.first) AS first,
	count(*) FILTER (WHERE f.first AND f.good) AS first_good,
	mode() WITHIN GROUP (ORDER BY f.fault) AS usual_fault, max(f.ended_at) AS last_at
FROM cfdfu.flashed f JOIN cfdfu.station s ON s.station_id = f.station_id
GROUP BY f.station_id, s.host, f.port;

CREATE VIEW cfdfu.stage_percentiles AS
SELECT a.station_id, s.host, g.step, count(*) AS count,
	percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY g.ms) AS ms_50_95_99, max(g.ms) AS ms_max
FROM cfdfu.attempt a JOIN cfdfu.station s ON s.station_id = a.station_id,
	jsonb_to_recordset(a.stages) AS g (step text, ms bigint)
GROUP BY a.station_id, s.host, g.step;

-- Of each drone that was seen with its serial, on all stations.
CREATE VIEW cfdfu.drone_life AS
SELECT a.serial, max(a.platform) AS platform, min(a.started_at) AS first_at, max(a.ended_at) AS last_at,
	count(*) AS attempts, count(*) FILTER (WHERE a.verdict IN ('pass', 'unchanged')) AS good,
	count(DISTINCT a.station_id) AS stations,
	(array_agg(a.verdict ORDER BY a.ended_at DESC))[1] AS last_verdict,
	(array_agg(coalesce(a.version_after, a.version_before) ORDER BY a.ended_at DESC))[1] AS last_version
FROM cfdfu.attempt a WHERE a.serial IS NOT NULL
GROUP BY a.serial;

GRANT SELECT ON cfdfu.attempts, cfdfu.flashed, cfdfu.yield_by_station_day, cfdfu.yield_by_slot,
	cfdfu.stage_percentiles, cfdfu.drone_life TO cfdfu_reader;

-- Gives the month that day is in partitions of its own (what is in the default ones goes there).  For the
-- owner, by cron or by hand; stations wait meanwhile.  Returns whether there was none yet.
CREATE FUNCTION cfdfu.split_month(day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	from_at timestamptz := date_trunc('month', day);
	to_at timestamptz := from_at + interval '1 month';
	part text;
	name text;
BEGIN
	IF to_regclass('cfdfu.attempt_' || to_char(from_at, 'YYYY_MM')) IS NOT NULL THEN
		RETURN false;
	END IF;
	FOREACH part IN ARRAY '{attempt,condition}'::text[] LOOP
		name := part || '_' || to_char(from_at, 'YYYY_MM');
		EXECUTE format('LOCK TABLE cfdfu.%I IN ACCESS EXCLUSIVE MODE', part);
		EXECUTE format('CREATE TABLE cfdfu.%I (LIKE cfdfu.%I INCLUDING DEFAULTS)', name, part);
		EXECUTE format('WITH moved AS (DELETE FROM cfdfu.%I WHERE ended_at >= $1 AND ended_at < $2 RETURNING *)
			INSERT INTO cfdfu.%I SELECT * FROM moved', part || '_rest', name) USING from_at, to_at;
		EXECUTE format('ALTER TABLE cfdfu.%I ATTACH PARTITION cfdfu.%I FOR VALUES FROM (%L) TO (%L)',
			part, name, from_at, to_at);
	END LOOP;
	RETURN true;
END $$;

-- Drops the partitions of the months that ended before day; returns how many months those were.  A station
-- that begins a new epoch sends the rows again that it still has: drop here only what the stations, too,
-- may forget, or drop again.
CREATE FUNCTION cfdfu.drop_before(day date) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	month text;
	n int := 0;
BEGIN
	FOR month IN SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'cfdfu.attempt'::regclass AND c.relname ~ '^attempt_\d{4}_\d\d$'
		AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= day
	LOOP
		EXECUTE format('DROP TABLE cfdfu.%I, cfdfu.%I', 'attempt_' || month, 'condition_' || month);
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION cfdfu.split_month, cfdfu.drop_before FROM PUBLIC;
