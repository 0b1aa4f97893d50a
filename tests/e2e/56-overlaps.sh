#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Combinations that failed although each part worked: requests, configurations and faults that
# overlap with a drone that waits, is at work, comes or goes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)
other=$(image 2026.01 --size 61440)
config=$scratch/station.conf
log=$scratch/daemon.log
begun=0

configure() # LINE...
{
	printf '%s\n' '[station]' "$@" > "$config"
}

# A station of its own for each case: nothing is known, nothing selected.
station() # typical|fast LINE...
{
	[ "$begun" = 0 ] || sim_stop
	begun=$((begun + 1))
	state=$scratch/state-$begun
	database=$state/cfdfud.db
	mkdir "$state"
	: > "$log"
	configure "${@:2}"
	sim_start "$1" --config "$config"
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware add "$other" --name other > /dev/null
}

# The drone goes, another one stands on its port.
swap() # PORT AWAY
{
	rack_do unplug "$1" > /dev/null
	rack_do move "$1" "$2" > /dev/null
	rack_plug "$1" "$old"
}

attempts() # PORT
{
	records "SELECT group_concat(firmware_name || ':' || verdict, ' ') FROM attempts
		WHERE port = '$1'"
}

# ---- results of one drone are not those of the next ---------------------------------------------

station fast
cfdfuctl firmware select new > /dev/null
rack_plug 1-1 "$old"
until_true 60 test_verdict 1-1 pass
cfdfuctl firmware deselect > /dev/null
swap 1-1 1-9
until_true 30 test_state 1-1 idle
holds "a second drone is only read" cfdfuctl backup 1-1 "$scratch/b.dfu"
cfdfuctl firmware select new > /dev/null
holds "a new selection is flashed on a drone after a backup of another" \
	until_true 60 flash_is 1-1 "$new"
until_true 60 test_verdict 1-1 pass
cfdfuctl platform set 1-1 bolt > /dev/null
swap 1-1 1-8
holds "a third drone is skipped by a rule" until_true 60 test_verdict 1-1 skipped
cfdfuctl platform set 1-1 none > /dev/null
holds "without the rule the drone is flashed" until_true 60 test_verdict 1-1 pass

# ---- slots that are taken away ------------------------------------------------------------------

station typical 'ports = 1-*'
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old"
until_true 60 test_state 1-1 writing
configure 'ports = 1-2' 'boot-timeout = 300s'
reload
cfdfuctl firmware select other > /dev/null
rack_do mend 1-1 > /dev/null
holds "a slot that was taken away is given up at the end" until_true 60 test_state 1-1 absent
settle 1
same "it was flashed with the image of its beginning" new:pass "$(attempts 1-1)"
rack_plug_lost 1-2 "$old"
until_true 60 test_state 1-2 booting
configure 'ports = 1-1'
reload
swap 1-2 1-9
holds "a removed slot is given up after a swap, too" until_true 60 test_state 1-2 absent
settle 1
same "the drone that was put there is not touched" 0 "$(counter 1-2 reboots writing)"

station fast 'ports = 1-*'
rack_plug 1-1 "$old"
until_true 30 test_state 1-1 idle
cfdfuctl pause > /dev/null
cfdfuctl firmware select new > /dev/null
cfdfuctl retry 1-1 > /dev/null
until_true 30 test_state 1-1 waiting
configure 'ports = 1-2'
reload
holds "a drone that only waits on a slot that is taken away is given up at once" \
	until_true 10 test_state 1-1 absent
cfdfuctl resume > /dev/null
settle 1
same "the waiting drone was not flashed" "" "$(attempts 1-1)"

# ---- selections that change while a drone waits -------------------------------------------------

station fast
rack_plug 1-1 "$old"
rack_plug 1-2 "$old"
until_true 30 test_state 1-1 idle
until_true 30 test_state 1-2 idle
cfdfuctl pause > /dev/null
cfdfuctl firmware select new > /dev/null
cfdfuctl retry 1-1 > /dev/null
until_true 30 test_state 1-1 waiting
cfdfuctl firmware deselect > /dev/null
cfdfuctl resume > /dev/null
settle 1
same "an image deselected during the wait is not written" "" "$(attempts 1-1)"
cfdfuctl pause > /dev/null
cfdfuctl firmware select new > /dev/null
cfdfuctl retry --force 1-2 > /dev/null
until_true 30 test_state 1-2 waiting
cfdfuctl firmware select other > /dev/null
cfdfuctl resume > /dev/null
holds "the image selected instead is written" until_true 60 test_verdict 1-2 pass
same "no other image was written before it" other:pass "$(attempts 1-2)"
cfdfuctl pause > /dev/null
cfdfuctl retry --force 1-2 > /dev/null
until_true 30 test_state 1-2 waiting
cfdfuctl firmware select new > /dev/null # it restarts, and the pause holds it
cfdfuctl retry 1-2 > /dev/null
cfdfuctl resume > /dev/null
until_true 60 test_verdict 1-2 pass
cfdfuctl firmware select other > /dev/null
again()
{
	[ "$(attempts 1-2)" = 'other:pass new:pass other:pass' ]
}
holds "the drone is flashed once per selection" until_true 60 again
same "the last attempt is not marked as requested" "" "$(records "SELECT trim(coalesce(flags, '')) FROM attempt
	WHERE port = '1-2' ORDER BY id DESC LIMIT 1")"

