#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The truth table of wait: each row of the manual page's "Exit status of wait" is set up on simulated
# drones and run for real, in text and in JSON at once.  A row without a set-up here, and a set-up
# without a row, fail.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

manual=$(dirname "$0")/../../client/cfdfuctl.1
old=$(image 2025.02)
new=$(image 2025.12)
bolt=$(image 2025.12 --platform bolt)
seconds=60 # of a wait that is to end by itself; none: it has to end at once
brief=2	    # of one that is to time out

# The rows as "situation|counts|exit|words".
rows()
{
	awk '/^\.Ss Exit status of wait/ { on = 1 }
		/^\.El/ { on = 0 }
		on && sub(/^\.It "/, "") { sub(/"$/, ""); situation = $0; next }
		on && situation != "" { gsub(/ \| /, "|"); print situation "|" $0; situation = "" }' \
		"$manual"
}

# ---- set-ups ------------------------------------------------------------------------------------

# The station of a row: a state of its own, with the image selected.
station() # [LINE-OF-CONFIGURATION...]
{
	rm -rf "$state"
	cp -a "$scratch/template" "$state"
	printf '%s\n' '[station]' 'boot-timeout = 15s' "$@" '[slots]' '1-1 = A1' '1-2 = A2' '1-3 = A3' \
		> "$scratch/conf"
	sim_start fast --config "$scratch/conf"
}

plug_failing() # PORT
{
	rack_add "$1" "$old" && rack_do fate "$1" status at=15 on=data count=1000 > /dev/null &&
		rack_do plug "$1" > /dev/null
}

failed_is() # COUNT
{
	[ "$(status .station.counts.failed)" = "$1" ]
}

counted() # COUNTER
{
	[ "$(status ".station.counts.$1")" -gt 0 ]
}

