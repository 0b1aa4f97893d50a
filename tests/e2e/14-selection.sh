#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which drone is meant, and what is selected for it: every way to name one, one selection for one
# target, what a selection replaces, keeps and begins, and the plan before it.
# shellcheck disable=SC2016 # what is waited for is looked at anew each time
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)
cat > "$scratch/slots.conf" <<'CONF'
[slots]
1-1 = A1
1-2 = A2
1-3 = A3
CONF

first=330041000A51353432343630
second=330042000A51353432343630

sim_start fast --config "$scratch/slots.conf"
cfdfuctl firmware add "$old" --name old > /dev/null
cfdfuctl firmware add "$new" --name new > /dev/null
rack_plug 1-1 "$old" uid=$first
rack_plug 1-2 "$old" uid=$second
holds "both drones are seen" until_true 60 present_is 2
holds "and asked who they are" until_true 60 eval '[ "$(status "[.slots[] |
	select(.state == \"idle\" and .version_before == \"2025.02\")] | length")" = 2 ]'

refused() # NAME PATTERN COMMAND...
{
	local name=$1 pattern=$2 rc=0

	shift 2
	"$@" > "$scratch/said" 2>&1 || rc=$?
	same "$name: it is refused" 4 $rc
	holds "$name: it says why" grep -qE "$pattern" "$scratch/said"
}

# ---- every way to name a drone ------------------------------------------------------------------

for name in 1-1 A1 a1 $first ${first,,} 330041; do
	same "$name is the drone on 1-1" 1-1 "$(cfdfuctl --json status "$name" | jq -r '.slots[].port')"
done
refused "the beginning of two serials" "^.*$second" cfdfuctl status 3300
same "the candidates are listed" "$first $second" "$(cfdfuctl --json status 3300 2>&1 |
	jq -r '.parameters.candidates | sort | join(" ")')"
refused "three characters" 'no slot or drone "330"' cfdfuctl status 330
refused "an ambiguous retry" "$first" cfdfuctl retry 3300
refused "an ambiguous selection" "$first" cfdfuctl firmware select old --for 3300
refused "an ambiguous backup" "$first" cfdfuctl backup 3300 "$scratch/no.dfu"
for name in 330041000A A1 1-1 $first; do
	same "one drone's life by $name" $first "$(cfdfuctl --json show "$name" | jq -r .drone.serial)"
done
refused "the history of one of two" "$second" cfdfuctl history --serial 3300
rack_do unplug 1-2 > /dev/null
rack_plug 1-3 "$old" uid=660000000A51353432343630
holds "another one comes" until_true 60 eval '[ "$(status "[.slots[] | select(.present)] |
	length")" = 2 ]'
same "one that is gone, too" $second "$(cfdfuctl --json show 330042000a | jq -r .drone.serial)"

# ---- what operators did, and what became of it --------------------------------------------------

log=$scratch/daemon.log
holds "a drone's line begins with label and port" grep -qE '(^|>)A1 \(1-1\): plugged in' "$log"
cfdfuctl pause > /dev/null
holds "an act is logged as done" grep -qE 'Pause \{\}: done' "$log"
rack_do unplug 1-1 > /dev/null
until_true 60 present_is 1
refused "a retry of nothing" 'nothing is plugged in' cfdfuctl retry A1
holds "a refused act is logged as refused, and why" \
	grep -qE 'Retry .*A1.*: refused: .*nothing is plugged in' "$log"
same "and recorded so" refused "$(records "SELECT substr(json_extract(arguments, '\$.outcome'), 1, 7)
	FROM acts WHERE method = 'Retry' ORDER BY id DESC LIMIT 1")"
cfdfuctl retry A1 A3 > "$scratch/said" 2>&1
same "of two, one that cannot be tried again makes it 4" 4 $?
holds "the other one is, by its name" grep -q '^Queued: A3 (1-3)$' "$scratch/said"
holds "and the other is not passed over" grep -q 'A1 (1-1): not tried again: nothing is plugged in' \
	"$scratch/said"
refused "an unknown slot" 'no slot or drone' cfdfuctl port release 9-9
holds "and that it names nothing" grep -qE 'ReleasePort .*9-9.*: refused: NoSuchSlot' "$log"
cfdfuctl resume > /dev/null

