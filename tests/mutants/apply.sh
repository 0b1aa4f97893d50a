#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks that every planted bug still fits the sources, without planting it.
set -u
srcdir=${srcdir:-.}
failed=0

command -v patch > /dev/null || exit 77 # skipped
for bug in "$srcdir"/tests/mutants/[0-9][0-9]-*.patch; do
	# The sources may be read-only, so it is tried on a copy of what the patch names.
	copy=$(mktemp -d) || exit 1
	sed -n 's/^--- a\///p' "$bug" | while read -r file; do
		mkdir -p "$copy/$(dirname "$file")" && cp "$srcdir/$file" "$copy/$file"
	done
	chmod -R u+w "$copy"
	if ! patch -s -f -p1 -d "$copy" < "$bug"; then
		echo "$bug does not apply any more"
		failed=1
	fi
	rm -rf "$copy"
done
exit "$failed"
