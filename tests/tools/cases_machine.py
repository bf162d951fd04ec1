# SPDX-License-Identifier: GPL-2.0
"""Processors and memory: many vCPUs, pinning, `set`, `stats`, many VMs."""

import json
import os
import pathlib
import signal
import subprocess
import time

from vm import PROGRAMS, expect, expect_equal, expect_in, until

WAITS = "power\nstop 1 bye\n"
FOLLOWS = "follows\n" + WAITS


def threads(daemon):
    """{name: task directory} of the daemon's threads."""
    tasks = pathlib.Path(f"/proc/{daemon.pid}/task").iterdir()
    return {(t / "comm").read_text().strip(): t for t in tasks}


def cpus_of(task):
    for line in (task / "status").read_text().splitlines():
        if line.startswith("Cpus_allowed_list:"):
            return line.split()[1]
    return None


def pinned(daemon, n):
    return [cpus_of(threads(daemon)[f"vcpu{i}"]) for i in range(n)]


def host_cpus():
    """Two CPUs that the daemon may use; the same one twice where there is but one."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[0], cpus[-1]


def set_fails(b, wanted, *words):
    before = b.connect().result("settings")
    r = b.cli("set", "t", *words)
    expect_equal(r.returncode, 1)
    expect_in(wanted, r.stderr.decode())
    expect_equal(b.connect().result("settings"), before)


def thread_each(b):
    """Each vCPU that may ever be online has a thread with its name"""
    d = b.daemon(WAITS, "cpus=2", "maxcpus=64")
    names = [n for n in threads(d) if n.startswith("vcpu")]
    expect_equal(sorted(names), sorted(f"vcpu{i}" for i in range(64)))
    info = b.connect().result("info")
    expect_equal((info["cpus"], info["cpus_max"]), (1, 64))
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 0)


def default_maxcpus(b):
    """Without maxcpus= there may be as many vCPUs as the host has CPUs, or as cpus= says"""
    host = os.sysconf("SC_NPROCESSORS_ONLN")
    b.daemon(WAITS)
    expect_equal(b.connect().result("info")["cpus_max"], min(host, 64))
    b.daemon(WAITS, f"cpus={min(host + 3, 64)}", name="u")
    expect_equal(b.connect("u").result("info")["cpus_max"], min(host + 3, 64))


def all_talk(b):
    """All vCPUs talk at the same time: no line is lost or torn, each one's are in order"""
    script = "follows\n" + "".join(f"@{i} lines 300 vcpu {i} line\n" for i in range(8))
    b.daemon(script, "cpus=8")
    wanted = {i: [f"vcpu {i} line {n}" for n in range(300)] for i in range(8)}
    c = b.connect()
    until(lambda: c.result("log")["text"].count("\n") == 2400, "all lines")
    lines = c.result("log")["text"].splitlines()
    for i, own in wanted.items():
        expect_equal([line for line in lines if line.startswith(f"vcpu {i} ")], own)


def no_races(b):
    """All vCPUs at the registers of the same devices at the same time, beside clients: no data race"""
    script = "follows\n@0 device 20000\n" + "".join(
        f"@{i} device 20000\n@{i} lines 100 vcpu {i}\n@{i} device 5000\n" for i in range(1, 6))
    b.file("disk", b"\0" * (1 << 20))
    d = b.daemon(script, "cpus=6", "maxcpus=8", "mem=64", "maxmem=128", "cobd0=disk", "eth0=slirp",
                 program="colinux-daemon-tsan")
    c = b.connect()
    until(lambda: c.result("log")["text"].count("\n") >= 500 or
          c.result("set", cpus=5, pin="all:0") and c.result("set", cpus=7, pin="none") and
          c.result("stats") and not c.result("info"), "the lines of five vCPUs")
    c.result("stop", force=True)
    d.wait(60)
    expect_equal(d.stderr.read(), b"colinux-daemon: t ended: killed: stopped by force\n")


