#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The behaviour that the documents describe, as a user sees it (tests/documents.md): the automatic
# way into DFU mode, the manual one, and the messages on the way.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=firmware.sh
. "$(dirname "$0")/firmware.sh"

# The first that was told of 1-1 while it was written.
told_while_writing() # JQ-FILTER
{
	jq -rn "first(inputs | .slots[] | select(.port == \"1-1\" and .state == \"writing\")) | $1" \
		"$scratch/watch"
}

old=$(image 2025.02)
new=$(image 2025.12)

sim_start typical
cfdfuctl --json firmware check "$new" > "$scratch/page"
same "a plain binary without a suffix is accepted without a finding" "true 0 0" \
	"$(jq -r '"\(.accepted) \(.findings | length) \(.notes | length)"' "$scratch/page")"
mkimage --tag 2025.12 --format zip2 "$images/release.zip"
cfdfuctl firmware add "$images/release.zip" --name zip > "$scratch/said" 2>&1
holds "a release's STM32 part alone is taken, and a note says so" grep -qi 'nRF51' "$scratch/said"
holds "the note is kept in the catalogue" grep -qi 'nRF51' <<< "$(cfdfuctl firmware show zip)"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null

# ---- automatic ----------------------------------------------------------------------------------

cfdfuctl --json watch > "$scratch/watch" &
watch=$!
until_true 30 test -s "$scratch/watch"
rack_add 1-1 "$old"
rack_do plug 1-1 > /dev/null
holds "the drone is flashed and runs the new firmware" until_true 120 test_verdict 1-1 pass
kill $watch
# WHY from the watch: a client that asks may be delayed for as long as the writing takes.
holds "a running drone goes into DFU mode by itself" test -n "$(told_while_writing .port)"
same "on its port, and it is not to be unplugged" "dfu false" \
	"$(told_while_writing '"\(.mode) \(.safe_to_unplug)"')"
serial=$(told_while_writing .dfu_serial)
within "it shows the serial number of DFU mode" 12 ${#serial} 12
same "on the same port, and it may be unplugged" "runtime true 2025.12" \
	"$(slot 1-1 mode) $(slot 1-1 safe_to_unplug) $(slot 1-1 version_after)"
same "the drone was told to reboot once and to leave once" "1 1" \
	"$(counter 1-1 reboots) $(counter 1-1 leaves)"
same "nothing below the application was touched" "0 0" \
	"$(counter 1-1 outside_writes) $(counter 1-1 outside_erases)"
same "the bytes written are those of the file" "$(stat -c %s "$new")" \
	"$(records "SELECT bytes_written FROM attempts ORDER BY id LIMIT 1")"
cfdfuctl show 1 > "$scratch/said"
for stage in erasing writing verifying leaving; do
	holds "the record has the stage $stage" grep -q "$stage" "$scratch/said"
done
rack_do unplug 1-1 > /dev/null

# ---- manual -------------------------------------------------------------------------------------

rack_do add 1-2 otp= > /dev/null
rack_do load 1-2 "$old" $app > /dev/null
rack_do button 1-2 > /dev/null
holds "a board in DFU mode that nothing names is foreign" until_true 20 test_state 1-2 foreign
holds "the message names the setting that allows it" grep -q "'adopt'" <<< "$(slot 1-2 message)"
same "a foreign board is only read" 0 "$(counter 1-2 writing)"
rack_do unplug 1-2 > /dev/null
rack_do load 1-1 "$old" $app > /dev/null
rack_do button 1-1 > /dev/null
holds "a drone put into DFU mode by its button is flashed" \
	until_true 120 test_verdict 1-1 needs-power-cycle
holds "its flash is the image" memory_is 1-1 "$new" $app
holds "the operator is told what is left to do" \
	grep -q '^1-1 .*Remove USB and' <<< "$(cfdfuctl status)"
rack_do power-cycle 1-1 > /dev/null
holds "after the power cycle the drone is unchanged" until_true 60 test_verdict 1-1 unchanged

# ---- the boot loader looked at ------------------------------------------------------------------

rack_do unplug 1-1 > /dev/null
rack_do load 1-1 "$old" $app > /dev/null
rack_do load 1-1 "$old" 0x08000000 > /dev/null
rack_do load 1-1 "$old" $app > /dev/null
rack_do button 1-1 > /dev/null
holds "a changed boot loader is reported" until_true 60 grep -q \
	"1-1: boot loader changed since this drone was last seen" "$scratch/daemon.log"
rack_do unplug 1-1 > /dev/null
rack_do blank 1-1 0x08000000 0x4000 > /dev/null
rack_do button 1-1 > /dev/null
holds "a drone without a boot loader is not flashed" until_true 60 test_verdict 1-1 fail
same "the fault is loader-blank" loader-blank "$(slot 1-1 fault)"
records_are_sound "documents"
