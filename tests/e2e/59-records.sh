#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Changed, lost and foreign records and files: noticed, reported with the remedy, and repaired.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
log=$scratch/daemon.log
missing='missing: add it again: cfdfuctl firmware add FILE --name new'

# ---- the file of an image is lost ---------------------------------------------------------------

same_everywhere() # NAME TEXT
{
	holds "$1: list says so" grep -qF "$2" <<< "$(cfdfuctl firmware list)"
	holds "$1: show says so" grep -qF "$2" <<< "$(cfdfuctl firmware show new)"
	holds "$1: status says so" grep -qF "${2%% add FILE*}" <<< "$(cfdfuctl status | tr -s ' \n' ' ')"
	same "$1: the doctor says so" fail "$(cfdfuctl --json doctor |
		jq -r '.checks[] | select(.name == "firmware-file").level')"
	holds "$1: selecting it is refused with the same words" grep -qF "$2" \
		<<< "$(cfdfuctl firmware select new 2>&1)"
}

sim_start fast
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
file=$(find "$state/firmware" -name '*.dfu')
rm "$file"
same_everywhere "a file removed" "$missing"
sim_stop
: > "$state/firmware/incoming"
cp "$log" "$state/firmware/$(printf '%064d' 0).dfu"
cp "$log" "$state/firmware/README"
sim_start fast
same_everywhere "a file missing at the start" "$missing"
folder_is()
{
	[ "$(ls "$state/firmware")" = "$1" ]
}
holds "files without a row in the catalogue are removed" until_true 30 folder_is README
holds "the removal is logged" grep -q "0.dfu: removed, no firmware" "$log"
rack_plug 1-1 "$old"
says_lost()
{
	status '.slots[].message' | grep -q "cannot be used: 'cfdfuctl firmware list'"
}
holds "its drone is left alone, with words" until_true 30 says_lost
same "nothing was erased" 0 "$(counter 1-1 erases)"
cfdfuctl firmware add "$new" --name new > /dev/null
holds "added again, it is written without another select" until_true 60 test_verdict 1-1 pass
same "the row of the catalogue is kept" new "$(cfdfuctl --json firmware list |
	jq -r '.firmware[] | select(.problem == null).name')"
holds "the file is there again" test -s "$file"

cp "$file" "$scratch/kept"
printf x | dd of="$file" bs=1 seek=5000 conv=notrunc 2> /dev/null
same_everywhere "a file changed" "its file has been changed: add it again"
sim_stop
sim_start fast
rack_plug 1-2 "$old"
holds "started with it, its drone is left alone" until_true 30 says_lost
cp "$scratch/kept" "$file"
holds "put back by hand, it is written" until_true 60 test_verdict 1-2 pass

cfdfuctl firmware add "$old" --name old > /dev/null
cfdfuctl firmware select old --for 1-3 > /dev/null
own=$(find "$state/firmware" -name '*.dfu' ! -path "$file")
rm "$own"
sim_stop
sim_start fast
rack_plug 1-3 "$old"
holds "the own image of a slot is lost: not that of its platform instead" until_true 30 says_lost
same "nothing was erased there" 0 "$(counter 1-3 erases)"
cfdfuctl firmware deselect --for 1-3 > /dev/null
holds "without it, the platform's is written" until_true 60 test_verdict 1-3 pass
cfdfuctl firmware remove old > /dev/null
same "a removed firmware leaves no file" "$file" "$(find "$state/firmware" -name '*.dfu')"
sim_stop

# ---- a lock of another program ------------------------------------------------------------------

# Held against reading, too, until unlock.
lock_wholly()
{
	mkfifo "$scratch/locker"
	rm -f "$scratch/is-locked"
	sqlite3 -bail "$database" < "$scratch/locker" > /dev/null 2>&1 &
	locker_pid=$!
	exec 9> "$scratch/locker"
	printf '%s\n' ".timeout 9000" "PRAGMA locking_mode = EXCLUSIVE;" "BEGIN EXCLUSIVE;" \
		".shell touch '$scratch/is-locked'" >&9
	until_true 60 test -e "$scratch/is-locked" || not_ok "the database is locked" "it is not"
}

lock_wholly
sim_start fast 9>&-
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	cfdfuctl status > /dev/null
done
holds "started under a lock, the station says so" health_is degraded
holds "a change is refused for that reason" grep -q "locked" <<< "$(cfdfuctl firmware add "$old" --name old 2>&1)"
exec 9>&-
wait "$locker_pid"
rc=0
cfdfuctl firmware add "$old" --name old > "$scratch/said" 2>&1 || rc=$?
same "the next order after the lock is obeyed" "0 " "$rc $(grep -i degraded "$scratch/said")"

# ---- the lock file is removed -------------------------------------------------------------------

rm "$state/lock"
holds "without its lock file, a second station refuses" \
	grep -q "another cfdfud" <<< "$(CFDFU_SIM_SOCKET=$scratch/other.sock timeout 60 cfdfud-sim \
		--state "$state" --socket "$scratch/control2" 2>&1)"