gone() # PORT
{
	[ "$(status ".slots[] | select(.port == \"$1\").present")" = false ]
}

# The station has seen the device on the port; true from then on, also between two modes.
seen() # PORT
{
	[ "$(status ".slots[] | select(.port == \"$1\").state")" != absent ]
}

unplug() # PORT
{
	rack_do unplug "$1" > /dev/null
	until_true 30 gone "$1"
}

# Starts both waits; what is done after this happens while they wait, or before: what depends on that
# asks heard().
begin() # [OPTION-OF-WAIT...]
{
	# WHY here: the output of the row before is not taken for that of these.
	: > "$scratch/text"
	: > "$scratch/json"
	cfdfuctl wait "$@" > "$scratch/text" 2> "$scratch/words" &
	text_pid=$!
	cfdfuctl --json wait "$@" > "$scratch/json" 2> "$scratch/json-words" &
	json_pid=$!
}

# Both waits have printed the endings that there were when they began.
heard() # COUNT
{
	[ "$(wc -l < "$scratch/text")" -ge "$1" ] && [ "$(wc -l < "$scratch/json")" -ge "$1" ]
}

# A drone at work that holds the waits up, until it is mended.
hold() # PORT
{
	rack_plug_held "$1" "$old"
	until_true 60 test_state "$1" writing
}

set_up() # SITUATION; false: it has none
{
	case $1 in
	'nothing is plugged in')
		station
		begin
		;;
	'nothing comes, with --timeout')
		station
		begin --timeout 1
		;;
	'nothing comes, with --count 2 and --timeout')
		station
		begin --count 2 --timeout 1
		;;
	'it passes')
		station
		begin --count 1 --timeout $seconds
		rack_plug 1-1 "$old"
		;;
	'it holds the image already')
		station
		rack_plug 1-1 "$new"
		begin --timeout $seconds
		;;
	'it had passed before')
		station
		rack_plug 1-1 "$old"
		until_true 60 test_verdict 1-1 pass
		begin
		;;
	'it had passed before and is gone')
		station
		rack_plug 1-1 "$old"
		until_true 60 test_verdict 1-1 pass
		unplug 1-1
		begin
		;;
	'it passes and is taken away, another passes')
		station
		hold 1-2
		rack_plug 1-1 "$old"
		begin --timeout $seconds
		until_true 60 heard 1
		unplug 1-1
		rack_do mend 1-2 > /dev/null
		;;
	'one of two passes, with --count 1')
		station
		hold 1-2
		rack_plug 1-1 "$old"
		begin --count 1 --timeout $seconds
		;;
	'it fails')
		station
		plug_failing 1-1
		begin --timeout $seconds
		;;
	'it fails and is taken away, another passes')
		station
		hold 1-2
		plug_failing 1-1
		begin --timeout $seconds
		until_true 60 heard 1
		unplug 1-1
		rack_do mend 1-2 > /dev/null
		;;
	'it fails, its place is taken by one that passes')
		station
		plug_failing 1-1
		begin --count 2 --timeout $seconds
		until_true 60 heard 1
		unplug 1-1
		rack_do move 1-1 1-9 > /dev/null
		rack_plug 1-1 "$old" uid=112233445566778899AABBCC
		;;
	'one has passed, another is unplugged in mid-write')
		station
		rack_plug 1-2 "$old"
		until_true 60 test_verdict 1-2 pass
		hold 1-1
		begin --timeout $seconds
		until_true 60 heard 1
		rack_do unplug 1-1 > /dev/null
		;;
	'it had failed before')
		station
		plug_failing 1-1
		until_true 60 test_verdict 1-1 fail
		begin
		;;
	'it had failed before and is gone')
		station
		plug_failing 1-1
		until_true 60 test_verdict 1-1 fail
		unplug 1-1
		begin
		;;
	'one had failed before and is gone, another passes')
		station
		plug_failing 1-1
		until_true 60 test_verdict 1-1 fail
		unplug 1-1
		rack_plug 1-2 "$old"
		begin --count 1 --timeout $seconds
		;;
	'it fails, is tried again, and passes')
		station
		hold 1-2
		plug_failing 1-1
		begin --timeout $seconds
		until_true 60 heard 1
		rack_do mend 1-1 > /dev/null
		cfdfuctl retry A1 > /dev/null
		until_true 60 heard 2
		rack_do mend 1-2 > /dev/null
		;;
	'it needs the button')
		station
		rack_plug 1-1 "$(image 2021.06 --old)" no_dfu_request=yes
		begin --timeout $seconds
		;;
	'it needs a power cycle')
		station
		rack_add 1-1 "$old"
		rack_do button 1-1 > /dev/null
		begin --timeout $seconds
		;;
	'it needs a power cycle, has it, and passes')
		station
		hold 1-2
		rack_add 1-1 "$old"
		rack_do button 1-1 > /dev/null
		begin --timeout $seconds
		until_true 60 heard 1
		rack_do power-cycle 1-1 > /dev/null
		until_true 60 heard 2
		rack_do mend 1-2 > /dev/null
		;;
	'firmware and drone disagree on the platform')
		station
		cfdfuctl firmware select new --for A1 > /dev/null
		rack_plug 1-1 "$bolt" 'otp=0;CB10'
		begin --timeout $seconds
		;;
	'there is no firmware for it')
		station
		rack_plug 1-1 "$bolt" 'otp=0;CB10'
		begin --timeout $seconds
		;;
	'no firmware is selected')
		station
		cfdfuctl firmware deselect > /dev/null
		rack_plug 1-1 "$old"
		begin --timeout $seconds
		;;
	'it is no Crazyflie')
		station
		rack_do add 1-1 model=other-dfu > /dev/null
		rack_do plug 1-1 > /dev/null
		begin --timeout $seconds
		;;
	'one is no Crazyflie, another passes')
		station
		rack_do add 1-1 model=other-dfu > /dev/null
		rack_do plug 1-1 > /dev/null
		rack_plug 1-2 "$old"
		until_true 60 seen 1-2
		begin --timeout $seconds
		;;
	'its port is quarantined, another passes')
		station 'quarantine = 1'
		plug_failing 1-1
		until_true 60 counted quarantined
		unplug 1-1
		rack_do move 1-1 1-9 > /dev/null
		rack_plug 1-1 "$old" uid=112233445566778899AABBCC
		rack_plug 1-2 "$old"
		until_true 60 counted quarantined
		begin --count 1 --timeout $seconds
		;;
	'failing it is quarantined')
		station 'quarantine = 1'
		plug_failing 1-1
		begin --timeout $seconds
		;;
	'the station is paused, with --timeout')
		station
		cfdfuctl pause > /dev/null
		rack_plug 1-1 "$old"
		until_true 30 present_is 1
		begin --timeout $brief
		;;
	'the station is degraded, with --timeout')
		station 'free-space-floor = 900000G'
		rack_plug 1-1 "$old"
		until_true 30 present_is 1
		until_true 30 health_is degraded
		until_true 30 counted active
		begin --timeout $brief
		;;
	'it is still at work, with --timeout')
		station
		hold 1-1
		begin --timeout $brief
		;;
	'one passes, one is at work, with --count 3 and --timeout')
		station
		hold 1-2
		rack_plug 1-1 "$old"
		until_true 60 test_verdict 1-1 pass
		begin --count 3 --timeout $brief
		;;
	'it is between two modes')
		station
		rack_plug 1-1 "$old" gap=3000-3000
		until_true 60 eval 'rack_do list | grep -q "^1-1 absent"'
		begin --timeout $seconds
		;;
	'the service is not running')
		begin --timeout $seconds
		;;
	'the service is killed in mid-flash and comes back, with --count 3')
		station
		rack_plug 1-2 "$old"
		until_true 60 test_verdict 1-2 pass
		hold 1-1
		begin --count 3 --timeout $seconds
		until_true 60 heard 1
		sim_kill
		sim_start fast --config "$scratch/conf"
		rack_plug 1-1 "$old"
		until_true 60 heard 2
		rack_plug 1-2 "$new"
		until_true 60 heard 3
		rack_plug 1-3 "$old"
		;;
	'the service is killed and stays away, with --timeout')
		station
		rack_plug 1-2 "$old"
		until_true 60 test_verdict 1-2 pass
		hold 1-1
		begin --timeout $brief
		until_true 60 heard 1
		sim_kill
		;;
	*)
		return 1
		;;
	esac
	return 0
}