# ---- what a selection replaces, keeps and begins ------------------------------------------------

says() # NAME PATTERN COMMAND...
{
	local name=$1 pattern=$2

	shift 2
	"$@" > "$scratch/said" 2>&1
	holds "$name" grep -qE "$pattern" "$scratch/said"
}

planned() # PORT
{
	cfdfuctl --json plan "${@:2}" | jq -r ".plans[] | select(.port == \"$1\") |
		\"\(.action) \(.firmware)\""
}

in_force() # what is selected: platform or target, and name
{
	status '[.station | .selected[] | .platform + "=" + .name] + [.station.own[] |
		.target + "=" + .name] | join(" ")'
}

cfdfuctl firmware add "$(image 2021.06 --old)" --name both > /dev/null
cfdfuctl firmware add "$(image 2025.09 --platform bolt)" --name bolts > /dev/null
rack_do plug 1-1 > /dev/null
holds "two drones are there" until_true 60 eval '[ "$(status "[.slots[] |
	select(.state == \"idle\" and .version_before == \"2025.02\")] | length")" = 2 ]'
same "nothing selected, nothing planned" "none null" "$(planned 1-1)"
same "the plan with an image" "flash new" "$(planned 1-1 --with new)"
same "one with the version that it says" "unchanged old" "$(planned 1-1 --with old)"
same "a plan selects nothing" "" "$(in_force)"
says "the plan in words" '^A1 .*flash .*2025.02 -> 2025.12' cfdfuctl plan A1 --with new
cfdfuctl pause > /dev/null
says "a selection under a pause says when" \
	'^2 drones plugged in are flashed when the station is resumed .*: A1, A3\.' \
	cfdfuctl firmware select new
same "the plan says that it waits" "wait new" "$(planned 1-3)"
same "both are named for scripts" "1-1 1-3" "$(cfdfuctl --json firmware select new |
	jq -r '.affected | join(" ")')"
cfdfuctl firmware select bolts > /dev/null
refused "one of two platforms that have others" 'each has other firmware' cfdfuctl firmware select both
same "and all stays as it was" "cf2=new bolt=bolts" "$(in_force)"
cfdfuctl firmware deselect cf2 > /dev/null
says "one that is free gets it, the other keeps its own, and that is said" \
	'^bolt keeps bolts: .*select both --platform bolt' cfdfuctl firmware select both
same "so it is" "cf2=both bolt=bolts" "$(in_force)"
says "what is replaced is said" '^cf2: it replaces both' cfdfuctl firmware select new
says "the one that is named changes" '^bolt: it replaces bolts' \
	cfdfuctl firmware select both --platform bolt
cfdfuctl firmware deselect bolt > /dev/null

says "one drone by its label" '^1 drone plugged in is flashed when .*: A1\.' cfdfuctl firmware select new --for A1
same "is its slot" "cf2=new 1-1=new" "$(in_force)"
cfdfuctl firmware select old --for 1-1 > "$scratch/said"
same "by its port it is the same slot" "cf2=new 1-1=old" "$(in_force)"
holds "and what it replaces is said" grep -q '^1-1: it replaces new' "$scratch/said"
cfdfuctl firmware select new --for 330041 > /dev/null
same "a serial is the drone's" "cf2=new 1-1=old $first=new" "$(in_force)"
says "a drone that keeps its own is named" "^A1 \(1-1\) keeps new, selected for its serial: .*--for $first" \
	cfdfuctl firmware select old --for A1
same "the serial comes first" "wait new" "$(planned 1-1)"
says "taken back: what is in force then" '^A1 \(1-1\): old is in force, selected for its slot' \
	cfdfuctl firmware deselect --for "${first,,}"
says "taken back: the platform's" '^A1 \(1-1\): new is in force, selected for its platform' \
	cfdfuctl firmware deselect --for A1
says "nothing to take back is said" '^A1 had no firmware of its own' cfdfuctl firmware deselect --for A1
same "so it is again" "cf2=new" "$(in_force)"
for words in "--for A1 --platform cf2" "--for A1 --platform bolt"; do
	# shellcheck disable=SC2086 # words
	cfdfuctl firmware select new $words > "$scratch/said" 2>&1
	same "a target and a platform, $words, is wrong usage" 2 $?
