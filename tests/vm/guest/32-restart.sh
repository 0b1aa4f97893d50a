#!/bin/bash
# SPDX-License-Identifier: MIT
# The service comes back after every crash (doc/faults.md S2), and its socket stays, however many drones
# systemd hears of in the pause before: each event of one is a request to start the service.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8
crashes=7

# systemd has seen the end of the old process and waits before it starts another; or has waited.
is_pausing() # PID
{
	[ "$(systemctl show -P SubState cfdfud.service)" = auto-restart ] || daemon_is_another "$1"
}

is_back() # PID
{
	daemon_is_another "$1" && systemctl is-active cfdfud.service
}

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02 --size 40000)
rack_start fast
nodes=()
for p in $(ports 1 $drones); do
	rack_plug "$p" "$old"
	nodes+=("/sys/bus/usb/devices/$p")
done
until_true 60 present_is $drones || not_ok "the drones are there" "$(status .station.counts)"

answered=0
back=0
for _ in $(seq 1 $crashes); do
	before=$(daemon_pid)
	kill -KILL "$before"
	poll=0.1 until_true 30 is_pausing "$before"
	udevadm trigger --settle --action=change "${nodes[@]}"
	cfdfuctl --json status > /dev/null 2>&1 && answered=$((answered + 1))
	until_true 60 is_back "$before" || break
	back=$((back + 1))
done
same "the service is back after each of $crashes crashes" $crashes $back
same "a question asked in the pause is answered" $crashes $answered
same "the control socket stays" active "$(systemctl is-active cfdfud.socket)"
holds "the drones are there after the crashes" until_true 60 present_is $drones
journalctl -u cfdfud.service -u cfdfud.socket -o short-monotonic --no-pager > "$out/journal-restart.txt"
