#!/bin/bash
# SPDX-License-Identifier: MIT
# Two power cuts of the whole station in mid-flash, with a disk that survives.  The drones lose
# power too: those that cannot boot are entered by the button afterwards, as an operator would.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=16
kept=/share/flashes # the drones' flash content at the power cut, kept by the host
flashes=/opt/vm/flashes

mount_disk()
{
	until_true 30 test -b /dev/vda || return 1
	if [ "$BOOT" = 1 ]; then
		mkfs.ext4 -q /dev/vda || return 1
	fi
	mkdir -p /var/lib/cfdfud
	mount /dev/vda /var/lib/cfdfud
}

some_are_being_written()
{
	[ "$(status '[.slots[] | select(.state == "writing" or .state == "verifying")] | length')" \
		-ge 6 ]
}

# The station stands still at one moment: from here on neither it nor a drone changes anything, and
# the clock may jump as it likes.
cut_power()
{
	local p

	kill -STOP "$(daemon_pid)"
	for p in $(ports 1 $drones); do
		rack_do dump "$p" "$flashes/$p" > /dev/null || not_ok "the rack keeps $p" "it does not"
	done
	mkdir -p $kept
	cp $flashes/* $kept/
	until [ "$(stat -c %s /opt/vm/job.log)" = "$(stat -c %s /share/job.log)" ]; do
		:
	done
	: > /share/cut
	while :; do :; done # WHY: a sleep is over at once where the clock jumps over idle time
}

settled()
{
	rack_operator
	good_is $drones
}

plug_again()
{
	local p first uid how=()

	for p in $(ports 1 $drones); do
		uid=$(printf '%024X' $((0x51004F0000 + ${p#*-} + ${p%-*} * 256)))
		rack_do add "$p" "uid=$uid" > /dev/null
		first=
		if [ -e "$flashes/$p" ]; then
			rack_do load "$p" "$flashes/$p" 0x08000000 > /dev/null
			first=$(od -An -tx4 -j16384 -N4 "$flashes/$p" | tr -d ' ')
		else
			rack_do load "$p" "$old" "$app" > /dev/null
			rack_do dump "$p" "$flashes/before-$p" > /dev/null
		fi
		if [ "$first" = ffffffff ]; then
			how+=("button $p")
		else
			how+=("plug $p")
		fi
	done
	for p in "${how[@]}"; do
		rack_do "$p" > /dev/null
	done
}

station_install
systemctl service-watchdogs no # WHY: a write to a virtual disk, too, may take time that jumps
mkdir -p $flashes
[ ! -d $kept ] || cp $kept/* $flashes/
mount_disk || not_ok "the disk is there in boot $BOOT" "$(dmesg | tail -n 3)"
systemctl start cfdfud.socket
old=$(image 2025.02)
new=$(image 2025.12)
rack_start typical
if [ "$BOOT" = 1 ]; then
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware select new > /dev/null
else
	same "boot $BOOT: the database is intact" ok "$(records "PRAGMA integrity_check")"
	same "boot $BOOT: the selection survived" new "$(status '.station.selected[0].name')"
	same "boot $BOOT: no attempt is left open" 0 "$(records "SELECT count(*) FROM attempts
		WHERE verdict IS NULL")"
	note "after the cut: $(records "SELECT verdict || ': ' || count(*) FROM attempts
		GROUP BY verdict" | paste -sd' ')"
fi
plug_again
if [ "$BOOT" -le 2 ]; then
	poll=0.2 until_true 120 some_are_being_written ||
		not_ok "boot $BOOT: the cut comes in mid-flash" "too few are being written"
	sleep "$((RANDOM % 4)).$((RANDOM % 10))"
	cut_power
fi
if poll=3 until_true 240 settled; then
	ok "after two power cuts every drone passes"
else
	not_ok "after two power cuts every drone passes" "$(note_bad)"
fi
wrong=
for p in $(ports 1 $drones); do
	flash_is "$p" "$new" "$flashes/before-$p" || wrong="$wrong $p"
done
same "after two power cuts every flash is the image" "" "$wrong"
records_are_sound "two power cuts"
note "$(records "SELECT verdict || ': ' || count(*) FROM attempts GROUP BY verdict" | paste -sd' ')"
umount -l /var/lib/cfdfud
