#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian packages: installed, and a rack is plugged in; upgraded in the midst of being flashed;
# removed, installed again, purged.  The older ones differ in their version alone (run.sh).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8
debs=/share/debs
state=/var/lib/cfdfud
old=$(image 2025.02)
new=$(image 2025.12)

if [ ! -d $debs ]; then
	echo "skip packages: there are none beside the build (./dev deb)"
	exit 0
fi
cp -R $debs /opt/vm/debs
debs=/opt/vm/debs
packages=()
for deb in "$debs"/*.deb; do
	packages+=("$(dpkg-deb -f "$deb" Package)")
done

# As on a machine that never had a station: the tar's files, users, units.
forget_installation()
{
	[ -e /opt/vm/install.tar ] || return 0 # it is one (run.sh --on)
	systemctl disable --now cfdfud.socket cfdfud.service cfdfu-web.socket cfdfu-web.service
	systemctl reset-failed
	tar -tf /opt/vm/install.tar | grep -v '/$' | sed 's,^\./,/,' | xargs rm -f
	rm -rf /etc/cfdfud $state
	sed -i '/^cfdfu/d' /etc/{passwd,shadow,group,gshadow}
	systemctl daemon-reload
	udevadm control --reload
}

apt_get() # WORD...
{
	DEBIAN_FRONTEND=noninteractive apt-get -y -q -o APT::Sandbox::User=root "$@" >> "$out/apt.txt" 2>&1
}

# README's line, as it stands there, with packages of the older version where it looks for them.
as_readme_says()
{
	local line

	line=$(sed -n 's/^sudo apt install \.\/build\/deb/apt -y -q install .\/build\/deb/p' /opt/vm/guest/README.md)
	mkdir -p "$scratch/tree/build"
	ln -s $debs/old "$scratch/tree/build/deb"
	(cd "$scratch/tree" && DEBIAN_FRONTEND=noninteractive eval "${line:?}" >> "$out/apt.txt" 2>&1)
}

# Each unit of the packages runs once, so that what it keeps is there to be taken away.
all_units_run()
{
	mkdir -p /etc/cfdfud/hooks
	ln -s /bin/true /etc/cfdfud/hooks/idle
	touch /etc/cfdfud/pg_service.conf
	echo SOURCE=/nowhere > /etc/cfdfud/pull.conf
	systemctl enable --now cfdfud-hook@idle.service
	systemctl start cfdfud-metrics.service
	systemctl start cfdfu-sync.service cfdfu-pull.service # both fail
	systemctl reset-failed 'cfdfu*'
	rm -r /etc/cfdfud/{hooks,pg_service.conf,pull.conf}
	[ -e /var/lib/private/cfdfud-hook/idle ] && [ -e /var/lib/cfdfu-sync ] && [ -e /var/lib/cfdfu-pull ] &&
		[ -e /run/cfdfud-metrics/cfdfu.prom ]
}

# The service as it says itself, in its journal's last start.
version_that_runs()
{
	journalctl -u cfdfud.service -o cat --no-pager | sed -n 's/^cfdfud \(.*\): watching.*/\1/p' | tail -n 1
}

is_restarting()
{
	journalctl _PID="$before" -o cat --no-pager | grep -q '^restarting; '
}

holds "nothing of an installation is left" forget_installation
rack_start typical
for p in $(ports 1 $drones); do
	rack_plug "$p" "$old"
done

# ---- installed: with records of an older release, and drones that are there already ----------------

