#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cfdfu-sync: what the station has recorded reaches a PostgreSQL server of this script's own, once, over
# restarts, restored databases and servers that are not there; and what the doctor says of it.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=postgres.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=postgres.sh
. "$(dirname "$0")/postgres.sh"
export LC_ALL=C

here=$(cd "$(dirname "$0")/../.." && pwd)
export CFDFU_SQL_DIR=$here/client/sync/sql CFDFU_SYNC_STATE=$scratch/sync.json
old=$(image 2025.02 --size 61440)
good=$(image 2025.12 --size 61440)

sync() # [OPTION...]: its exit status
{
	local rc=0

	cfdfu-sync "$@" > "$scratch/sync.out" 2>&1 || rc=$?
	echo $rc
}

sync_gives() # STATUS
{
	[ "$(sync)" = "$1" ]
}

kept() # JQ-FILTER: of the state file
{
	jq -r "$1" "$CFDFU_SYNC_STATE"
}

# Attempts that the station has ended, and those that the server has: name and ending.
here_and_there()
{
	records "SELECT uuid || ' ' || verdict FROM attempts WHERE verdict IS NOT NULL ORDER BY 1"
	echo --
	pg_sql "SELECT uuid || ' ' || verdict FROM cfdfu.attempt ORDER BY 1"
}

all_there() # NAME
{
	here_and_there > "$scratch/both"
	same "$1" "$(sed '/^--$/,$d' "$scratch/both")" "$(sed '1,/^--$/d' "$scratch/both")"
}

central() # the doctor's line
{
	cfdfuctl --json doctor 2> /dev/null | jq -r '.checks[] | select(.name == "central") | "\(.level) \(.text)"'
}

fly() # PORT UID: a drone is flashed
{
	rack_plug "$1" "$old" "uid=$2"
	until_true 600 test_verdict "$1" pass
}

pg_init
pg_start
trap 'sim_stop; pg_stop immediate' EXIT
same "without a station there is nothing to send" 3 "$(sync)"
sim_start fast
trap 'sim_stop; pg_stop immediate' EXIT
cfdfuctl firmware add "$good" --name good > /dev/null
cfdfuctl firmware select good > /dev/null
fly 1-1 110041000A51353432343630
fly 1-2 110042000A51353432343630

# ---- the tables ---------------------------------------------------------------------------------
same "a server without the tables refuses" 4 "$(sync --database "host=$pg user=boss")"
holds "and the way out is named" grep -q -e --init "$scratch/sync.out"
same "the tables are made" 0 "$(sync --init --database "host=$pg user=boss")"
same "once" 0 "$(sync --init --database "host=$pg user=boss")"
says "the same again says what there is" "^the tables are those of version [0-9]" cfdfu-sync --init --database "host=$pg user=boss dbname=postgres"
same "each file has its row" "$(cd "$CFDFU_SQL_DIR" && echo *.sql)" \
	"$(pg_sql "SELECT string_agg(name, ' ' ORDER BY version) FROM cfdfu.migration")"
pg_sql "CREATE ROLE lab1 LOGIN IN ROLE cfdfu_station; CREATE ROLE lab2 LOGIN IN ROLE cfdfu_station;
	CREATE ROLE eyes LOGIN IN ROLE cfdfu_reader"
same "a password on the command line is refused" 2 "$(sync --database "host=$pg password=x")"
same "a service that no file defines is a mistake, not the server's" 2 "$(PGSERVICEFILE=/dev/null sync)"
holds "and the manual has it" grep -q 'definition of service "cfdfu" not found; see DIAGNOSTICS in cfdfu-sync(8)' "$scratch/sync.out"
says "the doctor says that it has not succeeded yet" "^warn .*lacks [1-9].* It has not succeeded yet: definition" central
same "without its files there are no tables to make" 1 \
	"$(CFDFU_SQL_DIR=$scratch sync --init --database "host=$pg user=boss dbname=template1")"

# ---- attempts -----------------------------------------------------------------------------------
settle 2
same "by the service file, all is sent" 0 "$(sync)"
all_there "every ending is there, once"
same "with its stages" t "$(pg_sql "SELECT bool_and(jsonb_array_length(stages) > 3) FROM cfdfu.attempt")"
same "the doctor says so" ok "$(central | cut -d' ' -f1)"
fly 1-3 110043000A51353432343630
settle 2
same "what came since is told as missing" 1 "$(central | grep -cE 'lacks [1-9]')"
same "a second run sends only that" 0 "$(sync)"
all_there "and it is there"
same "nothing was taken twice" "$(kept .endings)" "$(pg_sql "SELECT endings FROM cfdfu.position")"
same "what was learned behind the ending is there" t \
	"$(pg_sql "SELECT count(*) > 0 AND bool_and(state ? 'ready') FROM cfdfu.condition")"
