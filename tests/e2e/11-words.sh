#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What people say to a station, and what it must not take them to have said: names, slots that do not
# exist, a release of all, waiting for a station that is paused, a narrow terminal.
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

sim_start fast

# ---- names --------------------------------------------------------------------------------------

mkimage --format zip2 "$images/release (1).zip"
exits 0 --json firmware add "$images/release (1).zip"
same "a file's name with blanks makes a name without" release__1_ "$(jq -r .firmware.name "$scratch/said")"
same "each note of a release is a note of its own" 2 "$(jq '.firmware.notes | length' "$scratch/said")"
same "and stays so in the catalogue" 2 \
	"$(cfdfuctl --json firmware show release__1_ | jq '.firmware.notes | length')"
exits 0 firmware add "$new" --name 'the new one (2)'
holds "what to type next is quoted" grep -qF "select 'the new one (2)'" "$scratch/said"
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
same "and taken back however it is said" '[]' "$(status '.station.rules')"
exits 0 firmware select 'the new one (2)' --for 1-99
exits 0 firmware deselect --for 1-99

# ---- waiting for a paused station ---------------------------------------------------------------

cfdfuctl pause > /dev/null
rack_add 1-1 "$old"
rack_add 1-2 "$old" no_dfu_request=yes
rack_do plug 1-1 > /dev/null
rack_do plug 1-2 > /dev/null
until_true 10 present_is 2
exits 5 wait --timeout 1
cfdfuctl resume > /dev/null
exits 1 wait --timeout 60

# ---- a release is no retry ----------------------------------------------------------------------

attempts=$(records 'SELECT count(*) FROM attempts')
exits 0 --json port release --all
same "nothing was set aside, nothing is released" '{"released":[]}' "$(cat "$scratch/said")"
sleep 1
same "and no drone is done again" "$attempts" "$(records 'SELECT count(*) FROM attempts')"

# ---- a narrow terminal --------------------------------------------------------------------------

on_terminal() # COLUMNS COMMAND
{
	script -qec "stty cols $1; $2" /dev/null < /dev/null | tr -d '\r'
}

on_terminal 80 "cfdfuctl --no-color status" > "$scratch/narrow"
holds "in 80 columns each slot has one line" grep -qE '^1-2 .*needs-button +yes$' "$scratch/narrow"
holds "and its message stands below" grep -qE '^1-2: The drone.s firmware is older' "$scratch/narrow"
same "no line of the table is longer" 0 "$(sed -n '/^SLOT/,/^$/p' "$scratch/narrow" |
	awk 'length > 80' | wc -l)"
on_terminal 200 "cfdfuctl --no-color status" > "$scratch/wide"
holds "a wide one has the messages beside them" grep -qE '^1-2 .*needs-button +yes +The drone' \
	"$scratch/wide"
