#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stations whose records are not those that the centre has seen: restored from a backup, copied, made
# again from the audit file; a schema that is older or newer than the program, a station that says more
# or less; logins that may not do what they try.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

attempts=700
st=$scratch/st

# What is there and must stay as it is, whatever comes.
keep_rows()
{
	centre "SELECT a FROM cfdfu.attempt a ORDER BY station_id, uuid, ended_at" > "$scratch/rows"
}

rows_stand() # NAME
{
	centre "SELECT a FROM cfdfu.attempt a ORDER BY station_id, uuid, ended_at" > "$scratch/rows-now"
	same "$1: nothing that was there has changed" "" \
		"$(LC_ALL=C comm -23 <(LC_ALL=C sort "$scratch/rows") <(LC_ALL=C sort "$scratch/rows-now") | head -n 2)"
}

is_usable()
{
	cfdfuctl --socket "$scratch/1.control" --json status | jq -e '.station.health != "degraded"'
}

epochs() # STATION
{
	centre "SELECT count(*) FROM cfdfu.position WHERE station_id = '$(station_id "$1")'"
}

more_records() # STATION [SEED]
{
	station_stop "$1"
	seed=${2:-$seed} stations_make "$1" "$1" $attempts
	station_serve "$1"
}

centre_make
proxy_start

# ---- restored from a backup ---------------------------------------------------------------------
stations_make 1 1 $attempts
station_serve 1
sync_gives "a station's records are sent" 0 1
station_stop 1
cp -a "$st/1" "$st/backup"
station_serve 1
more_records 1
sync_gives "and what it recorded since the backup" 0 1
keep_rows
station_stop 1
mv "$st/1" "$st/before"
mv "$st/backup" "$st/1"
station_serve 1
more_records 1 $((seed + 500))
sync_gives "restored from its backup, it sends what it recorded then" 0 1
says "... with a warning" . jq -e '.warning != null' "$scratch/1.state"
rows_stand "restored"
same "restored: a second epoch" 2 "$(epochs 1)"
holds_all "restored: all of both lives is there" 1 "$st/before" "$st/1"
keep_rows
more_records 1 $((seed + 600))
sync_gives "restored: it goes on" 0 1
same "restored: there is no third epoch" 2 "$(epochs 1)"
holds_all "restored: all that followed is there" 1 "$st/before" "$st/1"

# ---- its database lost, made again from the audit file ------------------------------------------
station_stop 1
rm -f "$st/1"/cfdfud.db*
station_serve 1
until_true 120 is_usable
sync_gives "a database made again from the audit file" 0 1
rows_stand "made again"
same "made again: the chain is the same, there is no new epoch" 2 "$(epochs 1)"

# ---- copied: two stations with one identity -----------------------------------------------------
station_stop 1
stations_make 2 2 $attempts
station_serve 2
sync_gives "another station's records are sent" 0 2
station_stop 2
cp -a "$st/2" "$st/3"
station_serve 2
station_serve 3
more_records 2
more_records 3 $((seed + 700))
sync_login=station_2 # WHY: the first login that came with an identity owns it
for round in 1 2 3; do
	sync_gives "copied: the first sends (round $round)" 0 2
	sync_gives "copied: the other one sends (round $round)" 0 3
	more_records 2 $((seed + 800 + round))
	more_records 3 $((seed + 900 + round))
done
sync_gives "copied: the first sends the last" 0 2
sync_gives "copied: the other one sends the last" 0 3
same "copied: an epoch each" 2 "$(epochs 2)"
holds_all "copied: all of both is there, none twice" 2 "$st/2" "$st/3"
same "copied: common records are there once" 0 "$(centre "SELECT count(*) - count(DISTINCT (uuid, ended_at))
	FROM cfdfu.attempt WHERE station_id = '$(station_id 2)'")"
sync_login=
station_stop 3

# ---- another program than the schema is for -----------------------------------------------------
# A station in between that is newer (says more), or older (says less).
between() # SED-EXPRESSION
{
	rm -f "$scratch/between"
	socat "UNIX-LISTEN:$scratch/between,fork" \
		"SYSTEM:'socat -t 60 - UNIX-CONNECT\:$scratch/2.control | sed -zu \"$1\"'" \
		2>> "$scratch/socat.log" &
	between_pid=$!
	until_true 30 test -S "$scratch/between"
}

between_end()
{
	pkill -P $between_pid || true
	kill $between_pid
	wait $between_pid 2> /dev/null || true
}

more_records 2 $((seed + 1000))
between 's/\\\"port\\\":/\\\"novelty\\\":[\\\"x\\\",1],\\\"port\\\":/g'
sync_socket=$scratch/between sync_gives "a newer station: all is sent" 0 2
between_end
within "a newer station: what this schema has no column for is kept" 600 \
	"$(centre "SELECT count(*) FROM cfdfu.attempt WHERE more -> 'novelty' ->> 0 = 'x'")" 1000
holds_all "a newer station: none lost, none twice" 2 "$st/2" "$st/3"

