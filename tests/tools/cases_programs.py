# SPDX-License-Identifier: GPL-2.0
"""Programs of execN=: started with the VM, gone with it, however it ends."""

import os
import signal
import time

from vm import LIMIT, expect, expect_equal, expect_in, until

WAITS = "power\nstop 1 bye\n"


def program(b, name, text):
    path = b.file(name, "#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def alive(pid):
    """A process that is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(b, name):
    path = b.dir / name
    until(lambda: path.exists() and path.read_text().endswith("\n"), f"{name} is written")
    return int(path.read_text())


def programs(b, name="t"):
    return {p["name"]: p for p in b.connect(name).result("info")["programs"]}


def stop(daemon):
    daemon.send_signal(signal.SIGTERM)
    expect_equal(daemon.wait(30), 0)


def starts_and_ends(b):
    """A program of execN= has its arguments and environment, is in `info`, and ends with the VM"""
    script = program(b, "helper", f"""
        trap 'echo asked >{b.dir}/asked; exit 0' TERM
        printf '%s\\n' "$@" >{b.dir}/words
        env >{b.dir}/env
        echo $$ >{b.dir}/pid
        while :; do sleep 0.05; done
        """)
    d = b.daemon(WAITS, f"""exec3={script},"a 'b  c' $HOME;* ""d e"" ''" """.strip())
    pid = pid_in(b, "pid")
    expect_equal((b.dir / "words").read_text().splitlines(), ["a", "b  c", "$HOME;*", "d e", ""])
    env = dict(line.split("=", 1) for line in (b.dir / "env").read_text().splitlines() if "=" in line)
    expect_equal(env["COLINUX_NAME"], "t")
    expect_equal(env["COLINUX_PID"], str(d.pid))
    expect_equal(env["COLINUX_SOCKET"], str(b.dir / "run/t.sock"))
    expect_equal(env["COLINUX_RUNTIME_DIR"], str(b.dir / "run"))
    p = programs(b)["exec3"]
    expect_equal((p["program"], p["running"], p["fate"]), (str(script), True, ""))
    expect_in(f"exec3 ({script}), pid ", b.cli("info", "t").stdout.decode())
    expect(alive(pid), "the program runs")
    stop(d)
    expect(not alive(pid), "it is gone when the daemon is")
    expect_equal((b.dir / "asked").read_text(), "asked\n")
    expect_in("ended with the VM", b.cli("info", "t").stdout.decode())


def deaf(b):
    """One that doesn't hear SIGTERM, and one that left for a session of its own, are killed"""
    script = program(b, "helper", f"""
        trap '' TERM
        setsid sh -c 'trap "" TERM; echo $$ >{b.dir}/far; while :; do sleep 0.1; done' &
        echo $$ >{b.dir}/near
        while :; do sleep 0.1; done
        """)
    d = b.daemon(WAITS, f"exec0={script}")
    near, far = pid_in(b, "near"), pid_in(b, "far")
    start = time.monotonic()
    stop(d)
    expect(time.monotonic() - start > 4, "they had time to end by themselves")
    expect(not alive(near) and not alive(far), "both are gone")


def daemon_killed(b):
    """Nothing of a program is left when the daemon is killed"""
    script = program(b, "helper", f"""
        (setsid sleep 1000 & echo $! >{b.dir}/far)
        echo $$ >{b.dir}/near
        exec sleep 1000
        """)
    d = b.daemon(WAITS, f"exec0={script}")
    near, far = pid_in(b, "near"), pid_in(b, "far")
    guard = programs(b)["exec0"]["pid"]
    d.kill()
    d.wait()
    until(lambda: not any(map(alive, (near, far, guard))), "all three are gone")


def guard_killed(b):
    """A program goes, too, when its guard is killed; the VM stays and `info` tells"""
    script = program(b, "helper", f"echo $$ >{b.dir}/near\nexec sleep 1000\n")
    d = b.daemon(WAITS, f"exec0={script}")
    near = pid_in(b, "near")
    os.kill(programs(b)["exec0"]["pid"], signal.SIGKILL)
    until(lambda: not alive(near), "the program is gone")
    until(lambda: not programs(b)["exec0"]["running"], "info tells")
    expect_equal(programs(b)["exec0"]["fate"], "ended by signal 9 (Killed)")
    stop(d)


def guard_stopped(b):
    """A guard that hangs doesn't keep the daemon from its end"""
    d = b.daemon(WAITS, 'exec0=sleep,"1000"')
    until(lambda: programs(b)["exec0"]["running"], "the program")
    os.kill(programs(b)["exec0"]["pid"], signal.SIGSTOP)
    d.send_signal(signal.SIGTERM)
    _, said = d.communicate(timeout=LIMIT)
    expect_equal(d.returncode, 0)
    expect_in(b"exec0: sleep left behind", said)


def deaths(b):
    """The death of a program is told and noted, and the VM goes on"""
    script = program(b, "helper", "exit 3\n")
    broken = b.file("broken", "no program\n")
    broken.chmod(0o755)
    d = b.daemon(WAITS, f"exec0={script}", "exec1=sh,\"-c 'kill -SEGV $$'\"", f"exec2={broken}")
    until(lambda: not any(p["running"] for p in programs(b).values()), "all have ended")
    fates = {n: p["fate"] for n, p in programs(b).items()}
    expect_equal(fates, {"exec0": "ended with status 3",
                         "exec1": "ended by signal 11 (Segmentation fault)",
                         "exec2": "ended with status 127"})
    expect_in(f"exec0 ({script}), ended with status 3", b.cli("info", "t").stdout.decode())
    d.send_signal(signal.SIGTERM)
    said = d.communicate(timeout=30)[1].decode()
    expect_equal(d.returncode, 0)
    expect_in(f"exec0: {script} ended with status 3\n", said)
    expect_in(f"{broken}: Exec format error\n", said)


def fork_and_go(b):
    """A program that goes into the background by itself runs on, and ends with the VM"""
    script = program(b, "helper", f"(sleep 1000 & echo $! >{b.dir}/child)\nexit 0\n")
    d = b.daemon(WAITS, f"exec0={script}")
    child = pid_in(b, "child")
    time.sleep(0.3)
    expect(programs(b)["exec0"]["running"] and alive(child), "it runs on")
    stop(d)
    expect(not alive(child), "it is gone")


def missing(b):
    """A program that isn't there is an error before the VM is made"""
    base = (f"name=t kernel={b.dir}/kernel").split()
    expect_in("cannot start t: exec0: /nowhere/x: No such file or directory",
              b.starting_fails(WAITS, *base, "exec0=/nowhere/x"))
    expect_in("exec1: no-such-program: there is no such program in PATH",
              b.starting_fails(WAITS, *base, "exec1=no-such-program,-x"))


def survives_reboot(b):
    """A guest's reboot is none of a program's business"""
    script = program(b, "helper", f"echo $$ >>{b.dir}/pid\nexec sleep 1000\n")
    d = b.daemon("stop 2 reboot\n--\n" + WAITS, f"exec0={script}")
    pid = pid_in(b, "pid")
    until(lambda: b.connect().result("info")["reboots"] == 1, "the reboot")
    expect(alive(pid), "the program runs")
    stop(d)
    expect(not alive(pid), "it is gone")
    expect_equal(len((b.dir / "pid").read_text().split()), 1)


CASES = [starts_and_ends, deaf, daemon_killed, guard_killed, guard_stopped, deaths, fork_and_go, missing,
         survives_reboot]
