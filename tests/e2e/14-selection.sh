#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Targets and selections: every way to name a drone, one selection for one target, the effects of a
# selection, and the plan before it.
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
holds "both drones are identified" until_true 60 eval '[ "$(status "[.slots[] |
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
holds "another drone comes" until_true 60 eval '[ "$(status "[.slots[] | select(.present)] |
	length")" = 2 ]'
same "a drone that is gone is found by a prefix, too" $second "$(cfdfuctl --json show 330042000a | jq -r .drone.serial)"

# ---- acts of operators in log and records -------------------------------------------------------

log=$scratch/daemon.log
holds "a drone's line begins with label and port" grep -qE '(^|>)A1 \(1-1\): plugged in' "$log"
cfdfuctl pause > /dev/null
holds "an act is logged as done" grep -qE 'Pause \{\}: done' "$log"
rack_do unplug 1-1 > /dev/null
until_true 60 present_is 1
refused "a retry of nothing" 'nothing is plugged in' cfdfuctl retry A1
holds "a refused act is logged as refused, and why" \
	grep -qE 'Retry .*A1.*: refused: .*nothing is plugged in' "$log"
same "the refused act is recorded as refused" refused "$(records "SELECT substr(json_extract(arguments, '\$.outcome'), 1, 7)
	FROM acts WHERE method = 'Retry' ORDER BY id DESC LIMIT 1")"
cfdfuctl retry A1 A3 > "$scratch/said" 2>&1
same "a retry of two drones exits with 4 when one is refused" 4 $?
holds "the other drone is queued, by its name" grep -q '^Queued: A3 (1-3)$' "$scratch/said"
holds "the refused drone is named with its reason" grep -q 'A1 (1-1): not tried again: nothing is plugged in' \
	"$scratch/said"
refused "an unknown slot" 'no slot or drone' cfdfuctl port release 9-9
holds "a refused release is logged with its reason" grep -qE 'ReleasePort .*9-9.*: refused: NoSuchSlot' "$log"
cfdfuctl resume > /dev/null

# ---- effects of a selection ---------------------------------------------------------------------

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
same "the plan with the version that the drone runs" "unchanged old" "$(planned 1-1 --with old)"
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
same "a refused selection changes nothing" "cf2=new bolt=bolts" "$(in_force)"
cfdfuctl firmware deselect cf2 > /dev/null
says "a platform without a selection gets the image, the other keeps its own" \
	'^bolt keeps bolts: .*select both --platform bolt' cfdfuctl firmware select both
same "the selection is as announced" "cf2=both bolt=bolts" "$(in_force)"
says "the replaced selection is named" '^cf2: it replaces both' cfdfuctl firmware select new
says "select --platform changes the named platform" '^bolt: it replaces bolts' \
	cfdfuctl firmware select both --platform bolt
cfdfuctl firmware deselect bolt > /dev/null

says "a selection for a label names its drone" '^1 drone plugged in is flashed when .*: A1\.' cfdfuctl firmware select new --for A1
same "a selection for a label is kept by slot" "cf2=new 1-1=new" "$(in_force)"
cfdfuctl firmware select old --for 1-1 > "$scratch/said"
same "a selection for the port replaces the one for the label" "cf2=new 1-1=old" "$(in_force)"
holds "the replaced selection of the slot is named" grep -q '^1-1: it replaces new' "$scratch/said"
cfdfuctl firmware select new --for 330041 > /dev/null
same "a selection for a serial is kept by serial" "cf2=new 1-1=old $first=new" "$(in_force)"
says "a drone that keeps its own is named" "^A1 \(1-1\) keeps new, selected for its serial: .*--for $first" \
	cfdfuctl firmware select old --for A1
same "the serial comes first" "wait new" "$(planned 1-1)"
says "deselect names the slot's image as the next in force" '^A1 \(1-1\): old is in force, selected for its slot' \
	cfdfuctl firmware deselect --for "${first,,}"
says "deselect names the platform's image as the next in force" '^A1 \(1-1\): new is in force, selected for its platform' \
	cfdfuctl firmware deselect --for A1
says "deselect says when there was nothing to remove" '^A1 had no firmware of its own' cfdfuctl firmware deselect --for A1
same "only the platform's selection is left" "cf2=new" "$(in_force)"
for words in "--for A1 --platform cf2" "--for A1 --platform bolt"; do
	# shellcheck disable=SC2086 # words
	cfdfuctl firmware select new $words > "$scratch/said" 2>&1
	same "a target and a platform, $words, is wrong usage" 2 $?
done
cfdfuctl resume > /dev/null
holds "after resume both drones are flashed" until_true 60 eval '[ "$(verdicts pass)" = 2 ]'
same "the plan says that they are done" "done new" "$(planned 1-1)"
says "a selection says that no drone needs it" '^No drone that is plugged in needs it' cfdfuctl firmware select new
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
holds "a drone on a foreign port is reported" until_true 60 eval '[ "$(outside)" = 2-1.2 ]'
same "a foreign port is no slot" 0 "$(status '[.slots[] | select(.port == "2-1.2")] | length')"
says "status names the foreign port" '1 drone on a port this station does not use: 2-1\.2' cfdfuctl status
timeout 60 cfdfuctl --json watch > "$scratch/watch" 2>&1 &
watcher=$!
holds "watch names the foreign port" until_true 60 jq -es 'any(.station.outside == ["2-1.2"])' "$scratch/watch"
kill $watcher 2> /dev/null
says "doctor names the foreign port" '1 drone on a port this station does not use: 2-1\.2' cfdfuctl doctor
says "plan names the foreign port" '^2-1\.2 .*This station does not use the port' cfdfuctl plan
holds "the journal names the foreign port once" \
	[ "$(grep -c '2-1\.2: a drone on a port that this station does not use' "$log")" = 1 ]
