#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Firmware files without a station: files made, shown, taken apart, judged; bad ones refused
# each for its own reason and in little memory.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=firmware.sh
. "$(dirname "$0")/firmware.sh"

here=$(cd "$(dirname "$0")" && pwd)
theirs=$here/../fixtures/theirs
devices=$here/../../systemd/devices
work=$scratch/desk
board_files "$work" one

# ---- made of three HEX files, for three memories ------------------------------------------------

three=$work/three.dfu
holds "a file is made of three HEX files" cfdfuctl firmware make "$three" \
	"$work/app.hex:0=Internal Flash" "$work/spi.hex:1=SPI Flash" "$work/nor.hex:2=NOR" \
	--vid 0483 --pid DF11 --device 0x0123
same "its size is what UM0391 says" $((11 + 3 * (274 + 8) + 190000 + 16)) "$(stat -c %s "$three")"
cfdfuctl firmware show --elements "$three" > "$scratch/shown"
holds "it says which USB device it is for" grep -q '0483:df11, version 0123' "$scratch/shown"
holds "it shows the first target with its name" \
	grep -q 'target 0 "Internal Flash"  0x08003000-0x08007e1f  20,000 bytes' "$scratch/shown"
holds "it shows the third target with its name" \
	grep -q 'target 2 "NOR"  0x64000000-0x6401869f  100,000 bytes' "$scratch/shown"
same "as JSON it is the same" '[[0,"Internal Flash",134230016,20000],[1,"SPI Flash",0,70000],[2,"NOR",1677721600,100000]]' \
	"$(cfdfuctl --json firmware show --elements "$three" |
		jq -c '[.elements[] | [.target, .target_name, .address, .bytes]]')"
if command -v dfu-suffix > /dev/null; then
	holds "dfu-suffix accepts its suffix" dfu-suffix -c "$three"
fi
if command -v fwupdtool > /dev/null; then
	says "fwupdtool reads its three targets" '<addr>0x64000000</addr>' \
		fwupdtool firmware-parse "$three" dfuse
fi
cfdfuctl firmware make "$work/same.dfu" "$work/app.hex:0=Internal Flash" \
	"$work/spi.hex:1=SPI Flash" "$work/nor.hex:2=NOR" --device 123 > /dev/null
holds "the same inputs give the same bytes" cmp "$three" "$work/same.dfu"

# ---- taken apart and put together ---------------------------------------------------------------

mkdir "$work/out"
holds "its elements are extracted" cfdfuctl firmware extract "$three" --output "$work/out"
holds "the first is what went in" cmp "$work/app.bin" "$work/out/three-target0-08003000.bin"
holds "the second is what went in" cmp "$work/spi.bin" "$work/out/three-target1-00000000.bin"
holds "the third is what went in" cmp "$work/nor.bin" "$work/out/three-target2-64000000.bin"
srec_of "$work/nor.bin" 0x64000000 > "$work/nor.s19"
cfdfuctl firmware make "$work/again.dfu" \
	"$work/out/three-target0-08003000.bin@0x08003000:0=Internal Flash" \
	"$work/out/three-target1-00000000.bin@0:1=SPI Flash" "$work/nor.s19:2=NOR" \
	--device 0123 > /dev/null
holds "binaries and S-records make the same file again" cmp "$three" "$work/again.dfu"
for file in dfuse-pack fwupd; do
	cfdfuctl firmware make "$work/copy.dfu" "$theirs/$file.dfu" > /dev/null
	holds "$file.dfu survives a round trip unchanged" cmp "$theirs/$file.dfu" "$work/copy.dfu"
done
cfdfuctl firmware make "$work/x.dfu" "$work/app.hex" "$work/app.hex" > "$scratch/said" 2>&1
same "inputs that overlap are refused" 4 $?
cfdfuctl firmware make "$work/x.dfu" "$work/app.hex" --vid 12345 > "$scratch/said" 2>&1
same "an id of five digits is wrong usage" 2 $?
test ! -e "$work/x.dfu"
same "nothing was written for either" 0 $?

# ---- formats detected by content, not by name ---------------------------------------------------

good=$(image 2025.12)
sha=$(cfdfuctl --json firmware check "$good" | jq -r .sha256)
for format in bin zip1 zip2 dfu hex srec; do
	mkimage --seed "$(cksum <<< 2025.12 | cut -d' ' -f1)" --tag 2025.12 --format $format \
		"$work/it.jpeg"
	same "$format under a wrong name holds the same image" "$sha" \
		"$(cfdfuctl --json firmware check "$work/it.jpeg" | jq -r .sha256)"
