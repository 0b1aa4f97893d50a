#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The brake: a firmware that harms several drones in a row stops the station, with a message, in the
# records, over a restart of the service, until an operator resumes it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 61440)
good=$(image 2025.12 --size 61440)
config=$scratch/station.conf
printf '%s\n' '[station]' 'brake = 3' '[slots]' '1-1 = A1' '1-2 = A2' > "$config"

bad=$(image 2026.01 --size 61440)

contains() # NAME TEXT WORDS
{
	case $2 in
	*"$3"*) ok "$1" ;;
	*) not_ok "$1" "\"$3\" is not in: ${2:0:400}" ;;
	esac
}

version_is() # PORT VERSION
{
	[ "$(status ".slots[] | select(.port == \"$1\").version_after")" = "$2" ]
}

is_paused_by() # operator|brake|null
{
	[ "$(status .station.paused_by)" = "$1" ]
}

attempts() # PORT
{
	records "SELECT count(*) FROM attempts WHERE port = '$1'"
}

message_of() # PORT
{
	status ".slots[] | select(.port == \"$1\").message"
}

# A drone that does not start what it was given.  The uid: a simulator that starts anew would give the
# next drone the serial of the first.
plug_dark() # PORT
{
	rack_add "$1" "$old" "uid=66000${1#*-}000A51353432343630"
	rack_do fate "$1" leave-nothing > /dev/null
	rack_do plug "$1" > /dev/null
	until_true 60 test_verdict "$1" fail
	same "$1 does not start" no-boot "$(status ".slots[] | select(.port == \"$1\").fault")"
}

sim_start fast --config "$config"
cfdfuctl firmware add "$good" --name good > /dev/null
cfdfuctl firmware add "$bad" --name bad > /dev/null
cfdfuctl firmware select bad > /dev/null

plug_dark 1-1
plug_dark 1-2
same "two failures do not stop the station" armed "$(status .station.state)"

# The service is killed between the second and the third: the count goes on.
sim_kill
sim_start fast --config "$config"
plug_dark 1-3
until_true 30 is_paused_by brake
same "the third one stops the station" paused "$(status .station.state)"
words='3 drones in a row did not start with bad (A1, A2, 1-3)'
same "the message says why" "$words" "$(status .station.brake.message)"
contains "status says it to people" "$(cfdfuctl status)" "PAUSED ITSELF: $words"
contains "status says that the firmware is quarantined" "$(cfdfuctl status)" "SET ASIDE"
contains "the log has the reason" "$(cat "$scratch/daemon.log")" "the station has paused itself: $words"
same "the pause is logged once" 1 "$(grep -c 'paused itself' "$scratch/daemon.log")"
same "the brake is recorded as an act" 1 "$(records "SELECT count(*) FROM acts WHERE method = 'Brake' AND user = 'cfdfud'")"
contains "the doctor names the way out" "$(cfdfuctl doctor)" "cfdfuctl resume"

rack_plug 1-4 "$old" uid=660004000A51353432343630
until_true 30 test_state 1-4 idle
same "the fourth drone is not touched" 0 "$(attempts 1-4)"

# Killed again: it is still paused and says why.
sim_kill
sim_start fast --config "$config"
rack_plug 1-4 "$old" uid=660004000A51353432343630
until_true 30 test_state 1-4 idle
same "after a restart it is still paused" brake "$(status .station.paused_by)"
same "after a restart the message still says why" "$words" "$(status .station.brake.message)"
same "no drone was touched meanwhile" 0 "$(attempts 1-4)"

out=$(cfdfuctl resume)
contains "resume says what it resumes from" "$out" "Resumed; the station had paused itself: $words."
contains "resume names the command that releases the firmware" "$out" "cfdfuctl firmware release bad"
same "the station is armed" armed "$(status .station.state)"
said()
{
	[[ $(message_of 1-4) == "Its firmware bad is set aside: 3 drones in a row did not start with it."* ]]
}
until_true 30 said
holds "the drone that waits is told why" said
same "the drone counts as unserved, so that wait does not wait for it" unserved "$(status '.slots[] | select(.port == "1-4").class')"
cfdfuctl retry --force 1-4 > /dev/null
until_true 30 test_state 1-4 idle
same "a forced retry does not release the image" 0 "$(attempts 1-4)"

out=$(cfdfuctl firmware select bad 2>&1)
same "selecting it again is refused" 4 "$?"
contains "with the command that lifts it" "$out" "cfdfuctl firmware release bad"
contains "firmware list shows it" "$(cfdfuctl firmware list)" "SET ASIDE"
contains "firmware show shows it" "$(cfdfuctl firmware show bad)" "3 drones in a row did not start with it"
same "the JSON list marks the image as quarantined" '["bad"]' "$(cfdfuctl --json firmware list | jq -c '[.firmware[] | select(.quarantined) | .name]')"
same "the JSON status marks the selection as quarantined" true "$(status '.station.selected[0].quarantined')"

# Another firmware is all it takes.
cfdfuctl firmware select good > /dev/null
until_true 60 test_verdict 1-4 pass
holds "another firmware goes on at once" test_verdict 1-4 pass

# It was the drones after all, says the operator.
out=$(cfdfuctl firmware release good 2>&1)
same "an image that is not quarantined is not released" 4 "$?"
contains "the refusal says so" "$out" "good is not set aside"
cfdfuctl firmware release bad > /dev/null
same "released, it can be selected" false "$(cfdfuctl firmware select bad > /dev/null && status '.station.selected[0].quarantined')"
holds "the released firmware is flashed" until_true 60 version_is 1-4 2026.01
same "the count has begun anew" armed "$(status .station.state)"
sim_kill
sim_start fast --config "$config"
same "also for the next daemon" armed "$(status .station.state)"

# ---- one power dip ------------------------------------------------------------------------------

cfdfuctl firmware select good > /dev/null
for n in 1 2 3; do
	rack_plug_held "1-8.$n" "$old" "uid=66001${n}000A51353432343630"
done
at_work()
{
	[ "$(status '[.slots[] | select(.port | startswith("1-8.")) | select(.step == "writing")] | length')" = 3 ]
}
until_true 60 at_work
# WHY in one piece: that they go within a second may not depend on how fast three programs start.
printf 'unplug 1-8.%s\n' 1 2 3 | socat -t 60 - "UNIX-CONNECT:$rack_socket" > /dev/null
dip='3 drones of hub 1-8 vanished within 1 s: hub or its supply.'
told()
{
	[ "$(status '.station.notes | join(" ")')" = "$dip" ]
}
holds "three drones that one hub took are told once" until_true 60 told
contains "status says it to people" "$(cfdfuctl status)" "$dip"
contains "each attempt has it" "$(records "SELECT message FROM attempts WHERE port = '1-8.2'")" "$dip"
# The lines of the attempts say it behind their verdict.
same "the journal has a line of its own for it, once" 1 "$(grep -cE "(^|>)$dip" "$scratch/daemon.log")"
same "no port is blamed" 0 "$(sqlite3 "$database" "SELECT count(*) FROM port WHERE failures > 0 AND port LIKE '1-8.%'")"
records_are_sound "brake"
sim_stop
