#!/bin/bash
# SPDX-License-Identifier: MIT
# A full rack: 120 drones on one daemon, all pass, in less than 24 MiB.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=120

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02 --size 40000)
new=$(image 2025.12 --size 40000)
rack_start fast
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
for p in $(ports 1 $drones); do
	rack_add "$p" "$old" || not_ok "the rack takes a drone on $p" "it does not"
done
begin=$(now_ms)
for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
cfdfuctl wait --count $drones --timeout 600 > "$out/wait120.txt" 2>&1
same "waiting for 120 endings ends well" 0 $?
note "$drones drones in $(($(now_ms) - begin)) ms"
same "status shows 120 passes" $drones "$(verdicts pass)"
same "the attempts view shows 120 passes" $drones "$(records "SELECT count(DISTINCT serial)
	FROM attempts WHERE verdict = 'pass'")"
wrong=0
for p in $(ports 1 $drones); do
	flash_is "$p" "$new" || wrong=$((wrong + 1))
done
same "every flash is the image" 0 $wrong
within "the daemon needed less than 24 MiB" 1 "$(daemon_peak_kib)" 24575
note "daemon: peak $(daemon_peak_kib) KiB, processor $(ps -o time= -p "$(daemon_pid)")"
begin=$(now_ms)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	cfdfuctl --json status > /dev/null
done
note "status of $drones slots: $((($(now_ms) - begin) / 10)) ms with the client's start"
records_are_sound "120 drones"
