#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A batch of 25 drones in eight slots, one of which is bad, and one of the drones: both are named, nothing
# else is; the report as text, CSV, JSON and page agrees with the records.
# shellcheck disable=SC2016 # what is waited for is looked at anew each time
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)
bad_slot=1-3
bad_drone=12
cat > "$scratch/conf" <<CONF
[station]
ports = 1-*
brake = 0
quarantine = 1000
[slots]
1-1 = A1
1-2 = A2
1-3 = A3
1-4 = A4
1-5 = B1
1-6 = B2
1-7 = B3
1-8 = <i>B4
1-9 = C1
[drones]
330012000A51353432343630 = <b>Ada
CONF

uid() # NUMBER
{
	printf '33%04d000A51353432343630' "$1"
}

# The rows of the spreadsheet, a drone each, by their column.
column() # NAME
{
	python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[1], newline="")):
	print(row["serial"], row[sys.argv[2]])' "$scratch/report.csv" "$1" | sort
}

# Drones from the shelf (9-NUMBER) into the rack and back: what is bad fails before anything is erased.
wave() # PORT=NUMBER...
{
	local one port number

	for one in "$@"; do
		port=${one%=*} number=${one#*=}
		rack_do move "9-$number" "$port" > /dev/null
		if [ "$port" = $bad_slot ] || [ "$number" = $bad_drone ]; then
			rack_do fate "$port" status in=dfu at=1 value=3 count=100000 > /dev/null
		fi
		rack_do plug "$port" > /dev/null
	done
	until_true 60 present_is $# || not_ok "the drones $* are seen" "they are not"
	cfdfuctl wait --timeout 120 > "$scratch/said" 2>&1
	[ $? -le 1 ] || not_ok "the drones $* end" "$(tail -n 3 "$scratch/said")"
	for one in "$@"; do
		rack_do move "${one%=*}" "9-${one#*=}" > /dev/null
		rack_do mend "9-${one#*=}" > /dev/null
	done
	until_true 60 present_is 0 || not_ok "the rack is empty" "it is not"
}

sim_start fast --config "$scratch/conf"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
for number in {1..26} 41 42; do
	rack_add "9-$number" "$old" "uid=$(uid "$number")"
done
wave 1-9=26 # before the batch

says "no batch yet" 'No batch yet' cfdfuctl batch list
cfdfuctl batch report > "$scratch/said" 2>&1
same "there is no report of none" 4 $?

says "a batch begins" '^Batch spring$' cfdfuctl batch start spring --expect 26 --stop-after 0
says "one at a time" 'runs|spring' cfdfuctl batch start summer
wave 1-1=1 1-2=2 1-3=3 1-4=4 1-5=5 1-6=6 1-7=7 1-8=8
says "status tells how far it is" 'batch spring: 7 of 26 good, 1 failed' cfdfuctl status
wave 1-1=9 1-2=10 1-3=11 1-4=12 1-5=13 1-6=14 1-7=15 1-8=16
wave 1-1=17 1-2=18 1-3=19 1-4=20 1-5=21 1-6=22 1-7=23 1-8=24
wave 1-1=25 1-2=3 1-5=11 1-6=12 1-7=19
wave 1-7=12
settle 2

# ---- what came of it ----------------------------------------------------------------------------

cfdfuctl --json stats --batch spring > "$scratch/stats"
same "the bad slot and the bad drone are named, and nothing else" "drone $(uid 12) slot 1-3" \
	"$(jq -r '.findings | map("\(.kind) \(.key)") | sort | join(" ")' "$scratch/stats")"
same "the sums are those of the records" \
	"$(records "SELECT count(*), count(DISTINCT serial), sum(verdict = 'pass'), sum(verdict = 'fail')
		FROM attempts WHERE batch = 'spring' AND kind = 'flash'" | tr '|' ' ')" \
	"$(jq -r '.total | "\(.attempts) \(.drones) \(.pass) \(.failed)"' "$scratch/stats")"
same "30 attempts of 25 drones" "30 25" "$(jq -r '.total | "\(.attempts) \(.drones)"' "$scratch/stats")"
same "21 of them were good at once" "21 of 25" \
	"$(jq -r '.total | "\(.first_good) of \(.first)"' "$scratch/stats")"
same "so are those of each slot" \
	"$(records "SELECT port, count(*), sum(verdict = 'fail') FROM attempts
		WHERE batch = 'spring' AND kind = 'flash' GROUP BY port ORDER BY port")" \
	"$(jq -r '.groups | sort_by(.key)[] | "\(.key)|\(.attempts)|\(.failed)"' "$scratch/stats")"
says "in a table, too" '^A3 \(1-3\) +0 of 3 ' cfdfuctl stats --batch spring
says "by drone, with its name" '^<b>Ada \(3300120' cfdfuctl stats --by drone
says "of the time before there was none" 'No attempts' cfdfuctl stats --until yesterday

says "the one that is missing is named" "$(uid 26) was not flashed" cfdfuctl batch show
holds "so is the slot without one" grep -q 'C1 (1-9)' "$scratch/said"
says "the end is the report" '^Batch spring$' cfdfuctl batch end
holds "with its findings" grep -q 'at fault .*A3' "$scratch/said"
says "it ends once" 'batch' cfdfuctl batch end
says "a name is used once" 'a batch of this name' cfdfuctl batch start spring
says "it is listed" '^spring +[0-9]' cfdfuctl batch list
wave 1-1=26 # after the batch

cfdfuctl batch report spring --csv > "$scratch/report.csv"
same "a line for each drone, with its last verdict" \
	"$(records "SELECT serial, verdict FROM attempts AS a WHERE batch = 'spring' AND kind = 'flash' AND id =
		(SELECT max(id) FROM attempts WHERE batch = 'spring' AND serial = a.serial) ORDER BY serial" | tr '|' ' ')" \
	"$(column verdict)"
same "how many attempts it took" \
	"$(records "SELECT serial, count(*) FROM attempts WHERE batch = 'spring' GROUP BY serial ORDER BY serial" |
		tr '|' ' ')" "$(column attempts)"
