# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for others, or by them for us
# Types the commands of README and manual pages, as a newcomer would: each
# line of an example as it stands there, in its order, in a directory with the files that it names.
# Comes after common.sh, outside and inside the virtual station.  The script that sources this sets
# typed_directory and defines
#   typed_hook NAME COMMENT       a comment that stands alone: "# plug in the rack" is the newcomer's hands
#   typed_elsewhere NAME COMMAND  true when the command is not to be typed here, but has been seen to

# Lines of the examples of a document as "NUMBER LINE": fenced "sh" blocks of Markdown, literal
# displays of a manual page.  Settings files in such displays begin with "[": they are not typed.
typed_lines() # DOCUMENT
{
	case $1 in
	*.md)
		awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside { print NR, $0 }' "$1"
		;;
	*)
		awk '
		/^\.Bd -literal/ { inside = 1; first = 1; next }
		/^\.Ed/ { inside = 0; next }
		!inside { next }
		first { typed = substr($0, 1, 1) != "["; first = 0 }
		typed {
			gsub(/\\e/, "\\")
			gsub(/\\-/, "-")
			print NR, $0
		}' "$1"
		;;
	esac
}

# The settings among the displays of a manual page, each into a file of its own in DIRECTORY.
typed_settings() # MANUAL DIRECTORY
{
	awk -v directory="$2" '
	/^\.Bd -literal/ { inside = 1; first = 1; next }
	/^\.Ed/ { inside = 0; next }
	inside && first { file = substr($0, 1, 1) == "[" ? directory "/line-" NR ".conf" : ""; first = 0 }
	inside && file != "" { print > file }' "$1"
}

# One line a command: what ends in a backslash, or within quotes, goes on in the next.
typed_commands() # DOCUMENT
{
	typed_lines "$1" | awk '
	function quotes(text) { return gsub(/"/, "\"", text) }
	{
		number = $1
		sub(/^[0-9]+ /, "")
		if (command == "")
			begin = number
		command = command (command == "" ? "" : " ") $0
		open += quotes($0)
		if (sub(/\\$/, "", command) || open % 2 == 1)
			next
		if (command != "")
			print begin, command
		command = ""
		open = 0
	}'
}

# Types one command.  A comment behind it that says "or: COMMAND" is a command, too.  `watch` goes
# on until its reader leaves, so it runs beside the commands after it.
typed_run() # NAME COMMAND
{
	local command=${2%%  #*} also=${2##*# or: } said rc=0

	command=${command%"${command##*[! ]}"}
	case $command in
	'' | '#'*)
		typed_hook "$1" "$command"
		return
		;;
	'cfdfuctl watch'*)
		# shellcheck disable=SC2086 # words on purpose
		$command > "$scratch/typed-watch" 2>&1 &
		typed_watch=$!
		holds "$1: $command shows the station" until_true 60 test -s "$scratch/typed-watch"
		;;
	*)
		typed_elsewhere "$1" "$command" && return
		said=$(cd "$typed_directory" && eval "$command" 2>&1) || rc=$?
		if [ "$rc" -eq 0 ]; then
			ok "$1: $command"
		else
			not_ok "$1: $command" "gave $rc: ${said:0:400}"
		fi
		;;
	esac
	[ "$also" = "$2" ] || typed_run "$1" "$also"
}

# All commands of a document, in order.
typed_document() # DOCUMENT
{
	local number command

	typed_watch=
	while read -r number command <&3; do
		typed_run "${1##*/}:$number" "$command"
	done 3< <(typed_commands "$1")
	[ -z "$typed_watch" ] || kill "$typed_watch" 2> /dev/null
}
