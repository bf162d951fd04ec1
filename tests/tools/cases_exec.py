# SPDX-License-Identifier: GPL-2.0
"""Commands through the agent: the real one, on a socket instead of a port."""

import hashlib
import os
import signal
import struct
import subprocess
import threading
import time

from vm import (EXIT, INPUT, INPUT_END, OUTPUT, PROGRAMS, expect,
                expect_equal, expect_in, until)

WAITS = "power\nstop 1 bye\n"


def streams(b):
    """exec keeps output, errors and exit status apart"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "t", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    expect_equal((r.stdout, r.stderr, r.returncode), (b"out\n", b"err\n", 7))
    r = b.cli("exec", "t", "-c", "printf '%s' \"a  b\"; kill -9 $$")
    expect_equal((r.stdout, r.returncode), (b"a  b", 137))


def words(b):
    """Words reach the command as they are; options may stand on both sides of NAME"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "--wait", "5", "t", "--", "printf", "[%s]", "a b", "", "-c", "--", "ü")
    expect_equal(r.stdout, "[a b][][-c][--][ü]".encode())
    r = b.cli("exec", "t", "printf", "[%s]", "--wait", "-c")
    expect_equal(r.stdout, b"[--wait][-c]")
    r = b.cli("exec", "--wait", "5", "t", "-c", "echo $((1 + 2))")
    expect_equal(r.stdout, b"3\n")


def environment(b):
    """A command has PATH, HOME and no terminal"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "t", "-c", "echo $PATH $HOME; test -t 0")
    expect_in(b"/usr/bin", r.stdout)
    expect_equal(r.returncode, 1)


def big_transfer(b):
    """Eight megabytes through cat come back unchanged"""
    b.daemon(WAITS, agent=True)
    data = os.urandom(8 << 20)
    r = b.cli("exec", "t", "--", "cat", stdin=data)
    expect_equal(r.returncode, 0)
    expect(r.stdout == data, "cat's output differs from its input")


def big_output(b):
    """Output and errors larger than the window come whole, in order each"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "t", "-c", "seq 200000; seq 100000 >&2")
    expect_equal(hashlib.md5(r.stdout).hexdigest(),
                 hashlib.md5("".join(f"{i}\n" for i in range(1, 200001)).encode()).hexdigest())
    expect_equal(len(r.stderr.splitlines()), 100000)


def slow_reader(b):
    """Who doesn't take a command's output stops only that command"""
    b.daemon(WAITS, agent=True)
    slow = b.connect()
    slow.result("exec", argv=["cat", "/dev/zero"])
    time.sleep(0.3)
    r = b.cli("exec", "t", "--", "echo", "alive")
    expect_equal(r.stdout, b"alive\n")
    got = 0
    slow.s.settimeout(1)
    try:
        while True:
            got += len(slow.frame()[1])
    except TimeoutError:
        pass
    expect_equal(got, 65536)


def gone_client(b):
    """When the client goes the command ends"""
    b.daemon(WAITS, agent=True)
    mark = b.dir / "mark"
    c = b.connect()
    c.result("exec", shell=f"echo $$ > {mark}; sleep 1000")
    until(lambda: mark.exists() and mark.read_text().strip(), "the command")
    pid = int(mark.read_text())
    c.close()
    until(lambda: not os.path.exists(f"/proc/{pid}"), "the command's end")


def no_such_command(b):
    """A command that doesn't exist is an error by name, status 1"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "t", "--", "/no/such/thing")
    expect_equal(r.returncode, 1)
    expect_in(b"/no/such/thing: No such file", r.stderr)


def at_once(b):
    """Sixteen commands run at once, the seventeenth is refused"""
    b.daemon(WAITS, agent=True)
    all_ = [b.connect() for _ in range(17)]
    for c in all_[:16]:
        c.result("exec", argv=["cat"])
    expect_in("16 commands run", all_[16].ask("exec", argv=["cat"])["error"])
    for i, c in enumerate(all_[:16]):
        c.send_frame(INPUT, b"%d" % i)
        c.send_frame(INPUT_END)
    for i, c in enumerate(all_[:16]):
        frames = []
        while frame := c.frame():
            frames.append(frame)
        expect_equal([f for f in frames if f[0] == OUTPUT], [(OUTPUT, b"%d" % i)])
        expect_equal(frames[-1], (EXIT, struct.pack("<I", 0)))


def waits(b):
    """exec waits for the agent to come"""
    b.daemon(WAITS, agent=True, delay=700)
    r = b.cli("exec", "t", "--", "echo", "late")
    expect_equal(r.stdout, b"late\n")


def waits_in_vain(b):
    """Without an agent exec says so when its time is over"""
    b.daemon(WAITS)
    r = b.cli("exec", "--wait", "1", "t", "--", "true")
    expect_equal(r.returncode, 1)
    expect_in(b"colinux-agent", r.stderr)


def vm_ends(b):
    """When the VM ends during a command exec fails and says so"""
    d = b.daemon(WAITS, agent=True)
    t = threading.Timer(0.5, lambda: d.send_signal(signal.SIGTERM))
    t.start()
    r = b.cli("exec", "t", "--", "sleep", "1000")
    t.join()
    expect_equal(r.returncode, 1)
    expect_in(b"t has ended", r.stderr)


def agent_dies(b):
    """When the agent dies its commands fail with a reason, the daemon goes on"""
    b.daemon(WAITS, agent=True)
    r = b.cli("exec", "t", "-c", "kill -9 $PPID; sleep 5")
    expect_equal(r.returncode, 1)
    expect_in(b"the agent in the guest has gone", r.stderr)
    expect_equal(b.connect().result("info")["state"], "running")


def window_broken(b):
    """A client that sends more input than its window loses its connection"""
    b.daemon(WAITS, agent=True)
    c = b.connect()
    c.result("exec", argv=["sleep", "1000"])
    try:
        # The command's pipe takes some, and so much more may be sent: not a megabyte.
        for _ in range(32):
            c.send_frame(INPUT, b"x" * 32768)
        while c.frame():
            pass
    except (BrokenPipeError, ConnectionResetError):
        pass
    expect_equal(b.cli("exec", "t", "--", "echo", "on").stdout, b"on\n")


def interrupt(b):
    """SIGINT reaches the command"""
    env = dict(b.env)
    b.daemon(WAITS, agent=True)
    p = subprocess.Popen([PROGRAMS / "colinux", "exec", "t", "-c",
                          "trap 'echo caught; exit 3' INT; echo go; while :; do sleep 0.05; done"],
                         env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)
    expect_equal(p.stdout.readline(), b"go\n")
    p.send_signal(signal.SIGINT)
    expect_equal(p.communicate(timeout=30)[0], b"caught\n")
    expect_equal(p.returncode, 3)


def background_child(b):
    """A child that keeps the pipes open doesn't keep exec waiting"""
    b.daemon(WAITS, agent=True)
    start = time.monotonic()
    r = b.cli("exec", "t", "-c", "sleep 20 & echo done")
    expect_equal(r.stdout, b"done\n")
    expect(time.monotonic() - start < 10, "it waited for the child")


CASES = [streams, words, environment, big_transfer, big_output, slow_reader,
         gone_client, no_such_command, at_once, waits, waits_in_vain, vm_ends,
         agent_dies, window_broken, interrupt, background_child]
