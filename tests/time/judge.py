#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares two logs of `clocks` by the TSC, which host and guest share.

judge.py steps FOLDER          after each step of the host's clock
judge.py rates FOLDER SETTLE LIMIT  while the host's clock runs at other rates:
                               from SETTLE s after a change the slope of the
                               difference is 0 within LIMIT ppm and 3 errors
judge.py own FOLDER            the guest's own discipline stays as it is
"""

import bisect
import pathlib
import statistics
import sys

RIGHT_NS = 10_000_000  # what the guest may differ after a step
LATE_S = 0.3  # so long after it: the guest may be busy writing its log


def lines(path, word):
    return [tuple(map(int, line.split()[1:3])) for line in path.read_text().splitlines()
            if line.startswith(word + " ") and len(line.split()) >= 3]


class Log:
    """The host's clock as a function of the TSC."""

    def __init__(self, folder, name):
        self.host = lines(folder / f"{name}.host", "clock")
        self.guest = lines(folder / f"{name}.guest", "clock")
        changes = folder / f"{name}.changes"
        self.steps = lines(changes, "step")
        self.rates = lines(changes, "rate")
        self.tscs = [tsc for tsc, _ in self.host]
        # Where no step is the host's clock and its TSC give the frequency.
        pairs = zip(self.host, self.host[1:])
        self.per_second = statistics.median(
            (b[0] - a[0]) / (b[1] - a[1]) for a, b in pairs if b[1] > a[1]) * 1e9

    def host_at(self, tsc):
        """None outside the log, and in an interval with a step in it."""
        i = bisect.bisect(self.tscs, tsc)
        if not 0 < i < len(self.host):
            return None
        (t0, w0), (t1, w1) = self.host[i - 1], self.host[i]
        if any(t0 <= step <= t1 for step, _ in self.steps):
            return None
        return w0 + (w1 - w0) * (tsc - t0) / (t1 - t0)

    def differences(self):
        """(seconds since the first reading, guest - host in ns, TSC)"""
        for tsc, wall in self.guest:
            host = self.host_at(tsc)
            if host is not None:
                yield (tsc - self.tscs[0]) / self.per_second, wall - host, tsc


def judge_steps(log):
    problems, notes = [], []
    found = list(log.differences())
    for i, (at, ns) in enumerate(log.steps):
        end = log.steps[i + 1][0] if i + 1 < len(log.steps) else float("inf")
        after = [(t, d) for t, d, tsc in found if at < tsc < end]
        start = (at - log.tscs[0]) / log.per_second
        late = [(t - start, d) for t, d in after if t - start > LATE_S]
        wrong = [(t, d) for t, d in late if abs(d) > RIGHT_NS]
        right = [t - start for t, d in after if abs(d) <= RIGHT_NS]
        worst = max((abs(d) for _, d in late), default=0)
        notes.append(f"step {ns / 1e9:+.3f} s: {len(late)} readings later than {LATE_S} s, "
                     f"at most {worst / 1000:.1f} us off; first right one after "
                     f"{min(right, default=float('nan')) * 1000:.0f} ms")
        problems += [f"{t:.3f} s after the step by {ns / 1e9} s the guest is {d / 1e6:.3f} ms off"
                     for t, d in wrong[:3]]
    last = [d for t, d, tsc in found if tsc > log.steps[-1][0]]
    if len(found) < 100 or not last:
        problems.append(f"only {len(found)} readings, {len(last)} after the last step")
    return problems, notes


def slope(points):
    """Slope and its standard error, of a least-squares line."""
    n = len(points)
    mx = sum(x for x, _ in points) / n
    my = sum(y for _, y in points) / n
    sxx = sum((x - mx) ** 2 for x, _ in points)
    b = sum((x - mx) * (y - my) for x, y in points) / sxx
    rest = sum((y - my - b * (x - mx)) ** 2 for x, y in points)
    return b, (rest / (n - 2) / sxx) ** 0.5


def judge_rates(log, settle, limit):
    problems, notes = [], []
    found = list(log.differences())
    for (at, ppm), (end, _) in zip(log.rates, log.rates[1:]):
        points = [(t, d / 1000) for t, d, tsc in found
                  if at + settle * log.per_second < tsc < end]
        if len(points) < 10:
            problems.append(f"{ppm:+d} ppm: only {len(points)} readings")
            continue
        b, error = slope(points)
        worst = max(abs(d) for _, d in points)
        text = (f"{ppm:+d} ppm: {len(points)} readings over {points[-1][0] - points[0][0]:.0f} s, "
                f"slope {b:+.5f} +- {error:.5f} ppm, at most {worst:.1f} us off, "
                f"median {statistics.median(d for _, d in points):+.2f} us")
        notes.append(text)
        if abs(b) > 3 * error + limit or worst > 1000:
            problems.append(text)
    return problems, notes


def judge_own(log):
    """50 ppm of the guest's own and 5 s that it doesn't follow."""
    points = [(t, d / 1000) for t, d, tsc in log.differences() if tsc > log.steps[-1][0]]
    b, error = slope(points)
    notes = [f"slope {b:+.3f} +- {error:.3f} ppm, {points[-1][1] / 1e6:+.6f} s off"]
    good = abs(b - 50) < 5 and abs(points[-1][1] + 5e6) < 50000
    return [] if good else notes, notes


def main():
    what, folder, *numbers = sys.argv[1:]
    log = Log(pathlib.Path(folder), what)
    judges = {"steps": judge_steps, "rates": judge_rates, "own": judge_own}
    problems, notes = judges[what](log, *map(float, numbers))
    for line in [*problems, *notes]:
        print(f"# {line}")
    return 1 if problems else 0


sys.exit(main())
