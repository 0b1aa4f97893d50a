#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The screens that people see: the real client on terminals of five sizes (tmux), looked at in cells; a service
# that stops, goes away and comes back; a reader that goes away; a configuration that is refused.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
new=$(image 2025.12)
good_slots=(1-1 1-2 2-1 2-2)
button_slots=(1-7 2-7 2-8)
gone_slot=1-8
held_slots=(1-4 2-4)

# ---- a terminal ---------------------------------------------------------------------------------

tmux_here()
{
	tmux -u -L "cfdfu-$$" -f /dev/null "$@"
}

# A terminal of COLUMNSxROWS in which a command runs.
terminal() # SIZE COMMAND [LOCALE]
{
	local locale=${3:-C.UTF-8}

	tmux_here kill-server 2> /dev/null
	until_true 30 eval '! tmux_here has-session'
	LC_ALL=C.UTF-8 tmux_here new-session -d -x "${1%x*}" -y "${1#*x}" "LC_ALL=$locale $2"
}

screen()
{
	tmux_here capture-pane -p
}

shows() # TEXT
{
	screen | grep -qF -e "$1"
}

# The screen as one text: lines joined as they were wrapped.
flow()
{
	screen | sed 's/^ *//; s/ *$//' | tr '\n' ' '
}

is_left()
{
	! tmux_here has-session 2> /dev/null
}

# ---- a rack -------------------------------------------------------------------------------------

{
	printf '%s\n' '[station]' 'attempt-deadline = 30min' '[slots]'
	for n in 1 2 3 4 5 6 7 8; do
		printf '1-%s = A%s\n2-%s = 机架%s\n' $n $n $n $n
	done
} > "$scratch/conf"
sim_start fast --config "$scratch/conf"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
for p in "${good_slots[@]}"; do
	rack_plug "$p" "$old"
done
for p in "${held_slots[@]}"; do
	rack_plug_held "$p" "$old"
done
for p in "${button_slots[@]}"; do
	rack_plug "$p" "$(image 2021.06 --old)" no_dfu_request=yes
