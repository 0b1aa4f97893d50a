#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rescue: a boot loader brought back and nothing else, a drone's flash read into a file, and
# copies kept of drones that were never seen before.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=firmware.sh
. "$(dirname "$0")/firmware.sh"

old=$(image 2025.02)
new=$(image 2025.12)
loader=$scratch/cf2loader-1.0.bin
mkimage --loader "$loader"
cat > "$scratch/conf" <<'CONF'
[station]
adopt = known
[flash]
backup = yes
backup-keep = 2
[device NUCLEO]
vid = 0483
pid = df11
map-0 = @Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg
application-base = 0x08004000
protected = 0x08000000-0x08003FFF
CONF

ended() # PORT
{
	[ "$(slot "$1" state)" = ended ]
}

recover() # PORT IMAGE [OPTION...]
{
	cfdfuctl recover-loader "$1" --image "$2" "${@:3}" > "$scratch/said" 2>&1 < /dev/null
}

# The wiped drone, in DFU mode by the button.
put_wiped() # PORT
{
	rack_do unplug "$1" > /dev/null
	rack_do blank "$1" 0x08000000 0x4000 > /dev/null
	rack_do button "$1" > /dev/null
	until_true 20 test_verdict "$1" fail
}

sim_start fast --config "$scratch/conf"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null

# ---- a copy before the first write --------------------------------------------------------------

rack_add 1-1 "$old"
rack_do load 1-1 "$loader" 0x08000000 > /dev/null
rack_do dump 1-1 "$scratch/first" > /dev/null
rack_do plug 1-1 > /dev/null
holds "a drone never seen before passes" until_true 60 test_verdict 1-1 pass
serial=$(slot 1-1 serial)
kept=$(ls "$state/backups")
same "a copy of it was kept, by its serial" "$serial" "${kept%%-*}"
cfdfuctl firmware extract -o "$scratch" "$state/backups/$kept" > /dev/null
holds "the copy holds loader and application unchanged" cmp "$scratch/first" \
	"$scratch/${kept%.dfu}-target0-08000000.bin"
rack_do unplug 1-1 > /dev/null
until_true 20 present_is 0
rack_do load 1-1 "$old" $app > /dev/null
rack_do plug 1-1 > /dev/null
until_true 20 present_is 1
until_true 60 test_verdict 1-1 pass
same "a drone that is known is not copied again" 1 "$(find "$state/backups" -type f | wc -l)"

# ---- reading ------------------------------------------------------------------------------------

rack_do dump 1-1 "$scratch/now" > /dev/null
shown=$(status '.station.counts, (.slots[] | select(.port == "1-1") |
	.class, .verdict, .attempt, (.message | split(". ")[0]))')
holds "the application is read into a file" cfdfuctl backup 1-1 "$scratch/app.dfu"
cfdfuctl firmware extract -o "$scratch" "$scratch/app.dfu" > /dev/null
size=$(stat -c %s "$scratch/app-target0-08004000.bin")
holds "the file has the bytes of the flash" \
	cmp -n "$size" -i 0:16384 "$scratch/app-target0-08004000.bin" "$scratch/now"
within "and no less than the image" "$(stat -c %s "$new")" "$size" 1032192
holds "the copy passes as firmware" cfdfuctl firmware check "$scratch/app.dfu"
same "as JSON the reply says what was read" "134234112 $size" \
	"$(cfdfuctl --json backup 1-1 "$scratch/again.dfu" |
		jq -r '.elements[0] | "\(.address) \(.bytes)"')"
holds "the same flash gives the same file" cmp "$scratch/app.dfu" "$scratch/again.dfu"
holds "all of the flash is read" cfdfuctl backup 1-1 "$scratch/whole.dfu" --whole
cfdfuctl firmware extract -o "$scratch" "$scratch/whole.dfu" > /dev/null
holds "the file has all bytes of the flash" cmp "$scratch/whole-target0-08000000.bin" "$scratch/now"
rack_do dump 1-1 "$scratch/after" > /dev/null
holds "reading changed nothing" cmp "$scratch/now" "$scratch/after"
until_true 20 ended 1-1
same "a backup does not change the slot's verdict and counts" "$shown" \
	"$(status '.station.counts, (.slots[] | select(.port == "1-1") |
		.class, .verdict, .attempt, (.message | split(". ")[0]))')"
same "a backup is recorded as a backup" "backup backup" \
	"$(records "SELECT kind FROM attempts ORDER BY id DESC LIMIT 1") $(cfdfuctl --json history \
		--kind backup | jq -r '[.attempts[].kind] | unique | join(" ")')"
