# SPDX-License-Identifier: GPL-2.0
"""TAP, as ./test counts it: one line per result, reasons on lines with #."""


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, name, problems=(), notes=()):
        """Passed if `problems` is empty."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for line in [*problems, *notes]:
            print(f"# {line}")

    def end(self):
        """Prints the plan; the exit status of the group."""
        print(f"1..{self.count}")
        return 1 if self.failed else 0
