#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole drone in status, records and log: drones that are flashed alike and differ in all else.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 163840)
log=$scratch/daemon.log

one() # PORT FILTER
{
	status ".slots[] | select(.port == \"$1\") | $2"
}

ready_is() # PORT READY
{
	[ "$(one "$1" .ready)" = "$2" ]
}

rests() # PORT
{
	one "$1" '[.remaining[].what] | join(" ")'
}

of_attempt() # PORT COLUMNS
{
	records "SELECT $2 FROM attempts WHERE port = '$1' AND kind = 'flash' ORDER BY id DESC LIMIT 1"
}

mkdir "$scratch/files"
mkbad --foreign "$scratch/files" > /dev/null
sim_start fast
cfdfuctl firmware add "$scratch/files/release-decks.zip" --name release > "$scratch/add" 2>&1
holds "a release with an nRF51 part is selected" cfdfuctl firmware select release
rack_plug 1-1 "$old" uid=110041000A51353432343630 address=E7E7E7E701
rack_plug 1-2 "$old" uid=220042000A51353432343630 address=E7E7E7E702 nrf=2023.04
rack_plug 1-3 "$old" uid=330043000A51353432343630 address=E7E7E7E703 selftest=imuTest
rack_plug 1-4 "$old" uid=440044000A51353432343630 address=E7E7E7E704 battery=3400
rack_plug 1-5 "$old" uid=550045000A51353432343630 address=E7E7E7E709
rack_plug 1-6 "$old" uid=660046000A51353432343630 address=E7E7E7E709
rack_plug 1-7 "$old" uid=770047000A51353432343630 address=E7E7E7E707 deck=lighthouse-wrong
rack_plug 1-8 "$old" uid=880048000A51353432343630 address=E7E7E7E708 deck=led-old
for n in 1 2 3 4 5 6 7 8; do
	holds "drone $n passes" until_true 60 test_verdict "1-$n" pass
done
holds "one that lacks nothing is ready" until_true 60 ready_is 1-1 yes
for n in 2 3 4 5 6 7 8; do
	holds "drone $n is not ready" until_true 60 ready_is "1-$n" no
done
settle 1
same "nothing remains of the first" "" "$(rests 1-1)"
same "an old nRF51 remains" nrf51 "$(rests 1-2)"
same "its version, and that of the release" "2023.04 2025.12" \
	"$(one 1-2 '"\(.nrf.version) \(.nrf.wanted)"')"
same "a self-test that failed remains" "self-test fail" "$(rests 1-3) $(one 1-3 .selftest)"
same "an empty battery remains" "battery 3400" "$(rests 1-4) $(one 1-4 .battery_mv)"
same "a deck with other firmware remains" "deck bcLighthouse4 needs-update" \
	"$(rests 1-7) $(one 1-7 '.decks[] | "\(.name) \(.state)"')"
same "so does one with older firmware than the release's" "deck bcColorLedBot:col started" \
	"$(rests 1-8) $(one 1-8 '.decks[] | "\(.name) \(.state)"')"
same "one address of two drones remains" "address address" "$(rests 1-5) $(rests 1-6)"
same "the radio configuration is shown" "80 2M E7E7E7E701" \
	"$(one 1-1 '.radio | "\(.channel) \(.rate) \(.address)"')"
same "each is told in a sentence" 0 \
	"$(status '[.slots[].remaining[] | select(.text | length < 10)] | length')"

for n in 1 2 3 4 5 6 7; do
	same "the record of drone $n is what was shown" "$(one "1-$n" '"\(.ready)|\(.nrf.version)"')" \
		"$(of_attempt "1-$n" "ready, nrf_version")"
done
same "all of it comes with the attempt" "$(one 1-3 '{ready, remaining, selftest, radio, crash}')" \
	"$(cfdfuctl --json history --slot 1-3 |
		jq -r '.attempts[0] | {ready, remaining, selftest, radio, crash}')"
same "each drone has one attempt, with one ending" 8 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'pass' AND target = 'stm32'")"

