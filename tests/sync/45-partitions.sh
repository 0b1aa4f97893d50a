#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The database's owner gives months partitions of their own while stations send, and drops old ones: nothing
# is lost but what was dropped, and that does not come back.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

split_waits()
{
	[ "$(centre "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
		AND query LIKE '%split_month%' AND pid <> pg_backend_pid()")" -gt 0 ]
}

attempts_before() # DAY
{
	centre "SELECT count(*) FROM cfdfu.attempt WHERE ended_at < '$1'"
}

centre_make
proxy_start
stations_make 1 2 1300
station_serve 1
station_serve 2
sync_hold 1 "hold within 1"
centre "SELECT cfdfu.split_month('2026-01-15')" > "$scratch/split" 2>&1 &
split=$!
until_true 60 split_waits || not_ok "splitting waits for the run" "it does not: $(cat "$scratch/split")"
sync_let_go
gave "a month is split while a run is within its transaction: the run ends with 0" 0 1
wait $split
same "... and the month is split" t "$(cat "$scratch/split")"
holds_all "a month split under a run: none lost, none twice" 1
for month in $(centre "SELECT DISTINCT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-01') FROM cfdfu.attempt"); do
	centre "SELECT cfdfu.split_month('$month')" > /dev/null
done
same "with all months split, none is left over" "0 0" \
	"$(centre "SELECT count(*) || ' ' || (SELECT count(*) FROM cfdfu.condition_rest) FROM cfdfu.attempt_rest")"
holds_all "all months split: none lost, none twice" 1
sync_once 2 "cut within 1"
sync_gives "another station sends into the partitions" 0 2
holds_all "another station in the partitions: none lost, none twice" 2
within "there is something old to drop" 1 "$(attempts_before 2026-01-01)" 100000
centre "SELECT cfdfu.drop_before('2026-01-01')" > /dev/null
same "old months are dropped" 0 \
	"$(centre "SELECT count(*) FROM pg_class WHERE relname ~ '^attempt_(19|200)' AND relkind = 'r'")"
before=$(attempts_before 2026-01-01)
sync_gives "the next run has nothing to send" 0 1
same "... and brings nothing back" "$before" "$(attempts_before 2026-01-01)"
