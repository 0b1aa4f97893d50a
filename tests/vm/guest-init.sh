#!/bin/bash
# SPDX-License-Identifier: MIT
# First program of ours in the guest: mounts the shared directory, runs the job in it, leaves its
# exit status there and powers off.
#
# WHY nothing but this touches the shared directory while the job runs: the guest's clock jumps
# ahead when no process is runnable, also when one waits for the host.  A process that writes one line
# to the host has lost seconds by then, on a busy host minutes.
dmesg -n 1
mkdir -p /share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none share /share || {
	echo "vm: no shared directory"
	systemctl poweroff -ff
	exit 1
}
read -r up _ < /proc/uptime
echo "$up" > /share/booted
export HOME=/root LC_ALL=C.UTF-8
cd /root || exit 1
here=/opt/vm
mkdir -p $here/out
cp /share/job $here/job
[ ! -e /share/install.tar ] || cp /share/install.tar $here/
: > $here/job.log
tail -n +1 -f $here/job.log >> /share/job.log &
tail=$!
bash $here/job >> $here/job.log 2>&1
rc=$?
# The host reads along, so the log is not copied but waited for.
for _ in $(seq 1 600); do
	[ "$(stat -c %s $here/job.log)" != "$(stat -c %s /share/job.log)" ] || break
	sleep 0.1
done
kill $tail
mkdir -p /share/out
cp -R $here/out/. /share/out/
echo $rc > /share/job.rc
sync
systemctl poweroff -ff
