#!/bin/bash
# SPDX-License-Identifier: MIT
# A rack of eight drones on the kernel's virtual USB ports, flashed live by the installed station.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8

station_install
station_reset
rack_start typical
for p in $(ports 1 $drones); do
	rack_add "$p" "$(image 2025.02)"
done
cfdfuctl firmware add "$(image 2025.12)" --name demo-2025.12
cfdfuctl firmware select demo-2025.12
for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
cfdfuctl watch &
watch=$!
cfdfuctl wait --count $drones --timeout 150 > /dev/null
rc=$?
sleep 1
kill $watch
echo
cfdfuctl status
cfdfuctl history
exit $rc
