#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Names of drones, by the configuration and by an operator: wherever a serial is taken; radio
# configurations, shown and not written without the word; which drones are ready.
# shellcheck disable=SC2016 # what is waited for is looked at anew each time
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

old=$(image 2025.02)
first=330041000A51353432343630
second=330042000A51353432343630
cat > "$scratch/conf" <<CONF
[slots]
1-1 = A1
1-2 = A2
[drones]
$second = Bea
CONF

refused() # NAME STATUS PATTERN COMMAND...
{
	local name=$1 wanted=$2 pattern=$3 rc=0

	shift 3
	"$@" > "$scratch/said" 2>&1 < /dev/null || rc=$?
	same "$name: exit status" "$wanted" $rc
	holds "$name: it says why" grep -qE -- "$pattern" "$scratch/said"
}

called() # TEXT: the port that it names
{
	cfdfuctl --json status "$1" | jq -r '.slots[].port'
}

log=$scratch/daemon.log
sim_start fast --config "$scratch/conf"
rack_plug 1-1 "$old" uid=$first
rack_plug 1-2 "$old" uid=$second
rack_plug 1-3 "$old"
holds "the drones are identified" until_true 60 eval '[ "$(status "[.slots[] |
	select(.state == \"idle\" and .version_before == \"2025.02\")] | length")" = 3 ]'

# ---- names --------------------------------------------------------------------------------------

same "a drone of the configuration is known by its name" 1-2 "$(called bea)"
same "status shows it" Bea "$(status '.slots[] | select(.port == "1-2") | .name')"
says "a drone is named" 'Its name is Ada' cfdfuctl drone set A1 --name Ada
same "it is known by its name, in any letters" 1-1 "$(called ADA)"
same "its life is found by its name" $first "$(cfdfuctl --json show Ada | jq -r .drone.serial)"
says "status has the names" '^1-1 +A1 +Ada ' cfdfuctl status
says "so has the list" "^Ada +$first +A1 " cfdfuctl drone list
refused "one name for two" 4 "name of drone $first" cfdfuctl drone set 1-3 --name ada
refused "the name of a slot" 4 'names a slot or a serial already' cfdfuctl drone set 1-1 --name A2
refused "the name of a port" 4 'name of a port' cfdfuctl drone set 1-1 --name 7-7
refused "another name than the configuration's" 4 'the configuration names it "Bea"' \
	cfdfuctl drone set Bea --name Cleo
refused "a control character" 4 'control character' cfdfuctl drone set 1-1 --name "$(printf 'A\033[1m')"
rack_do unplug 1-1 > /dev/null
holds "it is gone" until_true 60 present_is 2
sim_kill
sim_start fast --config "$scratch/conf"
rack_plug 1-7 "$old" uid=$first
holds "it comes back elsewhere" until_true 60 present_is 1
holds "and is known by its name there" until_true 60 eval '[ "$(called Ada)" = 1-7 ]'
same "one that is not plugged in is listed by its name" Bea \
	"$(cfdfuctl --json drone list | jq -r ".drones[] | select(.serial == \"$second\") | .name")"
sed -i 's/Bea/Ada/' "$scratch/conf"
reload
holds "a name of the configuration counts first" until_true 60 \
	eval '[ "$(cfdfuctl --json drone list Ada | jq -r ".drones[].serial")" = '$second' ]'
sed -i '/Ada/d' "$scratch/conf"
reload
holds "without it the other counts again" until_true 60 eval '[ "$(called Ada)" = 1-7 ]'
says "a name is taken back" 'It has no name' cfdfuctl drone set Ada --name ''
refused "then it names nothing" 4 'no slot or drone "Ada"' cfdfuctl status Ada

# ---- nothing without the word -------------------------------------------------------------------

refused "an address that is none" 4 '10 hexadecimal digits' cfdfuctl drone set 1-7 --address E7 --yes
refused "a channel that is none" 2 'channel' cfdfuctl drone set 1-7 --channel 126
refused "a rate that is none" 4 '250K, 1M or 2M' cfdfuctl drone set 1-7 --rate 3M --yes
refused "nothing to restore" 4 'nothing (was written|to restore)|has not replaced' \
	cfdfuctl drone set 1-7 --restore