done
rack_add $gone_slot "$old"
rack_do fate $gone_slot disconnect in=dfu on=data at=9 > /dev/null
rack_do plug $gone_slot > /dev/null
failed_is()
{
	[ "$(status .station.counts.failed)" = 4 ] && good_is ${#good_slots[@]} &&
		[ "$(status .station.counts.active)" = 2 ]
}
holds "four fail, four are done, two are held at work" until_true 120 failed_is

# ---- watch in five sizes ------------------------------------------------------------------------

# A whole picture, not one that is being drawn: two looks at it agree.
pictured() # SIZE
{
	screen > "$scratch/screen-$1"
	screen | cmp "$scratch/screen-$1" -
}

looked_at() # SIZE
{
	local label flow

	until_true 60 pictured "$1"
	same "$1: the picture begins at the top" 1 \
		"$(head -n 1 "$scratch/screen-$1" | grep -cE '^(Station armed|[0-9]+ (present|failed))')"
	for label in A7 机架7 机架8; do
		holds "$1: $label has a row with its cause" \
			grep -qE "^$label .*needs the button" "$scratch/screen-$1"
	done
	holds "$1: so has A8" grep -qE '^A8 .*FAIL: gone while writing' "$scratch/screen-$1"
	flow=$(flow)
	holds "$1: and what to do about the worst is whole" \
		grep -qF 'Check cable and hub power, and plug it in again on the same port.' <<< "$flow"
	holds "$1: drones at work have a percentage" grep -qE 'A4.* [0-9]+%' "$scratch/screen-$1"
	holds "$1: the done ones are there or counted" \
		grep -qE '^(4 done|A1 .*PASS)|4 done| 4 pass' "$scratch/screen-$1"
	holds "$1: a label of wide characters shifts nothing" test \
		"$(grep -cE '^(机架7|A7) .*needs the button *$' "$scratch/screen-$1")" = 2
}

if ! command -v tmux > /dev/null; then
	note "skipped: screens cannot be looked at without tmux"
else
	trap 'tmux_here kill-server 2> /dev/null; sim_stop' EXIT
	for size in 60x24 80x24 120x40 200x50 40x8; do
		terminal $size "cfdfuctl --no-color watch"
		holds "$size: the picture comes" until_true 60 shows 'needs the button'
		looked_at $size
		tmux_here send-keys q
		holds "$size: q leaves" until_true 60 is_left
	done

	terminal 120x40 "cfdfuctl watch"
	holds "a wide window has whole serials" until_true 60 eval \
		"screen | grep -qE '^A1 .* [0-9A-F]{24} .*PASS 2025.02 -> 2025.12'"
	tmux_here resize-window -x 60 -y 24
	holds "a smaller window is drawn again" until_true 60 eval \
		"screen | grep -qE '^SLOT' && ! screen | grep -qE '[0-9A-F]{24}'"

	terminal 80x24 "cfdfuctl watch" C
	holds "without UTF-8 there is a picture, too" until_true 60 shows 'needs the button'
	same "without UTF-8 the picture is ASCII" 0 "$(screen | LC_ALL=C grep -c '[^ -~]')"
	holds "without UTF-8 there is one row per drone" eval "screen | grep -qE '^[?][?]7 .*needs the button *$'"

	terminal 120x80 "cfdfuctl watch --lines; cat"
	holds "--lines are lines on a terminal" until_true 60 eval \
		"screen | grep -qE '^[0-9:]{8} A1 \(1-1\) pass'"

	terminal 80x20 "CFDFU_PAGER='sed \"s/^/paged /\"' cfdfuctl status; cat"
	holds "a long status is paged" until_true 60 shows 'paged '
	holds "the paged status ends with its sum" until_true 60 shows \
		'10 drones: 4 PASS, 2 AT WORK, 4 FAILED: A8 A7 机架7 机架8'
fi

# ---- a service that goes away ---------------------------------------------------------------------

kill -STOP "$sim_pid"
rc=0
timeout 120 cfdfuctl status > "$scratch/said" 2> "$scratch/complained" || rc=$?
kill -CONT "$sim_pid"
same "a service that is stopped is given up" 3 $rc
holds "the client says that the service does not answer" grep -q 'does not answer' "$scratch/complained"

rc=0
timeout 120 bash -c 'cfdfuctl --json watch | head -n 1 > /dev/null' || rc=$?
same "a watch whose reader has gone ends" 0 $rc

[ -z "$(command -v tmux)" ] || terminal 80x24 "cfdfuctl watch"
cfdfuctl wait --count 20 --timeout 10m > "$scratch/endings" 2> "$scratch/wait" &
wait=$!
until_true 60 grep -q pass "$scratch/endings"
sim_kill
holds "a wait says that the service has gone" until_true 60 grep -q 'gone away' "$scratch/wait"
if command -v tmux > /dev/null; then
	holds "a watch says that the service has gone" until_true 60 shows 'The service has gone away'
fi
sim_start fast --config "$scratch/conf"
holds "the wait says that the service is back" until_true 60 grep -q 'is back' "$scratch/wait"
if command -v tmux > /dev/null; then
	holds "the watch continues" until_true 60 eval "! shows 'The service has gone away'"
fi
rack_plug 1-5 "$old"
holds "endings are told as before" until_true 120 grep -q 'A5 (1-5)' "$scratch/endings"
kill $wait

# ---- a configuration that is refused --------------------------------------------------------------

printf '[station]\nprots = 1-*\n' > "$scratch/bad.conf"
printf '#!/bin/sh\nexec cfdfud --config "%s" "$@"\n' "$scratch/bad.conf" > "$scratch/cfdfud"
chmod 755 "$scratch/cfdfud"
export CFDFU_DAEMON=$scratch/cfdfud
sim_kill
rm -f "$CFDFU_SOCKET"
cfdfuctl status > /dev/null 2> "$scratch/complained"
holds "the service's own sentence is said, with file and line" \
	grep -qF "$scratch/bad.conf:2" "$scratch/complained"
same "no start is advised that would fail" 0 "$(grep -c 'systemctl start' "$scratch/complained")"
cfdfuctl doctor > "$scratch/said" 2> /dev/null
holds "doctor prints the sentence, too" grep -qF "bad.conf:2" "$scratch/said"
same "doctor advises no such start" 0 "$(grep -c 'enable --now' "$scratch/said")"
