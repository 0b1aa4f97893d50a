#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the sources' form: small files, structs and lists of parameters in the programs; there and in
# the tests, comments that name their subject first; in headers, drawings of which each name exists.
#
#   limits.sh               checks the tree in $srcdir
#   limits.sh --left        prints what tests/exceptions.txt excuses, too
#   limits.sh --self-test   proves that each rule can fail
#
# Prints one line per violation; exit status 1 when there is one.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}

# $1 tree, $2 exceptions: "lines FILE", "members STRUCT", "parameters FUNCTION", "subject FILE", "word FILE", "drawn NAME".
check_tree()
{
	# shellcheck disable=SC2046,SC2016 # names of files here have no blanks; awk's dollars
	awk -v root="$1/" '
	FILENAME == ARGV[1] {
		if ($1 ~ /^(lines|members|parameters|subject|word|drawn)$/)
			excused[$1 " " $2] = 1
		next
	}
	FNR == 1 {
		finish_file()
		path = substr(FILENAME, length(root) + 1)
		inside = in_struct = 0
		in_tests = path ~ /^tests\//
	}
	{
		lines = FNR
		# A comment is collected, and judged where it ends; what is left of a line is code.
		code = $0
		if (!inside && match(code, /\/\*/)) {
			inside = 1
			comment = ""
			begin = FNR
			rest = substr(code, RSTART + 2)
			code = substr(code, 1, RSTART - 1)
		} else if (inside) {
			rest = code
			code = ""
			sub(/^[ \t]*\*($|[ \t])/, " ", rest)
			drawing(rest)
		}
		if (inside) {
			inside = !match(rest, /\*\//)
			comment = comment " " (inside ? rest : substr(rest, 1, RSTART - 1))
			if (!inside)
				judge(comment)
		}
		if (match(tolower($0), /(^|[^a-z_])(nobody|somebody|everybody|anybody)([^a-z_]|$)/))
			complain("word", path, "says nobody, somebody or everybody")
		if (in_tests)
			next
		count_members(code)
		count_parameters(code)
		while (match(code, /[A-Za-z_][A-Za-z0-9_]*/)) {
			known[substr(code, RSTART, RLENGTH)] = 1
			code = substr(code, RSTART + RLENGTH)
		}
	}
	function judge(text) {
		if (text ~ /(^|[.:?!]|INVARIANT|WHY)[ \t]*(Who|What|Whoever|Whatever)[^A-Za-z]/)
			complain("subject", path, "begins a sentence with Who or What", begin)
	}
	# The indented lines of a comment are a drawing.
	function drawing(line,    i, n, list) {
		if (path !~ /^daemon\/(core|ctl|usb)\/.*[.]h$/ || line !~ /^   /)
			return
		while (match(line, /(^|[^A-Za-z0-9_])\[[a-z_, ]+(\]|$)|(^|[^a-z_*])[a-z][a-z_]*\(\)/)) {
			n = split(substr(line, RSTART, RLENGTH), list, /[^a-z_]+/)
			for (i = 1; i <= n; i++)
				if (list[i] != "")
					drawn[list[i]] = path ":" FNR
			line = substr(line, RSTART + RLENGTH)
		}
	}
	function count_members(code,    n) {
		if (code ~ /^struct [a-z_0-9]+ \{/) {
			in_struct = depth = 1
			members = 0
			split(code, word, " ")
			return
		}
		if (!in_struct)
			return
		gsub(/\{[^{}]*\}/, "", code)
		if (depth == 1 && code ~ /;/ && code !~ /^\}/)
			members += 1 + (code ~ /\)/ ? 0 : gsub(/,/, ",", code))
		n = gsub(/\{/, "{", code) - gsub(/\}/, "}", code)
		depth += n
		if (n < 0 && depth == 1) # the members of a struct without a name are members
			members++
		if (depth == 0) {
			in_struct = 0
			if (members > 25)
				complain("members", word[2], "struct " word[2] " has " members " members, 25 are allowed")
		}
	}
	# A definition: its name begins the line, a brace the one behind it.
	function count_parameters(code,    n, i, c, level) {
		if (code ~ /^[a-z_][a-z_0-9]*\(/) {
			head = ""
			head_begin = FNR
		}
		if (code !~ /^\{/) {
			head = head code
			return
		}
		n = 1
		for (i = 1; i <= length(head); i++) {
			c = substr(head, i, 1)
			level += (c == "(") - (c == ")")
			n += c == "," && level == 1
		}
		sub(/\(.*/, "", head)
		if (n > 5 && head ~ /^[a-z_][a-z_0-9]*$/)
			complain("parameters", head, head "() has " n " parameters, 5 are allowed", head_begin)
		head = ""
	}
	function finish_file() {
		if (path != "" && path !~ /^tests\// && lines > 500)
			complain("lines", path, "has " lines " lines, 500 are allowed", lines)
	}
	function complain(rule, subject, text, line) {
		if ((rule " " subject) in excused) {
			needed[rule " " subject] = 1
			return
		}
		printf "%s:%d: %s\n", path, line ? line : FNR, text
		bad = 1
	}
	END {
		finish_file()
		for (name in drawn)
			if (!(name in known)) {
				path = drawn[name]
				sub(/:.*/, "", path)
				complain("drawn", name, "draws " name ", which is no function", \
					substr(drawn[name], length(path) + 2))
			}
		for (e in excused)
			if (!(e in needed)) {
				print "exceptions.txt: \"" e "\" is not needed any more"
				bad = 1
			}
		exit bad
	}' "$2" $(find "$1/include" "$1/daemon" "$1/client" "$1/tests" -name '*.[ch]' 2>/dev/null | sort)
}

# ---- Self-test ------------------------------------------------------------------------------------

# $1 what has to be said ("" nothing), $2 an exception; daemon/core/a.h on input.
expect()
{
	cat >"$work/daemon/core/a.h"
	printf '%s\n' "$2" >"$work/exceptions"
	said=$(check_tree "$work" "$work/exceptions")
	case "$said" in
	*"$1"*) [ -n "$1" ] || [ -z "$said" ] && return ;;
	esac
	echo "self-test: said '$said', expected '$1'"
	failed=1
}

struct_of()
{
	printf 'struct a {\n'
	seq "$1" | sed 's/.*/	int x&; \/* one *\//'
	printf '};\n'
}

self_test()
{
	failed=0
	work=$(mktemp -d) || exit 1
	mkdir -p "$work/daemon/core"
	seq 500 | sed 's/.*/int x;/' | expect "" ""
	seq 501 | sed 's/.*/int x;/' | expect "a.h:501: has 501 lines" ""
	seq 501 | sed 's/.*/int x;/' | expect "" "lines daemon/core/a.h"
	echo "int x;" | expect '"lines daemon/core/a.h" is not needed' "lines daemon/core/a.h"
	struct_of 25 | expect "" ""
	struct_of 26 | expect "struct a has 26 members" ""
	{ struct_of 24 | sed '$d'; echo "	struct { int a, b; } y, z;"; echo "};"; } | expect "26 members" ""
	printf 'int\nf(int a, int b, int c,\n  void (*d)(int, int), int e)\n{\n}\n' | expect "" ""
	printf 'int\nf(int a, int b, int c,\n  int d, int e, int f)\n{\n}\n' |
		expect "a.h:2: f() has 6 parameters" ""
	printf 'int\nf(int a, int b, int c, int d, int e, int f)\n{\n}\n' | expect "" "parameters f"
	echo "int x;" | expect '"parameters f" is not needed' "parameters f"
	echo "/* What the caller gives. */" | expect "a.h:1: begins a sentence" ""
	printf '/*\n * The caller. Who\n * asks? */\n' | expect "a.h:1: begins a sentence" ""
	printf '/* INVARIANT: What is\n * there. */\n' | expect "begins a sentence" ""
	mkdir -p "$work/tests"
	{ seq 501 | sed 's/.*/int x;/'; echo "/* Who asks? */"; } > "$work/tests/b.c"
	echo "int x;" | expect "tests/b.c:502: begins a sentence" ""
	rm "$work/tests/b.c"
	echo "/* The caller knows what it gives; WHAT_FOR. Whole numbers. */" | expect "" ""
	echo 'const char *t = "for Somebody";' | expect "says nobody" ""
	echo 'const char *t = "for some body_nobody_";' | expect "" ""
	printf '/*\n *   A --> B   text [later, e]\n */\nvoid later(void);\n' | expect "a.h:2: draws e" ""
	printf '/*\n *   A --> B   [later\n * e]\n */\nvoid later(void);\n' | expect "" ""
	printf '/*\n *   A --> B   sooner()\n */\n' | expect "draws sooner" ""
	printf '/*\n *   A --> B   sooner()\n */\n' | expect "" "drawn sooner"
	rm -rf "$work"
	return $failed
}

case "${1-}" in
--self-test)
	self_test
	;;
--left)
	check_tree "$srcdir" /dev/null
	;;
"")
	status=0
	self_test || status=1
	check_tree "$srcdir" "$srcdir/tests/exceptions.txt" || status=1
	exit $status
	;;
*)
	sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
