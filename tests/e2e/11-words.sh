#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Commands as people type them, and mistakes that must be refused: names, slots that do not exist, a
# release of all, waiting for a station that is paused, a narrow terminal.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)

exits() # STATUS WORDS...
{
	local wanted=$1 rc=0

	shift
	cfdfuctl "$@" > "$scratch/said" 2> "$scratch/complained" < /dev/null || rc=$?
	same "cfdfuctl $*: exit status" "$wanted" "$rc"
}

printf '%s\n' '[station]' 'quarantine = 1' '[slots]' '1-* = row' > "$scratch/conf"
sim_start fast --config "$scratch/conf"

# ---- names --------------------------------------------------------------------------------------

mkimage --format zip2 "$images/release (1).zip"
exits 0 --json firmware add "$images/release (1).zip"
same "a file's name with blanks makes a name without" release__1_ "$(jq -r .firmware.name "$scratch/said")"
same "a note of the release names the part that USB does not install" 1 "$(jq '.firmware.notes | length' "$scratch/said")"
same "the catalogue keeps the note" 1 \
	"$(cfdfuctl --json firmware show release__1_ | jq '.firmware.notes | length')"
exits 0 firmware add "$new" --name 'the new one (2)'
holds "the name in the next command is quoted" grep -qF "select 'the new one (2)'" "$scratch/said"
exits 0 firmware select 'the new one (2)'
same "a name with blanks is selected as it is" 'the new one (2)' "$(status '.station.selected[0].name')"
exits 2 firmware add "$old" --name a/b
mkfifo "$scratch/pipe"
cat "$scratch/pipe" > "$scratch/piped" &
exits 0 firmware make "$scratch/pipe" "$new@$app"
wait $!
holds "a pipe is written to, not replaced" test -p "$scratch/pipe" -a -s "$scratch/piped"

# ---- targets ------------------------------------------------------------------------------------

exits 4 firmware select 'the new one (2)' --for A1
exits 4 platform set nosuch flapper
same "nothing is kept of a slot that does not exist" '[] []' \
	"$(status '.station | "\(.own) \(.rules)"')"
exits 0 platform set 0123456789abcdef01234567 flapper
same "a serial is kept in capitals" 0123456789ABCDEF01234567 "$(status '.station.rules[0].target')"
exits 0 platform set 0123456789ABCDEF01234567 none
same "the serial is accepted in small letters, too" '[]' "$(status '.station.rules')"
exits 0 firmware select 'the new one (2)' --for 1-99
exits 0 firmware deselect --for 1-99
cfdfuctl firmware deselect > /dev/null
exits 0 firmware select 'the new one (2)' --for row
exits 0 platform set row cf2
same "a label stays a label" 'row row' "$(status '.station | "\(.own[0].target) \(.rules[0].target)"')"
rack_add 1-8 "$old"
rack_add 1-9 "$old"
rack_do plug 1-8 > /dev/null
holds "the label selects all slots that carry it" until_true 60 test_verdict 1-8 pass
rack_do plug 1-9 > /dev/null
holds "the label selects slots that come later, too" until_true 60 test_verdict 1-9 pass
exits 0 platform set row none
exits 0 firmware deselect --for row
same "a label's rules are removed by the label" '[] []' "$(status '.station | "\(.own) \(.rules)"')"
exits 0 retry 1-8
holds "a retry without firmware says that none is selected" grep -q "No firmware is selected" "$scratch/said"
cfdfuctl pause > /dev/null
until_true 30 test_state 1-8 idle
exits 0 retry 1-9
holds "a retry under a pause says that the station is paused" grep -q "is paused" "$scratch/said"
exits 0 firmware select 'the new one (2)'
cfdfuctl resume > /dev/null
holds "after resume both drones are served" until_true 30 good_is 2
rack_do unplug 1-8 > /dev/null
rack_do unplug 1-9 > /dev/null
until_true 30 present_is 0

# ---- waiting for a paused station ---------------------------------------------------------------

cfdfuctl pause > /dev/null
rack_add 1-1 "$old"
rack_add 1-2 "$(image 2021.06 --old)" no_dfu_request=yes
rack_do plug 1-1 > /dev/null
rack_do plug 1-2 > /dev/null
until_true 60 present_is 2
exits 5 wait --timeout 1
exits 4 backup 1-1 "$scratch/backup.dfu"
holds "a paused station refuses a backup and says why" grep -q 'is paused' "$scratch/complained"
cfdfuctl resume > /dev/null
exits 1 wait --timeout 60

# ---- a release is no retry ----------------------------------------------------------------------

attempts=$(records 'SELECT count(*) FROM attempts')
exits 0 --json port release --all
same "without a quarantined port nothing is released" '[]' "$(jq -c .released "$scratch/said")"
settle 1
same "no drone is flashed again" "$attempts" "$(records 'SELECT count(*) FROM attempts')"

# ---- a quarantined port -------------------------------------------------------------------------

rack_add 1-3 "$old"
rack_do fate 1-3 silent at=50 in=dfu > /dev/null
rack_do plug 1-3 > /dev/null
# WHY so long: the conversation with one that falls silent is given up after 37 s.
holds "a failure quarantines the port" until_true 150 test_state 1-3 quarantined
same "the message names the exact command" "cfdfuctl port release 1-3" \
	"$(status '.slots[] | select(.port == "1-3").message' | grep -o 'cfdfuctl port release [^.'"'"']*')"
holds "the message says how the quarantine ends" \
	grep -q "port release" <<< "$(status '.slots[] | select(.port == "1-3").message')"
exits 4 retry 1-3
rack_do mend 1-3 > /dev/null
exits 0 --json port release 1-3
same "the port is released" '["1-3"]' "$(jq -c .released "$scratch/said")"
holds "the released drone is flashed again" until_true 60 test_verdict 1-3 pass
same "an ambiguous label is refused" 4 "$(cfdfuctl backup row "$scratch/b.dfu" > /dev/null 2>&1
	echo $?)"

# ---- a narrow terminal --------------------------------------------------------------------------

on_terminal() # COLUMNS COMMAND
{
	script -qec "stty cols $1; $2" /dev/null < /dev/null | tr -d '\r'
}

on_terminal 80 "cfdfuctl --no-color status" > "$scratch/narrow"
holds "in 80 columns each slot has one line" grep -qE '^1-2 .*needs-button +aside$' "$scratch/narrow"
holds "the message is below the table" grep -qE '^row .1-2.: The drone accepts the request' "$scratch/narrow"
same "no line of the table is longer" 0 "$(sed -n '/^SLOT/,/^$/p' "$scratch/narrow" |
	awk 'length > 80' | wc -l)"
on_terminal 200 "cfdfuctl --no-color status" > "$scratch/wide"
holds "a wide terminal shows the messages beside the slots" grep -qE '^1-2 .*needs-button +aside +The drone' \
	"$scratch/wide"
