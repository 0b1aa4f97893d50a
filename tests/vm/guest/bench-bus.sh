#!/bin/bash
# SPDX-License-Identifier: MIT
# How fast on one bus, where the kernel brings up one drone after the other: whole lives against the
# bound (the kernel's last drone after its first, and one life), with both images, with stock ports
# and with FAST_ENUM; and beside dfu-util, from DFU mode to done.  Adds to the table of bench.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. "$(dirname "$0")/measure.sh"

places=15 # of a virtual controller
sizes=${BENCH_SIZES:-243176 289784}

[ -s "$json" ] || echo '{"rows":[],"bars":[],"told":[]}' > "$json"

each() # N COMMAND, with % for the port
{
	local p

	for p in $(ports 1 "$1"); do
		rack_do "${2//%/$p}" > /dev/null || not_ok "bench: the rack" "${2//%/$p} fails"
	done
}

take_off() # N
{
	each "$1" "unplug %"
	until_true 60 present_is 0 || not_ok "bench: $1 drones leave" "the station still sees some"
	each "$1" "load % $old $app"
}

all_in_dfu_mode() # N
{
	local p

	each "$1" "button %"
	for p in $(ports 1 "$1"); do
		until_true 60 usb_is "$p" 0483:df11
	done
	udevadm settle
}

# ---- whole lives ---------------------------------------------------------------------------------

# The pass order: before the last drone is in DFU mode, the kernel has brought up all of them twice.
against_bound() # WORDS N BAR
{
	local name="$1, $2 on one bus, $size bytes"

	# shellcheck disable=SC2046 # words are wanted
	life $(ports 1 "$2")
	take_off "$2"
	note "$name: $(ms_to_s "$life_ms") s; one alone $(ms_to_s "$alone_ms") s, the kernel's first to" \
		"last $(ms_to_s "$spread_ms") s"
	bar "$name, plug to last PASS, against the bound" 0.9 \
		"$(ratio "$life_ms" $((alone_ms + spread_ms)))" "$3"
	told "$name, against all brought up twice, then one life" \
		"$(ratio "$life_ms" $((alone_ms + 2 * spread_ms - gap_ms)))"
}

lives() # WORDS BAR-8 BAR-15
{
	life "$(port 1)"
	alone_ms=$life_ms
	take_off 1
	against_bound "$1" 8 "$2"
	against_bound "$1" $places "$3"
}

# Time in which the guest's processor had nothing to do, in ms.
idle_ms()
{
	awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print int(($5 + $6) * 1000 / hz) }' /proc/stat
}

# ---- beside dfu-util: all are in DFU mode, until the last was told to leave ----------------------

dfu_util_ms() # N
{
	local p begin pids=()

	all_in_dfu_mode "$1"
	begin=$(epoch_ms)
	for p in $(ports 1 "$1"); do
		dfu-util -d 0483:df11 -p "$p" -a 0 -s "$app:leave" -D "$new" \
			> "$scratch/dfu-util-$p.log" 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	theirs_ms=$(($(epoch_ms) - begin))
	take_off "$1"
}

# The stages of an attempt behind "leaving", in ms: the drone's start and its answer.
after_leaving_ms() # ATTEMPT
{
	cfdfuctl --json show "$1" |
		jq '[.stages[] | select(.step | IN("booting", "confirming")).ms] | add'
}

station_ms() # N
{
	local begin id end idle

	all_in_dfu_mode "$1"
	idle=$(idle_ms)
	begin=$(epoch_ms)
	cfdfuctl resume > /dev/null
	cfdfuctl wait --count "$1" --timeout 900 > "$out/life.txt" 2>&1 ||
		not_ok "bench: $1 drones from DFU mode" "$(tail -n 3 "$out/life.txt")"
	ours_ms=0
	for id in $(records "SELECT id FROM attempts ORDER BY id DESC LIMIT $1"); do
		end=$(($(records "SELECT CAST(round((julianday(ended_at) - 2440587.5) * 86400000)
			AS INTEGER) FROM attempts WHERE id = $id") - $(after_leaving_ms "$id")))
		[ $((end - begin)) -le $ours_ms ] || ours_ms=$((end - begin))
	done
	ours_idle_ms=$(($(idle_ms) - idle))
	cfdfuctl pause > /dev/null
	take_off "$1"
}

beside_dfu_util() # N BAR
{
	dfu_util_ms "$1"
	station_ms "$1"
	note "$1 in DFU mode: dfu-util $(ms_to_s "$theirs_ms") s, this station $(ms_to_s "$ours_ms") s;" \
		"until all are back the processor is idle for $(ms_to_s "$ours_idle_ms") s"
	bar "dfu-util without verification against $1 on one bus, $size bytes" "$2" \
		"$(ratio "$theirs_ms" "$ours_ms")" 100
}

# ---- the bench ----------------------------------------------------------------------------------

choose() # SIZE
{
	size=$1
	old=$(image 2025.02 --size "$size")
	new=$(image 2025.12 --size "$size")
	cfdfuctl firmware add "$new" --name "new-$size" > /dev/null
	cfdfuctl firmware select "new-$size" > /dev/null
	each $places "load % $old $app"
}

getent passwd cfdfud > /dev/null || station_install
station_reset
rack_start typical
each $places "add % $drone_times"
cfdfuctl resume > /dev/null
for size in $sizes; do
	choose "$size"
	# 1.13 and 1.10 are aimed at with eight; all brought up twice are 1.123 and 1.088 (doc/rack.md 7).
	lives "stock ports" 1.14 1.30
	set_fast_enum 1 yes
	lives "FAST_ENUM" 1.11 1.25
	set_fast_enum 1 no
done
cfdfuctl pause > /dev/null
choose "${sizes%% *}"
beside_dfu_util 1 3.2
# 3.2 is aimed at; here one processor is also the rack of fifteen (doc/rack.md 7).
beside_dfu_util $places 2.8
