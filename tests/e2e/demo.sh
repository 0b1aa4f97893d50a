#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A mixed rack of eight drones flashed live, its history and report: demo.sh BUILD [--web] [FIRMWARE];
# --web: in a browser, too.  Uses the best rack there is: real drones, as root (they are flashed with
# FIRMWARE, and only looked at without one); the kernel's virtual ports, as root, where it has vhci_hcd;
# otherwise simulated drones in the daemon's own process.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
export PATH=$build:$PATH
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-demo.XXXXXX")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

drones=8
daemon=
wall=
watch=
web=no
if [ "${2:-}" = --web ]; then
	web=yes
	set -- "$1" "${@:3}"
fi

finish()
{
	[ -z "$wall" ] || kill "$wall" 2> /dev/null || true
	[ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
	rack_do quit > /dev/null 2>&1 || true
	wait 2> /dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Ports of this machine with a Crazyflie, or with something that may be one in DFU mode.
real_ports()
{
	local device

	for device in /sys/bus/usb/devices/*; do
		case $(cat "$device"/{idVendor,idProduct,manufacturer} 2> /dev/null | paste -sd' ') in
		'0483 5740 Bitcraze AB' | '0483 df11 STMicroelectronics') basename "$device" ;;
		esac
	done
}

start_daemon() # PROGRAM PORTS [PORT-FUNCTION, where the rack has labels]
{
	local n

	printf '[station]\nports = %s\n[slots]\n' "$2" > "$scratch/demo.conf"
	for n in $(seq 1 $drones); do
		[ $# -lt 3 ] || printf '%s = %s\n' "$("$3" "$n")" \
			"$(printf 'A1 A2 A3 A4 B1 B2 B3 B4' | cut -d' ' -f"$n")"
	done >> "$scratch/demo.conf"
	"$1" --config "$scratch/demo.conf" --state "$state" --socket "$CFDFU_SOCKET" \
		> "$scratch/daemon.log" 2>&1 &
	daemon=$!
	until_true 30 cfdfuctl status || {
		cat "$scratch/daemon.log" >&2
		exit 1
	}
}

# The kernel's name of the n-th virtual high-speed port.
virtual_port() # N
{
	local bus

	bus=$(sed -n 's/^BUSNUM=0*//p' /sys/devices/platform/vhci_hcd.0/usb*/uevent | sort -n | head -n 1)
	echo "$bus-$1"
}

simulated_port() # N
{
	echo "1-$1"
}

# A mixed rack, as it is on a good day: other versions, one that is right already (A2), one too old to
# reboot by request (A3), another platform (B2); addresses of their own, as a lab gives them.
fill_rack() # PORT-FUNCTION
{
	local n new versions=(2025.02 2025.12 2021.06 2024.10 2025.02 2023.11 2025.02 2024.02)
	local how=('' '' '--old' '' '' '--platform bolt' '' '')
	local drone=('' '' no_dfu_request=yes '' '' 'otp=0;CB10' '' '')

	new=$(image 2025.12)
	for n in $(seq 1 $drones); do
		# shellcheck disable=SC2086 # words, or none
		rack_add "$("$1" "$n")" "$(image "${versions[n - 1]}" ${how[n - 1]})" \
			address="$(printf 'E7E7E7E7%02X' "$n")" ${drone[n - 1]}
	done
	cfdfuctl firmware add "$new" --name cf2-2025.12 > /dev/null
	cfdfuctl firmware select cf2-2025.12
	cfdfuctl batch start demo --expect $drones > /dev/null
}

# Plugs all in; B1's cable is pulled while it is being written, where it waits for that.  Half an image does not start, so it
# is plugged in again with its button held, and gets new power at the end, as the station asks for.
use_rack() # PORT-FUNCTION
{
	local n

	rack_do fate "$("$1" 5)" slow in=dfu on=data at=60 > /dev/null
	for n in $(seq 1 $drones); do
		rack_do plug "$("$1" "$n")" > /dev/null
	done
	poll=0.05 until_true 60 is_written B1
	rack_do unplug "$("$1" 5)" > /dev/null
	rack_do mend "$("$1" 5)" > /dev/null
	until_true 60 is B1 fail
	rack_do button "$("$1" 5)" > /dev/null
	until_true 60 is B1 needs-power-cycle
	rack_do power-cycle "$("$1" 5)" > /dev/null
	until_true 60 is B1 unchanged
}

slot() # LABEL EXPRESSION
{
	status ".slots[] | select(.label == \"$1\") | $2"
}

is_written() # LABEL
{
	[ "$(slot "$1" '.state == "writing" and .percent > 40')" = true ]
}

is() # LABEL CLASS
{
	[ "$(slot "$1" .class)" = "$2" ]
}

is_over()
{
	[ "$(status '[.station.counts.active, (.slots[] | select(.checking))] | . == [0]')" = true ]
}

# Seconds that dfu-util takes for so many drones, one after the other, without reading back: measured
# on a real kernel, 29.9 s for 243,176 bytes (doc/rack.md 7).
dfu_util_seconds() # DRONES
{
	awk -v n="$1" -v b="$(stat -c %s "$(image 2025.12)")" 'BEGIN { printf "%d", n * 29.9 * b / 243176 }'
}

closing_line() # SECONDS
{
	local ready aside

	ready=$(status '[.slots[] | select(.ready == "yes")] | length')
	aside=$(status '[.slots[] | select(.class == "needs-button") | "\(.label) button"] +
		[.slots[] | select(.class == "unserved" or .fault == "platform") | "\(.label) platform"] +
		[.slots[] | select(.class == "fail") | "\(.label) \(.fault)"] | join(", ")')
	printf '%s of %s ready in %s s (one by one with dfu-util: %s s); set aside: %s\n' \
		"$ready" "$drones" "$1" "$(dfu_util_seconds "$ready")" "${aside:-none}"
}

answers() # PORT of this machine
{
	(: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# The wall, for a browser on this machine, at the first port that is free.
start_wall()
{
	local port=8080

	while answers $port; do
		port=$((port + 1))
	done
	cfdfu-web --listen "127.0.0.1:$port" --files "$here/../../client/web/page" --socket "$CFDFU_SOCKET" &
	wall=$!
	until_true 30 answers $port
	echo
	echo "The wall: http://127.0.0.1:$port/"
	[ ! -t 0 ] || read -r -p "Open it in a browser, and press Enter to plug the rack in. "
}

begin_watch()
{
	cfdfuctl watch &
	watch=$!
}

# Then the rack as it stands.
end_watch()
{
	sleep 1 # TIME: for the eye
	kill "$watch" 2> /dev/null || true
	wait "$watch" 2> /dev/null || true
	echo
	cfdfuctl status --no-pager
	echo
}

virtual_demo() # PORT-FUNCTION
{
	local begun

	fill_rack "$1"
	[ $web = no ] || start_wall
	begun=$(now_ms)
	begin_watch
	use_rack "$1"
	until_true 150 is_over
	begun=$((($(now_ms) - begun + 500) / 1000))
	end_watch
	cfdfuctl batch end --no-pager
	cfdfuctl batch report demo --html > "$build/../demo-report.html"
	echo
	echo "The report of this batch, to print or to file: build/demo-report.html"
	closing_line $begun
	if [ $web = yes ] && [ -t 0 ]; then
		read -r -p "Press Enter to end. "
	fi
}

show() # COUNT
{
	local rc=0

	begin_watch
	cfdfuctl wait --count "$1" --timeout 150 > /dev/null || rc=$?
	end_watch
	cfdfuctl history --no-pager
	return "$rc"
}

as_root=no
[ "$(id -u)" -ne 0 ] || as_root=yes
real=$(real_ports | paste -sd,)
if [ $as_root = yes ] && [ -n "$real" ]; then
	echo "Rack used: the drones on this machine's own ports $real."
	start_daemon cfdfud "$real"
	if [ $# -lt 2 ]; then
		echo "Without a firmware file they are only looked at: ./dev demo FIRMWARE.zip flashes them."
		cfdfuctl status
		exit
	fi
	cfdfuctl firmware add "$2" --name demo
	cfdfuctl firmware select demo
	drones=$(tr ',' '\n' <<< "$real" | grep -c .)
	[ $web = no ] || start_wall
	show "$drones"
elif [ $as_root = yes ] && { [ -d /sys/devices/platform/vhci_hcd.0 ] ||
	modprobe vhci-hcd 2> /dev/null; }; then
	echo "Rack used: the kernel's virtual USB ports (vhci_hcd) with $drones simulated drones."
	rack --socket "$rack_socket" > "$scratch/rack.log" 2>&1 &
	until_true 30 rack_do list
	start_daemon cfdfud "$(virtual_port '*')" virtual_port
	virtual_demo virtual_port
else
	echo "Rack used: $drones simulated drones in the daemon's own process: neither a drone nor vhci_hcd"
	echo "is at hand, or not as this user ('./dev demo --vm' shows the same on a real kernel)."
	export CFDFU_SIM_SOCKET=$rack_socket CFDFU_SIM_TIMING=typical
	start_daemon cfdfud-sim '*' simulated_port
	virtual_demo simulated_port
fi
