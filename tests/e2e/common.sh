# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for others, or by them for us
# Shared by test scripts outside and inside the virtual station: verdict lines, images, the simulated
# rack's commands, questions to the station.  The sourcing script has set: images, a directory for
# generated images; scratch, one for everything else; rack_socket; database.

app=0x08004000

# ---- verdict lines ------------------------------------------------------------------------------

ok() # NAME
{
	echo "ok $1"
}

not_ok() # NAME WHY
{
	echo "not ok $1: ${2//$'\n'/ | }"
}

note() # TEXT...
{
	echo "# $*"
}

# A test by comparison of the expected with the actual value.
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
	local name=$1 said rc=0

	shift
	said=$("$@" 2>&1) || rc=$?
	if [ "$rc" -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$* gave $rc: ${said:0:400}"
	fi
}

# A test of a command's output, with any exit status; it stays in the file said.
says() # NAME PATTERN COMMAND...
{
	local name=$1 pattern=$2

	shift 2
	"$@" > "$scratch/said" 2>&1
	holds "$name" grep -qE "$pattern" "$scratch/said"
}

# A number within bounds.
within() # NAME LOW VALUE HIGH
{
	if awk -v l="$2" -v v="$3" -v h="$4" \
		'BEGIN { exit !(v != "" && v + 0 >= l && v + 0 <= h) }'; then
		ok "$1"
	else
		not_ok "$1" "$3 is not within $2 .. $4"
	fi
}

# Waits until a command succeeds, poll (0.2) seconds between tries.
until_true() # SECONDS COMMAND...
{
	local until=$((SECONDS + $1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep "${poll:-0.2}" # TIME: between two looks
	done
}

now_ms()
{
	local up

	read -r up _ < /proc/uptime
	echo $((${up/./} * 10))
}

# ---- images -------------------------------------------------------------------------------------

# Generates an image once; prints its path.  As between real releases, images of two tags differ in
# every sector.
image() # TAG [MKIMAGE-OPTION...]
{
	local file seed

	file=$images/$(printf '%s' "$*" | tr -c 'A-Za-z0-9.' _).bin
	seed=$(cksum <<< "$1" | cut -d' ' -f1)
	[ -s "$file" ] || mkimage --seed "$seed" --tag "$@" "$file" >&2
	echo "$file"
}

# ---- the simulated drones -----------------------------------------------------------------------

# One connection for all commands from here on, on descriptors 7 and 8: in an emulated processor a
# program started for each command costs more than the command.
rack_connect()
{
	rack_connected=yes
	coproc RACK { exec socat - "UNIX-CONNECT:$rack_socket" 2> /dev/null; }
	exec 7<&"${RACK[0]}" 8>&"${RACK[1]}"
	rack_do list > /dev/null
}

# Prints the answer; 0, or 1 with the reason on standard error.
rack_do() # COMMAND WORD...
{
	local line

	if [ -z "${rack_connected:-}" ]; then
		rack --socket "$rack_socket" --do "$*"
		return
	fi
	echo "$*" >&8 || return 1
	while read -r -t "${rack_patience:-60}" line <&7; do
		case $line in
		ok) return 0 ;;
		'error: '*)
			echo "rack: $*: ${line#error: }" >&2
			return 1
			;;
		*) echo "$line" ;;
		esac
	done
	echo "rack: $*: no answer" >&2
	exec 8>&- # WHY: a late one would be taken for that to the next command
	return 1
}

