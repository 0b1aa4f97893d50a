#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The station in numbers: what `cfdfuctl metrics` says against the records and the status, in both
# formats as Prometheus' own reader takes them; alert rules and dashboard.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
monitoring=$top/doc/monitoring
page=$scratch/page
textfile=$scratch/cfdfu.prom
export CFDFU_SYNC_STATE=$scratch/sync-state.json
has_promtool=$(command -v promtool || true)
[ -n "$has_promtool" ] || note "no promtool (package prometheus): its checks are left out"

# The value of one sample, by the name and its labels as they stand there.
value() # SAMPLE
{
	sample=$1 awk '{ n = length($0) - length($NF) - 1 } substr($0, 1, n) == ENVIRON["sample"] { print $NF }' "$page"
}

# Samples without their values.
series()
{
	sed -n 's/^\([^#].*\) [^ ]*$/\1/p' "$page"
}

# ---- a rack of which one fails, in a batch ------------------------------------------------------

printf '%s\n' '[station]' 'quarantine = 1' > "$scratch/conf"
old=$(image 2025.02)
sim_start fast --config "$scratch/conf"
cfdfuctl metrics > "$page"
same "before the first ending there is a 0 to begin with" 0 \
	"$(value 'cfdfu_attempts_total{kind="flash",verdict="fail",fault="refused"}')"
cfdfuctl firmware add "$(image 2025.12)" --name 'odd "na\me' > /dev/null
cfdfuctl batch start spring --expect 4 > /dev/null
cfdfuctl firmware select 'odd "na\me' > /dev/null
rack_plug 1-1 "$old" uid=002B00353234510C37333439
rack_plug 1-2 "$old"
rack_add 1-3 "$old"
rack_do fate 1-3 status at=15 on=data count=1000 > /dev/null
rack_do plug 1-3 > /dev/null
until_true 60 test_state 1-3 quarantined || not_ok "one drone fails" "$(status '.slots[2]')"
settle 2
rack_do unplug 1-2 > /dev/null
settle 1
cfdfuctl metrics > "$page"
same "the page is there" 0 $?

# ---- the same as elsewhere ----------------------------------------------------------------------

same "attempts are counted as in the records" \
	"$(records "SELECT kind, verdict, ifnull(fault, 'none'), count(*) FROM attempts GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")" \
	"$(sed -n 's/^cfdfu_attempts_total{kind="\(.*\)",verdict="\(.*\)",fault="\(.*\)"} \([1-9].*\)$/\1|\2|\3|\4/p' "$page" | sort)"
same "bytes and sectors, too" \
	"$(records 'SELECT sum(bytes_written), sum(sectors_erased) FROM attempts')" \
	"$(value cfdfu_written_bytes_total)|$(value cfdfu_erased_sectors_total)"
same "slots are counted by class as the status has them" \
	"$(status '[.slots[].class] | group_by(.) | map("\(.[0]) \(length)") | .[]')" \
	"$(sed -n 's/^cfdfu_slots{class="\(.*\)"} \([1-9].*\)$/\1 \2/p' "$page" | sort)"
same "readiness counts drones that are plugged in" \
	"$(status '[.slots[] | select(.present).ready] | group_by(.) | map("\(.[0]) \(length)") | .[]')" \
	"$(sed -n 's/^cfdfu_drones{ready="\(.*\)"} \([1-9].*\)$/\1 \2/p' "$page" | sort)"
same "what is left to do, too" \
	"$(status '[.slots[] | select(.present).remaining[].what] | group_by(.) | map("\(.[0]) \(length)") | .[]')" \
	"$(sed -n 's/^cfdfu_remaining{remaining="\(.*\)"} \([1-9].*\)$/\1 \2/p' "$page" | sort)"
