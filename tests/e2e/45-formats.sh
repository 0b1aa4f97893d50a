#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files as other people's programs make them: accepted with the right note or refused by name, alike
# in the client and in the station; what is written of them holds no byte for RAM and no text.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

foreign=$scratch/foreign
mkdir "$foreign"
mkbad --foreign "$foreign" > "$scratch/table"
within "there are 60 foreign files and more" 60 "$(wc -l < "$scratch/table")" 10000
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
holds "a note names the part that was left out" \
	grep -qF 'left out: 40 bytes for RAM at 0x20014D9C' "$scratch/said"
cfdfuctl firmware make "$scratch/plain.dfu" "$foreign/build.hex" > /dev/null
holds "the file has no data for RAM" cmp "$scratch/ram.dfu" "$scratch/plain.dfu"
for name in dfuse-ram dfuse-two-suffixes dfuse-metadata; do
	cfdfuctl firmware make "$scratch/$name" "$foreign/$name.dfu" > /dev/null 2>&1
	same "$name.dfu is made anew without what is left out" "$(sha256sum < "$foreign/dfuse.dfu")" \
		"$(sha256sum < "$scratch/$name")"
done
cfdfuctl firmware make "$scratch/copy.dfu" "$foreign/dfuse-pack-0.10.dfu" > /dev/null
holds "a file of which nothing is left out stays as it is" \
	cmp "$scratch/copy.dfu" "$foreign/dfuse-pack-0.10.dfu"
mkdir "$scratch/out"
holds "a build's own HEX file is taken apart" \
	cfdfuctl firmware extract "$foreign/ram-section.hex" --output "$scratch/out"
same "the parts are those for the flash memory" "ram-section-target0-08004000.bin ram-section-target0-080041c0.bin" \
	"$(cd "$scratch/out" && echo *)"
same "firmware make reports what a station would refuse" 1 \
	"$(head -c 4096 /dev/zero > "$scratch/zeros.bin" &&
		cfdfuctl firmware make "$scratch/zeros.dfu" "$scratch/zeros.bin" 2>&1 |
		grep -c "a Crazyflie's station would refuse it: initial stack pointer is 0x00000000")"

# ---- a copy of the whole flash memory -----------------------------------------------------------

mkimage "$scratch/cf2.bin"
image_sum=$(sha256sum < "$scratch/cf2.bin" | cut -d' ' -f1)
for name in whole.bin whole.dfu whole-stale.dfu; do
	same "the application of $name is the image that was flashed" "$image_sum" \
		"$(cfdfuctl --json firmware check --application "$foreign/$name" | jq -r .sha256)"
	holds "the application of a copy is added" cfdfuctl firmware add --application --name "put back $name" "$foreign/$name"
	same "the station has the image" "$image_sum" \
		"$(cfdfuctl --json firmware show "put back $name" | jq -r .firmware.sha256)"
done
rack_plug 1-1 "$scratch/cf2.bin"
until_true 20 present_is 1
cfdfuctl backup 1-1 "$scratch/back.dfu" > /dev/null
same "the application of a drone comes back as it was flashed" "$image_sum" \
	"$(cfdfuctl --json firmware check "$scratch/back.dfu" | jq -r .sha256)"
cfdfuctl backup --whole 1-1 "$scratch/back-whole.dfu" > /dev/null
cfdfuctl firmware add "$scratch/back-whole.dfu" > "$scratch/said" 2>&1
same "a copy of all of its flash is refused" 4 $?
holds "the refusal names --application" grep -qF -e '--application takes the application alone' "$scratch/said"
cfdfuctl firmware add --application "$scratch/back-whole.dfu" > "$scratch/said" 2>&1
same "the application of the whole copy is added" 0 $?
same "the application has the digest of the flashed image" "$image_sum" \
	"$(cfdfuctl --json firmware show back-whole | jq -r .firmware.sha256)"

# ---- a release of each platform, from the file to the drone -------------------------------------

