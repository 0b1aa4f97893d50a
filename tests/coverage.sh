#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which branches of the engine and of the record writer the tests take.
#
#   coverage.sh BUILD      BUILD: configured with --enable-coverage CFLAGS="-g -O0"
#
# Prints gcovr's table; exit status 1 when a branch is missing that is not explained.  Not counted:
# assertions, and lines that say NEVER: and why.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
cd "$build"

# The unit tests of the engine and of the store.
modules='crtp|descr|dfuse|flash|ident|image|job|layout|maps|pace|plan|policy|record|sched|store'
mapfile -t programs < <(grep -o -w -E "tests/unit/test_($modules)(_[a-z_]*)?" "$top/Makefile.am")
programs+=(tests/flow/flow tests/flow/sweep)
find . -name '*.gcda' -delete
make -j"$(nproc)" "${programs[@]}" > coverage.log 2>&1
for program in "${programs[@]}"; do
	case $program in
	*/flow) set -- "$program" --runs 300 --seed 1 ;;
	*/sweep) set -- "$program" --pairs 0 ;;
	*) set -- "$program" ;;
	esac
	"./$1" "${@:2}" >> coverage.log 2>&1 || {
		echo "coverage: $program fails, see $build/coverage.log" >&2
		exit 1
	}
done
gcovr -r "$top" --branches --fail-under-branch 100 \
	--exclude-branches-by-pattern '.*(\bassert\(|NEVER:).*' \
	--filter "$top/daemon/core/(dfuse|plan|layout|ident|job)[^/]*\\.c\$" \
	--filter "$top/daemon/store/record[^/]*\\.c\$" . 2>> coverage.log
