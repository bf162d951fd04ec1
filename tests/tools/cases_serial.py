# SPDX-License-Identifier: GPL-2.0
"""Serial lines and more consoles, with a guest that echoes."""

import os
import pty
import resource
import select
import socket
import subprocess
import time
import tty

from vm import INPUT, LIMIT, PROGRAMS, expect, expect_equal, expect_in, until

WAITS = "say hello\npower\nstop 1 bye\n"
PATTERN = b"".join(b"%07d\n" % i for i in range(20000))


def lines(b):
    c = b.connect()
    result = c.result("info")["lines"]
    c.close()
    return result


def echo(read, write, data):
    """Writes it in pieces, reads all of it back."""
    seen = b""
    for at in range(0, len(data), 3000):
        write(data[at:at + 3000])
        while len(seen) < min(at + 3000, len(data)):
            piece = read()
            expect(piece, "the line ended")
            seen += piece
    expect(seen == data, "what came back differs")


def by_socket(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(LIMIT)
    s.connect(str(path))
    return s


def serial_unix(b):
    """A line on a socket: one client at a time, the next one after it has gone"""
    b.daemon(WAITS, f"ttys0=unix:{b.dir}/s")
    expect_equal(os.stat(b.dir / "s").st_mode & 0o777, 0o600)
    for _ in range(3):
        s = by_socket(b.dir / "s")
        echo(lambda: s.recv(65536), s.sendall, PATTERN)
        expect(lines(b)[0]["connected"], "not connected")
        second = by_socket(b.dir / "s")
        expect_equal(second.recv(1), b"")
        s.close()
        until(lambda: not lines(b)[0]["connected"], "the end of a client")


def serial_stale(b):
    """The socket of a daemon that was killed gives way, another file doesn't"""
    d = b.daemon(WAITS, f"ttys0=unix:{b.dir}/s")
    d.kill()
    d.wait()
    expect((b.dir / "s").exists(), "no socket was left")
    b.daemon(WAITS, f"ttys0=unix:{b.dir}/s")
    by_socket(b.dir / "s").close()
    b.file("file", "precious")
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel",
                            f"ttys1=unix:{b.dir}/file")
    expect_in(f"ttys1: cannot listen on {b.dir}/file", said)
    expect_equal((b.dir / "file").read_text(), "precious")
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel",
                            f"ttys1=unix:{b.dir}/s")
    expect_in("Address already in use", said)


def ticks(pid):
    """What a process has used of processors, in hundredths of a second"""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def serial_no_descriptors(b):
    """A client for whom there is no descriptor waits for one, and the loop sleeps"""
    d = b.daemon(WAITS, f"ttys0=unix:{b.dir}/s")
    was = resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
    expect({"0", "1", "2"} <= set(os.listdir(f"/proc/{d.pid}/fd")), "one of the first is free")
    resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (3, was[1]))
    s = by_socket(b.dir / "s")
    s.sendall(b"patient")
    before = ticks(d.pid)
    time.sleep(1.5)
    expect(ticks(d.pid) - before < 10, "the loop turned while there was no descriptor")
    expect_equal(select.select([s], [], [], 0)[0], [])
    resource.prlimit(d.pid, resource.RLIMIT_NOFILE, was)
    expect_equal(s.recv(65536), b"patient")


def serial_half(b):
    """A client that writes no more still gets the answer"""
    b.daemon(WAITS, f"ttys0=unix:{b.dir}/s")
    s = by_socket(b.dir / "s")
    s.sendall(b"question")
    s.shutdown(socket.SHUT_WR)
    expect_equal(s.recv(100), b"question")
    s.close()
    until(lambda: not lines(b)[0]["connected"], "the end of the client")


def serial_connect(b):
    """A line to somebody's socket waits for him, and comes again"""
    path = b.dir / "theirs"
    b.daemon(WAITS, f"ttys3=unix-connect:{path}")
    expect_equal(lines(b)[0]["why"], "No such file or directory")
    for _ in range(2):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen()
        server.settimeout(LIMIT)
        s, _ = server.accept()
        s.settimeout(LIMIT)
        echo(lambda: s.recv(65536), s.sendall, PATTERN)
        s.close()
        server.close()
        path.unlink()
        until(lambda: not lines(b)[0]["connected"], "the end of the server")


