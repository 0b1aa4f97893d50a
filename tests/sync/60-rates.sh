#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast, and what it costs the station: rows a second of one station and of several at once, processor
# time of the service and of cfdfu-sync, the longest gap of the service's event loop.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

attempts=3000 wide=2
[ "$long" = no ] || { attempts=20000 wide=8; }

# Of a process, user and system, in ms.
processor_ms() # PID
{
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hz }' "/proc/$1/stat"
}

loop_gap()
{
	{ cfdfuctl --socket "$scratch/$1.control" --json doctor || true; } | jq -r '.loop.longest_gap_us / 1000'
}

centre_make
! chrt -f 10 true 2> /dev/null || station_within=(chrt -f 10) # WHY: for the gap of the loop
proxy=$pg
stations_make 1 $((wide + 1)) $attempts
station_serve 1
before=$(processor_ms "${station_pid[1]}")
began=$(now_ms)
TIMEFORMAT='%U %S'
{ time sync_once 1; } 2> "$scratch/times"
took=$(($(now_ms) - began + 1))
same "one station sends all it has" 0 "$rc"
rows=$(centre "SELECT count(*) FROM cfdfu.attempt")
note "one station: $rows rows in $took ms, $((rows * 1000 / took)) rows/s (no fsync); service" \
	"$(awk -v a="$(processor_ms "${station_pid[1]}")" -v b="$before" -v n="$rows" 'BEGIN {
		printf "%d ms of processor time (%.3f ms a row)", a - b, (a - b) / n }')," \
	"cfdfu-sync $(tail -n 1 "$scratch/times") s (user, system); longest gap of the loop $(loop_gap 1) ms"
began=$(now_ms)
sync_once 1
note "a run with nothing to send: $(($(now_ms) - began)) ms"
for n in $(seq 2 $((wide + 1))); do
	station_serve "$n"
done
began=$(now_ms)
pids=()
for n in $(seq 2 $((wide + 1))); do
	(sync_once "$n"; exit "$rc") &
	pids+=($!)
done
bad=0
for n in "${pids[@]}"; do
	wait "$n" || bad=1
done
took=$(($(now_ms) - began + 1))
same "several stations at once send all they have" 0 $bad
rows=$(($(centre "SELECT count(*) FROM cfdfu.attempt") - rows))
note "$wide stations at once: $rows rows in $took ms, $((rows * 1000 / took)) rows/s"
for n in $(seq $((wide + 1))); do
	station_stop "$n"
	holds_all "station $n: none lost, none twice" "$n"
done
