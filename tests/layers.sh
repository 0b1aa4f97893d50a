#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the layers: allowed includes per folder, and allowed symbols of the pure libraries.
#
#   layers.sh               checks the tree in $srcdir and the libraries in the working directory
#   layers.sh --self-test   proves that each rule can fail, on trees with one planted violation each
#
# Prints one line per violation; exit status 1 when there is one.
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
nm=${NM:-nm}

# ---- Includes -------------------------------------------------------------------------------------

# Folder, then which includes of ours it may have, then which libraries beside the C library.  "pure"
# stands for the headers of the C library that bring no file, socket, clock or thread with them.
include_rules()
{
	cat <<-'END'
	include/cfdfu   ^cfdfu/                                             pure
	include/cfdfu/system.h ^cfdfu/                                      -
	daemon/core     ^(cfdfu|core)/                                      pure
	daemon/firmware ^(cfdfu|firmware)/|^core/(image|platform)[.]h pure,zip,jansson,zlib,sodium
	daemon/wire     ^(cfdfu|wire)/                                      pure,jansson
	daemon/usb      ^(cfdfu|usb)/                                       event2,libusb
	daemon/udev     ^(cfdfu|udev)/                                      event2,libudev
	daemon/ctl      ^(cfdfu|ctl|wire)/                                  event2,jansson
	daemon/store    ^(cfdfu|store)/                                     sqlite3,sodium,zlib
	daemon/app      ^(cfdfu|app|core|firmware|wire|usb|udev|ctl|store)/ event2,jansson,ini,systemd
	daemon/main.c   ^(cfdfu|app|core|firmware|wire|usb|udev|ctl|store)/ event2,jansson,ini,systemd
	client/web      ^(cfdfu|client/web)/                                event2
	client/sync     ^(cfdfu|client|firmware)/|^core/platform[.]h           jansson,libpq
	client          ^(cfdfu|client|wire|firmware)/|^core/(image|platform)[.]h jansson,libsmartcols,ini
	tests/sim       ^sim/|^cfdfu/(usb_port|util|watch)[.]h              event2
	END
}

# Reads the rules on standard input, then the files that are its arguments.
check_includes()
{
	# shellcheck disable=SC2046 # names of files here have no blanks
	include_rules | awk -v root="$1/" '
	BEGIN {
		n = split("assert ctype errno inttypes limits math setjmp stdarg stdbool stddef stdint " \
			  "stdio stdlib string strings", list, " ")
		for (i = 1; i <= n; i++)
			pure[list[i] ".h"] = 1
		n = split("event2 libusb libudev libpq sqlite3 jansson zip zlib sodium ini libsmartcols " \
			  "systemd cmocka", list, " ")
		for (i = 1; i <= n; i++)
			library[list[i]] = 1
	}
	FILENAME == "-" {
		ours[$1] = $2
		theirs[$1] = "," $3 ","
		next
	}
	FNR == 1 {
		path = FILENAME
		if (index(path, root) == 1)
			path = substr(path, length(root) + 1)
		for (folder = path; folder != "" && !(folder in ours); )
			if (!sub(/\/[^\/]*$/, "", folder))
				folder = ""
		if (folder == "")
			say("lies in a folder that the table does not know")
	}
	folder != "" && /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
		match($0, /[<"][^>"]*/)
		name = substr($0, RSTART + 1, RLENGTH - 1)
		if (name == "config.h") {
			if (path ~ /[.]h$/)
				say("is a header and includes config.h")
		} else if (substr($0, RSTART, 1) == "\"") {
			check_ours(name)
		} else {
			check_theirs(name)
		}
	}
	function check_ours(name) {
		if (name !~ "/")
			say("includes \"" name "\" without its layer")
		else if (name !~ ours[folder])
			say("includes \"" name "\", which " folder " may not")
	}
	function check_theirs(name,    stem) {
		stem = name
		sub(/[.]h$/, "", stem)
		sub(/\/.*/, "", stem)
		sub(/-.*/, "", stem)
		if (stem in library ? index(theirs[folder], "," stem ",") == 0 : \
		    index(theirs[folder], ",pure,") > 0 && !(name in pure))
			say("includes <" name ">, which " folder " may not")
	}
	function say(what) {
		printf "%s:%d: %s\n", path, FNR, what
		bad = 1
	}
	END { exit bad }
	' - $(find "$1/include" "$1/daemon" "$1/client" "$1/tests/sim" -name '*.[ch]' 2>/dev/null | sort)
}

