# SPDX-License-Identifier: GPL-2.0
"""Programs under test, their VMs and connections to them."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("COLINUX_BUILD", ROOT / "build")).resolve()
PROGRAMS = BUILD / "tools-tests"
LIMIT = 30  # seconds for anything that should come

HELLO, ARGV, SHELL, INPUT, INPUT_END, OUTPUT, ERRORS, WINDOW, EXIT, FAIL, \
    SIGNAL, RESIZE, END, CLOSE = range(1, 15)


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_in(part, whole):
    expect(part in whole, f"expected {part!r} in {whole!r}")


def expect_equal(got, wanted):
    expect(got == wanted, f"expected {wanted!r}, got {got!r}")


def until(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        expect(time.monotonic() < end, f"in vain: {what}")
        time.sleep(0.01)


class Bench:
    """A folder with a runtime directory, and the programs run in it."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="colinux-"))
        self.env = dict(os.environ, COLINUX_RUNTIME_DIR=str(self.dir / "run"),
                        ASAN_OPTIONS="detect_leaks=1")
        self.children = []
        (self.dir / "kernel").write_bytes(b"\x7fELF")

    def file(self, name, content):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode())
        return path

    def environment(self, script, agent, delay):
        env = dict(self.env)
        env["COLINUX_TEST_SCRIPT"] = str(self.file("script", script))
        if agent:
            env["COLINUX_TEST_AGENT"] = str(PROGRAMS / "colinux-agent")
            env["COLINUX_TEST_AGENT_DELAY"] = str(delay)
        return env

    def daemon(self, script, *words, name="t", agent=False, delay=0,
               program="colinux-daemon"):
        """A daemon in the foreground, and waits until its VM runs."""
        ready, theirs = os.pipe()
        child = subprocess.Popen(
            [PROGRAMS / program, "--ready-fd", str(theirs),
             f"name={name}", f"kernel={self.dir}/kernel", *words],
            env=self.environment(script, agent, delay), cwd=self.dir,
            pass_fds=[theirs], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(theirs)
        self.children.append(child)
        line = os.fdopen(ready).readline()
        if line != f"ready {name}\n":
            raise Failure("no VM: " + child.communicate()[1].decode())
        return child

    def cli(self, *words, stdin=b"", env=None):
        return subprocess.run([PROGRAMS / "colinux", *map(str, words)],
                              input=stdin, capture_output=True,
                              env=env or self.env, cwd=self.dir,
                              timeout=LIMIT * 2)

    def starting_fails(self, script, *words, program="colinux-daemon"):
        """What a daemon that can't start says; its status must be 1."""
        r = subprocess.run([PROGRAMS / program, *map(str, words)],
                           env=self.environment(script, False, 0),
                           cwd=self.dir, capture_output=True, timeout=LIMIT)
        expect_equal(r.returncode, 1)
        return r.stderr.decode()

    def connect(self, name="t"):
        return Connection(self.dir / "run" / f"{name}.sock")

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            try:
                child.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                pass  # something that it started holds its output open
        shutil.rmtree(self.dir)


class Connection:
    def __init__(self, path, hello=True):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(LIMIT)
        self.s.connect(str(path))
        self.buffer = b""
        self.hello = self.line() if hello else None

    def close(self):
        self.s.close()

    def fill(self):
        data = self.s.recv(65536)
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\n" not in self.buffer:
            expect(self.fill(), "the daemon closed the connection")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def send(self, data):
        self.s.sendall(data)

    def request(self, verb, _id=1, **args):
        self.send(json.dumps({"id": _id, "verb": verb, "args": args})
                  .encode() + b"\n")

    def ask(self, verb, **args):
        self.request(verb, 7, **args)
        answer = self.line()
        expect_equal(answer["id"], 7)
        return answer

    def result(self, verb, **args):
        answer = self.ask(verb, **args)
        expect(answer["ok"], f"{verb}: {answer}")
        return answer["result"]

    def frame(self):
        """(type, payload), None at the end."""
        while len(self.buffer) < 12 or \
                len(self.buffer) < 12 + struct.unpack_from("<I", self.buffer, 8)[0]:
            if not self.fill():
                return None
        kind, _, n = struct.unpack_from("<III", self.buffer)
        payload, self.buffer = self.buffer[12:12 + n], self.buffer[12 + n:]
        return kind, payload

    def send_frame(self, kind, payload=b""):
        self.send(struct.pack("<III", kind, 0, len(payload)) + payload)

    def output_until(self, text):
        """Reads OUTPUT frames until `text` has come; all that came."""
        seen = b""
        while text not in seen:
            frame = self.frame()
            expect(frame, f"the end came before {text!r}: {seen!r}")
            if frame[0] == OUTPUT:
                seen += frame[1]
        return seen