more_records 2 $((seed + 1100))
between 's/\\\"path\\\":\\\"usb\\\",//g; s/\\\"nrf_version\\\":[^,}]*,//g'
sync_socket=$scratch/between sync_gives "an older station: all is sent" 0 2
between_end
within "an older station: what it does not say is unknown" 600 \
	"$(centre "SELECT count(*) FROM cfdfu.attempt WHERE path IS NULL")" 1000

newest=$(centre "SELECT max(version) FROM cfdfu.migration")
centre "INSERT INTO cfdfu.migration (version, name) VALUES ($newest + 1, 'of-next-year');
	ALTER TABLE cfdfu.attempt ADD COLUMN of_next_year text DEFAULT 'x'"
more_records 2 $((seed + 1200))
sync_gives "a schema that is newer than the program: all is sent" 0 2
holds "a schema that is newer than the program is left as it is" init cfdfu
same "... and not taken back" $((newest + 1)) "$(centre "SELECT max(version) FROM cfdfu.migration")"

# The oldest there can be: the first file alone.
centre_name=postgres centre "CREATE DATABASE older"
export centre_name=older
if [ "$newest" -gt 1 ]; then
	{
		cat "$CFDFU_SQL_DIR"/001-*.sql
		echo "INSERT INTO cfdfu.migration (version, name) VALUES (1, '001');"
	} | psql -X -q -v ON_ERROR_STOP=1 -U boss -d older > /dev/null
	sync_gives "a schema that is older than the program: all is sent" 0 2
	keep_rows
	holds "a schema that is older is brought up to date" init older
	rows_stand "brought up to date"
	sync_gives "brought up to date: nothing is sent again" 0 2
	same "brought up to date: nothing is there twice" 0 \
		"$(centre "SELECT count(*) - count(DISTINCT (uuid, ended_at)) FROM cfdfu.attempt")"
fi
centre "DROP SCHEMA IF EXISTS cfdfu CASCADE"
sync_gives "a database without the schema: refused with 4" 4 2
says "... and says what to do" '[-]-init' cat "$scratch/said-2"
centre_name=cfdfu

# ---- set up, and killed in its midst --------------------------------------------------------------
init_struck() # FATE
{
	{
		cfdfu-sync --init --database "host=$proxy dbname=fresh user=boss application_name='$1'" \
			> "$scratch/init" 2>&1
	} 2>> "$scratch/shell.log"
}

centre_name=postgres centre "CREATE DATABASE fresh"
for fate in "kill byte 200" "kill byte 3000" "kill byte 8000" "cut byte 9000" "cut byte 12000" "kill back 900"; do
	init_struck "$fate"
done
init fresh > "$scratch/init-1" 2>&1 &
init fresh > "$scratch/init-2" 2>&1 &
wait -n && wait -n
same "set up by two runs at once, after many that were killed" 0 $?
centre_name=fresh same "... each step once" "$(centre_name=fresh centre "SELECT max(version) FROM cfdfu.migration")" \
	"$(centre_name=fresh centre "SELECT count(*) FROM cfdfu.migration")"

# ---- logins -------------------------------------------------------------------------------------
as_login() # LOGIN SQL
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 -U "$1" -d cfdfu -c "$2"
}

refused() # NAME LOGIN SQL
{
	if as_login "$2" "$3" > "$scratch/answer" 2>&1; then
		not_ok "$1" "it is done: $(head -c 200 "$scratch/answer")"
	else
		holds "$1" grep -qE 'permission denied|belongs to another' "$scratch/answer"
	fi
}

login_make 9
id=$(station_id 2)
sync_login=station_9 sync_gives "another login's station: refused with 4" 4 2
keep_rows
refused "a station reads no attempt" station_2 "SELECT * FROM cfdfu.attempt"
refused "a station writes no attempt past take()" station_2 "INSERT INTO cfdfu.attempt (station_id) VALUES ('$id')"
refused "a station changes no attempt" station_2 "UPDATE cfdfu.attempt SET verdict = 'pass'"
refused "a station removes no attempt" station_2 "DELETE FROM cfdfu.attempt"
refused "a station moves no position" station_2 "UPDATE cfdfu.position SET seq = 0"
refused "a station reads no position but its own" station_9 "SELECT * FROM cfdfu.position('$id', 'x')"
refused "a station takes nothing for another" station_9 "SELECT cfdfu.take('$id', 1, 0, NULL, '[]', 5, 'x')"
centre "DO \$\$ BEGIN CREATE ROLE looks LOGIN IN ROLE cfdfu_reader; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
refused "a reader writes nothing" looks "INSERT INTO cfdfu.position (station_id, epoch, seq, endings) VALUES ('$id', 9, 0, 0)"
refused "a reader takes nothing" looks "SELECT cfdfu.take('$id', 1, 0, NULL, '[]', 5, 'x')"
holds "a reader reads" as_login looks "SELECT count(*) FROM cfdfu.attempt"
rows_stand "all these tries"
