# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the scripts that make a Debian of their own (tests/root.sh, tests/vm/base.sh).

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

# The sources this machine itself installs from, so that a local mirror and the security archive
# count here too.
sources() # SUITE
{
	local uri codename own

	own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt's own notation
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' |
		sort -u | while read -r uri codename; do
		echo "deb $uri ${codename/$own/$1} main"
	done
}
