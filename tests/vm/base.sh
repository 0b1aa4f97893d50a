#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the machine that the vm tests boot: a Debian kernel, the modules a virtual USB rack needs,
# and a root file system small enough to be the initramfs itself: base.sh [SUITE] (default: this
# machine's own).  Cached by what went into it; prints the directory.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=${1:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
cache=${CFDFU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cfdfud}
# shellcheck source-path=SCRIPTDIR source=../debian.sh
. "$here/../debian.sh"

modules=(usbcore usbip-core vhci-hcd cdc-acm usbmon xhci-pci virtio_pci virtio_blk 9pnet_virtio 9p
	ext4 autofs4 veth)
tools=(systemd systemd-sysv udev kmod dbus mount e2fsprogs procps jq sqlite3 dfu-util usbutils socat
	strace iproute2 openssh-server openssh-client)
dev_packages=(libusb-1.0-0-dev libudev-dev libevent-dev libsqlite3-dev libjansson-dev libpq-dev libzip-dev
	zlib1g-dev libsodium-dev libinih-dev libsmartcols-dev)

# WHY: every megabyte of the archive costs boot time in an emulated processor.
unneeded=('var/cache/apt/*' 'var/lib/apt/lists/*' 'var/log/*' 'usr/lib/python3*' 'usr/bin/python3*'
	'usr/share/zoneinfo' 'usr/lib/*/gconv' 'usr/lib/*/perl' 'usr/share/perl' 'usr/sbin/policy-rc.d'
	'usr/share/python*' 'usr/share/bash-completion' 'usr/lib/*/dri' 'usr/share/zsh'
	'usr/lib/udev/hwdb*' 'usr/lib/udev/rules.d/*-'{persistent,sensor,sound,input,evdev,touchpad}'*'
	'usr/lib/udev/rules.d/*-'{joystick,drm,fido-id,cdrom_id,infiniband,autosuspend,net-setup}'*'
	'usr/lib/udev/rules.d/*-'{memory,v4l,dm,block,probe_mtd,vpdupdate,e2scrub,camera,mouse}'*')

die()
{
	echo "vm base: $*" >&2
	exit 1
}

# A view of apt's on the suite, whatever this machine's own lists are of.
make_lists() # DIRECTORY
{
	mkdir -p "$1/apt/lists/partial" "$1/apt/archives/partial"
	sources "$suite" > "$1/sources.list"
	cat > "$1/apt.conf" <<-END
		Dir::Etc::SourceList "$1/sources.list";
		Dir::Etc::SourceParts "-";
		Dir::State::Lists "$1/apt/lists";
		Dir::State::Status "/dev/null";
		Dir::Cache "$1/apt";
		APT::Sandbox::User "root";
	END
	APT_CONFIG=$1/apt.conf apt-get -qq update
}

# WHY: library packages change their names between releases (libzip4, libzip5), their -dev packages
# do not.
runtime_packages() # DIRECTORY
{
	APT_CONFIG=$1/apt.conf apt-cache depends --important "${dev_packages[@]}" |
		sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' |
		grep -v -e '-dev$' -e '^libc6' | sort -u
}

