# SPDX-License-Identifier: GPL-2.0
"""colinux image create: its words, and an installer guest that follows a script."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from vm import PROGRAMS, expect, expect_equal, expect_in, until

DONE = "say installer: making the file system\nsay installer: done\nsleep 500\nstop 1 bye\n"
WAITS = "say installer: waits\nsleep 20000\nstop 1 bye\n"
VM = re.compile("create-x.img-[0-9a-f]{8}")


def create(b, script, *words):
    b.file("installer.gz", b"x")
    return b.cli("image", "create", "--kernel", "kernel", "--installer", "installer.gz", *words,
                 env=b.environment(script, False, 0))


def begin(b, script, *words, program=PROGRAMS / "colinux", **more):
    b.file("installer.gz", b"x")
    child = subprocess.Popen([program, "image", "create", "--kernel", b.dir / "kernel", "--installer",
                              b.dir / "installer.gz", *words], env=b.environment(script, False, 0),
                             stderr=subprocess.PIPE, **{"cwd": b.dir, "stdout": subprocess.PIPE, **more})
    b.children.append(child)
    return child


def running(b):
    """The names of the installer's VMs that are at work."""
    return [line.split()[0] for line in b.cli("list").stdout.decode().splitlines()
            if VM.match(line) and "running" in line]


def ends(b, child, wanted):
    """Without an image or half of one, and with these words."""
    errors = child.communicate(timeout=30)[1].decode()
    expect_equal(child.returncode, 1)
    expect_in(wanted, errors)
    expect_equal([name for name in left(b) if ".img" in name], [])
    expect_equal(running(b), [])
    return errors


def beside(b, script):
    """The program in a folder of its own, with such a program for its daemon."""
    folder = b.dir / "programs"
    folder.mkdir(exist_ok=True)
    shutil.copy(PROGRAMS / "colinux", folder)
    b.file("programs/colinux-daemon", f"#!/bin/sh\ncd {b.dir}\ndaemon={PROGRAMS}/colinux-daemon\n{script}")
    os.chmod(folder / "colinux-daemon", 0o755)
    return folder / "colinux"


def left(b):
    return sorted(p.name for p in b.dir.iterdir() if p.name.startswith("x"))


def fails(b, wanted, script, *words):
    before = left(b)
    r = create(b, script, *words)
    expect_equal(r.returncode, 1)
    expect_in(wanted, r.stderr.decode())
    expect_equal(left(b), before)


def whole(b):
    """image create: the image takes its name when the guest has said that it's whole"""
    b.file("x, \"y\" z.tar", b"")
    r = create(b, DONE, "x1.img", "64M", "x, \"y\" z.tar")
    expect(re.fullmatch(r"\[create-x1.img-[0-9a-f]{8} ended: poweroff: bye]\n", r.stderr.decode()), r.stderr)
    expect_equal(r.returncode, 0)
    expect_in(b"installer: making", r.stdout)
    expect_in(b"x1.img: made; colinux run \"kernel=kernel\" \"cobd0=x1.img\" root=/dev/cobd0", r.stdout)
    expect_equal(os.stat(b.dir / "x1.img").st_size, 64 << 20)
    expect(os.stat(b.dir / "x1.img").st_blocks < 100, "the image isn't sparse")
    expect_equal(left(b), ["x, \"y\" z.tar", "x1.img"])


def words_of_guest(b):
    """image create: the guest is told of the archive by its bytes, of Debian by words"""
    b.file("xä b.tar", b"")
    for words, wanted in [(["xä b.tar"], "installer.archive=" + "xä b.tar".encode().hex()),
                          (["--suite", "trixie", "--packages", "vim,less"],
                           "installer.suite=trixie installer.packages=vim,less")]:
        child = begin(b, WAITS, "x.img", "64", *words)
        until(lambda: running(b), "the VM")
        name = running(b)[0]
        until(lambda: b"waits" in b.cli("log", name).stdout, "its word")
        expect_in(wanted, b.cli("info", name).stdout.decode())
        child.send_signal(signal.SIGINT)
        ends(b, child, "x.img: not made: it was stopped")


