#!/bin/bash
# SPDX-License-Identifier: MIT
# The simulated drones through the kernel's eyes: descriptors byte for byte (doc/protocol.md 1.1,
# 2.1), strings, serials (2.3), and what lsusb makes of them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sysfs=/sys/bus/usb/devices

descriptors() # PORT
{
	od -An -v -tx1 "$sysfs/$1/descriptors" | tr -d ' \n'
}

runtime="12 01 00 02 00 00 00 40 83 04 40 57 00 02 01 02 03 01
	09 02 62 00 03 01 00 80 32 09 04 00 00 02 FF FF 00 00 07 05 81 02 40 00 06
	07 05 01 02 40 00 06
	08 0B 01 02 02 02 01 02 09 04 01 00 01 02 02 01 01 05 24 00 10 01 05 24 01 00 02 04 24 02 00
	05 24 06 01 02 07 05 83 03 08 00 FF 09 04 02 00 02 0A 00 00 00 07 05 02 02 40 00 00
	07 05 82 02 40 00 00"
old_runtime="12 01 00 02 00 00 00 40 83 04 40 57 00 02 01 02 03 01
	09 02 20 00 01 01 00 80 32 09 04 00 00 02 FF FF 00 00 07 05 81 02 40 00 06
	07 05 01 02 40 00 06"
rom="12 01 00 01 00 00 00 40 83 04 11 DF 00 22 01 02 03 01 09 02 36 00 01 01 00 C0 32
	09 04 00 00 00 FE 01 02 04 09 04 00 01 00 FE 01 02 05 09 04 00 02 00 FE 01 02 06
	09 04 00 03 00 FE 01 02 07 09 21 0B FF 00 00 08 1A 01"

plain() # HEX...
{
	echo "$*" | tr -d ' \n\t' | tr 'A-F' 'a-f'
}

rack_start typical
rack_do add 1-1 uid=30002D000B51343333353132 > /dev/null
rack_do add 1-2 one_interface=yes > /dev/null
for p in 1-1 1-2; do
	rack_do load "$p" "$(image 2025.02)" "$app" > /dev/null
	rack_do plug "$p" > /dev/null
done
holds "a drone enumerates in run-time mode" until_true 30 usb_is 1-1 0483:5740
holds "a drone with an old release enumerates, too" until_true 30 usb_is 1-2 0483:5740
same "run-time descriptors are those of the notes" "$(plain "$runtime")" "$(descriptors 1-1)"
same "run-time descriptors of old releases are those of the notes" "$(plain "$old_runtime")" \
	"$(descriptors 1-2)"
same "the manufacturer is Bitcraze AB" "Bitcraze AB" "$(cat $sysfs/1-1/manufacturer)"
same "the run-time serial is the UID" 30002D000B51343333353132 "$(cat $sysfs/1-1/serial)"
holds "the kernel made a terminal of the CDC function" until_true 30 test -e /dev/ttyACM0

rack_do unplug 1-2 > /dev/null
rack_do unplug 1-1 > /dev/null
until_true 30 test ! -e $sysfs/1-1
rack_do button 1-1 > /dev/null
holds "a drone plugged in with the button held enumerates in DFU mode" \
	until_true 30 usb_is 1-1 0483:df11
same "DFU descriptors are those of the notes" "$(plain "$rom")" "$(descriptors 1-1)"
same "the DFU serial is the published one" 325E35633334 "$(cat $sysfs/1-1/serial)"
same "the product has its two spaces" "STM32  BOOTLOADER" "$(cat $sysfs/1-1/product)"

said=$(lsusb -v -d 0483:df11 2>&1)
echo "$said" > "$out/lsusb-dfu.txt"
for line in 'iManufacturer +1 STMicroelectronics' 'iProduct +2 STM32  BOOTLOADER' \
	'iInterface +4 @Internal Flash  /0x08000000/04\*016Kg,01\*064Kg,07\*128Kg' \
	'iInterface +5 @Option Bytes  /0x1FFFC000/01\*016 e' \
	'iInterface +6 @OTP Memory /0x1FFF7800/01\*512 e,01\*016 e' \
	'iInterface +7 @Device Feature/0xFFFF0000/01\*004 e' \
	'wTransferSize +2048 bytes' 'bcdDFUVersion +1\.1a' 'Self Powered'; do
	holds "lsusb -v shows ${line//[+\\]/}" grep -qE "$line" <<< "$said"
done
