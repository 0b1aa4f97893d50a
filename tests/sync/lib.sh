# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for others, or by them for us
# Shared by the scripts here: a PostgreSQL server of their own, pgproxy before it, stations of mkstations
# served by cfdfud-sim.  Expects the build first in PATH and a directory in scratch.

images=$scratch/images
rack_socket=
database=
mkdir -p "$images"
# shellcheck source-path=SCRIPTDIR source=../e2e/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/common.sh"
# shellcheck source-path=SCRIPTDIR source=../e2e/postgres.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/postgres.sh"

proxy=$scratch/proxy
held=$proxy/held
proxy_port=5432
proxy_pid=
declare -A station_pid=()
sync_within=() station_within=() # the words before cfdfu-sync and cfdfud-sim
small=

# ---- the centre -----------------------------------------------------------------------------------

centre() # SQL
{
	PGOPTIONS=-cclient_min_messages=warning psql -X -A -t -q -v ON_ERROR_STOP=1 -P null='~' \
		-U boss -d "${centre_name:-cfdfu}" -c "$1"
}

# A new server, and a database set up by the program itself.
centre_make()
{
	pg_init
	pg_start
	centre_name=postgres centre "CREATE DATABASE cfdfu"
	init cfdfu > "$scratch/init" 2>&1 && return
	not_ok "the database is set up" "$(cat "$scratch/init")"
	exit 1
}

init() # DATABASE
{
	cfdfu-sync --init --database "host=$pg dbname=$1 user=boss"
}

# The database on a disk of its own, to be filled to the last byte.  Fails where there are no mounts.
small_begin()
{
	[ "$(id -u)" -eq 0 ] && mkdir "$scratch/small" &&
		mount -t tmpfs -o size=64m tmpfs "$scratch/small" 2> /dev/null || return
	small=$scratch/small
	chown postgres "$small"
	centre_name=postgres centre "CREATE TABLESPACE small LOCATION '$small'"
	centre_name=postgres centre "ALTER DATABASE cfdfu SET TABLESPACE small"
}

small_fill()
{
	centre "SELECT" # WHY: the first connection writes a file, and would be the last
	dd if=/dev/zero of="$small/filler" bs=64k > /dev/null 2>&1 || true # WHY: it ends when all is full
}

small_end()
{
	centre_name=postgres centre "DROP DATABASE cfdfu WITH (FORCE)"
	centre_name=postgres centre "DROP TABLESPACE small"
	umount "$small"
	small=
}

proxy_start()
{
	mkdir -p "$proxy"
	rm -f "$held"
	# shellcheck disable=SC2086 # an address, or nothing
	pgproxy "$proxy" $proxy_port "$pg/.s.PGSQL.5432" ${sync_host:-} >> "$scratch/proxy.log" 2>&1 &
	proxy_pid=$!
	until_true 30 test -S "$proxy/.s.PGSQL.$proxy_port"
}

# With all its connections.
proxy_stop()
{
	[ -n "$proxy_pid" ] || return 0
	pkill -P "$proxy_pid" || true
	kill "$proxy_pid" || true
	wait "$proxy_pid" 2> /dev/null || true
	proxy_pid=
}

struck() # FATE
{
	grep -c "^struck $1" "$scratch/proxy.log" || true
}

# ---- stations -------------------------------------------------------------------------------------

stations_make() # FIRST LAST ATTEMPTS
{
	mkdir -p "$scratch/st"
	mkstations "$scratch/st" "$@" "$seed"
}

# A login of its own for each, as the document says.
login_make() # STATION
{
	centre_name=postgres centre "DO \$\$ BEGIN CREATE ROLE station_$1 LOGIN IN ROLE cfdfu_station;
		EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
}

station_serve() # STATION [OPTION-OF-CFDFUD...]
{
	CFDFU_SIM_SOCKET=$scratch/$1.rack "${station_within[@]}" cfdfud-sim --state "$scratch/st/$1" \
		--socket "$scratch/$1.control" "${@:2}" >> "$scratch/daemon.log" 2>&1 &
	station_pid[$1]=$!
	login_make "$1"
	until_true 120 cfdfuctl --socket "$scratch/$1.control" status && return
	not_ok "station $1 starts" "$(tail -n 3 "$scratch/daemon.log")"
}

station_stop() # STATION
{
	kill "${station_pid[$1]}" 2> /dev/null || true
	wait "${station_pid[$1]}" 2> /dev/null || true
	unset "station_pid[$1]"
}

station_kill() # STATION
{
	{
		kill -KILL "${station_pid[$1]}"
		wait "${station_pid[$1]}"
	} 2> /dev/null
	unset "station_pid[$1]"
}

all_stop()
{
	local n

	for n in "${!station_pid[@]}"; do
		station_stop "$n"
	done
	proxy_stop
	pg_stop immediate || true
	[ -z "$small" ] || umount "$small"
}
trap all_stop EXIT
trap 'exit 130' INT TERM

station_id() # STATION
{
	station_sql "$scratch/st/$1" "SELECT substr(v, 1, 8) || '-' || substr(v, 9, 4)
		|| '-' || substr(v, 13, 4) || '-' || substr(v, 17, 4) || '-' || substr(v, 21)
		FROM (SELECT lower(replace(value, '-', '')) AS v FROM setting
			WHERE scope = 'store' AND name = 'station')"
}

