#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves that tests/fault-matrix.md has each of the 110 rows once, that each test named there is there
# and runs, and that at least 95 rows are covered.  Plants an error of each kind first, and fails when
# it does not find them.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
wanted=95

rows()
{
	for part in U:19 P:18 H:12 K:10 D:15 F:9 C:10 S:11 O:6; do
		number=1
		while [ "$number" -le "${part#*:}" ]; do
			echo "${part%:*}$number"
			number=$((number + 1))
		done
	done
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
		times[$1] != 1 { print "row " $1 " is there " times[$1] + 0 " times"; next }
		text[$1] ~ /`[a-z0-9_.\/-]+\/[A-Za-z0-9_.-]+: [^`]+`/ { covered++; next }
		text[$1] !~ /\| not covered: [a-z]/ {
			print "row " $1 " has neither a test nor a reason"
		}
		END { print covered + 0 > "/dev/stderr" }' > "$work/wrong" 2> "$work/covered"
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
echo "$covered of 110 rows are covered, by $(wc -l < "$work/references") tests"
