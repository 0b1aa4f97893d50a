#!/bin/bash
# SPDX-License-Identifier: MIT
# The computer's own troubles (doc/faults.md A9, U, K, S) on a real kernel: a device that cannot be
# enumerated, one that another program holds, one that the administrator takes away, a udev that says
# everything again or loses what it said, clocks that jump, a journal that stands still, a daemon that
# hangs, an upgrade in mid-flash.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sysfs=/sys/bus/usb/devices

slot() # PORT FIELD
{
	status ".slots[] | select(.port == \"$1\") | .$2"
}

verdict_is() # PORT VERDICT
{
	[ "$(slot "$1" verdict)" = "$2" ]
}

fault_is() # PORT FAULT
{
	[ "$(slot "$1" fault)" = "$2" ]
}

is_at_work() # PORT
{
	case $(slot "$1" state) in
	erasing | writing | verifying) return 0 ;;
	esac
	return 1
}

attempts_on() # PORT
{
	records "SELECT count(*) FROM attempts WHERE port = '$1'"
}

# A drone with the old firmware comes to a port and is being flashed.
begin_on() # PORT [KEY=VALUE...]
{
	rack_plug "$1" "$old" "${@:2}"
	until_true 60 is_at_work "$1" || not_ok "the drone on $1 is being flashed" "$(slot "$1" state)"
}

good_on() # PORT
{
	verdict_is "$1" pass && flash_is "$1" "$new"
}

passes() # PORT NAME
{
	if until_true 120 good_on "$1"; then
		ok "$2"
	else
		not_ok "$2" "$(slot "$1" '| "\(.state) \(.verdict) \(.fault) \(.message)"')"
	fi
}

take_away() # PORT
{
	rack_do unplug "$1" > /dev/null
}

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
rack_start typical
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null

# ---- devices that the kernel cannot enumerate (U11) ---------------------------------------------

p=$(port 1)
rack_add "$p" "$old"
rack_do fate "$p" stall at=1 on=standard count=100000 > /dev/null
rack_do plug "$p" > /dev/null
holds "the kernel gives a device up" until_true 60 eval \
	'dmesg | grep -q "usb 1-.*\(unable to enumerate\|descriptor read/.*error\)"'
same "a device that the kernel cannot enumerate has no attempt" "" "$(slot "$p" state)"
take_away "$p"
rack_do mend "$p" > /dev/null

# ---- the administrator takes a drone away, and gives it back (K10) ------------------------------

p=$(port 2)
begin_on "$p"
echo 0 > "$sysfs/$p/authorized"
is_absent()
{
	[ "$(slot "$p" present)" = false ]
}
holds "a drone that the administrator takes away is gone" until_true 30 is_absent
has_failed()
{
	records "SELECT verdict, fault FROM attempts WHERE port = '$p'" | grep -qE '^fail.(gone|bus)$'
}
holds "the attempt of the removed drone has failed" until_true 30 has_failed
echo 1 > "$sysfs/$p/authorized"
passes "$p" "a drone that the administrator gives back is flashed"

# ---- another program holds it (U17) -------------------------------------------------------------

erases=$(counter "$p" erases)
systemctl mask --runtime cfdfud.service > /dev/null 2>&1
systemctl stop cfdfud.service
rack_do button "$p" > /dev/null
until_true 30 usb_is "$p" 0483:df11 || not_ok "the drone is in DFU mode" "it is not"
udevadm settle
rack_do fate "$p" late value=50 on=upload at=1 count=500 > /dev/null
dfu-util -d 0483:df11 -p "$p" -a 0 -s 0x08000000:0x100000 -U "$scratch/up" \
	> "$out/dfu-util-holds.log" 2>&1 &
dfu_util=$!
until_true 120 test -s "$scratch/up" ||
	not_ok "dfu-util holds the drone" "$(tail -n 2 "$out/dfu-util-holds.log")"
systemctl unmask --runtime cfdfud.service > /dev/null 2>&1
systemctl start cfdfud.service
holds "a drone that dfu-util holds is busy" until_true 30 fault_is "$p" busy
rc=0
wait "$dfu_util" || rc=$?
rack_do dump "$p" "$scratch/down" > /dev/null
same "the drone was not taken from dfu-util" "0 " "$rc $(cmp "$scratch/up" "$scratch/down" 2>&1)"
rack_do mend "$p" > /dev/null
cfdfuctl retry "$p" > /dev/null
# In DFU mode by its button it stays there until its power is removed.
holds "the drone is found in order after dfu-util" until_true 60 verdict_is "$p" needs-power-cycle
same "the drone was not written again" "$erases" "$(counter "$p" erases)"
take_away "$p"

# ---- the node is not ours (U16) -----------------------------------------------------------------

p=$(port 3)
ln -s /dev/null /etc/udev/rules.d/70-cfdfud.rules
udevadm control --reload
rack_plug "$p" "$old"
refused_with_hint()
{
	fault_is "$p" permission && slot "$p" message | grep -q "udev rule"
}
holds "without its rule a drone cannot be opened, and the hint names the rule" \
	until_true 60 refused_with_hint
