# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the fuzzers' run scripts: a corpus that grows from run to run, and how many
# inputs a target has executed in all, both outside of the tree:
#	$COLINUX_CACHE/fuzz/TARGET/corpus	inputs, as few as reach all that is reached
#	$COLINUX_CACHE/fuzz/TARGET/runs		a line per run: date, seconds of a processor,
#						executions
#	$COLINUX_CACHE/fuzz/TARGET/found-*	inputs that broke something, and what was said
fuzz_home=${COLINUX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/colinux}/fuzz

# fuzz_for SECONDS TARGET PROGRAM SEEDS [OPTION]...: the log goes to the output.
fuzz_for()
{
	local seconds=$1 program=$3 seeds=$4 place=$fuzz_home/$2 status TIMEFORMAT='%U %S'
	shift 4
	mkdir -p "$place/corpus" || return 1
	{ time "$program" -max_total_time="$seconds" -print_final_stats=1 -timeout=20 \
		-artifact_prefix="$place/found-" "$@" "$place/corpus" "$seeds" \
		>"$place/log" 2>&1; } 2>"$place/time"
	status=$?
	cat "$place/log"
	[ $status = 0 ] || cp "$place/log" "$place/found-log-$(date -u +%F-%H%M%S)"
	awk -v date="$(date -u +%F)" '
		/^stat::number_of_executed_units/ { n = $2 }
		FILENAME ~ /time$/ { cpu = $1 + $2 }
		END { print date, cpu, n + 0 }' "$place/log" "$place/time" >>"$place/runs"
	[ $status = 0 ] || return $status
	fuzz_shrink "$program" "$place/corpus" "$@"
}

# fuzz_shrink PROGRAM FOLDER [OPTION]...: keeps what reaches something of its own.
fuzz_shrink()
{
	local program=$1 folder=$2
	shift 2
	rm -rf "$folder.new" && mkdir "$folder.new" &&
		"$program" -merge=1 "$@" "$folder.new" "$folder" >"$folder.log" 2>&1 &&
		rm -rf "$folder" && mv "$folder.new" "$folder"
}

# fuzz_total TARGET: what a note may say.
fuzz_total()
{
	awk -v target="$1" '
		{ cpu += $2; n += $3; last = $3; took = $2 }
		END { printf "# %s: %d executions, %d in a second of a processor; %d in all, in %d s\n",
			target, last, took ? last / took : 0, n, cpu }' "$fuzz_home/$1/runs"
}
