#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The torture of cfdfu-sync: simulated stations with many records, a real PostgreSQL server of its own,
# and harm in between.  run.sh BUILD [--long] [TEST...] runs the scripts NN-*.sh here, or those whose
# names begin so; with --long with 100 stations of 10,000 attempts.  CFDFU_SYNC_SEED plays another run.
# Prints "ok NAME", "not ok NAME: why" and, as "# ..." lines, what it measured.  As root, also with a
# network that is cut and a disk that is full.
set -euo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
export long=no
if [ "${1:-}" = --long ]; then
	long=yes
	shift
fi
export PATH=$build:$PATH
export CFDFU_DEVICES_DIR=$here/../../systemd/devices # WHY: nothing is installed
export CFDFU_SQL_DIR=${CFDFU_SQL_DIR:-$here/../../client/sync/sql}
export seed=${CFDFU_SYNC_SEED:-1}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-sync.XXXXXX")
chmod 711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
echo "# seed $seed"
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
	chmod 711 "$scratch/$name"
	rc=0
	scratch=$scratch/$name timeout -k 5 "${CFDFU_SYNC_SECONDS:-7200}" bash "$script" || rc=$?
	if [ "$rc" -ne 0 ]; then
		echo "not ok $name: exit status $rc"
		failed=1
	fi
	[ -n "${CFDFU_SYNC_KEEP:-}" ] || rm -rf "${scratch:?}/$name"
done
exit "$failed"