same "a stage that all went through has as many times" 3 "$(value 'cfdfu_stage_seconds_count{step="erasing"}')"
same "all of them are in the last bucket" 3 "$(value 'cfdfu_stage_seconds_bucket{step="erasing",le="+Inf"}')"
same "the batch is counted" '4 3 2 1' \
	"$(value cfdfu_batch_expected) $(value cfdfu_batch_drones) $(value cfdfu_batch_good) $(value cfdfu_batch_failed)"
same "a name with quotes is escaped" 1 \
	"$(value 'cfdfu_firmware_info{platform="cf2",name="odd \"na\\me",version="2025.12"}')"
same "nothing is paused" '0 0 0' \
	"$(value 'cfdfu_paused{paused_by="operator"}') $(value 'cfdfu_paused{paused_by="brake"}') $(value 'cfdfu_paused{paused_by="batch"}')"
same "the records can be written" '1 0' \
	"$(value 'cfdfu_health{health="ok"}') $(value 'cfdfu_health{health="degraded"}')"
same "no drone is named" 0 "$(grep -ciE '002B0035|37333439|"1-[0-9]' "$page")"
same "no series is there twice" '' "$(series | sort | uniq -d)"
within "a station is some hundred series" 100 "$(series | wc -l)" 500
cfdfuctl pause > /dev/null
cfdfuctl metrics > "$page.2"
same "an operator's pause is seen" 1 "$(grep -c '^cfdfu_paused{paused_by="operator"} 1$' "$page.2")"
cfdfuctl --json metrics > "$scratch/json"
same "--json is one document of the answers" 'paused true' \
	"$(jq -r '"\(.station.state) \(.up)"' "$scratch/json")"

# ---- the formats --------------------------------------------------------------------------------

same "OpenMetrics ends in its mark" '# EOF' "$(tail -n 1 "$page")"
same "it names a family without its suffix" 1 "$(grep -c '^# TYPE cfdfu_attempts counter$' "$page")"
cfdfuctl metrics --textfile "$textfile"
same "the text format has no mark and no info" 0 "$(grep -cE '^# (EOF|UNIT)|^# TYPE .* info$' "$textfile")"
same "others may read the file" 644 "$(stat -c %a "$textfile")"
same "both formats have the same series" "$(series)" "$(page=$textfile series)"
if [ -n "$has_promtool" ]; then
	same "promtool finds nothing to say of the text format" '' "$(promtool check metrics < "$textfile" 2>&1)"
	# It wants times, which a page that is fetched does not have.
	awk -v now="$(date +%s)" '/^#/ { print; next } { print $0, now - 60 }' "$page" > "$page.timed"
	mkdir -p "$scratch/data/wal" # the name that promtool has by itself
	holds "Prometheus takes the OpenMetrics page" \
		promtool tsdb create-blocks-from openmetrics "$page.timed" "$scratch/data"
	(cd "$scratch" && promtool tsdb dump data 2> /dev/null > "$scratch/dump")
	same "it has each series as it was" "$(series | wc -l)" \
		"$(grep -c cfdfu "$scratch/dump")"
	holds "the name with quotes is what it was" \
		grep -qF 'name="odd \"na\\me"' "$scratch/dump"
fi

# ---- the central database -----------------------------------------------------------------------

same "no word on the central database where there is none" 0 "$(series | grep -c sync)"
total=$(records "SELECT count(*) FROM attempts")
printf '{"at":"2026-01-31T12:34:56.789Z","success_at":"2026-01-31T12:00:00.000Z","ok":false,"endings":%d}\n' \
	$((total - 2)) > "$CFDFU_SYNC_STATE"
cfdfuctl metrics > "$page"
same "how far behind it is" '0 2 1769860800' \
	"$(value cfdfu_sync_ok) $(value cfdfu_sync_behind) $(value cfdfu_sync_success_seconds)"

# ---- another machine, and none ------------------------------------------------------------------

