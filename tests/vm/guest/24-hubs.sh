#!/bin/bash
# SPDX-License-Identifier: MIT
# Hubs (doc/rack.md 5): a drone on one of another seat belongs to that seat, and FAST_ENUM is set and
# taken back as the doctor and the example say.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=5
rules=/etc/udev/rules.d

property() # DEVICE NAME
{
	udevadm info -q property "/sys/bus/usb/devices/$1" | sed -n "s/^$2=//p"
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

for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
until_true 60 usb_is "$(port $drones)" 0483:5740
udevadm settle
for p in $(ports 1 $drones); do
	property "$p" ID_SEAT
	property "$p:1.0" ID_SEAT
done | sort -u > "$out/seats.txt"
same "each drone and its interface belong to seat0" seat0 "$(cat "$out/seats.txt")"

# ---- FAST_ENUM ----------------------------------------------------------------------------------

quirks() # PORT...
{
	(cd /sys/bus/usb/devices/1-0:1.0 && cat "${@/%//quirks}") | tr '\n' ' '
}

finding() # CHECK FIELD
{
	cfdfuctl --json doctor | jq -r ".checks[] | select(.name == \"$1\").$2"
}

paste_fix() # CHECK
{
	sh -c "$(finding "$1" fix | sed 's/^sudo //')"
}

same "the doctor finds the rule in order" ok "$(finding udev-rule level)"
same "the doctor misses no seat" "" "$(finding seat level)"
holds "the doctor's command for FAST_ENUM can be pasted" paste_fix fast-enumeration
same "the ports of drones have FAST_ENUM, others do not" "00000002 00000002 00000000 " \
	"$(quirks usb1-port1 usb1-port$drones usb1-port$((drones + 1)))"
holds "the doctor says that it is set" grep -q "is set on the ports of $drones drones" \
	<<< "$(finding fast-enumeration text)"
plug_again "$(port 1)"
holds "the doctor's command takes it back" paste_fix fast-enumeration
same "no port has FAST_ENUM" "00000000 00000000 00000000 " \
	"$(quirks usb1-port1 usb1-port$drones usb1-port$((drones + 1)))"
example=76-cfdfud-fast-enum.rules
holds "the example is not in force" test ! -e "/usr/lib/udev/rules.d/$example"
sed 's/KERNEL=="[^"]*"/KERNEL=="1-0:1.0"/' "/usr/share/doc/cfdfud/examples/$example" \
	> "$rules/$example"
udevadm control --reload
udevadm trigger --settle --action=bind --subsystem-match=usb
same "with the example each port of the hub has FAST_ENUM" "00000002 00000002 00000002 " \
	"$(quirks usb1-port1 usb1-port$drones usb1-port$((drones + 1)))"
same "with the example no other hub has it" 00000000 \
	"$(cat /sys/bus/usb/devices/3-0:1.0/usb3-port1/quirks)"
rm "$rules/$example"

# ---- a hub of another seat ----------------------------------------------------------------------

# As `loginctl attach seat-test /sys/bus/usb/devices/usb1` writes it.
printf 'TAG=="seat", ENV{ID_FOR_SEAT}=="%s", ENV{ID_SEAT}="seat-test"\n' \
	"$(property usb1 ID_FOR_SEAT)" > "$rules/72-seat-test.rules"
udevadm control --reload
udevadm trigger --settle /sys/bus/usb/devices/usb1
same "a hub is given to another seat" seat-test "$(property usb1 ID_SEAT)"
plug_again "$(port 1)"
same "a drone on a hub of another seat belongs to that seat, with its interface" \
	"seat-test seat-test" "$(property "$(port 1)" ID_SEAT) $(property "$(port 1):1.0" ID_SEAT)"
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
# The hub keeps its mark until it is plugged in again, which a virtual one never is: what follows in
# this boot would wait for its lock.
rm -rf /run/udev/tags/cfdfud-seat