rack_do unplug 1-1 > /dev/null
port=2
while read -r platform board; do
	mkimage --platform "$platform" --tag 2025.02 --seed 5 "$scratch/old.bin"
	mkimage --platform "$platform" "$scratch/new.bin"
	mkimage --platform "$platform" --format zip2 "$scratch/firmware-$platform-2025.12.zip"
	holds "a release for $platform is added" \
		cfdfuctl firmware add "$scratch/firmware-$platform-2025.12.zip"
	holds "and selected as one types it" cfdfuctl firmware select "$platform-2025.12"
	# WHY: a Flapper has the board of a Crazyflie or Bolt; its operator says what it is.
	[ "$platform" != flapper ] || cfdfuctl platform set "1-$port" flapper > /dev/null
	rack_plug "1-$port" "$scratch/old.bin" "otp=0;$board"
	holds "a $platform is flashed with it" until_true 60 test_verdict "1-$port" pass
	flash_is "1-$port" "$scratch/new.bin"
	rack_do unplug "1-$port" > /dev/null
	port=$((port + 1))
done << 'END'
cf2 CF21
cf21bl C21B
bolt CB11
tag RR10
flapper CB10
END

# ---- several files ------------------------------------------------------------------------------

cfdfuctl --json firmware add "$foreign/build.hex" "$foreign/utf16.hex" "$foreign/build.srec" \
	> "$scratch/said" 2> "$scratch/complained"
same "of several files one that is refused decides the exit status" 4 $?
same "the files before and behind it are added, one document per line" "build build" \
	"$(jq -r .firmware.name "$scratch/said" | xargs)"
same "the refusal is a document of its own" 1 "$(jq -c .error "$scratch/complained" | wc -l)"
cfdfuctl --json firmware check "$foreign/build.hex" "$foreign/nrf.hex" > "$scratch/said" 2> /dev/null
same "several files are checked" 4 $?
same "each with its own document" "true false" "$(jq -r .accepted "$scratch/said" | xargs)"
cfdfuctl firmware add --name both "$foreign/build.hex" "$foreign/build.srec" > /dev/null 2>&1
same "one name for two files is refused" 2 $?

# ---- the real tools, where they are installed ---------------------------------------------------

start=$(od -An -tx4 -j4 -N4 "$scratch/cf2.bin" | tr -d ' ')
if command -v objcopy > /dev/null; then
	for format in ihex srec; do
		ending=${format#i}
		(cd "$scratch" && mkimage --format "$ending" "ours.$ending" &&
			objcopy -I binary -O "$format" --change-section-address .data=0x08004000 \
				--set-start "0x$start" cf2.bin "cf2.$ending")
		holds "our imitation of objcopy's $format is what objcopy writes" \
			cmp "$scratch/ours.$ending" "$scratch/cf2.$ending"
		holds "objcopy's own output is accepted" cfdfuctl firmware check "$scratch/cf2.$ending"
	done
else
	note "skip: no objcopy on this machine"
fi

# A release of this manifest, packed by this program into $scratch/packed.zip.
packs() # NAME COMMAND...
{
	local name=$1

	shift
	rm -f "$scratch/packed.zip"
	(cd "$scratch/release" && "$@" > /dev/null 2>&1)
	same "$name" "$image_sum" \
		"$(cfdfuctl --json firmware check "$scratch/packed.zip" | jq -r .sha256)"
}

mkdir "$scratch/release"
cp "$scratch/cf2.bin" "$scratch/release/cf2-2025.12.bin"
printf '%s' '{"version": 2, "subversion": 1, "fw_platform": "cf2", "release": "2025.12", "files": ' \
	'{"cf2-2025.12.bin": {"platform": "cf2", "target": "stm32", "type": "fw"}}}' \
	> "$scratch/release/manifest.json"
if command -v zip > /dev/null; then
	packs "what Info-ZIP packs is read" zip ../packed.zip manifest.json cf2-2025.12.bin
	packs "with zip64 everywhere" zip -fz ../packed.zip manifest.json cf2-2025.12.bin
	packs "into a pipe" sh -c 'zip - manifest.json cf2-2025.12.bin | cat > ../packed.zip'
	packs "with its folder" sh -c 'cd .. && zip -r packed.zip release'
else
	note "skip: no zip on this machine"
fi
if command -v python3 > /dev/null; then
	packs "what Python's zipfile packs is read" python3 -m zipfile -c ../packed.zip \
		manifest.json cf2-2025.12.bin
	packs "with zip64 forced" python3 -c '
import zipfile
with zipfile.ZipFile("../packed.zip", "w") as z:
    for n in "manifest.json", "cf2-2025.12.bin":
        with z.open(n, "w", force_zip64=True) as member, open(n, "rb") as file:
            member.write(file.read())'
else
	note "skip: no python3 on this machine"
fi
sim_stop
