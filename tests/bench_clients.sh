#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The harm that clients can do to the drones: bench_clients.sh BUILD [MILLION].  A rack of 16 simulated drones
# is flashed undisturbed, then under a flood of 8 connections (tests/e2e/flood.c): the time from the
# first beginning to the last ending, and the longest gap of the daemon's event loop.  MILLION is a
# state directory filled by bench_store: the same over it, and it is used up (attempts are added).
# Needs cfdfud-sim, flood, mkimage and rack in BUILD.
# shellcheck disable=SC2154 # what e2e/common.sh sets
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
million=${2:+$(cd "$2" && pwd)}
export PATH=$build:$PATH
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-bench.XXXXXX")
sim_pid=
flood_pid=
# shellcheck source-path=SCRIPTDIR source=e2e/lib.sh
. "$here/e2e/lib.sh"
drones=16
old=$(image 2025.02 --size 243176)
new=$(image 2025.12 --size 243176)

finish()
{
	[ -z "$flood_pid" ] || kill "$flood_pid" 2> /dev/null || true
	[ -z "$sim_pid" ] || sim_stop || true
	rm -rf "$scratch"
}

newest()
{
	records 'SELECT ifnull(max(id), 0) FROM attempts'
}

all_ended() # SINCE
{
	[ "$(records "SELECT count(*) FROM attempt WHERE id > $1 AND verdict IS NOT NULL")" \
		-ge $drones ]
}

# One rack of drones with the old image, from plugging in to the last ending.
bench_rack() # NAME
{
	local n port since loop

	for n in $(seq $drones); do
		port=$((1 + n / 4))-$((1 + n % 4))
		rack_do unplug "$port" > /dev/null 2>&1 || rack_do add "$port" > /dev/null
		rack_do load "$port" "$old" "$app" > /dev/null
	done
	until_true 60 present_is 0
	since=$(newest)
	for n in $(seq $drones); do
		rack_do plug $((1 + n / 4))-$((1 + n % 4)) > /dev/null
	done
	until_true 300 all_ended "$since" || echo "some did not end"
	# WHY true: the doctor says by its status that this machine has no udev rule.
	loop=$({ cfdfuctl --json doctor || true; } | jq -r '.loop |
		"longest gap so far \(.longest_gap_us / 1000) ms (\(.cause)), at most \(
		.requests_in_a_turn) requests in a turn"')
	printf '%-36s %s s, %s of %s passed; %s\n' "$1" \
		"$(records "SELECT printf('%.3f', (max(ended_ms) - min(started_ms)) / 1000.0)
			FROM attempt WHERE id > $since")" \
		"$(records "SELECT count(*) FROM attempt WHERE id > $since AND verdict = 'pass'")" \
		"$drones" "$loop"
}

bench_station() # NAME
{
	sim_start typical
	trap finish EXIT
	cfdfuctl firmware add "$new" --name new > /dev/null || true
	cfdfuctl firmware select new > /dev/null
	bench_rack "$1, undisturbed"
	bench_rack "$1, undisturbed again"
	# WHY nice: measured is what the service gives to clients, not what they take of the processor.
	nice -n 19 flood "$CFDFU_SOCKET" 8 > "$scratch/flood" &
	flood_pid=$!
	bench_rack "$1, 8 connections flood"
	kill "$flood_pid"
	wait "$flood_pid" || true
	flood_pid=
	echo "the flood: $(cat "$scratch/flood")"
	bench_rack "$1, undisturbed after it" # WHY: runs differ by themselves
	sim_stop || true
	sim_pid=
}

trap finish EXIT
bench_station "a new station"
[ -n "$million" ] || exit 0
state=$million
export database=$state/cfdfud.db
bench_station "a million attempts"
