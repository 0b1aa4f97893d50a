#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A rack of eight through the real client: JSON as documented, exit statuses of wait, history,
# one attempt, pause and resume.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8
old=$(image 2025.02)
new=$(image 2025.12)

station_keys='["state","selected","counts"]'
count_keys='["present","active","pass","unchanged","failed","skipped"]'
slot_keys='["port","label","present","mode","serial","dfu_serial","platform","state","percent","eta_s",
	"verdict","fault","step","message","version_before","version_after","attempt","safe_to_unplug",
	"name","ready","remaining","selftest","nrf","decks","radio","battery_mv","crash","batch"]'

sim_start fast
same "an empty station is armed" "armed 0 0" \
	"$(status '"\(.station.state) \(.station.counts.present) \(.slots | length)"')"
cfdfuctl firmware add "$new" --name new > "$scratch/add" 2>&1
same "an image is added" 0 $?
same "the image is listed" new "$(cfdfuctl --json firmware list | jq -r '.firmware[].name')"
holds "the image is selected" cfdfuctl firmware select new
same "the selection is shown" "new 2025.12" \
	"$(status '.station.selected[0] | "\(.name) \(.version)"')"
cfdfuctl pause > /dev/null
for n in $(seq 1 $drones); do
	rack_add "1-$n" "$old"
	rack_do plug "1-$n" > /dev/null
done
holds "all drones are seen" until_true 30 present_is $drones
settle 1
same "a paused station starts none" "paused 0" \
	"$(status '"\(.station.state) \([.slots[] | select(.attempt != null)] | length)"')"
cfdfuctl wait --count 1 --timeout 1 > /dev/null 2>&1
same "waiting for what does not come times out" 5 $?
cfdfuctl --json watch > "$scratch/watch" 2>&1 &
watch=$!
until_true 30 test -s "$scratch/watch"
cfdfuctl resume > /dev/null
cfdfuctl wait --count $drones --timeout 120 > "$scratch/wait" 2>&1
same "waiting for eight passes ends well" 0 $?
same "wait printed each ending" $drones "$(grep -ciE 'pass' "$scratch/wait")"
holds "watch streamed whole documents" until_true 30 jq -es 'length > 1' "$scratch/watch"
kill $watch 2> /dev/null
cfdfuctl --json status > "$scratch/status"
for check in "station $station_keys" "station.counts $count_keys" "slots[0] $slot_keys"; do
	holds "the status has the documented names in ${check%% *}" \
		jq -e "(.${check%% *} | keys) as \$k | ${check#* } - \$k == []" "$scratch/status"
done
same "eight slots passed" $drones "$(verdicts pass)"
same "the counts agree" "$drones 0 $drones 0 0 0" "$(status '.station.counts |
	"\(.present) \(.active) \(.pass) \(.unchanged) \(.failed) \(.skipped)"')"
for n in $(seq 1 $drones); do
	holds "the flash of 1-$n is the image" flash_is "1-$n" "$new"
done
same "the record says the same" "$drones 2025.02 2025.12" "$(records "SELECT count(*) || ' ' ||
	min(version_before) || ' ' || max(version_after) FROM attempts WHERE verdict = 'pass'")"
same "history has every attempt" $drones \
	"$(cfdfuctl --json history | jq -s '[.[] | .attempts? // .] | flatten | length')"
same "an attempt has the names of the view's columns" "" "$(comm -23 <(records "SELECT name
	FROM pragma_table_info('attempts')" | sort) <(cfdfuctl --json history --limit 1 |
	jq -r '.attempts[0] | keys[]' | sort))"
same "as CSV too, with a head line" $((drones + 1)) "$(cfdfuctl history --csv | grep -c ,)"
same "one attempt is shown with its stages" true \
	"$(cfdfuctl --json show 1 | jq '.stages | length > 5')"
serial=$(status '.slots[0].serial')
same "one drone is shown with its life" "$serial" \
	"$(cfdfuctl --json show "$serial" | jq -r .drone.serial)"
cfdfuctl retry 1-1 > "$scratch/retry" 2>&1
same "a retry is taken" 0 $?
holds "a drone that is right ends as unchanged" until_true 60 test_verdict 1-1 unchanged
records_are_sound "eight drones"