done
cfdfuctl resume > /dev/null
holds "resumed, both are flashed" until_true 60 eval '[ "$(verdicts pass)" = 2 ]'
same "then they are done" "done new" "$(planned 1-1)"
says "and none needs it" '^No drone that is plugged in needs it' cfdfuctl firmware select new
refused "a plan with what there is not" 'no firmware "nosuch"' cfdfuctl plan --with nosuch

# ---- a drone where this station does not look ---------------------------------------------------

cat > "$scratch/ports.conf" <<'CONF'
[station]
ports = 1-*
CONF
cat "$scratch/slots.conf" >> "$scratch/ports.conf"
sim_stop
sim_start fast --config "$scratch/ports.conf"
rack_plug 2-1.2 "$old" uid=770000000A51353432343630
outside()
{
	status '[.station.outside[]] | join(" ")'
}
holds "a drone on another port is told" until_true 60 eval '[ "$(outside)" = 2-1.2 ]'
same "it is no slot" 0 "$(status '[.slots[] | select(.port == "2-1.2")] | length')"
says "the status says so" '1 drone on a port this station does not use: 2-1\.2' cfdfuctl status
timeout 60 cfdfuctl --json watch > "$scratch/watch" 2>&1 &
watcher=$!
holds "the watch says so" until_true 60 jq -es 'any(.station.outside == ["2-1.2"])' "$scratch/watch"
kill $watcher 2> /dev/null
says "the doctor says so" '1 drone on a port this station does not use: 2-1\.2' cfdfuctl doctor
says "the plan says so" '^2-1\.2 .*This station does not use the port' cfdfuctl plan
holds "the journal says so, once" \
	[ "$(grep -c '2-1\.2: a drone on a port that this station does not use' "$log")" = 1 ]
refused "asked for, it is refused with the reason" 'does not use that port' cfdfuctl retry 2-1.2
rack_do unplug 2-1.2 > /dev/null
holds "and when it is gone, nothing is told" until_true 60 eval '[ -z "$(outside)" ]'

# ---- what a selection leaves alone, and what a pause holds back ---------------------------------

attempts_of() # PORT
{
	records "SELECT count(*) FROM attempts WHERE port = '$1' AND verdict = 'fail'"
}
has_failed() # PORT TIMES
{
	[ "$(attempts_of "$1")" = "$2" ] && test_state "$1" ended
}

cfdfuctl firmware deselect > /dev/null
cfdfuctl firmware select new > /dev/null
rack_add 1-2 "$old" uid=440000000A51353432343630
rack_do fate 1-2 status in=dfu at=1 value=3 count=100000 > /dev/null
rack_do plug 1-2 > /dev/null
holds "a drone fails" until_true 120 has_failed 1-2 1
cfdfuctl retry 1-2 > /dev/null
holds "and fails again, in DFU mode from the start" until_true 120 has_failed 1-2 2
same "before any image was chosen for it" "" \
	"$(records "SELECT firmware_name FROM attempts WHERE port = '1-2' ORDER BY id DESC LIMIT 1")"
says "the plan does not promise it a turn" "^A2 .* done .*cfdfuctl retry" cfdfuctl plan A2
cfdfuctl firmware select old --for A1 > /dev/null
rack_plug 1-1 "$new" uid=$first
holds "what is selected for another slot is flashed there" until_true 60 test_verdict 1-1 pass
same "and begins no other drone that has failed" 2 "$(attempts_of 1-2)"
cfdfuctl firmware deselect --for A1 > /dev/null
rack_do unplug 1-2 > /dev/null

cfdfuctl pause > /dev/null
rack_plug 1-3 "$old" uid=550000000A51353432343630
holds "a drone comes while the station is paused" until_true 60 eval '[ "$(status ".slots[] |
	select(.port == \"1-3\").present")" = true ]'
says "a selection says that it waits" "asked what it is when the station is resumed .*: A3" \
	cfdfuctl firmware select new
says "so does the plan" "^A3 .* wait .*cfdfuctl resume" cfdfuctl plan A3
cfdfuctl resume > /dev/null
holds "resumed, it is flashed" until_true 60 test_verdict 1-3 pass
rack_do unplug 1-1 > /dev/null
rack_do unplug 1-3 > /dev/null

