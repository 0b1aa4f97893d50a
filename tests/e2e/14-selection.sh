#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which drone is meant, and what is selected for it: every way to name one, one selection for one
# target, what a selection replaces, keeps and begins, and the plan before it.
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
same "one drone's life by the beginning of its serial" $first \
	"$(cfdfuctl --json show 330041000A | jq -r .drone.serial)"
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
refused "an unknown slot" 'no slot or drone' cfdfuctl port release 9-9
holds "and that it names nothing" grep -qE 'ReleasePort .*9-9.*: refused: NoSuchSlot' "$log"
cfdfuctl resume > /dev/null
