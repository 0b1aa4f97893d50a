#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A rack of labelled slots as its operator has it: the map, what to do first, a program for each event, the
# bell, labels for the drones, and words for a shell.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)
first=330041000A51353432343630
button='Battery off; plug it in with its button held for 5 s.'
cat > "$scratch/conf" <<CONF
[station]
attempt-deadline = 30min
[slots]
1-1 = A1
1-2 = A2
2-1 = B1
2-2 = B2
[drones]
$first = Ada
[hooks]
lamp = ended idle
CONF
cat > "$scratch/lamp" <<'HOOK'
#!/bin/sh
echo "$CFDFU_EVENT|$CFDFU_LABEL|$CFDFU_NAME|$CFDFU_SERIAL|$CFDFU_VERDICT|$CFDFU_TODO" >> "$0.events"
HOOK
cat > "$scratch/tally" <<'HOOK'
#!/bin/sh
echo "$CFDFU_EVENT $CFDFU_LABEL" >> "$0.events"
HOOK
chmod 755 "$scratch/lamp" "$scratch/tally"
touch "$scratch/lamp.events" "$scratch/tally.events"
sim_start fast --config "$scratch/conf"
cfdfuctl firmware add "$new" --name new > /dev/null

# ---- events ---------------------------------------------------------------------------------------

rung() # the times that the bell has rung
{
	tr -cd '\a' < "$scratch/bell" | wc -c
}

rang_three_times() # or four: it may yet ring for the drone before
{
	[ "$(rung)" -ge $((before + 3)) ]
}

has_worked() # SECONDS
{
	[ $(($(now_ms) - begun)) -gt "${1}000" ]
}

# A drone that is served nothing: both have begun to watch when they show it.
rack_plug 2-2 "$old"
until_true 60 present_is 1
cfdfuctl watch --lines --bell --exec "$scratch/lamp" > "$scratch/lines" 2> "$scratch/bell" &
watch=$!
cfdfuctl --json watch --exec "$scratch/tally" > "$scratch/frames" &
tally=$!
trap 'kill $watch $tally 2> /dev/null; sim_stop' EXIT
holds "both watch" until_true 60 test -s "$scratch/lines" -a -s "$scratch/frames"
rack_do unplug 2-2 > /dev/null
until_true 60 present_is 0
cfdfuctl firmware select new > /dev/null
rack_plug 1-1 "$old" uid=$first
holds "the watch sees the drone" until_true 60 grep -q 'A1 (1-1)' "$scratch/lines"
holds "a program is told of its ending" until_true 60 \
	grep -qF "ended|A1|Ada|$first|pass|" "$scratch/lamp.events"
holds "and that the rack is idle" until_true 60 grep -q '^idle|' "$scratch/lamp.events"
same "it is told of nothing else" '' "$(grep -vE '^(ended|idle)\|' "$scratch/lamp.events")"
before=$(rung) # WHY not 0: on a machine that stood still, that was a long work
rack_plug_held 1-2 "$old"
rack_plug 2-1 "$(image 2021.06 --old)" no_dfu_request=yes
holds "the button's ending says what to do" until_true 60 \
	grep -qE "^ended\|B1\|.*\|needs-button\|$button" "$scratch/lamp.events"
begun=$(now_ms) # WHY not before: a machine may stand still until the rack is seen at work
holds "the rack works for more than five seconds" until_true 60 has_worked 7
rack_do mend 1-2 > /dev/null
holds "a hand is needed: the bell rings three times" until_true 60 rang_three_times
rack_do unplug 1-2 > /dev/null
holds "another program is told of all events" until_true 60 grep -q 'gone A2' "$scratch/tally.events"
same "... in their order" 'plugged A1 started A1 ended A1 ready A1' \
	"$(grep A1 "$scratch/tally.events" | head -n 4 | paste -sd ' ')"
cfdfuctl pause > /dev/null
holds "of a pause, too" until_true 60 grep -q paused "$scratch/tally.events"
cfdfuctl resume > /dev/null
holds "and its end" until_true 60 grep -q resumed "$scratch/tally.events"
kill $watch $tally

# ---- the map --------------------------------------------------------------------------------------

cfdfuctl map > "$scratch/map"
holds "the map has its first row" grep -qE '^A1 PASS.* A2$' "$scratch/map"
holds "and its second" grep -qE '^B1 BUTTON.* B2$' "$scratch/map"
holds "below it is what to do" grep -qxF "B1: $button" "$scratch/map"
says "status ends with it, too" "^B1: $button" cfdfuctl status
same "an answer for programs is the station's" 2 "$(cfdfuctl --json map | jq .station.rack.rows)"

# ---- labels and completion ------------------------------------------------------------------------

rack_do unplug 1-1 > /dev/null
holds "the drone is gone" until_true 60 present_is 1
same "its label is printed all the same" "$first" "$(cfdfuctl label Ada --format qr)"
printf '{name}|{serial}|{label}|{version}|{address}|{channel}' > "$scratch/template"
same "by the user's template" "Ada|$first|A1|2025.12|E7E7E7E7E7|80" \
	"$(cfdfuctl label "$first" --template "$scratch/template")"
says "the printer's own language is the default" '\^FDMA,'"$first" cfdfuctl label Ada
same "a shell is offered slots and drones" 'A1 A2 Ada B1 B2' \
	"$(cfdfuctl __complete retry '' | cut -f1 | LC_ALL=C sort | paste -sd ' ')"
same "and firmware" new "$(cfdfuctl __complete firmware select n)"

# ---- the unit that runs a program at all times ----------------------------------------------------

if command -v systemd-analyze > /dev/null; then
	cp "$(dirname "$(command -v cfdfuctl)")/systemd/cfdfud-hook@.service" "$scratch/cfdfud-hook@lamp.service"
	holds "systemd rates its sandbox 1.5 or better" \
		systemd-analyze security --offline=yes --threshold=15 "$scratch/cfdfud-hook@lamp.service"
else
	note "no systemd-analyze: the sandbox is not rated"
fi
