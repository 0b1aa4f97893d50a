#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signed firmware: signatures that minisign makes, whom the station trusts, and a station that takes
# nothing unsigned from anybody.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

config=$scratch/station.conf
log=$scratch/daemon.log
trusted=$scratch/trusted.d
old=$(image 2025.02 --size 163840)
zip=$images/firmware-cf2-2025.12.zip
loader=$scratch/cf2loader-1.0.bin
mkdir "$trusted"
mkimage --format zip2 --tag 2025.12 "$zip"
mkimage --loader "$loader"

key() # NAME: prints its id
{
	minisign -G -W -p "$scratch/$1.pub" -s "$scratch/$1.key" > /dev/null
	printf '%016X' "0x$(sed -n '1s/.* //p' "$scratch/$1.pub")"
}

sign() # FILE KEY [OPTION...]
{
	minisign -S -s "$scratch/$2.key" -m "$1" "${@:3}" > /dev/null
}

configure() # yes|no
{
	printf '%s\n' '[station]' 'adopt = known' '[firmware]' "require-signature = $1" \
		"trusted = $trusted" > "$config"
}

rejected() # NAME WORDS COMMAND...
{
	local rc=0 name=$1 words=$2

	shift 2
	"$@" > "$scratch/said" 2>&1 < /dev/null || rc=$?
	same "$name: exit status" 4 "$rc"
	holds "$name: its words" grep -qF "$words" "$scratch/said"
}

copy() # FILE NAME: a copy without signature
{
	cp "$1" "$images/$2"
	rm -f "$images/$2.minisig"
	echo "$images/$2"
}

site=$(key site)
stranger=$(key stranger)
cp "$scratch/site.pub" "$trusted/"
: > "$log"

# ---- signatures are optional --------------------------------------------------------------------

configure no
sim_start fast --config "$config"
plain=$(copy "$old" unsigned.bin)
holds "unsigned firmware is taken as ever" cfdfuctl firmware add "$plain" --name plain
same "and has no signer" null "$(cfdfuctl --json firmware show plain | jq -r .firmware.signer)"
sign "$zip" site
says "a signed release is taken as it is" "signed by $site" cfdfuctl firmware add "$zip" --name new
same "its signer, source and parts are kept" "$site $(sha256sum < "$zip" | cut -d' ' -f1) 5 $site" \
	"$(cfdfuctl --json firmware show new | jq -r '.firmware | "\(.signer) \(.source_sha256) \(
		.parts | length) \([.parts[].signer] | unique | join(","))"')"
same "it is the image that a client would have made of it" \
	"$(cfdfuctl --json firmware check "$zip" | jq -r .sha256)" \
	"$(cfdfuctl --json firmware show new | jq -r .firmware.sha256)"
legacy=$(copy "$(image 2026.01)" legacy.bin)
sign "$legacy" site -l
holds "so is a signature of the old kind" cfdfuctl firmware add "$legacy" --name legacy
holds "adding it again without its signature leaves it signed" cfdfuctl firmware add \
	"$(copy "$legacy" again.bin)" --name legacy
same "it is signed still" "$site" "$(cfdfuctl --json firmware show legacy | jq -r .firmware.signer)"
sign "$plain" site
holds "firmware that was not signed is, when it is added again with a signature" \
	cfdfuctl firmware add "$plain" --name plain
same "its signer is kept" "$site" "$(cfdfuctl --json firmware show plain | jq -r .firmware.signer)"
holds "from standard input the signature comes by its own word" cfdfuctl firmware add - --name input \
	--signature "$(cat "$zip.minisig")" < "$zip"

printf '%s\n' '#!/bin/sh' "exec sh -c \"\$3\"" > "$scratch/ssh"
chmod +x "$scratch/ssh"
CFDFU_SSH=$scratch/ssh says "at another machine it comes along" "signed by $site" \
	cfdfuctl -H there firmware add "$zip" --name there

# ---- each way to be wrong -----------------------------------------------------------------------

bad=$(copy "$(image 2026.02)" bad.bin)
sign "$bad" stranger
rejected "a key that is not trusted" "the key that made it, $stranger, is not trusted here. Trusted keys: $trusted/*.pub (a new one is read by: systemctl reload cfdfud)" \
	cfdfuctl firmware add "$bad"
sign "$bad" site
printf x >> "$bad"
rejected "a byte behind the file" "it is not of these bytes" cfdfuctl firmware add "$bad" --incomplete
bad=$(copy "$(image 2026.02)" bad.bin)
cp "$zip.minisig" "$bad.minisig"
rejected "another file's signature" "it is not of these bytes" cfdfuctl firmware add "$bad"
sign "$bad" site -t 'for station 1'
sed -i 's/station 1/station 2/' "$bad.minisig"
rejected "a changed trusted comment" "its trusted comment was changed" cfdfuctl firmware add "$bad"
: > "$bad.minisig"
rejected "an empty signature" "it is empty" cfdfuctl firmware add "$bad"
cp "$trusted/site.pub" "$bad.minisig"
rejected "a public key in its place" "it is a public key" cfdfuctl firmware add "$bad"
head -c 20000 /dev/zero | tr '\0' x > "$bad.minisig"
rejected "a signature that is none by its size" "larger than" cfdfuctl firmware add "$bad"
bad=$(copy "$scratch/site.pub" text.bin)
sign "$bad" site
rejected "a good signature of what is no firmware" "text" cfdfuctl firmware add "$bad"
same "nothing of all that is in the catalogue" "input legacy new plain there" \
	"$(cfdfuctl --json firmware list | jq -r '[.firmware[].name] | sort | join(" ")')"

