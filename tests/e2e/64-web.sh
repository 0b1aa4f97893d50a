#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The web server alone: what it serves and refuses, one stream a browser, and a siege while a rack is
# flashed.  Judged by statuses and counts, not by times.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=6
top=$(cd "$(dirname "$0")/../.." && pwd)
old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)

web_start() # [COMMAND...] before its name; sets port and url
{
	rm -f "$scratch/port"
	siege activate "$@" cfdfu-web --files "$top/client/web/page" --host wall.example \
		> "$scratch/port" 2>> "$scratch/web.log" &
	web_pid=$!
	until_true 60 test -s "$scratch/port"
	port=$(cat "$scratch/port")
	url=http://127.0.0.1:$port/
}

web_stop()
{
	kill "$web_pid"
	wait "$web_pid"
}

code() # CURL-ARGUMENT...; of a stream its status is all that is waited for
{
	curl -s -o "$scratch/body" --max-time 60 -w '%{http_code}' "$@"
}

# Opens a stream in the background: its pid is in watches, its text in the file.
watches=()
watch() # FILE
{
	curl -sN "${url}watch" > "$1" &
	watches+=($!)
}

has_rows() # FILE
{
	grep -q '^data: {"station":' "$1"
}

has_ended() # PID
{
	! kill -0 "$1" 2> /dev/null
}

sim_start typical
trap 'kill "${watches[@]}" "$web_pid" 2> /dev/null; sim_stop' EXIT
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
web_start

# ---- what is served -----------------------------------------------------------------------------

for file in "" style.css model.js view.js link-sse.js "?full"; do
	same "/$file is served" 200 "$(code "$url$file")"
done
curl -si "$url" > "$scratch/said"
for header in "content-security-policy: default-src 'none'" "x-content-type-options: nosniff" \
	"cross-origin-resource-policy: same-origin" "cache-control: no-store"; do
	holds "the page comes with $header" grep -qi "^$header" "$scratch/said"
done
holds "the page may not be in a frame" grep -q "frame-ancestors 'none'" "$scratch/said"
for host in "127.0.0.1:8080" "[::1]:8080" "192.168.7.2" "localhost" "LocalHost:80" "wall.example:1" "wall.example.:1" \
	"localhost."; do
	same "a request for $host is served" 200 "$(code -H "Host: $host" "$url")"
done
for host in "evil.example" "127.0.0.1.evil.example" "wall.example.evil" "[wall.example]" "x:y"; do
	same "a request for $host is misdirected" 421 "$(code -H "Host: $host" "$url")"
done
same "a link on another site leads to the page" 200 "$(code -H 'Sec-Fetch-Site: cross-site' "$url")"
same "another site's script reads nothing" 403 "$(code -H 'Origin: http://evil.example' "$url")"
same "another site's page watches nothing" 403 \
	"$(code -H 'Sec-Fetch-Site: cross-site' "${url}watch")"
same "the refusal is a sentence" "A page of another site asks." "$(cat "$scratch/body")"
siege "$port" 1 bad > "$scratch/bad"
same "no bad request is served" 0 "$(grep -c '^[123]' "$scratch/bad")"
same "each bad request is answered" 0 "$(grep -c '^000' "$scratch/bad")"
note "$(cut -c1-3 "$scratch/bad" | sort | uniq -c | tr '\n' ';')"

# ---- streams ------------------------------------------------------------------------------------

for n in $(seq 16); do
	watch "$scratch/watch-$n"
done
for n in 1 16; do
	holds "browser $n of 16 watches" until_true 60 has_rows "$scratch/watch-$n"
done
same "one more browser is refused" 503 "$(code "${url}watch")"
same "... with a sentence" "Too many browsers watch already." "$(cat "$scratch/body")"
holds "operators are not locked out by 16 browsers" cfdfuctl status
kill "${watches[@]:1}"
wait "${watches[@]:1}" 2> /dev/null
again()
{
	watch "$scratch/again"
	until_true 5 has_rows "$scratch/again"
}
holds "a browser that has gone makes room for another" until_true 60 again