same "its first verdict" \
	"$(records "SELECT serial, verdict FROM attempts AS a WHERE batch = 'spring' AND id =
		(SELECT min(id) FROM attempts WHERE batch = 'spring' AND serial = a.serial) ORDER BY serial" | tr '|' ' ')" \
	"$(column first_verdict)"
same "and each its version before it all" 25 "$(column version_before | grep -c ' 2025.02')"
cfdfuctl --json batch report > "$scratch/report.json"
same "JSON has the same drones" "$(column id)" "$(jq -r '.drones[] | "\(.serial) \(.id)"' "$scratch/report.json" | sort)"
same "and the batch as counted from the records" \
	"$(records "SELECT count(DISTINCT serial), (SELECT count(DISTINCT serial) FROM attempts
		WHERE batch = 'spring' AND verdict = 'pass') FROM attempts WHERE batch = 'spring'" | tr '|' ' ')" \
	"$(jq -r '.batch | "\(.drones) \(.good)"' "$scratch/report.json")"
holds "the chain's head at its end is in the audit file" grep -q \
	"$(jq -r .batch.record_hash "$scratch/report.json")" "$state/audit.jsonl"
cfdfuctl batch report --html > "$scratch/report.html"
same "the page has a row for each drone" 25 "$(grep -c '^<tr class=\(good\|bad\)>' "$scratch/report.html")"
same "one of them bad" 1 "$(grep -c '^<tr class=bad>' "$scratch/report.html")"
holds "with the names as texts" grep -q '&lt;b&gt;Ada' "$scratch/report.html"
holds "and the labels" grep -q '&lt;i&gt;B4' "$scratch/report.html"
same "history has the attempts of the batch" 30 "$(cfdfuctl --json history --batch spring --kind flash |
	jq '.attempts | length')"
# ---- what stops a batch -------------------------------------------------------------------------

is_stopped()
{
	[ "$(status .station.paused_by)" = batch ]
}

tried() # BATCH
{
	records "SELECT count(DISTINCT serial) FROM attempts WHERE batch = '$1'"
}

cfdfuctl batch start dark --canary 2 > /dev/null
for number in {31..38}; do
	rack_plug_lost "1-$((number - 30))" "$old" "uid=$(uid "$number")"
done
holds "canaries stop a bad image" until_true 60 is_stopped
settle 1
within "after two drones" 1 "$(tried dark)" 2
same "the others hold what they held" "$(tried dark)" "$(verdicts fail)"
says "the list says why" '^dark .*its canary failed' cfdfuctl batch list
says "the end, too" 'STOPPED .*its canary failed on' cfdfuctl batch end
for number in {31..38}; do
	rack_do move "1-$((number - 30))" "9-$number" > /dev/null
done
holds "the rack is empty" until_true 60 present_is 0
cfdfuctl resume > /dev/null
cfdfuctl batch start drift --stop-after 3 > /dev/null
wave 1-1=1 1-2=2 1-3=41 1-4=12
same "two that failed do not stop it" 2 "$(status .station.batch.failed)"
wave 1-3=42
holds "the third one does" is_stopped
rack_do move 9-5 1-1 > /dev/null
rack_do plug 1-1 > /dev/null
until_true 60 present_is 1
settle 1
same "and no other begins" 5 "$(tried drift)"
says "status says why" '^Station PAUSED ITSELF: Batch "drift" has stopped: 3 drones have failed' cfdfuctl status
says "a batch that never was" 'no batch "sprnig"' cfdfuctl batch report sprnig
records_are_sound "the records are sound"
