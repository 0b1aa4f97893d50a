#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Another Debian in a root folder, and the tree as `make dist` packs it in there.
#
#   root.sh SUITE ARCHIVE FOLDER COMMAND    the words in $packages are installed; the shell COMMAND
#                                           runs in FOLDER/tree, into which ARCHIVE is unpacked
#
# The folder is kept in $CFDFU_CACHE by suite and packages.  Needs root (or sudo), mmdebstrap.
set -euo pipefail

suite=$1
archive=$2
folder=$3
command=$4
: "${packages:?}"
cache=${CFDFU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cfdfud}
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "$0")/debian.sh"

make_root() # DIRECTORY
{
	local new

	mkdir -p "$cache"
	as_root find "$cache" -maxdepth 1 -name 'root-*' -mtime +14 -exec rm -rf {} +
	new=$cache/root-$suite-new.$$
	sources "$suite" > "$folder/sources.list"
	as_root mmdebstrap --quiet --variant=minbase --include="${packages// /,}" \
		"$suite" "$new" "$folder/sources.list"
	as_root mv "$new" "$1"
}

mkdir -p "$folder"
root=$cache/root-$suite-$(echo "$packages" | sha256sum | cut -c1-16)
[ -d "$root" ] || make_root "$root" >&2
as_root touch "$root" # WHY: those that were not used for two weeks make room
# WHY from nothing: times in the archive tell nothing about what an earlier one was compiled of.
rm -rf "$folder/tree"
mkdir "$folder/tree"
tar -C "$folder/tree" --strip-components=1 -xf "$archive"
# The mounts are this process's own, and go with it.
# shellcheck disable=SC2016 # for the shell inside
as_root unshare --mount --pid --fork --kill-child --mount-proc sh -c '
	mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/tmp" &&
		mount --bind "$2" "$1/srv" &&
		exec chroot --userspec="$3" "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
			HOME=/tmp TERM=xterm CFDFU_CACHE=/tmp/cache bash -c "cd /srv/tree && $4"' \
	sh "$root" "$(cd "$folder" && pwd)" "$(id -u):$(id -g)" "$command"
