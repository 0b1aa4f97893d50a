# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for others, or by them for us
# Shared by the benches and by the check of a full bus: a table of rows and bars, and whole lives of
# drones held against what the kernel needs to bring them up (doc/rack.md 4, 7).  Source it after lib.sh.

json=$out/bench.json
table=$out/bench.txt
tracing=/sys/kernel/tracing
# WHY one time for all: a figure of a rack is held against one drone of it.
gap_ms=1000 # reboot request -> on the bus again; power or leave -> on the bus: the same
drone_times="gap=$gap_ms boot=1000 leave=20 button-boots=yes"

# ---- rows and bars ------------------------------------------------------------------------------

bar() # NAME LOW VALUE HIGH
{
	within "$1 ($3; bar $2 .. $4)" "$2" "$3" "$4"
	[ -s "$json" ] || return 0
	jq --arg name "$1" --argjson v "[$2,$3,$4]" '.bars += [{name: $name, value: $v[1],
		low: $v[0], high: $v[2]}]' "$json" > "$json.new" && mv "$json.new" "$json"
	printf '%-72s %8s  (%s .. %s)\n' "$1" "$3" "$2" "$4" >> "$table.bars"
}

# A figure that no bar holds.
told() # NAME VALUE
{
	note "$1: $2"
	[ -s "$json" ] || return 0
	jq --arg name "$1" --argjson v "$2" '.told += [{name: $name, value: $v}]' \
		"$json" > "$json.new" && mv "$json.new" "$json"
	printf '%-72s %8s\n' "$1" "$2" >> "$table.bars"
}

ms_to_s()
{
	awk -v v="$1" 'BEGIN { printf "%.3f", v / 1000 }'
}

ratio() # A B
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", (b > 0 ? a / b : 999) }'
}

# ---- lives --------------------------------------------------------------------------------------

epoch_ms()
{
	echo "${EPOCHREALTIME:0:-7}${EPOCHREALTIME: -6:3}"
}

# When the last of the newest N attempts ended, in milliseconds of the epoch.
last_end_ms() # N
{
	records "SELECT CAST(round((max(julianday(ended_at)) - 2440587.5) * 86400000) AS INTEGER)
		FROM (SELECT ended_at FROM attempts ORDER BY id DESC LIMIT $1)"
}

# "KERNEL[12.345] add /devices/.../1-1 (usb)": when each port was added first, in milliseconds.
first_added() # KERNEL|UDEV
{
	sed -n "s,^$1 *\[\([0-9.]*\)\] add .*/\([^/ ]*\) (usb)\$,\1 \2,p" "$scratch/monitor.txt" |
		awk '!seen[$2]++ { printf "%d\n", $1 * 1000 }'
}

# Plugs drones in at the same time and waits for their endings.  Sets life_ms, plug to last verdict,
# and spread_ms, the kernel's first of them to its last.
life() # PORT...
{
	local begin p monitor

	stdbuf -oL udevadm monitor --kernel --udev --subsystem-match=usb/usb_device \
		> "$scratch/monitor.txt" &
	monitor=$!
	until_true 30 grep -q "^KERNEL - " "$scratch/monitor.txt"
	begin=$(epoch_ms)
	for p; do
		rack_do plug "$p" > /dev/null || not_ok "the rack plugs in $p" "it does not"
	done
	cfdfuctl wait --count $# --timeout 900 > "$out/life.txt" 2>&1 ||
		not_ok "$# drones end well" "$(tail -n 3 "$out/life.txt")"
	kill "$monitor"
	life_ms=$(($(last_end_ms $#) - begin))
	spread_ms=$(first_added KERNEL |
		awk 'NR == 1 { first = $1 } { last = $1 } END { print last - first }')
}

# ---- the kernel ---------------------------------------------------------------------------------

# Counts the daemon's system calls from here on, in the kernel: a tracer of processes would slow it
# down and change their number.  All of its threads have its name.
count_calls()
{
	local trigger='hist:keys=id if comm == "cfdfud"'

	mountpoint -q $tracing || mount -t tracefs tracefs $tracing
	echo "!$trigger" > $tracing/events/raw_syscalls/sys_enter/trigger 2> /dev/null
	echo "$trigger" > $tracing/events/raw_syscalls/sys_enter/trigger
}

calls_counted()
{
	awk '/hitcount:/ { sum += $NF } END { print sum + 0 }' \
		$tracing/events/raw_syscalls/sys_enter/hist
}

# FAST_ENUM of the ports of a bus's root hub (doc/rack.md 5).
set_fast_enum() # BUS yes|no
{
	local file bit=0

	[ "$2" = no ] || bit=2
	for file in "/sys/bus/usb/devices/usb$1/$1-0:1.0/usb$1"-port*/quirks; do
		echo $bit > "$file"
	done
}
