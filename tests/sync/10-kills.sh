#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many stations at once; each run of cfdfu-sync is killed or cut off, before, within and behind the
# centre's commit and at any byte, some have a twin that runs at the same time, and the server is killed
# in their midst, until the centre has everything: no attempt is lost, none is there twice.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

waves=1 wide=4 attempts=2300 fates=8 groups_max=1 kills_wanted=20
[ "$long" = no ] || { waves=10 wide=10 attempts=10000 fates=8 groups_max=3 kills_wanted=200; }
tries_max=200

# Each strikes as long as there is a group to send; only "after" gets on by one.
draw_fate()
{
	local action="kill"

	[ $((RANDOM % 4)) -ne 0 ] || action="cut"
	case $((RANDOM % 9)) in
	0 | 1) echo "$action before 1" ;;
	2 | 3) echo "$action within 1" ;;
	4) echo "$action after 1" ;;
	5) echo "$action after $groups_max" ;;
	6 | 7) echo "$action byte $((1 + RANDOM % 20 * (RANDOM % 20000)))" ;;
	8) echo "$action back $((1 + RANDOM % 600))" ;;
	esac
}

# Runs with fates, then without, until everything is there.
torment() # STATION
{
	local tries=0 twin

	RANDOM=$((seed * 1000 + $1))
	rc=1
	while [ $tries -lt $fates ] || { [ "$rc" -ne 0 ] && [ $tries -lt $tries_max ]; }; do
		tries=$((tries + 1))
		until_true 120 centre "SELECT" # WHY: a run against no server at all tells little
		twin=
		if [ $((RANDOM % 4)) -eq 0 ]; then
			(sync_once "$1" "$(draw_fate)") &
			twin=$!
		fi
		if [ $tries -le $fates ]; then
			sync_once "$1" "$(draw_fate)"
		else
			sync_once "$1"
		fi
		[ -z "$twin" ] || wait "$twin"
		jq . "$scratch/$1.state" > /dev/null 2>&1 || [ ! -e "$scratch/$1.state" ] ||
			not_ok "station $1: its state can be read" "$(cat "$scratch/$1.state")"
		case $rc in
		0 | 1 | 137) ;;
		*) not_ok "station $1: try $tries ends as it may" "$rc: $(head -c 300 "$scratch/said-$1")" ;;
		esac
	done
	[ "$rc" -eq 0 ] || not_ok "station $1 comes to its end" "$rc after $tries: $(head -c 300 "$scratch/said-$1")"
}

have_struck()
{
	[ "$(grep -c '^struck ' "$scratch/proxy.log")" -ge $wide ]
}

wave() # FIRST LAST
{
	local n pids=()

	stations_make "$1" "$2" $attempts
	for n in $(seq "$1" "$2"); do
		station_serve "$n"
	done
	for n in $(seq "$1" "$2"); do
		torment "$n" &
		pids+=($!)
	done
	until_true 60 have_struck || not_ok "runs are killed" "none is"
	pg_stop immediate
	pg_start
	wait "${pids[@]}"
	for n in $(seq "$1" "$2"); do
		station_stop "$n"
		position_fits "station $n: the position is that of its chain" "$n"
		holds_all "station $n: none lost, none twice, none changed" "$n"
		rm -rf "${scratch:?}/st/$n"
	done
}

centre_make
proxy_start
for w in $(seq $waves); do
	wave $(((w - 1) * wide + 1)) $((w * wide))
done
proxy_stop
same "all stations are there" $((waves * wide)) "$(centre "SELECT count(*) FROM cfdfu.station")"
same "no attempt is there under two keys" 0 \
	"$(centre "SELECT count(*) - count(DISTINCT uuid) FROM cfdfu.attempt")"
same "each station has one epoch" 0 "$(centre "SELECT count(*) FROM cfdfu.position WHERE epoch > 1")"
struck_all=$(grep -c '^struck ' "$scratch/proxy.log")
note "$(centre "SELECT count(*) FROM cfdfu.attempt") attempts of $((waves * wide)) stations;" \
	"$struck_all runs struck: $(grep '^struck ' "$scratch/proxy.log" | cut -d' ' -f2,3 | sort | uniq -c |
		awk '{ printf "%s %s %s, ", $2, $3, $1 }')" "the server killed $waves times"
within "so many runs were killed or cut off" $kills_wanted "$struck_all" 1000000