def any_may_end(b):
    """Any vCPU may end the VM; the threads of all others end with it"""
    d = b.daemon("follows\nsleep 100000\n@5 sleep 100\n@5 stop 1 five\n", "cpus=6", "maxcpus=64")
    expect_equal(d.wait(30), 0)
    expect_equal(json.loads(b.cli("info", "--json", "t").stdout)["verdict"]["text"], "five")


def one_fails(b):
    """A RUN that fails on one vCPU ends all, and the verdict names it"""
    d = b.daemon("follows\nsleep 100000\n@2 fail 5\n", "cpus=4")
    expect_equal(d.wait(30), 1)
    expect_in(b"host: the driver can't run vCPU 2: Input/output error", d.stderr.read())


def restart_many(b):
    """A guest with many vCPUs that reboots comes again with what was set last; memory beyond mem= on demand"""
    _, last = host_cpus()
    b.daemon("follows\nsay first\npower\nstop 2\n--\nfollows\nsay second\npower\nstop 1 bye\n",
             "cpus=2", "maxcpus=8", "mem=64", "maxmem=128")
    c = b.connect()
    c.result("set", cpus=6, memory=96 << 20, pin=f"all:{last}")
    c.result("power", event="reboot")
    until(lambda: c.result("info")["reboots"] == 1, "the restart")
    s = c.result("settings")
    expect_equal((s["cpus"]["now"], s["mem"]["set"], s["mem"]["now"], s["pin"]["set"]),
                 (6, 96 << 20, 64 << 20, f"all:{last}"))
    expect_equal(c.result("stats")["memory_limit"], 96 << 20)


def pin_each(b):
    """pin=LIST: vCPU i runs on the i-th CPU of the list, which begins again at its end"""
    first, last = host_cpus()
    d = b.daemon(WAITS, "cpus=1", "maxcpus=4", f"pin={last},{first}")
    expect_equal(pinned(d, 4), [f"{last}", f"{first}"] * 2)
    expect_equal(b.connect().result("info")["pin"], f"{last},{first}")


def pin_all(b):
    """pin=all:LIST lets each vCPU run on each of them; pin=none and the daemon stay free"""
    first, last = host_cpus()
    d = b.daemon(WAITS, "maxcpus=3", f"pin=all:{last}")
    expect_equal(pinned(d, 3), [f"{last}"] * 3)
    everywhere = cpus_of(threads(d)["colinux-daemon"])
    expect_equal(b.cli("set", "t", "pin=none").returncode, 0)
    expect_equal(pinned(d, 3), [everywhere] * 3)
    expect_equal(b.cli("set", "t", f"pin={first}").returncode, 0)
    expect_equal(pinned(d, 3), [f"{first}"] * 3)
    expect_equal(cpus_of(threads(d)["colinux-daemon"]), everywhere)


def pin_absent(b):
    """A CPU that the host lacks is named, and those that it has, at start and by set"""
    online = pathlib.Path("/sys/devices/system/cpu/online").read_text().strip()
    said = b.starting_fails(WAITS, f"kernel={b.dir}/kernel", "pin=0,1000")
    expect_in(f"pin: the host has no CPU 1000, or it is offline: choose from {online}", said)
    b.daemon(WAITS, "pin=0")
    set_fails(b, f"no CPU 1000, or it is offline: choose from {online}", "pin=all:0,1000")
    set_fails(b, "neither none nor a list of CPUs", "pin=1-0")


def set_shows(b):
    """set without words shows what can be changed"""
    b.daemon(FOLLOWS, "cpus=2", "maxcpus=4", "mem=64", "maxmem=256", "pin=all:0")
    lines = b.cli("set", "t").stdout.decode().splitlines()
    expect_equal([line.split() for line in lines[:3]],
                 [["NAME", "SET", "NOW", "RANGE"], ["cpus", "2", "2", "1", "to", "4"],
                  ["mem", "256M", "64M", "32M", "to", "256M"]])
    expect_in("pin   all:0       CPUs of the host: ", lines[3])
    o = json.loads(b.cli("set", "--json", "t").stdout)
    expect_equal(o["mem"], {"set": 256 << 20, "now": 64 << 20, "min": 32 << 20, "max": 256 << 20})


