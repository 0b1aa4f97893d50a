#!/bin/bash
# SPDX-License-Identifier: MIT
# The virtual station itself: if this fails, the results of the other tests are void.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

same "the kernel offers 8 controllers of virtual USB ports" 8 \
	"$(find /sys/devices/platform -maxdepth 1 -name 'vhci_hcd.*' | wc -l)"
same "a controller has 15 ports of full and high speed" 15 \
	"$(cat /sys/bus/usb/devices/usb1/maxchild)"
same "dfu-util is the version the figures are about" "dfu-util 0.11" \
	"$(dfu-util --version | head -n 1)"
same "no unit of the plain machine failed" "" "$(systemctl --failed --plain --no-legend)"
echo probe > /share/probe
same "the shared directory keeps what is written" probe "$(cat /share/probe)"
holds "there is a disk" until_true 30 test -b /dev/vda
