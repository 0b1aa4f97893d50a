#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several stations through a real sshd: one answer in the order given, groups, one that is off the net, one that
# dies in mid-answer, one that stands still, names that shells would run; watch over two of them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v sshd > /dev/null && ! [ -x /usr/sbin/sshd ]; then
	note "skipped: there is no sshd"
	exit 0
fi
sshd=$(command -v sshd || echo /usr/sbin/sshd)
old=$(image 2025.02)
new=$(image 2025.12)
work=$scratch/work
mkdir -p "$work"
cd "$work" || exit 1

# ---- two stations -------------------------------------------------------------------------------

declare -A pids=()

at() # STATION: the variables of lib.sh are its own
{
	state=$scratch/$1
	rack_socket=$scratch/$1.rack
	export CFDFU_SOCKET=$scratch/$1.sock
}

station() # STATION
{
	at "$1"
	mkdir -p "$state"
	sim_start fast --config /dev/null
	pids[$1]=$sim_pid
}

stop_all()
{
	kill "${pids[@]}" 2> /dev/null
	[ ! -s "$scratch/sshd.pid" ] || kill "$(cat "$scratch/sshd.pid")"
	[ ! -s "$scratch/frozen" ] || xargs kill -KILL < "$scratch/frozen" 2> /dev/null
	tmux -L "cfdfu-$$" kill-server 2> /dev/null
	wait
}

for name in a b; do
	station $name
	cfdfuctl firmware add "$new" --name new > /dev/null
	cfdfuctl firmware select new > /dev/null
done
trap stop_all EXIT
at a
rack_plug 1-1 "$old"
at b
rack_plug 1-1 "$(image 2021.06 --old)" no_dfu_request=yes
rack_plug 1-2 "$old"
# shellcheck disable=SC2016 # eval expands it
holds "one station's drone passes, one of the other's needs the button" until_true 120 eval \
	'at a; good_is 1 && at b && good_is 1 && [ "$(status .station.counts.failed)" = 1 ]'
unset CFDFU_SOCKET

# ---- a real sshd --------------------------------------------------------------------------------

# What a key may run: the command that was asked for, at its station.  Some die of it.
cat > "$scratch/serve" << END
#!/bin/sh
export PATH=$PATH CFDFU_DEVICES_DIR=$CFDFU_DEVICES_DIR CFDFU_SOCKET=$scratch/\$1.sock
case \$2 in
dying | frozen) sh -c "\$SSH_ORIGINAL_COMMAND" | {
	head -c 100
	until [ "\$(stat -c %s $scratch/came)" -ge 100 ]; do sleep 0.1; done # TIME: between two looks
	echo \$PPID >> $scratch/\$2
	[ \$2 = dying ] && kill -KILL \$PPID || kill -STOP \$PPID
} ;;
queued) exec flock $scratch/queue sh -c "\$SSH_ORIGINAL_COMMAND" ;; # a station has 16 places for a user
*) exec sh -c "\$SSH_ORIGINAL_COMMAND" ;;
esac
END
chmod +x "$scratch/serve"
mkdir "$scratch/home"
port=
sshd_start()
{
	port=$((20000 + RANDOM % 20000))
	cat > "$scratch/sshd.conf" <<- END
		Port $port
		ListenAddress 127.0.0.1
		HostKey $scratch/host-key
		AuthorizedKeysFile $scratch/authorized_keys
		PidFile $scratch/sshd.pid
		StrictModes no
		UsePAM no
		PermitRootLogin yes
		MaxStartups 200
		LoginGraceTime 600
		SetEnv HOME=$scratch/home
	END
	"$sshd" -f "$scratch/sshd.conf" -E "$scratch/sshd.log" && until_true 10 test -s "$scratch/sshd.pid"
}
ssh-keygen -q -t ed25519 -N '' -f "$scratch/host-key"
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # WHY: sshd's own, which its package's unit makes
until_true 60 sshd_start || not_ok "sshd starts" "$(tail -n 3 "$scratch/sshd.log")"
echo "[127.0.0.1]:$port $(cat "$scratch/host-key.pub")" > "$scratch/known_hosts"

host() # NAME STATION [MANNER]
{
	[ -s "$scratch/key-$2-$3" ] || {
		ssh-keygen -q -t ed25519 -N '' -f "$scratch/key-$2-$3"
		echo "restrict,command=\"$scratch/serve $2 $3\" $(cat "$scratch/key-$2-$3.pub")" \
			>> "$scratch/authorized_keys"
	}
	printf 'Host %s\n IdentityFile %s\n' "$1" "$scratch/key-$2-$3" >> "$scratch/ssh.conf"
}
host lab-a a well
host 'm*' a queued
host lab-b b well
host dying a dying
host frozen a frozen
cat >> "$scratch/ssh.conf" << END
Host down
 Port 1