# ---- places, whatever the numbers of buses are --------------------------------------------------

cat > "$scratch/paths.conf" <<'CONF'
[station]
quarantine = 1
ports = 1-*, pci-0000:00:14.0-usb-0:*
[slots]
pci-0000:00:14.0-usbv2-0:4 = P4
1-5 = N5
1-7 = N7
CONF
label() # PORT
{
	status ".slots[] | select(.port == \"$1\").label"
}

sim_stop
sim_start fast --config "$scratch/paths.conf"
rack_plug 1-4 "$new" path=pci-0000:00:14.0-usb-0:4 uid=880000000A51353432343630
rack_plug 1-5 "$new" path=pci-0000:00:14.0-usb-0:5
holds "both are flashed" until_true 60 good_is 2
same "a label by the controller's path" P4 "$(label 1-4)"
holds "the journal has it" grep -qE '(^|>)P4 \(1-4\): plugged in' "$log"
same "a target by it" 1-4 "$(cfdfuctl --json status pci-0000:00:14.0-usb-0:4 | jq -r '.slots[].port')"
same "a label by the bus's number" N5 "$(label 1-5)"
same "its history by it" 1 "$(cfdfuctl --json history --slot pci-0000:00:14.0-usb-0:4 |
	jq -s '[.[] | .attempts? // .] | flatten | length')"
same "the drone of a slot that had none has no history" 0 \
	"$(cfdfuctl --json history --serial N7 | jq -s '[.[] | .attempts? // .] | flatten | length')"
cfdfuctl firmware select old --for pci-0000:00:14.0-usb-0:4 > /dev/null
same "a selection by it is kept so" "cf2=new pci-0000:00:14.0-usb-0:4=old" "$(in_force)"
holds "and in force" until_true 60 eval '[ "$(status ".slots[] |
	select(.port == \"1-4\").version_after")" = 2025.02 ]'
cfdfuctl firmware select new --for P4 > /dev/null
same "by its label it is the same slot" "cf2=new pci-0000:00:14.0-usb-0:4=new" "$(in_force)"
cfdfuctl firmware select new --for 1-4 > /dev/null
same "by its port, too" "cf2=new 1-4=new" "$(in_force)"
cfdfuctl firmware deselect --for P4 > /dev/null
holds "all is done" until_true 60 good_is 2
rack_add 1-6 "$old" path=pci-0000:00:14.0-usb-0:6 uid=990000000A51353432343630
rack_do fate 1-6 silent at=50 in=dfu > /dev/null
rack_do plug 1-6 > /dev/null
# WHY so long: the conversation with one that falls silent is given up after 37 s.
holds "a port is set aside" until_true 150 test_state 1-6 quarantined

# The same controllers under other numbers, as after another start of the machine.
sim_stop
sim_start fast --config "$scratch/paths.conf"
rack_plug 1-6 "$new" path=pci-0000:05:00.0-usb-0:6 uid=AA0000000A51353432343630
holds "its number is another place's now: that one is not set aside" until_true 60 test_state 1-6 ended
holds "the journal says that the bus is another controller" \
	grep -q 'bus 1 is another controller than before (pci-0000:05:00.0, not pci-0000:00:14.0)' "$log"
says "the doctor, too" 'Bus 1 is another controller than before' cfdfuctl doctor
rack_plug 3-6 "$old" path=pci-0000:00:14.0-usb-0:6 uid=BB0000000A51353432343630
holds "the place that was set aside still is" until_true 60 test_state 3-6 quarantined
rack_plug 3-4 "$new" path=pci-0000:00:14.0-usb-0:4 uid=CC0000000A51353432343630
holds "a port of ours by its path" until_true 60 good_is 2
same "its label is where it was" P4 "$(label 3-4)"
same "the doctor holds patterns against device paths, too" "" \
	"$(cfdfuctl doctor | grep 'matches no port')"
cfdfuctl port release 3-6 > /dev/null
holds "released, it is flashed" until_true 60 test_verdict 3-6 pass
sim_stop
sim_start fast --config "$scratch/paths.conf"
rack_plug 3-6 "$new" path=pci-0000:00:14.0-usb-0:6 uid=BB0000000A51353432343630
holds "and stays released" until_true 60 test_state 3-6 ended
