#!/bin/bash
# SPDX-License-Identifier: MIT
# The README on a machine of its own: each line of its examples, as a newcomer types it, on an
# installed station and a rack of 25 drones on the kernel's virtual ports, then those of cfdfud(8);
# then a release of each platform, added, selected and flashed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR/../../e2e source=typed.sh
. "$(dirname "$0")/typed.sh"

drones=25
old=$(image 2025.02)
typed_directory=/opt/vm/newcomer
mkdir -p "$typed_directory"

typed_hook() # NAME COMMENT
{
	local p

	case $2 in
	'# plug in the rack')
		for p in $(ports 1 $drones); do
			rack_do plug "$p" > /dev/null
		done
		;;
	'') ;;
	*) note "$1: $2" ;;
	esac
}

# The demonstration and the tests are what runs here; what `make install` makes is the archive that
# is unpacked in its place.
typed_elsewhere() # NAME COMMAND
{
	case $2 in
	'./dev build && sudo make -C build/plain install')
		holds "$1: the installation, as an archive" tar -C / --keep-directory-symlink \
			-xf /opt/vm/install.tar
		;;
	./dev*) note "$1: not here: $2" ;;
	'sudo apt install ./build/deb/'*) note "$1: in 27-packages: $2" ;;
	*) return 1 ;;
	esac
}

slot_passed() # PORT
{
	[ "$(status ".slots[] | select(.port == \"$1\").verdict")" = pass ]
}

sudo()
{
	"$@"
}

getent passwd cfdfud > /dev/null && station_reset
systemctl disable --now cfdfud.socket cfdfud.service > /dev/null 2>&1
rack_start fast
for p in $(ports 1 $drones); do
	rack_add "$p" "$old" || not_ok "the rack takes a drone on $p" "it does not"
done
mkimage --tag 2025.12 --format zip2 "$typed_directory/firmware-cf2-2025.12.zip"
typed_document /opt/vm/guest/README.md
same "README: 25 drones passed" $drones "$(verdicts pass)"
says "journalctl -x explains a drone's ending" '"cfdfuctl show [0-9]+" shows its stages' \
	journalctl -x -n 1 --no-pager CFDFU_VERDICT=pass
typed_document /opt/vm/guest/cfdfud.8
for p in $(ports 1 $drones); do
	rack_do unplug "$p" > /dev/null
done
holds "unplugged drones leave the status" until_true 60 present_is 0

# ---- a release of each platform -----------------------------------------------------------------

# The board that a drone's OTP names; a Flapper is a Crazyflie until the operator says what it is.
n=$drones
for platform in cf2:CF21 cf21bl:C21B bolt:CB11 tag:RR10 flapper:CF21; do
	n=$((n + 1))
	p=$(port $n)
	board=${platform#*:}
	platform=${platform%:*}
	release=$typed_directory/firmware-$platform-2025.12.zip
	mkimage --platform "$platform" --tag 2025.12 --format zip2 "$release"
	mkimage --platform "$platform" --tag 2025.12 "$images/$platform.bin"
	rack_add "$p" "$(image 2025.02 --platform "$platform")" "platform=$board" ||
		not_ok "the rack takes a $platform on $p" "it does not"
	cfdfuctl firmware deselect > /dev/null
	holds "the release for $platform is added" cfdfuctl firmware add "$release"
	holds "the release is selected by its name" \
		cfdfuctl firmware select "$platform-2025.12"
	[ "$platform" != flapper ] || cfdfuctl platform set "$p" flapper > /dev/null
	rack_do plug "$p" > /dev/null
	holds "a $platform is flashed with it" until_true 300 slot_passed "$p"
	holds "its flash is the release's image" flash_is "$p" "$images/$platform.bin"
	rack_do unplug "$p" > /dev/null
	until_true 60 present_is 0
done