# The sum of some counters of a drone.
counter() # PORT NAME...
{
	local text name sum=0

	text=$(rack_do counters "$1")
	shift
	for name in "$@"; do
		[[ $text =~ \"$name\":([0-9]+) ]] || return 1
		sum=$((sum + BASH_REMATCH[1]))
	done
	echo "$sum"
}

# The flash of a drone against an image: equal from the application's start on, and what was there
# before below it and above it.
flash_is() # PORT IMAGE [BEFORE]
{
	local dump=$scratch/dump-$1 before=${3:-$scratch/before-$1} size

	rack_do dump "$1" "$dump" > /dev/null || return 1
	size=$(stat -c %s "$2")
	cmp -n "$size" -i 16384:0 "$dump" "$2" || return 1
	cmp -n 16384 "$dump" "$before" || return 1
	cmp -i "$(sectors_end "$size")" "$dump" "$before" || return 1
	rm -f "$dump"
}

# Offset of the first sector that an image of SIZE bytes at the application's start leaves alone.
sectors_end() # SIZE
{
	local end=$((16384 + $1)) at=0 sector

	for sector in 16 16 16 16 64 128 128 128 128 128 128 128; do
		at=$((at + sector * 1024))
		if [ "$at" -ge "$end" ]; then
			break
		fi
	done
	echo "$at"
}

# Puts a drone on a port, with an image in its flash, and keeps what the flash held: before-PORT.
rack_add() # PORT IMAGE [KEY=VALUE...]
{
	local p=$1 file=$2

	shift 2
	rack_do add "$p" "$@" > /dev/null || return 1
	rack_do load "$p" "$file" "$app" > /dev/null || return 1
	rack_do dump "$p" "$scratch/before-$p" > /dev/null
}

# The same, plugged in.
rack_plug() # PORT IMAGE [KEY=VALUE...]
{
	rack_add "$@" && rack_do plug "$1" > /dev/null
}

# A drone that holds still in the midst of being written, until it is mended: each of its answers comes
# just in time from the fifth block on.
rack_plug_held() # PORT IMAGE [KEY=VALUE...]
{
	rack_add "$@" && rack_do fate "$1" slow in=dfu on=data at=5 > /dev/null &&
		rack_do plug "$1" > /dev/null
}

# A drone that is written and does not come back, until its power is cycled; the station's boot-timeout
# has to be long.
rack_plug_lost() # PORT IMAGE [KEY=VALUE...]
{
	rack_add "$@" && rack_do fate "$1" leave-nothing > /dev/null && rack_do plug "$1" > /dev/null
}

# The operator's help at the rack: a drone that cannot boot is plugged in with the button held, a
# drone that needs a power cycle gets one (for instance after the button put it into DFU mode while
# it rebooted there).  Once only: until the kernel reports the drone again, its slot shows the old
# state.
declare -A operator_cycled=()
rack_operator()
{
	local p attempt

	for p in $(rack_do list | awk '$2 == "absent" { print $1 }'); do
		rack_do dump "$p" "$scratch/word" $app 4 > /dev/null
		# WHY asked again: between two modes it is absent, too, and blank once it is being erased.
		if [ "$(od -An -tx4 "$scratch/word" | tr -d ' ')" = ffffffff ] &&
			rack_do list | grep "^$p absent " > /dev/null; then
			rack_do button "$p" > /dev/null
		fi
	done
	for p in $(status '.slots[] |
			select(.verdict == "needs-power-cycle" or .fault == "no-boot").port'); do
		attempt=$(records "SELECT max(id) FROM attempts WHERE port = '$p'")
		[ "${operator_cycled[$p]:-}" != "$attempt" ] || continue
		operator_cycled[$p]=$attempt
		rack_do power-cycle "$p" > /dev/null
	done
}

# ---- the station --------------------------------------------------------------------------------

present_is() # COUNT
{
	[ "$(status .station.counts.present)" = "$1" ]
}

status() # JQ-FILTER
{
	cfdfuctl --json status | jq -r "$1"
}

# Do so many slots hold the image, as the station sees it?
good_is() # COUNT
{
	[ "$(status '[.slots[] | select(.verdict == "pass" or .verdict == "unchanged")] |
		length')" = "$1" ]
}

# The other slots, for the log.
note_bad()
{
	status '.slots[] | select(.verdict != "pass" and .verdict != "unchanged") |
		"# \(.port) \(.mode) \(.state) \(.verdict) \(.fault) \(.step) \(.message)"'
}

# How many slots show a verdict.
verdicts() # VERDICT
{
	status "[.slots[] | select(.verdict == \"$1\")] | length"
}

records() # SQL
{
	sqlite3 -readonly "$database" "$1"
}

# Checks all attempts: each has ended, at most one ran per port at a time, and each pass has its
# version.
records_are_sound() # NAME
{
	same "$1: every attempt has its ending" 0 "$(records "SELECT count(*) FROM attempts
		WHERE verdict IS NULL OR ended_at IS NULL")"
	same "$1: the database is intact" ok "$(records "PRAGMA quick_check")"
}
