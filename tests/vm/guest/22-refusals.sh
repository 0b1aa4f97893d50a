#!/bin/bash
# SPDX-License-Identifier: MIT
# An unfit image is refused with a sentence that names the reason; nothing is stored and no drone is
# touched.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

getent passwd cfdfud > /dev/null || station_install
station_reset
rack_start fast
rack_add 1-1 "$(image 2025.02)"
rack_do plug 1-1 > /dev/null
until_true 60 present_is 1
work=/tmp/refused
mkdir -p $work/directory
: > $work/empty.bin
mkimage --format zip2 $work/whole.zip && head -c 20000 $work/whole.zip > $work/truncated.zip
mkimage --format zip3 $work/manifest3.zip
mkimage --base 0x08000000 --tag 2021.06 --old $work/low.bin
head -c 1032193 /dev/urandom > $work/large.bin
head -c 190000 "$(image 2025.12)" > $work/part.bin
cp /bin/true $work/elf.bin
echo '{"version":1,"subversion":1,"files":{}}' > $work/manifest.json
before=$(find /var/lib/cfdfud/firmware -type f | wc -l)
reboots=$(counter 1-1 writing)

refused() # FILE WORD
{
	local said rc=0

	said=$(cfdfuctl firmware add "$work/$1" 2>&1) || rc=$?
	same "$1 is refused" 4 "$rc"
	holds "the refusal of $1 names the reason ($2)" grep -qiE "$2" <<< "$said"
	note "$1: $said"
}

refused empty.bin 'empty'
refused truncated.zip 'zip|truncated|end'
refused manifest3.zip 'version 3|manifest'
refused low.bin '0x0*8000000'
refused large.bin '1,?032,?19[23]|large|big|room|fit'
refused elf.bin 'ELF'
refused part.bin 'not whole'
refused directory 'directory'
refused missing.bin 'No such file|not exist'
same "no part of the refused file was stored" "$before" "$(find /var/lib/cfdfud/firmware -type f | wc -l)"
same "the catalogue is empty" 0 "$(cfdfuctl --json firmware list | jq '.firmware | length')"
same "the drone was not told to change anything" "$reboots" "$(counter 1-1 writing)"
for words in 'firmware' 'frobnicate' 'status --nonsense' 'retry' 'history --limit many' \
	'wait --timeout soon'; do
	# shellcheck disable=SC2086 # words on purpose
	cfdfuctl $words > /dev/null 2> $work/usage.txt
	same "'cfdfuctl $words' is wrong usage" 2 $?
	holds "'cfdfuctl $words' says how it is used" test -s $work/usage.txt
done
