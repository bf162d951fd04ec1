# SPDX-License-Identifier: GPL-2.0
"""The configuration language: each config/NAME.conf has a NAME.ok, what
`colinux config check` says about it in a folder with a file `kernel`."""

import json
import pathlib

from vm import expect, expect_equal, expect_in

HERE = pathlib.Path(__file__).resolve().parent / "config"


def said_about(b, conf):
    """(status, output) of the check of a pair's first half."""
    for other in HERE.iterdir():
        b.file(other.name, other.read_bytes())
    r = b.cli("config", "check", "mem=64", f"@{conf.name}")
    return r.returncode, (r.stdout + r.stderr).decode(errors="replace")


def make_case(conf):
    def case(b):
        status, said = said_about(b, conf)
        wanted = conf.with_suffix(".ok").read_text()
        expect_equal(status, 1 if "colinux: " in wanted else 0)
        expect(said == wanted, f"said:\n{said}\nexpected:\n{wanted}")
    case.__doc__ = f"config/{conf.name}"
    case.__name__ = f"config_{conf.stem}"
    return case


def renew(b):
    """Writes the second halves anew, for a look at the difference."""
    for conf in sorted(HERE.glob("*.conf")):
        conf.with_suffix(".ok").write_text(said_about(b, conf)[1])


def words(b):
    """Words of a command line: guest's words untouched and in order, the last value wins"""
    b.file("base.conf", "kernel=kernel mem=64 ro quiet")
    r = b.cli("config", "check", "@base.conf", "mem=128", "memmap=1G$4G", "kernel2=x",
              "cobd0=kernel", "cobd0=kernel,ro", "a b", "mem=96")
    out = r.stdout.decode()
    expect_in("mem=96M\n", out)
    expect_in("name=base\n", out)
    expect_in("cobd0=kernel,ro\n", out)
    expect_in("# guest's command line: ro quiet memmap=1G$4G kernel2=x a b console=hvc0\n", out)


def json_of_any_bytes(b):
    """--json loses nothing that isn't UTF-8: it's U+FFFD there"""
    def check(*words):
        r = b.cli("config", "check", "--json", "kernel=kernel", *words)
        return r.returncode, json.loads(r.stdout)

    b.file("caf\udce9.img", b"\0" * 512)
    status, o = check("cobd0=caf\udce9.img", "guest\udce9", "exec0=x\udce9,y")
    expect_equal(status, 0)
    expect_equal([d["path"] for d in o["disks"]], ["caf\ufffd.img"])
    expect_equal([p["path"] for p in o["programs"]], ["x\ufffd"])
    expect_in("guest\ufffd", o["command_line"])
    expect_equal(o["shares"], [])
    status, o = check("initrd=nos\udce9uch")
    expect_equal(status, 1)
    expect_equal([m["text"] for m in o["messages"]], ["initrd: nos\ufffduch: No such file or directory"])


def word_errors(b):
    """Errors on the command line say so"""
    for word, wanted in [("mem=lots", "command line: mem: 'lots' is no size"),
                         ("cobd32=x", "command line: no such device 'cobd32'"),
                         ("cobd0=", "command line: cobd0: no path"),
                         ("=x", "command line: a word begins"),
                         ("a\x01b", "control character"),
                         ("@", "'@' without a file name")]:
        r = b.cli("config", "check", "kernel=kernel", word if word[0] != "@" else "@")
        expect_equal(r.returncode, 1)
        expect_in(wanted, r.stderr.decode())


def binary(b):
    """A file that is no text is refused at its first such byte"""
    b.file("image.conf", b"kernel=kernel\na\0b\n")
    r = b.cli("config", "check", "@image.conf")
    expect_equal(r.stderr, b"colinux: image.conf:2:2: control character 0x00\n")


def deep(b):
    """Files nested without end, and circles, are errors"""
    for i in range(40):
        b.file(f"{i}.conf", f"@{i + 1}.conf")
    r = b.cli("config", "check", "@0.conf")
    expect_in("nested more than", r.stderr.decode())
    b.file("a.conf", "x\n@b.conf")
    b.file("b.conf", "\n  @a.conf")
    r = b.cli("config", "check", "@a.conf")
    expect_in("a.conf:2:1: b.conf:2:3: @a.conf: the file includes itself", r.stderr.decode())


def long_line(b):
    """Lines, words and paths have no length limit"""
    b.file("long.conf", "kernel=kernel " + "#" * 100000 + "\ncobd0=/" + "x" * 5000)
    r = b.cli("config", "check", "@long.conf")
    expect_in("x" * 5000 + ": File name too long", r.stderr.decode())


CASES = [make_case(c) for c in sorted(HERE.glob("*.conf"))] + \
    [words, word_errors, json_of_any_bytes, binary, deep, long_line]
