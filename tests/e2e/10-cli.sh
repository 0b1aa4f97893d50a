#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The client where there is no station: exit statuses and sentences; judging files needs none.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

exits() # STATUS WORDS...
{
	local wanted=$1 rc=0

	shift
	cfdfuctl "$@" > "$scratch/said" 2> "$scratch/complained" < /dev/null || rc=$?
	same "cfdfuctl $*: exit status" "$wanted" "$rc"
}

exits 3 status
holds "without a station a sentence says how to start it" grep -q 'systemctl start' \
	"$scratch/complained"
for words in watch wait pause resume 'history' 'firmware list' 'show 1' 'retry 1-1'; do
	# shellcheck disable=SC2086 # words on purpose
	exits 3 $words
done
for words in frobnicate 'status --nonsense' firmware 'firmware frobnicate' 'firmware add' \
	'firmware select' 'retry' 'wait --count many' 'wait --timeout soon' 'history --limit -1' \
	'pause now' '--socket'; do
	# shellcheck disable=SC2086 # words on purpose
	exits 2 $words
	holds "cfdfuctl $words: nothing on standard output, something on the other" \
		test ! -s "$scratch/said" -a -s "$scratch/complained"
done
exits 0 --help
exits 0 --version

good=$(image 2025.12)
exits 0 firmware check "$good"
exits 0 --json firmware check "$good"
holds "the judgement is one JSON document" jq -e . "$scratch/said"
for format in zip1 zip2 dfu hex srec; do
	mkimage --format $format "$images/good.$format"
	exits 0 firmware check "$images/good.$format"
done

work=$scratch/bad
mkdir -p "$work/directory"
: > "$work/empty"
head -c 20000 "$images/good.zip2" > "$work/truncated.zip"
mkimage --format zip3 "$work/manifest3.zip"
mkimage --base 0x08000000 --tag 2021.06 --old "$work/low.bin"
head -c 1032193 /dev/urandom > "$work/large.bin"
cp /bin/true "$work/elf"
refused() # FILE PATTERN
{
	exits 4 firmware check "$work/$1"
	holds "the refusal of $1 names the reason ($2)" \
		grep -qiE "$2" "$scratch/complained" "$scratch/said"
}
refused empty empty
refused truncated.zip 'truncated|end|zip'
refused manifest3.zip 'manifest|version 3'
refused low.bin 0x0*8000000
refused large.bin 'large|big|room|fit|1,?032,?19[23]'
refused elf ELF
refused directory directory
refused missing 'no such file|not exist'
