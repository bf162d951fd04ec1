# SPDX-License-Identifier: GPL-2.0
"""colinux image create: its words, and an installer guest that follows a script."""

import os
import signal
import subprocess

from vm import PROGRAMS, expect, expect_equal, expect_in, until

DONE = "say installer: making the file system\nsay installer: done\nsleep 500\nstop 1 bye\n"


def create(b, script, *words):
    b.file("installer.gz", b"x")
    return b.cli("image", "create", "--kernel", "kernel", "--installer", "installer.gz", *words,
                 env=b.environment(script, False, 0))


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
    expect_equal(r.stderr, b"[create-x1.img ended: poweroff: bye]\n")
    expect_equal(r.returncode, 0)
    expect_in(b"installer: making", r.stdout)
    expect_in(b"x1.img: made; colinux run \"kernel=kernel\" \"cobd0=x1.img\" root=/dev/cobd0", r.stdout)
    expect_equal(os.stat(b.dir / "x1.img").st_size, 64 << 20)
    expect(os.stat(b.dir / "x1.img").st_blocks < 100, "the image isn't sparse")
    expect_equal(left(b), ["x, \"y\" z.tar", "x1.img"])


def words_of_guest(b):
    """image create: the guest is told of the archive by its bytes, of Debian by words"""
    b.file("xä b.tar", b"")
    waits = "say installer: waits\nsleep 20000\nstop 1 bye\n"
    b.file("installer.gz", b"x")
    for words, wanted in [(["xä b.tar"], "installer.archive=" + "xä b.tar".encode().hex()),
                          (["--suite", "trixie", "--packages", "vim,less"],
                           "installer.suite=trixie installer.packages=vim,less")]:
        child = subprocess.Popen([PROGRAMS / "colinux", "image", "create", "--kernel", "kernel",
                                  "--installer", "installer.gz", "x.img", "64", *words],
                                 env=b.environment(waits, False, 0), cwd=b.dir,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        b.children.append(child)
        until(lambda: (b.dir / "run" / "create-x.img.sock").exists(), "the VM")
        until(lambda: b"waits" in b.cli("log", "create-x.img").stdout, "its word")
        info = b.cli("info", "create-x.img").stdout.decode()
        expect_in(wanted, info)
        child.send_signal(signal.SIGINT)
        expect_equal(child.wait(20), 1)
        expect(not (b.dir / "x.img").exists() and not (b.dir / "x.img.new").exists(), "a file is left")


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
    b.file("installer.gz", b"x")
    with open("/dev/full", "w") as full:
        r = subprocess.run([PROGRAMS / "colinux", "image", "create", "--kernel", "kernel", "--installer",
                            "installer.gz", "x.img", "64"], cwd=b.dir, stdout=full, stderr=subprocess.PIPE,
                           env=b.environment("say hello\nsleep 60000\nstop 1 bye\n", False, 0), timeout=50)
    expect_equal(r.returncode, 1)
    expect_in("standard output", r.stderr.decode())
    expect_equal(left(b), [])
    expect(b"running" not in b.cli("list").stdout, "the VM goes on")


CASES = [unheard, whole, words_of_guest, not_whole, refused]
