#!/bin/bash
# SPDX-License-Identifier: MIT
# Fit to fly, not only flashed: a rack of sixteen drones, with decks, old nRF51s, a failing self-test, a
# dark switch and one address for two.  After one pass without another command each slot says what is
# so of its drone, the records say the same, and no drone has crashed.  Then each gets an address, and
# a fresh rack goes without power cycles.
# shellcheck disable=SC2016 # what is waited for is looked at anew each time
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=16
old=$(image 2025.02 --size 61440)
mapfile -t all < <(ports 1 $drones)
dark=$(port 10)
seen=$scratch/seen.json
# The rack as it is described, on the ports that this machine has.
sed "s/1-16/$(port 16)/" "$(dirname "$0")/racks/mixed-16" > "$scratch/mixed-16"
mkdir -p "$scratch/files"
mkbad --foreign "$scratch/files" > /dev/null

# Without a right, and with that of the group.
as_reader=(setpriv --reuid 65534 --regid 65534 --clear-groups)
as_member=(setpriv --reuid 65534 --regid 65534 --groups)

fresh_station() # SECTION KEY=VALUE...
{
	station_reset
	station_configure "$@"
	cfdfuctl firmware add "$scratch/files/release-decks.zip" --name release > /dev/null
	holds "a release with parts is selected" cfdfuctl firmware select release
}

fresh_rack()
{
	rack_start fast
	holds "the rack is as it is described" rack_do rack "$scratch/mixed-16" "$old"
}

rack_up() # NAME: all of it is plugged in and looked at
{
	local begin p

	begin=$(now_ms)
	for p in "${all[@]}"; do
		rack_do plug "$p" > /dev/null
	done
	cfdfuctl wait --ready --count $drones --timeout 900 > "$out/whole-$1-wait.txt" 2>&1
	same "$1: not all of the rack are good" 1 $?
	note "$1: all is known of $drones drones after $(($(now_ms) - begin)) ms"
	look "$1"
	cfdfuctl status > "$out/whole-$1.txt"
}

look() # NAME: what there is to be compared
{
	cfdfuctl --json status > "$seen"
	cp "$seen" "$out/whole-$1.json"
}

# A word of each slot, in the order of the rack.
of_each() # JQ-FILTER
{
	jq -r --args '[.slots[] | {(.port): .}] | add as $slot | $ARGS.positional[] |
		. as $port | $slot[$port] | '"$1" "${all[@]}" < "$seen"
}

# Each drone by its number in the rack, with verdict, ready and the rest: "1 pass yes", "7 pass no nrf51".
verdicts_are() # NAME WANTED
{
	same "$1: verdict, ready and remaining of each slot" "$2" \
		"$(of_each '"\(.verdict) \(.ready) \([.remaining[].what] | join(","))"' |
			sed 's/ $//' | nl -w1 -s' ')"
	same "$1: each of what remains is told in a sentence" 0 \
		"$(of_each '.remaining[] | select(.text | test("^[A-Z].{10,}\\.$") | not)' | grep -c .)"
}

recorded() # of each drone's last flashing
{
	local p

	for p in "${all[@]}"; do
		records "SELECT port, verdict, ready, nrf_version, target, path, length(uuid)
			FROM attempts WHERE port = '$p' AND kind = 'flash' ORDER BY id DESC LIMIT 1"
	done
}

recorded_is() # ROWS
{
	[ "$(recorded)" = "$1" ]
}

# The records of the flashings against what the slots show.  A condition is durable in its second.
records_agree() # NAME
{
	local p shown

	shown=$(of_each '"\(.port)|\(.verdict)|\(.ready)|\(.nrf.version // "")|stm32|usb|36"')
	until_true 60 recorded_is "$shown"
	same "$1: the records of all drones are what was shown" "$shown" "$(recorded)"
	same "$1: what remains is in the records, too" "$(of_each '[.remaining[].what]' | jq -c .)" \
		"$(for p in "${all[@]}"; do
			cfdfuctl --json history --slot "$p" --kind flash |
				jq -c '[.attempts[0].remaining[].what]'
		done)"
	same "$1: each attempt has a key of its own" 0 \
		"$(records "SELECT count(*) - count(DISTINCT uuid) FROM attempts")"
	records_are_sound "$1"
}

