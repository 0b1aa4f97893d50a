#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every command's exit status: each row of the manual page's "Exit status of all commands" is set up
# on simulated drones and typed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

manual=$(dirname "$0")/../../client/cfdfuctl.1
old=$(image 2025.02)
new=$(image 2025.12)
loader=$scratch/cf2loader-1.0.bin
mkimage --loader "$loader"
echo 'no firmware' > "$scratch/text"
as=() # who types

# The rows as "situation|commands|exit|words", one for each line below a situation.
rows()
{
	awk '/^\.Ss Exit status of all commands/ { on = 1 }
		/^\.El/ { on = 0 }
		on && sub(/^\.It "/, "") { sub(/"$/, ""); situation = $0; next }
		on && situation != "" { gsub(/ \| /, "|"); print situation "|" $0 }' "$manual"
}

# A1 has passed, A2 needs the button, A3 has failed and is quarantined.
rack_up()
{
	printf '%s\n' '[station]' 'quarantine = 1' 'dfu-timeout = 15s' 'boot-timeout = 15s' \
		'[slots]' '1-1 = A1' '1-2 = A2' '1-3 = A3' \
		> "$scratch/conf"
	sim_start fast --config "$scratch/conf"
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware select new > /dev/null
	rack_plug 1-1 "$old"
	until_true 60 test_verdict 1-1 pass
}

rack_fail()
{
	rack_plug 1-2 "$(image 2021.06 --old)" no_dfu_request=yes
	rack_add 1-3 "$old"
	rack_do fate 1-3 status at=15 on=data count=1000 > /dev/null
	rack_do plug 1-3 > /dev/null
	until_true 60 test_verdict 1-2 needs-button
	until_true 60 test_state 1-3 quarantined
}

set_up() # SITUATION; 1: it has none, 2: not here
{
	as=()
	case $1 in
	'the service is not running' | 'the command line is wrong')
		return 0
		;;
	'nothing was there to be done')
		rack_up
		;;
	'nothing has that name' | 'the request is carried out' | 'the request cannot be carried out' | \
		'a drone fails')
		rack_up
		rack_fail
		;;
	'the user may only look')
		chmod 755 "$scratch"
		as=(setpriv --reuid 65534 --clear-groups)
		if [ "$(id -u)" != 0 ] || ! "${as[@]}" cfdfuctl --version > /dev/null 2>&1 ||
			! "${as[@]}" test -r "$scratch"; then
			return 2
		fi
		rack_up
		chmod 666 "$CFDFU_SOCKET"
		;;
	*)
		return 1
		;;
	esac
	return 0
}

# The words of a command of the table, with real files for IMAGE, LOADER, TEXT and FILE.
words_of() # COMMAND
{
	local word

	for word in $1; do
		case $word in
		IMAGE) echo "$new" ;;
		LOADER) echo "$loader" ;;
		TEXT) echo "$scratch/text" ;;
		FILE) echo "$scratch/file-$RANDOM.dfu" ;;
		*) echo "$word" ;;
		esac
	done
}

type_it() # SITUATION COMMAND EXIT WORDS
{
	local rc=0 words

	mapfile -t words < <(words_of "$2")
	"${as[@]}" cfdfuctl "${words[@]}" > "$scratch/said" 2>&1 < /dev/null || rc=$?
	same "$1: cfdfuctl $2" "$3" "$rc"
	[ "$3" = "$rc" ] || note "$(head -n 3 "$scratch/said")"
	if [ "$4" != - ]; then
		holds "$1: cfdfuctl $2: it says so" grep -qF -e "$4" "$scratch/said"
	fi
}

rows > "$scratch/rows"
within "the manual has a table of some size" 8 "$(wc -l < "$scratch/rows")" 100
last=
while IFS='|' read -r situation commands wanted words <&3; do
	if [ "$situation" != "$last" ]; then
		sim_kill 2> /dev/null || :
		rm -rf "$state"
		mkdir -p "$state"
		rc=0
		set_up "$situation" || rc=$?
		last=$situation
		[ "$rc" != 1 ] || not_ok "$situation" "the table has it, and this test cannot set it up"
	fi
	if [ "$rc" != 0 ]; then
		note "$situation: left out here"
		continue
	fi
	while read -r command <&4; do
		type_it "$situation" "$command" "$wanted" "$words"
	done 4<<< "${commands//, /$'\n'}"
done 3< "$scratch/rows"
sim_kill 2> /dev/null || :
same "every command is in the table" '' "$(cfdfuctl help |
	sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z]*\)\{0,1\}\).*/\1/p' |
	while read -r command; do
		cut -d'|' -f2 "$scratch/rows" | grep -qE "(^|, )$command( |,|\$)" || echo "$command"
	done)"