Host *
 HostName 127.0.0.1
 Port $port
 User $(id -un)
 IdentitiesOnly yes
 UserKnownHostsFile $scratch/known_hosts
END
# The first value of an option counts.  One that stands still is given up by the limits of the command.
cat > "$scratch/ssh" << END
#!/bin/bash
set -o pipefail
ssh=(ssh -F $scratch/ssh.conf -o ConnectTimeout=100)
[[ "\$*" = *' frozen '* ]] || ssh+=(-o ServerAliveCountMax=20)
case "\$*" in
*' dying '* | *' frozen '*) "\${ssh[@]}" "\$@" | tee $scratch/came ;;
*) exec "\${ssh[@]}" "\$@" ;;
esac
END
chmod +x "$scratch/ssh"
export CFDFU_SSH=$scratch/ssh

# Exit status, and what was said in the files out and err.
asked() # NAME STATUS WORD...
{
	local rc=0

	timeout 120 cfdfuctl "${@:3}" > "$scratch/out" 2> "$scratch/err" < /dev/null || rc=$?
	same "$1" "$2" "$rc"
	[ "$rc" = "$2" ] || tail -n 5 "$scratch/err" | sed 's/^/# /'
}

found() # NAME PATTERN FILE
{
	holds "$1" grep -qE -- "$2" "$scratch/$3"
}

# ---- one answer ---------------------------------------------------------------------------------

asked "two stations are asked" 0 -H lab-b -H lab-a status
same "their answers stand in the order given" "== lab-b == == lab-a ==" \
	"$(grep '^==' "$scratch/out" | xargs)"
asked "two are paused" 0 -H lab-a -H lab-b pause
same "an answer of one line stands behind its host" "lab-a lab-b" \
	"$(sed -nE 's/: Paused: .*//p' "$scratch/out" | xargs)"
asked "two are resumed, one named twice" 0 -H lab-a -H lab-a -H lab-b resume
same "each once" 2 "$(grep -c Resumed "$scratch/out")"
asked "three are asked, one is off the net" 3 -H lab-a -H down -H lab-b status
same "the others have answered" 2 "$(grep -c '^1 present\|^2 present' "$scratch/out")"
found "it is said which one has not" '^down \(exit status 3\): ' out
found "and why" '^down: cannot reach down through ssh' err
asked "as JSON" 3 --json -H lab-a -H down status
same "the document has status and answer or error of each" \
	'lab-a 0 1-1 null;down 3 null org.cfdfu.Client.NoService;' "$(jq -r '.stations[] |
	"\(.host) \(.status) \(.answer.slots[0].port) \(.error.error)"' "$scratch/out" | tr '\n' ';')"
asked "a drone that has failed at one of them is the exit status of all" 1 -H lab-b -H lab-a wait -t 60
found "each ending has its station" '^== lab-b \(exit status 1\) ==' out
names=()
for n in {1..40}; do names+=(-H "m$n"); done
asked "forty stations, more than are asked at once" 0 --json "${names[@]}" firmware list
same "forty answers in their order" "$(printf 'm%s ' {1..40})" \
	"$(jq -j '.stations[] | select(.answer.firmware[0].name == "new") | .host + " "' "$scratch/out")"

# ---- one that dies, one that stands still -------------------------------------------------------

asked "one dies in mid-answer" 3 -H dying -H lab-a status
found "it is said" '^dying: the connection to dying has ended' err
found "the other's answer is whole" '^1 drone: 1 PASS' out
asked "one dies while it prints" 4 -H lab-a -H dying doctor
same "what came of it is shown" 100 "$(sed -n '/^== dying (exit status 3) ==/,$p' "$scratch/out" |
	sed 1d | head -c 100 | wc -c)"
asked "as JSON, too" 4 --json -H dying -H lab-a doctor
same "half a document is a text" "string object" \
	"$(jq -r '.stations[].answer | type' "$scratch/out" | xargs)"
asked "one stands still in mid-answer: it is given up" 3 -H frozen -H lab-b status
found "that is said, too" '^frozen: the connection to frozen has ended' err

# ---- groups -------------------------------------------------------------------------------------

