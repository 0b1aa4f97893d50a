#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signed selections: fetched from a directory and over https, refused in every way to be wrong before the
# station hears of them, and finished after a kill at any call.  The signatures are minisign's own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
site=$scratch/site
keys=$scratch/trusted.d
pulled=$scratch/pulled
config=$scratch/station.conf
export CFDFU_TRUSTED=$keys CFDFU_PULL_STATE=$pulled
mkdir -p "$site/cf2" "$keys" "$pulled"
minisign -G -W -p "$keys/site.pub" -s "$scratch/site.key" > "$scratch/said"
minisign -G -W -p "$scratch/other.pub" -s "$scratch/other.key" > "$scratch/said"
for version in 2025.10 2025.12; do
	mkimage --format zip2 --tag $version "$site/cf2/firmware-$version.zip"
done
mkimage --format zip2 --platform bolt --tag 2025.12 "$site/bolt.zip"
printf '[firmware]\ntrusted = %s\n' "$keys" > "$config"

sign() # KEY
{
	rm -f "$site/selection.json.minisig"
	minisign -S -s "$scratch/$1.key" -m "$site/selection.json" -t "for the lab" > "$scratch/said"
}

entry() # PLATFORM VERSION FILE
{
	jq -nc --arg p "$1" --arg v "$2" --arg f "$3" \
		--arg s "$(sha256sum "$site/$3" | cut -d' ' -f1)" \
		'{platform: $p, name: "\($p)-\($v)", version: $v, sha256: $s, file: $f}'
}

# From yesterday to tomorrow, changed by the filter, and signed.
publish() # SERIAL VERSION [JQ-FILTER]
{
	jq -nc --argjson serial "$1" --argjson one "$(entry cf2 "$2" "cf2/firmware-$2.zip")" \
		'{format: 1, serial: $serial, valid_from: (now - 86400 | todate),
		valid_until: (now + 86400 | todate), firmware: [$one]} | '"${3:-.}" \
		> "$site/selection.json"
	sign site
}

selected()
{
	status '[.station.selected[] | "\(.platform) \(.name)"] | sort | join(", ")'
}

# The number of requests to change something that the station has recorded.
acts()
{
	records "SELECT count(*) FROM act"
}

# Refused, with these words, and the station was not asked for anything.
refused() # NAME STATUS WORDS [SOURCE]
{
	local before rc=0

	before="$(acts) $(selected) $(cat "$pulled/serial" 2>&1)"
	cfdfu-pull "${4:-$site}" > "$scratch/said" 2>&1 || rc=$?
	same "$1: status" "$2" $rc
	holds "$1: its words" grep -qE "$3" "$scratch/said"
	same "$1: nothing was offered" "$before" "$(acts) $(selected) $(cat "$pulled/serial" 2>&1)"
}

sim_start fast --config "$config"

# ---- from a directory ---------------------------------------------------------------------------

publish 11 2025.10 ".firmware += [$(entry bolt 2025.12 bolt.zip)] | .batch = {expect: 25, canary: 2}"
says "a selection is taken" '^Selected for cf2: cf2-2025.10$' cfdfu-pull "$site"
same "its firmware is selected, a platform each" "bolt bolt-2025.12, cf2 cf2-2025.10" "$(selected)"
same "the parts of the release are there" \
	"$(cfdfuctl --json firmware check "$site/cf2/firmware-2025.10.zip" | jq -c '[.parts[].target]')" \
	"$(cfdfuctl --json firmware show cf2-2025.10 | jq -c '[.firmware.parts[].target]')"
same "its signer is known" "$(minisign -V -p "$keys/site.pub" -m "$site/selection.json" -Q)" "for the lab"
id=$(sed -n '1s/.* \([0-9A-F]*\)$/\1/p' "$keys/site.pub") # without zeros before it
same "... by the id of the key" "$(printf %16s "$id" | tr ' ' 0)" \
	"$(cfdfuctl --json firmware show cf2-2025.10 | jq -r .firmware.signer)"
holds "a batch can be begun" cfdfuctl batch start one
same "it has the terms of the selection" '{"expect":25,"canary":2,"stop_after":null}' \
	"$(cfdfuctl --json batch show | jq -c '.batch | {expect, canary, stop_after}')"
