#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The doctor on a machine made of files: each thing that stands in the way is found, with the command
# that mends it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

export CFDFU_DOCTOR_ROOT=$scratch/machine
usb=$CFDFU_DOCTOR_ROOT/sys/bus/usb/devices/1-4
rules=$CFDFU_DOCTOR_ROOT/usr/lib/udev/rules.d/70-cfdfud.rules

put() # PATH TEXT
{
	mkdir -p "$(dirname "$1")"
	echo "$2" > "$1"
}

# Everything as it should be, and a drone plugged in.
good_machine()
{
	rm -rf "$CFDFU_DOCTOR_ROOT"
	put "$rules" rule
	put "$CFDFU_DOCTOR_ROOT/proc/77/comm" cfdfud
	put "$usb/idVendor" 0483
	put "$usb/idProduct" df11
	put "$usb/busnum" 1
	put "$usb/devnum" 9
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

# The line that spares each event the wait for the hub's lock (doc/rack.md): for both products, before
# anything of the device is read, in every action.
seat_line() # < RULES
{
	awk '/^#/ { next } /ATTR|ACTION/ { exit } /ID_SEAT}="/ { print }'
}
# shellcheck disable=SC2016 # udev's dollar
same "the udev rule gives drones their seat before it reads anything of them, in every action" \
	'ENV{PRODUCT}=="483/5740/*|483/df11/*", ENV{ID_SEAT}=="", TEST!="/run/udev/tags/cfdfud-seat/c$attr{../dev}", ENV{ID_SEAT}="seat0"' \
	"$(seat_line < "$(dirname "$0")/../../systemd/70-cfdfud.rules")"

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
put "$CFDFU_DOCTOR_ROOT/etc/udev/rules.d/70-cfdfud.rules" ''
: > "$CFDFU_DOCTOR_ROOT/etc/udev/rules.d/70-cfdfud.rules"
finds "a udev rule that is masked" udev-rule fail 'sudo rm /etc/udev/rules.d/70-cfdfud.rules'
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