mkdir -p "$scratch/etc/cfdfud.conf.d" "$scratch/xdg"
export CFDFU_CONFIG_DIR=$scratch/etc XDG_CONFIG_HOME=$scratch/xdg
printf '[stations]\nlab = down\nhall = lab-b\n' > "$scratch/etc/cfdfud.conf"
printf '[stations]\nlab =\nlab = lab-a, lab-b\nhall = lab-a\n' > "$scratch/etc/cfdfud.conf.d/x.conf"
hosts_of() # WORD...
{
	cfdfuctl --json "$@" firmware list 2> /dev/null | jq -j '.stations[].host + " "'
}
same "a group of the configuration, as its drop-in has it" "lab-a lab-b " "$(hosts_of -H @lab)"
same "a second line adds" "lab-b lab-a " "$(hosts_of -H @hall)"
printf '[stations]\nlab = lab-b down\n' > "$scratch/xdg/cfdfuctl.conf"
same "the user's own group counts first" "lab-a lab-b down " "$(hosts_of -H lab-a -H @lab)"
asked "a group that no file defines is refused" 2 -H @nowhere status
asked "the service takes the section" 0 status --help
holds "the service takes the section" cfdfud-sim --config "$scratch/etc/cfdfud.conf" --test-config

# ---- what is not for several, and names --------------------------------------------------------

two=(-H lab-a -H lab-b)
asked "one copy of a flash cannot be of two" 2 "${two[@]}" backup 1-1 out.dfu
asked "the standard input is for one" 2 "${two[@]}" firmware add -
asked "nor is a question asked of two" 4 "${two[@]}" drone set 1-1 --address E7E7E7E701
found "but said how to mean it" '^lab-a: nothing was done; say --yes' err
asked "a file goes to both" 0 "${two[@]}" firmware add "$old" --name "it's; touch pwned;"
asked "words arrive as they are" 0 "${two[@]}" batch start "\$(touch pwned)' \"x"
same "at both" 2 "$(cfdfuctl --json "${two[@]}" batch list |
	jq -r '.stations[].answer.batches[0].name' | grep -cF "\$(touch pwned)' \"x")"
# shellcheck disable=SC2016
asked "names that a shell would run are machines that are not there" 3 -H '$(touch pwned)' \
	-H lab-a -H $'`touch pwned`\e[31m' status
same "none was run" "" "$(find "$work" -name '*pwned*')"
same "no escape reaches the terminal" 0 "$(grep -c $'\e' "$scratch/out" "$scratch/err" | grep -vc ':0$')"
asked "an option is no machine" 2 -H -oProxyCommand=touch -H '-oProxyCommand=touch pwned' status

# ---- watch --------------------------------------------------------------------------------------

timeout 60 cfdfuctl -H lab-a -H down -H lab-b watch > "$scratch/lines" 2> "$scratch/lost" &
lines=$!
holds "a line has its station before it" until_true 60 eval \
	"grep -qE '^lab-a: [0-9:]{8} 1-1 pass' '$scratch/lines' && grep -q '^lab-b: ' '$scratch/lines'"
holds "one that does not answer is named" until_true 60 grep -q '^(down does not' "$scratch/lost"
kill $lines

if command -v tmux > /dev/null; then
	looks() # SIZE
	{
		tmux -L "cfdfu-$$" kill-server 2> /dev/null
		until_true 30 eval '! tmux -L "cfdfu-$$" has-session'
		LC_ALL=C.UTF-8 tmux -u -L "cfdfu-$$" -f /dev/null new-session -d -x "${1%x*}" \
			-y "${1#*x}" "cfdfuctl --no-color -H lab-a -H lab-b -H down watch"
	}
	screen()
	{
		tmux -L "cfdfu-$$" capture-pane -p
	}
	for size in 80x24 120x40 60x8; do
		looks $size
		holds "$size: each station has its block" until_true 60 eval \
			"screen | grep -q '^lab-a: ' && screen | grep -q '^lab-b: Station armed' &&
			screen | grep -q '^down: does not answer'"
		holds "$size: its drones stand below, those first that need a hand" until_true 60 eval \
			"screen | grep -A 2 '^lab-b: ' | grep -q '^1-1 .*needs the button'"
	done
	looks 80x24
	until_true 60 eval "screen | grep -q '^lab-b: Station armed'"
	kill -KILL "${pids[b]}"
	wait "${pids[b]}" 2> /dev/null
	holds "one that goes away is said to, and its last state stays" until_true 60 eval \
		"screen | grep -q '^lab-b: HAS GONE AWAY' && screen | grep -q '^1-1 .*needs the button'"
	holds "the other goes on" eval "screen | grep -q '^lab-a: Station armed'"
	station b
	unset CFDFU_SOCKET
	trap stop_all EXIT
	holds "it is there again by itself" until_true 60 eval "screen | grep -q '^lab-b: Station armed'"
	tmux -L "cfdfu-$$" send-keys q
	holds "q leaves" until_true 60 eval '! tmux -L "cfdfu-$$" has-session 2> /dev/null'
fi
