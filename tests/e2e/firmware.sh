# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # set here for others, or by them for us
# Shared by the tests of firmware files and of rescue, outside and inside the virtual station: files
# for three memories, made without any tool of ours.  Source it after common.sh.

board_app=0x08003000

# A file as Intel HEX, 16 bytes a record, on standard output.
hex_of() # FILE ADDRESS
{
	od -An -v -tu1 -w16 "$1" | awk -v at="$(($2))" -v high=-1 '
	function record(address, type, n,    i, sum, text)
	{
		sum = n + int(address / 256) + address % 256 + type
		text = sprintf(":%02X%04X%02X", n, address, type)
		for (i = 1; i <= n; i++) {
			text = text sprintf("%02X", b[i])
			sum += b[i]
		}
		printf "%s%02X\n", text, (256 - sum % 256) % 256
	}
	{
		if (int(at / 65536) != high) {
			high = int(at / 65536)
			b[1] = int(high / 256)
			b[2] = high % 256
			record(0, 4, 2)
		}
		for (i = 1; i <= NF; i++)
			b[i] = $i
		record(at % 65536, 0, NF)
		at += NF
	}
	END { record(0, 1, 0) }'
}

# The same as S-records with 32 bits of address.
srec_of() # FILE ADDRESS
{
	od -An -v -tu1 -w16 "$1" | awk -v at="$(($2))" '
	{
		n = NF + 5
		sum = n
		text = sprintf("S3%02X%04X%04X", n, int(at / 65536), at % 65536)
		for (i = 24; i >= 0; i -= 8)
			sum += int(at / 2 ^ i) % 256
		for (i = 1; i <= NF; i++) {
			text = text sprintf("%02X", $i)
			sum += $i
		}
		printf "%s%02X\n", text, 255 - sum % 256
		at += NF
	}
	END { print "S70500000000FA" }'
}

# Bytes without any pattern, the same for the same tag, in which no parser finds anything.
filler() # TAG BYTES
{
	# WHY: where SIGPIPE is ignored, the commands before head complain about a closed pipe.
	{ seq -f "$1 %.0f" 1 $(($2)) | gzip -n -1 | tail -c +65; } 2> /dev/null | head -c "$2"
}

words() # NUMBER...: 32 bits each, little-endian
{
	local w

	for w in "$@"; do
		printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((w & 255)) \
			$((w >> 8 & 255)) $((w >> 16 & 255)) $((w >> 24 & 255)))"
	done
}

# An application for an STM32F10x: vectors as they should be for its address, then anything.
f10x_image() # FILE TAG BYTES [ADDRESS]
{
	local at=$((${4:-$board_app})) handler

	handler=$((at + 0x301))
	{
		words 0x20005000 $((at + 0x201))
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
			words $handler
		done
		filler "$2" $(($3 - 64))
	} > "$1"
}

# Binaries and HEX files for the three memories of the evaluation board, in a directory.
board_files() # DIRECTORY TAG
{
	mkdir -p "$1"
	f10x_image "$1/app.bin" "$2" 20000
	filler "spi $2" 70000 > "$1/spi.bin"
	filler "nor $2" 100000 > "$1/nor.bin"
	hex_of "$1/app.bin" $board_app > "$1/app.hex"
	hex_of "$1/spi.bin" 0 > "$1/spi.hex"
	hex_of "$1/nor.bin" 0x64000000 > "$1/nor.hex"
}

# Does a memory of a simulated device hold the file?
memory_is() # PORT FILE ADDRESS
{
	rack_do dump "$1" "$scratch/memory" "$3" "$(stat -c %s "$2")" > /dev/null &&
		cmp "$scratch/memory" "$2"
}

# Both memories of two devices: the same bytes?
memories_agree() # PORT PORT ADDRESS LENGTH
{
	rack_do dump "$1" "$scratch/memory-1" "$3" "$4" > /dev/null &&
		rack_do dump "$2" "$scratch/memory-2" "$3" "$4" > /dev/null &&
		cmp "$scratch/memory-1" "$scratch/memory-2"
}

slot() # PORT FIELD
{
	status ".slots[] | select(.port == \"$1\").$2"
}