# ---- a siege, while a rack is flashed -----------------------------------------------------------

coproc STARE { exec siege "$port" 2 stare 40 2>> "$scratch/web.log"; }
read -r -t 60 said <&"${STARE[0]}"
same "40 browsers that never read" staring "$said"
siege "$port" "$$" hold 30 &
hold_pid=$!
for n in $(seq $drones); do
	rack_plug "1-$n" "$old"
done
for _ in $(seq 5); do
	siege "$port" $((RANDOM + 1)) tear 300 bad > /dev/null 2>> "$scratch/web.log" ||
		not_ok "the server answers under siege" "$(tail -n 1 "$scratch/web.log")"
done &
tear_pid=$!
holds "an operator is answered under siege" cfdfuctl pause
holds "... and changes something" cfdfuctl resume
holds "all drones are flashed under siege" until_true 120 good_is $drones
wait "$tear_pid"
rc=0
wait "$hold_pid" || rc=$?
same "half a request is given up in the end" 0 "$rc"
same "no attempt was disturbed" "$drones $drones" \
	"$(records "SELECT count(*), sum(verdict = 'pass') FROM attempts WHERE kind = 'flash'" | tr '|' ' ')"
echo >&"${STARE[1]}"
# The slots that the first browser saw, row by row as its page folds them.
rows()
{
	sed -n 's/^data: {"station/{"station/p' "$scratch/watch-1" |
		jq -rs 'reduce .[].slots[] as $s ({}; .[$s.port] = $s.verdict) | [.[]] | join(" ")'
}
saw_all()
{
	[ "$(rows)" = "pass pass pass pass pass pass" ]
}
holds "a browser that watches saw it all" until_true 60 saw_all
free()
{
	local pid

	curl -sN "${url}watch" > "$scratch/free" &
	pid=$!
	until_true 5 has_rows "$scratch/free"
	kill "$pid"
	grep -q data: "$scratch/free"
}
holds "after the siege there is room again" until_true 60 free

# ---- the station goes and comes -----------------------------------------------------------------

sim_kill
holds "the browsers' streams end with the station" until_true 60 has_ended "${watches[0]}"
same "without a station there is no stream" 503 "$(code "${url}watch")"
same "... but a sentence" "The station does not answer." "$(cat "$scratch/body")"
same "... and the page" 200 "$(code "$url")"
sim_start typical
holds "the station is back, and so is the stream" until_true 60 free
web_stop
same "the server ends when told to" 0 $?
web_start prlimit --nofile=40
siege "$port" 5 hold 100
# Processor time in hundredths of a second: an accept() that fails again and again would take ten.
within "a server without descriptors waits for them" 0 \
	"$(awk '{ print $14 + $15 }' "/proc/$web_pid/stat")" 300
holds "... and serves on" until_true 60 free
web_stop

# ---- units --------------------------------------------------------------------------------------

prefix=()
! unshare -n true 2> /dev/null || prefix=(unshare -n)
web_start "${prefix[@]}"
note "activated ${prefix[*]:+in a network of its own}"
same "a socket that was passed is served" 200 "$(code "$url")"
holds "... and so is a stream" until_true 60 free
web_stop
if command -v systemd-analyze > /dev/null; then
	sed 's|@sbindir@|/usr/sbin|' "$top/systemd/cfdfu-web.service.in" > "$scratch/cfdfu-web.service"
	holds "systemd rates the sandbox 1.0 or better" \
		systemd-analyze security --offline=yes --threshold=10 "$scratch/cfdfu-web.service"
else
	note "no systemd-analyze: the sandbox is rated in the virtual station alone"
fi
says "a directory that is missing is named" 'nowhere: No such' cfdfu-web --files "$scratch/nowhere"
says "an address that is none is refused" 'cannot listen at nowhere: Invalid' \
	cfdfu-web --files "$top/client/web/page" --listen nowhere
same "the server has said nothing else" "" "$(cat "$scratch/web.log")"
