#!/bin/bash
# SPDX-License-Identifier: MIT
# A full bus (doc/rack.md 7): udev tells of each drone at once in both modes, not when the kernel is
# through with all of them, and eight drones take little more than the kernel needs for them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. "$(dirname "$0")/measure.sh"

drones=8
# An enumeration of the kernel's takes 430 ms; udev needs 20 in this emulated processor.
told_ms=300

# How long udev took, at the worst, to pass on what the kernel said of a device.
slowest_told_ms()
{
	awk '{
		source = $1
		sub(/\[.*/, "", source)
		time = $0
		sub(/^[^[]*\[/, "", time)
		event = $0
		sub(/^[^]]*\] /, "", event)
		if (source == "KERNEL" && event ~ /\(usb\)$/)
			said[event, ++kernel[event]] = time + 0
		else if (source == "UDEV" && (event, ++udev[event]) in said) {
			lag = time - said[event, udev[event]]
			worst = lag > worst ? lag : worst
			count++
		}
	} END { printf "%d %d\n", worst * 1000, count }' "$scratch/monitor.txt"
}

getent passwd cfdfud > /dev/null || station_install
station_reset
holds "udev knows our rules" udevadm control --reload
old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)
cfdfuctl firmware add "$new" --name new > /dev/null
holds "the image is selected" cfdfuctl firmware select new
rack_start typical
for p in $(ports 1 $drones); do
	rack_do "add $p $drone_times" > /dev/null
	rack_do load "$p" "$old" "$app" > /dev/null
done
life "$(port 1)"
alone_ms=$life_ms
rack_do unplug "$(port 1)" > /dev/null
until_true 60 present_is 0
rack_do load "$(port 1)" "$old" "$app" > /dev/null
# shellcheck disable=SC2046 # words are wanted
life $(ports 1 $drones)
same "all of them pass" $drones "$(verdicts pass)"
read -r worst_ms events <<< "$(slowest_told_ms)"
# Each comes three times, and goes twice.
within "udev tells of every coming and going" $((5 * drones)) "${events:-0}" 100000
within "udev tells of each while the kernel is busy with the next" 0 "${worst_ms:-}" $told_ms
bound_ms=$((alone_ms + spread_ms))
note "one alone $alone_ms ms; $drones on one bus $life_ms ms, the kernel's first to last $spread_ms ms;" \
	"udev's slowest $worst_ms ms"
within "$drones drones on one bus against the bound" 0.9 "$(ratio "$life_ms" "$bound_ms")" 1.3
