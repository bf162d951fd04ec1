# SPDX-License-Identifier: GPL-2.0
"""The control socket and the VM's life."""

import json
import os
import signal
import struct
import time

from vm import (END, INPUT, OUTPUT, RESIZE, Failure, expect, expect_equal,
                expect_in, until)

WAITS = "say hello\npower\nstop 1 bye\n"


def two_attached(b):
    """Two clients at the console see the same output, and one's input reaches both"""
    b.daemon(WAITS)
    one, two = b.connect(), b.connect()
    one.result("attach")
    two.result("attach")
    one.output_until(b"hello\n")
    two.output_until(b"hello\n")
    one.send_frame(INPUT, b"typed")
    one.output_until(b"typed")
    two.output_until(b"typed")


def scrollback(b):
    """Who attaches late gets what was said before"""
    b.daemon("say early\nsay words\npower\nstop 1 bye\n")
    c = b.connect()
    until(lambda: "words" in c.result("log")["text"], "the log")
    c.result("attach")
    expect_in(b"early\nwords\n", c.output_until(b"words\n"))


def garbage(b):
    """A guest's garbage on the console leaves info and log readable, and terminals alone"""
    b.daemon(WAITS)
    c = b.connect()
    c.result("attach")
    c.output_until(b"hello\n")
    c.send_frame(INPUT, b"a\0b \xff \xc2\x9b2J \x1b[2J \x7f end\xc3\xa4\tof it\n")
    c.output_until(b"of it\n")
    shown = b.cli("info", "t")
    expect_equal(shown.stderr, b"")
    expect_in("  a\ufffdb \ufffd ?2J ?[2J ? end\u00e4\tof it\n".encode(), shown.stdout)
    expect_in(b"of it", b.cli("log", "t").stdout)
    expect_equal(b.cli("info", "--json", "t").returncode, 0)
    expect_equal(b.cli("stop", "t").returncode, 0)
    expect_in(b"poweroff", b.cli("info", "t").stdout)


def much_input(b):
    """Input that the console takes in pieces arrives whole"""
    b.daemon(WAITS)
    c = b.connect()
    c.result("attach")
    data = b"".join(b"%06d\n" % i for i in range(20000))
    seen = c.output_until(b"hello\n").split(b"hello\n", 1)[1]
    for at in range(0, len(data), 30000):
        c.send_frame(INPUT, data[at:at + 30000])
        while len(seen) < min(at + 30000, len(data)):
            kind, payload = c.frame()
            expect_equal(kind, OUTPUT)
            seen += payload
    expect(seen == data, "the echo differs")


def unread_stream(b):
    """A client whose queue overflows with the answer to attach or capture is gone"""
    b.daemon(WAITS, "eth0=slirp")
    watcher = b.connect()
    watcher.result("attach")
    watcher.output_until(b"hello\n")
    for verb, args in ("attach", {}), ("capture", {"device": "eth0"}):
        # The queue's 8 MiB, and what the socket takes beside, which the host chooses.
        for more in range(60000, 300000, 50000):
            c = b.connect()
            rest = (8 << 20) + more
            try:
                while rest > 0:
                    c.request("none", _id="x" * min(rest, 4000))
                    rest -= 4100
                c.request(verb, _id="x" * 64000, **args)
            except OSError:
                pass  # closed before that
            b.connect().result("link", device="eth0", up=False)
            b.connect().result("link", device="eth0", up=True)
            c.close()
            watcher.send_frame(INPUT, b"alive")
            watcher.output_until(b"alive")


def stop_orderly(b):
    """stop asks the guest and answers when the VM has ended; status 0"""
    d = b.daemon(WAITS)
    console, c = b.connect(), b.connect()
    console.result("attach")
    result = c.result("stop")
    expect_equal(result["verdict"]["name"], "poweroff")
    expect_equal(result["state"], "ended")
    expect_in(b"power: off", console.output_until(b"power: off"))
    kind, verdict = console.frame()
    expect_equal(kind, END)
    expect_equal(json.loads(verdict)["text"], "bye")
    expect_equal(console.frame(), None)
    expect_equal(d.wait(30), 0)
    expect(not (b.dir / "run/t.sock").exists(), "the socket is still there")


