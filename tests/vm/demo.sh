#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo in the virtual station, live: demo.sh BUILD.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
echo "Rack used: the virtual station's (a Debian kernel in QEMU and its virtual USB ports)."
echo "The machine takes a moment to start."
CFDFU_VM_LIVE=1 "$here/run.sh" "$1" demo