station typical 'adopt = port' 'max-active = 1'
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old"
until_true 60 test_state 1-1 writing
rack_add 1-2 "$old"
rack_do button 1-2 > /dev/null
until_true 30 test_state 1-2 probing
configure 'adopt = never' 'max-active = 1'
reload
rack_do mend 1-1 > /dev/null
until_true 60 test_verdict 1-1 pass
holds "a waiting drone is foreign after adoption was forbidden" \
	until_true 30 test_state 1-2 foreign
same "the foreign drone is not touched" 0 "$(counter 1-2 writing)"

# ---- rules --------------------------------------------------------------------------------------

station fast '[platforms]' '1-1 = flapper'
cfdfuctl firmware select new > /dev/null
rack_plug 1-1 "$old"
until_true 30 test_state 1-1 idle
cfdfuctl platform set 1-1 bolt > /dev/null
cfdfuctl platform set 1-1 none > /dev/null
settle 1
same "a rule of the configuration outlives one of the operator's" "0 " \
	"$(counter 1-1 erases) $(attempts 1-1)"

# ---- while the light is on ----------------------------------------------------------------------

station fast 'quarantine = 1' 'boot-timeout = 300s'
cfdfuctl firmware select new > /dev/null
for n in 1 2; do
	rack_plug_lost "1-$n" "$old" crtp-us=30000
done
for n in 1 2; do
	until_true 60 test_state "1-$n" booting
	rack_do fate "1-$n" silent in=runtime on=bulk-in count=1000 > /dev/null
	rack_do power-cycle "1-$n" > /dev/null
done
failed_both()
{
	[ "$(verdicts fail)" = 2 ]
}
poll=0.02 until_true 90 failed_both
rack_do mend 1-1 > /dev/null
rack_do mend 1-2 > /dev/null
cfdfuctl port release 1-1 > /dev/null
same "a retry of failed drones includes one whose light is still on" 1-2 \
	"$(cfdfuctl --json retry --failed --force | jq -r '.queued | join(" ")')"
holds "the retried drone is flashed" until_true 60 test_verdict 1-2 pass
holds "a drone that is released meanwhile is served, too" until_true 60 test_verdict 1-1 unchanged

# ---- a reset of the port that changes a drone's face --------------------------------------------

station typical
cfdfuctl firmware select new > /dev/null
rack_plug 1-1 "$old" otp= timing=fast
until_true 60 test_verdict 1-1 pass
rack_do unplug 1-1 > /dev/null
until_true 60 present_is 0
cfdfuctl firmware select other > /dev/null
rack_do fate 1-1 disconnect on=reset in=dfu back=500 > /dev/null
rack_do fate 1-1 no-serial at=2 > /dev/null # not when it comes, but when it comes back
rack_do fate 1-1 busy-forever in=dfu on=data at=5 > /dev/null
rack_do button 1-1 > /dev/null
has_ended()
{
	[ -n "$(records 'SELECT verdict FROM attempts WHERE id = 2')" ]
}
holds "a drone that lost its serial by a reset comes to its end" until_true 90 has_ended
holds "the station runs after it" kill -0 "$sim_pid"
note "$(attempts 1-1)"

# ---- a drone without a serial, and a daemon that died -------------------------------------------

station typical
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old" otp= serial=missing
until_true 60 test_state 1-1 writing
rack_do dump 1-1 "$scratch/half" > /dev/null
sim_kill
sim_start typical --config "$config"
for n in 1 2; do
	rack_do add "1-$n" otp= serial=missing > /dev/null
	rack_do load "1-$n" "$scratch/half" 0x08000000 > /dev/null
	rack_do button "1-$n" > /dev/null
done
holds "a half-written drone without a serial is resumed by its port" \
	until_true 60 test_verdict 1-1 needs-power-cycle
holds "the resumed drone is finished" flash_is 1-1 "$new"
same "a similar drone on another port is not touched" "foreign 0" \
	"$(status '.slots[] | select(.port == "1-2").state') $(counter 1-2 writing)"

# ---- a drone that came while the records could not be read --------------------------------------

station typical 'adopt = known'
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old"
until_true 60 test_state 1-1 writing
rack_do unplug 1-1 > /dev/null
until_true 60 test_verdict 1-1 fail
mkdir "$scratch/away"
kill -STOP "$sim_pid" # it is to see all or nothing of it
mv "$database"* "$scratch/away"
mkdir "$database"
kill -CONT "$sim_pid"
rack_add 1-2 "$new" timing=fast
rack_do plug 1-2 > /dev/null # its ending finds out
holds "a missing database is noticed" until_true 70 health_is degraded
rack_do mend 1-1 > /dev/null
rack_do button 1-1 > /dev/null
settle 1
kill -STOP "$sim_pid"
rmdir "$database"
mv "$scratch/away"/* "$state"
kill -CONT "$sim_pid"
holds "the returned database is noticed" until_true 70 health_is ok
holds "a drone that came meanwhile is known again, and finished" \
	until_true 60 test_verdict 1-1 needs-power-cycle
records_are_sound "overlaps"
