#!/bin/bash
# SPDX-License-Identifier: MIT
# Two stations and a desk: this machine's station with a rack on its bus, and one in a network of its own behind a
# cable that can be cut.  An operator asks both through Debian's ssh server; one dies in mid-answer.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

there=/run/there # what the second machine has in /run/cfdfud
came=/tmp/came   # what the desk has of an answer that is cut off

# ---- the second machine ---------------------------------------------------------------------------

b_cable()
{
	ip netns add b &&
		ip link add to-b type veth peer name eth0 netns b &&
		ip address add 10.99.0.1/24 dev to-b &&
		ip link set to-b up &&
		ip -n b address add 10.99.0.2/24 dev eth0 &&
		ip -n b link set eth0 up
}

b_run() # UNIT COMMAND...
{
	systemd-run -q -G --unit="$1" -p NetworkNamespacePath=/run/netns/b -p BindPaths=$there:/run/cfdfud \
		-E CFDFU_SIM_SOCKET=$there/rack -E CFDFU_SIM_TIMING=fast "${@:2}"
}

b_station()
{
	b_run b-station /opt/vm/bin/cfdfud-sim --state $there/state --socket $there/control --config /dev/null &&
		until_true 60 b_status .station.state
}

b_status() # JQ-FILTER
{
	cfdfuctl --socket $there/control --json status | jq -er "$1"
}

b_plug() # PORT
{
	rack --socket $there/rack --do "add $1" > /dev/null &&
		rack --socket $there/rack --do "load $1 $old $app" > /dev/null &&
		rack --socket $there/rack --do "plug $1" > /dev/null
}

b_has() # COUNT
{
	[ "$(b_status '[.slots[] | select(.verdict == "pass")] | length')" = "$1" ]
}

# ---- the desk -------------------------------------------------------------------------------------

# An operator's login, and a second key for it: its answers end in the midst, the rest is held back; what has
# come of one is in a file.
desk_keys()
{
	local home=/home/desk

	useradd -m -s /bin/bash -G cfdfu desk || return 1
	mkdir -p $home/.ssh /root/.ssh
	cat > /opt/vm/half <<- 'END'
		#!/bin/sh
		sh -c "$SSH_ORIGINAL_COMMAND" | { head -c 100; cat > /dev/null; }
	END
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/half
	{
		cat /root/.ssh/id_ed25519.pub
		echo "restrict,command=\"/opt/vm/half\" $(cat /root/.ssh/half.pub)"
	} > $home/.ssh/authorized_keys
	chown -R desk: $home/.ssh
	echo "a,b $(cat /etc/ssh/ssh_host_ed25519_key.pub)" > /root/.ssh/known_hosts
	cat > /root/.ssh/config <<- END
		Host half
		 IdentityFile /root/.ssh/half
		 HostName 10.99.0.2
		 HostKeyAlias b
		Host a
		 HostName 10.99.0.1
		 HostKeyAlias a
		Host b
		 HostName 10.99.0.2
		 HostKeyAlias b
		Host *
		 User desk
	END
	cat > /opt/vm/ssh <<- END
		#!/bin/bash
		set -o pipefail
		case "\$*" in
		*' half '*) ssh "\$@" | tee $came ;;
		*) exec ssh "\$@" ;;
		esac
	END
	chmod 755 /opt/vm/ssh /opt/vm/half
}

# Exit status, and what was said in the files out and err.
asked() # NAME STATUS WORD...
{
	local rc=0

	cfdfuctl "${@:3}" > "$scratch/out" 2> "$scratch/err" < /dev/null || rc=$?
	same "$1" "$2" "$rc"
}

# The same of one that dies: it is asked, and as soon as the desk has the beginning of its answer the command is run.
dies() # NAME COMMAND -- WORD...
{
	local name=$1 command=() rc=0 asking

	shift
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	: > $came
	CFDFU_SSH=/opt/vm/ssh cfdfuctl "${@:2}" > "$scratch/out" 2> "$scratch/err" < /dev/null &
	asking=$!
	holds "$name: the beginning of its answer is there" until_true 120 test -s $came
	"${command[@]}"
	wait $asking || rc=$?
	same "$name: the exit status is the worst" 3 $rc
	holds "$name: it is said" grep -q 'the connection to half has ended' "$scratch/out" "$scratch/err"
	cat "$scratch/out" "$scratch/err" >> "$out/stations.txt"
}

clean_up()
{
	rack_stop
	systemctl stop ssh.service b-sshd.service b-station.service 2> /dev/null
	ip netns delete b
	userdel -r desk 2> /dev/null
	rm -rf $there /root/.ssh
}

