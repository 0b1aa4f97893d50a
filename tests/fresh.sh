#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The packages on a fresh Debian: fresh.sh SUITE FOLDER installs those of FOLDER by apt in a root folder
# of SUITE that has never seen them, uses them, and purges them.  No service manager runs there: units
# and rules in force are the virtual station's subject (tests/vm/guest/27-packages.sh).
# Prints "ok NAME" or "not ok NAME: why".  Needs root (or sudo), mmdebstrap.
set -euo pipefail

suite=$1
debs=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cfdfu-fresh.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$here/debian.sh"

cat > "$work/inside" <<'INSIDE'
cd "/root/$1"
scratch=/root images=/root rack_socket= database=/var/lib/cfdfud/cfdfud.db
. /root/common.sh
export DEBIAN_FRONTEND=noninteractive CFDFU_SOCKET=/root/control

holds "apt installs service and commands" apt-get -y -q install ./cfdfud_*.deb ./cfdfu-tools_*.deb
holds "the service's user is there" getent passwd cfdfud
holds "the group of its operators is there" getent group cfdfu
holds "the journal's catalogue knows its messages" sh -c 'journalctl --list-catalog | grep "^5f0d.* cfdfud:"'
holds "its unit is in order" systemd-analyze verify --man=no cfdfud.service
mkdir /var/lib/cfdfud # as the unit does
cfdfud --socket /root/control > /root/log 2>&1 &
holds "the service starts" until_true 60 cfdfuctl status
same "an empty station is armed" armed "$(cfdfuctl --json status | jq -r .station.state)"
kill %1
wait
for package in ./cfdfu-*.deb; do
	holds "apt installs $(dpkg-deb -f "$package" Package)" apt-get -y -q install "$package"
done
holds "apt purges all of them" apt-get -y -q purge $(for package in *.deb; do dpkg-deb -f "$package" Package; done)
holds "the results stay" test -s "$database"
same "nothing else does" "" "$(find /etc /usr /lib -path '*cfdf*' | grep -v '^/usr/share/doc' | paste -sd ' ')"
INSIDE
sources "$suite" > "$work/sources.list"
as_root mmdebstrap --quiet --variant=minbase --include=systemd,udev,jq,procps \
	--customize-hook="copy-in '$debs' '$work/inside' '$here/e2e/common.sh' /root" \
	--customize-hook="chroot \"\$1\" bash /root/inside '${debs##*/}'" \
	"$suite" /dev/null "$work/sources.list" 2>&1 # WHY: there mmdebstrap sends what is said inside
