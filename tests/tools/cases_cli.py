# SPDX-License-Identifier: GPL-2.0
"""The command-line program: errors, statuses, terminals."""

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

from vm import (PROGRAMS, expect, expect_equal, expect_in, until)

WAITS = "say hello\npower\nstop 1 bye\n"


def fails(b, wanted, *words):
    r = b.cli(*words)
    expect_equal(r.returncode, 1)
    expect_in(wanted, r.stderr.decode())
    expect_equal(r.stdout, b"")


def usage(b):
    """Wrong words on the command line are errors with status 1"""
    fails(b, "no such verb 'dance'", "dance")
    fails(b, "missing", "info")
    fails(b, "too many", "info", "a", "b")
    fails(b, "unknown option --quick", "stop", "--quick", "x")
    fails(b, "needs a value", "stop", "--timeout")
    fails(b, "is no number", "stop", "--timeout", "soon", "x")
    fails(b, "needs NAME and either", "exec", "t")
    expect_equal(b.cli().returncode, 1)


def helps(b):
    """help, VERB --help and daemon -h print to standard output, status 0"""
    for words in [["help"], ["--help"], ["run", "--help"], ["help", "exec"], ["doctor", "-h"]]:
        r = b.cli(*words)
        expect_equal(r.returncode, 0)
        expect_in(b"Usage: colinux", r.stdout)
    r = subprocess.run([PROGRAMS / "colinux-daemon", "-h"], capture_output=True)
    expect_equal(r.returncode, 0)
    expect_in(b"Usage: colinux-daemon", r.stdout)


def no_vm(b):
    """No such VM: an error that names it"""
    for verb in ["attach", "stop"]:
        fails(b, "no VM named nix runs", verb, "nix")
    for verb in ["info", "log"]:
        fails(b, "no VM named nix", verb, "nix")
    fails(b, "no VM named nix", "exec", "nix", "--", "true")
    fails(b, "is no name for a VM", "info", "../etc")


def no_module(b):
    """Without the module everything that needs it says what to do"""
    if os.path.exists("/dev/colinux"):
        return
    r = b.cli("doctor")
    expect_equal(r.returncode, 1)
    expect_in(b"modprobe colinux", r.stdout)
    expect_in(b"blocker  module", r.stdout)
    expect(json.loads(b.cli("doctor", "--json").stdout), "no JSON of doctor")
    r = b.cli("version")
    expect_equal(r.returncode, 0)
    expect_in(b"isn't loaded", r.stdout)


def start_errors(b):
    """What keeps a VM from starting is said with the file's name"""
    k = f"kernel={b.dir}/kernel"
    f = b.starting_fails
    expect_in("no kernel=PATH", f(WAITS, "mem=64"))
    expect_in("/none: No such file", f(WAITS, "kernel=/none"))
    expect_in("Is a directory", f(WAITS, "kernel=/tmp"))
    b.file("empty", "")
    expect_in("is empty", f(WAITS, f"kernel={b.dir}/empty"))
    expect_in("initrd /none", f(WAITS, k, "initrd=/none"))
    expect_in("cobd0: /none", f(WAITS, k, "cobd0=/none"))
    expect_in("can hold 2047", f(WAITS, k, "x" * 3000))
    expect_in("unknown option -x", f(WAITS, k, "-x"))
    expect_in("cannot read configuration file /none", f(WAITS, "@/none"))


def load_errors(b):
    """Each reason of the driver against an image has its own words"""
    k = f"kernel={b.dir}/kernel"
    for code, wanted in [(1, "not an ELF file"), (2, "ELF machine 77"),
                         (3, "cut off (segment 77)"), (4, "no colinux note"),
                         (5, "guest ABI 77"), (6, "segments overlap (segment 77)"),
                         (7, "segment 77"), (8, "need 77 MB"),
                         (9, "77 bytes"), (10, "5-level"),
                         (11, "Exec format error"), (99, "Exec format error")]:
        expect_in(wanted, b.starting_fails(f"load {code} 77\n", k))
    for errno, wanted in [(7, "keep its reserve"), (12, "no such memory"),
                          (19, "doctor"), (1, "CAP_SYS_MODULE"),
                          (71, "Protocol error")]:
        expect_in(wanted, b.starting_fails(f"create {errno}\n", k))


def background(b):
    """start returns when the VM runs; list, info and stop find it"""
    env = b.environment(WAITS, False, 0)
    r = b.cli("start", "name=bg", f"kernel={b.dir}/kernel", "mem=64", env=env)
    expect_equal((r.returncode, r.stderr), (0, b""))
    expect_in(b"bg    running", b.cli("list").stdout)
    vms = json.loads(b.cli("list", "--json").stdout)
    expect_equal([(v["name"], v["memory"]) for v in vms], [("bg", 64 << 20)])
    expect_in(b"command line: console=hvc0", b.cli("info", "bg").stdout)
    r = b.cli("stop", "bg")
    expect_equal((r.returncode, r.stdout), (0, b"bg: poweroff\n"))
    expect_in(b"bg    ended", b.cli("list").stdout)


def background_fails(b):
    """start fails with the daemon's reason"""
    env = b.environment("load 1 0\n", False, 0)
    r = b.cli("start", "name=bg", f"kernel={b.dir}/kernel", env=env)
    expect_equal(r.returncode, 1)
    expect_in(b"cannot start bg: kernel", r.stderr)


def restart_at_once(b):
    """After stop the same name can be started at once, ten times"""
    env = b.environment(WAITS, False, 0)
    for _ in range(10):
        r = b.cli("start", "name=bg", f"kernel={b.dir}/kernel", env=env)
        expect_equal((r.returncode, r.stderr), (0, b""))
        expect_equal(b.cli("stop", "bg").returncode, 0)


