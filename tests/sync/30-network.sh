#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The station in a network namespace of its own, and the line to the server cut there: nothing comes back,
# no connection is closed.  The run ends by its own limits, and the next one makes it whole.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

space=cfdfu-sync-$$
here_end=cfs$$a
there_end=cfs$$b
here_address=198.18.77.1 # SPEC: RFC 2544, for tests
there_address=198.18.77.2

if [ "$(id -u)" -ne 0 ] || ! ip netns add "$space" 2> /dev/null; then
	echo "skip a network that is cut: needs root, and network namespaces"
	exit 0
fi
trap 'all_stop; ip link del $here_end 2> /dev/null; ip netns del $space' EXIT
ip link add "$here_end" type veth peer name "$there_end" netns "$space"
ip addr add "$here_address/30" dev "$here_end"
ip link set "$here_end" up
ip -n "$space" addr add "$there_address/30" dev "$there_end"
ip -n "$space" link set "$there_end" up

sync_within=(ip netns exec "$space")
sync_host=$here_address
sync_options="tcp_user_timeout=3000 keepalives_idle=1 keepalives_interval=1 keepalives_count=3"

centre_make
stations_make 1 1 2600
station_serve 1
for fate in "before 1" "within 2" "byte 300000" "after 1" "back 500"; do
	proxy_start
	sync_hold 1 "hold $fate"
	ip -n "$space" link set "$there_end" down
	began=$(now_ms)
	sync_let_go
	gave "the line is cut ($fate): the run ends by its own limits with 1" 1 1
	note "the line is cut ($fate): ended after $((($(now_ms) - began) / 1000)) s"
	proxy_stop
	ip -n "$space" link set "$there_end" up
done
proxy_start
ip link set "$here_end" down
sync_gives "no line at all: the run ends by its own limits with 1" 1 1
ip link set "$here_end" up
sync_gives "with the line again everything is sent" 0 1
holds_all "a line that was cut: none lost, none twice" 1
