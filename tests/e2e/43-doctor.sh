#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The doctor on a machine made of files: each thing that stands in the way is found, with the command
# that mends it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

export CFDFU_DOCTOR_ROOT=$scratch/machine
usb=$CFDFU_DOCTOR_ROOT/sys/bus/usb/devices/1-4
devices=$CFDFU_DOCTOR_ROOT/sys/bus/usb/devices
rules=$CFDFU_DOCTOR_ROOT/usr/lib/udev/rules.d/70-cfdfud.rules
shipped=$(dirname "$0")/../../systemd/70-cfdfud.rules

put() # PATH TEXT
{
	mkdir -p "$(dirname "$1")"
	echo "$2" > "$1"
}

# Everything as it should be, and a drone plugged in.
good_machine()
{
	rm -rf "$CFDFU_DOCTOR_ROOT"
	mkdir -p "$(dirname "$rules")"
	cp "$shipped" "$rules"
	put "$CFDFU_DOCTOR_ROOT/proc/77/comm" cfdfud
	put "$usb/idVendor" 0483
	put "$usb/idProduct" df11
	put "$usb/busnum" 1
	put "$usb/devnum" 9
	put "$usb/dev" 189:8
	put "$CFDFU_DOCTOR_ROOT/run/udev/data/c189:8" E:ID_SEAT=seat0
	put "$usb/power/control" on
	put "$CFDFU_DOCTOR_ROOT/dev/bus/usb/001/009" node
	chmod 666 "$CFDFU_DOCTOR_ROOT/dev/bus/usb/001/009"
	mkdir -p "$CFDFU_DOCTOR_ROOT/var/lib/cfdfud"
}

level() # CHECK
{
	jq -r "[.checks[] | select(.name == \"$1\").level] | sort | last // \"none\"" \
		"$scratch/doctor"
}

ask()
{
	cfdfuctl --json doctor > "$scratch/doctor" 2> /dev/null
}

