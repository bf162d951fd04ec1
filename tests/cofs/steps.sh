# SPDX-License-Identifier: GPL-2.0
# In the lab host: steps of tests with a guest named cofs; each is a result.

vm=cofs

# fails NAME WORDS COMMAND: with these words
fails()
{
	! in_guest "$3" && grep -q "$2" /tmp/said
	check "$1" $? "$(cat /tmp/said)"
}

# What a tree is: kinds, modes, owners, sizes, links' targets and contents.
tree='tree() { cd "$1" && find . | sort | while read -r f; do
	stat -c "%F %a %u %g $([ -d "$f" ] || echo "%s %h") %n" "$f"
	[ -L "$f" ] && readlink "$f"; [ -f "$f" ] && md5sum <"$f"; done; };'
