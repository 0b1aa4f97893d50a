#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients that want all of the service's time, while a rack is flashed: the drones come first, and
# a client with few requests gets replies, too.  Judged by counts, not by times.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8
old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)

flood_pid=
flood_end()
{
	[ -z "$flood_pid" ] || kill "$flood_pid" 2> /dev/null
	wait "$flood_pid" 2> /dev/null
	flood_pid=
}

loop() # MEMBER
{
	cfdfuctl --json doctor | jq -r ".loop.$1"
}

bytes_read()
{
	sed -n 's/^rchar: //p' "/proc/$sim_pid/io"
}

elements() # NAME
{
	cfdfuctl --json firmware show "$1" | jq -c '[.elements[].bytes]'
}

sim_start typical
trap 'flood_end; sim_stop' EXIT
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null

# ---- a rack under a flood -----------------------------------------------------------------------

# Six connections: of those that one user has, some are left for the modest.
flood "$CFDFU_SOCKET" 6 > "$scratch/flood" &
flood_pid=$!
for n in $(seq $drones); do
	rack_plug "1-$n" "$old"
done
holds "all drones are flashed under a flood of questions" until_true 120 good_is $drones
holds "a client with few requests is answered" cfdfuctl status
holds "a change by another client is answered" cfdfuctl pause
flood_end
note "$(cat "$scratch/flood")"
holds "the flooding clients get replies, too" grep -q 'heard [1-9]' "$scratch/flood"
within "few requests are answered between two looks at the devices" 2 \
	"$(loop requests_in_a_turn)" 16
same "no attempt was disturbed" "$drones" \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'pass' AND transfers > 0")"
note "the longest gap of the event loop: $(loop longest_gap_us) us ($(loop cause))"
holds "the doctor tells of the loop" grep -q 'longest time without a look at the drones was [0-9]* ms' \
	<<< "$(cfdfuctl doctor)"
cfdfuctl resume > /dev/null

# ---- oneway -------------------------------------------------------------------------------------

# One that changes something is done; those that only look are not, and the next one is answered.
oneway() # REQUEST...
{
	printf '%s\0' "$@" | timeout 60 socat -t 30 - "UNIX-CONNECT:$CFDFU_SOCKET" | tr '\0' '\n'
}
station=org.cfdfu.Station
same "oneway questions and a watch have no answer and no place" \
	'{"parameters":{"health":"ok"}}' \
	"$(oneway "{\"method\":\"$station.GetHistory\",\"oneway\":true}" \
		"{\"method\":\"$station.Watch\",\"oneway\":true,\"more\":true}" \
		"{\"method\":\"$station.GetHealth\"}" |
		jq -c '{parameters: {health: .parameters.health}}')"
oneway "{\"method\":\"$station.Pause\",\"oneway\":true}" > "$scratch/said"
holds "a oneway act is done" test "$(status .station.state)" = paused
same "a oneway act has no reply" "" "$(cat "$scratch/said")"

# ---- an image is judged once --------------------------------------------------------------------

file=$(ls "$state"/firmware/*.dfu)
size=$(stat -c %s "$file")
same "the elements of an image are listed" "[61440]" "$(elements new)"
# WHY tried again: the service reads other things meanwhile; a file that is read at each question is
# always more.
reads_little()
{
	local before

	before=$(bytes_read)
	elements new > /dev/null
	elements new > /dev/null
	elements new > /dev/null
	[ $(($(bytes_read) - before)) -lt "$size" ]
}
holds "the image's file is not read again at each request" until_true 60 reads_little
cp "$file" "$scratch/kept"
tr '\0' '\1' < "$scratch/kept" > "$file"
same "a file that was changed is looked at again" "[]" "$(elements new)"
cp "$scratch/kept" "$file"
same "the elements are listed again when the file is back" "[61440]" "$(elements new)"