# ---- flashed ------------------------------------------------------------------------------------

cfdfuctl firmware select new > /dev/null
rack_plug 1-1 "$old"
holds "a drone is flashed with signed firmware" until_true 60 test_verdict 1-1 pass
settle 1
same "its attempt says who signed" "$site" "$(records "SELECT signer FROM attempts WHERE id = 1")"
same "so does the history" "$site" "$(cfdfuctl --json history | jq -r '.attempts[0].signer')"
cfdfuctl firmware deselect > /dev/null

# ---- nothing unsigned ---------------------------------------------------------------------------

other=$(copy "$(image 2026.03)" other.bin)
cfdfuctl firmware add "$other" --name unsigned > /dev/null
cfdfuctl firmware select unsigned > /dev/null
cfdfuctl pause > /dev/null
rack_plug 1-2 "$old"
configure yes
holds "the station is told to want signatures" reload
cfdfuctl resume > /dev/null
settle 1
same "unsigned firmware that was selected is not flashed" null "$(status \
	'.slots[] | select(.port == "1-2").verdict')"
says "the slot says so" "selected for it cannot be used" cfdfuctl status 1-2
says "the catalogue says why" "unsigned: it is not signed" cfdfuctl firmware list
says "doctor, too" "unsigned: it is not signed" cfdfuctl doctor
rejected "it cannot be selected either" "it is not signed" cfdfuctl firmware select unsigned
rejected "nothing unsigned is added" "takes signed firmware only" cfdfuctl firmware add \
	"$(copy "$(image 2026.04)" fourth.bin)"
rejected "not even what is there" "takes signed firmware only" cfdfuctl firmware add "$other" --name unsigned
rack_do unplug 1-1 > /dev/null
rack_do blank 1-1 0x08000000 0x4000 > /dev/null
rack_do button 1-1 > /dev/null
settle 1
rejected "no unsigned boot loader is recovered" "takes signed firmware only" \
	cfdfuctl recover-loader 1-1 --image "$loader" --yes
sign "$loader" site
holds "a signed one is" cfdfuctl recover-loader 1-1 --image "$loader" --yes
same "its attempt says who signed" "loader $site" \
	"$(records "SELECT kind || ' ' || signer FROM attempts ORDER BY id DESC LIMIT 1")"
sign "$other" site
cfdfuctl firmware add "$other" --name unsigned > /dev/null
holds "signed, it is flashed at once" until_true 60 test_verdict 1-2 pass

# ---- told while the records cannot be read ------------------------------------------------------

configure no
holds "unsigned firmware may be used again" reload
cfdfuctl pause > /dev/null
cfdfuctl firmware add "$(copy "$(image 2026.05)" fifth.bin)" --name fifth > /dev/null
cfdfuctl firmware select fifth > /dev/null
settle 1
mv "$state" "$scratch/away"
holds "the records are not there" until_true 60 health_is degraded
configure yes
holds "the station is told to want signatures then" reload
mv "$scratch/away" "$state"
holds "the records are there again" until_true 60 health_is ok
cfdfuctl resume > /dev/null
settle 1
same "unsigned firmware that was selected before is not flashed" 0 \
	"$(records "SELECT count(*) FROM attempts WHERE firmware_name = 'fifth'")"
says "and the slot says why" "selected for it cannot be used" cfdfuctl status 1-2
cfdfuctl firmware select unsigned > /dev/null

# ---- keys come and go ---------------------------------------------------------------------------

rm "$trusted/site.pub"
cp "$scratch/stranger.pub" "$trusted/"
holds "the keys are read anew" reload
says "what another key signed is not used any more" "new: its signer's key is not trusted any more" \
	cfdfuctl firmware list
rejected "nor is it added" "the key that made it, $site, is not trusted here" \
	cfdfuctl firmware add "$zip" --name new
sign "$zip" stranger
holds "signed by the new key it is" cfdfuctl firmware add "$zip" --name new
same "with its parts" "$stranger $stranger" "$(cfdfuctl --json firmware show new |
	jq -r '.firmware | "\(.signer) \([.parts[].signer] | unique | join(","))"')"
cp "$scratch/site.key" "$trusted/secret.pub"
holds "a key file that is none is refused" reload
holds "with words" grep -q 'secret.pub: it holds a secret key' "$log"
rm "$trusted/secret.pub"
sim_stop
records_are_sound "signed firmware"
