#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Batches: begun and ended over the control socket, stopped by their canaries, resumed after a restart
# of the service; and what they came to, in the interface as in the records.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 61440)
good=$(image 2025.12 --size 61440)
config=$scratch/station.conf
printf '%s\n' '[station]' 'brake = 0' '[slots]' '1-1 = A1' '1-2 = A2' '1-3 = A3' '1-9 = B1' \
	'[batch]' 'stop-after = 2' > "$config"

batch() # JQ-FILTER [NAME]
{
	cfdfuctl --json batch show ${2:+"$2"} | jq -r ".batch | $1"
}

is_paused_by() # operator|batch|null
{
	[ "$(status .station.paused_by)" = "$1" ]
}

refused() # NAME STATUS COMMAND...
{
	local name=$1 wanted=$2 rc=0

	shift 2
	"$@" > /dev/null 2>&1 || rc=$?
	same "$name" "$wanted" $rc
}

dark() # PORT UID: a drone that does not start what it was given
{
	rack_add "$1" "$old" "uid=$2"
	rack_do fate "$1" leave-nothing > /dev/null
	rack_do plug "$1" > /dev/null
}

sim_start fast --config "$config"
cfdfuctl firmware add "$good" --name good > /dev/null
cfdfuctl firmware select good > /dev/null
refused "without one there is nothing to show" 4 cfdfuctl batch show
rack_plug 1-5 "$old" uid=550045000A51353432343630
until_true 60 test_verdict 1-5 pass

# A drone that was done before the batch began is not of it.
same "a batch begins" '"spring" 4 1 2' "$(cfdfuctl --json batch start spring --expect 4 --canary 1 |
	jq -c '.batch | "\(.name | tojson) \(.expect) \(.canary) \(.stop_after)"' | jq -r .)"
same "its drones are missing, and so are labelled slots" "A1 A2 A3 B1 550045000a51353432343630" \
	"$(batch '[.missing[] | .label // .serial | ascii_downcase | if length == 2 then ascii_upcase else . end] | join(" ")')"
refused "another cannot begin while it runs" 4 cfdfuctl batch start summer

dark 1-1 660041000A51353432343630
until_true 60 is_paused_by batch
same "a canary that fails stops it" fail "$(status '.slots[] | select(.port == "1-1").verdict')"
rack_plug 1-2 "$old" uid=660042000A51353432343630
settle 1
same "no other drone begins" null "$(status '.slots[] | select(.port == "1-2").verdict')"
same "a drone that waits in its slot is missing once" "[[\"A2\",true]]" \
	"$(batch '[.missing[] | select((.serial // "" | ascii_downcase) == "660042000a51353432343630") |
		[.label, (.text | test("in slot A2"))]] | tojson')"
same "the sentence of its stop is recorded" 1 \
	"$(records "SELECT count(*) FROM batch WHERE stopped LIKE '%A1%'")"

sim_kill
sim_start fast --config "$config"
same "after a restart it has stopped still" "batch spring" \
	"$(status '.station | "\(.paused_by) \(.batch.name)"')"
same "and counts what ended before" "1 0 1" "$(batch '"\(.drones) \(.good) \(.failed)"')"
cfdfuctl resume > /dev/null
rack_plug 1-3 "$old" uid=660043000A51353432343630
holds "resumed, it goes on" until_true 60 test_verdict 1-3 pass
same "a slot says of which batch it is" spring "$(status '.slots[] | select(.port == "1-3").batch')"
rack_plug 1-2 "$old" uid=660042000A51353432343630
until_true 60 test_verdict 1-2 pass
settle 1

cfdfuctl batch end > /dev/null
same "its end is shown" "3 2 1 2" "$(batch '"\(.drones) \(.good) \(.failed) \(.first_good)"')"
same "ended, no slot is of it" null "$(status '.slots[] | select(.port == "1-3").batch')"
same "the interface and the records agree" "$(batch '"\(.drones) \(.good) \(.failed)"' spring)" \
	"$(records "SELECT count(*) || ' ' || sum(verdict IN ('pass', 'unchanged')) || ' ' ||
		sum(verdict IN ('fail', 'needs-button', 'interrupted')) FROM attempts a
		WHERE batch = 'spring' AND id = (SELECT max(id) FROM attempts b
			WHERE b.batch = 'spring' AND b.serial = a.serial)")"
same "the hash is the head of the chain at its end" "$(batch .record_hash spring)" \
	"$(records "SELECT lower(hex(hash)) FROM record WHERE kind = 'batch-end'")"
refused "a name is used once" 4 cfdfuctl batch start spring
cfdfuctl --json batch start summer | jq -e '.batch.stop_after == 2' > /dev/null ||
	not_ok "the configuration says when it stops" "$(batch . summer)"
same "batches are listed, newest first" "summer spring" \
	"$(cfdfuctl --json batch list | jq -r '[.batches[].name] | join(" ")')"
sim_stop
records_are_sound "after batches"
