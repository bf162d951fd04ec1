# SPDX-License-Identifier: GPL-2.0
"""colinux disk: the words, and overlays with the real qemu-img."""

import fcntl
import os
import struct
import subprocess

from vm import expect, expect_equal, expect_in

WAITS = "say hello\npower\nstop 1 bye\n"


def fails(b, wanted, *words):
    r = b.cli(*words)
    expect_equal(r.returncode, 1)
    expect_in(wanted, r.stderr.decode())


def resize(b):
    """disk resize asks the daemon and tells the size"""
    b.daemon(WAITS)
    expect_equal(b.cli("disk", "resize", "t", "cobd0", "64").stdout, b"cobd0: 64M (67108864 bytes)\n")
    expect_equal(b.cli("disk", "resize", "t", "cobd0", "3G").stdout, b"cobd0: 3G (3221225472 bytes)\n")
    expect_equal(b.cli("disk", "resize", "t", "cobd0", "auto").stdout, b"cobd0: 12M (12582912 bytes)\n")
    expect_equal(b.cli("disk", "resize", "--shrink", "t", "cobd0", "64").stdout, b"cobd0: 32M (33554432 bytes)\n")
    fails(b, "cobd1: the VM has no such disk", "disk", "resize", "t", "cobd1", "64")
    fails(b, "'much' is no size", "disk", "resize", "t", "cobd0", "much")
    fails(b, "'0' is no size", "disk", "resize", "t", "cobd0", "0")
    fails(b, "no VM named nix", "disk", "resize", "nix", "cobd0", "64")
    fails(b, "disk: needs `resize", "disk", "resize", "t", "cobd0")
    fails(b, "disk: needs `resize", "disk", "dance", "t")


def protocol(b):
    """disk-resize refuses what is no disk, no size, no boolean"""
    b.daemon(WAITS)
    c = b.connect()
    for args, wanted in [({"disk": 7}, "args.disk"), ({"disk": "cobd0", "size": -1}, "args.size"),
                         ({"disk": "cobd0", "size": "x"}, "args.size"),
                         ({"disk": "cobd0", "shrink": 1}, "args.shrink")]:
        answer = c.ask("disk-resize", **args)
        expect_in(wanted, answer["error"])
    expect_equal(c.result("disk-resize", disk="cobd0", size=4096)["size"], 4096)


def qemu(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def overlay(b):
    """An overlay's changes go into the base, or away"""
    base, over = str(b.file("base.img", b"a" * 1048576)), str(b.dir / "over.qcow2")
    words = ["kernel=x", f"cobd2={base},overlay={over}"]
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, over)
    qemu("qemu-io", "-f", "qcow2", "-c", "write -P 0x62 0 4096", over)
    expect_equal(open(base, "rb").read(4096), b"a" * 4096)
    r = b.cli("disk", "commit", "cobd2", *words)
    expect_equal(r.stderr, b"")
    expect_equal(open(base, "rb").read(4097), b"b" * 4096 + b"a")
    with open(over, "r+b") as f:
        fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 100, 1, 0))  # F_OFD_SETLK
        fails(b, "in use", "disk", "discard", "cobd2", *words)
    expect_equal(b.cli("disk", "discard", "cobd2", *words).returncode, 0)
    expect(not os.path.exists(over), "the overlay is there")
    fails(b, "No such file", "disk", "discard", "cobd2", *words)
    fails(b, "No such file", "disk", "commit", "cobd2", *words)


def no_overlay(b):
    """commit and discard want a disk with an overlay"""
    fails(b, "has no cobd1", "disk", "commit", "cobd1", "cobd0=x")
    fails(b, "has no hda", "disk", "discard", "hda", "cobd0=x")
    fails(b, "cobd0 has no overlay", "disk", "discard", "cobd0", "cobd0=x")


CASES = [resize, protocol, overlay, no_overlay]