refused "asked for, it is refused with the reason" 'does not use that port' cfdfuctl retry 2-1.2
rack_do unplug 2-1.2 > /dev/null
holds "an empty foreign port is not reported" until_true 60 eval '[ -z "$(outside)" ]'

# ---- drones that a selection or a pause holds back ----------------------------------------------

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
holds "the drone fails again, in DFU mode from the start" until_true 120 has_failed 1-2 2
same "the second failure came before an image was chosen" "" \
	"$(records "SELECT firmware_name FROM attempts WHERE port = '1-2' ORDER BY id DESC LIMIT 1")"
says "the plan does not promise it a turn" "^A2 .* done .*cfdfuctl retry" cfdfuctl plan A2
cfdfuctl firmware select old --for A1 > /dev/null
rack_plug 1-1 "$new" uid=$first
holds "a selection for another slot is flashed there" until_true 60 test_verdict 1-1 pass
same "a selection for one slot starts no failed drone elsewhere" 2 "$(attempts_of 1-2)"
cfdfuctl firmware deselect --for A1 > /dev/null
rack_do unplug 1-2 > /dev/null

cfdfuctl pause > /dev/null
rack_plug 1-3 "$old" uid=550000000A51353432343630
holds "a drone comes while the station is paused" until_true 60 eval '[ "$(status ".slots[] |
	select(.port == \"1-3\").present")" = true ]'
says "a selection says that it waits" "asked what it is when the station is resumed .*: A3" \
	cfdfuctl firmware select new
says "the plan says that it waits for a resume" "^A3 .* wait .*cfdfuctl resume" cfdfuctl plan A3
cfdfuctl resume > /dev/null
holds "after resume it is flashed" until_true 60 test_verdict 1-3 pass
rack_do unplug 1-1 > /dev/null
rack_do unplug 1-3 > /dev/null

# ---- connectors by path when bus numbers change -------------------------------------------------

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
holds "the journal has the label" grep -qE '(^|>)P4 \(1-4\): plugged in' "$log"
same "a controller path is a target" 1-4 "$(cfdfuctl --json status pci-0000:00:14.0-usb-0:4 | jq -r '.slots[].port')"
same "a label by the bus's number" N5 "$(label 1-5)"
same "history accepts a controller path" 1 "$(cfdfuctl --json history --slot pci-0000:00:14.0-usb-0:4 |
	jq -s '[.[] | .attempts? // .] | flatten | length')"
same "the drone of a slot that had none has no history" 0 \
	"$(cfdfuctl --json history --serial N7 | jq -s '[.[] | .attempts? // .] | flatten | length')"
cfdfuctl firmware select old --for pci-0000:00:14.0-usb-0:4 > /dev/null
same "a selection for a controller path is kept as such" "cf2=new pci-0000:00:14.0-usb-0:4=old" "$(in_force)"
holds "the selection for the controller path is in force" until_true 60 eval '[ "$(status ".slots[] |
	select(.port == \"1-4\").version_after")" = 2025.02 ]'
cfdfuctl firmware select new --for P4 > /dev/null
same "a selection for the label replaces the one for the path" "cf2=new pci-0000:00:14.0-usb-0:4=new" "$(in_force)"
cfdfuctl firmware select new --for 1-4 > /dev/null
same "a selection for the port replaces the one for the path" "cf2=new 1-4=new" "$(in_force)"
cfdfuctl firmware deselect --for P4 > /dev/null
holds "both drones are done" until_true 60 good_is 2
rack_add 1-6 "$old" path=pci-0000:00:14.0-usb-0:6 uid=990000000A51353432343630
rack_do fate 1-6 silent at=50 in=dfu > /dev/null
rack_do plug 1-6 > /dev/null
# WHY so long: the conversation with one that falls silent is given up after 37 s.
holds "a port is quarantined" until_true 150 test_state 1-6 quarantined

# The same controllers under other numbers, as after another start of the machine.
sim_stop
sim_start fast --config "$scratch/paths.conf"
rack_plug 1-6 "$new" path=pci-0000:05:00.0-usb-0:6 uid=AA0000000A51353432343630
holds "another connector that gets the port's number is not quarantined" until_true 60 test_state 1-6 ended
holds "the journal says that the bus is another controller" \
	grep -q 'bus 1 is another controller than before (pci-0000:05:00.0, not pci-0000:00:14.0)' "$log"
says "doctor says that the bus is another controller" 'Bus 1 is another controller than before' cfdfuctl doctor
rack_plug 3-6 "$old" path=pci-0000:00:14.0-usb-0:6 uid=BB0000000A51353432343630
holds "the quarantine stays with the connector" until_true 60 test_state 3-6 quarantined
rack_plug 3-4 "$new" path=pci-0000:00:14.0-usb-0:4 uid=CC0000000A51353432343630
holds "a port is configured by its path" until_true 60 good_is 2
same "the label stays with the connector" P4 "$(label 3-4)"
same "the doctor holds patterns against device paths, too" "" \
	"$(cfdfuctl doctor | grep 'matches no port')"
cfdfuctl port release 3-6 > /dev/null
holds "released, it is flashed" until_true 60 test_verdict 3-6 pass
sim_stop
sim_start fast --config "$scratch/paths.conf"
rack_plug 3-6 "$new" path=pci-0000:00:14.0-usb-0:6 uid=BB0000000A51353432343630
holds "the released port stays released" until_true 60 test_state 3-6 ended
