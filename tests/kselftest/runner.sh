# SPDX-License-Identifier: GPL-2.0
#
# Where the selftests run, guest or bare machine: all tests of the list, one after
# the other. Prints what tests/kselftest/compare reads:
#
#	result STATUS SUITE/COMMAND		pass, skip, fail or killed
#	part STATUS SUITE/COMMAND: TEXT		what the test itself told, without
#						numbers, each once
#	# the end of what a test said that didn't pass
#
# A test that fails may have been too slow for an emulated machine: it has three
# tries.
tests=/kselftest
limit=300

prepare()
{
	mkdir -p /tmp/huge /sys/kernel/debug
	mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	mount -t hugetlbfs none /tmp/huge
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
	# Faults on purpose are no news for the kernel's log.
	echo 0 >/proc/sys/debug/exception-trace
	ip link set lo up
}

# The kernel's pages, the shell's words, addresses, and figures with their signs differ
# from run to run. timers/posix_timers compares the processor's clocks with the wall's,
# and how much later a timer of those expires is what interrupts and world switches take
# in an emulator (in a guest 5 s of wall for 2 s): that it does, and not too early, counts.
told()
{
	tr -d '\r' | sed -E 's/^(Check .*\.\.\. *)Diff too high: ([2-9]|[1-9][0-9])[0-9]{6}\.\.\[FAIL\]/\1[OK]/' | sed -nE '
		s/^not ok [0-9]+[ -]*/not-ok /p; t
		s/^ok [0-9]+[ -]*(.*# SKIP)/skip \1/p; t
		s/^ok [0-9]+[ -]*/ok /p; t
		s/^(.*)\[ *(OK|PASS|PASSED) *\](.*)/ok \1\3/p; t
		s/^(.*)\[ *(FAIL|FAILED) *\](.*)/not-ok \1\3/p; t
		s/^(.*)\[ *(SKIP|UNSUPPORTED) *\](.*)/skip \1\3/p' |
		sed -E 's/([[:space:]])[-+]([0-9])/\1\2/g; s/(0x)+[0-9a-fA-F]+|[0-9]+/N/g; s/[[:space:]]+/ /g; s/ $//' |
		cut -c1-200 | sort -u
}

status_word()
{
	case $1 in
	0) echo pass ;;
	4) echo skip ;;
	124 | 137 | 143) echo killed ;;
	*) echo fail ;;
	esac
}

# one SUITE COMMAND...: read from the list, and a shell's words
one()
{
	suite=$1
	shift
	cd $tests/"$suite" || return
	for try in 1 2 3; do
		start=$(cut -d. -f1 /proc/uptime)
		timeout -k 10 $limit sh -c "exec ./$*" >/tmp/said 2>&1 </dev/null
		status=$(status_word $?)
		[ "$status" != pass ] && [ "$status" != skip ] || break
	done
	echo "# $suite/$*: $status, try $try, $(($(cut -d. -f1 /proc/uptime) - start)) s"
	told </tmp/said | while read -r word text; do
		echo "part $word $suite/$*: $text"
	done
	[ "$status" = pass ] || tail -n 12 /tmp/said | cut -c1-200 | sed 's/^/#   /'
	echo "result $status $suite/$*"
}

# Only these have use for huge pages; others need the memory.
huge_pages()
{
	[ "$1" = "$reserved" ] || echo "$1" >/proc/sys/vm/nr_hugepages
	reserved=$1
}

prepare
suites=" $(cat $tests/suites) "
reserved=0
while read -r suite command; do
	case $suite in
	'' | '#'*) continue ;;
	esac
	[ "${suites#* "$suite" }" != "$suites" ] || continue
	case $suite in
	vm) huge_pages 130 ;;
	*) huge_pages 0 ;;
	esac
	one "$suite" "$command"
done <$tests/list
echo "end"
