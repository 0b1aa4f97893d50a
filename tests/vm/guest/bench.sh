#!/bin/bash
# SPDX-License-Identifier: MIT
# How fast: this station beside dfu-util 0.11, on the same simulated rack in the same boot, with the
# typical timing of the data sheet.  Absolute figures are the emulated processor's; ratios count.
# The drones are spread over all controllers here; bench-bus.sh has them on one.
# Leaves bench.txt (a table), bench.txt.bars and bench.json.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=measure.sh
. "$(dirname "$0")/measure.sh"

size=243176
rm -f "$table" "$table.bars"
echo '{"rows":[],"bars":[],"told":[]}' > "$json"

# ---- the whole rack ------------------------------------------------------------------------------

# The first N places of the rack, in turn on its eight controllers.
# WHY: the kernel brings up one device at a time on each bus, which takes half a second; here the
# station is measured, and in bench-bus.sh with the kernel.
places() # N
{
	local i

	for ((i = 0; i < $1; i++)); do
		port $((i % 8 * 15 + i / 8 + 1))
	done
}

# One command for each of the first N places: "plug", or "load % FILE" with the port for the %.
rack_all() # N COMMAND
{
	local p command=$2

	[[ $command = *%* ]] || command="$command %"
	for p in $(places "$1"); do
		rack_do "${command//%/$p}" || not_ok "bench: the rack" "${command//%/$p} fails"
	done
}

# Adds up over the first N drones; sets the counters' names as variables.
count() # N
{
	# shellcheck disable=SC2046 # words are wanted
	read -r requests written blocks erases reboots data_requests <<< $(rack_all "$1" counters |
		jq -s -r 'map([.beyond_standard, .bytes_written, .blocks_written, .erases, .reboots,
			.dfu[1] + .dfu[3]]) | transpose | map(add) | @tsv')
}

# ---- measuring ----------------------------------------------------------------------------------

# All its threads: one that has ended counts, too.
daemon_cpu_ms()
{
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' \
		"/proc/$(daemon_pid)/stat"
}

# Processor time of this shell's children that have ended.
children_ms()
{
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($16 + $17) * 1000 / hz) }' "/proc/$$/stat"
}

row() # NAME DRONES
{
	printf '%-38s %4d %8s %8s %9d %10d %6d %7d\n' "$1" "$2" "$(ms_to_s "$wall")" \
		"$(ms_to_s "$cpu")" "$requests" "$written" "$erases" "$peak" >> "$table"
	jq --arg name "$1" --argjson v "[$2,$wall,$cpu,$requests,$written,$erases,$peak]" \
		'.rows += [{name: $name, drones: $v[0], wall_ms: $v[1], processor_ms: $v[2],
		transfers: $v[3], bytes_written: $v[4], erases: $v[5], peak_kib: $v[6]}]' \
		"$json" > "$json.new" && mv "$json.new" "$json"
	tail -n 1 "$table" | sed 's/^/# /'
}

# Milliseconds the newest attempt of a port spent in DFU mode: visible -> verified and left.
dfu_ms() # PORT
{
	local id

	id=$(records "SELECT max(id) FROM attempts WHERE port = '$1'")
	cfdfuctl --json show "$id" | jq '[.stages[] | select(.step | IN("probing", "comparing",
		"erasing", "writing", "verifying", "first-page", "leaving")).ms] | add'
}

# ---- one rack, once ------------------------------------------------------------------------------

# Plugs N drones in and waits for their endings; sets what row() prints.
ours() # NAME N
{
	local begin before

	rack_all "$2" reset-counters
	before=$(daemon_cpu_ms)
	count_calls
	begin=$(now_ms)
	rack_all "$2" plug
	cfdfuctl wait --count "$2" --timeout 900 > "$out/bench-wait.txt" 2>&1 ||
		not_ok "bench: $1" "$(tail -n 3 "$out/bench-wait.txt")"
	wall=$(($(now_ms) - begin))
	calls=$(calls_counted)
	cpu=$(($(daemon_cpu_ms) - before))
	peak=$(daemon_peak_kib)
	count "$2"
	row "$1" "$2"
	slowest "$2"
}

# Where the time of the slowest of the last N attempts went.
slowest() # N
{
	local id

	id=$(records "SELECT id FROM (SELECT id, duration_ms FROM attempts ORDER BY id DESC LIMIT $1)
		ORDER BY duration_ms DESC LIMIT 1")
	note "the slowest: $(cfdfuctl --json show "$id" |
		jq -r '[.stages[] | "\(.step) \(.ms)"] | join(", ")') ms"
}

# dfu-util on N drones that are in DFU mode, one process a port.
theirs() # N
{
	local p begin pids=() before

	rack_all "$1" button
	for p in $(places "$1"); do
		until_true 60 usb_is "$p" 0483:df11
	done
	rack_all "$1" reset-counters
	before=$(children_ms)
	begin=$(now_ms)
	for p in $(places "$1"); do
		dfu-util -d 0483:df11 -p "$p" -a 0 -s "$app:leave" -D "$new" \
			> "$scratch/dfu-util-$p.log" 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	wall=$(($(now_ms) - begin))
	cpu=$(($(children_ms) - before))
	peak=0
	count "$1"
	row "dfu-util, without verification" "$1"
}