def serial_pty(b):
    """A pseudo terminal with a link is raw, and can be opened again"""
    b.daemon(WAITS, f"ttys0=pty:{b.dir}/line", "ttys7=pty")
    expect_equal(lines(b)[0]["place"], os.readlink(b.dir / "line"))
    for _ in range(2):
        until(lambda: not lines(b)[0]["connected"], "nobody there")
        fd = os.open(b.dir / "line", os.O_RDWR | os.O_NOCTTY)
        until(lambda: lines(b)[0]["connected"], "somebody there")
        data = bytes(range(256)) * 40
        echo(lambda: os.read(fd, 65536), lambda d: os.write(fd, d), data)
        os.close(fd)
    b.connect().result("stop", force=True)
    until(lambda: not (b.dir / "line").is_symlink(), "the link's end")


def serial_pty_link(b):
    """A link that isn't to a pseudo terminal stays, as does one of another VM"""
    (b.dir / "line").symlink_to(b.file("file", "content"))
    expect_in("line", b.starting_fails(WAITS, f"kernel={b.dir}/kernel",
                                       f"ttys0=pty:{b.dir}/line"))
    expect_equal(os.readlink(b.dir / "line"), str(b.dir / "file"))
    (b.dir / "line").unlink()
    b.daemon(WAITS, f"ttys0=pty:{b.dir}/line")
    (b.dir / "line").unlink()
    (b.dir / "line").symlink_to("/dev/pts/none")
    c = b.connect()
    c.result("stop", force=True)
    until(lambda: not c.fill(), "the daemon's end")
    expect_equal(os.readlink(b.dir / "line"), "/dev/pts/none")


def serial_device(b):
    """A terminal of the host: mode set, nobody else may have it, its end is told"""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    b.daemon(WAITS, f'ttys0={name},"BAUD=9600 DATA=7 parity=e STOP=2"')
    speed = tty.tcgetattr(slave)
    expect_equal(speed[4], tty.B9600)
    expect(speed[2] & tty.CSTOPB, "one stop bit")
    expect(not speed[3] & tty.ECHO, "it isn't raw")
    os.close(slave)
    echo(lambda: os.read(master, 65536), lambda d: os.write(master, d), PATTERN[:9000])
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel", f"ttys0={name}")
    expect_in("another program has it", said)
    os.close(master)
    until(lambda: not lines(b)[0]["connected"], "the end of the device")
    until(lambda: name in lines(b)[0]["why"], "a reason")
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel", "ttys0=/dev/null")
    expect_in("ttys0: /dev/null: is no terminal", said)
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel",
                            "ttys0=/dev/absent")
    expect_in("ttys0: /dev/absent: No such file", said)


def serial_stdio(b):
    """The daemon's standard input and output are a line, without the console's text"""
    env = b.environment(WAITS, False, 0)
    p = subprocess.Popen([PROGRAMS / "colinux-daemon", "name=t", f"kernel={b.dir}/kernel",
                          "ttys0=stdio"], env=env, cwd=b.dir, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    b.children.append(p)
    p.stdin.write(b"typed")
    p.stdin.flush()
    expect_equal(os.read(p.stdout.fileno(), 100), b"typed")
    b.connect().result("stop", force=True)
    said = b.starting_fails(WAITS, "name=u", f"kernel={b.dir}/kernel", "ttys0=stdio",
                            "--background")
    expect_in("in the background", said)


def consoles(b):
    """Each console is another one: output, scrollback, log, and clients"""
    b.daemon(WAITS, "consoles=3", f"log={b.dir}/log")
    first, second, third = b.connect(), b.connect(), b.connect()
    first.result("attach")
    first.output_until(b"hello\n")
    second.result("attach", port=2)
    second.send_frame(INPUT, b"second")
    second.output_until(b"second")
    third.result("attach", port=2)
    third.output_until(b"second")
    c = b.connect()
    expect_equal(c.result("log", port=2)["text"], "second")
    expect_equal(c.result("log", port=1)["text"], "")
    expect_in("args.port", c.ask("attach", port=3)["error"])
    expect_equal([x["device"] for x in c.result("info")["consoles"]],
                 ["hvc0", "hvc1", "hvc2"])
    r = b.cli("log", "--console", "2", "t")
    expect_equal(r.stdout, b"second")
    r = b.cli("attach", "--console", "7", "t")
    expect_equal(r.returncode, 1)
    expect_in(b"args.port is no number from 0 to 2", r.stderr)
    r = b.cli("info", "t")
    expect_in(b"consoles:     0: /dev/hvc0", r.stdout)


CASES = [serial_unix, serial_stale, serial_no_descriptors, serial_half, serial_connect, serial_pty,
         serial_pty_link, serial_device, serial_stdio, consoles]
