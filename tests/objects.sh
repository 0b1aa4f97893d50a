#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves at the linker that files and folders refer to each other in one direction only, and that a
# function or table which is visible outside its file is used by another file of the programs.
#
#   objects.sh               checks the archives in the working directory
#   objects.sh --left        prints what tests/exceptions.txt excuses, too
#   objects.sh --graph       prints which folder refers to which
#   objects.sh --self-test   proves that each rule can fail
#
# Prints one line per violation; exit status 1 when there is one.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
nm=${NM:-nm}
archives="libapp.a libsettings.a libbus.a libwatch.a libstore.a libctl.a libwire.a libfirmware.a libcore.a libclient.a"
programs="daemon/main.o client/main.o client/sync/pull.o"

# $1 exceptions, $2 "check" or "graph"; reads what `nm -A -g` prints of archives and objects.
judge_objects()
{
	awk -v mode="$2" '
	BEGIN {
		n = split("libsettings app libbus usb libwatch udev", list, " ")
		for (i = 1; i < n; i += 2)
			folder[list[i]] = list[i + 1]
	}
	FILENAME != "-" {
		if ($1 == "circle" || $1 == "alone")
			excused[$1 " " $2] = 1
		next
	}
	{
		n = split($0, part, ":")
		file = part[n - 1]
		sub(/[.]o$/, "", file)
		if (n == 3) {
			sub(/[.]a$/, "", part[1])
			if (!(part[1] in folder)) {
				folder[part[1]] = part[1]
				sub(/^lib/, "", folder[part[1]])
			}
			file = folder[part[1]] "/" file
		}
		n = split(part[n], field, " ")
		name = field[n]
		if (name ~ /^__|[.]/)
			next # the compiler'"'"'s own: sanitizers, coverage
		if (field[n - 1] ~ /^[TDBRGSC]$/)
			home[program(file), name] = file
		else if (field[n - 1] == "U")
			uses[file, name] = 1
	}
	# Two programs: names of the client are its own.
	function program(file) {
		return file ~ /^client/ ? "client" : "daemon"
	}
	# Looks for the shortest way from a node back to it; fills way[].
	function comes_back(start, next_of,    queue, first, last, node, list, n, i, from) {
		queue[first = last = 1] = start
		delete from
		for (; first <= last; first++) {
			node = queue[first]
			n = split(next_of[node], list, " ")
			for (i = 1; i <= n; i++) {
				if (list[i] == start) {
					way = start
					for (; node != start; node = from[node])
						way = node " -> " way
					way = start " -> " way
					return 1
				}
				if (!(list[i] in from) && list[i] != node) {
					from[list[i]] = node
					queue[++last] = list[i]
				}
			}
		}
		return 0
	}
	function complain(rule, subject, text) {
		if ((rule " " subject) in excused)
			delete excused[rule " " subject]
		else
			print text | "sort"
	}
	END {
		for (pair in uses) {
			split(pair, part, SUBSEP)
			file = part[1]
			key = program(file) SUBSEP part[2]
			if (!(key in home))
				key = "daemon" SUBSEP part[2]
			if (!(key in home))
				continue
			target = home[key]
			if (target == file)
				continue
			wanted[key] = 1
			if (!((file, target) in arrow))
				files[file] = files[file] " " target
			arrow[file, target] = 1
			split(file, a, "/")
			split(target, b, "/")
			if (file ~ /main$/ || a[1] == b[1])
				continue
			if (!((a[1], b[1]) in arrow))
				folders[a[1]] = folders[a[1]] " " b[1]
			arrow[a[1], b[1]] = 1
		}
		if (mode == "graph") {
			for (f in folders)
				print f " ->" folders[f] | "sort"
			exit
		}
		if (FNR == 0 || FILENAME != "-")
			print "no symbols could be read"
		for (f in folders)
			if (comes_back(f, folders))
				print "folders in a circle: " way | "sort"
		for (f in files)
			if (comes_back(f, files))
				complain("circle", f, "files in a circle: " way)
		for (key in home) {
			split(key, part, SUBSEP)
			if (!(key in wanted) && part[2] != "main")
				complain("alone", part[2], home[key] ": " part[2] \
					": no other file refers to it: make it static, or delete it")
		}
		for (e in excused)
			print "exceptions.txt: \"" e "\" is not needed any more" | "sort"
	}' "$1" -
}

symbols()
{
	for file in $archives $programs; do
		[ -f "$file" ] || echo "$file: not built" >&2
	done
	# shellcheck disable=SC2086 # a list
	$nm -A -g $archives $programs 2>/dev/null
}

# ---- Self-test ------------------------------------------------------------------------------------

# $1 what has to be said ("" nothing), $2 the exceptions; "FILE T|U NAME" on input.
expect()
{
	printf '%s\n' "$2" >"$work/exceptions"
	said=$(awk '{ printf "%s:%s %s %s\n", $1, $2 == "U" ? "" : "00", $2, $3 }' |
		judge_objects "$work/exceptions" check)
	case "$said" in
	*"$1"*) [ -n "$1" ] || [ -z "$said" ] && return ;;
	esac
	echo "self-test: said '$said', expected '$1'"
	failed=1
}

self_test()
{
	failed=0
	work=$(mktemp -d) || exit 1
	good='libapp.a:a.o T a
libcore.a:b.o T b
libapp.a:a.o U b
daemon/main.o U a
daemon/main.o T main'
	echo "$good" | expect "" ""
	: | expect "no symbols" ""
	printf '%s\nlibcore.a:b.o U a\n' "$good" | expect "folders in a circle: app -> core -> app" ""
	circle="$good
libapp.a:c.o T c
libapp.a:c.o U a
libapp.a:a.o U c"
	echo "$circle" | expect "files in a circle: app/a -> app/c -> app/a" ""
	printf '%s\n' "$circle" | expect "" "circle app/a
circle app/c"
	printf '%s\nlibcore.a:d.o T d\nlibcore.a:d.o U d\n' "$good" | expect "core/d: d: no other file" ""
	printf '%s\nlibcore.a:d.o T d\n' "$good" | expect "" "alone d"
	echo "$good" | expect '"alone d" is not needed' "alone d"
	echo "$good" | expect '"circle core/b" is not needed' "circle core/b"
	rm -rf "$work"
	return $failed
}

case "${1-}" in
--self-test)
	self_test
	;;
--left)
	symbols | judge_objects /dev/null check
	;;
--graph)
	symbols | judge_objects /dev/null graph
	;;
"")
	self_test || exit 1
	said=$(symbols | judge_objects "$srcdir/tests/exceptions.txt" check)
	[ -z "$said" ] || { echo "$said"; exit 1; }
	;;
*)
	sed -n '3,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
