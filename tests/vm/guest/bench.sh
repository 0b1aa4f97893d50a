#!/bin/bash
# SPDX-License-Identifier: MIT
# How fast: this station beside dfu-util 0.11, on the same simulated rack in the same boot, with the
# typical timing of the data sheet.  Absolute figures are the emulated processor's; ratios count.
# Leaves bench.txt (a table) and bench.json.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

size=243176
json=$out/bench.json
table=$out/bench.txt
: > "$table"
echo '{"rows":[],"bars":[]}' > "$json"

# ---- measuring ----------------------------------------------------------------------------------

daemon_cpu_ms()
{
	local pid

	pid=$(daemon_pid)
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$pid/stat"
}

# The sum of a counter over the first N ports.
total() # N COUNTER
{
	local p sum=0

	for p in $(ports 1 "$1"); do
		sum=$((sum + $(counter "$p" "$2")))
	done
	echo "$sum"
}

row() # NAME DRONES WALL-MS CPU-MS TRANSFERS BYTES PEAK-KIB
{
	printf '%-44s %4d %9.1f %9.2f %9d %10d %7d\n' "$1" "$2" "$(ms_to_s "$3")" "$(ms_to_s "$4")" \
		"$5" "$6" "$7" >> "$table"
	jq --arg name "$1" --argjson v "[$2,$3,$4,$5,$6,$7]" '.rows += [{name: $name, drones: $v[0],
		wall_ms: $v[1], cpu_ms: $v[2], transfers: $v[3], bytes: $v[4], peak_kib: $v[5]}]' \
		"$json" > "$json.new" && mv "$json.new" "$json"
	tail -n 1 "$table" | sed 's/^/# /'
}

bar() # NAME LOW VALUE HIGH
{
	within "$1 ($3; bar $2 .. $4)" "$2" "$3" "$4"
	jq --arg name "$1" --argjson v "[$2,$3,$4]" '.bars += [{name: $name, value: $v[1],
		low: $v[0], high: $v[2]}]' "$json" > "$json.new" && mv "$json.new" "$json"
	printf '%-64s %8s  (%s .. %s)\n' "$1" "$3" "$2" "$4" >> "$table.bars"
}

ms_to_s()
{
	awk -v v="$1" 'BEGIN { printf "%.3f", v / 1000 }'
}

ratio() # A B
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b > 0 ? a / b : 999 }'
}

# ---- what is measured ---------------------------------------------------------------------------

# Milliseconds the newest attempt of a port spent in DFU mode: visible -> verified and left.
dfu_ms() # PORT
{
	local id

	id=$(records "SELECT max(id) FROM attempts WHERE port = '$1'")
	cfdfuctl --json show "$id" | jq '[.stages[] | select(.step | IN("probing", "comparing",
		"erasing", "writing", "verifying", "first-page", "leaving")).ms] | add'
}

rack_of() # N IMAGE
{
	local p

	for p in $(ports 1 "$1"); do
		rack_add "$p" "$2"
	done
}

# Plugs N drones and waits for their endings; sets wall, cpu, transfers, bytes.
ours() # NAME N
{
	local begin cpu_before before written p

	cpu_before=$(daemon_cpu_ms)
	before=$(total "$2" requests)
	written=$(total "$2" bytes_written)
	begin=$(now_ms)
	for p in $(ports 1 "$2"); do
		rack_do plug "$p" > /dev/null
	done
	cfdfuctl wait --count "$2" --timeout 900 > "$out/bench-wait.txt" 2>&1 ||
		not_ok "bench: $1" "$(tail -n 3 "$out/bench-wait.txt")"
	wall=$(($(now_ms) - begin))
	cpu=$(($(daemon_cpu_ms) - cpu_before))
	transfers=$(($(total "$2" requests) - before))
	bytes=$(($(total "$2" bytes_written) - written))
	row "$1" "$2" "$wall" "$cpu" "$transfers" "$bytes" "$(daemon_peak_kib)"
}

unplug() # N
{
	local p

	for p in $(ports 1 "$1"); do
		rack_do unplug "$p" > /dev/null
	done
	until_true 60 present_is 0
}

# dfu-util on N drones that are in DFU mode, one process a port.
theirs() # N
{
	local p begin pids=() before written utime

	for p in $(ports 1 "$1"); do
		rack_do button "$p" > /dev/null
	done
	for p in $(ports 1 "$1"); do
		until_true 60 usb_is "$p" 0483:df11
	done
	before=$(total "$1" requests)
	written=$(total "$1" bytes_written)
	utime=$(children_ms)
	begin=$(now_ms)
	for p in $(ports 1 "$1"); do
		dfu-util -d 0483:df11 -p "$p" -a 0 -s "$app:leave" -D "$new" > "$scratch/dfu-util-$p.log" 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	wall=$(($(now_ms) - begin))
	cpu=$(($(children_ms) - utime))
	transfers=$(($(total "$1" requests) - before))
	bytes=$(($(total "$1" bytes_written) - written))
	row "dfu-util, no verification" "$1" "$wall" "$cpu" "$transfers" "$bytes" 0
}

