# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab host: measures in turns there and in a guest that stays up.
#
#	in-lab.sh times ROUNDS PERCENT	times, as measured lines
#	in-lab.sh counts ROUNDS PERCENT	instructions: the lab runs with one
#					instruction per nanosecond of its clock
#	in-lab.sh parallel ROUNDS PERCENT	all processors at once, in a guest with
#					as many vCPUs
set -u
what=$1 rounds=$2 percent=$3
everywhere="getppid fork fault pipe nanosleep cpu read4k read1m"
console=hvc0 cpus=1 only="taskset 1" alone=hypercall
if [ "$what" = counts ]; then
	everywhere="getppid fork fault pipe cpu"
	# Nobody but the workload makes the one processor work.
	console=none
fi
if [ "$what" = parallel ]; then
	everywhere=parallel cpus=$(nproc) only='' alone=''
fi
disk=/dev/vda

die()
{
	echo "in-lab.sh: $*" >&2
	exit 1
}

native()
{
	$only workloads -d $disk -n "$percent" "$@"
}

guest()
{
	colinux exec bench -- /bin/workloads -d $disk -n "$percent" "$@"
}

# Under the clock that counts, a nanosecond is an instruction.
as_measured()
{
	case $what in
	times | parallel) sed "s/^/$1 $2 /" ;;
	counts) sed "s/^\([a-z0-9]*\) ns /$1 $2 \1-count instructions /" ;;
	esac
}

measure()
{
	round=$1 side=$2
	shift 2
	"$side" "$@" >/tmp/lines || die "$side: $* failed"
	as_measured "$round" "$side" </tmp/lines
}

insmod /lib/colinux.ko || die "colinux.ko cannot be loaded"
colinux start name=bench kernel=/guest/vmlinux initrd=/guest/initrd mem=256 cpus="$cpus" \
	cobd0=$disk,ro console=$console >&2 || die "the guest doesn't start"
guest getppid >/dev/null || die "the guest doesn't answer: $(colinux info bench)"

round=1
while [ "$round" -le "$rounds" ]; do
	measure "$round" native $everywhere
	measure "$round" guest $everywhere $alone
	round=$((round + 1))
done
colinux info bench >&2
colinux stop --force bench >&2 || die "the guest doesn't stop"