def stop_force(b):
    """stop with force ends a guest that doesn't listen; status 1"""
    d = b.daemon("sleep 100000\n")
    result = b.connect().result("stop", force=True)
    expect_equal(result["verdict"]["name"], "killed")
    expect_equal(d.wait(30), 1)
    expect_in(b"killed", d.stderr.read())


def stop_late(b):
    """A guest that doesn't power off in time is stopped"""
    d = b.daemon("sleep 100000\n")
    result = b.connect().result("stop", timeout=1)
    expect_equal(result["verdict"]["name"], "killed")
    expect_in("in time", result["verdict"]["text"])
    expect_equal(d.wait(30), 1)


def signals(b):
    """SIGHUP changes nothing, SIGTERM asks, a second SIGTERM stops at once"""
    d = b.daemon("sleep 500\nsleep 100000\n")
    d.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    expect_equal(b.connect().result("info")["state"], "running")
    d.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    expect_equal(b.connect().result("info")["state"], "running")
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 1)


def sigterm_orderly(b):
    """SIGTERM is a power-off for the guest; status 0"""
    d = b.daemon(WAITS)
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 0)


def panic(b):
    """After a panic info tells cause and last lines, from the file; status 1"""
    lines = "".join(f"say line {i}\n" for i in range(60))
    d = b.daemon(lines + "stop 4 Kernel panic: Attempted to kill init!\n")
    expect_equal(d.wait(30), 1)
    expect_in(b"panic: Kernel panic: Attempted to kill init!", d.stderr.read())
    r = b.cli("info", "--json", "t")
    expect_equal(r.returncode, 0)
    info = json.loads(r.stdout)
    expect_equal(info["verdict"]["name"], "panic")
    expect_equal(info["state"], "ended")
    expect_equal(info["log"], [f"line {i}" for i in range(20, 60)])
    expect_in(b"verdict:      panic: Kernel panic", b.cli("info", "t").stdout)
    expect_in(b"line 59", b.cli("log", "t").stdout)


def killed_daemon(b):
    """After kill -9 of the daemon info doesn't tell an older verdict"""
    d = b.daemon("sleep 100000\n")
    d.kill()
    d.wait(30)
    expect_equal(json.loads(b.cli("info", "--json", "t").stdout)["state"], "lost")
    b.daemon(WAITS)
    expect_equal(b.connect().result("info")["state"], "running")


def reboot(b):
    """A guest that reboots is started again, its console's clients stay"""
    d = b.daemon("say first\nstop 2\n--\nsay second\npower\nstop 1 bye\n")
    c = b.connect()
    c.result("attach")
    c.output_until(b"second\n")
    info = b.connect().result("info")
    expect_equal(info["reboots"], 1)
    expect_in("1 resets", info["devices"][0]["detail"])
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 0)


def reboot_fails(b):
    """When the VM can't be made again after a reboot the verdict says why"""
    d = b.daemon("stop 2\n--\ncreate 12\n")
    expect_equal(d.wait(30), 1)
    info = json.loads(b.cli("info", "--json", "t").stdout)
    expect_equal(info["verdict"]["name"], "host")
    expect_in("no such memory", info["verdict"]["text"])


def run_fails(b):
    """A RUN that fails is a verdict of the host"""
    d = b.daemon("fail 5\n")
    expect_equal(d.wait(30), 1)
    expect_in(b"Input/output error", d.stderr.read())


def same_name(b):
    """A second VM of the same name is refused with the first one's pid"""
    d = b.daemon(WAITS)
    said = b.starting_fails(WAITS, "name=t", f"kernel={b.dir}/kernel")
    expect_in("a VM named t runs already", said)
    expect_in(f"pid {d.pid}", said)
    expect_equal(b.connect().result("info")["state"], "running")


