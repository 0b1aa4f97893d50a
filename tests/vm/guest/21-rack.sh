#!/bin/bash
# SPDX-License-Identifier: MIT
# The main job: an image is selected, sixteen drones are plugged in, and without another command
# each of them ends as PASS, bit for bit.  The first plug starts the station.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=16
old=$(image 2025.02)
new=$(image 2025.12)
forbidden=(outside_writes outside_erases mass_erases unprotects option_writes otp_writes)

flashed_right()
{
	local p

	for p in $(ports 1 $drones); do
		flash_is "$p" "$new" || echo "$p differs"
		usb_is "$p" 0483:5740 || echo "$p is not in run-time mode"
		[ "$(counter "$p" "${forbidden[@]}")" = 0 ] ||
			echo "$p was written to outside the application"
	done
}

wait_for_all() # NAME
{
	local begin

	begin=$(now_ms)
	cfdfuctl wait --count $drones --timeout 300 > "$out/wait.txt" 2>&1
	same "$1: waiting for $drones endings ends well" 0 $?
	note "$1: $drones drones in $(($(now_ms) - begin)) ms"
}

getent passwd cfdfud > /dev/null || station_install
station_reset
cfdfuctl firmware add "$new" --name new > "$out/add.txt" 2>&1
same "an image is added" 0 $?
holds "the image is selected" cfdfuctl firmware select new
systemctl stop cfdfud.service 2> /dev/null
rack_start fast
for p in $(ports 1 $drones); do
	rack_add "$p" "$old" || not_ok "the rack takes a drone on $p" "it does not"
done
rack_do plug 1-1 > /dev/null
holds "the first plug starts the station" until_true 60 systemctl is-active cfdfud.service
for p in $(ports 2 $drones); do
	rack_do plug "$p" > /dev/null
done
wait_for_all "first pass"
cfdfuctl --json status > "$out/status.json"
cfdfuctl status > "$out/status.txt"
same "status shows 16 passes" $drones "$(verdicts pass)"
same "the attempts view shows 16 passes of 16 drones" "$drones $drones" \
	"$(records "SELECT count(*) || ' ' || count(DISTINCT serial) FROM attempts
		WHERE verdict = 'pass'")"
same "every drone now says the new version" 2025.12 \
	"$(records "SELECT DISTINCT version_after FROM attempts")"
same "every drone said the old one before" 2025.02 \
	"$(records "SELECT DISTINCT version_before FROM attempts")"
same "every flash is the image and nothing else changed" "" "$(flashed_right)"
same "every slot may be unplugged" "$drones" \
	"$(status '[.slots[] | select(.safe_to_unplug)] | length')"
records_are_sound "first pass"
within "the daemon needs less than 64 MiB" 1 "$(daemon_peak_kib)" 65535
note "daemon: peak $(daemon_peak_kib) KiB, $(ps -o time= -p "$(daemon_pid)") of processor time"

for p in $(ports 1 $drones); do
	rack_do unplug "$p" > /dev/null
done
holds "unplugged drones leave the status" until_true 60 present_is 0
blocks=$(counter 1-1 'blocks_written')
for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
wait_for_all "second pass"
same "a second pass finds all of them unchanged" $drones "$(verdicts unchanged)"
same "the second pass writes nothing" "$blocks" "$(counter 1-1 blocks_written)"
holds "history lists both passes" test "$(cfdfuctl --json history --limit 500 |
	jq -s '[.[] | .attempts? // .] | flatten | length')" -eq $((2 * drones))
# WHY asked of udev itself: it sets the property for USB devices in newer versions only.
path=$(udevadm test-builtin path_id /sys/bus/usb/devices/1-1 2> /dev/null |
	sed -n 's/^ID_PATH=//p')
same "the path that udev gives a port names its slot" "1-1 ${path:-none}" \
	"$(cfdfuctl --json status "${path:-none}" | jq -r '.slots[].port') ${path:-none}"
records "SELECT * FROM attempts" > "$out/attempts.txt"
journalctl -u cfdfud.service --no-pager > "$out/journal.txt"
journalctl -u cfdfud.service -o json --no-pager | jq -r 'select(.CFDFU_VERDICT == "pass") |
	.CFDFU_SERIAL' | sort -u > "$out/journal-serials.txt"
same "the journal names every drone that passed" $drones "$(grep -c . "$out/journal-serials.txt")"
