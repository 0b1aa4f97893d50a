#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The core's cost in instructions a drone: bench_core.sh BUILD [DRONES...].  Without DRONES, racks of
# 1, 16, 120 and 500 simulated drones are plugged in at once and flashed with 243,176 bytes.
#
# How it is counted: bench_core drives the fleet over the simulator with the defaults of the
# configuration; valgrind's callgrind counts instructions inside the functions counted_*, which do
# nothing but call the core (fleet_*): not the simulator, not the shell, not the records.  BUILD has
# to be compiled as the product is (-O2); the count is the same on each run of one binary, and
# differs by a few percent between compilers and C libraries.
# Exit status: 1 a bar is missed, 2 it could not be measured.
set -euo pipefail

build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 1 16 120 500
command -v valgrind > /dev/null || { echo "valgrind is not installed" >&2; exit 2; }
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfud-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
make -s -C "$build" tests/bench_core > "$scratch/make.log" 2>&1 || { cat "$scratch/make.log" >&2; exit 2; }

bar_of() # DRONES: thousands of instructions a drone; nothing: no bar
{
	case $1 in
	1) echo 1500 ;;
	120) echo 1800 ;;
	500) echo 2500 ;;
	esac
}

count() # DRONES: instructions in all
{
	valgrind --tool=callgrind --toggle-collect='counted_*' --dump-instr=no \
		--callgrind-out-file="$scratch/$1.out" "$build/tests/bench_core" "$1" \
		> "$scratch/$1.log" 2>&1 || { cat "$scratch/$1.log" >&2; return 1; }
	sed -n 's/^.*Collected : *\([0-9]*\).*$/\1/p' "$scratch/$1.log"
}

missed=0
printf '%8s %24s %10s\n' drones 'thousand instr. a drone' bar
for n; do
	sum=$(count "$n") || exit 2
	each=$((sum / n / 1000))
	bar=$(bar_of "$n")
	word=
	if [ -n "$bar" ] && [ "$each" -gt "$bar" ]; then
		word=MISSED
		missed=1
	fi
	printf '%8s %24s %10s %s\n' "$n" "$each" "$bar" "$word"
done
exit $missed
