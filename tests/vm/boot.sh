#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One boot of the virtual station, from power on to power off:
#	boot.sh BASE SHARE [--overlay DIRECTORY] [--disk FILE] [--seconds N]
# SHARE holds `job`, a script for the guest; afterwards it holds job.log, job.rc, console.log and what the job left there.
# A job that writes the file `cut` into the share asks for a power cut: the machine is killed on the spot.
# Exit status: of the job; 124 out of time; 125 it never came to running the job; 137 power cut.
set -euo pipefail

base=$1
share=$2
shift 2
overlay=
disk=
seconds=${CFDFU_VM_SECONDS:-600}
while [ $# -gt 0 ]; do
	case $1 in
	--overlay) overlay=$2 ;;
	--disk) disk=$2 ;;
	--seconds) seconds=$2 ;;
	*) echo "boot.sh: what is $1?" >&2; exit 2 ;;
	esac
	shift 2
done

# The kernel unpacks one archive after the other; each starts at a multiple of 4 bytes.
make_archive()
{
	local size

	cp "$base/base.cpio.zst" "$share/.initrd"
	size=$(stat -c %s "$share/.initrd")
	head -c $(((4 - size % 4) % 4)) /dev/zero >> "$share/.initrd"
	if [ -n "$overlay" ]; then
		(cd "$overlay" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >> "$share/.initrd"
	fi
}

start_machine()
{
	local args=(-machine q35 -cpu max -smp 1 -m 2048 -nodefaults -no-reboot -display none
		-kernel "$base/vmlinuz" -initrd "$share/.initrd"
		-append "console=ttyS0 quiet rdinit=/lib/systemd/systemd systemd.show_status=0 mitigations=off"
		-serial "file:$share/console.log"
		-virtfs "local,path=$share,mount_tag=share,security_model=none")

	# WHY: one virtual processor and no KVM unless asked: nested KVM may hang, and two emulated processors are slower.
	args+=(-accel "${CFDFU_VM_ACCEL:-tcg}")
	if [ -n "$disk" ]; then
		# writethrough: what the guest was told is on disk survives the machine being killed.
		args+=(-drive "if=virtio,format=raw,cache=writethrough,file=$disk")
	fi
	qemu-system-x86_64 "${args[@]}" < /dev/null > "$share/qemu.log" 2>&1 &
	machine=$!
}

stop_machine()
{
	kill -9 "$machine" 2>/dev/null || true
	wait "$machine" 2>/dev/null || true
}

watch_machine()
{
	local until=$((SECONDS + seconds))

	while kill -0 "$machine" 2>/dev/null; do
		if [ -e "$share/cut" ]; then
			stop_machine
			return 137
		fi
		if [ "$SECONDS" -ge "$until" ]; then
			stop_machine
			return 124
		fi
		sleep 0.05
	done
	[ -s "$share/job.rc" ] || return 125
	return "$(cat "$share/job.rc")"
}

rm -f "$share"/{cut,booted,job.rc,job.log,console.log,qemu.log}
make_archive
start_machine
trap 'stop_machine; rm -f "$share/.initrd"' EXIT
trap 'exit 130' INT TERM
rc=0
watch_machine || rc=$?
exit "$rc"
