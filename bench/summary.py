# SPDX-License-Identifier: GPL-2.0
"""From measured lines to results.

A measured line is "ROUND SIDE WORKLOAD UNIT BETTER VALUE", SIDE being `native`
or `guest`. Times scatter, and drift while a run goes on; so both sides alternate,
and what is compared are the two values of one round.
"""

SIDES = ("native", "guest")


class BadLine(Exception):
    pass


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """Half the distance between the quartiles, as a share of the median."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not half or not median(ordered):
        return 0.0
    low, high = median(ordered[:half]), median(ordered[-half:])
    return (high - low) / 2 / abs(median(ordered))


def parse(lines):
    """{workload: {"unit", "better", "native": {round: value}, "guest": {...}}},
    in the order of the lines."""
    found = {}
    for line in filter(None, (l.strip() for l in lines)):
        words = line.split()
        try:
            number, side, name, unit, better, value = words
            number, value = int(number), float(value)
        except ValueError:
            raise BadLine(f"not a measured line: '{line}'") from None
        if side not in SIDES or better not in ("lower", "higher"):
            raise BadLine(f"not a measured line: '{line}'")
        entry = found.setdefault(name, {"unit": unit, "better": better, "native": {}, "guest": {}})
        if number in entry[side]:
            raise BadLine(f"measured twice: '{line}'")
        entry[side][number] = value
    return found


def compare(name, entry):
    """One result. Without a native side there is no ratio, and the spread is that
    of the guest's values."""
    native, guest = entry["native"], entry["guest"]
    both = sorted(set(native) & set(guest))
    ratios = [guest[n] / native[n] for n in both if native[n]]
    side = {s: round(median(entry[s].values()), 3) if entry[s] else None for s in SIDES}
    return {
        "workload": name,
        "unit": entry["unit"],
        "better": entry["better"],
        **side,
        "ratio": round(median(ratios), 4) if ratios else None,
        "spread": round(spread(ratios or list((guest or native).values())), 4),
        "rounds": len(both) or max(len(native), len(guest)),
    }


def results(lines):
    return [compare(name, entry) for name, entry in parse(lines).items()]


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def human(value, unit):
    if value is None:
        return "-"
    if unit == "ns" and value >= 1e6:
        return f"{short(value / 1e6)} ms"
    if unit == "ns" and value >= 1e3:
        return f"{short(value / 1e3)} us"
    return f"{short(value)} {unit}"


def table(rows):
    lines = [f"{'workload':<16} {'native':>18} {'guest':>18} {'guest/native':>13} {'spread':>8}"]
    for r in rows:
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
        lines.append(f"{r['workload']:<16} {human(r['native'], r['unit']):>18} "
                     f"{human(r['guest'], r['unit']):>18} {ratio:>13} {r['spread'] * 100:>6.0f} %")
    return "\n".join(lines)