# ---- Symbols --------------------------------------------------------------------------------------

# Symbols that the compiler itself needs: sanitizers, coverage, fuzzing, hardening.
tools='__(asan|ubsan|lsan|sanitizer|sancov|gcov|llvm|stack_chk|start___sanc|stop___sanc|odr_asan)[a-zA-Z0-9_]*'
tools="$tools|llvm_[a-z_]*|_GLOBAL_OFFSET_TABLE_|_DYNAMIC|mangled_path|_Unwind_Resume|__tls_get_addr"
memory='calloc|malloc|realloc|reallocarray|free'
text='mem[a-z]*|bcmp|(__isoc23_)?str[a-z]*|v?snprintf|bsearch|qsort|abort'
numbers='sqrt|exp|log|log1p|lgamma'
checked='__(mem|str)[a-z]*_chk|__v?snprintf_chk|__assert_fail'
pure="$tools|$memory|$text|$numbers|$checked"

# Library, then what it may need beside itself.
symbol_rules()
{
	cat <<-END
	libcore.a     $pure
	libwire.a     $pure|json[a-z0-9_]*
	libfirmware.a $pure|__errno_location|json[a-z0-9_]*|zip_[a-z0-9_]*|(crc32|inflate|uncompress)[a-zA-Z0-9_]*|crypto_(hash_sha256|sign_verify|generichash)[a-z_]*|sodium_[a-z0-9_]*|(image|layout|platforms?|device)_[a-z0-9_]*
	END
}

# $1 library, $2 allowed names; reads "FILE:OBJECT: U NAME" and "FILE:OBJECT:ADDRESS T NAME".
check_symbols()
{
	awk -v library="$1" -v allowed="^($2)\$" '
	/ [UwvV] / && NF >= 3 { wanted[$NF] = $1; next }
	NF >= 3 { defined[$NF] = 1 }
	END {
		for (name in wanted)
			if (!(name in defined) && (name !~ allowed || name ~ /^str(ftime|ptime|tok)/)) {
				object = wanted[name]
				sub(/:[0-9a-f]*$/, "", object)
				sub(/.*:/, "", object)
				printf "%s: %s needs %s, which is not allowed\n", library, object, name
			}
		if (NR == 0)
			printf "%s: no symbols could be read\n", library
	}' | sort
}

check_libraries()
{
	symbol_rules | {
		bad=0
		while read -r library allowed; do
			if [ ! -f "$library" ]; then
				echo "$library: not built"
				bad=1
				continue
			fi
			found=$($nm -A "$library" | check_symbols "$library" "$allowed")
			if [ -n "$found" ]; then
				echo "$found"
				bad=1
			fi
		done
		exit $bad
	}
}

# ---- Self-test ------------------------------------------------------------------------------------

# $1 file, $2 line in it, $3 what has to be said about it ("" nothing).
expect_include()
{
	tree=$(mktemp -d) || exit 1
	mkdir -p "$tree/$(dirname "$1")"
	echo "$2" >"$tree/$1"
	said=$(check_includes "$tree")
	rm -rf "$tree"
	judge "$1 with '$2'" "$said" "$3"
}

# $1 library, $2 name it needs, $3 what has to be said.
expect_symbol()
{
	allowed=$(symbol_rules | sed -n "s/^$1 *//p")
	said=$(printf '%s:a.o:                 U %s\n%s:a.o:0000000000000000 T mine\n' "$1" "$2" "$1" |
		check_symbols "$1" "$allowed")
	judge "$1 with $2" "$said" "$3"
}

