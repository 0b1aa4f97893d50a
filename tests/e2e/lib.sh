# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the scripts use what is set here
# Shared by the end-to-end scripts: each has a station of its own, on simulated drones.
# Expects the build first in PATH and a directory in the variable scratch.

scratch=${scratch:?}
images=$scratch/images
state=$scratch/state
rack_socket=$scratch/rack.sock
database=$state/cfdfud.db
export CFDFU_SOCKET=$scratch/control
mkdir -p "$images" "$state"
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

test_verdict() # PORT VERDICT
{
	[ "$(status ".slots[] | select(.port == \"$1\").verdict")" = "$2" ]
}

test_state() # PORT STATE
{
	[ "$(status ".slots[] | select(.port == \"$1\").state")" = "$2" ]
}

health_is() # HEALTH
{
	[ "$(status .station.health)" = "$1" ]
}

is_gone()
{
	! kill -0 "$sim_pid" 2> /dev/null
}

sim_start() # typical|fast [OPTION-OF-CFDFUD...]
{
	CFDFU_SIM_SOCKET=$rack_socket CFDFU_SIM_TIMING=$1 cfdfud-sim \
		--state "$state" --socket "$CFDFU_SOCKET" "${@:2}" >> "$scratch/daemon.log" 2>&1 &
	sim_pid=$!
	trap sim_stop EXIT
	until_true 60 cfdfuctl status && return
	not_ok "the station starts" "$(tail -n 3 "$scratch/daemon.log")"
	exit 1
}

# Waits until the station and its drones are idle, with nothing about to happen: what did
# not happen by then is not going to.
settle() # SECONDS in a row
{
	rack_do settle "$1" > /dev/null || not_ok "the station becomes quiet" "it does not"
}

# The whole process, as if the computer did.
stand_still() # SECONDS
{
	kill -STOP "$sim_pid"
	sleep "$1" # TIME: of the world outside, which goes on
	kill -CONT "$sim_pid"
}

sim_stop()
{
	kill "$sim_pid" 2> /dev/null
	wait "$sim_pid" 2> /dev/null
}

sim_kill()
{
	kill -KILL "$sim_pid"
	wait "$sim_pid" 2> /dev/null
}

# Has the station read its configuration again; it says so, or why not, in the file named by log.
reload()
{
	local before

	before=$(grep -cE 'configuration (reloaded|is refused)' "${log:?}")
	kill -HUP "$sim_pid"
	until_true 30 eval "[ \$(grep -cE 'configuration (reloaded|is refused)' $log) -gt $before ]"
}
