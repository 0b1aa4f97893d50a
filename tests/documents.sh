#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves that tests/documents.md names a test for each row S1-S24, that each named test is there, and
# that each source file which the documents for developers name is in the tree.
# Plants a missing test, a missing row and a missing file first, and fails when it does not find them.
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

# The source files that a document names, with or without their folder; NAMES in capitals are examples.
named() # DOCUMENT
{
	grep -oE '`[a-z_/.0-9-]+\.(c|h|sh|awk)\b[^o]' "$1" | grep -oE '[a-z_/.0-9-]+\.(c|h|sh|awk)' | sort -u
}

files() # DOCUMENT...
{
	bad=0
	for document in "$@"; do
		for file in $(named "$document"); do
			if ! grep -qE "(^|/)$file\$" "$work/tree"; then
				echo "$document: there is no $file"
				bad=1
			fi
		done
	done
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
(cd "$srcdir" && find daemon client include tests -type f) > "$work/tree"
# shellcheck disable=SC2016 # not a command
echo 'see `core/no_such_file.c`' > "$work/planted"
if files "$work/planted" > /dev/null; then
	echo "the check does not find a file that is not there"
	exit 1
fi
files "$srcdir"/doc/architecture.md "$srcdir"/doc/recipes.md "$srcdir"/doc/glossary.md \
	"$srcdir"/doc/promises.md "$srcdir"/CONTRIBUTING.md "$srcdir"/README.md \
	"$srcdir"/tests/README.md || exit 1
echo "$(references "$table" | wc -l) tests are named, and there"