def set_changes(b):
    """set changes vCPUs, memory and pinning and waits for the guest; more memory is a permission"""
    first, _ = host_cpus()
    d = b.daemon(FOLLOWS + "".join(f"@{i} say vcpu {i} came\n" for i in range(1, 4)),
                 "cpus=1", "maxcpus=4", "mem=512", "maxmem=1G")
    r = b.cli("set", "t", "cpus=4", "mem=128", f"pin=all:{first}")
    expect_equal((r.returncode, r.stdout, r.stderr), (0, b"", b""))
    info = b.connect().result("info")
    expect_equal((info["cpus"], info["memory"]), (4, 128 << 20))
    expect_equal(pinned(d, 4), [f"{first}"] * 4)
    until(lambda: "vcpu 3 came" in b.connect().result("log")["text"], "vCPU 3")
    o = json.loads(b.cli("set", "--json", "t", "mem=33", "cpus=2").stdout)
    expect_equal((o["cpus"]["now"], o["mem"]["now"]), (2, 34 << 20))
    o = json.loads(b.cli("set", "--json", "t", "mem=1G").stdout)
    expect_equal((o["mem"]["set"], o["mem"]["now"]), (1 << 30, 34 << 20))


def set_errors(b):
    """Wrong words of set are clear errors with status 1, and nothing changes"""
    b.daemon(FOLLOWS, "cpus=2", "maxcpus=4", "mem=64", "maxmem=128")
    set_fails(b, "the last vCPU can't be removed", "cpus=0")
    set_fails(b, "'65' is no number from 1 to 64", "cpus=65")
    set_fails(b, "cpus=5: this VM can have at most 4, its maxcpus", "cpus=5")
    set_fails(b, "mem=130M: this VM can have at most 128M, its maxmem", "mem=130")
    set_fails(b, "31 is too little: at least 32", "mem=31")
    set_fails(b, "'lots' is no size", "mem=lots")
    set_fails(b, "'kernel=x' is nothing that can be changed", "kernel=x")
    set_fails(b, "'quiet' is nothing that can be changed", "quiet")
    set_fails(b, "can have at most 4", "mem=96", "cpus=9", "pin=none")
    set_fails(b, "can have at most 128M", "cpus=1", "mem=1G")
    expect_in(b"no VM named nix runs", b.cli("set", "nix", "cpus=1").stderr)
    expect_in(b"no VM named nix runs", b.cli("set", "nix").stderr)


def set_requests(b):
    """The daemon checks by itself what comes over its socket"""
    b.daemon(FOLLOWS, "cpus=2", "maxcpus=4", "mem=64", "maxmem=128")
    c = b.connect()
    before = c.result("settings")
    for args, wanted in [({"cpus": 0}, "last vCPU"), ({"cpus": -1}, "args.cpus"),
                         ({"cpus": "2"}, "args.cpus"), ({"cpus": 1 << 33}, "at most 4"),
                         ({"memory": 1}, "args.memory"), ({"memory": -2097152}, "args.memory"),
                         ({"memory": 2097152}, "at least 32M"),
                         ({"memory": 1 << 62}, "at most 128M"), ({"memory": "64"}, "args.memory"),
                         ({"pin": 3}, "args.pin"), ({"pin": ""}, "pin: ''"),
                         ({"timeout": 0, "cpus": 1}, "args.timeout")]:
        answer = c.ask("set", **args)
        expect_equal(answer["ok"], False)
        expect_in(wanted, answer["error"])
    expect_equal(c.result("settings"), before)


def set_late(b):
    """A guest that doesn't follow in time: how far it came, and the wish stands"""
    b.daemon("follows 3 96\n" + WAITS, "cpus=1", "maxcpus=4", "mem=128", "maxmem=256")
    r = b.cli("set", "--timeout", "1", "t", "cpus=4", "mem=64")
    expect_equal(r.returncode, 1)
    expect_in(b"cpus=4, it has 3; mem=64M, it has 96M; the wish stands", r.stderr)
    s = b.connect().result("settings")
    expect_equal((s["cpus"]["set"], s["cpus"]["now"]), (4, 3))
    r = b.cli("set", "t", "cpus=2")
    expect_equal((r.returncode, r.stderr), (0, b""))


