# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the guest's test scripts have in common: their verdict lines, the rack, the station.

out=/share/out
mkdir -p "$out"

ok() # NAME
{
	echo "ok $1"
}

not_ok() # NAME WHY
{
	echo "not ok $1 ${2//$'\n'/ | }"
}

# A test by comparison: is what came what was wanted?
same() # NAME WANTED GOT
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "wanted: ${2:0:400} got: ${3:0:400}"
	fi
}

# A test by command: it has to succeed.
holds() # NAME COMMAND...
{
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$* failed: ${said:0:400}"
	fi
}

# Waits until a command succeeds, 0.2 s between tries.
until_true() # SECONDS COMMAND...
{
	local until=$((SECONDS + $1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.2
	done
}

note() # TEXT...
{
	echo "# $*"
}
