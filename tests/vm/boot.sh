#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One boot of the virtual station, from power on to power off:
#	boot.sh BASE SHARE [--disk FILE] [--seconds N]
# SHARE holds `job`, a script for the guest; afterwards it holds job.log, job.rc, console.log and
# what the job left there.  A job that writes the file `cut` into the share asks for a power cut:
# the machine is killed on the spot.  Exit status: the job's; 124 out of time; 125 the job never
# ended or never began; 137 power cut.
set -euo pipefail

base=$1
share=$2
shift 2
disk=
seconds=600
while [ $# -gt 0 ]; do
	case $1 in
	--disk) disk=$2 ;;
	--seconds) seconds=$2 ;;
	*)
		echo "boot.sh: what is $1?" >&2
		exit 2
		;;
	esac
	shift 2
done

start_machine()
{
	local args=(-machine q35 -cpu max -smp 1 -m 2048 -nodefaults -no-reboot -display none
		-kernel "$base/vmlinuz" -initrd "$base/base.cpio.zst"
		-append "console=ttyS0 quiet rdinit=/lib/systemd/systemd systemd.show_status=0 mitigations=off"
		-serial "file:$share/console.log"
		-virtfs "local,path=$share,mount_tag=share,security_model=none")

	# WHY: the guest's clock counts instructions, a thousand in a microsecond, and jumps ahead when
	# there is nothing to do.  So a busy host makes a test longer but changes nothing in it, and
	# waiting for flash costs no time.  Needs emulation and one virtual processor; KVM (by
	# CFDFU_VM_ACCEL=kvm) runs on the host's clock.
	if [ "${CFDFU_VM_ACCEL:-tcg}" = tcg ]; then
		args+=(-accel tcg -icount "shift=0,sleep=off" -rtc "clock=vm")
	else
		args+=(-accel "$CFDFU_VM_ACCEL")
	fi
	if [ -n "$disk" ]; then
		# WHY: unsafe: what the guest was told is on disk is in the host's memory and survives the
		# machine being killed; and the guest never waits for the host's disk, for while it waits
		# its clock jumps, and half a second of ours would be minutes there.
		args+=(-drive "if=virtio,format=raw,cache=unsafe,file=$disk")
	fi
	qemu-system-x86_64 "${args[@]}" < /dev/null > "$share/qemu.log" 2>&1 &
	machine=$!
}

stop_machine()
{
	kill -9 "$machine" 2> /dev/null || true
	wait "$machine" 2> /dev/null || true
}

watch_machine()
{
	local until=$((SECONDS + seconds))

	while kill -0 "$machine" 2> /dev/null; do
		if [ -e "$share/cut" ]; then
			stop_machine
			return 137
		fi
		if [ "$SECONDS" -ge "$until" ]; then
			stop_machine
			return 124
		fi
		sleep 0.2
	done
	[ -s "$share/job.rc" ] || return 125
	return "$(cat "$share/job.rc")"
}

rm -f "$share"/{cut,booted,job.rc,console.log,qemu.log}
start_machine
trap stop_machine EXIT
trap 'exit 130' INT TERM
rc=0
watch_machine || rc=$?
exit "$rc"
