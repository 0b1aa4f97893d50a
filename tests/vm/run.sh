#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of the virtual station: run.sh BUILD [--on SUITE] [TEST...], where BUILD is a built
# tree and TEST a name, or the beginning of one, of scripts in guest/ (default: all of guest/NN-*.sh).
# On another Debian it is the packages that are tested, and nothing is installed but they: they and the
# programs of the tests were made there, in BUILD/../SUITE (./dev vm --on).
# Tests whose names begin with the same character share a boot.  Prints their lines "ok NAME",
# "not ok NAME: why" and, as "# ..." lines, what they measured.  With CFDFU_VM_LIVE the output comes
# as it is written in the guest.  What the guest left in its `out` directory is in CFDFU_VM_LOGS
# (BUILD/vm, BUILD/vm-SUITE) after.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
suite=
made=$build
if [ "${1:-}" = --on ]; then
	suite=$2
	made=$build/../$suite/tree/build/plain
	shift 2
	[ $# -gt 0 ] || set -- 27
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-vm.XXXXXX")
boot=
tail=
trap '[ -z "$boot" ] || { kill "$boot"; wait "$boot" || true; }
	[ -z "$tail" ] || kill "$tail"
	rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
logs=${CFDFU_VM_LOGS:-$build/vm${suite:+-$suite}}
seconds=${CFDFU_VM_SECONDS:-3000}
power_cuts_max=6

select_tests() # [TEST...]
{
	local test want

	for test in "$here"/guest/*.sh; do
		test=$(basename "$test" .sh)
		case $#$test in
		0[0-9]*) echo "$test" ;;
		esac
		for want in "$@"; do
			case $test in
			"$want"* | ??-"$want"*) echo "$test" ;;
			esac
		done
	done | sort -u
}

# Uninstall takes away all that install has put there, and directories of ours, too.
check_uninstall()
{
	local left

	make -C "$build" uninstall DESTDIR="$work/root" > "$logs/uninstall.log" 2>&1
	left=$(cd "$work/root" && find . ! -type d -o -path '*cfdfu*' | sort | paste -sd' ')
	if [ -z "$left" ]; then
		echo "ok make uninstall removes all that make install has put there"
	else
		echo "not ok make uninstall leaves $left"
	fi
}

# The Debian packages beside the build, and older ones that differ in their version alone.
make_debs() # DIRECTORY
{
	local deb version

	for deb in "$made"/../deb/*.deb; do
		[ -e "$deb" ] || return 0
		mkdir -p "$1/old"
		cp "$deb" "$1/"
		dpkg-deb -R "$deb" "$work/deb"
		version=$(dpkg-deb -f "$deb" Version)
		sed -i "s/^Version: .*/Version: 0${version#?}/" "$work/deb/DEBIAN/control"
		find "$work/deb/usr" -name 'cfdfu*' -type f -perm -u+x -exec \
			sed -i "s/${version//./\\.}/0${version#?}/g" {} +
		dpkg-deb --root-owner-group -Zgzip -b "$work/deb" "$1/old/" > /dev/null
		rm -rf "$work/deb"
	done
}

# A release that a site has signed, from yesterday to tomorrow by the host's clock, which the guest starts with.
make_site() # DIRECTORY
{
	mkdir -p "$1"
	"$share/bin/mkimage" --format zip2 --tag 2025.12 "$1/release.zip"
	jq -n --arg sum "$(sha256sum < "$1/release.zip" | cut -d' ' -f1)" '{format: 1, serial: 1,
		valid_from: (now - 86400 | todate), valid_until: (now + 86400 | todate), firmware: [{platform: "cf2",
		name: "signed", version: "2025.12", sha256: $sum, file: "release.zip"}]}' > "$1/selection.json"
	minisign -G -W -p "$1/site.pub" -s "$work/site.key" > "$logs/minisign.log"
	minisign -S -s "$work/site.key" -m "$1/selection.json" >> "$logs/minisign.log"
	rm "$work/site.key"
}

# Makes the guest's input: the installation as an archive, the test programs, its scripts.
make_share() # DIRECTORY
{
	local share=$1 program

	mkdir -p "$share/bin" "$work/root"
	if [ -z "$suite" ] && [ ! -e "$work/install.tar" ]; then
		make -C "$build" install DESTDIR="$work/root" > "$logs/install.log" 2>&1
		tar -C "$work/root" --owner=0 --group=0 -cf "$work/install.tar" .
		check_uninstall
	fi
	[ -n "$suite" ] || cp "$work/install.tar" "$share/"
	[ -d "$share/debs" ] || make_debs "$share/debs"
	cp -R "$here/guest" "$here/../sim/racks" "$share/"
	cp -R "$here/../e2e/records-8" "$share/guest/"
	cp "$here"/../e2e/{common,firmware,typed}.sh "$here/../../README.md" \
		"$here/../../daemon/cfdfud.8" "$share/guest/"
	for program in rack mkimage mkbad cfdfud-sim; do
		find "$made" -maxdepth 3 -name "$program" -type f -perm -u+x -exec cp {} "$share/bin/" \;
	done
	[ -n "$suite" ] || make_site "$share/guest/site"
}

make_job() # SHARE BOOT-NUMBER TEST...
{
	local share=$1 number=$2 test

	shift 2
	{
		echo "export BOOT=$number PATH=/opt/vm/bin:\$PATH"
		echo "mkdir -p /opt/vm/bin /opt/vm/guest && cp /share/bin/* /opt/vm/bin/"
		echo "cp -R /share/guest/. /share/racks /opt/vm/guest/"
		for test in "$@"; do
			echo "echo '# $test'"
			echo "bash /opt/vm/guest/$test.sh || echo \"not ok $test exit status \$?\""
		done
	} > "$share/job"
}

# One boot; its job's output goes to ours, at the end or while it comes.
boot_once() # SHARE
{
	local rc=0

	: > "$1/job.log"
	if [ -n "${CFDFU_VM_LIVE:-}" ]; then
		tail -n +1 -s 0.2 -f "$1/job.log" &
		tail=$!
	fi
	"$here/boot.sh" "$base" "$1" --disk "$work/disk" --seconds "$seconds" &
	boot=$!
	wait "$boot" || rc=$?
	boot=
	if [ -n "$tail" ]; then
		sleep 0.5
		kill "$tail"
		wait "$tail" 2> /dev/null || true
		tail=
	else
		cat "$1/job.log"
	fi
	return "$rc"
}

# One group of tests: boots until the job comes to its end, again after every power cut it asked for.
run_group() # TEST...
{
	local group=${1:0:1} number=1 rc share

	share=$work/group-$group
	mkdir -p "$share"
	make_share "$share"
	truncate -s 256M "$work/disk"
	while :; do
		make_job "$share" "$number" "$@"
		rc=0
		boot_once "$share" || rc=$?
		cat "$share/console.log" >> "$logs/console-$group.log" 2> /dev/null || true
		if [ "$rc" -ne 137 ] || [ "$number" -gt "$power_cuts_max" ]; then
			break
		fi
		number=$((number + 1))
	done
	[ ! -d "$share/out" ] || cp -R "$share/out/." "$logs/"
	case $rc in
	0) ;;
	124) echo "not ok group-$group out of time after $seconds s" ;;
	125) echo "not ok group-$group the machine went down before its job was over" ;;
	137) echo "not ok group-$group more than $power_cuts_max power cuts" ;;
	*) echo "not ok group-$group exit status $rc" ;;
	esac
	rm -rf "$share" "$work/disk"
}

rm -rf "$logs"
mkdir -p "$logs"
mapfile -t tests < <(select_tests "$@")
[ ${#tests[@]} -gt 0 ] || {
	echo "not ok vm no such test: $*"
	exit 1
}
base=$("$here/base.sh" ${suite:+"$suite"})
group=()
for test in "${tests[@]}"; do
	if [ ${#group[@]} -gt 0 ] && [ "${group[0]:0:1}" != "${test:0:1}" ]; then
		run_group "${group[@]}"
		group=()
	fi
	group+=("$test")
done
run_group "${group[@]}"
