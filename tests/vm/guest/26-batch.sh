#!/bin/bash
# SPDX-License-Identifier: MIT
# A batch over a rack of eight, watched by a browser and by a program for each event, both from their
# units: its canary is pulled in the midst of being written and another takes its place; what is seen,
# told and reported agrees with the records.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

drones=8
old=$(image 2025.02 --size 61440)
new=$(image 2025.12 --size 61440)
events=/var/lib/private/cfdfud-hook/tally/events
units=(cfdfu-web.socket cfdfu-web.service cfdfud-hook@tally.service)

batch() # JQ-FILTER
{
	cfdfuctl --json batch show monday | jq -r ".batch | $1"
}

# How often the program was told of an event.
told() # EVENT
{
	grep -c "^$1 " "$events"
}

hook_pid()
{
	systemctl show -P MainPID cfdfud-hook@tally.service
}

hook_is_another() # PID
{
	[ "$(hook_pid)" != 0 ] && [ "$(hook_pid)" != "$1" ]
}

web_answers()
{
	exec 5<> /dev/tcp/127.0.0.1/8080 || return 1
	printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' >&5
	timeout 60 grep -q -m 1 -a '^HTTP/1.1 200' <&5 2> /dev/null
}

# The verdicts that a page shows which folds the stream row by row.
wall()
{
	sed -n 's/^data: //p' "$scratch/wall" | grep '^{"station"' |
		jq -rs 'reduce .[].slots[] as $s ({}; .[$s.port] = $s.verdict) | [.[]] | join(" ")'
}

wall_is() # VERDICTS
{
	[ "$(wall)" = "$1" ]
}

begun_is() # COUNT
{
	[ "$(records "SELECT count(*) FROM attempts WHERE batch = 'monday'")" = "$1" ]
}

all_written()
{
	rack_operator
	good_is $drones
}

getent passwd cfdfud > /dev/null || station_install
station_reset
station_configure slots '1-1 = A1' '1-2 = A2' '1-3 = A3' '1-4 = A4' '1-5 = B1' '1-6 = B2' '1-7 = B3' \
	'1-8 = B4'
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
mkdir -p /etc/cfdfud/hooks
cat > /etc/cfdfud/hooks/tally <<'HOOK'
#!/bin/sh
echo "$CFDFU_EVENT $CFDFU_LABEL $CFDFU_VERDICT $CFDFU_BATCH" >> "$STATE_DIRECTORY/events"
HOOK
chmod 755 /etc/cfdfud/hooks /etc/cfdfud/hooks/tally
systemctl start cfdfu-web.socket cfdfud-hook@tally.service
holds "a program's unit tells it of a pause" until_true 120 told_of_a_pause "$events"
exec 6<> /dev/tcp/127.0.0.1/8080
printf 'GET /watch HTTP/1.0\r\nHost: localhost\r\n\r\n' >&6
cat <&6 > "$scratch/wall" &
browser=$!
rack_start fast
trap 'kill $browser 2> /dev/null; rack_stop' EXIT

# ---- the canary ---------------------------------------------------------------------------------

holds "a batch begins" cfdfuctl batch start monday --expect $drones --canary 1
for p in $(ports 1 $drones); do
	rack_add "$p" "$old" "address=E7E7E7E70${p#*-}"
done
rack_do fate 1-1 power-loss at=12 in=dfu > /dev/null
rack_do plug 1-1 > /dev/null
holds "the first drone begins" until_true 60 begun_is 1
for p in $(ports 2 $drones); do
	rack_do plug "$p" > /dev/null
done
poll=5 holds "it is pulled, and the others pass" until_true 300 good_is $((drones - 1))
same "another was the canary then: alone, after the first and before the others" "1 1" \
	"$(records "SELECT (SELECT min(started_at) FROM attempts WHERE id > 1) >= a.ended_at, ' ',
		(SELECT min(started_at) FROM attempts WHERE id > 2) >= b.ended_at
		FROM attempts a, attempts b WHERE a.id = 1 AND b.id = 2" | tr -d '|')"
