#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Endings that are no PASS, and a daemon that is killed in mid-flash.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)
bolt=$(image 2025.12 --platform bolt)

verdict_of() # PORT PATTERN NAME
{
	local got

	got=$(status ".slots[] | select(.port == \"$1\") | \"\(.verdict) \(.fault) \(.message)\"")
	holds "$3" grep -qE "$2" <<< "$got"
	note "$3: $got"
}

sim_start fast
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
rack_add 1-1 "$old"
rack_add 1-2 "$(image 2021.06 --old)" no_dfu_request=yes
rack_add 1-3 "$bolt" 'otp=0;CB10'
rack_add 1-4 "$old"
rack_do fate 1-4 silent at=100 in=dfu > /dev/null
rack_do add 1-5 model=other-vcp > /dev/null
rack_do add 1-6 model=other-dfu > /dev/null
for n in 1 2 3 4 5 6; do
	rack_do plug "1-$n" > /dev/null
done
cfdfuctl wait --count 3 --timeout 120 > "$scratch/wait" 2>&1
same "waiting says that a drone failed" 1 $?
verdict_of 1-1 '^pass' "a good drone passes beside the others"
verdict_of 1-2 '^needs-button' "firmware too old to reboot by request needs the button"
verdict_of 1-3 '^(null|skipped)' "a drone without an image for its platform is left alone"
verdict_of 1-4 '^fail silent' "a drone that falls silent fails"
same "another vendor's device got no request beyond enumeration" 0 "$(counter 1-5 beyond_standard)"
same "a foreign DFU device was only read" 0 "$(counter 1-6 writing)"
same "nothing on it was erased" 0 "$(counter 1-6 erases)"
records_are_sound "trouble"

rack_add 1-7 "$old"
# It falls silent in mid-write, so that there is time to look at it.
rack_do fate 1-7 silent at=100 in=dfu > /dev/null
rack_do plug 1-7 > /dev/null
holds "another drone is being written" until_true 60 test_state 1-7 writing
sim_kill
same "the killed daemon left one attempt open" 1 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict IS NULL")"
sim_start fast
same "after the restart none is open" 0 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict IS NULL")"
same "the attempt is recorded as interrupted, once" 1 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'interrupted'")"
same "the selection is still there" new "$(status '.station.selected[0].name')"