same "nothing on a drone without the rule was erased" 0 "$(counter "$p" erases)"
rm /etc/udev/rules.d/70-cfdfud.rules
udevadm control --reload
udevadm trigger --action=add "$sysfs/$p"
udevadm settle
cfdfuctl retry "$p" > /dev/null
passes "$p" "the drone is flashed with the rule"
take_away "$p"

# ---- udev repeats all events (K2) ---------------------------------------------------------------

p=$(port 4)
begin_on "$p"
udevadm control --reload
for action in add change bind; do
	udevadm trigger --action=$action --subsystem-match=usb
done
systemctl restart systemd-udevd.service
udevadm trigger --subsystem-match=usb
udevadm settle
passes "$p" "a drone is flashed while udev restarts"
udevadm trigger --action=add --subsystem-match=usb
udevadm settle
sleep 4
same "repeated udev events make one attempt" 1 "$(attempts_on "$p")"
take_away "$p"

# ---- events are lost (K1) -----------------------------------------------------------------------

lost_by_daemon()
{
	awk -v pid="$(daemon_pid)" '$3 == pid { sum += $9 } END { print sum + 0 }' /proc/net/netlink
}

p=$(port 5)
rack_add "$p" "$old"
systemctl service-watchdogs no
lost=$(lost_by_daemon)
kill -STOP "$(daemon_pid)"
for n in $(seq 1 1500); do
	echo change > "$sysfs/usb$((n % 8 + 1))/uevent"
done
udevadm settle --timeout=100
rack_do plug "$p" > /dev/null
until_true 30 usb_is "$p" 0483:5740
udevadm settle --timeout=20
lost=$(($(lost_by_daemon) - lost))
kill -CONT "$(daemon_pid)"
systemctl service-watchdogs yes
within "events were lost" 1 "$lost" 100000
passes "$p" "a drone whose event was lost is flashed"
same "a drone whose event was lost has one attempt" 1 "$(attempts_on "$p")"
take_away "$p"

# ---- clocks that jump (S6) ----------------------------------------------------------------------

p=$(port 6)
begin_on "$p"
# WHY: the shell's own deadlines go by this clock; it is put right before the next of them.
now=$(date +%s)
for jump in $((now + 86400)) $((now - 86400)) 172800; do
	date -s "@$jump" > /dev/null
	sleep 1
done
date -s "@$((now + 4))" > /dev/null
passes "$p" "a jump of the clock fails no drone"
within "nor do they make an attempt long" 1000 \
	"$(records "SELECT duration_ms FROM attempts WHERE port = '$p'")" 120000
take_away "$p"

# ---- the journal (S9) ---------------------------------------------------------------------------

p=$(port 7)
journal=$(systemctl show -P MainPID systemd-journald.service)
kill -STOP "$journal"
begin_on "$p"
passes "$p" "a stopped journal delays no drone"
kill -CONT "$journal"
take_away "$p"
p=$(port 8)
systemctl stop systemd-journald-dev-log.socket systemd-journald.socket \
	systemd-journald-audit.socket systemd-journald.service 2> /dev/null
before=$(daemon_pid)
begin_on "$p"
passes "$p" "a missing journal delays no drone"
same "the daemon survives the loss of the journal" "$before" "$(daemon_pid)"
systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
take_away "$p"

# ---- an upgrade in mid-flash (S4) ---------------------------------------------------------------

p=$(port 9)
next=$(port 10)
begin_on "$p" control-us=60000 # WHY: slow, so that it outlasts the installation
before=$(daemon_pid)
rack_add "$next" "$old"
{
	station_install
	systemctl restart cfdfud.service
} > /dev/null 2>&1 &
upgrade=$!
is_stopping()
{
	[ "$(systemctl show -P ActiveState cfdfud.service)" = deactivating ]
}
poll=0.2 until_true 30 is_stopping || not_ok "the old daemon is told to stop" "it is not"
rack_do plug "$next" > /dev/null
wait "$upgrade"
same "an upgrade lets the running drone end" pass \
	"$(records "SELECT group_concat(verdict) FROM attempts WHERE port = '$p'")"
passes "$next" "after an upgrade the new daemon flashes the next drone"
within "which is another process" 1 "$(($(daemon_pid) == before ? 0 : $(daemon_pid)))" 4194304
take_away "$p"
take_away "$next"

# ---- a daemon that hangs (S7) -------------------------------------------------------------------

replaced()
{
	daemon_is_another "$before" && systemctl is-active cfdfud.service
}

p=$(port 11)
begin_on "$p"
before=$(daemon_pid)
kill -STOP "$before"
holds "a daemon that hangs is replaced" until_true 90 replaced
holds "the drone of the hung daemon is resumed" until_true 120 good_on "$p"
same "the attempt of the hung daemon was interrupted once" "interrupted pass" \
	"$(records "SELECT group_concat(verdict, ' ') FROM attempts WHERE port = '$p'")"
records_are_sound "the computer's troubles"
