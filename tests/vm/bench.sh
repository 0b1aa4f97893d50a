#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The benches in the virtual station, in one boot: bench.sh BUILD.  Prints the table; bench.json and
# bench.txt are in BUILD/vm afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
export CFDFU_VM_SECONDS=${CFDFU_VM_SECONDS:-5400}
rc=0
"$here/run.sh" "$build" bench > "$build/bench.log" || rc=1
if [ ! -s "$build/vm/bench.txt" ] || grep '^not ok' "$build/bench.log"; then
	rc=1
fi
cat "$build/vm/bench.txt" "$build/vm/bench.txt.bars"
echo "as JSON: $build/vm/bench.json"
exit "$rc"