finds() # NAME CHECK LEVEL COMMAND
{
	ask
	same "the doctor finds $1" "$3" "$(level "$2")"
	same "doctor names the command that fixes $1" "$4" "$(jq -r "[.checks[] | select(.name == \"$2\" and
		.level == \"$3\").fix][0]" "$scratch/doctor")"
	holds "the text of doctor shows the command" grep -qF -e "to fix it: $4" <<< "$(cfdfuctl doctor)"
}

# The lines that spare each event the wait for the hub's lock (doc/rack.md 5): for both products, device
# and interface, before anything of the device is read, in every action.
seat_lines() # < RULES
{
	awk '/^#/ { next } /ATTR|ACTION/ { exit } /ID_SEAT}="/' |
		sed 's/^ENV{DEVTYPE}=="usb_interface", //'
}
seat_line() # HUB
{
	# shellcheck disable=SC2016 # udev's dollar
	printf 'ENV{PRODUCT}=="483/5740/*|483/df11/*", ENV{ID_SEAT}=="", TEST!="/run/udev/tags/cfdfud-seat/c$attr{%s/dev}", ENV{ID_SEAT}="seat0"\n' "$1"
}
same "the udev rule gives drones and their interfaces a seat before it reads anything of them" \
	"$(seat_line ../.. && seat_line ..)" "$(seat_lines < "$shipped")"

good_machine
finds "a service that does not answer" service fail 'sudo systemctl restart cfdfud'
rm -r "$CFDFU_DOCTOR_ROOT/proc/77"
finds "a service that does not run" service fail 'sudo systemctl enable --now cfdfud'
cfdfuctl doctor > /dev/null
same "doctor exits with 4 when a check fails" 4 $?

sim_start fast
ask
for check in service fwupd modemmanager udev-rule node; do
	same "in order: $check" ok "$(level $check)"
done
same "no autosuspend is reported" none "$(level autosuspend)"
same "no missing seat is reported" none "$(level seat)"
cfdfuctl doctor > /dev/null
same "doctor exits with 0 when no check fails" 0 $?

put "$CFDFU_DOCTOR_ROOT/proc/12/comm" fwupd
finds "a running fwupd" fwupd warn 'sudo systemctl mask --now fwupd'
put "$CFDFU_DOCTOR_ROOT/proc/13/comm" ModemManager
finds "a running ModemManager" modemmanager warn 'sudo systemctl mask --now ModemManager'
put "$usb/power/control" auto
finds "a drone that may be put to sleep" autosuspend warn \
	'echo on | sudo tee /sys/bus/usb/devices/1-4/power/control'
rm "$CFDFU_DOCTOR_ROOT/dev/bus/usb/001/009"
finds "a drone without a node" node fail 'sudo udevadm trigger --subsystem-match=usb'
if [ "$(id -u)" -eq 0 ]; then
	put "$CFDFU_DOCTOR_ROOT/dev/bus/usb/001/009" node
	chmod 600 "$CFDFU_DOCTOR_ROOT/dev/bus/usb/001/009"
	finds "a node that may not be written" node fail \
		'sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb'
fi
put "$CFDFU_DOCTOR_ROOT/run/udev/data/c189:8" E:ID_MM_DEVICE_IGNORE=1
finds "a drone that udev gave no seat" seat warn \
	'sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb'
mkdir -p "$CFDFU_DOCTOR_ROOT/run/udev/tags/cfdfud-seat"
ask
same "where hubs have seats of their own, a drone may have none" none "$(level seat)"
grep -v ID_SEAT "$shipped" > "$rules"
finds "a udev rule of an older version" udev-rule warn \
	'sudo make install && sudo udevadm control --reload'
put "$CFDFU_DOCTOR_ROOT/etc/udev/rules.d/70-cfdfud.rules" '# ENV{ID_SEAT}="seat0"'
cp "$shipped" "$rules"
finds "an older udev rule before ours" udev-rule warn \
	'sudo mv /etc/udev/rules.d/70-cfdfud.rules /etc/udev/rules.d/70-cfdfud.off && sudo udevadm control --reload'
holds "the doctor names the file of the older rule" grep -q \
	'rule in force (.*/etc/udev/rules.d/70-cfdfud.rules)' <<< "$(cfdfuctl doctor)"
: > "$CFDFU_DOCTOR_ROOT/etc/udev/rules.d/70-cfdfud.rules"
finds "a udev rule that is masked" udev-rule fail \
	'sudo mv /etc/udev/rules.d/70-cfdfud.rules /etc/udev/rules.d/70-cfdfud.off && sudo udevadm control --reload'
rm "$CFDFU_DOCTOR_ROOT/etc/udev/rules.d/70-cfdfud.rules" "$rules"
finds "a udev rule that is missing" udev-rule fail \
	'sudo make install && sudo udevadm control --reload'
holds "each failed check names a command" jq -e \
	'[.checks[] | select(.level != "ok" and .fix == null)] == []' "$scratch/doctor"
sim_stop

good_machine
printf '[station]\nfree-space-floor = 1000000G\n' > "$scratch/conf"
sim_start fast --config "$scratch/conf"
finds "a disk that is too full for the records" disk fail 'sudo journalctl --vacuum-size=100M'
sim_stop

# ---- a configuration that fits nothing, and one that is no text ---------------------------------

good_machine
printf '[station]\nports = 7-*, 1-*, 9-1\n[slots]\n1-2 = caf\351\n' > "$scratch/odd.conf"
sim_start fast --config "$scratch/odd.conf"
ask
same "while nothing is plugged in, no pattern is suspect" none "$(level patterns)"
rack_plug 1-1 "$(image 2025.02 --size 61440)"
holds "a drone is seen" until_true 60 present_is 1
finds "a pattern that matches no port" patterns warn 'cfdfuctl config'
same "only the unused pattern is reported" "7-* in 'ports' matches no port that a drone was seen on." \
	"$(jq -r '.checks[] | select(.name == "patterns").text' "$scratch/doctor")"
same "a setting that is not text is shown" 1 \
	"$(cfdfuctl --json config | jq '[.settings[] | select(.key == "1-2")] | length')"
sim_stop

# ---- drones by the hubs and controllers they are on ---------------------------------------------

# As Linux has it: "usbN" hangs on its controller, "port" is the port of the hub that the device is
# on, and a hub's ports are below its interface.
bus() # NUMBER CONTROLLER
{
	mkdir -p "$devices"
	ln -sfn "../../../devices/pci0000:00/$2/usb$1" "$devices/usb$1"
}

hub_port() # INTERFACE PORT [QUIRKS]
{
	put "$devices/$1/$2/quirks" "${3:-00000000}"
}

device() # NAME VENDOR PRODUCT INTERFACE PORT [QUIRKS]
{
	put "$devices/$1/idVendor" "$2"
	put "$devices/$1/idProduct" "$3"
	hub_port "$4" "$5" "${6:-}"
	ln -sfn "../$4/$5" "$devices/$1/port"
}

machine_of() # DRONES-ON-BUS-1
{
	local n

	rm -rf "$CFDFU_DOCTOR_ROOT"
	bus 1 0000:00:14.0
	bus 2 0000:00:14.0
	bus 3 0000:05:00.0
	for n in $(seq 1 "$1"); do
		device "1-$n" 0483 df11 1-0:1.0 "usb1-port$n"
	done
	ask
}

text_of() # CHECK
{
	jq -r ".checks[] | select(.name == \"$1\").text" "$scratch/doctor"
}

fix_of() # CHECK
{
	jq -r ".checks[] | select(.name == \"$1\").fix" "$scratch/doctor"
}

# The command as root would paste it, on the machine made of files.
paste_fix() # CHECK
{
	local command

	command=$(fix_of "$1")
	(cd / && sh -c "$(sed "s,^sudo ,,; s,/sys/,$CFDFU_DOCTOR_ROOT&,g" <<< "$command")")
}

quirks() # DIRECTORY...
{
	(cd "$devices" && cat "${@/%//quirks}") | tr '\n' ' '
}

machine_of 16
same "nothing is said of sixteen drones on one controller" none "$(level controllers)"
machine_of 17
same "seventeen drones on one controller are too many" warn "$(level controllers)"
holds "the doctor names the controller, its buses, and the other one" grep -qE -e \
	'17 drones share the controller 0000:00:14.0 \(bus 1, 2\).*: 0000:05:00.0 \(bus 3\) has 0\.' \
	<<< "$(text_of controllers)"
holds "the reason is told" grep -qF 'one device of a controller at a time, and each drone comes up three' \
	<<< "$(text_of controllers)"
rm "$devices/usb3"
ask
holds "a machine with one controller is told so" grep -qF 'this machine has no other' \
	<<< "$(text_of controllers)"
machine_of 16
device 3-1 0483 df11 3-0:1.0 usb3-port1
ask
same "drones on two controllers are not counted together" none "$(level controllers)"

machine_of 1
same "nothing is said of FAST_ENUM for one drone" none "$(level fast-enumeration)"
machine_of 2
rm "$devices"/1-0:1.0/*/quirks
ask
same "nothing is said of FAST_ENUM where Linux does not have it" none "$(level fast-enumeration)"
machine_of 2
device 1-3 046d c31c 1-0:1.0 usb1-port3 # a keyboard
device 1-4 05e3 0608 1-0:1.0 usb1-port4 # a hub
for n in 1 2; do
	device "1-4.$n" 0483 df11 1-4:1.0 "1-4-port$n"
done
hub_port 1-4:1.0 1-4-port3
ask
same "ports without FAST_ENUM are no problem" ok "$(level fast-enumeration)"
# shellcheck disable=SC2016 # for another shell
same "the command names the drones' ports, and all of a hub that has drones alone" \
	'sudo sh -c '"'"'cd /sys/bus/usb/devices && for q in */usb1-port1/quirks */usb1-port2/quirks */1-4-port*/quirks; do echo $((0x$(cat $q) | 2)) > $q; done'"'" \
	"$(fix_of fast-enumeration)"
holds "the risk is told" grep -qF 'a device that needs longer may not be recognised' \
	<<< "$(text_of fast-enumeration)"
holds "it is not called a fix" grep -qF 'to change it: sudo sh' <<< "$(cfdfuctl doctor)"
holds "the command can be pasted" paste_fix fast-enumeration
same "it sets FAST_ENUM there and nowhere else" "2 2 00000000 00000000 2 2 2 " \
	"$(quirks 1-0:1.0/usb1-port{1,2,3,4} 1-4:1.0/1-4-port{1,2,3})"
ask
holds "FAST_ENUM that is set is told" grep -qF 'FAST_ENUM is set on the ports of 4 drones' \
	<<< "$(text_of fast-enumeration)"
holds "the command that takes it back can be pasted" paste_fix fast-enumeration
same "it is taken back" "0 0 00000000 00000000 0 0 0 " \
	"$(quirks 1-0:1.0/usb1-port{1,2,3,4} 1-4:1.0/1-4-port{1,2,3})"
device 1-4.3 046d c31c 1-4:1.0 1-4-port3
put "$devices/1-0:1.0/usb1-port1/quirks" 00000001
ask
# shellcheck disable=SC2016 # for another shell
same "a hub with another device is named by port" \
	'*/usb1-port1/quirks */usb1-port2/quirks */1-4-port1/quirks */1-4-port2/quirks' \
	"$(fix_of fast-enumeration | sed 's/.* for q in //; s/; do .*//')"
paste_fix fast-enumeration
same "another quirk of a port stays beside it" "3 2 00000000 " "$(quirks 1-0:1.0/usb1-port{1,2,3})"
ask
paste_fix fast-enumeration
same "another quirk of a port stays without it" "1 0 00000000 " "$(quirks 1-0:1.0/usb1-port{1,2,3})"
machine_of 120
same "for many ports there are several commands, each short enough to be shown" "120 true" \
	"$(jq -r '[.checks[] | select(.name == "fast-enumeration").fix] |
	"\([.[] | scan("/quirks")] | length) \(map(length < 1000) | all)"' "$scratch/doctor")"
