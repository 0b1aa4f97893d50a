#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Status streams and clients without permission: streams of one slot or one drone, calls without
# effect, refusals.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)

# The last rows that a stream has, as "port serial" lines: a full reply replaces all, others add.
rows() # FILE
{
	jq -rs 'reduce .[] as $r ({}; (if $r.full then {} else . end) +
		($r.slots | map({(.port): .serial}) | add // {})) |
		to_entries[] | "\(.key) \(.value)"' "$1"
}

plug_new() # PORT SERIAL
{
	rack_plug "$1" "$new" "serial=$2"
}

printf '[station]\nmax-active = 1\nboot-timeout = 300s\n' > "$scratch/station.conf"
sim_start fast --config "$scratch/station.conf"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null

# ---- a stream of one drone ----------------------------------------------------------------------

rack_plug 1-1 "$new"
holds "a drone with the right image is unchanged" until_true 60 test_verdict 1-1 unchanged
serial=$(status '.slots[] | select(.port == "1-1").serial')
cfdfuctl --json watch "$serial" > "$scratch/watch" &
watch_pid=$!
until_true 10 test -s "$scratch/watch"
same "a watch of one drone shows its row" "1-1 $serial" "$(rows "$scratch/watch")"
rack_do unplug 1-1 > /dev/null
rack_do move 1-1 1-9 > /dev/null
rack_plug 1-1 "$old"
holds "another drone on its slot is flashed" until_true 60 test_verdict 1-1 pass
no_row()
{
	[ -z "$(rows "$scratch/watch")" ]
}
holds "the row disappears from the watch of the other drone" until_true 60 no_row
kill "$watch_pid"

# ---- a reading that comes to nothing ------------------------------------------------------------

rack_plug_lost 1-3 "$old" # and has the only place at work
holds "a drone takes its time" until_true 60 test_state 1-3 booting
cfdfuctl firmware deselect > /dev/null
rack_plug 1-2 "$old"
until_true 60 test_state 1-2 idle
rc=0
timeout 60 cfdfuctl backup 1-2 "$scratch/backup.dfu" > "$scratch/said" 2>&1 &
backup_pid=$!
holds "a backup waits for a permit" until_true 60 test_state 1-2 waiting
rack_do unplug 1-2 > /dev/null
wait "$backup_pid" || rc=$?
within "a backup of a drone that is pulled meanwhile is answered" 1 "$rc" 4
holds "the failed backup says why" grep -qi "unplugged" "$scratch/said"
rack_do power-cycle 1-3 > /dev/null
until_true 60 test_verdict 1-3 pass
cfdfuctl firmware select new > /dev/null
rack_do plug 1-2 > /dev/null
holds "the drone is flashed when it is back" until_true 60 test_verdict 1-2 pass
holds "the slot is not busy for ever" until_true 60 cfdfuctl backup 1-2 "$scratch/backup2.dfu"

# ---- refusals -----------------------------------------------------------------------------------

call() # METHOD PARAMETERS
{
	printf '{"method":"org.cfdfu.Station.%s","parameters":%s}\0' "$1" "$2" |
		socat -t 60 - "UNIX-CONNECT:$CFDFU_SOCKET" | tr -d '\0'
}

holds "a limit below 1 is refused by name" grep -q InvalidParameter \
	<<< "$(call GetHistory '{"limit": -1}')"
chmod 755 "$scratch"
if [ "$(id -u)" != 0 ] || ! chmod 666 "$CFDFU_SOCKET" ||
	! setpriv --reuid 65534 --clear-groups test -r "$scratch"; then
	note "not root, or the directory is closed to others: refusals are left out"
	exit 0
fi
before=$(records "SELECT count(*) FROM act")
for _ in $(seq 30); do
	printf '{"method":"org.cfdfu.Station.Pause","parameters":{}}\0'
done > "$scratch/calls"
chmod 644 "$scratch/calls"
setpriv --reuid 65534 --clear-groups socat -t 60 - "UNIX-CONNECT:$CFDFU_SOCKET" \
	< "$scratch/calls" | tr '\0' '\n' > "$scratch/refused"
same "a client without permission is refused" 30 "$(grep -c NotPermitted "$scratch/refused")"
settle 1
same "the refused pause has no effect" armed "$(status .station.state)"
within "refusals are recorded a limited number of times" 1 \
	$(($(records "SELECT count(*) FROM act") - before)) 20
