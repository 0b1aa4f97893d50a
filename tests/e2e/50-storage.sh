#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Disks that are full, read-only, locked, or lose the database: nothing is flashed without a record,
# status, doctor and log say why, and it goes on by itself.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02 --size 163840)
new=$(image 2025.12 --size 163840)
disk=$scratch/disk
mkdir -p "$disk"
mounted=no
if mount -t tmpfs -o size=40m cfdfu-e2e "$disk" 2> /dev/null; then
	mounted=yes
fi
# The default demands more free space than such a disk has.
config=$scratch/station.conf
printf '[station]\nfree-space-floor = 8M\n' > "$config"

clean_up()
{
	if [ -n "${locker_pid:-}" ]; then
		kill "$locker_pid" 2> /dev/null
	fi
	sim_stop
	if [ "$mounted" = yes ]; then
		umount -l "$disk"
	fi
}

station_start() # STATE-DIRECTORY
{
	state=$1
	database=$state/cfdfud.db
	log=$scratch/log
	[ ! -e "$log" ] || cat "$log" >> "$scratch/daemon.log"
	: > "$log"
	CFDFU_SIM_SOCKET=$rack_socket CFDFU_SIM_TIMING=fast cfdfud-sim --config "$config" \
		--state "$state" --socket "$CFDFU_SOCKET" >> "$log" 2>&1 9>&- &
	sim_pid=$!
	trap clean_up EXIT
	until_true 30 cfdfuctl status && until_true 10 rack_connect 9>&- && return
	not_ok "the station starts" "$(tail -n 3 "$log")"
	exit 1
}

fill_disk()
{
	dd if=/dev/zero of="$disk/filler" bs=64K > /dev/null 2>&1
	dd if=/dev/zero of="$disk/filler2" bs=512 > /dev/null 2>&1
	return 0
}

empty_disk()
{
	rm -f "$disk/filler" "$disk/filler2"
}

# The database, locked against writing until unlock.
lock_database() # FILE
{
	mkfifo "$scratch/locker"
	rm -f "$scratch/is-locked"
	sqlite3 -bail "$1" < "$scratch/locker" > /dev/null 2>&1 &
	locker_pid=$!
	exec 9> "$scratch/locker"
	printf '%s\n' ".timeout 9000" "BEGIN IMMEDIATE;" ".shell touch '$scratch/is-locked'" >&9
	until_true 60 test -e "$scratch/is-locked" || not_ok "the database is locked" "it is not"
}

unlock_database()
{
	exec 9>&-
	wait "$locker_pid"
	locker_pid=
	rm -f "$scratch/locker"
}

# Under way, with its row on disk.
test_busy() # PORT
{
	grep -qE '^(probing|comparing|erasing|writing|verifying|leaving|booting)$' \
		<<< "$(status ".slots[] | select(.port == \"$1\").state")"
}

# A drone that is held in the midst of it, so that something can happen to it meanwhile.
plug_slow() # PORT
{
	rack_plug_held "$1" "$old" timing=typical
	holds "a drone is being flashed" until_true 60 test_busy "$1"
}

flashed() # PORT NAME
{
	holds "$2" until_true 60 test_verdict "$1" pass
	holds "$2: its flash is the image" flash_is "$1" "$new"
}

untouched() # PORT NAME
{
	same "$2: nothing was erased" 0 "$(counter "$1" erases)"
}

# ---- another program holds the database while the station starts --------------------------------

mkdir -p "$scratch/locked"
station_start "$scratch/locked"
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
plug_slow 1-1
sim_kill
lock_database "$database"
station_start "$scratch/locked"
rack_plug 1-2 "$old"
settle 1
untouched 1-2 "while the database is locked"
within "the log is not flooded meanwhile" 0 "$(grep -c 'interrupted attempts' "$log")" 2
unlock_database
flashed 1-2 "when the lock is gone, the drone is flashed without a restart"
same "the interrupted attempt was closed once" 1 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'interrupted'")"
records_are_sound "a lock at the start"

# ---- the database is taken away while it runs ---------------------------------------------------

mkdir "$scratch/away"
kill -STOP "$sim_pid" # it is to see all or nothing of it
mv "$state"/cfdfud.db* "$scratch/away/"
kill -CONT "$sim_pid"
rack_plug 1-3 "$old"
flashed 1-3 "a drone is flashed after the database was taken away"
records_are_sound "a database taken away"
same "no record was lost" 1 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'interrupted'")"