done
cp "$theirs/dfu-suffix.bin" "$work/suffixed"
same "a binary with a DFU suffix is known as one" dfu \
	"$(cfdfuctl --json firmware show --elements "$work/suffixed" | jq -r .format)"
same "standard input will do" "$sha" \
	"$(cfdfuctl --json firmware check - < "$good" | jq -r .sha256)"
cfdfuctl --json firmware check --address 0x08000000 "$good" > "$scratch/said"
same "a binary at the loader's place is refused" 4 $?
same "the reason is the loader's protection" loader-guard "$(jq -r '.findings[0].code' "$scratch/said")"

# ---- the page -----------------------------------------------------------------------------------

says "the page has the format" '^  format      plain binary' cfdfuctl firmware check "$good"
holds "the page has the version" grep -q '^  version     2025.12, revision ' "$scratch/said"
holds "the page has the vectors" grep -q '^  vectors     stack 0x.*, reset 0x' "$scratch/said"
holds "the page has the sectors on a Crazyflie" \
	grep -q '^  on Crazyflie  *target 0, 6 sectors (1 to 6), 368 KiB to erase' "$scratch/said"
cfdfuctl --json firmware check --platform other "$three" > "$scratch/page"
for device in $(sed -n 's/^\[device \(.*\)\]/\1/p' "$devices"/*.conf | tr ' ' _); do
	holds "the page speaks of the shipped device $device" \
		jq -e "any(.devices[]; .device == \"${device//_/ }\")" "$scratch/page"
done
same "the sectors of all three memories are counted" '[[0,10,20480],[1,2,131072],[2,2,131072]]' \
	"$(jq -c '.devices[] | select(.device == "STM3210E-EVAL").memories |
		map([.target, .sectors, .erase_bytes])' "$scratch/page")"
holds "each other device has its reason" jq -e '.devices[] | select(.device != "STM3210E-EVAL") |
	.reason | length > 10' "$scratch/page"
mkdir "$scratch/devices"
sed 's/^\[device STM3210E-EVAL\]/[device a board of one'"'"'s own]/' "$devices/st-eval.conf" \
	> "$scratch/devices/own.conf"
printf '[device bad]\nvid = 0483\n' > "$scratch/devices/bad.conf"
CFDFU_DEVICES_DIR=$scratch/devices cfdfuctl --json firmware check --platform other "$three" \
	> "$scratch/page" 2> "$scratch/said"
same "a device is added by one file" "[\"Crazyflie\",\"a board of one's own\"]" \
	"$(jq -c '[.devices[].device]' "$scratch/page")"
holds "a wrong device file is named" grep -q 'bad.conf: pid is missing' "$scratch/said"
mkimage --tag 2025.12 --modified "$work/modified.bin"
cfdfuctl --json firmware check "$work/modified.bin" > "$scratch/page"
same "a file with a mere warning is accepted" 0 $?
holds "the warning is printed" jq -e '.findings[] | select(.code == "modified" and .level == "warning")' \
	"$scratch/page"
mkimage --loader "$work/loader.bin"
cfdfuctl firmware check "$work/loader.bin" > "$scratch/said" 2>&1
same "the boot loader is refused as firmware" 4 $?
holds "the boot loader is accepted for recovery" cfdfuctl firmware check --loader "$work/loader.bin"

# ---- bad files ----------------------------------------------------------------------------------

mkdir "$work/bad"
mkbad "$work/bad" > "$work/reasons"
within "there are 60 bad files and more" 60 "$(wc -l < "$work/reasons")" 10000
within "no two reasons are the same sentence" 60 "$(cut -f2 "$work/reasons" | sort -u | wc -l)" 10000
peak "$scratch/base" cfdfuctl --version > /dev/null
base=$(cat "$scratch/base")
wrong=0 worst=0
while IFS=$'\t' read -r name reason; do
	peak "$scratch/peak" cfdfuctl firmware check "$work/bad/$name" > "$scratch/said" 2>&1
	rc=$?
	if [ $rc -ne 4 ] || ! grep -qF -e "$reason" "$scratch/said"; then
		not_ok "$name is refused" "exit status $rc, not for: $reason"
		wrong=$((wrong + 1))
	fi
	more=$(($(cat "$scratch/peak") - base - 2 * $(stat -c %s "$work/bad/$name") / 1024))
	[ $more -le $worst ] || worst=$more
done < "$work/reasons"
same "each bad file is refused for its own reason" 0 $wrong
within "none costs more than twice its size and 8 MiB" 0 $worst 8192
note "beside twice the file: $worst KiB at most; the program alone: $base KiB"