def bad_requests(b):
    """Malformed JSON, unknown verbs and wrong arguments leave the connection usable"""
    b.daemon(WAITS)
    c = b.connect()
    for line, wanted in [
            (b"{nonsense\n", "malformed JSON"),
            (b"[1, 2]\n", "no JSON object"),
            (b"\xff\xfe\x00\n", "malformed JSON"),
            (b'{"id": 1}\n', 'no "verb"'),
            (b'{"id": 1, "verb": 5}\n', 'no "verb"'),
            (b'{"id": 1, "verb": "dance"}\n', "unknown verb 'dance'"),
            (b'{"id": 1, "verb": "info", "args": []}\n', "no object"),
            (b'{"id": 1, "verb": "info", "verb": "x"}\n', "malformed JSON"),
            (b'{"id": 1, "verb": "attach", "args": {"port": 3}}\n', "args.port"),
            (b'{"id": 1, "verb": "resize", "args": {"columns": "a"}}\n', "args.columns"),
            (b'{"id": 1, "verb": "resize"}\n', "missing"),
            (b'{"id": 1, "verb": "stop", "args": {"force": 1}}\n', "args.force"),
            (b'{"id": 1, "verb": "power", "args": {"event": "x"}}\n', "args.event"),
            (b'{"id": 1, "verb": "exec", "args": {}}\n', "args.argv"),
            (b'{"id": 1, "verb": "exec", "args": {"argv": [1]}}\n', "args.argv[0]"),
            (b'{"id": 1, "verb": "exec", "args": {"argv": ["x"], "shell": 5}}\n', "either args.argv"),
            (b'{"id": 1, "verb": "exec", "args": {"argv": ["x"], "shell": "x"}}\n', "either args.argv"),
            (b'{"id": 1, "verb": "exec", "args": {"shell": 5}}\n', "args.shell is no string"),
            (b'{"id": 1, "verb": "exec", "args": {"argv": "x"}}\n', "args.argv is no array"),
            (b'{"id": 1, "verb": "exec", "args": {"argv": []}}\n', "empty"),
            (b"[" * 5000 + b"\n", "malformed JSON")]:
        c.send(line)
        answer = c.line()
        expect_equal(answer["ok"], False)
        expect_in(wanted, answer["error"])
    expect_equal(c.result("info")["name"], "t")


def long_line(b):
    """A line that is too long is refused, the next one is answered"""
    b.daemon(WAITS)
    c = b.connect()
    for _ in range(40):
        c.send(b"x" * 10000)
    c.send(b"\n")
    expect_in("longer than 65536", c.line()["error"])
    expect_equal(c.result("info")["name"], "t")


def several_in_one(b):
    """Several requests in one packet, and one in many, are answered in order"""
    b.daemon(WAITS)
    c = b.connect()
    c.send(b'{"id":1,"verb":"stats"}\n\n{"id":"two","verb":"log"}\n{"id":3,"ve')
    time.sleep(0.05)
    c.send(b'rb":"info"}\n')
    expect_equal([c.line()["id"] for _ in range(3)], [1, "two", 3])


def bad_frames(b):
    """A client that sends no frame after attach loses its connection, nobody else"""
    b.daemon(WAITS)
    for junk in [b"\x00" * 12, b"\xff" * 12, struct.pack("<III", INPUT, 0, 1 << 30),
                 struct.pack("<III", RESIZE, 0, 1) + b"x",
                 struct.pack("<III", END, 0, 0)]:
        c = b.connect()
        c.result("attach")
        c.send(junk)
        while c.frame():
            pass
    expect_equal(b.connect().result("info")["state"], "running")


def sizes(b):
    """The console has the configured size, and takes others from clients"""
    b.daemon(WAITS, "cocon=100x40")
    c = b.connect()
    expect_in("100x40", c.result("info")["devices"][0]["detail"])
    c.result("resize", columns=132, rows=50)
    expect_in("132x50", c.result("info")["devices"][0]["detail"])
    a = b.connect()
    a.result("attach")
    a.send_frame(RESIZE, struct.pack("<HH", 90, 30))
    until(lambda: "90x30" in c.result("info")["devices"][0]["detail"], "the size")


