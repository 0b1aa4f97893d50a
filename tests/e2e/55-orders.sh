#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that an operator, a rack and an administrator can do, in an order drawn from a seed, while
# drones are at work: plugs, selections, pauses, retries, readings, configurations.  What was ordered
# last is what is true at the end, whatever came before.  CFDFU_ORDERS_SEED and CFDFU_ORDERS play
# another run, or a longer one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seed=${CFDFU_ORDERS_SEED:-20251120}
orders=${CFDFU_ORDERS:-150}
config=$scratch/station.conf
log=$scratch/daemon.log
drones=8
tags=(2025.09 2025.10 2025.12)
done_file=$scratch/done
jobs=()

configure() # PORTS
{
	printf '%s\n' '[station]' "ports = $1" 'quarantine = 3' '[slots]' '1-[1-4] = front' '1-5 = five' \
		> "$config"
}

clean_up()
{
	[ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2> /dev/null
	sim_stop
}

draw() # COUNT; sets drawn
{
	drawn=$((RANDOM % $1))
}

behind() # COMMAND...
{
	timeout 60 "$@" > /dev/null 2>&1 &
	jobs+=($!)
}

order() # sets said
{
	local n tag

	draw $drones
	n=$((drawn + 1))
	draw ${#tags[@]}
	tag=${tags[drawn]}
	draw 20
	case $drawn in
	0 | 1 | 2) said="plug 1-$n" && rack_do plug "1-$n" ;;
	3 | 4) said="unplug 1-$n" && rack_do unplug "1-$n" ;;
	5) said="power-cycle 1-$n" && rack_do power-cycle "1-$n" ;;
	6) said="button 1-$n" && rack_do unplug "1-$n" && rack_do button "1-$n" ;;
	7) said=pause && cfdfuctl pause ;;
	8) said=resume && cfdfuctl resume ;;
	9 | 10) said="select $tag" && cfdfuctl firmware select "$tag" ;;
	11) said="select $tag --for 1-$n" && cfdfuctl firmware select "$tag" --for "1-$n" ;;
	12) said="deselect --for front" && cfdfuctl firmware deselect --for front ;;
	13) said="retry 1-$n" && cfdfuctl retry "1-$n" ;;
	14) said="retry --force 1-$n" && cfdfuctl retry --force "1-$n" ;;
	15) said="backup 1-$n" && behind cfdfuctl backup "1-$n" "$scratch/backup-$n.dfu" ;;
	16) said="watch" && behind timeout 5 cfdfuctl --json watch ;;
	17) said="ports 1-[1-4]" && configure '1-[1-4]' && reload ;;
	18) said="ports all" && configure '*' && reload ;;
	19) said="platform set five" && cfdfuctl platform set five "$([ $((n % 2)) = 0 ] && echo cf2 ||
		echo none)" ;;
	esac > /dev/null 2>&1
}

# Nothing is done to drones on slots that are not the station's.
check_outside()
{
	local n before=() after=()

	configure '1-[1-4]'
	reload
	until_true 60 eval "[ \$(status '[.slots[] | select(.port | test(\"1-[5-8]\")) |
		select(.present)] | length') = 0 ]" || not_ok "slots that were taken away are given up" \
		"$(status '.slots[] | "\(.port) \(.state)"')"
	for n in 5 6 7 8; do
		before+=("$(counter "1-$n" erases writing reboots)")
	done
	cfdfuctl firmware select "$1" > /dev/null
	cfdfuctl retry --failed > /dev/null 2>&1
	for n in 5 6 7 8; do
		rack_do unplug "1-$n" > /dev/null 2>&1
		rack_do plug "1-$n" > /dev/null 2>&1
	done
	settle 1
	for n in 5 6 7 8; do
		after+=("$(counter "1-$n" erases writing reboots)")
	done
	same "drones on slots of others are left alone" "${before[*]}" "${after[*]}"
}

settled()
{
	rack_operator
	good_is $drones
}

RANDOM=$seed
note "seed $seed, $orders orders"
configure '*'
: > "$log"
for tag in "${tags[@]}"; do
	image "$tag" --size 61440 > /dev/null
done
sim_start fast --config "$config"
trap clean_up EXIT
rack_connect
for tag in "${tags[@]}"; do
	cfdfuctl firmware add "$(image "$tag" --size 61440)" --name "$tag" > /dev/null
done
old=$(image 2025.02 --size 61440)
for n in $(seq 1 $drones); do
	rack_add "1-$n" "$old"
done
for i in $(seq 1 "$orders"); do
	order
	echo "$i $said" >> "$done_file"
	draw 4
	for _ in $(seq $((drawn * 30))); do # some turns of its loop, a drawn number
		rack_do list > /dev/null
	done
	if ! kill -0 "$sim_pid" 2> /dev/null; then
		not_ok "the station lives" "$(tail -n 5 "$log")"
		exit 1
	fi
done
cfdfuctl resume > /dev/null
check_outside 2025.10

# ---- the last word ------------------------------------------------------------------------------

last=${tags[2]}
configure '*'
reload
cfdfuctl resume > /dev/null
cfdfuctl platform set five none > /dev/null
for n in $(seq 1 $drones); do
	cfdfuctl firmware deselect --for "1-$n" > /dev/null
done
cfdfuctl firmware select "$last" > /dev/null
cfdfuctl port release --all > /dev/null
for n in $(seq 1 $drones); do
	rack_do plug "1-$n" > /dev/null 2>&1
done
until_true 60 present_is $drones
cfdfuctl retry --failed > /dev/null 2>&1
if until_true 120 settled; then
	ok "after all of it every drone ends well"
else
	not_ok "after all of it every drone ends well" "$(note_bad) | $(paste -sd, "$done_file")"
fi
[ ${#jobs[@]} -eq 0 ] || wait "${jobs[@]}" 2> /dev/null
jobs=()
wrong=
for n in $(seq 1 $drones); do
	flash_is "1-$n" "$(image "$last" --size 61440)" > /dev/null 2>&1 || wrong="$wrong 1-$n"
	[ "$(counter "1-$n" outside_writes outside_erases mass_erases option_writes)" = 0 ] ||
		wrong="$wrong 1-$n(outside)"
done
same "each holds what was selected last, and nothing else was touched" "" "$wrong"
same "no two attempts on a port at the same time" 0 "$(records "SELECT count(*) FROM attempts a
	JOIN attempts b ON a.port = b.port AND a.id < b.id AND b.started_at < a.ended_at")"
same "a pass says the version of its firmware" 0 "$(records "SELECT count(*) FROM attempts
	WHERE verdict = 'pass' AND version_after IS NOT firmware_version")"
records_are_sound "orders"
note "$(records "SELECT verdict || ': ' || count(*) FROM attempts GROUP BY verdict" | paste -sd' ')"
