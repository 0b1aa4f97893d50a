#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The records of an older cfdfud (schema 3), killed in the midst of a drone: nothing of them is lost.
# records-3/ was written by cfdfud of commit 73b30ea (sqlite3 .dump, and its audit file): attempts 1
# and 2 pass, 3 is a backup, 4 a drone that was pulled and whose port is quarantined, 5 under way.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Instead of the station's records.
old_records() # FOLDER
{
	rm -rf "$state"
	mkdir "$state"
	sqlite3 "$database" < "$(dirname "$0")/$1/cfdfud.sql" > /dev/null
	cp "$(dirname "$0")/$1/audit.jsonl" "$state/"
}

old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
printf '[station]\nquarantine = 1\n[slots]\n1-1 = A1\n' > "$scratch/cfdfud.conf"
old_records records-3
seen_before=$(records "SELECT * FROM attempts WHERE id < 5")

sim_start fast --config "$scratch/cfdfud.conf"
same "the schema is a newer one" 1 "$(records "SELECT user_version > 3 FROM pragma_user_version")"
same "the database is intact" ok "$(records "PRAGMA integrity_check")"
same "the station is well" ok "$(status .station.health)"
same "attempts are what they were, and the running one was cut off" \
	"5 interrupted,4 fail,3 unchanged,2 pass,1 pass" "$(cfdfuctl --json history |
		jq -r '[.attempts[] | "\(.id) \(.verdict)"] | join(",")')"
same "the view has its columns as they were, and new ones behind them" "$seen_before" \
	"$(records "SELECT * FROM attempts WHERE id < 5" | sed -E 's/(\|[^|]*){8}$//')"
same "kinds are known of old rows, too" flash,flash,backup,flash,flash \
	"$(records "SELECT group_concat(kind) FROM (SELECT kind FROM attempts ORDER BY id)")"
same "the station is still paused" paused "$(status .station.state)"
same "selections are kept" "cf2=new 1-2=old" "$(status '[(.station.selected[] |
	"\(.platform)=\(.name)"), (.station.own[] | "\(.target)=\(.name)")] | join(" ")')"
same "and the word on a platform" "1-5=bolt" "$(status '.station.rules[] | "\(.target)=\(.platform)"')"
same "a quarantined port still is" 1 "$(records "SELECT count(*) FROM port
	WHERE port = '1-3' AND aside_ms IS NOT NULL")"

# The files of the images are missing: they stay selected, and that is reported.
cfdfuctl resume > /dev/null
rack_plug 1-2 "$new" uid=440042000A51353432343630
says_lost()
{
	status '.slots[] | select(.port == "1-2").message' | grep -q 'selected for it cannot be used'
}
holds "a slot's own firmware whose file is lost is not replaced by its platform's" \
	until_true 30 says_lost
cfdfuctl firmware add "$new" --name newer > /dev/null
cfdfuctl firmware select newer > /dev/null
rack_plug 1-1 "$old" uid=330041000A51353432343630
holds "a drone is flashed" until_true 60 test_verdict 1-1 pass
same "its attempt has the next number" 6 "$(status '.slots[] | select(.port == "1-1").attempt')"
rack_plug 1-3 "$new" uid=770045000A51353432343630
holds "no drone is flashed on the quarantined port" until_true 30 test_state 1-3 quarantined
sim_stop
records_are_sound "after the migration"
same "the records bear a second start" ok "$(sim_start fast --config "$scratch/cfdfud.conf" &&
	status .station.health)"
sim_stop

# The records of the first release (schema 6), written as records-3/ by cfdfud of commit 4512be9:
# attempts 1 and 3 pass, 2 is a backup, 4 was under way when it was killed.
old_records records-6
seen_before=$(records "SELECT * FROM attempts WHERE id < 4")
sim_start fast
same "the first release: the schema is a newer one" 1 \
	"$(records "SELECT user_version > 6 FROM pragma_user_version")"
same "the first release: the station is well" ok "$(status .station.health)"
same "the first release: the view has its columns as they were, and new ones behind them" \
	"$seen_before" "$(records "SELECT * FROM attempts WHERE id < 4" | sed -E 's/(\|[^|]*){7}$//')"