holds "and ends" cfdfuctl batch end
before=$(acts)
holds "again it is taken without a word" cfdfu-pull "$site"
same "and asks the station for nothing" "$before" "$(acts)"
holds "an operator selects something else" cfdfuctl firmware deselect cf2
holds "the same selection is not taken again" cfdfu-pull "$site"
same "the operator's word counts" "bolt bolt-2025.12" "$(selected)"
publish 12 2025.12
holds "the next serial is taken" cfdfu-pull "$site"
same "it counts for its platforms alone" "bolt bolt-2025.12, cf2 cf2-2025.12" "$(selected)"
holds "a batch without terms can be begun" cfdfuctl batch start two
same "the terms went with the selection before" '{"expect":null,"canary":null,"stop_after":null}' \
	"$(cfdfuctl --json batch show | jq -c '.batch | {expect, canary, stop_after}')"
holds "and ends, too" cfdfuctl batch end

# ---- ways to be wrong ---------------------------------------------------------------------------

publish 11 2025.10
refused "an older serial" 1 "serial 11 is refused: a later one was taken"
publish 12 2025.10
refused "the same serial with other content" 1 "serial 12 is refused: .* with other content"
publish 13 2025.10
sign other
refused "an unknown key" 1 "selection.json is refused: .* not trusted here; trusted keys: $keys/[*].pub$"
publish 13 2025.10
sed -i 's/2025.10/2025.11/' "$site/selection.json"
refused "a changed selection" 1 "selection.json is refused: "
publish 13 2025.10
sed -i 's/for the lab/for the bin/' "$site/selection.json.minisig"
refused "a changed trusted comment" 1 "selection.json is refused: .*comment"
publish 13 2025.10
head -n 2 "$site/selection.json.minisig" > "$scratch/half"
cp "$scratch/half" "$site/selection.json.minisig"
refused "half a signature" 1 "selection.json is refused: "
rm "$site/selection.json.minisig"
refused "no signature" 5 "selection.json.minisig: No such file"
publish 13 2025.10 '.valid_until = "2026-01-01T00:00:00Z"'
refused "an expired one" 1 "serial 13 is refused: it has expired"
publish 13 2025.10 '.valid_from = (now + 3600 | todate)'
refused "one of the future" 1 "serial 13 is refused: it is not valid yet"
publish 13 2025.10 '.format = 2'
refused "another format" 1 "only format 1 is known"
publish 13 2025.10 '.firmware[0].fil = "x"'
refused "a member that is not known" 1 "left unpacked: fil"
publish 13 2025.10 '.firmware[0].file = "../site/cf2/firmware-2025.10.zip"'
refused "a path that leaves the directory" 1 "leaves the directory of the selection"
publish 13 2025.10 '.firmware[0].sha256 = "0" * 64'
refused "another sum" 1 "firmware-2025.10.zip: its SHA-256 is another one than selection.json has"
publish 13 2025.10 '.firmware[0].file = "cf2/none.zip"'
refused "a file that is not there" 5 "cf2/none.zip: No such file"
publish 13 2025.10 '.firmware[0].file = "selection.json.old"'
echo '{}' > "$site/selection.json.old"
publish 13 2025.10 ".firmware = [$(entry cf2 1 selection.json.old)]"
refused "a file that is no firmware" 1 "selection.json.old: "
publish 13 2025.10 ".firmware += [$(entry tag 1 bolt.zip)] | .firmware[1].platform = \"cf2\""
refused "two for one platform" 1 "two entries for platform cf2"
publish 13 2025.10
mv "$keys/site.pub" "$scratch/site.pub"
refused "no trusted key" 1 "selection.json is refused: "
echo hello > "$keys/none.pub"
refused "a key that is none" 1 "none.pub: "
rm "$keys/none.pub"
mv "$scratch/site.pub" "$keys"
mv "$pulled/serial" "$scratch/serial"
echo "13 abc" > "$pulled/serial"
refused "a record of serials that cannot be read" 1 "serial 13 is refused: the record"
mv "$scratch/serial" "$pulled/serial"
for name in selection.json cf2/firmware-2025.10.zip; do
	mv "$site/$name" "$scratch/aside"
	mkfifo "$site/$name"
	refused "a pipe in place of $name" 5 "$name: no file"
	mv "$scratch/aside" "$site/$name"
done
refused "no such directory" 5 "none/selection.json: No such file" "$scratch/none"
refused "a URL without TLS" 2 "cfdfu-pull: neither a directory nor an https URL: http://127.0.0.1/site" "http://127.0.0.1/site"
says "no source is a mistake of the command line" "^Usage" cfdfu-pull ""
refused "a server that is not there" 5 "selection.json: not fetched" "https://127.0.0.1:9"
mv "$pulled" "$scratch/away"
says "no place for the serial" "pulled: No such file" cfdfu-pull "$site"
mv "$scratch/away" "$pulled"
CFDFU_SOCKET=$scratch/none cfdfu-pull "$site" > "$scratch/said" 2>&1
same "no station: status" 3 $?

