#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The parts of a release that DFU mode does not carry: shown before, kept by the station, noticed
# when they are lost, healed, and gone with the firmware.
# shellcheck disable=SC2016 # what is waited for is looked at anew each time
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

zip=$images/firmware-cf2-2025.12.zip
mkimage --format zip2 --tag 2025.12 "$zip"
mkdir "$images/foreign"
mkbad --foreign "$images/foreign" > /dev/null
bad=$images/foreign/release-decks-bad.zip

parts() # NAME
{
	cfdfuctl --json firmware show "$1" | jq -c '[.firmware.parts[] | [.target, .type, .version, .bytes, .use]]'
}

problem() # NAME TARGET
{
	cfdfuctl --json firmware show "$1" |
		jq -r ".firmware.parts[] | select(.target == \"$2\").problem"
}

kept() # ENDING
{
	find "$state/firmware" -name "*.$1" | wc -l
}

file_of() # NAME TARGET
{
	echo "$state/firmware/$(cfdfuctl --json firmware show "$1" |
		jq -r "first(.firmware.parts[] | select(.target == \"$2\").sha256)").bin"
}

wanted='[["nrf51","fw","2025.02",3000,"radio"]'
wanted=$wanted',["nrf51","bootloader+softdevice","2024.10",4096,"radio"]'
wanted=$wanted',["bcLighthouse4","fw","V6",104093,"deck"]'
wanted=$wanted',["bcColorLedBot:col","fw","0.1.2",1000,"deck"]'
wanted=$wanted',["bcColorLedTop:col","fw","0.1.2",1000,"deck"]]'

# ---- without a station --------------------------------------------------------------------------

cfdfuctl firmware check "$zip" > "$scratch/page"
holds "a file's page has its parts" grep -q \
	'^  parts       nrf51 2025.02, 3,000 bytes: by radio only' "$scratch/page"
holds "and what becomes of each" grep -q \
	'bcColorLedTop:col 0.1.2, 1,000 bytes: written over USB (deck update)$' "$scratch/page"
same "as JSON they are the same" "$wanted" "$(cfdfuctl --json firmware check "$zip" |
	jq -c '[.parts[] | [.target, .type, .version, .bytes, .use]]')"
same "a plain binary has none" '[]' \
	"$(cfdfuctl --json firmware check "$(image 2025.12)" | jq -c .parts)"

# ---- kept ---------------------------------------------------------------------------------------

sim_start fast
holds "a release is added" cfdfuctl firmware add "$zip" --name new
same "its parts are in the catalogue" "$wanted" "$(parts new)"
same "each file is kept once, whatever needs it" "1 4" "$(kept dfu) $(kept bin)"
cfdfuctl firmware add "$(image 2025.12)" --name plain > /dev/null
same "a plain binary has no parts there either" '[]' "$(parts plain)"
cfdfuctl firmware list > "$scratch/list"
holds "the list says which decks it is for" grep -q \
	'nrf51, bcLighthouse4, bcColorLedBot:col, bcColorLedTop:col' "$scratch/list"
sim_kill
sim_start fast
same "they survive the end of the station" "$wanted" "$(parts new)"

# ---- lost, and healed ---------------------------------------------------------------------------

rm "$(file_of new bcLighthouse4)"
printf x | dd of="$(file_of new bcColorLedBot:col)" bs=1 seek=500 conv=notrunc status=none
holds "a part that is missing is noticed" until_true 60 eval \
	'[[ $(problem new bcLighthouse4) == "its file is missing: add it again"* ]]'
holds "so is one that was changed" until_true 60 eval \
	'[[ $(problem new bcColorLedTop:col) == "its file has been changed"* ]]'
says "the list says so, too" '^new: bcLighthouse4: its file is missing' cfdfuctl firmware list
cfdfuctl firmware select new > /dev/null
same "the image itself is fit all the same" null "$(status '.station.selected[0].problem')"
holds "adding the release again mends it" cfdfuctl firmware add "$zip" --name new
same "nothing is wrong with it any more" 'null null' \
	"$(problem new bcLighthouse4) $(problem new bcColorLedBot:col)"
holds "the file is what it was" eval \
	'[ "$(sha256sum < "$(file_of new bcLighthouse4)" | cut -d" " -f1).bin" = \
	"$(basename "$(file_of new bcLighthouse4)")" ]'

# ---- refused ------------------------------------------------------------------------------------

cfdfuctl --json firmware add "$bad" --name odd > "$scratch/odd"
same "a release with bad parts is added" 0 $?
same "only what is fit is kept" '["bcLighthouse4"]' \
	"$(jq -c '[.firmware.parts[].target]' "$scratch/odd")"
holds "each of the others is named with its reason" jq -e '.firmware.notes |
	(map(select(startswith("left out: "))) | length) == 4' "$scratch/odd"
holds "a bitstream that nothing is known of is named" jq -e '.firmware.notes |
	any(contains("not a bitstream known here"))' "$scratch/odd"

# ---- gone ---------------------------------------------------------------------------------------

holds "the same release under another name" cfdfuctl firmware add "$zip" --name again
cfdfuctl firmware remove odd > /dev/null
cfdfuctl firmware deselect > /dev/null
holds "one of the two is removed" cfdfuctl firmware remove new
same "the other keeps what they had in common" "$wanted" "$(parts again)"
cfdfuctl firmware remove again > /dev/null
same "the last one takes the files with it" 0 "$(kept bin)"
sim_stop
same "nothing is left in the records" 0 "$(sqlite3 "$database" 'SELECT count(*) FROM part')"
