# SPDX-License-Identifier: GPL-2.0
"""The source tree as the rules see it: its files, and a rule with its plants."""

import os
import pathlib
import re
import subprocess
from dataclasses import dataclass, field
from typing import Callable

SKIPPED_FOLDERS = {".git", "build", "__pycache__"}


def listed_by_git(root):
    """Committed files and new ones that aren't ignored; None without git."""
    run = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--cached",
           "--others", "--exclude-standard"]
    try:
        out = subprocess.run(run, capture_output=True, check=True).stdout.decode()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return [name for name in out.split("\0") if name and (root / name).is_file()]


def listed_by_walk(root):
    names = []
    for folder, below, files in os.walk(root):
        below[:] = [b for b in below if b not in SKIPPED_FOLDERS]
        names += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return names


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        names = listed_by_git(self.root) if (self.root / ".git").exists() else None
        self.files = sorted(set(listed_by_walk(self.root) if names is None else names))

    def data(self, name):
        return (self.root / name).read_bytes()

    def text(self, name):
        return self.data(name).decode("utf-8", "replace")

    def under(self, *folders, suffix=""):
        return [f for f in self.files if f.startswith(folders) and f.endswith(suffix)]

    def is_text(self, name):
        return b"\0" not in self.data(name)

    def interpreter(self, name):
        """`sh`, `bash`, `python3`, ... of a script's first line, or ''."""
        match = re.match(rb"#! *(?:/usr/bin/env +)?(?:\S*/)?(\S+)", self.data(name)[:80])
        return match.group(1).decode() if match else ""

    def sources(self):
        """What people write: C, assembler, scripts, make and Kconfig files."""
        return [f for f in self.files if is_source_name(f) or self.interpreter(f)]


def is_source_name(name):
    base = os.path.basename(name)
    return bool(re.search(r"\.(c|h|S|lds|sh|py|mk)$", base)
                or re.match(r"(Makefile|Kbuild|Kconfig)(\..*)?$", base))


def code_only(text):
    """C without comments, strings and character constants; lines stay."""
    def blank(match):
        s = match.group()
        return "\n" * s.count("\n") if s.startswith("/") else '""'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  blank, text, flags=re.S)


def matches(tree, names, pattern, say, clean=code_only):
    """'file:line: say' for each line in which the pattern is found."""
    found = []
    for name in names:
        for number, line in enumerate(clean(tree.text(name)).split("\n"), 1):
            hit = re.search(pattern, line)
            if hit:
                found.append(f"{name}:{number}: {say.format(hit.group().strip())}")
    return found


@dataclass
class Report:
    problems: list = field(default_factory=list)  # the rule is broken
    warnings: list = field(default_factory=list)
    facts: list = field(default_factory=list)


@dataclass
class Rule:
    name: str
    check: Callable  # Tree -> Report or list of problems
    # violations for the self-test: (path, text), or (path, function of the old text)
    plants: list

    def run(self, tree):
        answer = self.check(tree)
        return answer if isinstance(answer, Report) else Report(problems=answer)