def power_events(b):
    """power passes reboot and ctrl-alt-del to the guest"""
    b.daemon("power\npower\npower\nstop 1 bye\n")
    c, console = b.connect(), b.connect()
    console.result("attach")
    c.result("power", event="cad")
    console.output_until(b"power: cad")
    c.result("power", event="reboot")
    console.output_until(b"power: reboot")


def many_connections(b):
    """The 65th connection is refused with a reason; others go on"""
    b.daemon(WAITS)
    all_ = [b.connect() for _ in range(64)]
    late = b.connect()
    expect_in("too many connections", late.hello["error"])
    expect_equal(all_[5].result("info")["state"], "running")
    for c in all_:
        c.close()
    until(lambda: "error" not in b.connect().hello, "a free place")


def lazy_reader(b):
    """A client that doesn't read what the console says is dropped, the VM goes on"""
    b.daemon(WAITS)
    lazy, busy = b.connect(), b.connect()
    lazy.result("attach")
    busy.result("attach")
    for _ in range(600):
        busy.send_frame(INPUT, b"z" * 32000)
        got = 0
        while got < 32000:
            frame = busy.frame()
            expect(frame, "the other client was dropped, too")
            got += len(frame[1])
    expect_equal(b.connect().result("info")["state"], "running")
    lazy.s.settimeout(5)
    while lazy.fill():
        lazy.buffer = b""


def protocol_mismatch(b):
    """The hello tells protocol, version, name and pid"""
    d = b.daemon(WAITS)
    h = b.connect().hello
    expect_equal((h["hello"], h["protocol"], h["name"], h["pid"]),
                 ("colinux", 1, "t", d.pid))


def foreground_output(b):
    """In the foreground the daemon prints the console, with -k it doesn't"""
    d = b.daemon("say on the terminal\nstop 1\n")
    expect_in(b"on the terminal\n", d.communicate(timeout=30)[0])
    d = b.daemon("say on the terminal\nstop 1\n", "-k")
    expect_equal(d.communicate(timeout=30)[0], b"")


def pidfile(b):
    """-p writes the pid and removes the file at the end"""
    d = b.daemon(WAITS, "-p", "pid")
    expect_equal((b.dir / "pid").read_text(), f"{d.pid}\n")
    d.send_signal(signal.SIGTERM)
    d.wait(30)
    expect(not (b.dir / "pid").exists(), "the pid file is still there")


def failed_start(b):
    """A start that fails late leaves nothing of its own, and others' files"""
    run = b.dir / "run"
    (run / "t.sock").mkdir(parents=True)
    b.file("pid", "4711\n")
    b.file("base", b"\0" * 65536)
    said = b.starting_fails(WAITS, "name=t", f"kernel={b.dir}/kernel", "-p", b.dir / "pid",
                            "eth0=switch,lan", f"cobd0={b.dir}/base,overlay={b.dir}/over",
                            program="colinux-daemon-tsan")
    expect_in("cannot listen on control socket", said)
    expect_equal(sorted(os.listdir(run)), ["t.lock", "t.sock"])
    expect_equal((b.dir / "pid").read_text(), "4711\n")
    expect(not (b.dir / "over").exists(), "the overlay is there")
    (run / "t.sock").rmdir()
    b.daemon(WAITS, f"cobd0={b.dir}/base,overlay={b.dir}/over", program="colinux-daemon-tsan")
    expect_equal(b.cli("stop", "t").returncode, 0)
    expect((b.dir / "over").exists(), "the overlay is gone")


def socket_mode(b):
    """Socket and runtime directory are the user's alone"""
    b.daemon(WAITS)
    expect_equal(oct(os.stat(b.dir / "run").st_mode & 0o777), "0o700")
    expect_equal(oct(os.stat(b.dir / "run/t.sock").st_mode & 0o777), "0o600")


CASES = [two_attached, scrollback, garbage, much_input, unread_stream, stop_orderly,
         stop_force, stop_late, signals, sigterm_orderly, panic, killed_daemon, reboot,
         reboot_fails, run_fails, same_name, bad_requests, long_line,
         several_in_one, bad_frames, sizes, power_events, many_connections,
         lazy_reader, protocol_mismatch, foreground_output, pidfile, failed_start,
         socket_mode]