# ---- syncing --------------------------------------------------------------------------------------

conninfo() # STATION FATE
{
	echo "host=${sync_host:-$proxy} port=$proxy_port dbname=${centre_name:-cfdfu}" \
		"user=${sync_login:-station_$1}" \
		"application_name='$2' connect_timeout=5 ${sync_options:-}"
}

# One run; its status is in rc, what it said in the file said-STATION.
sync_once() # STATION [FATE]
{
	rc=0
	{ "${sync_within[@]}" cfdfu-sync --socket "${sync_socket:-$scratch/$1.control}" --state "$scratch/$1.state" \
		--database "$(conninfo "$1" "${2:-}")" > "$scratch/said-$1" 2>&1; } \
		2>> "$scratch/shell.log" || rc=$?
}

gave() # NAME WANTED STATION
{
	[ "$rc" -eq "$2" ] && ok "$1" && return
	not_ok "$1" "$rc instead of $2: $(head -c 400 "$scratch/said-$3")"
}

sync_gives() # NAME WANTED STATION [FATE]
{
	sync_once "${@:3}"
	gave "$@"
}

# A run that stands at its fate, "hold ...", until it is let go: then as sync_once.
sync_hold() # STATION FATE
{
	(
		sync_once "$@"
		exit "$rc"
	) &
	hold_pid=$!
	poll=0.02 until_true 60 test -e "$held" || not_ok "the run comes to $2" "$(cat "$scratch/said-$1")"
}

sync_let_go()
{
	rc=0
	rm -f "$held"
	wait "$hold_pid" || rc=$?
}

# Of a station's records; the service may be writing.
station_sql() # DIRECTORY SQL
{
	sqlite3 -readonly -nullvalue '~' -cmd '.timeout 60000' "$1/cfdfud.db" "$2"
}

# The centre's word on how far it has come is the station's own chain, and its sum is right.
position_fits() # NAME STATION
{
	local id seq

	id=$(station_id "$2")
	seq=$(centre "SELECT max(seq) FROM cfdfu.position WHERE station_id = '$id'")
	same "$1" "$(station_sql "$scratch/st/$2" "SELECT lower(hex(hash)), (SELECT count(*) FROM attempt
		WHERE end_seq <= $seq) FROM record WHERE seq = $seq")" \
		"$(centre "SELECT hash, endings FROM cfdfu.position WHERE station_id = '$id'
		ORDER BY epoch DESC LIMIT 1")"
}

# What a station has recorded and what the centre holds of it, as the same lines.  A reply has "?" for
# characters that steer a terminal (daemon/wire/text.h).
lines_of_station() # DIRECTORY...
{
	local one

	for one in "$@"; do
		station_sql "$one" "SELECT uuid, started_at, ended_at, port,
			label, serial, dfu_serial, platform, firmware_name, firmware_version, firmware_sha256,
			version_before, version_after, verdict, fault, step, address, bytes_written,
			sectors_erased, transfers, duration_ms, message, kind, target, batch, ready, nrf_version
			FROM attempts WHERE ended_at IS NOT NULL"
	done | LC_ALL=C.UTF-8 sed $'s/[\u2028\u202c\u202e\u2060\ufeff]/?/g' | sort -u
}

lines_of_centre() # STATION-ID
{
	local stamp="'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'"

	centre "SET timezone = 'UTC'; SELECT a.uuid, to_char(started_at, $stamp), to_char(a.ended_at, $stamp),
		port, label, serial, dfu_serial, platform, firmware_name, firmware_version, firmware_sha256,
		version_before, version_after, verdict, fault, step, address, bytes_written,
		sectors_erased, transfers, duration_ms, message, kind, target, batch,
		coalesce(c.ready, a.ready), coalesce(c.nrf_version, a.nrf_version)
		FROM cfdfu.attempt a LEFT JOIN (SELECT DISTINCT ON (uuid, ended_at) * FROM cfdfu.condition
			WHERE station_id = '$1' ORDER BY uuid, ended_at, seq DESC) c
		ON c.uuid = a.uuid AND c.ended_at = a.ended_at WHERE a.station_id = '$1'" | sort
}

# None lost, none twice, none changed: of one station, or of several that are one to the centre.
holds_all() # NAME STATION [DIRECTORY...]
{
	local id difference

	id=$(station_id "$2")
	[ $# -gt 2 ] || set -- "$1" "$2" "$scratch/st/$2"
	lines_of_station "${@:3}" > "$scratch/there-$2"
	lines_of_centre "$id" > "$scratch/here-$2"
	difference=$(diff "$scratch/there-$2" "$scratch/here-$2" | head -n 4)
	if [ -n "$difference" ] || [ ! -s "$scratch/there-$2" ]; then
		not_ok "$1" "$(wc -l < "$scratch/there-$2") recorded, $(wc -l < "$scratch/here-$2") there: $difference"
	else
		ok "$1"
	fi
	rm -f "$scratch/there-$2" "$scratch/here-$2"
}
