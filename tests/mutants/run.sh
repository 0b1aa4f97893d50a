#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Proves that the tests can fail: every patch in this directory plants one deliberate bug in a copy of
# the tree, and each of them has to be caught.  The first lines of a patch say what the bug is.
#
#   run.sh DIRECTORY [NAME...]   works in DIRECTORY; NAME: the beginnings of patches' names, else all
#
# Prints "killed NAME by TEST" or "survived NAME: why"; exit status 1 when one did.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
seconds=300 # LIMIT: of one test; a bug that makes it hang is a bug that was noticed
# The tests of the engine, cheap ones first: the first that fails ends the trial.
tests=(unit/test_dfuse unit/test_dfuse_edges unit/test_dfuse_sweep unit/test_plan
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
	*/flow) set -- "$1" --runs 1000 --seed 1 ;;
	*/sweep) set -- "$1" --pairs 0 ;;
	esac
	nice timeout "$seconds" "$@" > "$work/test.log" 2>&1
}

# A copy of the tree and a build of it that passes: else a failure would prove nothing.
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
	make -j"$(nproc)" "${programs[@]}" > "$work/make.log" 2>&1
	for program in "${programs[@]}"; do
		run_test "$program" || { echo "$program fails without a bug"; return 1; }
	done
}

# The first test that notices; nothing when none does.
catcher()
{
	local program

	for program in "${programs[@]}"; do
		if ! make "$program" >> "$log" 2>&1; then
			echo "the compiler"
			return
		fi
		if ! run_test "$program"; then
			echo "$program"
			return
		fi
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
	patch -s -d .. -p1 --no-backup-if-mismatch < "$1" >> "$log" 2>&1
	by=$(catcher)
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
if ! prepare; then
	echo "survived all: the tests fail without a bug, see $work"
	exit 1
fi
for name in "${@:-}"; do
	for patch in "$here/$name"*.patch; do
		try "$patch"
	done
done
[ "$survivors" -eq 0 ]
