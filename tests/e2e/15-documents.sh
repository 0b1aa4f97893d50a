#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Documents that run: every command of README and manual pages, in the order in which a newcomer
# types it, on a rack of drones; and every command that a sentence of ours advises is one that the
# command line takes.  What needs an installation (sudo, ./dev) is typed in the virtual station.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=firmware.sh
. "$(dirname "$0")/firmware.sh"
# shellcheck source-path=SCRIPTDIR source=typed.sh
. "$(dirname "$0")/typed.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
typed_directory=$scratch/newcomer
mkdir -p "$typed_directory"
old=$(image 2025.02)
drones=25

# ---- a sentence that names a command ------------------------------------------------------------

# Commands in quotes or brackets within the texts of our sources; %s stands for a slot or a name.
advised_in_sources()
{
	find "$top/daemon" "$top/client" -name '*.[ch]' -exec cat {} + | tr '\n' '\001' |
		sed 's/"[\001\t ]*"//g' | tr '\001' '\n' |
		grep -oE "['(]cfdfuctl [^')\"]*[')]" | tr -d "'()"
}

# Commands between backticks in the Markdown documents: a line to type, or a command's name.
advised_in_documents()
{
	# shellcheck disable=SC2016 # backticks on purpose
	cat "$top"/README.md "$top"/doc/*.md 2> /dev/null | grep -oE '`cfdfuctl [^`]*`' | tr -d '`'
}

# Words in capitals and %s stand for what the reader puts there.
filled_in() # COMMAND
{
	sed -E -e 's/\[[^]]*\]//g' -e 's/--platform %s/--platform cf2/' -e 's/\.\.\.//g' -e 's/ATTEMPT\|[A-Z|]*/1/' -e 's/\bN\b|%d|%u/1/g' \
		-e "s,\\bFILE(\\.[a-z]+)?\\b,$old,g" -e "s,cf2loader\\.bin,$old,g" -e 's/\bPLATFORM\b/cf2/g' \
		-e 's/\bSECONDS\b|\bDURATION\b/1/g' \
		-e "s/'?%s'?|\\b[A-Z]{2,}[A-Z|]*\\b/1-1/g" <<< "$1"
}

# The command line is taken: anything but a usage error, where there is no station.
is_taken() # COMMAND
{
	local rc=0

	# shellcheck disable=SC2086 # words on purpose
	timeout 60 cfdfuctl --socket "$scratch/nowhere" ${1#cfdfuctl } < /dev/null > "$scratch/said" 2>&1 ||
		rc=$?
	[ "$rc" -ne 2 ] || { cat "$scratch/said"; return 1; }
}

# The other machine is this one: a fake ssh runs the command here.
# shellcheck disable=SC2016 # the script's dollars
printf '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n' > "$scratch/ssh"
chmod +x "$scratch/ssh"
export CFDFU_SSH=$scratch/ssh XDG_CONFIG_HOME=$scratch/xdg
mkdir -p "$XDG_CONFIG_HOME"
printf '[stations]\nhall = lab1 lab2\n' > "$XDG_CONFIG_HOME/cfdfuctl.conf"

same "the sweep of advice knows a usage error when it sees one" 1 \
	"$(is_taken 'cfdfuctl port release' > /dev/null; echo $?)"
advised_in_sources | sort -u > "$scratch/advised"
within "commands are advised in sentences" 5 "$(grep -c . "$scratch/advised")" 1000
while read -r line <&3; do
	holds "advice that can be typed: $line" is_taken "$(filled_in "$line")"
done 3< "$scratch/advised"
advised_in_documents | sort -u > "$scratch/named"
within "commands are named in documents" 10 "$(grep -c . "$scratch/named")" 1000
while read -r line <&3; do
	if is_taken "$(filled_in "$line")" > /dev/null; then
		ok "a command of the documents can be typed: $line"
	else
		holds "a command of the documents has its help: $line" is_taken "$line --help"
	fi
done 3< "$scratch/named"

# ---- the newcomer -------------------------------------------------------------------------------

plug_in_the_rack()
{
	local n

	for n in $(seq 1 $drones); do
		rack_do plug "1-$n" > /dev/null
	done
}

typed_hook() # NAME COMMENT
{
	case $2 in
	'# plug in the rack') plug_in_the_rack ;;
	'') ;;
	*) note "$1: $2" ;;
	esac
}

# ./dev and sudo need a tree and a machine of their own.  The demonstration is played below, the
# installation in the virtual station; the test suite is what runs here.
typed_elsewhere() # NAME COMMAND
{
	case $2 in
	./dev* | *sudo*) note "$1: not here: $2" ;;
	*) return 1 ;;
	esac
}

sim_start fast
rack_add 1-1 "$old" uid=002B00353234510C37333439 # WHY: the drone of the manual's examples
for n in $(seq 2 $drones); do
	rack_add "1-$n" "$old"
done
mkimage --tag 2025.12 --format zip2 "$typed_directory/firmware-cf2-2025.12.zip"
typed_document "$top/README.md"

# ---- the manual pages ---------------------------------------------------------------------------

mkimage --tag 2025.02 --format zip2 "$typed_directory/firmware-cf2-2025.02.zip"
cp "$old" "$typed_directory/cf2.bin"
board_files "$typed_directory" manual
mv "$typed_directory/spi.hex" "$typed_directory/flash.hex"
typed_document "$top/client/cfdfuctl.1"
sim_stop

mkdir -p "$scratch/settings"
typed_settings "$top/daemon/cfdfud.conf.5" "$scratch/settings"
within "the manual of the settings shows some" 2 "$(find "$scratch/settings" -name '*.conf' | wc -l)" 100
for file in "$scratch"/settings/*.conf "$top/daemon/cfdfud.conf" "$top"/systemd/devices/*.conf; do
	holds "the daemon takes the settings of ${file##*/}" cfdfud --test-config --config "$file"
done

# ---- the demonstration --------------------------------------------------------------------------

"$top/tests/e2e/demo.sh" "$(dirname "$(command -v cfdfud-sim)")" --web > "$scratch/demo" 2>&1
same "./dev demo --web ends well" 0 $?
holds "it names the address of the wall" grep -qE '^The wall: http://127\.0\.0\.1:[0-9]+/$' "$scratch/demo"
same "it shows four drones that passed, from other versions" 4 "$(grep -cE -- '-> 2025\.12 pass' "$scratch/demo")"
holds "one that needed its button, and its cable back, is good at the end" \
	grep -qE ' B1 .* -> 2025\.12 unchanged +yes' "$scratch/demo"
holds "its closing line tells who is ready, dfu-util's time, and who is set aside" \
	grep -qE '^6 of 8 ready in [0-9]+ s \(one by one with dfu-util: [0-9]+ s\); set aside: A3 button, B2 platform$' "$scratch/demo"