# The counters of each simulated drone, as words.
counted() # JQ-FILTER
{
	local p

	for p in "${all[@]}"; do
		rack_do counters "$p" | jq -c "$1"
	done
}

all_say() # TEXT
{
	seq $drones | sed "s/.*/$1/"
}

unharmed() # NAME
{
	same "$1: none has crashed by what was asked" "$(all_say '[0,0,0]')" \
		"$(counted .asserts)"
	same "$1: nothing was written but applications" "$(all_say 0)" \
		"$(counted '.outside_writes + .outside_erases + .mass_erases + .unprotects +
			.option_writes + .otp_writes')"
}

decks_are() # FIRST LAST: what they really do
{
	local p

	for p in $(ports "$1" "$2"); do
		rack_do decks "$p"
	done | sed 's/.* //' | sort -u | tr '\n' ' '
}

# The last byte of each drone's radio address, as its EEPROM has it, and whether all is as usual.
addresses()
{
	local p

	for p in "${all[@]}"; do
		rack_do radio "$p"
	done | sed 's/^80 2M E7E7E7E7//' | tr '\n' ' '
}

is_ready() # PORT
{
	[ "$(status ".slots[] | select(.port == \"$1\" and (.checking | not)).ready")" = yes ]
}

# Of a drone: what remains, and the sentences of it.
rest_of() # PORT
{
	jq -r ".slots[] | select(.port == \"$1\").remaining[].text" < "$seen"
}

getent passwd cfdfud > /dev/null || station_install
as_member+=("$(getent group cfdfu | cut -d: -f3)")

# ---- one pass -----------------------------------------------------------------------------------

fresh_station decks 'update = yes'
fresh_rack
rack_up "one pass"
verdicts_are "one pass" "1 pass yes
2 pass yes
3 pass yes
4 pass yes
5 pass yes
6 pass yes
7 pass no nrf51
8 pass no nrf51
9 pass no self-test
10 fail no
11 pass no address
12 pass no address
13 pass yes
14 pass yes
15 pass yes
16 pass yes"
records_agree "one pass"
unharmed "one pass"
same "the Lighthouse decks are started" "bcLighthouse4 started" \
	"$(of_each '.decks[] | "\(.name) \(.state)"' | grep Lighthouse | sort -u)"
same "and run, all of the first six" "runs " "$(decks_are 1 6)"
same "each deck that wanted it was written once" "$(ports 1 4 | sed 's/$/|deck:bcLighthouse4|pass/')
$(port 6)|deck:bcColorLedBot:col|pass" \
	"$(records "SELECT port, target, verdict FROM attempts WHERE kind = 'deck' ORDER BY port")"
same "power was switched for those alone" "1 1 1 1 0 1 0 0 0 0 0 0 0 0 0 0 " \
	"$(counted .vcc_cycles | tr '\n' ' ')"
same "those that are flashed run the new firmware, the dark one does not run" "15 2025.12" \
	"$(rack_do list | awk '$2 == "runtime" { print $4 }' | sort | uniq -c | sed 's/^ *//')"
same "the dark one is named" dark "$(status ".slots[] | select(.port == \"$dark\").fault")"
says "in words that say what to do" 'power button, or unplug it' \
	status ".slots[] | select(.port == \"$dark\").message"
rack_do unplug "$dark" > /dev/null
rack_do plug "$dark" > /dev/null
holds "plugged in anew it is flashed, and ready" until_true 300 is_ready "$dark"
unharmed "the dark one"

# ---- who may ------------------------------------------------------------------------------------

says "a user without rights may list the drones" "^ +[0-9A-F]{24} +$(port 7) +NOT READY .* nrf51$" \
	"${as_reader[@]}" cfdfuctl drone list
says "and the decks" "^$(port 6) +[0-9A-F]{24} bcColorLedBot:col +[0-9.]+ +[0-9.]+ +started" \
	"${as_reader[@]}" cfdfuctl deck list
same "a list has what the station knows" "7 16" \
	"$("${as_reader[@]}" cfdfuctl --json deck list | jq '[.decks[]?] | length') $(
		"${as_reader[@]}" cfdfuctl --json drone list | jq '.drones | length')"