def set_refused(b):
    """What the driver refuses is an error, and what was done before it is undone"""
    b.daemon("follows 4 1\n" + WAITS, "cpus=2", "maxcpus=4", "mem=64", "maxmem=128")
    set_fails(b, "the driver refuses to change mem: nothing is changed: Operation not supported",
              "cpus=4", "mem=96", "pin=all:0")


def set_and_others(b):
    """A set that waits: others go on, a later set takes its place, the VM's end ends it"""
    d = b.daemon(WAITS, "maxcpus=4")
    one, two, three = b.connect(), b.connect(), b.connect()
    one.request("set", cpus=3)
    until(lambda: two.result("settings")["cpus"]["set"] == 3, "the wish")
    one.request("info")
    expect_in("a set waits on this connection", one.line()["error"])
    three.request("set", cpus=2)
    expect_in("another `set` has changed it", one.line()["error"])
    expect_equal(one.result("info")["state"], "running")
    d.send_signal(signal.SIGTERM)
    expect_in("the VM has ended", three.line()["error"])
    expect_equal(d.wait(30), 0)


def set_and_leave(b):
    """A client that goes while its set waits leaves nothing behind"""
    d = b.daemon(WAITS, "maxcpus=4")
    for _ in range(20):
        c = b.connect()
        c.request("set", cpus=3)
        c.close()
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 0)
    expect_equal(d.stderr.read(), b"")


def sizes_over(b):
    """mem over maxmem, maxmem over the host, cpus over maxcpus: the VM isn't made"""
    k = f"kernel={b.dir}/kernel"
    expect_in("mem=128M is more than maxmem=64M", b.starting_fails(WAITS, k, "mem=128", "maxmem=64"))
    said = b.starting_fails(WAITS, k, "mem=64", "maxmem=2048G")
    expect_in("maxmem=2097152M: the host has ", said)
    expect_in("M, and 256M of it stay its own: ask for less", said)
    expect_in("cpus=4 is more than maxcpus=2", b.starting_fails(WAITS, k, "cpus=4", "maxcpus=2"))
    expect_in("cpus: '0' is no number from 1 to 64", b.starting_fails(WAITS, k, "cpus=0"))


def stats_json(b):
    """stats tells memory, vCPUs, counters, each thread's times and each device's traffic"""
    b.daemon(FOLLOWS, "cpus=2", "maxcpus=3", "mem=64", "maxmem=128")
    c = b.connect()
    until(lambda: len(c.result("stats")["vcpus"]) == 3, "the threads' times")
    s = json.loads(b.cli("stats", "--json", "t").stdout)
    expect_equal((s["memory"], s["memory_max"], s["cpus"], s["cpus_max"]),
                 (64 << 20, 128 << 20, 2, 3))
    expect_equal((s["memory_free"], s["memory_returned"]), (16 << 20, 32 << 20))
    expect(s["switches"] >= 4711 and s["ns"] > 0 and s["steal_ns"] >= 0, f"counters: {s}")
    expect_equal([v["vcpu"] for v in s["vcpus"]], [0, 1, 2])
    expect_equal((s["devices"][0]["requests"], s["devices"][0]["bytes_read"],
                  s["devices"][0]["bytes_written"]), (3, 1000, 2000))
    every = json.loads(b.cli("stats", "--json").stdout)
    expect_equal([v["name"] for v in every], ["t"])
    expect_in(b"no VM named nix runs", b.cli("stats", "nix").stderr)


def stats_tables(b):
    """stats prints a line for each VM, and for one its devices"""
    b.daemon(FOLLOWS, "cpus=2", "maxcpus=3", "mem=64")
    b.daemon(WAITS, name="u")
    lines = b.cli("stats").stdout.decode().splitlines()
    expect_equal(lines[0].split()[:3], ["NAME", "CPUS", "MEMORY"])
    expect_equal(lines[1].split()[2:6], ["64M", "48M", "16M", "32M"])
    expect_equal([line.split()[:2] for line in lines[1:]],
                 [["t", "2/3"], ["u", f"1/{min(os.sysconf('SC_NPROCESSORS_ONLN'), 64)}"]])
    lines = b.cli("stats", "t").stdout.decode().splitlines()
    expect_equal([line.split() for line in lines[3:]],
                 [["DEVICE", "REQUESTS", "READ", "WRITTEN"], ["cocon", "3", "1000", "2000"]])


