# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the scripts use what is set here
# Shared by the guest's test scripts: the rack on the kernel's virtual ports and the installed
# station.

out=/opt/vm/out # WHY not in the shared directory: see guest-init.sh
images=/opt/vm/images
scratch=/tmp
# WHY: in the guest waiting costs the host nothing, asking does.
poll=1
rack_socket=/run/rack.sock
rack_patience=3600
database=/var/lib/cfdfud/cfdfud.db
mkdir -p "$out" "$images"
# shellcheck source-path=SCRIPTDIR/../../e2e source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# ---- the rack -----------------------------------------------------------------------------------

rack_start() # typical|fast
{
	local options=()

	[ "$1" != fast ] || options=(--fast)
	rack --socket "$rack_socket" "${options[@]}" > "$out/rack.log" 2>&1 &
	rack_pid=$!
	trap rack_stop EXIT
	until_true 60 rack --socket "$rack_socket" --do list && rack_connect && return
	not_ok "the rack starts" "$(tail -n 3 "$out/rack.log")"
	exit 1
}

rack_stop()
{
	rack_do quit > /dev/null 2>&1 || true
	wait "${rack_pid:-}" 2> /dev/null || true
}

# The kernel's name of the n-th port of the virtual rack: controllers of 15, each with two buses.
port() # N
{
	local controller=$((($1 - 1) / 15))

	echo "$((controller * 2 + 1))-$((($1 - 1) % 15 + 1))"
}

ports() # FIRST LAST
{
	local n

	for n in $(seq "$1" "$2"); do
		port "$n"
	done
}

# Is it there, and has the kernel configured it?
usb_is() # PORT VID:PID
{
	[ "$(cat "/sys/bus/usb/devices/$1/idVendor")" = "${2%:*}" ] &&
		[ "$(cat "/sys/bus/usb/devices/$1/idProduct")" = "${2#*:}" ] &&
		[ -e "/sys/bus/usb/devices/$1:1.0" ]
}

# ---- the station --------------------------------------------------------------------------------

# As the README says for a machine that is running: unpack, users, units, rules.
station_install()
{
	tar -C / --keep-directory-symlink -xf /opt/vm/install.tar &&
		systemd-sysusers &&
		systemctl daemon-reload &&
		udevadm control --reload
}

# Back to an empty station: no daemon, no database, no settings of an earlier test.
station_reset()
{
	systemctl stop cfdfud.service cfdfud.socket 2> /dev/null
	systemctl reset-failed cfdfud.service 2> /dev/null
	rm -rf /var/lib/cfdfud/* /etc/cfdfud/cfdfud.conf.d
	systemctl start cfdfud.socket
}

station_configure() # SECTION KEY=VALUE...
{
	mkdir -p /etc/cfdfud/cfdfud.conf.d
	{
		echo "[$1]"
		shift
		printf '%s\n' "$@"
	} > /etc/cfdfud/cfdfud.conf.d/50-test.conf
}

daemon_pid()
{
	systemctl show -P MainPID cfdfud.service
}

# Has systemd started another process than this one?
daemon_is_another() # PID
{
	local pid

	pid=$(daemon_pid)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ]
}

# Has a program for each event written that the station was paused?  WHY more than once: what was
# before its first look is no event, and one look may have both a pause and its end.
told_of_a_pause() # FILE
{
	local rc=0

	cfdfuctl pause
	until_true 3 grep '^paused ' "$1" || rc=1
	cfdfuctl resume
	return $rc
}

# The most memory the daemon ever had, in KiB.
daemon_peak_kib()
{
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(daemon_pid)/status"
}