# shellcheck disable=SC2016 # the script's dollars
printf '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n' > "$scratch/ssh"
chmod +x "$scratch/ssh"
same "another machine's page is the same" "$(series)" \
	"$(CFDFU_SSH=$scratch/ssh cfdfuctl -H there metrics > "$page.2"; page=$page.2 series)"
CFDFU_SSH=$scratch/ssh cfdfuctl -H there metrics --textfile "$scratch/there" 2> /dev/null
same "a file is for this machine's station" '2 no' "$? $([ -e "$scratch/there" ] && echo yes || echo no)"
cfdfuctl metrics --textfile "$scratch/nowhere/cfdfu.prom" 2> /dev/null
same "a file that cannot be written is said" 4 $?
sim_stop
cfdfuctl metrics --textfile "$textfile" 2> /dev/null
same "without the service the status says so" 3 $?
page=$textfile
same "and the file, with what is known" "cfdfu_sync_ok cfdfu_sync_success_seconds cfdfu_up 0" \
	"$(series | sort | tr '\n' ' ')$(value cfdfu_up)"

# ---- records that cannot be read ----------------------------------------------------------------

mkfifo "$scratch/locker"
sqlite3 "$database" < "$scratch/locker" > /dev/null 2>&1 &
exec 9> "$scratch/locker"
printf '%s\n' ".timeout 9000" "PRAGMA locking_mode = EXCLUSIVE;" "BEGIN EXCLUSIVE;" \
	".shell touch '$scratch/is-locked'" >&9
until_true 60 test -e "$scratch/is-locked" || not_ok "the database is locked" "it is not"
sim_start fast --config "$scratch/conf" 9>&-
until_true 60 health_is degraded || not_ok "the station is degraded" "$(status .station.health)"
cfdfuctl metrics > "$scratch/degraded" 2> /dev/null
page=$scratch/degraded
same "a degraded station says so; how far behind it is, is not known" '1 1 1 0' \
	"$(value cfdfu_up) $(value 'cfdfu_health{health="degraded"}') $(series | grep -c sync_ok) $(series | grep -c behind)"
exec 9>&-
sim_stop

# ---- rules, dashboard, unit ---------------------------------------------------------------------

# Names of metrics, without what a histogram adds.
metrics_in() # FILE...
{
	grep -ohE 'cfdfu_[a-z_]+' "$@" | sed 's/_bucket$\|_sum$\|_count$//' | grep -v '_$' | sort -u
}

page=$scratch/page
series | sed 's/{.*//' > "$scratch/series"
metrics_in "$scratch/series" > "$scratch/known"
same "rules and dashboard ask for metrics that there are" '' \
	"$(metrics_in "$monitoring"/*.yml "$monitoring/dashboard.json" | grep -v '^cfdfu_metrics' | comm -23 - "$scratch/known")"
same "the manual names each" '' "$(comm -23 "$scratch/known" <(metrics_in "$top/client/cfdfuctl.1"))"
holds "the dashboard is JSON" jq -e '.panels | length > 10' "$monitoring/dashboard.json"
if [ -n "$has_promtool" ]; then
	holds "promtool takes the rules" promtool check rules "$monitoring/alerts.yml"
	holds "each alert is raised when it should be" promtool test rules "$monitoring/alerts_test.yml"
	{
		echo 'groups: [{name: dashboard, rules: ['
		jq -r '[.. | .expr? // empty] | to_entries[] | {record: "r\(.key)", expr: .value} | tojson + ","' \
			"$monitoring/dashboard.json"
		echo ']}]'
	} > "$scratch/dashboard.yml"
	holds "each query of the dashboard is one" promtool check rules "$scratch/dashboard.yml"
fi
if command -v systemd-analyze > /dev/null; then
	sed 's|@bindir@|/usr/bin|' "$top/systemd/cfdfud-metrics.service.in" > "$scratch/cfdfud-metrics.service"
	holds "the unit's exposure is at most 1.5" \
		systemd-analyze security --offline=yes --threshold=15 "$scratch/cfdfud-metrics.service"
fi
