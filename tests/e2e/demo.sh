#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A rack of eight drones flashed live, then its history: demo.sh BUILD [FIRMWARE].  Uses the best rack
# there is: real drones, as root (they are flashed with FIRMWARE, and only looked at without one); the
# kernel's virtual ports, as root, where it has vhci_hcd; otherwise simulated drones in the daemon's
# own process.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
export PATH=$build:$PATH
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-demo.XXXXXX")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

drones=8
daemon=

finish()
{
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

start_daemon() # PROGRAM PORTS
{
	printf '[station]\nports = %s\n' "$2" > "$scratch/demo.conf"
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

plug_rack() # PORT-FUNCTION
{
	local n old

	old=$(image 2025.02)
	for n in $(seq 1 $drones); do
		# Addresses of their own: drones that share the factory's are not ready.
		rack_add "$("$1" "$n")" "$old" address="$(printf 'E7E7E7E7%02X' "$n")"
	done
	cfdfuctl firmware add "$(image 2025.12)" --name demo-2025.12
	cfdfuctl firmware select demo-2025.12
	for n in $(seq 1 $drones); do
		rack_do plug "$("$1" "$n")" > /dev/null
	done
}

show() # COUNT
{
	local watch rc=0

	cfdfuctl watch &
	watch=$!
	cfdfuctl wait --count "$1" --timeout 150 > /dev/null || rc=$?
	sleep 1 # TIME: for the eye
	kill "$watch" 2> /dev/null || true
	wait "$watch" 2> /dev/null || true
	echo
	cfdfuctl status
	echo
	cfdfuctl history
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
elif [ $as_root = yes ] && { [ -d /sys/devices/platform/vhci_hcd.0 ] ||
	modprobe vhci-hcd 2> /dev/null; }; then
	echo "Rack used: the kernel's virtual USB ports (vhci_hcd) with $drones simulated drones."
	rack --socket "$rack_socket" > "$scratch/rack.log" 2>&1 &
	until_true 30 rack_do list
	start_daemon cfdfud "$(virtual_port '*')"
	plug_rack virtual_port
else
	echo "Rack used: $drones simulated drones in the daemon's own process (no drone, no vhci_hcd or"
	echo "no root here; './dev demo --vm' shows the same on a real kernel)."
	export CFDFU_SIM_SOCKET=$rack_socket CFDFU_SIM_TIMING=typical
	start_daemon cfdfud-sim '*'
	plug_rack simulated_port
fi
show "$drones"
