#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stopping: running drones end, waiting ones are not touched, no client waits for ever.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)
config=$scratch/station.conf
log=$scratch/log
printf '[station]\nmax-active = 1\n' > "$config"

station_start() # typical|fast
{
	CFDFU_SIM_SOCKET=$rack_socket CFDFU_SIM_TIMING=$1 cfdfud-sim --config "$config" \
		--state "$state" --socket "$CFDFU_SOCKET" >> "$log" 2>&1 &
	sim_pid=$!
	trap sim_stop EXIT
	until_true 30 cfdfuctl status && until_true 10 rack_connect && return
	not_ok "the station starts" "$(tail -n 3 "$log")"
	exit 1
}

exit_status()
{
	local rc=0

	wait "$sim_pid" || rc=$?
	echo "$rc"
}

station_start typical
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
rack_plug_held 1-1 "$old"
holds "one drone is being written" until_true 60 test_state 1-1 writing
rack_plug 1-2 "$old"
rack_plug 1-3 "$old"
holds "others wait for a permit" until_true 60 test_state 1-2 waiting
begin_ms=$(now_ms)
kill "$sim_pid"
rack_do mend 1-1 > /dev/null
holds "told to stop, it stops when the running drone has ended" until_true 60 is_gone
note "that took $(($(now_ms) - begin_ms)) ms"
same "its exit status is 0" 0 "$(exit_status)"
same "the running drone has passed" pass "$(records "SELECT verdict FROM attempts WHERE port = '1-1'")"
same "the waiting drones were not touched" 0 \
	"$(records "SELECT count(*) FROM attempts WHERE port <> '1-1'")"
records_are_sound "stop"

# ---- asked to restart ---------------------------------------------------------------------------

is_restarting()
{
	grep -q "restarting; 1 drones are still at work" "$log"
}

station_start typical
rack_plug_held 1-7 "$old"
holds "one drone is being written" until_true 60 test_state 1-7 writing
rack_plug 1-8 "$old"
holds "another waits for a permit" until_true 60 test_state 1-8 waiting
holds "the station can be asked to restart" cfdfuctl restart
holds "it goes on with the running drone" until_true 60 is_restarting
same "it answers meanwhile" writing "$(status '.slots[] | select(.port == "1-7").state')"
holds "asked again, it goes on" cfdfuctl restart
rack_do mend 1-7 > /dev/null
holds "it ends when the running drone has ended" until_true 60 is_gone
same "its exit status asks for another start" 75 "$(exit_status)"
same "the running drone has passed, the waiting one was not touched" "1-7 pass" \
	"$(records "SELECT port || ' ' || verdict FROM attempts WHERE port IN ('1-7', '1-8')")"
station_start typical
rack_plug_held 1-7 "$old"
holds "a drone is being written again" until_true 60 test_state 1-7 writing
: > "$log"
cfdfuctl restart > /dev/null
kill "$sim_pid"
until_true 60 grep -q "stopping; 1 drones are still at work" "$log"
rack_do mend 1-7 > /dev/null
holds "told to stop while restarting, it lets the drone end" until_true 60 is_gone
same "... and is not to be started again" 0 "$(exit_status)"
records_are_sound "restart"

station_start typical
rack_plug_held 1-4 "$old"
holds "a drone is being written" until_true 60 test_state 1-4 writing
cfdfuctl pause > /dev/null
kill "$sim_pid"
until_true 60 grep -q "stopping; 1 drones are still at work" "$log"
before=$(rack_do counters 1-4)
has_moved()
{
	[ "$(rack_do counters 1-4)" != "$before" ]
}
holds "told to stop, it goes on with the drone" \
	until_true 60 has_moved
kill "$sim_pid"
holds "told again, it stops at once" until_true 60 is_gone
same "its exit status is 0" 0 "$(exit_status)"
same "the drone is recorded as interrupted" "interrupted stopped" \
	"$(records "SELECT verdict || ' ' || fault FROM attempts WHERE port = '1-4'")"
records_are_sound "stop at once"

station_start fast
same "a station that was paused is so after a restart" paused "$(status .station.state)"
cfdfuctl resume > /dev/null
rack_plug 1-5 "$old"
holds "the paused station flashes again after resume" until_true 60 test_verdict 1-5 pass
sim_stop
station_start fast
same "an armed station is armed after a restart" armed "$(status .station.state)"
sim_stop

# ---- while a client waits for a backup ----------------------------------------------------------

station_start typical
rack_add 1-6 "$new" control-us=60000
rack_do plug 1-6 > /dev/null
holds "a slow drone is in order" until_true 60 test_verdict 1-6 unchanged
holds "the slow drone has ended" until_true 60 test_state 1-6 ended
cfdfuctl backup 1-6 "$scratch/backup.dfu" --whole > "$scratch/said" 2>&1 &
backup_pid=$!
is_being_read()
{
	! test_state 1-6 ended
}
holds "a drone is being read" until_true 60 is_being_read
# A reading that is recorded already goes on when told to stop: it is told a second time.
said=$(grep -c "still at work" "$log")
is_stopping()
{
	is_gone || [ "$(grep -c "still at work" "$log")" -gt "$said" ]
}
kill "$sim_pid"
until_true 60 is_stopping
kill "$sim_pid" 2> /dev/null
rc=0
wait "$backup_pid" || rc=$?
same "the client that waits for the backup gets an error" 1 "$rc"
holds "the error names the reason" grep -qi "stopped" "$scratch/said"
note "$(tail -n 1 "$scratch/said")"
holds "the station does not wait for a reading" until_true 60 is_gone
