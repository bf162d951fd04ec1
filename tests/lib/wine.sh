# SPDX-License-Identifier: GPL-2.0
#
# Windows programs in tests, by Wine without a display. Sourced behind tap.sh, whose
# `work` it uses. After wine_begin there is a Windows of the group's own, which goes
# with it:
#
#	wine PROGRAM [ARGUMENT]...	runs it; paths may be the host's or Windows'
#	wine_file 'C:\x\y'		where a file of it is for the host
#	wine_restart [COMMAND]...	as a reboot: no process outlives it
#
# A new Windows takes 20 s, so that the cache keeps one to copy.

wine64=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver64

# No display, no Mono or Gecko to be asked for, no menus on the host's desktop.
wine_environment()
{
	export WINEPREFIX=$1 WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} DISPLAY=
	export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe="
	unset WAYLAND_DISPLAY
}

wine_make()
{
	mkdir -p "$1/home" || return 1
	(
		export HOME=$1/home # Documents and such would lead to the user's own
		wine_environment "$1/prefix"
		"$wine64" wineboot -i && "$wine64" reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f &&
			"$wineserver" -w
	) >"$1/log" 2>&1 </dev/null && [ -f "$1/prefix/system.reg" ]
}

# The folder in the cache.
wine_template()
{
	local version folder new
	version=$(dpkg-query -W -f '${Version}' libwine) || die "Wine is missing: run packaging/need"
	folder=$cache/wine/$(hash_of "$version" "$(declare -f wine_environment wine_make)")
	if [ ! -d "$folder" ]; then
		mkdir -p "$cache/wine"
		new=$(mktemp -d "$cache/wine/work.XXXXXX") || exit 1
		wine_make "$new" || { tail -n 20 "$new/log" >&2 && die "Wine makes no Windows"; }
		publish "$new" "$folder"
	fi
	echo "$folder"
}

# When the last program of a user ends, Wine takes that for a shutdown, and services and
# drivers go. One that waits for a line, which never comes, keeps them.
wine_start()
{
	HOME=$work/home "$wine64" cmd <&"$wine_line" >/dev/null 2>&1 &
}

# Wine's own libraries, 600 MB that nobody writes to, are the cache's by hard links,
# or copies where that can't be.
wine_begin()
{
	local template
	template=$(wine_template) || exit 1
	trap 'wine_end; rm -rf "$work"' EXIT
	mkdir -p "$work/home"
	cp -al "$template/prefix" "$work/prefix" 2>/dev/null ||
		cp -r "$template/prefix" "$work/prefix" || die "no room for Wine in $work"
	# The registry is written to: files of its own.
	find "$work/prefix" -name '*.reg' -exec sed -i '' {} +
	wine_environment "$work/prefix"
	mkfifo "$work/line" && exec {wine_line}<>"$work/line" && wine_start
}

wine()
{
	HOME=$work/home "$wine64" "$@" </dev/null {wine_line}<&-
}

wine_file()
{
	local path=${1#[Cc]:}
	echo "$WINEPREFIX/drive_c${path//\\//}"
}

# The command runs while nothing of Windows does.
wine_restart()
{
	"$wineserver" -k -w
	[ $# = 0 ] || "$@"
	wine_start
}

wine_end()
{
	[ -z "${WINEPREFIX:-}" ] || "$wineserver" -k -w 2>/dev/null
}
