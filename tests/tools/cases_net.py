# SPDX-License-Identifier: GPL-2.0
"""Network devices as the daemon's user meets them: forwards, link, capture. The
guest takes no frames; the back ends are the real ones."""

import pathlib
import socket
import struct
import subprocess

from vm import expect, expect_equal, expect_in, until, PROGRAMS

RUNS = "power\nstop 1 bye\n"


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port, address="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(5)
        return s.connect_ex((address, port)) == 0


def forwards(c):
    return [f["forward"] for f in c.result("port")["forwards"]]


def configured(b):
    """Forwards of the configuration listen on 127.0.0.1, and a note says so"""
    port = free_port()
    d = b.daemon(RUNS, f"eth0=slirp,,tcp:{port}:22")
    expect(listens(port), "nobody listens")
    expect(not listens(port, "127.0.0.2"), "it listens everywhere")
    expect_equal(forwards(b.connect()), [f"tcp:127.0.0.1:{port}:22"])
    b.cli("stop", "t")
    expect_in("ports are forwarded from 127.0.0.1 alone", d.communicate()[1].decode())
    expect(not listens(port), "it listens after the VM's end")


def everywhere(b):
    """A forward with * listens on all addresses"""
    port = free_port()
    b.daemon(RUNS, f"eth0=slirp,,tcp:*:{port}:22")
    expect(listens(port) and listens(port, "127.0.0.2"), "nobody listens")


def changed(b):
    """colinux port adds and removes them while the VM runs"""
    port = free_port()
    b.daemon(RUNS, "eth3=slirp")
    expect(not listens(port), "somebody listens")
    r = b.cli("port", "t", "add", f"tcp:{port}:80")
    expect_in(f"eth3    tcp:127.0.0.1:{port}:80\n", r.stdout.decode())
    expect(listens(port), "nobody listens")
    r = b.cli("port", "t", "eth3", "remove", f"tcp:{port}")
    expect_equal(r.returncode, 0)
    expect(not listens(port), "it listens still")
    expect_equal(forwards(b.connect()), [])


def in_use(b):
    """A port that somebody has is an error, and of several none is taken"""
    before = free_port()
    with socket.socket() as s:
        port = before + 1
        s.bind(("127.0.0.1", port))
        s.listen()
        said = b.starting_fails(RUNS, f"kernel={b.dir}/kernel",
                                f"eth0=slirp,,tcp:{port}:22")
        expect_in(f"eth0: tcp:127.0.0.1:{port}:22: the host's port can't be had: Address already in use", said)
        b.daemon(RUNS, "eth0=slirp")
        r = b.cli("port", "t", "add", f"tcp:{port - 1}:22:2")
        expect_equal(r.returncode, 1)
        expect_in(f"tcp:127.0.0.1:{port}:23: the host's port can't be had", r.stderr.decode())
        expect(not listens(port - 1), "one of two was taken")


def refused(b):
    """What can't be forwarded is told"""
    b.daemon(RUNS, "eth0=slirp", "eth1=switch,lan")
    port = free_port()
    b.cli("port", "t", "add", f"tcp:{port}:80")
    for words, wanted in [
            (["add", "tcp:80"], "'tcp:80': a port is missing"),
            (["add", f"tcp:{port}:81"], "File exists"),
            (["remove", "udp:1234"], "udp:1234: there is no such forward"),
            (["remove", f"tcp:{port}:79"], "there is no such forward"),
            (["eth1", "add", "tcp:1234:1"], "only ports of a slirp device"),
            (["eth2", "list"], "t has no network device 'eth2'"),
            (["drop"], "'drop': expected list, add FORWARD or remove FORWARD")]:
        r = b.cli("port", "t", *words)
        expect_equal(r.returncode, 1)
        expect_in(wanted, r.stderr.decode())
    expect_equal(forwards(b.connect()), [f"tcp:127.0.0.1:{port}:80"])


def none(b):
    """A VM without a slirp device says so"""
    b.daemon(RUNS)
    expect_in("only ports of a slirp device", b.connect().ask("port", add="tcp:1:1")["error"])
    expect_equal(forwards(b.connect()), [])


def link(b):
    """colinux link pulls the cable and puts it in"""
    b.daemon(RUNS, "eth0=slirp")
    for words, wanted in [([], "up"), (["down"], "down"), ([], "down"), (["up"], "up")]:
        r = b.cli("link", "t", "eth0", *words)
        expect_equal(r.stdout.decode(), f"eth0: link {wanted}\n")
    for words, wanted in [(["eth1"], "no network device 'eth1'"), (["eth0", "off"], "neither up nor down")]:
        r = b.cli("link", "t", *words)
        expect_equal(r.returncode, 1)
        expect_in(wanted, r.stderr.decode())


def capture(b):
    """A capture is a pcap file: header, then each frame with its length"""
    b.daemon(RUNS, "eth0=slirp")
    path = b.dir / "out.pcap"
    p = subprocess.Popen([PROGRAMS / "colinux", "capture", "t", "eth0", path], env=b.env)
    b.children.append(p)
    until(lambda: path.exists() and path.stat().st_size >= 24, "the header")
    b.cli("link", "t", "eth0", "down")
    b.cli("link", "t", "eth0", "up")
    until(lambda: path.stat().st_size >= 24 + 2 * 76, "two frames")
    b.cli("stop", "t")
    expect_equal(p.wait(10), 0)
    data = path.read_bytes()
    expect_equal(struct.unpack_from("<IHHIIII", data), (0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    at = 24
    for _ in range(2):
        _, micro, kept, size = struct.unpack_from("<IIII", data, at)
        expect(micro < 1000000, "microseconds")
        expect_equal((kept, size), (60, 60))
        expect_equal(data[at + 16:at + 22], b"\xff" * 6)
        at += 76
    expect_equal(at, len(data))
    expect_equal(path.stat().st_mode & 0o777, 0o600)


def no_file(b):
    """A file that can't be written, and a device that isn't there"""
    b.daemon(RUNS, "eth0=slirp")
    for words, wanted in [(["eth0", "/nowhere/x"], "cannot open /nowhere/x"), (["eth1", "x"], "no network device 'eth1'")]:
        r = b.cli("capture", "t", *words)
        expect_equal(r.returncode, 1)
        expect_in(wanted, r.stderr.decode())
    expect(not (b.dir / "x").exists(), "a file was made for nothing")


def switch_folder(b):
    """A switch is a folder of the user's alone, with a socket for each member"""
    b.daemon(RUNS, "eth0=switch,lan", "eth1=switch,lan")
    folder = b.dir / "run" / "switch-lan"
    expect_equal(folder.stat().st_mode & 0o777, 0o700)
    expect_equal(len(list(folder.iterdir())), 2)


def no_bridge(b):
    """A bridge that isn't there is named, with what to do"""
    if not pathlib.Path("/dev/net/tun").exists() or subprocess.run(["id", "-u"], capture_output=True).stdout != b"0\n":
        wanted = "eth0: "
    else:
        wanted = "eth0: nobridge is no bridge of this host; root can make one"
    expect_in(wanted, b.starting_fails(RUNS, f"kernel={b.dir}/kernel", "eth0=bridge,nobridge"))


CASES = [configured, everywhere, changed, in_use, refused, none, link, capture, no_file,
         switch_folder, no_bridge]