getent passwd cfdfud > /dev/null || station_install
station_reset
station_configure stations "lab = a b"
systemctl start cfdfud.service
old=$(image 2025.02 --size 40000)
new=$(image 2025.12 --size 40000)
trap clean_up EXIT
rack_start fast
trap clean_up EXIT
mkdir -p $there/state
holds "a second machine is at the other end of a cable" b_cable
holds "it has a station of its own" b_station
holds "an operator can log in with a key" desk_keys
systemctl unmask ssh.service > /dev/null 2>&1
holds "the ssh server of Debian runs here" systemctl start ssh.service
holds "... and there" b_run b-sshd -p RuntimeDirectory=sshd -p RuntimeDirectoryPreserve=yes /usr/sbin/sshd -D

# ---- asked and steered ------------------------------------------------------------------------------

holds "both machines can be reached" until_true 120 cfdfuctl -H a -H b status
asked "a release goes to both" 0 -H @lab firmware add "$new" --name new
asked "... and is selected at both" 0 -H @lab firmware select new
rack_plug 1-1 "$old"
rack_plug 1-2 "$old"
for p in 1-1 1-2 1-3; do
	b_plug $p
done
holds "the drones here pass" until_true 300 good_is 2
holds "... and there" until_true 300 b_has 3
asked "two stations are asked" 0 -H b -H a status
same "their answers stand in the order given" "== b == 3 drones: 3 PASS == a == 2 drones: 2 PASS" \
	"$(grep -oE '^== .* ==|^[0-9]+ drones: [0-9]+ PASS' "$scratch/out" | paste -sd' ')"
asked "a group is asked" 0 --json -H @lab status
same "the document has both" "a 0 2, b 0 3" "$(jq -r '[.stations[] |
	"\(.host) \(.status) \(.answer.station.counts.present)"] | join(", ")' "$scratch/out")"
asked "an operator of the group may pause both" 0 -H @lab pause
same "each says so in its line" "a b" "$(sed -nE 's/: Paused.*//p' "$scratch/out" | paste -sd' ')"
asked "... and go on" 0 -H @lab resume

# ---- one dies in mid-answer -------------------------------------------------------------------------

dies "its network is cut" ip -n b link set eth0 down -- -H half -H a status
same "its network is cut: the other's answer is whole" "2 drones: 2 PASS" \
	"$(grep -oE '^[0-9]+ drones: [0-9]+ PASS' "$scratch/out")"
asked "off the net, it is missed" 3 --json -H b -H a status
same "... and the other is not" "3 null, 0 2" "$(jq -r '[.stations[] |
	"\(.status) \(.answer.station.counts.present)"] | join(", ")' "$scratch/out")"
holds "the cable is plugged in again" ip -n b link set eth0 up
holds "it is there again" until_true 120 cfdfuctl -H b status

dies "its service is killed" systemctl kill --signal=KILL b-station.service -- --json -H half -H a status
same "its service is killed: the other's answer is whole" "half 3 null, a 0 2" "$(jq -r '[.stations[] |
	"\(.host) \(.status) \(.answer.station.counts.present)"] | join(", ")' "$scratch/out")"
asked "without its service, it is missed" 3 -H a -H b status
holds "it starts again" b_station
asked "both answer again" 0 -H @lab status

# ---- watched ----------------------------------------------------------------------------------------

lines=$scratch/lines
cfdfuctl -H @lab watch --lines >> "$lines" 2> "$scratch/lost" < /dev/null &
watching=$!
# WHY more than once: what is plugged in before a station is heard is no event of it.
told() # PORT STATION-LINE COMMAND...
{
	"${@:3}" "$1" > /dev/null 2>&1
	until_true 5 grep -qE "$2" "$lines"
}
here_again() # PORT
{
	rack_do unplug "$1" && rack_do plug "$1"
}
there_again() # PORT
{
	b_plug "$1" || { rack --socket $there/rack --do "unplug $1" && rack --socket $there/rack --do "plug $1"; }
}
holds "a line has its station before it" until_true 120 told 1-1 '^a: [0-9:]{8} 1-1 ' here_again
holds "... of either" until_true 120 told 1-1 '^b: [0-9:]{8} 1-1 ' there_again
systemctl kill --signal=KILL b-station.service
holds "one that dies is named" until_true 120 grep -q '^(b does not answer; asked again)' "$scratch/lost"
holds "the other goes on" until_true 120 told 1-2 '^a: [0-9:]{8} 1-2 ' here_again
: > "$lines"
holds "its station starts again" b_station
holds "it is there again by itself" until_true 120 grep -q '^(b answers)' "$scratch/lost"
holds "... with its lines" until_true 120 told 1-4 '^b: [0-9:]{8} 1-4 ' there_again
kill $watching
wait $watching
same "it ends when it is told to" 143 $?
cp "$scratch/lost" "$lines" "$out/"
holds "the drones here are as they were" until_true 120 good_is 2
records_are_sound "two stations"
