#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves that tests/documents.md names a test for each row S1-S24, and that each named test is there.
# Plants a missing test and a missing row first, and fails when it does not find them.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}

# The references `file: text` of a table, one a line.
references() # TABLE
{
	grep '^| S[0-9]* |' "$1" | tr '`' '\n' | grep -E '^[a-z0-9_/.-]+/[A-Za-z0-9_.-]+: '
}

check() # TABLE
{
	bad=0
	row=1
	while [ "$row" -le 24 ]; do
		if ! grep "^| S$row |" "$1" | grep -q "\`"; then
			echo "row S$row has no test"
			bad=1
		fi
		row=$((row + 1))
	done
	references "$1" > "$work/references"
	while IFS= read -r line; do
		file=${line%%: *}
		text=${line#*: }
		if ! grep -qF -e "$text" "$srcdir/$file" 2> /dev/null; then
			echo "$file has no \"$text\""
			bad=1
		fi
	done < "$work/references"
	return "$bad"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
table=$srcdir/tests/documents.md
sed 's/test_fw.c: a_suffix_on_a_binary/test_fw.c: no_such_test/' "$table" > "$work/planted"
sed '/^| S9 /d' "$table" > "$work/short"
for planted in planted short; do
	if check "$work/$planted" > /dev/null; then
		echo "the check does not find what is $planted"
		exit 1
	fi
done
check "$table" || exit 1
echo "$(references "$table" | wc -l) tests are named, and there"