def not_whole(b):
    """image create: without the guest's word there is no image, and the reason is said"""
    fails(b, "x.img: not made: the installer guest ended before it was done",
          "say installer: making\nsleep 500\nstop 1 bye\n", "x.img", "64")
    fails(b, "x.img: not made: no room",
          "say installer: error: eth0\nsay installer: error: no room\nsleep 500\nstop 1 bye\n", "x.img", "64")
    fails(b, "x.img: not made", "say installer: done\nsleep 500\nstop 4 boom\n", "x.img", "64")
    fails(b, "x.img: not made", "say installer: done, nearly\nsleep 500\nstop 1 bye\n", "x.img", "64")
    fails(b, "x.img: not made", "say xinstaller: done\nsleep 500\nstop 1 bye\n", "x.img", "64")
    fails(b, "x.img: not made: full", "say installer: done\nsay installer: error: full\nsleep 500\nstop 1 bye\n",
          "x.img", "64")
    fails(b, "x.img: no guest, so no image", "create 12\n", "x.img", "64")


def refused(b):
    """image create: wrong words, and files that are there, change nothing"""
    b.file("x.img", b"mine")
    fails(b, "x.img: is there already", DONE, "x.img", "64")
    expect_equal(open(b.dir / "x.img").read(), "mine")
    b.file("x2.img.new", b"theirs")
    fails(b, "x2.img.new: is there already: another", DONE, "x2.img", "64")
    expect_equal(open(b.dir / "x2.img.new").read(), "theirs")
    fails(b, "'7' is no size", DONE, "x3.img", "7")
    fails(b, "'8000000K1' is no size", DONE, "x3.img", "8000000K1")
    fails(b, "x.tar", DONE, "x3.img", "64", "x.tar")
    fails(b, "is a directory; an archive was expected", DONE, "x3.img", "64", ".")
    b.file("x.tar", b"")
    fails(b, "doesn't go with an archive", DONE, "--suite", "sid", "x3.img", "64", "x.tar")
    fails(b, "option --suite: 'a b'", DONE, "--suite", "a b", "x3.img", "64")
    fails(b, "option --mirror: '' is empty", DONE, "--mirror", "", "x3.img", "64")
    fails(b, "option --suite: '-x' is empty, or an option", DONE, "--suite", "-x", "x3.img", "64")
    fails(b, "'' names no file", DONE, "", "64")
    fails(b, "cannot be made", DONE, "nix/x3.img", "64")
    r = b.cli("image", "create", "x3.img", "64")
    expect_equal(r.returncode, 1)
    expect_in("cannot read the guest's kernel (--kernel FILE names it)", r.stderr.decode())
    r = b.cli("image", "burn", "x3.img", "64")
    expect_in("there is only `image create`", r.stderr.decode())


def unheard(b):
    """image create: whoever can't write what the guest says stops it, and nothing is left"""
    with open("/dev/full", "w") as full:
        child = begin(b, "say hello\nsleep 60000\nstop 1 bye\n", "x.img", "64", stdout=full)
    ends(b, child, "standard output")


def stopped_early(b):
    """image create: Ctrl-C while its VM comes up takes file and VM away"""
    program = beside(b, "touch starts\nsleep 1\nexec $daemon \"$@\"\n")
    child = begin(b, WAITS, "x.img", "64", program=program)
    until((b.dir / "starts").exists, "the daemon")
    child.send_signal(signal.SIGINT)
    ends(b, child, "x.img: not made: it was stopped")


def stopped_late(b):
    """image create: Ctrl-C after the guest's end takes the file away"""
    program = beside(b, "$daemon \"$@\"\ntouch ended\nsleep 1\n")
    child = begin(b, DONE, "x.img", "64", program=program)
    until((b.dir / "ended").exists, "the guest's end")
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    ends(b, child, "x.img: not made: it was stopped")


def never_ready(b):
    """image create: Ctrl-C ends a daemon that doesn't come to its VM"""
    os.mkfifo(b.dir / "fifo")
    child = begin(b, WAITS, "--kernel", "fifo", "x.img", "64")
    until(lambda: "colinux-daemon" in subprocess.run(["ps", "--ppid", str(child.pid), "-o", "args="],
                                                     capture_output=True).stdout.decode(), "the daemon")
    child.send_signal(signal.SIGINT)
    ends(b, child, "x.img: not made: it was stopped")