mkdir -m 750 $state
sqlite3 "$database" < /opt/vm/guest/records-8/cfdfud.sql > /dev/null
cp /opt/vm/guest/records-8/audit.jsonl $state/
holds "the packages of README's line install" as_readme_says
holds "the others install" apt_get install $debs/old/*.deb
holds "drones that are there start the station" until_true 60 systemctl is-active cfdfud.service
holds "cfdfuctl status shows them, without another command" until_true 120 present_is $drones
for p in $(ports 1 $drones); do
	rack_do unplug "$p" > /dev/null
done
until_true 60 present_is 0
systemctl stop cfdfud.service 2> /dev/null
rack_do plug 1-1 > /dev/null
holds "the first plug starts the station" until_true 60 systemctl is-active cfdfud.service
holds "... and status shows the drone" until_true 60 present_is 1
same "the older records are there" 3 "$(cfdfuctl --json history | jq '.attempts | length')"
same "it is the older version" "$(dpkg-query -W -f '${Version}' cfdfud)" "$(version_that_runs)"
same "of the units those run that are asked for" "active inactive active" "$(systemctl is-active \
	cfdfud.socket cfdfu-web.service cfdfu-web.socket | paste -sd' ')"
same "every file is root's, and nobody else may write it" "" "$(dpkg -L "${packages[@]}" |
	xargs -d '\n' stat -c '%U %a %N' 2> /dev/null | grep -v -e '^root [0-7]*[0145][0145] ' -e '^root 777 .*->')"

# ---- upgraded in mid-flash -----------------------------------------------------------------------

rack_do unplug 1-1 > /dev/null
until_true 60 present_is 0
cfdfuctl firmware add "$new" --name newer > /dev/null
cfdfuctl firmware select newer > /dev/null
rack_do fate 1-$drones slow in=dfu on=data at=5 > /dev/null
for p in $(ports 1 $drones); do
	rack_do plug "$p" > /dev/null
done
writing()
{
	[ "$(status '[.slots[] | select(.state == "writing")] | length')" -ge 2 ]
}
holds "drones are being written" until_true 120 writing
before=$(daemon_pid)
begin=$(now_ms)
holds "the newer packages install" apt_get install $debs/*.deb
note "that took $(($(now_ms) - begin)) ms"
same "the older service goes on" "$before" "$(daemon_pid)"
holds "... and lets running drones end" until_true 60 is_restarting
same "the held one is among them" false "$(status '.slots[] | select(.port == "1-'$drones'") | .safe_to_unplug')"
rack_plug 1-9 "$old"
rack_do mend 1-$drones > /dev/null
holds "then the newer one runs" until_true 120 daemon_is_another "$before"
poll=2 holds "all are flashed, with that one which came meanwhile" until_true 300 good_is $((drones + 1))
same "it is the newer version" "$(dpkg-query -W -f '${Version}' cfdfud)" "$(version_that_runs)"
same "each was flashed once, and none was interrupted" "$((drones + 1)) 0" "$(records "SELECT
	sum(verdict = 'pass') || ' ' || sum(verdict NOT IN ('pass', 'unchanged')) FROM attempts WHERE id > 3")"
journalctl -o short-monotonic --no-pager > "$out/journal-packages.txt"
same "systemd counts no failure" success "$(systemctl show -P Result cfdfud.service)"
records_are_sound "an upgrade"
kept=$(records "SELECT count(*) FROM attempts")

# ---- removed, installed again, purged --------------------------------------------------------------

rack_stop
trap - EXIT
systemctl stop cfdfud.service
holds "an upgrade while nothing runs" apt_get install --reinstall $debs/cfdfud_*.deb
same "... starts nothing" inactive "$(systemctl is-active cfdfud.service)"
holds "each unit has run" all_units_run
holds "the packages can be removed" apt_get remove "${packages[@]}"
same "nothing of the station runs" "" "$(systemctl list-units --plain --no-legend 'cfdfu*' | head)"
same "what is left are settings and records" "/etc/cfdfud $state" \
	"$(find /etc/cfdfud /run /usr $state -name '*cfdfu*' -prune ! -empty -print | sort | paste -sd' ')"
holds "they can be installed again" apt_get install $debs/*.deb
same "the records are as they were" "$kept" "$(cfdfuctl --json history --limit 500 | jq '.attempts | length')"
holds "they can be purged" apt_get purge "${packages[@]}"
same "what is left are records" "$state" \
	"$(find /etc /run /usr /var/lib -name '*cfdfu*' -prune ! -empty -print | sort | paste -sd' ')"
holds "... and the purge says so" grep -q "the records stay in $state" "$out/apt.txt"
holds "told to, it takes them, too" eval "apt_get install $debs/cfdfud_*.deb &&
	CFDFU_PURGE_RECORDS=yes apt_get purge cfdfud && [ ! -e $state ]"
[ ! -e /opt/vm/install.tar ] || station_install
