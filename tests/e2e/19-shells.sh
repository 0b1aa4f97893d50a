#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Completion as people meet it: bash, zsh and fish on a terminal (tmux), each with the file that it
# would find when it is installed; words with blanks and colons, names of files, a station that stands
# still.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

scripts=$(cd "$(dirname "$0")/../../client/completion" && pwd)

tmux_here()
{
	tmux -u -L "cfdfu-$$" -f /dev/null "$@"
}

# The last line with something on it.
last_line_is() # TEXT
{
	[ "$(tmux_here capture-pane -p | sed '/^ *$/d; s/ *$//' | tail -n 1)" = "$1" ]
}

# Types words at a prompt and Tab behind them.
becomes() # TYPED WANTED
{
	tmux_here send-keys C-u
	tmux_here send-keys -l "$1"
	tmux_here send-keys Tab
	until_true 60 last_line_is "> $2" && ok "$shell: $1" && return
	not_ok "$shell: $1" "wanted: $2 got: $(tmux_here capture-pane -p | sed '/^ *$/d' | tail -n 3)"
	tmux_here send-keys C-c
}

# Each looks for the file under its own name.
make_settings()
{
	mkdir -p "$scratch/bash/completions" "$scratch/fish/completions"
	cp "$scripts/cfdfuctl.bash" "$scratch/bash/completions/"
	cp "$scripts/cfdfuctl.fish" "$scratch/fish/completions/"
	printf '%s\n' '. /usr/share/bash-completion/bash_completion' "PS1='> '" > "$scratch/bashrc"
	printf '%s\n' "fpath=($scripts \$fpath)" 'autoload -Uz compinit' 'compinit -u -D' \
		"PS1='> '" > "$scratch/.zshrc"
	printf '%s\n' 'set -g fish_greeting' 'set -g fish_autosuggestion_enabled 0' \
		"function fish_prompt; printf '> '; end" > "$scratch/fish/config.fish"
}

try_shell() # COMMAND...
{
	LC_ALL=C.UTF-8 tmux_here new-session -d -x 120 -y 24 -c "$scratch" "$@"
	until_true 60 last_line_is '>' || not_ok "$shell starts" "$(tmux_here capture-pane -p)"
	becomes 'cfdfuctl firm' 'cfdfuctl firmware'
	becomes 'cfdfuctl --json firmware des' 'cfdfuctl --json firmware deselect'
	becomes 'cfdfuctl status --fai' 'cfdfuctl status --failed'
	becomes 'cfdfuctl history --verdict unch' 'cfdfuctl history --verdict unchanged'
	becomes 'cfdfuctl plan Be' 'cfdfuctl plan Bench\ 7'
	becomes "cfdfuctl plan 'Be" "cfdfuctl plan 'Bench 7'"
	becomes 'cfdfuctl firmware select v1' 'cfdfuctl firmware select v1:2'
	becomes 'cfdfuctl firmware select v1:' 'cfdfuctl firmware select v1:2'
	becomes 'cfdfuctl firmware check --platform fla' 'cfdfuctl firmware check --platform flapper'
	becomes 'cfdfuctl firmware check my' 'cfdfuctl firmware check my\ image.bin'
	kill -STOP "$sim_pid"
	becomes 'cfdfuctl plan 1' 'cfdfuctl plan 1'
	tmux_here send-keys -l 0
	holds "$shell: a station that stands still gives the line back" \
		until_true 60 last_line_is '> cfdfuctl plan 10'
	kill -CONT "$sim_pid"
	tmux_here kill-server
	until_true 30 eval '! tmux_here has-session'
}

if ! command -v tmux > /dev/null; then
	note "skipped: no shell can be looked at without tmux"
	exit 0
fi
printf '%s\n' '[slots]' '1-4 = Bench 7' > "$scratch/conf"
sim_start fast --config "$scratch/conf"
trap 'kill -CONT "$sim_pid"; tmux_here kill-server 2> /dev/null; sim_stop' EXIT
rack_plug 1-4 "$(image 2025.02)"
cp "$(image 2025.12)" "$scratch/my image.bin"
cfdfuctl firmware add --name v1:2 "$(image 2025.12)" > /dev/null
make_settings
for shell in bash zsh fish; do
	if ! command -v $shell > /dev/null ||
		{ [ $shell = bash ] && [ ! -e /usr/share/bash-completion/bash_completion ]; }; then
		note "skipped: no $shell with completion"
		continue
	fi
	case $shell in
	bash) try_shell env BASH_COMPLETION_USER_DIR="$scratch/bash" bash --noprofile --rcfile "$scratch/bashrc" ;;
	zsh) try_shell env ZDOTDIR="$scratch" zsh -d ;;
	fish) try_shell env XDG_CONFIG_HOME="$scratch" XDG_DATA_HOME="$scratch" fish ;;
	esac
done