before=$(pg_sql "SELECT count(*), max(xmin::text) FROM cfdfu.position")
same "a run without news" 0 "$(sync)"
same "moves nothing" "$before" "$(pg_sql "SELECT count(*), max(xmin::text) FROM cfdfu.position")"

# ---- rights -------------------------------------------------------------------------------------
same "another login cannot send for this station" 4 "$(sync --database "service=cfdfu user=lab2")"
holds "and is told so" grep -q "^cfdfu-sync: station .* belongs to another login" "$scratch/sync.out"
for right in "SELECT * FROM cfdfu.attempt" "DELETE FROM cfdfu.attempt" "SELECT * FROM cfdfu.position"; do
	says "a station may not: $right" "permission denied" pg_sql "$right" lab1
done
same "a reader may read" t "$(pg_sql "SELECT count(*) > 0 FROM cfdfu.attempt" eyes)"
says "and no more" "permission denied" pg_sql "DELETE FROM cfdfu.attempt" eyes
same "an unknown login is refused" 4 "$(sync --database "service=cfdfu user=nobody")"
holds "in the server's own words" grep -q 'failed: role "nobody" does not exist; see' "$scratch/sync.out"

# ---- what cannot be taken -----------------------------------------------------------------------

cfdfu_take() # FROM-SEQ NEXT-SEQ ENDINGS: as a station of lab2's
{
	pg_sql "SELECT FROM cfdfu.position('$other', 'bench');
		SELECT cfdfu.take('$other', 1, $1, $([ "$1" = 0 ] && echo NULL || echo "'$1'"), '$3', $2, '$2')" lab2 2>&1
}

ending() # SEQ JQ-FILTER
{
	jq -nc --argjson seq "$1" '{seq: $seq, what: "end", stages: [], attempt: {id: $seq, port: "1-1", verdict: "pass",
		uuid: "00000000-0000-4000-8000-00000000000\($seq)", started_at: "2026-01-01T00:00:00.000Z",
		ended_at: "2026-01-01T00:01:00.000Z"}} | '"$2"
}

other=11111111-1111-4111-8111-111111111111
says "an ending that the tables cannot hold is told" "WARNING: *record 2 of station $other: .*out of range" \
	cfdfu_take 0 3 "[$(ending 1 .),$(ending 2 '.attempt.address = 1e30'),$(ending 3 .)]"
same "and is kept as it is; those before and behind it are taken" "2|1e30 3" \
	"$(pg_sql "SELECT seq, ending -> 'attempt' ->> 'address' FROM cfdfu.refused" eyes | sed 's/|1000*$/|1e30/') \
$(pg_sql "SELECT count(*) + 1 FROM cfdfu.attempt WHERE station_id = '$other'")"
same "the next ones go on behind it" 1 "$(cfdfu_take 3 4 "[$(ending 4 .)]")"
pg_sql "DELETE FROM cfdfu.attempt WHERE station_id = '$other'"
pg_sql "CREATE DATABASE narrow ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
same "a database without all characters gets no tables" 4 "$(sync --init --database "host=$pg user=boss dbname=narrow")"
holds "with words" grep -q "encoding LATIN1.*UTF8 is needed" "$scratch/sync.out"
if mknod "$scratch/null" c 1 3 2> /dev/null; then
	sync --state "$scratch/null" > /dev/null
	holds "a device as state file stays one" test -c "$scratch/null"
fi
cat > "$scratch/endless.sh" << 'EOF'
while IFS= read -r -d '' _; do
	printf '{"parameters":{"station_id":"22222222-2222-4222-8222-222222222222","host":null,"after_hash":null,%s}}\0' \
		'"endings":[],"next":0,"next_hash":null,"head":9,"total":9,"more":true'
done
EOF
socat "UNIX-LISTEN:$scratch/endless" "EXEC:bash $scratch/endless.sh" &
until_true 20 test -S "$scratch/endless"
same "a station whose pages do not go on is left" 3 "$(timeout 60 cfdfu-sync --socket "$scratch/endless" \
	--state "$scratch/endless.json" > "$scratch/sync.out" 2>&1; echo $?)"