same "the first release: each attempt has its target, and nothing is said that was not seen" \
	"4 stm32 usb 0 0 0" "$(records "SELECT count(*) || ' ' || min(target) || ' ' || max(path) || ' '
		|| count(ready) || ' ' || count(nrf_version) || ' ' || count(batch) FROM attempts")"
same "the first release: the attempt under way was cut off" interrupted \
	"$(records "SELECT verdict FROM attempts WHERE id = 4")"
names_before=$(records "SELECT group_concat(uuid) FROM attempts")
same "the first release: attempts have names of their own" 4 "$(records "SELECT count(DISTINCT uuid)
	FROM attempts WHERE uuid LIKE '________-____-8___-8___-____________'")"
rack_plug 1-3 "$old" uid=770045000A51353432343630
settle 1
sim_stop
records_are_sound "the first release"
rm "$database" # it is made again from the audit file
sim_start fast
same "the first release: the same names when the database was made again" "$names_before" \
	"$(records "SELECT group_concat(uuid) FROM attempts WHERE id <= 4")"
sim_stop

# The records before batches (schema 8), written as records-3/ by cfdfud of commit a3c614a: attempt 1
# passes, 2 is unchanged, 3 was under way when it was killed.
old_records records-8
seen_before=$(records "SELECT * FROM attempts WHERE id < 3")
sim_start fast
same "before batches: the schema is a newer one" 1 \
	"$(records "SELECT user_version > 8 FROM pragma_user_version")"
same "before batches: the station is well" ok "$(status .station.health)"
same "before batches: the view is what it was, with what was seen of each drone" "$seen_before" \
	"$(records "SELECT * FROM attempts WHERE id < 3" | sed -E 's/\|$//')"
same "before batches: the attempt under way was cut off, and none is of a batch" "interrupted 0" \
	"$(records "SELECT max(verdict) FILTER (WHERE id = 3) || ' ' || count(batch) FROM attempts")"
cfdfuctl firmware add "$new" --name newer > /dev/null
cfdfuctl firmware select newer > /dev/null
cfdfuctl batch start first > /dev/null
rack_plug 1-3 "$old" uid=770045000A51353432343630
holds "before batches: a drone is flashed in the first one" until_true 60 test_verdict 1-3 pass
settle 1
sim_stop
records_are_sound "before batches"
rm "$database" # it is made again from the audit file
sim_start fast
same "before batches: the database was made again" "$seen_before|first" \
	"$(records "SELECT * FROM attempts WHERE id < 3" | sed -E 's/\|$//')|$(
		records "SELECT batch FROM attempts WHERE id = 4")"
same "before batches: and its batch runs still" "first 1" "$(status '.station.batch | "\(.name) \(.drones)"')"
sim_stop

# The records before signatures (schema 9), written as records-3/ by cfdfud of commit 7d94bdc: attempt 1
# passes, 2 is unchanged, 3 was under way when it was killed, all in a batch.
old_records records-9
seen_before=$(records "SELECT * FROM attempts WHERE id < 3")
sim_start fast
same "before signatures: the schema is a newer one" 1 \
	"$(records "SELECT user_version > 9 FROM pragma_user_version")"
same "before signatures: the view is what it was, and says that nothing was signed" "$seen_before|0" \
	"$(records "SELECT * FROM attempts WHERE id < 3" | sed -E 's/\|$//')|$(
		records "SELECT count(signer) FROM attempts")"
same "before signatures: the batch runs still" "first 3" \
	"$(status '.station.batch | "\(.name) \(.expect)"')"
same "before signatures: firmware of the catalogue is not signed" "new null" \
	"$(cfdfuctl --json firmware list | jq -r '.firmware[] | "\(.name) \(.signer)"')"
cfdfuctl firmware add "$new" --name newer > /dev/null
cfdfuctl firmware select newer > /dev/null
rack_plug 1-4 "$old" uid=880045000A51353432343630
holds "before signatures: a drone is flashed" until_true 60 test_verdict 1-4 pass
settle 1
sim_stop
records_are_sound "before signatures"