kernel_package() # DIRECTORY
{
	APT_CONFIG=$1/apt.conf apt-cache depends linux-image-amd64 |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

make_kernel() # DIRECTORY
{
	local out=$1 package version module

	package=$(kernel_package "$out" || true)
	[ -n "$package" ] || die "apt knows no kernel package"
	cd "$out"
	APT_CONFIG=$out/apt.conf apt-get -qq download "$package"
	dpkg -x "$package"_*.deb unpacked
	version=${package#linux-image-}
	cp "$out/unpacked/boot/vmlinuz-$version" "$out/vmlinuz"
	mkdir -p "$out/kernel/usr/lib"
	[ -d "$out/unpacked/usr/lib/modules" ] || mv "$out/unpacked/lib" "$out/unpacked/usr/"
	ln -s usr/lib "$out/unpacked/lib" 2>/dev/null || true
	depmod -b "$out/unpacked" "$version"
	for module in "${modules[@]}"; do
		modprobe -d "$out/unpacked" -S "$version" --show-depends "$module" |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | sort -u | while read -r module; do
		module=lib/modules/${module#*/lib/modules/}
		mkdir -p "$out/kernel/usr/$(dirname "$module")"
		cp "$out/unpacked/usr/$module" "$out/kernel/usr/$module"
	done
	cp "$out/unpacked/usr/lib/modules/$version/modules."{builtin,builtin.modinfo,order} \
		"$out/kernel/usr/lib/modules/$version/"
	ln -s usr/lib "$out/kernel/lib"
	depmod -b "$out/kernel" "$version"
	rm "$out/kernel/lib"
}

# Turns a plain Debian into our guest: quiet, no login, and one unit that runs the host's scripts.
make_settings() # DIRECTORY
{
	local root=$1 unit=$1/etc/systemd/system masked

	mkdir -p "$unit/multi-user.target.wants" "$root/opt/vm" "$root/etc/modules-load.d" \
		"$root/etc/systemd/journald.conf.d"
	cp "$here/guest-init.sh" "$root/opt/vm/init"
	chmod 755 "$root/opt/vm/init"
	cp "$here/guest.service" "$unit/vm-guest.service"
	ln -s ../vm-guest.service "$unit/multi-user.target.wants/vm-guest.service"
	for masked in serial-getty@ttyS0 getty@tty1 systemd-timesyncd apt-daily.timer \
		apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap fstrim.timer \
		ssh systemd-binfmt systemd-hwdb-update systemd-journal-catalog-update ldconfig \
		systemd-random-seed systemd-update-utmp dev-hugepages.mount dev-mqueue.mount \
		sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
		modprobe@drm modprobe@loop modprobe@dm_mod modprobe@efi_pstore; do
		case $masked in
		*.timer | *.mount) ln -s /dev/null "$unit/$masked" ;;
		*) ln -s /dev/null "$unit/$masked.service" ;;
		esac
	done
	printf '%s\n' vhci-hcd virtio_pci 9pnet_virtio 9p > "$root/etc/modules-load.d/vm.conf"
	printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=64M\nRateLimitBurst=0\n' \
		> "$root/etc/systemd/journald.conf.d/vm.conf"
	echo station > "$root/etc/hostname"
	: > "$root/etc/fstab"
	echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
}

make_root() # DIRECTORY
{
	local out=$1 include

	include=$(printf '%s\n' "${tools[@]}" "$(runtime_packages "$out")" | paste -sd,)
	make_settings "$out/settings"
	# WHY: root, because device nodes and owners have to survive into the archive.
	as_root mmdebstrap --quiet --variant=minbase --include="$include" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
		--customize-hook="copy-in '$out/settings/etc' '$out/settings/opt' /" \
		--customize-hook="copy-in '$out/kernel/usr' /" \
		--customize-hook="chroot \"\$1\" passwd -qd root" \
		--customize-hook="cd \"\$1\" && rm -rf ${unneeded[*]}" \
		--customize-hook="cd \"\$1\" && find . -xdev | cpio --quiet -o -H newc |
			zstd -q -6 -f -o '$out/base.cpio.zst'" \
		"$suite" /dev/null "$out/sources.list"
}

main()
{
	local key dir work

	[ "$(dpkg --print-architecture)" = amd64 ] || die "the virtual station is an amd64 Debian; this is not"
	key=$(cat "$here/base.sh" "$here/../debian.sh" "$here/guest-init.sh" "$here/guest.service" /etc/debian_version |
		sha256sum | cut -c1-16)
	dir=$cache/vm-$suite-$key
	if [ ! -e "$dir/complete" ]; then
		mkdir -p "$cache"
		rm -rf "$dir"
		work=$(mktemp -d "$cache/vm-new.XXXXXX")
		# shellcheck disable=SC2064 # the name as it is now
		trap "as_root rm -rf '$work'" EXIT
		make_lists "$work" >&2
		(make_kernel "$work") >&2
		make_root "$work" >&2
		rm -rf "$work/unpacked" "$work/settings" "$work/kernel" "$work/apt" "$work"/*.deb
		: > "$work/complete"
		find "$cache" -maxdepth 1 -type d -name 'vm-*' ! -name 'vm-new*' \
			\( -name "vm-$suite-*" -o -mtime +14 \) -exec rm -rf {} +
		mv "$work" "$dir"
	fi
	touch "$dir" # WHY: those of other suites that were not used for two weeks make room
	echo "$dir"
}

main "$@"
