#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Cost of the daemon's answers: bench_daemon.sh BUILD [MILLION].  A full rack of 120 simulated
# drones in the daemon's own process: GetStatus before, during and after flashing them, wake-ups and
# what they cost.  MILLION is a state directory filled by bench_store: GetHistory over it, through
# the socket.  Needs bench_call and cfdfud-sim in BUILD.
# shellcheck disable=SC2154 # what e2e/common.sh sets
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
million=${2:+$(cd "$2" && pwd)}
export PATH=$build:$build/tests:$PATH
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-bench.XXXXXX")
sim_pid=
trap 'sim_stop; rm -rf "$scratch"' EXIT
# shellcheck source-path=SCRIPTDIR source=e2e/lib.sh
. "$here/e2e/lib.sh"
trap 'sim_stop; rm -rf "$scratch"' EXIT
drones=120

costs() # METHOD PARAMETERS
{
	bench_call "$CFDFU_SOCKET" "$sim_pid" "$@"
}

context_switches()
{
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$sim_pid/status"
}

processor_ms()
{
	awk '{ printf "%d\n", $1 / 1000000 }' "/proc/$sim_pid/schedstat"
}

writing()
{
	[ "$(status '[.slots[] | select(.state == "writing")] | length')" -gt $((drones / 2)) ]
}

bench_rack()
{
	local n before wakes new old

	old=$(image 2025.02 --size 243176)
	new=$(image 2025.12 --size 243176)
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware select new > /dev/null
	for n in $(seq $drones); do
		rack_do add "$((1 + n / 15))-$((1 + n % 15))" > /dev/null
		rack_do load "$((1 + n / 15))-$((1 + n % 15))" "$old" "$app" > /dev/null
	done
	before=$(processor_ms)
	wakes=$(context_switches)
	for n in $(seq $drones); do
		rack_do plug "$((1 + n / 15))-$((1 + n % 15))" > /dev/null
	done
	until_true 60 writing || echo "not half of them write at a time"
	echo "while $drones drones are written:"
	costs GetStatus '{}'
	cfdfuctl wait --count $drones --timeout 300 > /dev/null || echo "some did not end well"
	echo "after: $(status .station.counts)"
	echo "daemon and drones in one process: $((($(processor_ms) - before) / drones)) ms of" \
		"processor and $((($(context_switches) - wakes) / drones)) wake-ups a drone," \
		"peak $(sed -n 's/^VmHWM:[^0-9]*//p' "/proc/$sim_pid/status") with all flash contents"
	costs GetStatus '{}'
	costs GetHistory '{"limit":50}'
}

bench_million()
{
	local parameters

	echo "over $(sqlite3 "$million/cfdfud.db" 'SELECT count(*) FROM attempts') attempts:"
	for parameters in '{}' '{"limit":500}' '{"verdict":"fail"}' '{"slot":"3-2.3.1"}' \
		'{"serial":"3300250B4353501020323017","limit":500}' '{"before":500000,"limit":100}'; do
		costs GetHistory "$parameters"
	done
	costs GetStatus '{}'
}

sim_start typical
bench_rack
sim_stop
sim_pid=
[ -n "$million" ] || exit 0
state=$million
sim_start typical
bench_million
