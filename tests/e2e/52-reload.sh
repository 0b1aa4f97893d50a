#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The configuration, changed while drones are running: the settings in force afterwards.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
other=$(image 2026.01 --size 163840)
config=$scratch/station.conf
log=$scratch/daemon.log

configure() # LINE...
{
	printf '%s\n' "$@" > "$config"
}

# ---- slots with labels, watchers, a long deadline -----------------------------------------------

# 4295 s are more microseconds than 32 bits hold.
configure '[station]' 'ports = 1-1, 1-2, 1-7' 'attempt-deadline = 4295s' 'boot-timeout = 300s' \
	'[slots]' '1-1 = A1' '1-* = row 1' '9-9 = not ours'
: > "$log"
sim_start typical --config "$config"
same "a labelled slot is shown before anything was plugged in" "1-1 A1 absent false" \
	"$(status '.slots[] | "\(.port) \(.label) \(.state) \(.present)"')"
holds "status accepts the label" cfdfuctl status A1
cfdfuctl --json watch > "$scratch/watch" &
watch_pid=$!
until_true 10 test -s "$scratch/watch"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware add "$other" --name other > /dev/null
cfdfuctl firmware select new > /dev/null
holds "a watch shows a selection while nothing is plugged in" \
	until_true 10 grep -q '"name": *"new"' "$scratch/watch"
cfdfuctl pause > /dev/null
holds "a watch shows a pause" until_true 10 grep -q '"paused"' "$scratch/watch"
cfdfuctl resume > /dev/null
kill "$watch_pid"

rack_plug_lost 1-1 "$old"
rack_plug 1-3 "$old"
holds "a drone that was written starts again" until_true 60 test_state 1-1 booting
same "a drone on a foreign port is not shown" "" "$(status '.slots[] | select(.port == "1-3").state')"

# ---- ports --------------------------------------------------------------------------------------

configure '[station]' 'ports = 1-2, 1-3' '[slots]' '1-2 = B2'
holds "the configuration is read again" reload
rack_plug 1-2 "$old" timing=fast
holds "meanwhile another one ends" until_true 60 test_verdict 1-2 pass
same "a running drone on a removed slot goes on" booting \
	"$(status '.slots[] | select(.port == "1-1").state')"
rack_do power-cycle 1-1 > /dev/null
holds "the running drone is finished" until_true 60 test_verdict 1-1 pass
same "the finished drone holds the image" "" "$(flash_is 1-1 "$new" 2>&1)"
holds "a drone on a slot that was added is flashed" until_true 60 test_verdict 1-3 pass
holds "the removed slot is given up" until_true 60 test_state 1-1 absent
same "a new label is in force" B2 "$(status '.slots[] | select(.port == "1-2").label')"
same "labels tell the place in the rack" "2 2 2 2" \
	"$(status '[.station.rack.rows, .station.rack.columns, (.slots[] | select(.port == "1-2") | .row, .column)] | join(" ")')"
same "a slot whose label tells none has none" "null null" \
	"$(status '.slots[] | select(.port == "1-3") | "\(.row) \(.column)"')"
erases=$(counter 1-1 erases)
cfdfuctl firmware select other > /dev/null
holds "another image goes on the station's drones" until_true 60 flash_is 1-3 "$other"
same "a drone on a removed slot is not flashed" "$erases" "$(counter 1-1 erases)"
rack_do unplug 1-1 > /dev/null
rack_do unplug 1-2 > /dev/null
rack_do plug 1-1 > /dev/null
settle 1
same "a drone on a removed slot stays absent when plugged in again" absent "$(status '.slots[] | select(.port == "1-1").state')"

# ---- refused and partly effective configurations ------------------------------------------------

configure '[station]' 'ports = 1-2, 1-3' 'nonsense = 1'
holds "a wrong configuration is read" reload
holds "the wrong configuration is refused with its line" grep -q "station.conf:3: .*nonsense" "$log"
same "the old configuration stays" B2 "$(status '.slots[] | select(.port == "1-2").label')"
cfdfuctl --json watch > "$scratch/watch2" &
watch_pid=$!
until_true 10 test -s "$scratch/watch2"
configure '[station]' 'ports = 1-2, 1-3' 'group = nobody' '[device other]' 'vid = 1234' 'pid = 5678' \
	'[slots]' '1-2 = C2'
holds "a configuration with other devices is read" reload
holds "a watch shows the new label" until_true 10 grep -q '"label": *"C2"' "$scratch/watch2"
kill "$watch_pid"
holds "the log says that devices need a restart" grep -q "\[device\].*restart" "$log"
holds "the log says that the group needs a restart" grep -q "group.*restart" "$log"

# ---- platform rules -----------------------------------------------------------------------------

configure '[station]' 'ports = 1-3, 1-4' '[platforms]' '1-4 = bolt'
holds "a platform rule is read" reload
rack_plug 1-4 "$old"
holds "a drone that contradicts the rule is skipped" until_true 60 test_verdict 1-4 skipped
configure '[station]' 'ports = 1-3, 1-4'
holds "the rule is taken away" reload
holds "without it the drone is flashed" until_true 60 test_verdict 1-4 pass

# ---- the rack, where no label tells it -----------------------------------------------------------

places() # rows and columns of the rack; the place of each slot
{
	status '"\(.station.rack.rows)x\(.station.rack.columns)", (.slots[] | "\(.port)=\(.row),\(.column)")' |
		tr '\n' ' '
}

configure '[station]' 'ports = 1-2, 1-3, 1-10' '[rack]' 'rows = 3' 'columns = 2'
holds "a rack without labels is read" reload
cfdfuctl --json watch > "$scratch/watch" &
watch_pid=$!
holds "a watch shows the rack" until_true 10 grep -q '"rack"' "$scratch/watch"
rack_plug 1-10 "$old"
holds "a further port is known" until_true 60 test_verdict 1-10 pass
same "the ports fill the rack in their order, row by row" "3x2 1-1=1,1 1-2=1,2 1-3=2,1 1-4=2,2 1-10=3,1 " "$(places)"
configure '[station]' 'ports = 1-2, 1-3, 1-10' '[rack]' 'rows = 2' 'columns = 2' 'order = columns'
holds "a smaller one is read" reload
same "or column by column; one that has no room has no place" \
	"2x2 1-1=1,1 1-2=2,1 1-3=1,2 1-4=2,2 1-10=null,null " "$(places)"
kill "$watch_pid"

records_are_sound "reload"

# ---- leaving when there is nothing to do --------------------------------------------------------

configure '[station]' 'ports = 1-3, 1-4' 'idle-exit = 2s'
holds "idle-exit is read" reload
settle 3
holds "with drones plugged in the station stays" kill -0 "$sim_pid"
for n in 1 3 4; do
	rack_do unplug "1-$n" > /dev/null
done
holds "without drones the station exits" until_true 60 is_gone
rc=0
wait "$sim_pid" || rc=$?
same "the exit status is 0" 0 "$rc"
