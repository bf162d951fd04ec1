# SPDX-License-Identifier: GPL-2.0
# In the lab host: lab.sh SECONDS VCPUS WIDTH 'FEATURES' 'FLAGS' 'CR4-BITS': the
# same programs here and in a guest. WIDTH is that of a vector register in bytes;
# both sides' `hold` names the FEATURES, both sides' /proc/cpuinfo the FLAGS; the
# bits (NAME:NUMBER) are on in both sides' CR4.
. /check.sh
insmod /lib/colinux.ko || exit 1
seconds=$1 vcpus=$2 width=$3 features=$4 flags=$5 bits=$6

# until_stopped NAME COMMAND...: again and again; its last words stay in /tmp/NAME.
until_stopped()
{
	name=$1
	shift
	while [ ! -e /tmp/stop ]; do
		"$@" >/tmp/$name.now 2>&1 || { cp /tmp/$name.now /tmp/$name.lost; break; }
		mv /tmp/$name.now /tmp/$name
	done
}

# The guest's threads, and with them its vCPUs, from processor to processor.
move_threads()
{
	moved=0 next=0 cpus=$(nproc)
	while [ ! -e /tmp/stop ] && [ "$cpus" -gt 1 ]; do
		for task in /proc/"$1"/task/*; do
			taskset -p $((1 << next % cpus)) "${task##*/}" >/dev/null 2>&1 && moved=$((moved + 1))
			next=$((next + 1))
		done
		next=$((next + 1))
		echo $moved >/tmp/moved
		usleep 200000
	done
}

# What the host has to leave out, the guest has to, too.
left_out=$(grep -o 'clearcpuid=[^ ]*' /proc/cmdline)
echo 0 >/tmp/moved
/covm -c "$vcpus" /guest/vmlinux 96 "pti=on $left_out seconds=$seconds" /guest/initrd >/tmp/console 2>/tmp/covm &
covm=$!
move_threads $covm &
until_stopped vectors vectors 2 $$ &
until_stopped hold hold 2 5 umip &
until_stopped breaks breaks 0 2 &
until_stopped segments segments 2 &
while kill -0 $covm 2>/dev/null && ! grep -q 'cpustate: starts' /tmp/console; do
	sleep 1
done
samples 5 $covm >/tmp/samples 2>&1
wait $covm
status=$?
touch /tmp/stop
wait
tr -d '\r' </tmp/console | sed -n 's/.*cpustate: //p' >/tmp/said
cat /tmp/vectors /tmp/hold /tmp/breaks /tmp/segments >/tmp/here
sed 's/^/# host: /' /tmp/here /tmp/samples
grep -v '^flags' /tmp/said | sed 's/^/# guest: /'
echo "# vCPUs moved $(cat /tmp/moved) times; $(tail -n 1 /tmp/covm)"

[ $status = 0 ]
check "a guest of $vcpus vCPUs works through its list" $? "$(tail -n 20 /tmp/console; cat /tmp/covm)"
! ls /tmp/*.lost 2>/dev/null && ! grep '^failed' /tmp/said
check "nobody saw a value that isn't his" $? "$(cat /tmp/*.lost; cat /tmp/said)"

# both WHAT PATTERN: a program of the guest's says it, and one of the host's.
both()
{
	grep -q "$2" /tmp/said && grep -q "$2" /tmp/here
	check "$1 on both sides" $? "guest: $(cat /tmp/said) host: $(cat /tmp/here)"
}

both "vector registers of $width bytes are kept" "^vectors: $width bytes"
for feature in $features; do
	both "$feature is kept" "^hold kept.* $feature"
done
both "breakpoints and single steps count what they watch and no more" '^breaks kept'
both "segment registers lose what their descriptors lose" '^segments kept'
for flag in $flags; do
	grep -m1 '^flags' /proc/cpuinfo | grep -qw "$flag" && grep '^flags' /tmp/said | grep -qw "$flag"
	check "$flag is among both sides' flags" $? "$(grep -m1 '^flags' /proc/cpuinfo; grep '^flags' /tmp/said)"
done

# "cr4 HOST guest VCPU..."
cr4=$(sed -n 's/^cr4 //p' /tmp/covm)
for bit in $bits; do
	ones=0
	for value in ${cr4%%guest*} ${cr4##*guest}; do
		ones=$((ones + (0x$value >> ${bit#*:} & 1)))
	done
	[ $ones = $((vcpus + 1)) ]
	check "CR4.${bit%:*} is on in the host and on each vCPU" $? "CR4: $cr4"
done
[ "$(value samples /tmp/samples)" -gt 0 ] && [ "$(value process /tmp/samples)" -gt 0 ]
check "perf's clock samples the host, vCPUs included" $? "$(cat /tmp/samples)"
grep -qE '^samples [1-9]' /tmp/said
check "perf's clock samples the guest" $? "$(cat /tmp/said)"
exit 0
