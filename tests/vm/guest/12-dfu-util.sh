#!/bin/bash
# SPDX-License-Identifier: MIT
# A third opinion on the simulator: dfu-util 0.11, unmodified, flashes simulated drones bit-exact.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=4

flash() # PORT
{
	dfu-util -d 0483:df11 -p "$1" -a 0 -s "$app:leave" -D "$new" > "$out/dfu-util-$1.log" 2>&1
}

old=$(image 2025.02)
new=$(image 2025.12 --size 243176)
rack_start typical
for p in $(ports 1 $drones); do
	rack_add "$p" "$old"
	rack_do button "$p" > /dev/null
	until_true 30 usb_is "$p" 0483:df11 || not_ok "$p enumerates in DFU mode" "it does not"
done
same "dfu-util lists four memories a drone" "$((4 * drones))" \
	"$(dfu-util -l | grep -c 'Found DFU: \[0483:df11\]')"
begin=$(now_ms)
pids=()
for p in $(ports 1 $drones); do
	flash "$p" &
	pids+=($!)
done
wait "${pids[@]}"
note "dfu-util flashed $drones drones at once in $(($(now_ms) - begin)) ms"
for p in $(ports 1 $drones); do
	holds "dfu-util is content with $p" \
		grep -q 'File downloaded successfully' "$out/dfu-util-$p.log"
	holds "the flash of $p is the image, bit for bit, and nothing else" \
		flash_is "$p" "$new"
done
same "dfu-util never left the application's flash" 0 \
	"$(counter 1-1 outside_writes outside_erases)"
same "dfu-util wrote the image in blocks of 2 KiB" 119 "$(counter 1-1 blocks_written)"