holds "with words" grep -q "answers have no end" "$scratch/sync.out"
wait $!

# ---- servers ------------------------------------------------------------------------------------
fly 1-4 110044000A51353432343630
pg_sql "ALTER SYSTEM SET default_transaction_read_only = on" && pg_sql "SELECT pg_reload_conf()" > /dev/null
holds "a server that only reads is tried later" until_true 20 sync_gives 1
PGOPTIONS="-c default_transaction_read_only=off" pg_sql "ALTER SYSTEM RESET default_transaction_read_only"
pg_sql "SELECT pg_reload_conf()" > /dev/null
kill -STOP "$pg_pid"
same "one that stands still is given up" 1 "$(sync --database "service=cfdfu connect_timeout=1")"
kill -CONT "$pg_pid"
pg_stop immediate
same "one that is down is tried later" 1 "$(sync)"
says "the doctor says since when" "^warn .*lacks 1 of the endings. Last success: 20" central
same "and the state file, as metrics read it" "false true" \
	"$(kept '"\(.ok) \(.success_at < .at)"')"
pg_start
holds "when it is back all is sent" until_true 20 sync_gives 0
all_there "and nothing twice"

# ---- a station that was restored ----------------------------------------------------------------
sim_stop
cp -a "$state" "$scratch/backup"
sim_start fast
trap 'sim_stop; pg_stop immediate' EXIT
fly 1-5 110045000A51353432343630
same "it goes on, in the same epoch" "0 1" "$(sync) $(kept .epoch)"
rows=$(pg_sql "SELECT uuid, verdict, ended_at, taken_at FROM cfdfu.attempt" | sort)
sim_stop
rm -r "$state"
mv "$scratch/backup" "$state"
sim_start fast
trap 'sim_stop; pg_stop immediate' EXIT
fly 1-6 110046000A51353432343630
same "restored from a backup it begins another epoch" "0 2" "$(sync) $(kept .epoch)"
holds "with a warning" grep -q "sent from the beginning, as epoch 2" "$scratch/sync.out"
same "nothing that was there is changed" "" \
	"$(comm -23 <(echo "$rows") <(pg_sql "SELECT uuid, verdict, ended_at, taken_at FROM cfdfu.attempt" | sort))"
same "all of the restored one is there" "" "$(comm -23 \
	<(records "SELECT uuid FROM attempts WHERE verdict IS NOT NULL" | sort) \
	<(pg_sql "SELECT uuid FROM cfdfu.attempt" | sort))"
same "and no name twice" 0 "$(pg_sql "SELECT count(*) - count(DISTINCT uuid) FROM cfdfu.attempt")"
same "it goes on there" "0 2" "$(sync) $(kept .epoch)"

# ---- views and months ---------------------------------------------------------------------------
all=$(pg_sql "SELECT count(*) FROM cfdfu.attempt")
for view in attempts flashed yield_by_station_day yield_by_slot stage_percentiles drone_life; do
	same "a reader has the view $view" t "$(pg_sql "SELECT count(*) > 0 FROM cfdfu.$view" eyes)"
done
same "the day's yield counts each drone once" "$all $all" \
	"$(pg_sql "SELECT sum(first) || ' ' || sum(first_good) FROM cfdfu.yield_by_station_day" eyes)"
same "each drone has its life" 1 "$(pg_sql "SELECT max(attempts) FROM cfdfu.drone_life" eyes)"
this=$(pg_sql "SELECT min(ended_at)::date FROM cfdfu.attempt")
same "a month gets partitions of its own, once" "t f" \
	"$(pg_sql "SELECT cfdfu.split_month('$this')") $(pg_sql "SELECT cfdfu.split_month('$this')")"
same "with all that is of it" "$all" "$(pg_sql "SELECT count(*) FROM cfdfu.attempt")"
fly 1-7 110047000A51353432343630
same "and takes more" "0 $((all + 1))" "$(sync) $(pg_sql "SELECT count(*) FROM cfdfu.attempt")"
same "no month is dropped before its end" 0 "$(pg_sql "SELECT cfdfu.drop_before('$this')")"
same "one that is over is" "1 0" "$(pg_sql "SELECT cfdfu.drop_before('$this'::date + 62)") \
$(pg_sql "SELECT count(*) FROM cfdfu.attempt WHERE ended_at < '$this'::date + 20")"
