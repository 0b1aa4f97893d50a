#!/bin/sh
# SPDX-License-Identifier: MIT
# Each method of the control interface is declared once, with its permission: station.awk refuses an
# interface that leaves something out or says it twice.
set -u
srcdir=${srcdir:-.}
awk=${AWK:-awk}
bad=0

station() # the interface on standard input -> station_methods.h
{
	"$awk" -f "$srcdir/daemon/ctl/station.awk" 2>/dev/null
}

refused() # WHAT, the interface on standard input
{
	station > /dev/null || return 0
	echo "not refused: $1"
	bad=1
}

good='# Access: change, descriptor.
method AddOne(
  name: string,
  all: ?[]string
) -> (id: int)'
expected='	X(add_one, "AddOne", METHOD_CHANGES | METHOD_DESCRIPTOR, { "name", PARAM_STRING, true }, { "all", PARAM_STRINGS, false }, { NULL, 0, 0 })'

if ! echo "$good" | station | grep -qxF "$expected"; then
	echo "not made as expected: $(echo "$good" | station)"
	bad=1
fi
printf '%s\n%s\n' "$good" "$good" | refused "a method declared twice"
printf 'method A() -> ()\n' | refused "a method without its access"
printf '# Access: look.\n\nmethod A() -> ()\n' | refused "an access that stands elsewhere"
printf '# Access: look.\nmethod A() -> ()\nmethod B() -> ()\n' | refused "an access for two methods"
printf '# Access: more.\nmethod A() -> ()\n' | refused "an access that says neither look nor change"
printf '# Access: look, write.\nmethod A() -> ()\n' | refused "an unknown access"
printf '# Access: look.\nmethod A(a: ?float) -> ()\n' | refused "a parameter of an unknown type"
exit $bad
