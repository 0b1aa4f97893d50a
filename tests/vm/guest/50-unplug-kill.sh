#!/bin/bash
# SPDX-License-Identifier: MIT
# Sixteen drones, unplugged at twenty points of their update and put back; then the service killed
# at twenty points: no false pass, no lost drone, no attempt without exactly one ending.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=16
kills=${KILLS:-20}

# No drone that is called good holds anything but the image.
no_false_pass() # NAME IMAGE
{
	local p wrong=

	for p in $(status '.slots[] | select(.verdict == "pass" or .verdict == "unchanged").port'); do
		flash_is "$p" "$2" || wrong="$wrong $p"
	done
	same "$1: no false pass" "" "$wrong"
}

unplug_at() # REQUESTS-IN-DFU...
{
	local n=0 at

	for at in "$@"; do
		n=$((n + 1))
		rack_do fate "$(port $n)" power-loss "at=$at" in=dfu back=1500 > /dev/null
	done
}

round() # NAME IMAGE-NAME IMAGE-FILE
{
	cfdfuctl firmware select "$2" > /dev/null
	all_pass "$1"
	no_false_pass "$1" "$3"
	records_are_sound "$1"
}

# WHY: a port that was active in three crashes in a row is quarantined until an operator releases it.
settled()
{
	local p

	rack_operator
	for p in $(status '.slots[] | select(.state == "quarantined").port'); do
		cfdfuctl port release "$p" > /dev/null && released=$((released + 1))
	done
	good_is $drones
}

# Waits for the station and the operator to bring every drone home.
all_pass() # NAME
{
	if poll=3 until_true 240 settled; then
		ok "$1: every drone passes in the end"
	else
		not_ok "$1: every drone passes in the end" "$(note_bad)"
	fi
}

# Between 0 and 3.9 s after the last start, that is also in the midst of starting.
kill_service()
{
	local before

	sleep "$((RANDOM % 4)).$((RANDOM % 10))" # TIME: when it is killed
	before=$(daemon_pid)
	[ "$before" = 0 ] || kill -KILL "$before"
	until_true 60 daemon_is_another "$before" || not_ok "the service is back" "it is not"
}

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02 --size 100000)
a=$(image 2025.09 --size 100000)
b=$(image 2025.12 --size 100000)
rack_start fast
cfdfuctl firmware add "$a" --name a > /dev/null
cfdfuctl firmware add "$b" --name b > /dev/null
for p in $(ports 1 $drones); do
	rack_add "$p" "$old"
	rack_do plug "$p" > /dev/null
done
until_true 30 present_is $drones
unplug_at 1 2 3 4 5 6 8 10 15 20 30 50 80 120 160 200
round "unplugged at 16 points" a "$a"
unplug_at 7 12 25 60
round "unplugged at 4 more" b "$b"

released=0
done_kills=0
round=0
while [ "$done_kills" -lt "$kills" ]; do
	round=$((round + 1))
	name=a file=$a
	[ $((round % 2)) = 1 ] || name=b file=$b
	cfdfuctl firmware select $name > /dev/null
	for _ in 1 2 3 4; do
		kill_service
		done_kills=$((done_kills + 1))
	done
	all_pass "killed $done_kills times"
	no_false_pass "killed $done_kills times" "$file"
	records_are_sound "killed $done_kills times"
done
journalctl -u cfdfud.service -u cfdfud.socket -o short-monotonic --no-pager > "$out/journal-kills.txt"
systemctl status cfdfud.service cfdfud.socket > "$out/status-kills.txt" 2>&1
note "$released ports were quarantined after three crashes in a row and released by hand"
note "$(records "SELECT verdict || ': ' || count(*) FROM attempts GROUP BY verdict" | paste -sd' ')"