# Processor time of this shell's children that have ended.
children_ms()
{
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($16 + $17) * 1000 / hz) }' "/proc/$$/stat"
}

reload() # N IMAGE
{
	local p

	for p in $(ports 1 "$1"); do
		rack_do load "$p" "$2" "$app" > /dev/null
	done
}

select_image() # NAME
{
	cfdfuctl firmware select "$1" > /dev/null || not_ok "bench: $1 is selected" "it is not"
}

# ---- the bench ----------------------------------------------------------------------------------

bench_theirs()
{
	theirs 1
	dfu_util_1=$wall
	dfu_util_cpu=$cpu
	unplug 1
	reload 16 "$old"
	theirs 16
	dfu_util_cpu=$((cpu / 16))
	unplug 16
	reload 16 "$old"
}

bench_full()
{
	select_image new
	ours "full" 1
	one_wall=$wall
	one_dfu=$(dfu_ms 1-1)
	one_blocks=$(counter 1-1 blocks_written)
	one_dnloads=$(rack_do counters 1-1 | jq '.dfu[1] + .dfu[3]')
	unplug 1
	reload 1 "$old"
	local n

	for n in 16 64 120; do
		ours "full" $n
		[ $n != 16 ] || { sixteen_wall=$wall; sixteen_cpu=$((cpu / 16)); }
		[ $n = 120 ] || { unplug $n; reload $n "$old"; }
	done
	full_peak=$(daemon_peak_kib)
	unplug 120
}

bench_unchanged()
{
	local before

	before=$(($(total 16 erases) * 100000 + $(total 16 blocks_written)))
	ours "unchanged, by read-back" 16
	unchanged_work=$(($(total 16 erases) * 100000 + $(total 16 blocks_written) - before))
	unplug 16
	select_image edited
	before=$(counter 1-1 erases)
	ours "one changed byte in sector 5" 1
	edited_erases=$(($(counter 1-1 erases) - before))
	unplug 1
	station_configure flash skip=version
	systemctl restart cfdfud.service
	select_image new
	before=$(counter 1-2 reboots)
	rack_do plug 1-2 > /dev/null
	until_true 60 test "$(verdicts unchanged)" = 1
	version_reboots=$(($(counter 1-2 reboots) - before))
	version_ms=$(records "SELECT duration_ms FROM attempts ORDER BY id DESC LIMIT 1")
	row "unchanged, by version" 1 "$version_ms" 0 0 0 "$(daemon_peak_kib)"
	unplug 2
}

bench_word()
{
	reload 1 "$old"
	station_configure flash parallelism=word
	systemctl restart cfdfud.service
	ours "full, word parallelism" 1
	word_dfu=$(dfu_ms 1-1)
	unplug 1
}

getent passwd cfdfud > /dev/null || station_install
station_reset
old=$(image 2025.02 --size $size)
new=$(image 2025.12 --size $size)
edited=$images/edited.bin
cp "$new" "$edited"
printf '\x5a' | dd of="$edited" bs=1 seek=200001 conv=notrunc status=none
rack_start typical
printf '%-44s %4s %9s %9s %9s %10s %7s\n' run drones 'wall s' 'cpu s' transfers 'bytes wr.' 'peak K' \
	>> "$table"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware add "$edited" --name edited > /dev/null
cfdfuctl pause > /dev/null
rack_of 120 "$old"
floor_ms=$(rack_do floor 1-1 $size |
	jq '(.erase_us + .program_us + .send_us + .read_us) / 1000')
bench_theirs
cfdfuctl resume > /dev/null
bench_full
bench_unchanged
bench_word

bar "one drone in DFU mode against the floor" 1 "$(ratio "$one_dfu" "$floor_ms")" 1.15
bar "dfu-util without verification against one drone" 3.0 "$(ratio "$dfu_util_1" "$one_dfu")" 100
bar "16 drones against one alone" 0 "$(ratio "$sixteen_wall" "$one_wall")" 1.15
bar "processor time a drone against dfu-util's" 0 "$(ratio "$sixteen_cpu" "$dfu_util_cpu")" 0.334
note "one drone: $one_blocks blocks, $one_dnloads DNLOAD and GETSTATUS requests in all"
bar "unchanged rack: erases and blocks written" 0 "$unchanged_work" 0
bar "unchanged drone by version, ms" 0 "$version_ms" 1000
bar "unchanged drone by version: mode switches" 0 "$version_reboots" 0
bar "one changed byte in sector 5: sectors erased" 2 "$edited_erases" 2
bar "byte against word parallelism" 1.8 "$(ratio "$one_dfu" "$word_dfu")" 10
bar "120 drones: peak resident memory, KiB" 1 "$full_peak" 65536
