#!/bin/bash
# SPDX-License-Identifier: MIT
# Seats (doc/rack.md): a full hub's first drone is told of while the kernel still brings up the last,
# and a drone on a hub of another seat belongs to that seat.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=5
rules=/etc/udev/rules.d

property() # DEVICE NAME
{
	udevadm info -q property "/sys/bus/usb/devices/$1" | sed -n "s/^$2=//p"
}

# From the lines "KERNEL[12.345] add /devices/.../1-1 (usb)" of the monitor.
added() # KERNEL|UDEV PORT
{
	sed -n "s,^$1 *\[\([0-9.]*\)\] add .*/$2 (usb)\$,\1,p" "$out/monitor.txt" | head -n 1
}

all_are_told()
{
	local p

	for p in $(ports 1 $drones); do
		[ -n "$(added UDEV "$p")" ] || return 1
	done
}

plug_again() # PORT
{
	rack_do unplug "$1" > /dev/null
	until_true 30 eval "! test -e /sys/bus/usb/devices/$1"
	rack_do plug "$1" > /dev/null
	until_true 30 usb_is "$1" 0483:5740
	udevadm settle
}

getent passwd cfdfud > /dev/null || station_install
station_reset
holds "udev knows our rules" udevadm control --reload
if udevadm verify --help > /dev/null 2>&1; then
	holds "udev verifies our rules" udevadm verify /usr/lib/udev/rules.d/7?-cfdfud*.rules
fi
rack_start typical
image=$(image 2025.12 --size 61440)
for p in $(ports 1 $drones) "$(port 16)"; do
	rack_add "$p" "$image"
done

# ---- the first is told of before the last is there ----------------------------------------------

stdbuf -oL udevadm monitor --kernel --udev --subsystem-match=usb/usb_device > "$out/monitor.txt" &
monitor=$!
until_true 30 grep -q "^KERNEL - " "$out/monitor.txt"
for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
holds "udev tells of each drone of a full hub" until_true 120 all_are_told
kill "$monitor"
last=$(for p in $(ports 1 $drones); do added KERNEL "$p"; done | sort -n | tail -n 1)
first=$(for p in $(ports 1 $drones); do added UDEV "$p"; done | sort -n | head -n 1)
note "udev told of the first drone at $first s, the kernel added the last at $last s"
holds "the first drone of a hub is told of before the kernel has brought up the last" \
	awk "BEGIN { exit !($first < $last) }"
for p in $(ports 1 $drones); do
	property "$p" ID_SEAT
done | sort -u > "$out/seats.txt"
same "each drone belongs to seat0" seat0 "$(cat "$out/seats.txt")"

# ---- a hub of another seat ----------------------------------------------------------------------

# As `loginctl attach seat-test /sys/bus/usb/devices/usb1` writes it.
printf 'TAG=="seat", ENV{ID_FOR_SEAT}=="%s", ENV{ID_SEAT}="seat-test"\n' \
	"$(property usb1 ID_FOR_SEAT)" > "$rules/72-seat-test.rules"
udevadm control --reload
udevadm trigger --settle /sys/bus/usb/devices/usb1
same "a hub is given to another seat" seat-test "$(property usb1 ID_SEAT)"
plug_again "$(port 1)"
same "a drone on a hub of another seat belongs to that seat" seat-test "$(property "$(port 1)" ID_SEAT)"
rack_do button "$(port 1)" > /dev/null
until_true 30 usb_is "$(port 1)" 0483:df11
udevadm settle
same "a drone in DFU mode on a hub of another seat belongs to that seat" seat-test \
	"$(property "$(port 1)" ID_SEAT)"
rack_do plug "$(port 16)" > /dev/null
until_true 30 usb_is "$(port 16)" 0483:5740
udevadm settle
same "a drone on another hub belongs to seat0" seat0 "$(property "$(port 16)" ID_SEAT)"
rm "$rules/72-seat-test.rules"
udevadm control --reload
udevadm trigger --settle /sys/bus/usb/devices/usb1
plug_again "$(port 2)"
same "a drone on a hub that is given back belongs to no other seat" "" \
	"$(property "$(port 2)" ID_SEAT | sed s/seat0//)"