unplug() # N
{
	rack_all "$1" unplug
	until_true 60 present_is 0
}

configure_flash() # KEY=VALUE
{
	station_configure flash "$1"
	systemctl restart cfdfud.service
	until_true 20 cfdfuctl status
}

# ---- the bench ----------------------------------------------------------------------------------

bench_theirs()
{
	theirs 1
	dfu_util_wall=$wall
	dfu_util_transfers=$requests
	unplug 1
	rack_all 1 "load % $old $app"
	theirs 16
	dfu_util_cpu=$((cpu / 16))
	unplug 16
	rack_all 16 "load % $old $app"
}

bench_one()
{
	ours "full" 1
	one_wall=$wall
	one_dfu=$(dfu_ms 1-1)
	one_transfers=$requests
	one_calls=$calls
	one_peak=$peak
	# Beside the data, its start and its status: three for each erase, each address, the way in and out.
	one_per_block=$(ratio $((data_requests - 3 * erases)) "$blocks")
	unplug 1
	rack_all 1 "load % $old $app"
}

bench_racks()
{
	local n

	for n in 16 64 120; do
		ours "full" $n
		if [ $n = 16 ]; then
			sixteen_wall=$wall
			sixteen_cpu=$((cpu / 16))
			sixteen_calls=$calls
			sixteen_transfers=$requests
		fi
		unplug $n
		[ $n = 16 ] || rack_all $n "load % $old $app"
		[ $n != 16 ] || bench_unchanged
	done
	full_peak=$peak
}

# Sixteen drones hold the image.
bench_unchanged()
{
	ours "unchanged, by read-back" 16
	unchanged_work=$((erases + blocks))
	unplug 16
	cfdfuctl firmware select edited > /dev/null
	ours "one changed byte in sector 5" 1
	edited_erases=$erases
	unplug 1
	cfdfuctl firmware select new > /dev/null
	rack_all 1 "load % $new $app"
	configure_flash skip=version
	ours "unchanged, by version" 16
	version_reboots=$reboots
	version_ms=$(records "SELECT max(duration_ms) FROM (SELECT duration_ms FROM attempts
		ORDER BY id DESC LIMIT 16)")
	unplug 16
	rack_all 16 "load % $old $app"
	configure_flash skip=readback
}

bench_word()
{
	configure_flash parallelism=word
	ours "full, word parallelism" 1
	word_dfu=$(dfu_ms 1-1)
	unplug 1
}

set_up()
{
	getent passwd cfdfud > /dev/null || station_install
	station_reset
	old=$(image 2025.02 --size $size)
	new=$(image 2025.12 --size $size)
	edited=$images/edited.bin
	cp "$new" "$edited"
	printf '\x5a' | dd of="$edited" bs=1 seek=200001 conv=notrunc status=none
	rack_start typical
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware add "$edited" --name edited > /dev/null
	cfdfuctl firmware select new > /dev/null
	cfdfuctl pause > /dev/null
	rack_all 120 add
	rack_all 120 "load % $old $app"
	floor_ms=$(rack_do floor 1-1 $size | head -n 1 |
		jq '(.erase_us + .program_us + .send_us + .read_us) / 1000')
	printf '%-38s %4s %8s %8s %9s %10s %6s %7s\n' run drones 'wall s' 'cpu s' transfers \
		'bytes wr.' erases 'peak K' >> "$table"
}

judge()
{
	bar "one drone in DFU mode against the floor" 1 "$(ratio "$one_dfu" "$floor_ms")" 1.15
	bar "dfu-util without verification against one drone" 3.2 \
		"$(ratio "$dfu_util_wall" "$one_dfu")" 100
	bar "control transfers of one drone against dfu-util's" 0 \
		"$(ratio "$one_transfers" "$dfu_util_transfers")" 1.2
	told "16 drones on eight controllers against one alone" "$(ratio "$sixteen_wall" "$one_wall")"
	bar "processor time a drone against dfu-util's" 0 \
		"$(ratio "$sixteen_cpu" "$dfu_util_cpu")" 0.334
	note "control transfers per block, erases apart, but with all addresses and probing: $one_per_block"
	bar "unchanged rack: erases and blocks written" 0 "$unchanged_work" 0
	bar "unchanged drone by version, ms" 0 "$version_ms" 1000
	bar "unchanged drone by version: mode switches" 0 "$version_reboots" 0
	bar "one changed byte in sector 5: sectors erased" 2 "$edited_erases" 2
	bar "byte against word parallelism" 1.8 "$(ratio "$one_dfu" "$word_dfu")" 10
	bar "120 drones: peak resident memory, KiB" 1 "$full_peak" 24576
	bar "memory of a drone at work, KiB" 1 "$(ratio $((full_peak - one_peak)) 119)" 45
	# Four are aimed at; three a transfer and two a pause are the least (doc/rack.md 10).
	bar "system calls per control transfer, one drone" 1 "$(ratio "$one_calls" "$one_transfers")" 5.5
	bar "system calls per control transfer, 16 drones" 1 \
		"$(ratio "$sixteen_calls" "$sixteen_transfers")" 4.5
}

set_up
bench_theirs
cfdfuctl resume > /dev/null
bench_one
bench_racks
bench_word
judge