# ---- results ------------------------------------------------------------------------------------

counts_are() # SITUATION COUNTS
{
	local number key

	[ "$2" != none ] || return 0
	while read -r number key; do
		same "$1: status counts $number $key" "$number" "$(status ".station.counts.$key")"
	done <<< "${2//, /$'\n'}"
}

# Each list of the summary has the slots that the sentences name, and the other way round.
json_agrees() # SITUATION EXIT
{
	local summary list heading names line

	summary=$(tail -n 1 "$scratch/json" | tr -d "\0")
	same "$1: the summary has the exit status" "$2" "$(jq .exit <<< "$summary")"
	for list in 'failed:failed' 'quarantined:quarantined' 'foreign:foreign, left alone' \
		'unserved:left alone, there is no firmware for them' \
		'skipped:skipped, left as they were' 'missing:not ended' \
		'needs_power_cycle:power-cycle these (they have not been seen to start)'; do
		heading=${list#*:}
		names=$(jq -r ".${list%%:*}[].name" <<< "$summary")
		line=$(grep -F "$heading: " "$scratch/words" | grep "^$heading: " || true)
		line=$(sed 's/([^)]*)//g; s/^[^:]*: //; s/ *, */\n/g; s/ *$//' <<< "$line")
		same "$1: text and JSON have the same list of ${list%%:*}" "$names" "$line"
	done
	same "$1: and the same endings" "$(wc -l < "$scratch/text")" \
		"$(($(wc -l < "$scratch/json") - 1))"
}

run_row() # SITUATION COUNTS EXIT WORDS
{
	local text_rc=0 json_rc=0

	if ! set_up "$1"; then
		not_ok "$1" "the table has it, and this test cannot set it up"
		sim_kill 2> /dev/null || :
		return
	fi
	wait "$text_pid" || text_rc=$?
	wait "$json_pid" || json_rc=$?
	same "$1: wait gives" "$3" "$text_rc"
	same "$1: with --json, too" "$3" "$json_rc"
	holds "$1: it says so" grep -qF -e "$4" "$scratch/words"
	[ "$3" -eq 3 ] || json_agrees "$1" "$3"
	counts_are "$1" "$2"
	# WHY killed: a stopping service waits for running drones.
	sim_kill 2> /dev/null || :
}

sim_start fast
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
sim_stop
cp -a "$state" "$scratch/template"
rows > "$scratch/rows"
within "the manual has a table of some size" 20 "$(wc -l < "$scratch/rows")" 100
same "no situation stands in it twice" '' "$(cut -d'|' -f1 "$scratch/rows" | sort | uniq -d)"
same "each set-up has its row" '' "$(sed -n "s/^\t'\(.*\)')\$/\1/p" "$0" |
	grep -vxF -f <(cut -d'|' -f1 "$scratch/rows"))"
only=${WAIT_ROW:-}
while IFS='|' read -r situation counts status_wanted words <&3; do
	case $situation in
	*"$only"*) run_row "$situation" "$counts" "$status_wanted" "$words" ;;
	esac
done 3< "$scratch/rows"
