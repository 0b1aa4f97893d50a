#!/bin/bash
# SPDX-License-Identifier: MIT
# A fault affects one drone only: among sixteen ports one is unplugged in mid-write, one stalls, one
# falls silent, one is another vendor's terminal and one a foreign DFU device.  The other eleven
# pass in the time they need without them, and each of the five ends as it should.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

good=11

time_good() # NAME; sets took
{
	local begin n

	begin=$(now_ms)
	for n in $(seq 1 "$1"); do
		rack_do plug "$(port "$n")" > /dev/null
	done
	poll=0.2 until_true 300 good_passed
	took=$(($(now_ms) - begin))
	holds "$2: $good good drones pass" good_passed
	note "$2: $good drones in $took ms"
}

good_passed()
{
	[ "$(status "[.slots[] | select(.present and .verdict == \"pass\" and
		(.port as \$p | $good_ports | index(\$p)))] | length")" = $good ]
}

unplug_all()
{
	local p

	for p in $(ports 1 16); do
		rack_do unplug "$p" > /dev/null 2>&1
	done
	until_true 60 present_is 0
}

slot() # PORT FIELD
{
	status ".slots[] | select(.port == \"$1\") | .$2"
}

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02)
first=$(image 2025.09)
second=$(image 2025.12)
good_ports=$(ports 1 $good | jq -R . | jq -sc .)
unplugged=$(port 12) stalling=$(port 13) silent=$(port 14) vcp=$(port 15) foreign=$(port 16)
rack_start fast
cfdfuctl firmware add "$first" --name first > /dev/null
cfdfuctl firmware add "$second" --name second > /dev/null
cfdfuctl firmware select first > /dev/null
for p in $(ports 1 14); do
	rack_add "$p" "$old"
done
rack_do add "$vcp" model=other-vcp > /dev/null
systemctl stop cfdfud.service 2> /dev/null
rack_do plug "$vcp" > /dev/null
until_true 60 test -e "/sys/bus/usb/devices/$vcp:1.1/driver" # WHY: the driver is loaded first
sleep 2
kernel_alone=$(counter "$vcp" beyond_standard)
rack_do unplug "$vcp" > /dev/null
rack_do reset-counters "$vcp" > /dev/null
rack_do add "$foreign" model=other-dfu > /dev/null

time_good $good "alone"
alone=$took
unplug_all
cfdfuctl firmware select second > /dev/null
rack_do fate "$unplugged" power-loss at=40 in=dfu on=data > /dev/null
rack_do fate "$stalling" stall at=30 in=dfu on=any count=100000 > /dev/null
rack_do fate "$silent" silent at=60 in=dfu on=any > /dev/null
time_good 16 "with five misfits"
within "the misfits cost the others nothing" 1 "$took" $((alone * 5 / 4 + 2000))

five_ended()
{
	[ "$(status "[.slots[] | select(.port == (\"$unplugged\", \"$stalling\", \"$silent\")) |
		select(.verdict == null)] | length")" = 0 ]
}
holds "the misfits come to their ends" until_true 200 five_ended
cfdfuctl --json status > "$out/misfits.json"
cfdfuctl status > "$out/misfits.txt"
note "unplugged: $(slot "$unplugged" '| "\(.verdict) \(.fault) \(.step) \(.message)"')"
note "stalling: $(slot "$stalling" '| "\(.verdict) \(.fault) \(.step) \(.message)"')"
note "silent: $(slot "$silent" '| "\(.verdict) \(.fault) \(.step) \(.message)"')"
note "another vendor's: $(slot "$vcp" '| "\(.state) \(.verdict) \(.message)"')"
note "foreign: $(slot "$foreign" '| "\(.state) \(.verdict) \(.message)"')"
holds "the unplugged drone's attempt failed while writing" test "$(records "SELECT verdict || step
	FROM attempts WHERE port = '$unplugged' ORDER BY id DESC LIMIT 1")" = failwriting
same "the stalling drone failed" fail "$(slot "$stalling" verdict)"
same "the silent drone failed" fail "$(slot "$silent" verdict)"
same "another vendor's device got the requests of the kernel's own driver and no other" \
	"$kernel_alone" "$(counter "$vcp" beyond_standard)"
same "another vendor's device has no attempt" 0 \
	"$(records "SELECT count(*) FROM attempts WHERE port = '$vcp'")"
same "a foreign DFU device is shown as foreign" foreign "$(slot "$foreign" state)"
same "the foreign device was only read" 0 "$(counter "$foreign" writing)"
same "nothing on the foreign device was erased" 0 "$(counter "$foreign" erases)"
for p in $(ports 1 $good); do
	flash_is "$p" "$second" || not_ok "the flash of $p is right" "it differs"
done
records_are_sound "misfits"