def unreachable(b):
    """image create: a VM that can't be told to stop ends with its daemon"""
    child = begin(b, "say installer: waits\nsleep 60000\nstop 1 bye\n", "x.img", "64")
    until(lambda: running(b), "the VM")
    name = running(b)[0]
    pid = json.loads(b.cli("info", "--json", name).stdout)["pid"]
    expect_equal(child.stdout.readline().strip(), b"installer: waits")
    os.unlink(b.dir / "run" / f"{name}.sock")
    child.send_signal(signal.SIGINT)
    ends(b, child, f"no VM named {name} runs")
    expect(not os.path.exists(f"/proc/{pid}"), "the daemon goes on")


def missed(b):
    """a VM that has ended before its client looks: its verdict is what the daemon left"""
    program = beside(b, "fd=$2 name=x\nshift 2\nfor word; do case $word in name=*) name=${word#name=} ;; esac; done\n"
                        "$daemon \"$@\" >&2\neval \"echo ready $name >&$fd\"\n")
    said = ends(b, begin(b, "stop 4 boom\n", "x.img", "64", program=program), "x.img: not made: the installer guest ended")
    expect_in("ended: panic: boom]", said)
    r = subprocess.run([program, "run", "name=t", "kernel=kernel"], capture_output=True, timeout=30, cwd=b.dir,
                       env=b.environment("stop 1 bye\n", False, 0))
    expect_equal(r.stderr.decode(), "[t ended: poweroff: bye]\n")
    expect_equal(r.returncode, 0)


def nohup(b):
    """image create: what ignored the terminal's end goes on after it"""
    child = begin(b, "say installer: waits\nsleep 2000\nsay installer: done\nsleep 500\nstop 1 bye\n", "x.img", "64",
                  preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    expect_equal(child.stdout.readline().strip(), b"installer: waits")
    child.send_signal(signal.SIGHUP)
    expect_equal(child.communicate(timeout=30)[1].decode().count("ended: poweroff: bye"), 1)
    expect_equal(child.returncode, 0)


def same_names(b):
    """image create: two of one name in two folders at once"""
    children = []
    for folder in ["one", "two"]:
        (b.dir / folder).mkdir()
        children.append(begin(b, WAITS, "x.img", "64", cwd=b.dir / folder))
    until(lambda: len(running(b)) == 2, "two VMs")
    for child in children:
        child.send_signal(signal.SIGINT)
    for child in children:
        child.wait(30)
    expect_equal(sorted(b.dir.glob("*/x*")), [])


def not_replaced(b):
    """image create: a name that is taken, by a link to nothing or meanwhile, stays so"""
    os.symlink("nowhere", b.dir / "x4.img")
    fails(b, "x4.img: is there already", DONE, "x4.img", "64")
    child = begin(b, DONE, "x.img", "64")
    until(lambda: running(b), "the VM")
    b.file("x.img", "theirs")
    errors = child.communicate(timeout=30)[1].decode()
    expect_equal(child.returncode, 1)
    expect_in("x.img.new: cannot be renamed to x.img: File exists", errors)
    expect_equal((b.dir / "x.img").read_text(), "theirs")
    expect_equal(left(b), ["x.img", "x4.img"])


def daemon_of_it(b):
    """image create: its daemon hears signals, and doesn't take a path for a server's address"""
    (b.dir / "nbd:").mkdir()
    child = begin(b, WAITS, "nbd://x.img", "64")
    until(lambda: running(b), "the VM")
    pid = json.loads(b.cli("info", "--json", running(b)[0]).stdout)["pid"]
    proc = pathlib.Path(f"/proc/{pid}")
    expect_in("SigBlk:\t0000000000000000\n", (proc / "status").read_text())
    expect_in('cobd0="./nbd://x.img.new"', (proc / "cmdline").read_text().split("\0"))
    os.kill(pid, signal.SIGTERM)
    ends(b, child, "x.img: not made: the installer guest ended")


CASES = [unheard, whole, words_of_guest, not_whole, refused, stopped_early, stopped_late, never_ready, unreachable, missed, nohup,
         same_names, not_replaced, daemon_of_it]
