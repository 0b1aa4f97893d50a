#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves that tests/fault-matrix.md has each row of doc/faults.md A9 once and no other, that each test
# named there is there and runs, and that at least 95 rows are covered.  Plants an error of each kind first, and fails when
# it does not find them.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
wanted=95

# The faults of the tables in doc/faults.md A9, one a line.
rows()
{
	sed -nE '/^## A9/,/^## A10/s/^\| ([A-Z]+[0-9]+) \|.*/\1/p' "$srcdir/doc/faults.md"
}

# The references `file: text` of lines, one a line.
references()
{
	tr '`' '\n' | grep -E '^[a-z0-9_/.-]+/[A-Za-z0-9_.-]+: '
}

# A test function has to be registered beside being written, a sentence must not be a comment.
is_there() # FILE TEXT
{
	[ -f "$srcdir/$1" ] || return 1
	case $1 in
	tests/unit/*.c | tests/flow/*.c)
		case $2 in
		*[!a-z0-9_]*) ;;
		*)
			grep -qE "^(TEST|TEST_SET_UP|SCENE)\($2\)|^(TEST|SCENE)_WITH\($2," "$srcdir/$1"
			return
			;;
		esac
		;;
	esac
	grep -v '^[	 ]*#' "$srcdir/$1" | grep -qF -e "$2"
}

check() # TABLE
{
	rows | awk -F'|' -v table="$1" '
		BEGIN {
			while ((getline line < table) > 0) {
				split(line, cell, "|")
				gsub(/ /, "", cell[2])
				times[cell[2]]++
				text[cell[2]] = line
			}
		}
		{ known[$1] = 1 }
		times[$1] != 1 { print "row " $1 " is there " times[$1] + 0 " times"; next }
		text[$1] ~ /`[a-z0-9_.\/-]+\/[A-Za-z0-9_.-]+: [^`]+`/ { covered++; next }
		text[$1] !~ /\| not covered: [a-z]/ {
			print "row " $1 " has neither a test nor a reason"
		}
		END {
			for (id in times)
				if (id ~ /^[A-Z]+[0-9]+$/ && !(id in known))
					print "row " id " is not in doc/faults.md A9"
			print covered + 0 > "/dev/stderr"
		}' > "$work/wrong" 2> "$work/covered"
	read -r covered < "$work/covered"
	if [ "$covered" -lt "$wanted" ]; then
		echo "$covered rows are covered, $wanted have to be" >> "$work/wrong"
	fi
	references < "$1" | sort -u > "$work/references"
	touch "$work/found"
	grep -vxF -f "$work/found" "$work/references" | while IFS= read -r line; do
		if is_there "${line%%: *}" "${line#*: }"; then
			echo "$line" >> "$work/found"
		else
			echo "${line%%: *} has no test \"${line#*: }\"" >> "$work/wrong"
		fi
	done
	cat "$work/wrong"
	[ ! -s "$work/wrong" ]
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
table=$srcdir/tests/fault-matrix.md
mkdir "$work/planted"
sed 's/: a_drone_pulled_during_verification_never_passes/: no_such_test/' "$table" > "$work/planted/test"
sed 's/: a_drone_pulled_during_verification_never_passes/: pull_at/' "$table" > "$work/planted/helper"
sed 's/: told to stop, it stops/: no such sentence/' "$table" > "$work/planted/sentence"
sed '/^| D9 /d' "$table" > "$work/planted/row"
sed 's/^| D9 /| D8 /' "$table" > "$work/planted/twice"
sed 's/^| D9 /| D99 | a fault | not covered: it is none |\n&/' "$table" > "$work/planted/unknown"
sed 's/^| C4 .*/| C4 | a watcher never reads | by looking at it |/' "$table" > "$work/planted/reason"
sed 's/^\(| [USP][0-9]* | [^|]*|\).*/\1 not covered: no reason |/' "$table" > "$work/planted/few"
check "$table" > "$work/true"
for planted in "$work"/planted/*; do
	if check "$planted" > "$work/said" || cmp -s "$work/said" "$work/true"; then
		echo "the check does not find a planted error: $(basename "$planted")"
		exit 1
	fi
done
check "$table" || exit 1
twice=$(rows | sort | uniq -d)
if [ -n "$twice" ]; then
	echo "doc/faults.md A9 has twice: $twice"
	exit 1
fi
echo "$covered of $(rows | wc -l) rows are covered, by $(wc -l < "$work/references") tests"
