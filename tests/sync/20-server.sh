#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server that is down, silent, slow, read-only, full, or dies in the midst of a transaction; two runs at
# once; a station that dies while it is read.  Each time the run says so by its status, and the next one
# makes it whole.
# shellcheck disable=SC2154 # what lib.sh and run.sh set
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

attempts=1300

# The next run repairs what the last one left behind, and there is something new to send for the next.
whole_again() # WHAT
{
	sync_gives "$1: the next run sends the rest" 0 1
	position_fits "$1: the position is that of its chain" 1
	holds_all "$1: none lost, none twice" 1
}

# A station of its own for each trouble: the same number, with the records of another seed.
station_anew()
{
	[ -z "${station_pid[1]:-}" ] || station_stop 1
	rm -rf "${scratch:?}/st/1"
	seed=$((seed + 1))
	stations_make 1 1 "${1:-$attempts}"
	station_serve 1
}

waits_for_lock()
{
	[ "$(centre "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")" -gt 0 ]
}

state_of() # JQ-FILTER
{
	jq -r "$1" "$scratch/1.state"
}

centre_make
proxy_start

station_anew
pg_stop fast
sync_gives "a server that is down: the run ends with 1" 1 1
same "... and its state says so" false "$(state_of .ok)"
pg_start
whole_again "after a server that was down"
same "... and its state says so" "true null" "$(state_of '"\(.ok) \(.error)"')"
sync_gives "a run with nothing to send ends with 0" 0 1

# WHY a third group behind a commit: of the last one the run knows, as its reply was on the way.
for point in before within after; do
	attempts=1300
	[ $point != after ] || attempts=2600
	station_anew
	sync_hold 1 "hold $point 2"
	pg_stop immediate
	sync_let_go
	gave "the server is killed $point a commit: the run ends with 1" 1 1
	pg_start
	whole_again "the server is killed $point a commit"
done

station_anew
sync_hold 1 "hold within 1"
centre "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hold %'" \
	> /dev/null
sync_let_go
gave "the connection is ended by an administrator: the run ends with 1" 1 1
whole_again "the connection is ended by an administrator"

station_anew
centre "ALTER DATABASE cfdfu SET default_transaction_read_only = on"
sync_gives "a server that only reads: the run ends with 1" 1 1
centre_name=postgres centre "ALTER DATABASE cfdfu SET default_transaction_read_only = off"
whole_again "after a server that only read"

station_anew
began=$(now_ms)
sync_options=tcp_user_timeout=3000 sync_gives \
	"a server that falls silent in the midst: the run ends by itself with 1" 1 1 "stop within 2"
note "a silent server: the run has ended after $((($(now_ms) - began) / 1000)) s"
whole_again "after a silent server"

station_anew 300
sync_gives "a slow line: everything comes through" 0 1 "slow before 1"
holds_all "a slow line: none lost, none twice" 1

# The second run has to wait for the first one's lock, or finds the position moved.
attempts=1300
for point in before within after; do
	station_anew
	sync_hold 1 "hold $point 1"
	(sync_once 1; exit "$rc") &
	second=$!
	if [ $point = within ]; then
		until_true 60 waits_for_lock || not_ok "the second run waits" "it does not"
	else
		wait $second
		second=$!
	fi
	sync_let_go
	first=$rc
	rc=0
	wait $second || rc=$?
	same "two runs at once, one held $point its commit: both end with 0" "0 0" "$first $rc"
	whole_again "two runs at once, one held $point its commit"
done

station_anew 2600
sync_hold 1 "hold before 2"
station_kill 1
sync_let_go
gave "the station dies while it is read: the run ends with 3" 3 1
station_serve 1
whole_again "the station dies while it is read"

proxy_stop
if small_begin; then
	proxy_start
	station_anew
	small_fill
	sync_gives "a full disk: the run ends with 1" 1 1
	rm "$small/filler"
	whole_again "after a full disk"
	proxy_stop
	small_end
else
	echo "skip a full disk: needs root, and mounts"
fi
