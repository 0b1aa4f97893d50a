#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Proves that the tests can fail: every patch in this directory plants one deliberate bug, and each of
# them has to be caught.  run.sh DIRECTORY works on a copy of the tree in DIRECTORY; the first lines
# of a patch say what the bug is.  Prints "ok NAME caught by TEST" or "not ok NAME: why".
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)

# A copy of what the tests need, and a build of it that passes: else a failure would prove nothing.
prepare()
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree"
	(cd "$top" && tar -cf - --exclude=./build --exclude=./.git .) | tar -C "$work/tree" -xf -
	mkdir -p "$work/tree/build"
	cd "$work/tree/build"
	../configure CFLAGS="-g -O1" > "$work/configure.log" 2>&1
	make -j"$(nproc)" check > "$work/baseline.log" 2>&1
}

# The first test program that failed.
catcher()
{
	sed -n 's/^FAIL: *//p' "$1" | head -n 1
}

try() # PATCH
{
	local name log

	name=$(basename "$1" .patch)
	log=$work/$name.log
	cd "$work/tree"
	if ! patch -s -p1 < "$1" > "$log" 2>&1; then
		echo "not ok $name: the patch no longer applies"
		patch -s -R -p1 -f < "$1" > /dev/null 2>&1 || true
		return
	fi
	if ! make -C build -j"$(nproc)" all >> "$log" 2>&1; then
		echo "not ok $name: it does not compile"
	elif make -C build -j"$(nproc)" check >> "$log" 2>&1; then
		echo "not ok $name: no test noticed"
	else
		echo "ok $name caught by $(catcher "$log")"
	fi
	patch -s -R -p1 < "$1"
}

if ! prepare; then
	echo "not ok baseline: the tests fail without a bug, see $work/baseline.log"
	exit 1
fi
for patch in "$here"/[0-9][0-9]-*.patch; do
	try "$patch"
done