# The station checks for itself: a key that only cfdfu-pull trusts is not enough.
mkdir "$scratch/more"
cp "$scratch/other.pub" "$scratch/more"
sign other
CFDFU_TRUSTED=$scratch/more cfdfu-pull "$site" > "$scratch/said" 2>&1
same "a key that the station does not trust: status" 4 $?
holds "... in its words" grep -q "signature of selection.json is refused" "$scratch/said"
publish 13 2025.10 ".firmware[0].platform = \"bolt\""
cfdfu-pull "$site" > "$scratch/said" 2>&1
same "firmware for another platform: status" 4 $?
publish 13 2025.10 ".batch = {canary: 1000}"
cfdfu-pull "$site" > "$scratch/said" 2>&1
same "terms that no batch can have: status" 4 $?
holds "... in words" grep -q "invalid value for canary" "$scratch/said"
same "after all of this nothing has changed" "bolt bolt-2025.12, cf2 cf2-2025.12 12" \
	"$(selected) $(cut -d' ' -f1 "$pulled/serial")"
if [ "$(id -u)" -eq 0 ]; then
	publish 13 2025.10
	chmod 755 "$scratch" "$site" "$site/cf2"
	mkdir "$scratch/theirs"
	chown nobody "$scratch/theirs"
	says "who may only look is refused" "permission denied" runuser -u nobody -- env \
		CFDFU_PULL_STATE="$scratch/theirs" PATH="$PATH" cfdfu-pull "$site"
fi

# ---- killed at every call that anything else can notice -----------------------------------------

# The serial is on disk when the station has the selection; the next run finishes it.
killed_at() # CALL N
{
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e "trace=$1" \
		-e "inject=$1:signal=KILL:when=$2" cfdfu-pull "$site" > "$scratch/said" 2>&1
}

serial=21
killed=0
for call in fsync '?rename,?renameat,?renameat2' sendmsg poll; do
	for ((n = 1; ; n++)); do
		serial=$((serial + 1))
		version=2025.1$((serial % 2 * 2))
		publish $serial $version
		killed_at "$call" $n 2> /dev/null && break
		killed=$((killed + 1))
		if [ "$(selected)" = "bolt bolt-2025.12, cf2 cf2-$version" ] &&
			[ "$(cut -d' ' -f1 "$pulled/serial")" != $serial ]; then
			not_ok "the serial is kept before the selection" "killed at $call $n"
		fi
		cfdfu-pull "$site" > "$scratch/said" 2>&1 || not_ok "the next run finishes it" "$(cat "$scratch/said")"
		[ "$(selected) $(cut -d' ' -f1,3 "$pulled/serial")" = \
			"bolt bolt-2025.12, cf2 cf2-$version $serial done" ] ||
			not_ok "the next run finishes it" "$call $n: $(selected) $(cat "$pulled/serial")"
	done
done
within "runs were cut off" 16 $killed 100
publish $((serial - 1)) 2025.10
refused "afterwards an older serial" 1 "a later one was taken"

# ---- over https ---------------------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$scratch/tls.key" -out "$scratch/tls.pem" 2> /dev/null
coproc SERVER { exec node "$here/https.mjs" "$scratch/tls.key" "$scratch/tls.pem" "$site"; }
read -r -t 60 port <&"${SERVER[0]}"
url=https://127.0.0.1:$port
publish $((++serial)) 2025.10
refused "a server whose certificate is not trusted" 5 "selection.json: not fetched" "$url/site"
export CURL_CA_BUNDLE=$scratch/tls.pem
refused "a path that the server does not have" 5 "selection.json: not fetched" "$url/none"
refused "a redirection to a server without TLS" 5 "selection.json: not fetched" "$url/plain"
refused "an answer that breaks off" 5 "selection.json: not fetched" "$url/torn"
(
	ulimit -f 2048
	cfdfu-pull "$url/endless" > "$scratch/said" 2>&1
)
same "an answer without an end: status" 5 $?
refused "a page instead of a selection" 1 "selection.json is refused: " "$url/page"
says "a selection is taken from a server" "^Selected for cf2: cf2-2025.10$" cfdfu-pull "$url/site"
same "and its firmware is selected" "bolt bolt-2025.12, cf2 cf2-2025.10" "$(selected)"
publish $((++serial)) 2025.12
holds "also after a redirection" cfdfu-pull "$url/moved"
kill "$SERVER_PID"
sim_stop