def run_piped(b):
    """run without a terminal: the console on standard output, the daemon's status"""
    env = b.environment("say words\nstop 1\n", False, 0)
    r = b.cli("run", "name=r", f"kernel={b.dir}/kernel", env=env)
    expect_equal(r.returncode, 0)
    expect_in(b"words\n", r.stdout)
    env = b.environment("say words\nstop 4 oh no\n", False, 0)
    r = b.cli("run", "name=r", f"kernel={b.dir}/kernel", env=env)
    expect_equal(r.returncode, 1)
    expect_in(b"panic: oh no", r.stderr)
    r = b.cli("run", "kernel=/none", env=env)
    expect_equal(r.returncode, 1)
    expect_in(b"/none", r.stderr)


class Terminal:
    """The program on a pseudo terminal."""

    def __init__(self, b, *words, env=None):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(b.dir)
            os.execve(PROGRAMS / "colinux", ["colinux", *words], env or b.env)
        self.seen = b""

    def read(self):
        ready, _, _ = select.select([self.fd], [], [], 0.05)
        try:
            self.seen += os.read(self.fd, 65536) if ready else b""
        except OSError:
            pass
        return self.seen

    def wait_for(self, text):
        until(lambda: text in self.read(), f"{text!r} in {self.seen!r}")

    def type(self, keys):
        os.write(self.fd, keys)

    def status(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        return "never"


def terminal(b):
    """On a terminal: how to leave is told, keys go to the guest, Ctrl-] d detaches"""
    b.daemon(WAITS)
    t = Terminal(b, "attach", "t")
    t.wait_for(b"to leave: Ctrl-] then d")
    t.wait_for(b"hello")
    t.type(b"abc\x03\x1d\x1d")
    t.wait_for(b"abc\x03\x1d")
    t.type(b"\x1d?")
    t.wait_for(b"k stop it at once")
    t.type(b"\x1dd")
    t.wait_for(b"detached; t goes on")
    expect_equal(t.status(), 0)
    expect_equal(b.connect().result("info")["state"], "running")


def terminal_stop(b):
    """Ctrl-] s powers the guest off, the console shows its end"""
    b.daemon(WAITS)
    t = Terminal(b, "attach", "t")
    t.wait_for(b"hello")
    t.type(b"\x1ds")
    t.wait_for(b"power: off")
    t.wait_for(b"t ended: poweroff: bye")
    expect_equal(t.status(), 0)


def terminal_run(b):
    """run on a terminal, detach: the VM goes on without it; a lost terminal as well"""
    env = b.environment(WAITS, False, 0)
    t = Terminal(b, "run", "name=r", f"kernel={b.dir}/kernel", env=env)
    t.wait_for(b"hello")
    t.type(b"\x1dd")
    expect_equal(t.status(), 0)
    t = Terminal(b, "attach", "r")
    t.wait_for(b"hello")
    os.close(t.fd)
    os.waitpid(t.pid, 0)
    expect_equal(b.connect("r").result("info")["state"], "running")
    expect_equal(b.cli("stop", "r").returncode, 0)


def terminal_size(b):
    """The terminal's size becomes the console's, and follows it"""
    import fcntl
    import struct
    import termios
    b.daemon(WAITS)
    t = Terminal(b, "attach", "t")
    t.wait_for(b"hello")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    c = b.connect()
    until(lambda: "111x33" in c.result("info")["devices"][0]["detail"], "the size")
    t.type(b"\x1dk")
    t.wait_for(b"killed")
    expect_equal(t.status(), 1)


def terminal_looks(b):
    """cursor= and color= hold while a terminal is attached; a dumb one is left alone"""
    b.daemon(WAITS, "cursor=100", "color=white,blue")
    b.daemon(WAITS, "cursor=10", "color=brown", name="u")
    for name, on, off in [
            ("t", b"\x1b]10;rgb:ff/ff/ff\x1b\\\x1b]11;rgb:00/00/aa\x1b\\\x1b[2 q",
             b"\x1b]110\x1b\\\x1b]111\x1b\\\x1b[0 q"),
            ("u", b"\x1b]10;rgb:aa/55/00\x1b\\\x1b[4 q", b"\x1b]110\x1b\\\x1b[0 q")]:
        t = Terminal(b, "attach", name, env=dict(b.env, TERM="xterm"))
        t.wait_for(b"hello")
        t.type(b"\x1dd")
        expect_equal(t.status(), 0)
        expect(on in t.seen.split(b"hello")[0], f"{on!r} comes before the console: {t.seen!r}")
        expect(off in t.seen.split(b"hello")[1], f"{off!r} comes at the end: {t.seen!r}")
    t = Terminal(b, "attach", "t", env=dict(b.env, TERM="dumb"))
    t.wait_for(b"hello")
    t.type(b"\x1dd")
    expect_equal(t.status(), 0)
    expect(b"\x1b]" not in t.seen, f"no sequences: {t.seen!r}")


def original_options(b):
    """The original's options are taken or explained"""
    d = b.daemon(WAITS, "-d", "-t", "none", "-v", "2")
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 0)
    expect_in("XML", b.starting_fails(WAITS, "-c", "x.xml"))
    expect_in("is no number", b.starting_fails(WAITS, "-v", "9"))
    b.file("old.conf", "kernel=kernel\nsetcobd=async\ncolor=white,black\nroot=/dev/cobd0\n")
    d = b.daemon("stop 1\n", "@old.conf")
    expect_in(b"setcobd=async has no meaning any more", d.communicate(timeout=30)[1])


CASES = [usage, helps, no_vm, no_module, start_errors, load_errors, background,
         background_fails, restart_at_once, run_piped, terminal, terminal_stop,
         terminal_run, terminal_size, terminal_looks, original_options]