rack_do plug 1-1 > /dev/null
holds "back in its slot, it passes, too" until_true 300 all_written
holds "nothing is left to do" cfdfuctl wait --ready --timeout 300
same "all are ready, and the first ending of the pulled one was none of the good ones" "8 8 8 7 0" \
	"$(batch '"\(.drones) \(.good) \(.ready) \(.first_good) \(.failed)"')"
holds "the batch ends" cfdfuctl batch end
records_are_sound "a batch"

# ---- its report and the records -----------------------------------------------------------------

last="FROM attempts a WHERE batch = 'monday' AND kind = 'flash' AND id = (SELECT max(id)
	FROM attempts b WHERE b.batch = 'monday' AND b.kind = 'flash' AND b.serial = a.serial)"
cfdfuctl batch report monday --json > "$out/report.json"
same "the report counts as the records do" "$(records "SELECT count(*) || ' ' ||
	sum(verdict IN ('pass', 'unchanged')) || ' ' || sum(ready = 'yes') $last")" \
	"$(jq -r '.batch | "\(.drones) \(.good) \(.ready)"' "$out/report.json")"
same "it has each drone's last attempt" "$(records "SELECT group_concat(id, ' ') FROM
	(SELECT id $last ORDER BY id)")" "$(jq -r '[.drones[].id] | sort | join(" ")' "$out/report.json")"
same "it has the record chain's head" \
	"$(records "SELECT lower(hex(hash)) FROM record WHERE kind = 'batch-end'")" \
	"$(jq -r .batch.record_hash "$out/report.json")"
same "as a table it has a row for each drone" $((drones + 1)) \
	"$(cfdfuctl batch report monday --csv | wc -l)"

# ---- what was seen and told ---------------------------------------------------------------------

holds "the wall has seen every drone pass" until_true 60 wall_is "pass pass pass pass pass pass pass pass"
attempts=$(records "SELECT count(*) FROM attempts WHERE kind = 'flash'")
told_all()
{
	[ "$(told ended)" = "$attempts" ] && [ "$(grep -c '^batch ' "$events")" = 2 ]
}
holds "the program was told of each ending, and of the batch" until_true 60 told_all
same "... and of each beginning" "$attempts" "$(told started)"
same "... and of the batch that each ending is of" "$attempts" "$(grep -c '^ended .* monday$' "$events")"
same "... and of each drone that is ready" $drones "$(grep '^ready ' "$events" | cut -d' ' -f2 | sort -u | wc -l)"
same "... in their order" "plugged started ended ready" \
	"$(grep ' A2 ' "$events" | cut -d' ' -f1 | paste -sd' ')"
cp "$events" "$out/events.txt"

# ---- killed -------------------------------------------------------------------------------------

# More often than systemd starts a unit by default.
for _ in 1 2 3 4 5 6 7; do
	systemctl kill --signal=KILL cfdfu-web.service 2> /dev/null
	until_true 10 web_answers || break
done
holds "killed again and again, the web server is there again" until_true 30 web_answers
before=$(hook_pid)
systemctl kill --signal=KILL cfdfud-hook@tally.service
holds "killed, the program's unit is there again" until_true 60 hook_is_another "$before"
rm "$events"
holds "... and tells of what comes then" until_true 120 told_of_a_pause "$events"
same "neither unit was refused anything" "" "$(journalctl --no-pager -o cat -u cfdfu-web.service \
	-u cfdfud-hook@tally.service | grep -i -e denied -e 'not permitted' -e 'cannot' -e fail |
	grep -v -e 'Failed with result .signal' -e 'code=killed' | head -n 3)"
systemctl stop "${units[@]}"
same "both end well" "" "$(systemctl --failed --plain --no-legend | cut -d' ' -f1 | paste -sd' ')"
