#!/bin/bash
# SPDX-License-Identifier: MIT
# Firmware files and rescue on a real kernel: three memories from one file, ours beside
# dfu-util's; STM32F10x whose loader survives; a wiped boot loader brought back; what the doctor says.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR/../../e2e source=firmware.sh
. "$(dirname "$0")/firmware.sh"

work=$scratch/desk
devices=/usr/share/cfdfud/devices
conf=/etc/cfdfud/cfdfud.conf.d

plug_in() # PORT MODEL
{
	rack_do add "$1" model="$2" application=$board_app > /dev/null
	rack_do plug "$1" > /dev/null
	until_true 60 usb_is "$1" 0483:df11
}

verdict_is() # PORT VERDICT
{
	[ "$(slot "$1" verdict)" = "$2" ]
}

getent passwd cfdfud > /dev/null || station_install
station_reset
station_configure station 'ports = 1-1 1-3 1-4 1-5 1-6'
cp $devices/*.conf $conf/
rack_start fast

# ---- three memories from one file, by us and by dfu-util ----------------------------------------

board_files "$work" one
three=$out/three.dfu
holds "a file is made of three HEX files" cfdfuctl firmware make "$three" \
	"$work/app.hex:0=Internal Flash" "$work/spi.hex:1=SPI Flash" "$work/nor.hex:2=NOR"
holds "dfu-suffix accepts it" dfu-suffix -c "$three"
holds "the station takes it for other devices" \
	cfdfuctl firmware add --platform other "$three" --name three
cfdfuctl firmware select three > /dev/null
plug_in 1-1 eval
holds "the station flashes the board" until_true 300 verdict_is 1-1 pass
holds "the verdict names each target" \
	grep -q 'target 0 pass; target 1 pass; target 2 pass' <<< "$(slot 1-1 message)"
plug_in 1-2 eval
dfu-util -d 0483:df11 -p 1-2 -D "$three" > "$out/dfu-util-three.log" 2>&1
same "dfu-util flashes the other board" 0 $?
for memory in app:$board_app spi:0 nor:0x64000000; do
	holds "ours: the memory of ${memory%:*} holds its image" \
		memory_is 1-1 "$work/${memory%:*}.bin" "${memory#*:}"
	holds "dfu-util's: the memory of ${memory%:*} holds its image" \
		memory_is 1-2 "$work/${memory%:*}.bin" "${memory#*:}"
done
holds "the internal flash is the same on both" memories_agree 1-1 1-2 0x08000000 0x80000
holds "the SPI flash is the same on both" memories_agree 1-1 1-2 0 0x40000
holds "the NOR flash is the same on both" memories_agree 1-1 1-2 0x64000000 0x40000
same "the board was left once" 1 "$(counter 1-1 leaves)"

# ---- STM32F10x: the first 0x3000 bytes are its loader -------------------------------------------

f10x_image "$work/loader.bin" loader 12288 0x08000000
f10x_image "$work/low.bin" low 20000 0x08000000
hex_of "$work/low.bin" 0x08000000 > "$work/low.hex"
cfdfuctl firmware make "$work/low.dfu" "$work/low.hex" > /dev/null
cfdfuctl firmware make "$work/app.dfu" "$work/app.hex" > /dev/null
cfdfuctl firmware add --platform other "$work/low.dfu" > "$out/low.txt" 2>&1
same "an image at 0x08000000 is refused" 4 $?
cfdfuctl firmware add --platform other "$work/app.dfu" --name app > /dev/null
cfdfuctl firmware select app > /dev/null
for port in 1-3:medium 1-4:high; do
	model=f10x-${port#*:}
	port=${port%:*}
	rack_do add "$port" model="$model" application=$board_app > /dev/null
	rack_do load "$port" "$work/loader.bin" 0x08000000 > /dev/null
	rack_do plug "$port" > /dev/null
	holds "an $model takes an image at 0x08003000" until_true 120 verdict_is "$port" pass
	holds "its application is the image" memory_is "$port" "$work/app.bin" $board_app
	holds "its loader survives" memory_is "$port" "$work/loader.bin" 0x08000000
	same "nothing outside the application was touched" 0 \
		"$(($(counter "$port" outside_writes) + $(counter "$port" outside_erases)))"
done

# ---- a wiped boot loader ------------------------------------------------------------------------

old=$(image 2025.02)
new=$(image 2025.12)
mkimage --loader "$work/cf2loader.bin"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
rack_add 1-5 "$old"
rack_do load 1-5 "$work/cf2loader.bin" 0x08000000 > /dev/null
rack_do plug 1-5 > /dev/null
holds "a drone passes" until_true 120 verdict_is 1-5 pass
rack_do unplug 1-5 > /dev/null
rack_do load 1-5 "$old" $app > /dev/null
rack_do blank 1-5 0x08000000 0x4000 > /dev/null
rack_do button 1-5 > /dev/null
holds "a drone without its loader is not flashed" until_true 60 verdict_is 1-5 fail
same "the fault is loader-blank" loader-blank "$(slot 1-5 fault)"
cfdfuctl recover-loader 1-5 --image "$new" --yes > "$out/recover.txt" 2>&1
same "a normal image is refused" 4 $?
rack_do reset-counters 1-5 > /dev/null
holds "recover-loader brings it back" \
	cfdfuctl recover-loader 1-5 --image "$work/cf2loader.bin" --yes
holds "sector 0 holds the loader" memory_is 1-5 "$work/cf2loader.bin" 0x08000000
same "nothing else was erased" '[1]' \
	"$(rack_do counters 1-5 | head -n 1 | jq -c .sector_erases)"
rack_do power-cycle 1-5 > /dev/null
holds "the rescued drone is flashed as usual" until_true 120 verdict_is 1-5 pass
holds "its flash is the image" memory_is 1-5 "$new" $app
holds "all of it is read into a file" cfdfuctl backup 1-5 "$work/whole.dfu" --whole
cfdfuctl firmware extract -o "$work" "$work/whole.dfu" > /dev/null
holds "the file has the bytes of the flash" memory_is 1-5 "$work/whole-target0-08000000.bin" 0x08000000

# ---- the doctor ---------------------------------------------------------------------------------

finds() # NAME CHECK LEVEL PATTERN-OF-THE-COMMAND
{
	cfdfuctl --json doctor > "$scratch/doctor" 2> /dev/null
	holds "the doctor finds $1" \
		jq -e "any(.checks[]; .name == \"$2\" and .level == \"$3\")" "$scratch/doctor"
	holds "doctor names the command that fixes $1" jq -e "any(.checks[]; .name == \"$2\" and
		.level == \"$3\" and (.fix // \"\" | test(\"$4\")))" "$scratch/doctor"
}

for program in fwupd ModemManager; do
	cp /bin/sleep "$scratch/$program"
	"$scratch/$program" 1000 &
	pid=$!
	until_true 10 grep -q "$program" "/proc/$pid/comm"
	finds "a running $program" "${program,,}" warn "systemctl.*$program"
	kill $pid
	wait $pid 2> /dev/null
done
rule=$(find /usr/lib/udev /lib/udev -name 70-cfdfud.rules | head -n 1)
mv "$rule" "$scratch/rules"
finds "a missing udev rule" udev-rule fail 'udevadm'
mv "$scratch/rules" "$rule"
until_true 60 usb_is 1-5 0483:5740
node=/dev/bus/usb/$(printf '%03d/%03d' "$(cat /sys/bus/usb/devices/1-5/busnum)" \
	"$(cat /sys/bus/usb/devices/1-5/devnum)")
chown root:root "$node"
chmod 600 "$node"
finds "a node that may not be opened" node fail 'udevadm trigger'
mend=$(jq -r '[.checks[] | select(.name == "node" and .level == "fail").fix][0]' "$scratch/doctor")
bash -c "${mend//sudo /}"
udevadm settle
cfdfuctl --json doctor > "$scratch/doctor" 2> /dev/null
same "the command fixes the problem" ok \
	"$(jq -r '[.checks[] | select(.name == "node").level] | unique | join(" ")' "$scratch/doctor")"
echo auto > /sys/bus/usb/devices/1-5/power/control
finds "a drone that may be put to sleep" autosuspend warn 'power/control'
mend=$(jq -r '[.checks[] | select(.name == "autosuspend").fix][0]' "$scratch/doctor")
bash -c "${mend//sudo /}" > /dev/null
same "the command fixes the problem" on "$(cat /sys/bus/usb/devices/1-5/power/control)"
systemctl stop cfdfud.socket cfdfud.service 2> /dev/null
finds "a service that does not run" service fail 'systemctl enable --now cfdfud'