judge()
{
	case "$2" in
	*"$3"*) [ -n "$3" ] || [ -z "$2" ] && return ;;
	esac
	echo "self-test: $1: said '$2', expected '$3'"
	failed=1
}

self_test()
{
	failed=0
	expect_include daemon/core/a.c '#include "core/plan.h"' ""
	expect_include daemon/core/a.c '#include <string.h>' ""
	expect_include daemon/core/a.c '#include "config.h"' ""
	expect_include daemon/core/a.h '#include "config.h"' "is a header"
	expect_include daemon/core/a.c '#include "plan.h"' "without its layer"
	expect_include daemon/core/a.c '#include "store/store.h"' "daemon/core may not"
	expect_include daemon/core/a.c '#include <time.h>' "daemon/core may not"
	expect_include daemon/core/a.c ' # include <unistd.h>' "daemon/core may not"
	expect_include daemon/core/a.c '#include <event2/event.h>' "daemon/core may not"
	expect_include include/cfdfu/a.h '#include "core/plan.h"' "include/cfdfu may not"
	expect_include daemon/firmware/a.c '#include <zip.h>' ""
	expect_include daemon/firmware/a.c '#include "core/image.h"' ""
	expect_include daemon/firmware/a.c '#include "core/plan.h"' "daemon/firmware may not"
	expect_include daemon/firmware/a.c '#include <fcntl.h>' "daemon/firmware may not"
	expect_include daemon/wire/a.c '#include <sys/socket.h>' "daemon/wire may not"
	expect_include daemon/wire/a.c '#include "ctl/server.h"' "daemon/wire may not"
	expect_include daemon/usb/a.c '#include <libusb-1.0/libusb.h>' ""
	expect_include daemon/usb/a.c '#include <libusb.h>' ""
	expect_include daemon/udev/a.c '#include <libusb.h>' "daemon/udev may not"
	expect_include daemon/udev/a.c '#include <event2/event.h>' ""
	expect_include daemon/usb/a.c '#include <libudev.h>' "daemon/usb may not"
	expect_include daemon/usb/a.c '#include "core/dfuse.h"' "daemon/usb may not"
	expect_include daemon/ctl/a.c '#include "store/store.h"' "daemon/ctl may not"
	expect_include daemon/store/a.c '#include <event2/event.h>' "daemon/store may not"
	expect_include daemon/app/a.c '#include <sqlite3.h>' "daemon/app may not"
	expect_include daemon/app/a.c '#include "core/fleet.h"' ""
	expect_include daemon/main.c '#include "sim/world.h"' "daemon/main.c may not"
	expect_include client/a.c '#include <sqlite3.h>' "client may not"
	expect_include client/a.c '#include "core/fleet.h"' "client may not"
	expect_include tests/sim/a.c '#include "core/dfuse.h"' "tests/sim may not"
	expect_include tests/sim/a.c '#include "cfdfu/dfu.h"' "tests/sim may not"
	expect_include daemon/misc/a.c '#include <stdio.h>' "does not know"
	judge "an empty library" "$(check_symbols libcore.a x </dev/null)" "no symbols"
	expect_symbol libcore.a memcpy ""
	expect_symbol libcore.a mine ""
	expect_symbol libcore.a __asan_report_load4 ""
	for name in open fopen printf clock_gettime time strftime strtok pthread_create image_open \
		__errno_location json_object; do
		expect_symbol libcore.a $name "needs $name"
	done
	expect_symbol libwire.a json_object ""
	expect_symbol libwire.a send "needs send"
	expect_symbol libfirmware.a zip_open_from_source ""
	expect_symbol libfirmware.a fread "needs fread"
	return $failed
}

case "${1-}" in
--self-test)
	self_test
	;;
"")
	status=0
	self_test || status=1
	check_includes "$srcdir" || status=1
	check_libraries || status=1
	exit $status
	;;
*)
	sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