# Attempts on other parts of a drone.
parts() # COLUMNS
{
	records "SELECT $1 FROM attempts WHERE kind IN ('deck', 'eeprom') ORDER BY id"
}
holds "a deck is written" cfdfuctl deck update 1-7 --yes
holds "then its drone is ready" until_true 60 ready_is 1-7 yes
holds "so is one whose version tells that it is old" cfdfuctl deck update 1-8 --yes
holds "then its drone is ready, too" until_true 60 ready_is 1-8 yes
holds "a drone gets an address of its own" cfdfuctl drone set 1-6 --address E7E7E7E706 --yes
holds "then both are ready" until_true 60 eval "ready_is 1-6 yes && ready_is 1-5 yes"
settle 1
same "each of them is an attempt, and says on what" "1-7|deck|deck:bcLighthouse4|pass
1-8|deck|deck:bcColorLedBot:col|pass
1-6|eeprom|eeprom|pass" "$(parts "port, kind, target, verdict")"
same "history has them by their kind" "deck:bcColorLedBot:col deck:bcLighthouse4 eeprom" \
	"$(for kind in deck eeprom; do cfdfuctl --json history --kind $kind; done |
		jq -rs '[.[].attempts[].target] | join(" ")')"
same "the configuration that was replaced is kept" 307842430150020000000000000000e709e7e7e725 \
	"$(cfdfuctl --json history --kind eeprom | jq -r '.attempts[0].radio_before')"
same "the attempts at flashing are ready, too" "yes|E7E7E7E706 yes|E7E7E7E707" \
	"$(for n in 6 7; do
		cfdfuctl --json history --slot 1-$n --kind flash |
			jq -r '.attempts[0] | "\(.ready)|\(.radio.address)"'
	done | paste -sd ' ')"
same "what a slot shows is the flashing" 8 \
	"$(status '[.slots[] | select(.verdict == "pass" and .step == "confirming")] | length')"
same "drones that were flashed are counted once" 8 "$(status .station.counts.pass)"
says "the log says what is left" '^1-2: ready: no\. .*nRF51' cat "$log"
says "and how, by the slot's name" "^1-7: ready: no\. .*'cfdfuctl deck update 1-7'" cat "$log"
says "and what is not" '^1-1: ready: yes$' cat "$log"

asked()
{
	cfdfuctl --json show 220042000A51353432343630 |
		jq -r '.drone | "\(.nrf_version) \(.radio.address) \(.decks | length)"'
}
same "a drone is remembered as it was seen last" "2023.04 E7E7E7E702 0" "$(asked)"
holds "it gets another address" cfdfuctl drone set 1-1 --address E7E7E7E70A --yes
settle 1
same "it is ready again" "yes E7E7E7E70A" "$(one 1-1 '"\(.ready) \(.radio.address)"')"
recorded=$(records "SELECT group_concat(ready, ' ') FROM
	(SELECT json_extract(body, '\$.condition.ready') AS ready FROM record WHERE kind = 'condition'
	AND json_extract(body, '\$.id') = $(of_attempt 1-1 id) ORDER BY seq)")
says "the record did not go on calling it ready meanwhile" 'yes unknown yes$' echo "$recorded"
conditions=$(records "SELECT count(*) FROM record WHERE kind = 'condition'")
sim_stop
records_are_sound "whole drones"
rm "$database" # it is made again from the audit file
sim_start fast
same "it is so when the records were made again" "2023.04 E7E7E7E702 0" "$(asked)"
same "so are the conditions" "$conditions no" "$(records "SELECT count(*) FROM record
	WHERE kind = 'condition'") $(of_attempt 1-2 ready)"
sim_stop

printf '[flash]\npower-cycle = never\n' > "$scratch/cfdfud.conf"
sim_start fast --config "$scratch/cfdfud.conf"
rack_plug 1-1 "$old" uid=880041000A51353432343630 address=E7E7E7E711
holds "without power cycles, a drone that needs none is ready" until_true 60 ready_is 1-1 yes
holds "and gets another address" cfdfuctl drone set 1-1 --address E7E7E7E712 --yes
holds "then it is not" until_true 60 ready_is 1-1 no
settle 1
same "the power cycle is left to hands" power-cycle "$(rests 1-1)"
says "which the record says in words" 'switch it off and on' cfdfuctl --json history --kind flash
rack_do power-cycle 1-1 > /dev/null
holds "after that it is ready" until_true 60 ready_is 1-1 yes
same "with the new address" E7E7E7E712 "$(one 1-1 .radio.address)"
sim_stop
