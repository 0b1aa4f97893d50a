#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pages in a real browser, without a package of Node's: run.sh BUILD [NAME...]
# runs the tests NAME.test.mjs, or all.  Prints "ok NAME", "not ok NAME", "skip NAME: why", and as
# "# ..." remarks.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
export PATH=$build:$PATH
export CFDFU_DEVICES_DIR=$here/../../systemd/devices # WHY: nothing is installed
failed=0

types=$(tsc --project "$here" 2>&1)
if [ -z "$types" ]; then
	echo "ok the pages' types are right"
else
	echo "not ok the pages' types are right: ${types//$'\n'/ | }"
	failed=1
fi
# They mostly wait, so they run beside one another.
names=()
for file in "$here"/*.test.mjs; do
	name=$(basename "$file" .test.mjs)
	case " ${*:-$name} " in
	*" $name "*) ;;
	*) continue ;;
	esac
	names+=("$name")
	timeout -k 5 600 node --test-reporter=tap "$file" > "$build/web-$name.log" 2>&1 &
done
wait
for name in "${names[@]}"; do
	# Of the whole stream only the lines of tests themselves, without their numbers.
	sed -nE -e 's/^ok [0-9]+ - (.*) # SKIP (.*)/skip \1: \2/p' -e t -e 's/^(ok|not ok) [0-9]+ - /\1 /p' \
		-e '/^# (Subtest|tests|suites|pass|fail|cancel|skip|todo|duration)/d' -e '/^# /p' "$build/web-$name.log"
	grep -qE '^# (pass|skipped) [1-9]' "$build/web-$name.log" ||
		echo "not ok $name runs: $(tail -n 3 "$build/web-$name.log" | tr '\n' ' ')"
	grep -q '^# fail 0' "$build/web-$name.log" || failed=1
done
exit $failed