refused "one that is not plugged in" 4 'is not plugged in' cfdfuctl drone set $second --channel 7 --yes
says "no deck wants anything" 'No deck' cfdfuctl deck update --yes

# ---- radio configurations -----------------------------------------------------------------------

radio_is() # PORT CHANNEL RATE ADDRESS
{
	[ "$(status ".slots[] | select(.port == \"$1\") | .radio | \"\(.channel) \(.rate) \(.address)\"")" = "$2 $3 $4" ]
}

ready_is() # PORT WORD LEFT
{
	[ "$(status ".slots[] | select(.port == \"$1\" and (.checking | not)) |
		\"\(.ready) \(.remaining | map(.what) | join(\",\"))\"")" = "$2 $3" ]
}

sim_stop
sim_start fast
new=$(image 2025.12)
cfdfuctl firmware add "$new" --name new > /dev/null
cfdfuctl firmware select new > /dev/null
rack_plug 2-1 "$old" uid=$first
rack_plug 2-2 "$old" uid=$second
refused "two with one address are not ready" 1 'NOT READY: address' cfdfuctl wait --count 2 --ready
holds "the ending of the second says so" grep -qE '^pass 2-[12] .*NOT READY: .*2-[12]' "$scratch/said"
says "without --ready they are good" '^2 ended, 0 failed' sh -c 'cfdfuctl wait 2>&1'
says "status sets them aside" '^Set aside: 2-1 .NOT READY: address., 2-2' cfdfuctl status
says "the doctor names them" '2 drones have the default radio address, E7E7E7E7E7 on channel 80: 2-[12], 2-[12]' \
	sh -c 'cfdfuctl doctor || :'
refused "addresses are not written without the word" 4 '--yes' cfdfuctl drone assign --base E7E7E7E701
holds "but shown" grep -qE '2-2 .*: 80 2M E7E7E7E7E7 -> 80 2M E7E7E7E702' "$scratch/said"
refused "an address that another has" 4 'would have the address and the channel of 2-2' \
	cfdfuctl drone set 2-1 --rate 1M --yes
refused "more addresses than there are" 4 'not so many addresses' cfdfuctl drone assign --base FFFFFFFFFF
same "nothing was written yet" 0 "$(records "select count(*) from attempts where kind = 'eeprom'")"
says "with the word each has its own" '^pass 2-2: ' cfdfuctl drone assign --base E7E7E7E701 --yes
holds "which status shows" until_true 60 radio_is 2-2 80 2M E7E7E7E702
holds "and then they are ready" until_true 60 ready_is 2-1 yes ''
holds "both of them" until_true 60 ready_is 2-2 yes ''
says "which is said" '^Take away .done.: 2-1, 2-2' cfdfuctl status
holds "and waited for" cfdfuctl wait --ready
says "what is so already is not written" 'Nothing to write' cfdfuctl drone set 2-2 --channel 80 --yes
says "channel and rate, too" '^pass 2-2' cfdfuctl drone set 2-2 --channel 33 --rate 250k --yes
holds "are what is said" until_true 60 radio_is 2-2 33 250K E7E7E7E702
holds "after its start" until_true 60 ready_is 2-2 yes ''
says "the one before is put back" '^pass 2-2' cfdfuctl drone set 2-2 --restore --yes
holds "as it was" until_true 60 radio_is 2-2 80 2M E7E7E7E702
same "the records have the writes" 4 "$(records "select count(*) from attempts where kind = 'eeprom' and
	verdict = 'pass' and target = 'eeprom'")"
holds "it is ready again" until_true 60 ready_is 2-2 yes ''
says "a light" 'Light: 2-1' cfdfuctl identify 2-1
says "history has a column" 'READY' cfdfuctl history
says "show has it, too" '^  radio +80 2M E7E7E7E702' cfdfuctl show $second
settle 2
records_are_sound "the records are sound"
