#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files as other people's programs make them: accepted with the right note or refused by name, alike
# at the desk and at the station; what is written of them holds no byte for RAM and no text.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

foreign=$scratch/foreign
mkdir "$foreign"
mkbad --foreign "$foreign" > "$scratch/table"
within "there are 36 foreign files and more" 36 "$(wc -l < "$scratch/table")" 10000
sim_start fast

# Judged without a station, then added to one; both say the same.
wrong=0
while IFS=$'\t' read -r name wanted words; do
	rc=0
	[ "$wanted" = refused ] && rc=4
	for command in check add; do
		got=0
		cfdfuctl firmware $command "$foreign/$name" > "$scratch/said" 2>&1 || got=$?
		if [ $got -ne $rc ] || ! grep -qF -e "$words" "$scratch/said"; then
			not_ok "$name: firmware $command" "exit status $got, without: $words"
			sed 's/^/# /' "$scratch/said"
			wrong=$((wrong + 1))
		fi
	done
done < "$scratch/table"
same "each foreign file ends as its table says" 0 $wrong

# ---- writers ------------------------------------------------------------------------------------

wrong=0
while IFS=$'\t' read -r name wanted words; do
	case $words in
	*text*)
		rm -f "$scratch/made.dfu"
		cfdfuctl firmware make "$scratch/made.dfu" "$foreign/$name" > "$scratch/said" 2>&1 &&
			wrong=$((wrong + 1))
		[ ! -e "$scratch/made.dfu" ] || wrong=$((wrong + 1))
		cfdfuctl firmware extract "$foreign/$name" --output "$scratch" > "$scratch/said" 2>&1 &&
			wrong=$((wrong + 1))
		;;
	esac
done < "$scratch/table"
same "no text becomes a binary, by no writer" 0 $wrong
cfdfuctl firmware make "$scratch/ram.dfu" "$foreign/ram-section.hex" > "$scratch/said" 2>&1
same "a file is made of a build's own HEX file" 0 $?
holds "with the note of what was left out" \
	grep -qF 'left out: 40 bytes for RAM at 0x20014D9C' "$scratch/said"
cfdfuctl firmware make "$scratch/plain.dfu" "$foreign/build.hex" > /dev/null
holds "and nothing for RAM is in it" cmp "$scratch/ram.dfu" "$scratch/plain.dfu"
mkdir "$scratch/out"
holds "a build's own HEX file is taken apart" \
	cfdfuctl firmware extract "$foreign/ram-section.hex" --output "$scratch/out"
same "into what is for the flash memory" "ram-section-target0-08004000.bin ram-section-target0-080041c0.bin" \
	"$(cd "$scratch/out" && echo *)"
same "what is made says what a station would refuse" 1 \
	"$(head -c 4096 /dev/zero > "$scratch/zeros.bin" &&
		cfdfuctl firmware make "$scratch/zeros.dfu" "$scratch/zeros.bin" 2>&1 |
		grep -c "a Crazyflie's station would refuse it: initial stack pointer is 0x00000000")"

# ---- the real tools, where they are installed ---------------------------------------------------

mkimage "$scratch/cf2.bin"
start=$(od -An -tx4 -j4 -N4 "$scratch/cf2.bin" | tr -d ' ')
if command -v objcopy > /dev/null; then
	for format in ihex srec; do
		ending=${format#i}
		(cd "$scratch" && mkimage --format "$ending" "ours.$ending" &&
			objcopy -I binary -O "$format" --change-section-address .data=0x08004000 \
				--set-start "0x$start" cf2.bin "cf2.$ending")
		holds "our imitation of objcopy's $format is what objcopy writes" \
			cmp "$scratch/ours.$ending" "$scratch/cf2.$ending"
		holds "what objcopy writes is accepted" cfdfuctl firmware check "$scratch/cf2.$ending"
	done
else
	note "skip: no objcopy on this machine"
fi
sim_stop