same "the drone runs again" runtime "$(slot 1-1 mode)"
cfdfuctl backup 9-9 "$scratch/nothing.dfu" > "$scratch/said" 2>&1
same "a backup of an empty slot is refused" "4 no" \
	"$? $(test -e "$scratch/nothing.dfu" && echo yes || echo no)"

# ---- the loader brought back --------------------------------------------------------------------

put_wiped 1-1
same "a drone without its loader is not flashed" "fail loader-blank" \
	"$(slot 1-1 verdict) $(slot 1-1 fault)"
rack_do reset-counters 1-1 > /dev/null
recover 1-1 "$loader"
same "without a terminal recover-loader needs --yes" 4 $?
holds "the refusal names --yes" grep -q -e --yes "$scratch/said"
for answer in no '' y; do
	echo "$answer" | script -qec "cfdfuctl recover-loader 1-1 --image $loader" /dev/null \
		> "$scratch/said" 2>&1
	same "on a terminal '$answer' is not yes" 4 $?
done
holds "the question names slot and file" grep -q 'slot 1-1 and writes cf2loader-1.0.bin' \
	"$scratch/said"
recover 1-1 "$new" --yes
same "a normal firmware image is refused" 4 $?
holds "the refusal says that it is an application" grep -q 'an application' "$scratch/said"
head -c 16385 "$new" > "$scratch/large.bin"
recover 1-1 "$scratch/large.bin" --yes
same "an image larger than the sector is refused" 4 $?
cp "$loader" "$scratch/outside.bin"
words 0x20005000 0x08004201 | dd of="$scratch/outside.bin" conv=notrunc status=none
recover 1-1 "$scratch/outside.bin" --yes
same "a reset vector outside of the sector is refused" 4 $?
recover 9-9 "$loader" --yes
same "a slot that is not there is refused" 4 $?
same "the refusals wrote nothing" 0 "$(counter 1-1 writing)"
echo yes | script -qec "cfdfuctl recover-loader 1-1 --image $loader" /dev/null > "$scratch/said" 2>&1
same "on a terminal 'yes' brings the loader back" 0 $?
note "$(tr -d '\r' < "$scratch/said" | tail -n 1)"
holds "sector 0 holds the loader" memory_is 1-1 "$loader" 0x08000000
same "sector 0 was erased once, and no other" '[1]' \
	"$(rack_do counters 1-1 | head -n 1 | jq -c .sector_erases)"
rack_do dump 1-1 "$scratch/after" > /dev/null
holds "the rest of the flash is what it was" cmp -i 16384 "$scratch/now" "$scratch/after"
same "the rescue is recorded as an attempt of its own kind" 1 \
	"$(records "SELECT count(*) FROM attempt WHERE kind = 'loader' AND
		verdict IN ('pass', 'needs-power-cycle')")"
rack_do load 1-1 "$old" $app > /dev/null
rack_do power-cycle 1-1 > /dev/null
holds "the rescued drone is flashed as usual" until_true 60 test_verdict 1-1 pass
holds "its flash is the new image" memory_is 1-1 "$new" $app
same "a wiped loader is reported as changed, a restored one is not" 1 \
	"$(grep -c "boot loader changed since" "$scratch/daemon.log")"
rack_do reset-counters 1-1 > /dev/null
recover 1-1 "$loader" --yes
holds "a loader that is in order stays" grep -q -e 'in order' "$scratch/said"
same "a loader in order is not written" 0 "$(counter 1-1 blocks_written)"

# ---- refused on everything else -----------------------------------------------------------------

rack_do add 1-2 model=other-dfu > /dev/null
rack_do plug 1-2 > /dev/null
until_true 60 test_state 1-2 foreign
rack_do reset-counters 1-2 > /dev/null
recover 1-2 "$loader" --yes
holds "recover-loader refuses another device" test $? -ne 0
note "$(tail -n 1 "$scratch/said")"
same "nothing on it was erased or written" "0 0" \
	"$(counter 1-2 blocks_written) $(counter 1-2 erases)"
cfdfuctl backup 1-2 "$scratch/other.dfu" > "$scratch/said" 2>&1
same "another device can be read, from its application on" "0 134234112" \
	"$? $(cfdfuctl --json firmware show --elements "$scratch/other.dfu" |
		jq '.elements[0].address')"
records_are_sound "rescue"