holds "status says what happened to the records" \
	grep -q "Records: .*cfdfuctl resume" <<< "$(cfdfuctl status)"
cfdfuctl resume > /dev/null
same "resume acknowledges the message" "" "$(cfdfuctl status | grep "Records:")"

# ---- a second daemon, a newer database ----------------------------------------------------------

holds "a second station on the same records refuses" \
	grep -q "another" <<< "$(CFDFU_SIM_SOCKET=$scratch/other.sock timeout 60 cfdfud-sim \
		--config "$config" --state "$state" --socket "$scratch/control2" 2>&1)"
sim_stop
cp -r "$state" "$scratch/newer"
sqlite3 "$scratch/newer/cfdfud.db" "PRAGMA user_version = 999"
rm "$scratch/newer/audit.jsonl" # WHY: it says what the version was: then 999 is damage
sum=$(sqlite3 "$scratch/newer/cfdfud.db" "SELECT count(*) FROM attempts")
rc=0
said=$(timeout 60 cfdfud-sim --config "$config" --state "$scratch/newer" \
	--socket "$CFDFU_SOCKET" 2>&1) || rc=$?
same "a newer database is refused" 1 "$rc"
holds "the refusal names the newer cfdfud" grep -q "newer cfdfud" <<< "$said"
same "the newer database is unchanged" "999 $sum" "$(sqlite3 "$scratch/newer/cfdfud.db" \
	"SELECT (SELECT user_version FROM pragma_user_version) || ' ' || count(*) FROM attempts")"

# ---- a disk that fills up -----------------------------------------------------------------------

if [ "$mounted" = no ]; then
	note "no file system can be mounted here: full and read-only disks are left out"
	exit 0
fi
mkdir "$disk/state"
fill_disk
station_start "$disk/state"
holds "started on a full disk, the station serves" health_is degraded
holds "doctor reports the full disk" grep -qi "records" <<< "$(cfdfuctl doctor 2>&1)"
rack_plug 1-1 "$old"
settle 1
untouched 1-1 "on a full disk"
says_why()
{
	status '.slots[].message' | grep -q "records cannot be written"
}
holds "the waiting drone's slot says why" until_true 30 says_why
within "the log says it a few times at most" 1 "$(wc -l < "$log")" 12
empty_disk
holds "with room again the records are healthy" until_true 60 health_is ok
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
flashed 1-1 "the drone that waited is flashed"

fill_disk
holds "a disk that fills up is noticed" until_true 150 health_is degraded
rack_plug 1-2 "$old"
settle 1
untouched 1-2 "with the disk full"
note "$(status '.slots[] | select(.port == "1-2") | "\(.state) \(.message)"')"
rc=0
said=$(cfdfuctl firmware add "$old" --name old 2>&1) || rc=$?
same "firmware is refused on a full disk" 4 "$rc"
note "$said"
empty_disk
flashed 1-2 "with room again it is flashed without a restart"
same "no incomplete file is left in the repository" 1 "$(find "$state/firmware" -type f | wc -l)"

plug_slow 1-3
fill_disk
rack_do mend 1-3 > /dev/null
holds "the running drone's verdict is recorded on the full disk" until_true 60 test_verdict 1-3 pass
empty_disk
holds "with room again the records are healthy" until_true 60 health_is ok

# A file system is not made read-only under a database that is open: so at the start.
plug_slow 1-4
sim_kill
mount -o remount,ro "$disk" || not_ok "the disk is made read-only" "$?"
station_start "$disk/state"
holds "started on a read-only disk, the station serves" health_is degraded
rack_plug 1-5 "$old"
settle 1
untouched 1-5 "on a read-only disk"
within "the log says it a few times at most" 1 "$(wc -l < "$log")" 12
mount -o remount,rw "$disk"
flashed 1-5 "writable again, the drone that waited is flashed"
same "the interrupted attempt was closed once" 1 \
	"$(records "SELECT count(*) FROM attempts WHERE verdict = 'interrupted'")"
records_are_sound "full and read-only disks"
rc=0
kill "$sim_pid"
wait "$sim_pid" || rc=$?
same "a station without work stops at once" 0 "$rc"
