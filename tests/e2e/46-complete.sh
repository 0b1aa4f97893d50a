#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whole images and parts of them: an image that is not shown to be whole is refused by client and
# service, with or without --platform; with --incomplete it is accepted, and every list, the
# status and the record say so.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

good=$(image 2025.12)
size=$(stat -c %s "$good")
part=$scratch/part.bin
head -c $((size * 2 / 3)) "$good" > "$part"

# The size kept, the end missing: as a download that was begun with all its room leaves it.
filled() # OCTAL-BYTE KEPT
{
	head -c "$2" "$good"
	head -c $((size - $2)) /dev/zero | tr '\0' "\\$1"
}

first_code() # FILE [OPTION...]
{
	cfdfuctl --json firmware check "$@" | jq -r '.findings[0] | "\(.level) \(.code)"'
}

# At the desk, which judges as the service does; nothing reaches the catalogue.
is_refused() # NAME FILE [OPTION...]
{
	local name=$1 file=$2

	cfdfuctl firmware add "${@:3}" --name part "$file" > "$scratch/said" 2>&1
	same "$name: refused" 4 $?
	holds "$name: the words say what is missing" grep -q 'the image is not whole: ' "$scratch/said"
}

test_after() # PORT VERSION
{
	[ "$(status ".slots[] | select(.port == \"$1\").version_after")" = "$2" ]
}

sim_start fast
same "a whole image has nothing against it" "null null" "$(first_code "$good")"
for kind in 2023 debug all-on all-off; do
	mkimage --build $kind "$scratch/$kind.bin"
	holds "a whole image is accepted: $kind" cfdfuctl firmware check "$scratch/$kind.bin"
done
for options in --old --markless "--tag nightly" "--tag NA" "--platform flapper"; do
	# shellcheck disable=SC2086 # words
	mkimage $options "$scratch/whole.bin"
	holds "a whole image is accepted: $options" cfdfuctl firmware check "$scratch/whole.bin"
done
mkimage --tag 'v1.0 +59' "$scratch/fork.bin"
same "a fork's own tag is no reason for a warning" '["v1.0 +59",[]]' \
	"$(cfdfuctl --json firmware check "$scratch/fork.bin" | jq -c '[.content.version, .findings]')"
holds "a padded one is whole" sh -c "{ cat '$good'; head -c 700 /dev/zero | tr '\0' '\377'; } |
	cfdfuctl firmware check -"

is_refused "two thirds" "$part"
holds "the message says what to do" grep -q 'download or build it again (--incomplete takes it' "$scratch/said"
is_refused "two thirds for a platform" "$part" --platform cf2
for fill in 000 377; do
	filled $fill $((size * 2 / 3)) > "$scratch/filled.bin"
	is_refused "filled with $fill" "$scratch/filled.bin"
	filled $fill $((size - 40)) > "$scratch/filled.bin"
	is_refused "the last 40 bytes filled with $fill" "$scratch/filled.bin" \
		--platform cf2
done
mkimage --tag 2025.12 --format hex "$scratch/whole.hex"
holds "a HEX file is whole" cfdfuctl firmware check "$scratch/whole.hex"
sed 5000d "$scratch/whole.hex" > "$scratch/lost.hex"
is_refused "a HEX file without one of its lines" "$scratch/lost.hex"
mkimage --old "$scratch/old.bin"
head -c $(($(stat -c %s "$scratch/old.bin") - 2000)) "$scratch/old.bin" > "$scratch/old-part.bin"
is_refused "2021, cut behind its table" "$scratch/old-part.bin"
same "no refused file is in the catalogue" 0 \
	"$(cfdfuctl --json firmware list | jq '.firmware | length')"
same "with --incomplete the finding is a warning" "warning incomplete" \
	"$(first_code "$part" --platform cf2 --incomplete)"

# Whole, but nothing in it shows so: a fork's own start code, and no end mark.
mkimage --old --foreign-start --size 12000 --tag 2021.06 "$scratch/bare.bin"
is_refused "nothing that shows its end" "$scratch/bare.bin"
cfdfuctl firmware add --incomplete --name bare "$scratch/bare.bin" > "$scratch/said" 2>&1
same "firmware add --incomplete accepts the image" 0 $?
holds "firmware add --incomplete prints a warning" grep -q 'warning: taken as it is (--incomplete), though not whole: ' "$scratch/said"
cfdfuctl firmware add --incomplete --name good "$good" > /dev/null 2>&1
same "a whole image is not marked by --incomplete" '[["bare",true],["good",false]]' \
	"$(cfdfuctl --json firmware list | jq -c '.firmware | map([.name, .incomplete])')"
says "firmware list marks the image as incomplete" '^bare .*2021.06 \(incomplete\)' cfdfuctl firmware list
says "firmware show marks the image as incomplete" '^  incomplete .* --incomplete' cfdfuctl firmware show bare
holds "firmware show says why" grep -q 'notes .*nothing in it shows where it ends' "$scratch/said"
sim_stop
sim_start fast
holds "an incomplete image can be selected later" cfdfuctl firmware select bare --platform cf2
says "status marks the image as incomplete" 'bare.*\(not shown to be whole\)' cfdfuctl status
rack_add 1-1 "$(image 2025.02)"
rack_do plug 1-1 > /dev/null
holds "the incomplete image is flashed" until_true 60 test_verdict 1-1 pass
says "the record marks the attempt" 'added with --incomplete' \
	cfdfuctl show "$(status '.slots[0].attempt')"
says "history marks the attempt" 'added with --incomplete' cfdfuctl history --csv
same "the record of a whole image has no mark" 0 "$(cfdfuctl firmware select good > /dev/null &&
	until_true 60 test_after 1-1 2025.12 && records "SELECT count(*) FROM attempts WHERE
	firmware_name = 'good' AND message LIKE '%incomplete%'")"

# Tags are free text: the judge reads any, the drone says it, and the two are compared.
n=1
for options in "--tag|v1.0 +59" "--tag|nightly" "--tag|2020.09 +30|--old" "--tag|NA" \
	"--tag|my-lab-7|--build|debug" "--tag|42" "--tag|crazyswarm2|--old"; do
	n=$((n + 1))
	IFS='|' read -ra words <<< "$options"
	mkimage --seed $n "${words[@]}" "$scratch/tag.bin"
	cfdfuctl firmware add --name "tag-$n" "$scratch/tag.bin" > "$scratch/said" 2>&1
	cfdfuctl firmware select "tag-$n" --platform cf2 > /dev/null
	holds "a drone says the tag ${words[1]} (${words[*]:2})" \
		until_true 60 test_after 1-1 "${words[1]}"
	same "the attempt with the told version passes" pass "$(records "SELECT verdict FROM attempts
		WHERE firmware_name = 'tag-$n'")"
done
