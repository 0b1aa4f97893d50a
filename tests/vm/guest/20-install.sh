#!/bin/bash
# SPDX-License-Identifier: MIT
# `make install` on a running Debian: user, units, rule, sandbox; the station wakes when asked.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

holds "the installation unpacks and the system takes it" station_install
holds "there is a user cfdfud" getent passwd cfdfud
holds "there is a group cfdfu for those who may change things" getent group cfdfu
unit=$(systemctl show -P FragmentPath cfdfud.service)
same "systemd finds nothing wrong with the units" "" \
	"$(systemd-analyze verify --man=no "${unit%/*}"/cfdfu* 2>&1)"
holds "systemd rates the sandbox 1.0 or better" \
	systemd-analyze security --offline=yes --threshold=10 "$unit"
udevadm test -a add /sys/bus/usb/devices/usb1 > "$out/udev.txt" 2>&1
same "udev finds nothing wrong with the rules" "" \
	"$(grep 'cfdfud.*\.rules' "$out/udev.txt" | grep -v 'Reading rules file')"
holds "the service can be enabled" systemctl enable cfdfud.service cfdfud.socket
holds "the socket can be started" systemctl start cfdfud.socket
same "nothing runs before it is needed" inactive "$(systemctl is-active cfdfud.service)"
holds "asking for the status wakes the station" cfdfuctl status
same "the service runs" active "$(systemctl is-active cfdfud.service)"
same "the service does not run as root" cfdfud "$(ps -o user= -p "$(daemon_pid)")"
same "the service has no capability" 0000000000000000 \
	"$(sed -n 's/^CapEff:\t//p' "/proc/$(daemon_pid)/status")"
same "the status is armed and empty" "armed 0" \
	"$(status '"\(.station.state) \(.station.counts.present)"')"
holds "every user may look" setpriv --reuid 65534 --regid 65534 --clear-groups cfdfuctl status
setpriv --reuid 65534 --regid 65534 --clear-groups cfdfuctl pause > "$out/pause.txt" 2>&1
same "a user outside the group may not change things" 4 $?
holds "the refusal names the group" grep -q cfdfu "$out/pause.txt"
holds "the group cfdfu may change things" setpriv --reuid 65534 --regid 65534 \
	--groups "$(getent group cfdfu | cut -d: -f3)" cfdfuctl pause
holds "the group cfdfu may change things back" cfdfuctl resume
holds "the service stops when told to" systemctl stop cfdfud.service
systemctl stop cfdfud.socket
cfdfuctl status > "$out/absent.txt" 2>&1
same "without a station the exit status says so" 3 $?
holds "without a station a sentence says how to start it" grep -q systemctl "$out/absent.txt"
systemctl start cfdfud.socket

# ---- the web server -----------------------------------------------------------------------------

# Asks for a path and reads until a line begins so; of a stream no more.
web_says() # PATH LINE
{
	exec 5<> /dev/tcp/127.0.0.1/8080 || return 1
	printf 'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$1" >&5
	timeout 120 grep -q -m 1 -a "^$2" <&5
}
holds "systemd rates the web server's sandbox 1.0 or better" \
	systemd-analyze security --offline=yes --threshold=10 "${unit%/*}/cfdfu-web.service"
holds "the web server's socket can be enabled" systemctl enable --now cfdfu-web.socket
same "no web server runs before it is needed" inactive "$(systemctl is-active cfdfu-web.service)"
holds "a browser gets the page" web_says / 'HTTP/1.1 200'
holds "a browser gets the station" web_says /watch 'data: {"station"'
holds "the web server runs as a user made for it" test 61184 -le \
	"$(stat -c %u "/proc/$(systemctl show -P MainPID cfdfu-web.service)")"

# ---- a program for each event -------------------------------------------------------------------

holds "systemd rates the sandbox of a program for events 1.5 or better" \
	systemd-analyze security --offline=yes --threshold=15 "${unit%/*}/cfdfud-hook@.service"
mkdir -p /etc/cfdfud/hooks
cat > /etc/cfdfud/hooks/tally <<'HOOK'
#!/bin/sh
echo "$CFDFU_EVENT $(id -u)" >> "$STATE_DIRECTORY/events"
HOOK
chmod 755 /etc/cfdfud/hooks /etc/cfdfud/hooks/tally
holds "a hook is enabled" systemctl enable --now cfdfud-hook@tally.service
events=/var/lib/private/cfdfud-hook/tally/events
holds "its program is run for a pause" until_true 120 told_of_a_pause "$events"
within "... by a user made for it" 61184 "$(awk '{ print $2; exit }' "$events")" 65519

# ---- metrics for node_exporter ------------------------------------------------------------------

metrics=/run/cfdfud-metrics/cfdfu.prom
holds "systemd rates the sandbox of the metrics 1.5 or better" \
	systemd-analyze security --offline=yes --threshold=15 "${unit%/*}/cfdfud-metrics.service"
holds "the metrics can be written each minute" systemctl enable --now cfdfud-metrics.timer
poll=5 holds "... and are, by the timer" until_true 180 test -s $metrics
holds "every user may read them" setpriv --reuid 65534 --regid 65534 --clear-groups \
	grep -qx 'cfdfu_up 1' $metrics
same "they are written by a user of their own" cfdfud-metrics "$(stat -c %U $metrics)"

# ---- records for a central database ---------------------------------------------------------------

holds "systemd rates the sandbox of the program for a central database 1.5 or better" \
	systemd-analyze security --offline=yes --threshold=15 "${unit%/*}/cfdfu-sync.service"
holds "without one there is nothing to do" systemctl start cfdfu-sync.service
same "... and nothing done" "" "$(find /var/lib/cfdfu-sync -type f 2> /dev/null)"
printf '[cfdfu]\nhost=127.0.0.1\nport=9\ndbname=cfdfu\n' > /etc/cfdfud/pg_service.conf
before=$(daemon_pid)
systemctl start cfdfu-sync.service 2> /dev/null
same "with a server that is not there it ends" "failed 1" "$(systemctl is-failed cfdfu-sync.service) $(
	systemctl show -P ExecMainStatus cfdfu-sync.service)"
holds "... and says why" eval 'journalctl -u cfdfu-sync.service -o cat --no-pager | grep -q "Connection refused"'
same "... to all who ask" "false cfdfu-sync" "$(jq -r .ok /var/lib/cfdfu-sync/state.json) $(
	stat -c %U /var/lib/cfdfu-sync/state.json)"
says "the doctor says it" 'central.*Connection refused|Connection refused' setpriv --reuid 65534 --regid 65534 \
	--clear-groups cfdfuctl doctor
same "the station does not care" "armed $before" "$(status .station.state) $(daemon_pid)"

# ---- signed selections ----------------------------------------------------------------------------

# The host has signed it (run.sh).
site=/opt/vm/site
selected()
{
	status '[.station.selected[] | "\(.platform) \(.name)"] | join(", ")'
}
is_selected()
{
	[ "$(selected)" = "cf2 signed" ]
}
cp -R /opt/vm/guest/site $site
holds "systemd rates the sandbox of the program for signed selections 1.5 or better" \
	systemd-analyze security --offline=yes --threshold=15 "${unit%/*}/cfdfu-pull.service"
echo SOURCE=$site > /etc/cfdfud/pull.conf
systemctl start cfdfu-pull.service 2> /dev/null
same "a selection whose key is not trusted is refused" "1 " \
	"$(systemctl show -P ExecMainStatus cfdfu-pull.service) $(selected)"
holds "... in words" eval 'journalctl -u cfdfu-pull.service -o cat --no-pager | grep -q "selection.json is refused"'
mkdir -p /etc/cfdfud/trusted.d
cp $site/site.pub /etc/cfdfud/trusted.d/
holds "the service takes the site's key" systemctl reload cfdfud.service
holds "selections can be looked for regularly" systemctl enable --now cfdfu-pull.timer
poll=5 holds "... and are: the timer has it selected" until_true 300 is_selected
same "its signer is known" "$(sed -n '1s/.* //p' $site/site.pub)" \
	"$(cfdfuctl --json firmware show signed | jq -r .firmware.signer | sed 's/^0*//')"

# ---- removed ------------------------------------------------------------------------------------

holds "all can be disabled" systemctl disable --now cfdfud.socket cfdfud.service cfdfu-web.socket \
	cfdfu-web.service cfdfud-hook@tally.service cfdfud-metrics.timer cfdfu-pull.timer
holds "the metrics can be taken away" systemctl clean --what=runtime cfdfud-metrics.service
systemctl reset-failed cfdfu-sync.service
holds "what was kept for the central database and selections can be, too" \
	systemctl clean --what=state cfdfu-sync.service cfdfu-pull.service
rm -rf /etc/cfdfud/{pg_service.conf,pull.conf,trusted.d}
same "nothing of the station runs" "" "$(systemctl list-units --plain --no-legend 'cfdfu*' | head)"
# The files of the installation itself are for `make uninstall`; an empty directory in /run goes with it.
same "what is left are settings and records" \
	"/etc/cfdfud /var/lib/cfdfud /var/lib/cfdfud-hook /var/lib/private/cfdfud-hook" \
	"$(find /etc /run /var -name '*cfdfu*' -prune ! -empty -print | sort | paste -sd' ')"
