#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks rules that no compiler knows: sizes, licence lines, order of includes, open ends.
#
#   style.sh                checks the tree in $srcdir
#   style.sh --self-test    proves that each rule can fail, on files with one planted violation each
#
# Prints one line per violation; exit status 1 when there is one.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}

# All enumerators of ours, one a line: a switch over them names every one and has no default.  Not the
# vocabulary of DFU, which is compared with bytes from devices.
our_enumerators()
{
	# shellcheck disable=SC2016 # awk's dollars
	find "$1/include" "$1/daemon" "$1/client" -name '*.h' ! -name dfu.h 2>/dev/null | sort |
		xargs -r awk '
		/^enum [a-z_]+ \{/ { inside = 1; sub(/^[^{]*\{/, "") }
		inside {
			line = $0
			gsub(/\/\*.*\*\//, "", line)
			while (match(line, /[A-Z][A-Z0-9_]+/)) {
				print substr(line, RSTART, RLENGTH)
				line = substr(line, RSTART + RLENGTH)
			}
			if ($0 ~ /\}/)
				inside = 0
		}'
}

# Sources that people write; what the build generates is not looked at.
c_files()
{
	find "$1/include" "$1/daemon" "$1/client" "$1/tests" -name '*.[ch]' \
		! -name station_text.h 2>/dev/null | sort
}

check_c_files()
{
	# shellcheck disable=SC2046 # names of files here have no blanks
	our_enumerators "$1" | awk -v root="$1/" '
	FILENAME == "-" { enumerator[$1] = 1; next }
	FNR == 1 {
		finish()
		path = FILENAME
		if (index(path, root) == 1)
			path = substr(path, length(root) + 1)
		own = path
		sub(/.*\//, "", own)
		sub(/[.]c$/, ".h", own)
		header_there = 0
		if (path ~ /[.]c$/) {
			header = FILENAME
			sub(/[.]c$/, ".h", header)
			header_there = (getline unused < header) >= 0
			close(header)
		}
		includes = 0
		depth = 0
		if ($0 != "/* SPDX-License-Identifier: MIT */")
			say("does not begin with the SPDX line")
	}
	{ lines = FNR }
	width($0) > 100 { say("has " width($0) " columns, 100 are allowed") }
	/[ \t]$/ { say("ends in a blank") }
	/(^|[^A-Za-z_])(TO[D]O|FIX[M]E|X[X]X)([^A-Za-z_]|$)/ { say("is a note for later") }
	/^typedef (struct|enum|union)/ { say("hides a struct, enum or union behind a name") }
	/^[ \t]*#[ \t]*include[ \t]/ && !/[<"]config[.]h[">]/ {
		if (includes++ == 0 && header_there && !index($0, "/" own "\"") &&
		    !index($0, "\"" own "\""))
			say("includes something before its own header")
	}
	/^[A-Za-z_].*\(/ { begin = FNR; name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^}/ && begin > 0 {
		if (opened && FNR - begin + 1 > 60)
			say(name "() has " FNR - begin + 1 " lines, 60 are allowed")
		begin = opened = 0
	}
	/^\{/ { opened = 1 }
	/^[ \t]*switch \(/ { depth++; over_ours[depth] = has_default[depth] = 0 }
	depth > 0 && /^[ \t]*case [A-Z]/ {
		constant = $0
		sub(/^[ \t]*case /, "", constant)
		sub(/[^A-Z0-9_].*/, "", constant)
		if (constant in enumerator)
			over_ours[depth] = 1
	}
	depth > 0 && /^[ \t]*default:/ { has_default[depth] = FNR }
	depth > 0 && /^[ \t]*switch \(/ { match($0, /[^\t]/); indent[depth] = RSTART }
	depth > 0 && /^\t+\}$/ && match($0, /[^\t]/) && RSTART == indent[depth] {
		if (over_ours[depth] && has_default[depth])
			say("ends a switch over an enum of ours that has a default")
		depth--
	}
	function width(text,    n, i) {
		if (length(text) + 7 * gsub(/\t/, "\t", text) <= 100)
			return 0
		for (i = 1; i <= length(text); i++)
			n += substr(text, i, 1) == "\t" ? 8 - n % 8 : 1
		return n
	}
	function finish() {
		if (path != "" && lines > 600)
			printf "%s: has %d lines, 600 are allowed\n", path, lines
		if (path != "" && lines > 600)
			bad = 1
	}
	function say(what) {
		printf "%s:%d: %s\n", path, FNR, what
		bad = 1
	}
	END { finish(); exit bad }
	' - $(c_files "$1")
}

# Scripts, units and build files: the licence, and nothing put off.
check_other_files()
{
	bad=0
	for file in $(find "$1" -path "$1/.git" -prune -o \( -name '*.sh' -o -name '*.py' \
		-o -name Makefile.am -o -name configure.ac -o -name '*.varlink' \) -print |
		sort); do
		case $file in
		"$1"/build-aux/* | "$1"/autom4te.cache/* | */[a-z]*-[0-9]*.[0-9]*/*) continue ;;
		esac
		if ! head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT'; then
			echo "${file#"$1"/}: does not begin with the SPDX line"
			bad=1
		fi
		if grep -nE '(^|[^A-Za-z_])(TO[D]O|FIX[M]E)([^A-Za-z_]|$)' "$file" /dev/null; then
			bad=1
		fi
	done
	return $bad
}

# A test waits for what happens, never for a time; where time itself is meant, the line says so.
check_sleeps()
{
	# shellcheck disable=SC2016 # the dollar is of the pattern
	! find "$1/tests/e2e" "$1/tests/unit" "$1/tests/sim" "$1/tests/flow" -name '*.sh' -o -name '*.[ch]' \
		2>/dev/null | sort | xargs -r grep -nE \
		'^[^#"]*(^|[;&|({[:blank:]])(sleep[[:blank:]]+["$0-9.]|(u|SYS_nano|nano)?sleep[(,])' /dev/null |
		grep -v 'TIME: ' | sed "s,^$1/,," | grep .
}

# Each test and each description of a device stands in the list by which it is run and installed.
check_listed()
{
	lists=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$1/Makefile.am" | tr '	' ' ' |
		sed -nE 's/^(unit_tests|dist_devices_DATA) =(.*)/\1 \2 /p')
	lots=$(sed -nE 's,.*e2e/run\.sh" "[^"]*"(( [0-9]+)+).*,\1,p' "$1/dev")
	for file in $(find "$1/tests/unit" -name 'test_*.c' -exec grep -l '^TEST_MAIN' {} + |
		sed 's/[.]c$//') "$1"/systemd/devices/*.conf; do
		list=unit_tests
		[ "${file%.conf}" = "$file" ] || list=dist_devices_DATA
		echo "$lists" | grep "^$list " | grep -qF " ${file#"$1"/} " ||
			echo "${file#"$1"/}: is not in $list of Makefile.am"
	done
	for file in "$1"/tests/e2e/[0-9]*.sh; do
		times=0
		for lot in $lots; do
			case ${file##*/} in "$lot"*) times=$((times + 1)) ;; esac
		done
		[ "$times" -eq 1 ] || echo "${file#"$1"/}: is in $times of the lots of dev, not in one"
	done
}

# A document is cited by its path, on the same line or the one before.
check_citations()
{
	# shellcheck disable=SC2016 # awk's dollars
	find "$1/include" "$1/daemon" "$1/client" "$1/tests" \( -name '*.[ch]' -o -name '*.sh' \
		-o -name '*.md' -o -name '*.patch' \) ! -name style.sh 2>/dev/null | sort |
		xargs -r awk -v root="$1/" '
		FNR == 1 { before = "" }
		/[Pp]romise [0-9]/ && (before $0) !~ /doc\/promises[.]md/ ||
		/[Dd]esign(, (section|promise)| section|[.]md)|[Bb]y the design/ {
			printf "%s:%d: cites a document without its path\n", \
				substr(FILENAME, length(root) + 1), FNR
		}
		{ before = $0 }'
}

# ---- Self-test ------------------------------------------------------------------------------------

# $1 file in a tree of its own, $2 what has to be said about it ("" nothing); its text on input.
expect()
{
	mkdir -p "$tree/$(dirname "$1")"
	cat >"$tree/$1"
	said=$(check_c_files "$tree"; check_sleeps "$tree"; check_other_files "$tree"
		check_listed "$tree"; check_citations "$tree")
	rm -f "$tree/$1"
	case "$said" in
	*"$2"*) [ -n "$2" ] || [ -z "$said" ] && return ;;
	esac
	echo "self-test: $1: said '$said', expected '$2'"
	failed=1
}

spdx='/* SPDX-License-Identifier: MIT */'

# A function of $1 lines.
function_of()
{
	echo "$spdx"
	echo "int"
	echo "f(void)"
	echo "{"
	seq "$(($1 - 3))" | sed 's/.*/	g();/'
	echo "}"
}

self_test()
{
	failed=0
	tree=$(mktemp -d) || exit 1
	mkdir -p "$tree/tests/e2e" "$tree/tests/unit" "$tree/systemd/devices"
	# shellcheck disable=SC1003 # lines that go on, as they stand in the files
	printf '%s\n' '# SPDX-License-Identifier: MIT' 'unit_tests = \' ' tests/unit/test_a \' \
		' tests/unit/test_b' 'dist_devices_DATA = systemd/devices/a.conf' >"$tree/Makefile.am"
	# shellcheck disable=SC2016,SC1003 # as it stands in dev
	printf '%s\n' '"$top/tests/e2e/run.sh" "$build/check" 1 > x' \
		'"$top/tests/e2e/run.sh" "$build/check" 2 30 31 \' >"$tree/dev"
	echo "# a" >"$tree/systemd/devices/a.conf"
	printf '# SPDX-License-Identifier: MIT\n' >"$tree/tests/e2e/10-a.sh"
	function_of 60 | expect daemon/core/a.c ""
	function_of 61 | expect daemon/core/a.c "f() has 61 lines"
	{ echo "$spdx"; seq 599 | sed 's/.*/int x;/'; } | expect tests/unit/a.c ""
	{ echo "$spdx"; seq 600 | sed 's/.*/int x;/'; } | expect tests/unit/a.c "has 601 lines"
	echo "int x;" | expect client/a.c "SPDX"
	printf '%s\n\t%092d\n' "$spdx" 1 | expect daemon/core/a.c ""
	printf '%s\n\t%093d\n' "$spdx" 1 | expect daemon/core/a.c "has 101 columns"
	printf '%s\nint x; \n' "$spdx" | expect daemon/core/a.c "ends in a blank"
	printf '%s\n/* TO''DO: more */\n' "$spdx" | expect daemon/core/a.c "note for later"
	printf '%s\n/* X''XX */\n' "$spdx" | expect daemon/core/a.c "note for later"
	printf '%s\nchar t[] = "aXXXXXX";\n' "$spdx" | expect daemon/core/a.c ""
	printf '%s\ntypedef struct a a_t;\n' "$spdx" | expect daemon/core/a.c "hides"
	mkdir -p "$tree/daemon/core"
	printf '%s\nenum e {\n\tE_ONE, /* x */\n\tE_TWO = 2,\n};\n' "$spdx" >"$tree/daemon/core/a.h"
	printf '%s\n#include "config.h"\n\n#include "core/a.h"\n' "$spdx" |
		expect daemon/core/a.c ""
	printf '%s\n#include "config.h"\n\n#include <stdio.h>\n#include "core/a.h"\n' "$spdx" |
		expect daemon/core/a.c "before its own header"
	printf '%s\n\tswitch (x) {\n\tcase E_ONE:\n\tdefault:\n\t\tf();\n\t}\n' "$spdx" |
		expect daemon/core/b.c "has a default"
	printf '%s\n\tswitch (x) {\n\tcase E_ONE:\n\tcase E_TWO:\n\t\tf();\n\t}\n' "$spdx" |
		expect daemon/core/b.c ""
	printf '%s\n\tswitch (x) {\n\tcase SQLITE_ROW:\n\tdefault:\n\t\tf();\n\t}\n' "$spdx" |
		expect daemon/core/b.c ""
	echo "echo x" | expect tests/a.sh "SPDX"
	printf '# SPDX-License-Identifier: MIT\n# TO''DO\n' | expect tests/a.sh "TO""DO"
	printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\n' | expect tests/a.sh ""
	mkdir -p "$tree/tests/e2e" "$tree/tests/unit" "$tree/tests/sim" "$tree/tests/flow"
	printf '# SPDX-License-Identifier: MIT\nf; sleep 1\n' | expect tests/e2e/a.sh "f; sleep 1"
	printf '# SPDX-License-Identifier: MIT\nsleep 1 # TIME: x\n' | expect tests/e2e/a.sh ""
	printf '%s\n	usleep(1);\n' "$spdx" | expect tests/unit/a.c "usleep"
	printf '%s\nTEST_MAIN(NULL)\n' "$spdx" | expect tests/unit/test_b.c ""
	printf '%s\nTEST_MAIN(NULL)\n' "$spdx" | expect tests/unit/test_.c "is not in unit_tests"
	printf '%s\nint x;\n' "$spdx" | expect tests/unit/test_c.c ""
	echo "[device b]" | expect systemd/devices/b.conf "is not in dist_devices_DATA"
	printf '# SPDX-License-Identifier: MIT\n' | expect tests/e2e/31-a.sh ""
	printf '# SPDX-License-Identifier: MIT\n' | expect tests/e2e/32-a.sh "is in 0 of the lots"
	printf '%s\n/* As doc/promises.md 1,\n * promise 2, says. */\n' "$spdx" | expect daemon/core/a.c ""
	printf '%s\n/* It is promise 2. */\n' "$spdx" | expect daemon/core/a.c "a.c:2: cites"
	printf '%s\n/* By the design. */\n' "$spdx" | expect daemon/core/a.c "a.c:2: cites"
	printf '%s\n/* A design, section by section. */\n' "$spdx" | expect daemon/core/a.c "cites"
	printf '%s\n/* Another design; a promise. */\n' "$spdx" | expect daemon/core/a.c ""
	rm -rf "$tree"
	return $failed
}

case "${1-}" in
--self-test)
	self_test
	;;
"")
	status=0
	self_test || status=1
	check_c_files "$srcdir" || status=1
	check_sleeps "$srcdir" || status=1
	check_other_files "$srcdir" || status=1
	{ check_listed "$srcdir"; check_citations "$srcdir"; } | grep . && status=1
	exit $status
	;;
*)
	sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
