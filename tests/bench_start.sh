#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long after SIGKILL is the first drone looked at?  bench_start.sh BUILD MILLION [RUNS]: MILLION
# is a state directory filled by bench_store.  As root each run begins with empty caches.  Prints the
# milliseconds from the start of the program until it answers, and until it has asked the drone.
# Exit status: 1 that took more than 2 s.
# shellcheck disable=SC2154 # what e2e/common.sh sets
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
million=$(cd "$2" && pwd)
export PATH=$build:$build/tests:$PATH
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-bench.XXXXXX")
sim_pid=
bar_ms=2000
missed=0
trap 'sim_stop; rm -rf "$scratch"' EXIT
# shellcheck source-path=SCRIPTDIR source=e2e/lib.sh
. "$here/e2e/lib.sh"
trap 'sim_stop; rm -rf "$scratch"' EXIT
state=$million

since_ms() # START
{
	echo $((($(date +%s%N) - $1) / 1000000))
}

# shellcheck disable=SC2317 # until_true calls it
was_asked()
{
	status '.slots[] | select(.port == "1-1").version_before' | grep -q 2025
}

old=$(image 2025.02 --size 163840)
printf '%s\n' "add 1-1" "load 1-1 $old $app" "plug 1-1" > "$scratch/script"
export CFDFU_SIM_SCRIPT=$scratch/script
for run in $(seq "${3:-5}"); do
	sync
	cache=warm
	[ -w /proc/sys/vm/drop_caches ] && echo 3 > /proc/sys/vm/drop_caches && cache=cold
	cat "$build"/cfdfud-sim "$build"/cfdfuctl > /dev/null # WHY: only the records are to be cold
	begun=$(date +%s%N)
	sim_start fast
	answers=$(since_ms "$begun")
	word=
	until_true 60 was_asked || echo "the drone was not asked"
	asked=$(since_ms "$begun")
	[ "$asked" -le $bar_ms ] || { word=MISSED; missed=1; }
	echo "$run, $cache: answers after $answers ms, has asked the drone after $asked ms $word"
	sim_kill || true
done
trap - EXIT # WHY: sim_start sets one that kills, and fails where nothing runs
rm -rf "$scratch"
exit $missed
