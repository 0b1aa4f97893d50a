#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rows of the fault matrix that need a whole process: an image changed behind its back, a computer
# that stands still, too few descriptors, orders that contradict each other, a drone that takes the
# daemon down again and again, a hub that moves.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
config=$scratch/station.conf
log=$scratch/daemon.log
clients=()

clean_up()
{
	[ ${#clients[@]} -eq 0 ] || kill "${clients[@]}" 2> /dev/null
	sim_stop
}

station_start() # typical|fast
{
	sim_start "$1" --config "$config"
	trap clean_up EXIT
}

count_of() # DIRECTORY of /proc/PID
{
	find "/proc/$sim_pid/$1" -mindepth 1 -maxdepth 1 | wc -l
}

: > "$log"
printf '[station]\nports = 1-*, 2-*\n[slots]\n1-1.2 = A2\n2-7.2 = B2\n' > "$config"

# ---- a computer that stands still for five seconds (K7) -----------------------------------------

station_start typical
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old"
holds "a drone is being written" until_true 60 test_state 1-1 writing
stand_still 5

# ---- the image changed on disk while it is written (F1, F2) -------------------------------------

for file in "$state"/firmware/*; do
	[ ! -f "$file" ] || truncate -s 20000 "$file"
done
rack_do mend 1-1 > /dev/null
holds "a stop of five seconds fails no drone" until_true 60 test_verdict 1-1 pass
holds "the judged image was written, not the changed file" flash_is 1-1 "$new"
sim_stop
station_start fast
holds "after a restart the changed file is refused" \
	grep -q "its file has been changed: add it again" "$log"
rack_plug 1-2 "$old"
settle 1
same "nothing is erased for the changed file" 0 "$(counter 1-2 erases)"
rc=0
said=$(cfdfuctl firmware select new 2>&1) || rc=$?
same "the changed file cannot be selected" 4 "$rc"
cfdfuctl firmware remove new > /dev/null 2>&1
cfdfuctl firmware add "$new" --name again > /dev/null
cfdfuctl firmware select again > /dev/null
holds "added again, the file is flashed" until_true 60 test_verdict 1-2 pass

# ---- orders of many at the same time (C7) -------------------------------------------------------

before=$(records "SELECT count(*) FROM attempts WHERE port = '1-2'")
jobs=()
for n in 1 2 3 4 5 6 7 8; do
	case $n in
	3 | 6) order=(pause) ;;
	4 | 7) order=(resume) ;;
	*) order=(retry --force 1-2) ;;
	esac
	{
		rc=0
		timeout 20 cfdfuctl "${order[@]}" > /dev/null 2>&1 || rc=$?
		echo "${order[0]} $rc" >> "$scratch/answers"
	} &
	jobs+=($!)
done
wait "${jobs[@]}"
same "each of eight simultaneous requests is answered, done or refused" 8 \
	"$(grep -cE ' (0|1|4)$' "$scratch/answers")"
cfdfuctl resume > /dev/null
holds "the drone passes after the eight requests" until_true 60 test_verdict 1-2 pass
taken=$(grep -c '^retry 0$' "$scratch/answers")
after=$(records "SELECT count(*) FROM attempts WHERE port = '1-2'")
within "each order that was taken is one attempt at most" 1 $((after - before)) "$taken"
records_are_sound "orders at once"

# ---- nothing piles up (S10) ---------------------------------------------------------------------

descriptors=$(count_of fd) threads=$(count_of task)
for _ in $(seq 1 40); do
	cfdfuctl retry 1-2 > /dev/null
	poll=0.05 until_true 20 test_verdict 1-2 unchanged
done
holds "after 40 attempts no descriptor has leaked" \
	until_true 10 eval "[ \$(count_of fd) -le $((descriptors + 1)) ]"
same "after 40 attempts no thread has leaked" "$threads" "$(count_of task)"

# ---- too few descriptors for all clients (K3) ---------------------------------------------------

rack_add 1-3 "$old"
rack_connect # WHY: the rack is in the daemon's process; it takes its descriptors first
limit=$(($(count_of fd) + 6))
prlimit --pid "$sim_pid" --nofile=$limit:4096
silent() # connects and sends nothing; notes that it is disconnected before its time
{
	local began said

	began=$(now_ms)
	if said=$(timeout 20 socat -u "UNIX-CONNECT:$CFDFU_SOCKET" - 2> /dev/null) &&
		[ -z "$said" ] && [ $(($(now_ms) - began)) -lt 4800 ]; then
		echo early >> "$scratch/sent-away"
	fi
	false # and again
}
for _ in $(seq 1 20); do
	poll=0.1 until_true 900 silent &
	clients+=($!)
done
# WHY not counted: idle clients are closed, so the last descriptor is free most of the time.
holds "with all descriptors used, idle clients make room for new ones" \
	until_true 30 test -s "$scratch/sent-away"
rack_do plug 1-3 > /dev/null
holds "with all descriptors used, a drone is flashed" until_true 60 test_verdict 1-3 pass
kill "${clients[@]}"
wait "${clients[@]}" 2> /dev/null
clients=()
prlimit --pid "$sim_pid" --nofile=4096:4096
holds "the drone holds the image" flash_is 1-3 "$new"
records_are_sound "too few descriptors"
unset rack_connected
exec 7<&- 8>&-
sim_stop

# ---- a hub that is plugged in elsewhere (U10) ---------------------------------------------------

station_start fast
rack_plug 1-1.2 "$old"
holds "a drone behind a hub is flashed" until_true 60 test_verdict 1-1.2 pass
rack_do move 1-1.2 2-7.2 > /dev/null
rack_do plug 2-7.2 > /dev/null
holds "after its hub was moved, the drone is known in its new slot" \
	until_true 60 test_verdict 2-7.2 unchanged
same "the new slot has its own label" B2 "$(status '.slots[] | select(.port == "2-7.2").label')"
settle 1 # its check-up is over
rack_do reset-counters 2-7.2 > /dev/null
rack_do move 2-7.2 3-7.2 > /dev/null
rack_do plug 3-7.2 > /dev/null
settle 1
same "on a port that is not the station's it is not touched" 0 "$(counter 3-7.2 beyond_standard)"

# ---- a drone in whose attempts the daemon dies (S2) ---------------------------------------------

rack_add 1-5 "$old"
rack_do plug 1-5 > /dev/null
until_true 60 test_verdict 1-5 pass
for n in 1 2 3; do
	sim_stop
	station_start typical
	rack_plug_held 1-4 "$old"
	if ! until_true 60 test_state 1-4 writing; then
		not_ok "crash $n comes in mid-write" "$(status '.slots[]')"
	fi
	sim_kill
done
station_start fast
rack_plug 1-4 "$old"
rack_plug 1-6 "$old"
holds "another drone is flashed after the third crash" until_true 60 test_verdict 1-6 pass
holds "the port at work in three crashes is quarantined" test_state 1-4 quarantined
same "nothing is erased on the quarantined port" 0 "$(counter 1-4 erases)"
same "each of its attempts was interrupted once" 3 \
	"$(records "SELECT count(*) FROM attempts WHERE port = '1-4' AND verdict = 'interrupted'")"
cfdfuctl port release 1-4 > /dev/null
holds "released, it is flashed" until_true 60 test_verdict 1-4 pass
records_are_sound "crashes"
sim_stop

# ---- the daemon itself, without a service manager (S11) -----------------------------------------

mkdir "$scratch/alone"
env -u NOTIFY_SOCKET cfdfud --config "$config" --state "$scratch/alone" \
	--socket "$CFDFU_SOCKET" > "$scratch/alone.log" 2>&1 &
sim_pid=$!
holds "the daemon runs in the foreground and answers" until_true 60 cfdfuctl status
kill "$sim_pid"
rc=0
wait "$sim_pid" || rc=$?
same "the daemon in the foreground ends when told to" 0 "$rc"
