#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The station at another machine, with any login shell there and any file name.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

new=$(image 2025.12 --size 61440)
work=$scratch/work
mkdir -p "$work"
cd "$work" || exit 1

# "ssh" is a script that has the command run by a login shell of this machine, as sshd does, and
# writes down what the shell was given.
cat > "$scratch/ssh" << END
#!/bin/sh
[ "\$1" = -- ] && [ \$# -eq 3 ] || exit 255
printf '%s\n' "\$3" >> "$scratch/commands"
exec "\$LOGIN_SHELL" -c "\$3"
END
chmod +x "$scratch/ssh"
export CFDFU_SSH=$scratch/ssh

sim_start fast

# Each of the shells has its own end of a word: fish knows \' within quotes, csh expands !,
# and all know the rest.
# shellcheck disable=SC2016 # they are not to be expanded
names=("it's; touch pwned;'" "\\'; touch pwned; \\'" '$(touch pwned)' '`touch pwned`' '!touch; pwned'
	"a' 'b" 'a"b' 'a;touch pwned' '(touch pwned)' $'new\nline; touch pwned' '#' '~root' '*' '%s')

try_shell()
{
	local n=0 name

	for name in "${names[@]}"; do
		n=$((n + 1))
		cp "$new" "$name.bin"
		holds "$1: a file called $(printf %q "$name")" cfdfuctl -H there firmware add \
			"./$name.bin" --name "$1-$n"
		rm -f -- "$name.bin"
	done
	same "$1: no name was run" "" "$(find "$work" -mindepth 1)"
	same "$1: the words arrive as they are" "$(printf '%s.bin\n' "${names[@]}" | tr '\n' '?')" \
		"$(cfdfuctl --json firmware list | jq -r --arg s "$1-" '.firmware[] |
			select(.name | startswith($s)).source_name' | tr '\n' '?')"
	holds "$1: a question" cfdfuctl -H there --json status
	cfdfuctl -H there backup "\\'; touch pwned; \\'" out.dfu > "$scratch/said" 2>&1
	same "$1: a slot that is none is refused" 4 $?
	same "$1: and nothing was run" "" "$(find "$work" -mindepth 1)"
}

tried=0
for shell in sh bash dash ksh zsh csh tcsh fish; do
	LOGIN_SHELL=$(command -v "$shell") || continue
	export LOGIN_SHELL
	try_shell "$shell"
	tried=$((tried + 1))
done
within "shells were tried" 2 "$tried" 8
same "each shell got the same command" "cfdfuctl --stdio-arguments" \
	"$(sort -u "$scratch/commands")"
printf '3\0status\0' | cfdfuctl --stdio-arguments > "$scratch/said" 2>&1
same "words that end too soon are none" 2 $?
cfdfuctl --stdio-arguments status < /dev/null > "$scratch/said" 2>&1
same "the option stands alone" 2 $?
