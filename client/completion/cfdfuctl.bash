# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # bash-completion sets and reads them
# cfdfuctl's words for bash: what `cfdfuctl __complete` answers (client/complete.h).

_cfdfuctl()
{
	local cur prev words cword line word quote=

	_init_completion -n : 2> /dev/null || return
	case $cur in
	[\'\"]*) quote=${cur:0:1} ;;
	esac
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		if [ -z "$word" ]; then
			compopt -o default
		elif [ -n "$quote" ]; then
			COMPREPLY+=("$word")
		else
			COMPREPLY+=("$(printf %q "$word")")
		fi
	done < <("$1" __complete "${words[@]:1:cword-1}" "${cur//[\\\'\"]/}" 2> /dev/null)
	__ltrim_colon_completions "$cur"
} && complete -F _cfdfuctl cfdfuctl