for words in "identify $(port 1)" "drone assign --base E7E7E7E701 --yes" \
	"drone set $(port 1) --name Ada"; do
	# shellcheck disable=SC2086 # words are wanted
	says "a user without rights may not: cfdfuctl $words" 'group cfdfu' "${as_reader[@]}" cfdfuctl $words
done
lights=$(rack_do counters "$(port 13)" | jq '.lights_good + .lights_bad')
holds "the group may have a light" "${as_member[@]}" cfdfuctl identify "$(port 13)"
holds "which is seen" until_true 60 eval \
	'[ "$(rack_do counters "$(port 13)" | jq ".lights_good + .lights_bad")" -gt '"$lights"' ]'

# ---- addresses ----------------------------------------------------------------------------------

says "an assignment is only shown" "^$(port 12) .*E7E7E7E70B -> 80 2M E7E7E7E70C" \
	"${as_member[@]}" cfdfuctl drone assign --base E7E7E7E701
says "with the word it is written" "^pass $(port 12): " \
	"${as_member[@]}" cfdfuctl drone assign --base E7E7E7E701 --yes
holds "one of the two with one address is ready" until_true 300 is_ready "$(port 11)"
holds "and the other, too" until_true 300 is_ready "$(port 12)"
same "each has its own" "01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 " "$(addresses)"
"${as_member[@]}" cfdfuctl drone assign --base E7E7E7E721 --yes > "$out/whole-assign.txt" 2>&1
same "all of them get another" 0 $?
cfdfuctl wait --ready --count $drones --timeout 900 > "$out/whole-assign-wait.txt" 2>&1
same "some are not ready after that" 1 $?
look addresses
verdicts_are "addresses" "1 pass yes
2 pass yes
3 pass yes
4 pass yes
5 pass yes
6 pass yes
7 pass no power-cycle,nrf51
8 pass no power-cycle,nrf51
9 pass no self-test
10 pass yes
11 pass yes
12 pass yes
13 pass yes
14 pass yes
15 pass yes
16 pass yes"
records_agree "addresses"
same "each that could start anew has it" "21 22 23 24 25 26 07 08 29 2A 2B 2C 2D 2E 2F 30 " \
	"$(addresses)"
holds "the others wait for hands" grep -q 'new radio configuration counts .*switch it off and on' \
	<<< "$(rest_of "$(port 7)")"
rack_do power-cycle "$(port 7)" > /dev/null
holds "by hand it is in force" until_true 300 eval '[ "$(status ".slots[] |
	select(.port == \"$(port 7)\" and (.checking | not)) | \"\(.radio.address)\" +
	([.remaining[].what] | join(\" \"))")" = E7E7E7E727nrf51 ]'
unharmed "addresses"

# ---- without power cycles -----------------------------------------------------------------------

rack_stop
fresh_station decks 'update = yes' '[flash]' 'power-cycle = never'
fresh_rack
rack_up never
verdicts_are "never" "1 pass no power-cycle
2 pass no power-cycle
3 pass no power-cycle
4 pass no power-cycle
5 pass yes
6 pass no power-cycle
7 pass no nrf51
8 pass no nrf51
9 pass no self-test
10 fail no
11 pass no address
12 pass no address
13 pass yes
14 pass yes
15 pass yes
16 pass yes"
records_agree "never"
unharmed "never"
same "never: no power was switched" "$(all_say 0)" "$(counted .vcc_cycles)"
for p in $(ports 1 4) $(port 6); do
	same "never: $p says what to do" \
		"Its deck's new firmware runs from its next start: unplug it, then switch it off and on." "$(rest_of "$p")"
done
# Not the Lighthouse decks: their drones are compared again, and the switch to DFU mode stops them.
rack_do power-cycle "$(port 6)" > /dev/null
holds "never: $(port 6) is ready when that was done" until_true 300 is_ready "$(port 6)"
same "never: no deck was written twice" "5 5" "$(records "SELECT count(*) || ' ' ||
	count(DISTINCT serial) FROM attempts WHERE kind = 'deck' AND verdict = 'pass'")"
journalctl -u cfdfud.service --no-pager > "$out/whole-journal.txt"
