#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# End-to-end tests: the real client and the real daemon's code against simulated drones in one
# process (cfdfud-sim), without root.  run.sh BUILD [TEST...] runs the scripts NN-*.sh here, or those
# whose names begin so.  Prints "ok NAME", "not ok NAME: why" and, as "# ..." lines, remarks.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
export PATH=$build:$PATH
export CFDFU_DEVICES_DIR=$here/../../systemd/devices # WHY: nothing is installed
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-e2e.XXXXXX")
chmod 711 "$scratch" # WHY: who may only look has to reach the socket
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
failed=0
for script in "$here"/[0-9][0-9]-*.sh; do
	name=$(basename "$script" .sh)
	wanted=$#
	for prefix in "$@"; do
		case $name in
		"$prefix"*) wanted=0 ;;
		esac
	done
	[ "$wanted" -eq 0 ] || continue
	echo "# $name"
	mkdir -p "$scratch/$name"
	rc=0
	scratch=$scratch/$name timeout -k 5 900 bash "$script" || rc=$?
	if [ "$rc" -ne 0 ]; then
		echo "not ok $name: exit status $rc"
		failed=1
	fi
	rm -rf "${scratch:?}/$name"
done
exit "$failed"
