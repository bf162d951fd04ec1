# SPDX-License-Identifier: GPL-2.0
#
# Where this machine's own apt gets Debian 12 from: for making other roots the
# same way. Sourced after lib.sh.

suite=bookworm
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

known_mirrors()
{
	apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' |
		sed -n "s|^Packages Debian \([^ ]*\) \($suite[^ ]*\) main\$|deb [signed-by=$keyring] \1 \2 main|p" |
		sort -u
}

# Lines for a sources.list.
mirrors()
{
	[ -n "$(known_mirrors)" ] || as_root apt-get update >&2
	known_mirrors | grep . || echo "deb [signed-by=$keyring] http://deb.debian.org/debian $suite main"
}

# This machine's proxy and certificate settings hold for the others, too.
apt_settings()
{
	apt-config dump | grep -E '^Acquire::(https?)::.*(Proxy|CaInfo|Verify)'
}

# A root of Debian 12 as a tar: make_root TAR WORK-FOLDER OPTION-OF-MMDEBSTRAP...
make_root()
{
	tar=$1 settings=$2/apt.conf
	shift 2
	apt_settings >"$settings"
	mirrors | as_root mmdebstrap --variant=minbase --aptopt="$settings" "$@" "$suite" "$tar" -
}