def stats_watch(b):
    """stats --watch looks again and again until the VM has ended"""
    d = b.daemon(FOLLOWS)
    watch = subprocess.Popen([PROGRAMS / "colinux", "stats", "--watch", "--json", "t"],
                             env=b.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    looks = [json.loads(watch.stdout.readline()) for _ in range(3)]
    expect(looks[0]["ns"] < looks[1]["ns"] < looks[2]["ns"], f"times: {looks}")
    d.send_signal(signal.SIGTERM)
    expect_equal(watch.wait(30), 1)
    expect_in(b"no VM named t runs", watch.stderr.read())
    watch.stdout.close()
    watch.stderr.close()


def sixteen(b):
    """Sixteen VMs at once: each has its name, and list shows processors and memory"""
    names = [f"vm{i:02}" for i in range(16)]
    for i, name in enumerate(names):
        b.daemon(FOLLOWS, f"cpus={i + 1}", f"mem={64 + 2 * i}", name=name)
    rows = [line.split() for line in b.cli("list").stdout.decode().splitlines()]
    expect_equal(rows[0], ["NAME", "STATE", "PID", "CPUS", "MEMORY", "VERDICT"])
    expect_equal([[r[0], r[1], r[3], r[4]] for r in rows[1:]],
                 [[n, "running", str(i + 1), f"{64 + 2 * i}M"] for i, n in enumerate(names)])
    said = b.starting_fails(WAITS, "name=vm07", f"kernel={b.dir}/kernel")
    expect_in("a VM named vm07 runs already", said)
    expect_equal(b.cli("stop", "vm07").returncode, 0)
    expect_in(b"vm07  ended", b.cli("list").stdout)
    expect_equal(len(json.loads(b.cli("stats", "--json").stdout)), 15)


def sigterm_late(b):
    """After SIGTERM a guest has so long as --stop-timeout says, then it is stopped"""
    d = b.daemon("sleep 100000\n", "--stop-timeout", "1")
    start = time.monotonic()
    d.send_signal(signal.SIGTERM)
    expect_equal(d.wait(30), 1)
    expect(time.monotonic() - start > 0.9, "it had less than its second")
    expect_in(b"killed: asked to power off, the guest didn't in time", d.stderr.read())


def complete(b, *words):
    script = (f'PATH={PROGRAMS}:$PATH; source <(colinux completion bash)\n'
              f'COMP_WORDS=(colinux {" ".join(repr(w) for w in words)})\n'
              f'COMP_CWORD={len(words)}\n_colinux\necho "${{COMPREPLY[@]}}"\n')
    r = subprocess.run(["bash", "-c", script], env=b.env, capture_output=True, timeout=60)
    expect_equal((r.returncode, r.stderr), (0, b""))
    return r.stdout.decode().split()


def completion(b):
    """bash completes verbs, options, names of VMs and keys"""
    b.daemon(WAITS, name="debian")
    expect_equal(complete(b, "st"), ["start", "stop", "stats"])
    expect_equal(complete(b, "stop", "--f"), ["--force"])
    expect_equal(complete(b, "attach", "d"), ["debian"])
    expect_equal(complete(b, "set", "debian", ""), ["cpus=", "mem=", "pin="])
    expect_equal(complete(b, "run", "max"), ["maxmem=", "maxcpus="])
    expect_equal(complete(b, "start", "cob"), ["cobd0="])
    expect_in(b"only for bash", b.cli("completion", "fish").stderr)


CASES = [thread_each, default_maxcpus, all_talk, no_races, any_may_end, one_fails, restart_many,
         pin_each, pin_all, pin_absent, set_shows, set_changes, set_errors, set_requests,
         set_late, set_refused, set_and_others, set_and_leave, sizes_over, stats_json,
         stats_tables, stats_watch, sixteen, sigterm_late, completion]
