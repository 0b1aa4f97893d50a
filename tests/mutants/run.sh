#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Proves that the tests can fail: every patch in this directory plants one deliberate bug in a copy of
# the tree, and each of them has to be caught.  The first lines of a patch say what the bug is, and
# "Caught by: TEST" which test of the build (unit/..., flow/...) or script (e2e/NN, sync/NN) is to notice;
# without it the tests of the engine are tried, cheap ones first.
#
#   run.sh DIRECTORY [NAME...]   works in DIRECTORY; NAME: the beginnings of patches' names, else all
#
# Prints "killed NAME by TEST" or "survived NAME: why"; exit status 1 when one did.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
seconds=1200 # LIMIT: of one test (the sweep takes five minutes); one that hangs has noticed the bug
tests=(unit/test_dfuse unit/test_dfuse_sweep unit/test_plan
	unit/test_plan_edges unit/test_maps unit/test_crtp unit/test_descr unit/test_ident
	unit/test_policy unit/test_pace unit/test_sched unit/test_job_odd unit/test_job_ends
	unit/test_job unit/test_job_alone flow/flow flow/sweep)

available()
{
	local t

	for t in "${tests[@]}"; do
		if grep -q "tests/$t" "$top/Makefile.am"; then
			echo "tests/$t"
		fi
	done
}

run_test() # TEST
{
	case $1 in
	e2e/*)
		nice timeout "$seconds" "$top/tests/e2e/run.sh" . "${1#e2e/}" > "$work/test.log" 2>&1 &&
			! grep -q '^not ok' "$work/test.log"
		return
		;;
	sync/*)
		CFDFU_SQL_DIR=$work/tree/client/sync/sql nice timeout "$seconds" \
			"$top/tests/sync/run.sh" . "${1#sync/}" > "$work/test.log" 2>&1 &&
			! grep -q '^not ok' "$work/test.log"
		return
		;;
	*/flow) set -- "$1" --runs 1000 --seed 1 ;;
	*/sweep) set -- "$1" --pairs 0 ;;
	esac
	nice timeout "$seconds" "$@" > "$work/test.log" 2>&1
}

# A copy of the tree, and a build of it.
prepare()
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree/build"
	(cd "$top" && tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' .) |
		tar -C "$work/tree" -xf -
	cd "$work/tree"
	[ -x configure ] || autoreconf -fi > "$work/autoreconf.log" 2>&1
	cd build
	../configure --enable-sanitizers CFLAGS="-g -O1" > "$work/configure.log" 2>&1
}

# The make targets of a test.
targets_of() # TEST
{
	case $1 in
	sync/*) echo cfdfuctl cfdfud-sim cfdfu-sync mkstations pgproxy ;;
	e2e/*) echo cfdfud cfdfuctl cfdfud-sim mkimage mkbad rack flood ;;
	tests/unit/test_client*) echo cfdfuctl "$1" ;; # they run the program
	*) echo "$1" ;;
	esac
}

# The tests that a patch names, as they are called in the build; else all.
candidates() # PATCH
{
	local named

	named=$(sed -n 's/^Caught by: //p' "$1")
	if [ -n "$named" ]; then
		# shellcheck disable=SC2086 # several words
		printf '%s\n' $named | sed -E '/^(e2e|sync)/!s,^,tests/,'
	else
		printf '%s\n' "${programs[@]}"
	fi
}

# The first test that notices; nothing when none does.
catcher() # PATCH
{
	local program

	for program in $(candidates "$1"); do
		# shellcheck disable=SC2046 # several words
		if ! make -j"$(nproc)" $(targets_of "$program") >> "$log" 2>&1; then
			echo "the compiler"
			return
		fi
		if ! run_test "$program"; then
			echo "$program"
			return
		fi
	done
}

# Do the tests that are to notice pass without the bug?  Else a failure would prove nothing.
declare -A passes=()
passes_without() # PATCH
{
	local program

	for program in $(candidates "$1"); do
		[ -z "${passes[$program]:-}" ] || continue
		# shellcheck disable=SC2046 # several words
		make -j"$(nproc)" $(targets_of "$program") >> "$log" 2>&1 || return 1
		run_test "$program" || return 1
		passes[$program]=yes
	done
}

try() # PATCH
{
	local by

	name=$(basename "$1" .patch)
	log=$work/$name.log
	if ! patch -s -d .. -p1 --dry-run < "$1" > "$log" 2>&1; then
		survived "$name" "the patch does not apply any more"
		return
	fi
	if ! passes_without "$1"; then
		survived "$name" "what is to notice it fails without it, too"
		return
	fi
	patch -s -d .. -p1 --no-backup-if-mismatch < "$1" >> "$log" 2>&1
	by=$(catcher "$1")
	patch -s -d .. -p1 -R --no-backup-if-mismatch < "$1" >> "$log" 2>&1
	case $by in
	"") survived "$name" "no test noticed" ;;
	"the compiler") survived "$name" "it does not compile" ;;
	*) echo "killed $name by $by" ;;
	esac
}

survived() # NAME WHY
{
	echo "survived $1: $2"
	survivors=$((survivors + 1))
}

mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
survivors=0
mapfile -t programs < <(available)
prepare
for name in "${@:-}"; do
	for patch in "$here/$name"*.patch; do
		try "$patch"
	done
done
[ "$survivors" -eq 0 ]