holds "the lock file is made again" until_true 30 test -e "$state/lock"
holds "status says so" grep -q "lock file was removed" <<< "$(cfdfuctl status | tr -s ' \n' ' ')"
rack_plug 1-4 "$old"
holds "the station continues to flash" until_true 60 test_verdict 1-4 pass
mv "$state" "$scratch/away"
holds "a directory moved away stops everything" until_true 30 health_is degraded
rack_plug 1-5 "$old"
mv "$scratch/away" "$state"
holds "put back, it goes on" until_true 60 test_verdict 1-5 pass
sim_stop

# ---- bits in the header, rows, modes ------------------------------------------------------------

count=$(records "SELECT count(*) FROM attempts")
printf '\x10' | dd of="$database" bs=1 seek=61 conv=notrunc 2> /dev/null
sim_start fast
holds "a version that no cfdfud has written is damage, and mended" \
	grep -q "it says version" <<< "$(cfdfuctl status | tr -s ' \n' ' ')"
same "nothing is lost by it" "$count" "$(records "SELECT count(*) FROM attempts")"
sim_stop
sqlite3 "$database" "DROP TRIGGER attempt_stays; DELETE FROM attempt WHERE id > 2"
sim_start fast
rack_plug 1-6 "$old"
holds "with rows taken out, a drone is written" until_true 60 test_verdict 1-6 pass
within "the new attempt has a new number" $((count + 1)) \
	"$(records "SELECT max(id) FROM attempts")" $((count + 9))
sim_stop

# ---- a row that differs from its record ---------------------------------------------------------

compared()
{
	cfdfuctl --json doctor "$@" | jq -r '.checks[] | select(.name == "records-compared").level'
}
sim_start fast
compared --deep > /dev/null # WHY: the rows taken out above are found, or were, and rebuilt below
sim_stop
sim_start fast
same "the rows that were taken out are there again" $((count + 1)) \
	"$(records "SELECT count(*) FROM attempts")"
acts=$(records 'SELECT count(*) FROM acts')
same "the deep comparison finds no difference" ok "$(compared --deep)"
same "asking how far it is is no act" $((acts + 1)) "$(records 'SELECT count(*) FROM acts')"
sim_stop
before=$(records "SELECT group_concat(id || verdict) FROM attempts")
sqlite3 "$database" "DROP TRIGGER attempt_ends_once;
	UPDATE attempt SET verdict = 'fail' WHERE id = 1"
sim_start fast
cfdfuctl doctor --deep > "$scratch/said" 2>&1
same "the deep doctor finds a changed row" fail "$(compared)"
holds "the deep doctor names the changed attempt" grep -q "attempt 1 is not in the database as it was recorded" "$scratch/said"
holds "with the command" grep -q "sudo systemctl restart cfdfud" "$scratch/said"
holds "status says so" grep -q "attempt 1 is not in the database" <<< "$(cfdfuctl status | tr -s ' \n' ' ')"
sim_stop
sim_start fast
same "after a restart the database is what was recorded" "$before" \
	"$(records "SELECT group_concat(id || verdict) FROM attempts")"
same "the deep comparison finds no difference" ok "$(compared --deep)"
rack_plug 1-7 "$old"
holds "the station goes on" until_true 60 test_verdict 1-7 pass
records_are_sound "after all that"

# ---- a damaged index, found while drones are written ---------------------------------------------

# Behind so many records it is not among the newest, which are looked at when the station starts.
for _ in $(seq 100); do
	cfdfuctl pause > /dev/null
	cfdfuctl resume > /dev/null
done
sim_stop
before=$(records "SELECT group_concat(id || verdict) FROM attempts")
newest=$(records "SELECT max(id) FROM attempts")
# WHY defensive off: SQLite's shell of Debian 13 (3.46) refuses writes to the schema otherwise.
sqlite3 "$database" ".dbconfig defensive off" "DROP INDEX attempt_port;
	CREATE INDEX attempt_port ON attempt (port, segment, started_ms) WHERE id <> 1;
	PRAGMA writable_schema = ON;
	UPDATE sqlite_schema SET sql = 'CREATE INDEX attempt_port ON attempt (port, segment, started_ms)'
	WHERE name = 'attempt_port'" > /dev/null
sim_start typical
same "with a damaged index among old records the station starts" ok "$(status .station.health)"
rack_plug 1-8 "$old"
rack_plug 1-9 "$old"
is_mended()
{
	grep -q "attempt 1 is missing from an index; it was set aside" <<< \
		"$(cfdfuctl status | tr -s ' \n' ' ')"
}
holds "the damage is found at work, and mended" until_true 60 is_mended
holds "the log says so" grep -q "cfdfud.db is damaged: attempt 1 is missing from an index" "$log"
holds "its drones pass" until_true 60 test_verdict 1-8 pass
holds "all of them" until_true 60 test_verdict 1-9 pass
same "nothing is lost by it" "$before" \
	"$(records "SELECT group_concat(id || verdict) FROM attempts WHERE id <= $newest")"
sim_kill
sim_start typical
records_are_sound "after damage at work and a kill"
sim_stop
