#!/bin/sh
# SPDX-License-Identifier: MIT
# The journal's catalogue has an entry for each MESSAGE_ID of the station and no other, and names
# fields that messages have.  Plants an error of each kind first.  Pages have no date of their own: the
# build gives them one.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
ids=$srcdir/daemon/app/log.h
catalogue=$srcdir/systemd/cfdfud.catalog

check() # IDS CATALOGUE
{
	awk '
	FNR == NR {
		if (match($0, /LOG_ID_.* "[0-9a-f]+"/)) {
			gsub(/"/, "", $3)
			id[$3] = $2
		} else if (match($0, /CFDFU_[A-Z]+/))
			field[substr($0, RSTART, RLENGTH)] = 1
		next
	}
	/^-- / { n++; if (!($2 in id)) print "no message has the id " $2; if (seen[$2]++) print $2 " twice" }
	/^Subject: / { subjects++ }
	{
		line = $0
		while (match(line, /@[^@ ]+@/)) {
			name = substr(line, RSTART + 1, RLENGTH - 2)
			if (!(name in field)) print "no message has the field " name
			line = substr(line, RSTART + RLENGTH)
		}
	}
	END {
		for (i in id) if (!seen[i]) print "no entry for " id[i]
		if (n != subjects) print n " entries, " subjects " subjects"
	}' "$1" "$2"
}

undated() # PAGE...
{
	# shellcheck disable=SC2016 # mdoc(7)'s notation
	grep -L -x '\.Dd \$Mdocdate\$' "$@"
}

planted=$(mktemp) || exit 1
trap 'rm -f "$planted"' EXIT
for spoil in '/e01"/d' '/"5f.*e05"/s/05"/99"/'; do
	sed "$spoil" "$ids" > "$planted"
	[ -n "$(check "$planted" "$catalogue")" ] || { echo "not noticed: $spoil"; exit 1; }
done
for spoil in 's/^Subject: .*//' 's/@CFDFU_VERDICT@/@CFDFU_ENDING@/'; do
	sed "$spoil" "$catalogue" > "$planted"
	[ -n "$(check "$ids" "$planted")" ] || { echo "not noticed: $spoil"; exit 1; }
done
echo '.Dd January 1, 2025' > "$planted"
[ -n "$(undated "$planted")" ] || { echo "not noticed: a page's own date"; exit 1; }

bad=$(check "$ids" "$catalogue"; find "$srcdir/client" "$srcdir/daemon" -name '*.[158]' | while read -r page; do
	undated "$page"
done | sed 's,$,: has a date of its own,')
[ -z "$bad" ] || { printf '%s\n' "$bad"; exit 1; }
