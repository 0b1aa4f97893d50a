#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Devices that are not Crazyflies, by their [device] sections: one file for three memories, results
# per target, everything checked before the first erase; STM32F10x with its loader in the first pages.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=firmware.sh
. "$(dirname "$0")/firmware.sh"

devices=$(cd "$(dirname "$0")/../../systemd/devices" && pwd)
cat "$devices"/*.conf > "$scratch/conf"
work=$scratch/desk
board_files "$work" one
board_files "$work/other" two

plug_in() # PORT MODEL [KEY=VALUE...]
{
	rack_do add "$1" model="$2" application=$board_app "${@:3}" > /dev/null
	rack_do plug "$1" > /dev/null
}

has_ended() # PORT
{
	local verdict

	verdict=$(slot "$1" verdict)
	[ "$verdict" != null ] && [ -n "$verdict" ]
}

ends() # NAME PORT VERDICT PATTERN
{
	until_true 60 has_ended "$2"
	same "$1" "$3" "$(slot "$2" verdict)"
	holds "$1, and says so" grep -qE "$4" <<< "$(slot "$2" message)"
}

sim_start fast --config "$scratch/conf"
cfdfuctl firmware make "$work/three.dfu" "$work/app.hex:0=Internal" "$work/spi.hex:1=SPI" \
	"$work/nor.hex:2=NOR" > /dev/null
cfdfuctl firmware add "$work/three.dfu" > "$scratch/said" 2>&1
same "a file for three memories is no Crazyflie's" 4 $?
holds "it is taken for other devices" cfdfuctl firmware add --platform other "$work/three.dfu"

# ---- one by one ---------------------------------------------------------------------------------

plug_in 1-1 eval
holds "the board is seen" until_true 20 present_is 1
holds "an image for one serial number only" \
	cfdfuctl firmware select three --for "$(slot 1-1 dfu_serial)"
ends "three memories are written from one file" 1-1 pass \
	'target 0 pass; target 1 pass; target 2 pass'
for memory in app:$board_app spi:0 nor:0x64000000; do
	holds "the memory of ${memory%:*} holds its image" \
		memory_is 1-1 "$work/${memory%:*}.bin" "${memory#*:}"
done
same "the board was left once, at the end" 1 "$(counter 1-1 leaves)"
same "nothing outside the application was touched" "0 0" \
	"$(counter 1-1 outside_writes) $(counter 1-1 outside_erases)"
plug_in 1-2 eval
until_true 20 present_is 1
settle 1
same "another board of the kind is left as it is" 0 "$(counter 1-2 writing)"
cfdfuctl firmware select three > /dev/null
ends "selected for all, it is written, too" 1-2 pass 'target 2 pass'

# ---- trouble in the second memory ---------------------------------------------------------------

# Ten blocks for the first memory, and the first of them last; then those of the second.
rack_do add 1-3 model=eval application=$board_app > /dev/null
rack_do fate 1-3 status at=15 on=data count=100 > /dev/null
rack_do plug 1-3 > /dev/null
ends "trouble in the second memory is a failure" 1-3 fail \
	'target 0 pass; target 1 fail; target 2 not begun'
holds "the first memory holds its image all the same" memory_is 1-3 "$work/app.bin" $board_app
same "the board was not left" 0 "$(counter 1-3 leaves)"
same "the record has the results of the targets" 1 "$(records "SELECT count(*) FROM attempts
	WHERE verdict = 'fail' AND message LIKE '%target 0 pass; target 1 fail%'")"
rack_do mend 1-3 > /dev/null
cfdfuctl retry 1-3 > /dev/null
holds "when it is done again it passes" until_true 60 test_verdict 1-3 pass
holds "the second memory holds its image" memory_is 1-3 "$work/spi.bin" 0

# ---- all is checked before anything is erased ---------------------------------------------------

cfdfuctl firmware make "$work/beyond.dfu" "$work/other/app.hex:0" \
	"$work/other/spi.bin@0x007FFFF0:1" > /dev/null
cfdfuctl firmware add --platform other "$work/beyond.dfu" > "$scratch/said" 2>&1
same "a file that leaves its memory is refused" 4 $?
plug_in 1-4 f10x-high
plug_in 1-5 f10x-medium
for port in 1-4 1-5; do
	ends "a device without the second memory is refused" $port fail \
		'a memory that the device does not have'
	same "nothing on it was erased or written" 0 "$(counter $port writing)"
done
rack_do unplug 1-4 > /dev/null
rack_do unplug 1-5 > /dev/null

# ---- STM32F10x: its loader lives in the first pages ---------------------------------------------

f10x_image "$work/low.bin" low 20000 0x08000000
cfdfuctl firmware make "$work/low.dfu" "$work/low.bin@0x08000000" > /dev/null
cfdfuctl firmware add --platform other "$work/low.dfu" > "$scratch/said" 2>&1
same "an image at 0x08000000 is refused" 4 $?
holds "because the loader is there" grep -q '0x08000000.*protected' "$scratch/said"
cfdfuctl firmware make "$work/app.dfu" "$work/app.hex" > /dev/null
holds "an image at 0x08003000 is taken" cfdfuctl firmware add --platform other "$work/app.dfu"
cfdfuctl firmware select app > /dev/null
f10x_image "$work/loader.bin" loader 12288 0x08000000
for model in medium high; do
	port=2-1
	[ $model = medium ] || port=2-2
	rack_do add $port model=f10x-$model application=$board_app > /dev/null
	rack_do load $port "$work/loader.bin" 0x08000000 > /dev/null
	rack_do plug $port > /dev/null
	ends "an F10x of $model density is flashed" $port pass 'Flashed and read back equal'
	holds "its application is the image" memory_is $port "$work/app.bin" $board_app
	holds "its loader is what it was" memory_is $port "$work/loader.bin" 0x08000000
	same "nothing outside the application was touched" "0 0" \
		"$(counter $port outside_writes) $(counter $port outside_erases)"
done
plug_in 2-3 other-dfu
until_true 20 test_state 2-3 foreign
same "a device that no section describes is foreign" foreign "$(slot 2-3 state)"
holds "its slot says what was found and what to do" \
	grep -qE 'left alone: .+ If it is a Crazyflie, .* \[device\]' <<< "$(slot 2-3 message)"
same "the foreign device is only read" 0 "$(counter 2-3 writing)"
records_are_sound "targets"
