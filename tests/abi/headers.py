# SPDX-License-Identifier: GPL-2.0
"""What stands in abi/*.h: structures with their members, constants, offsets.

Nothing is listed by hand, so that a new structure can't be forgotten. What this
reader doesn't understand is an error, never skipped.
"""

import re

MEMBER = re.compile(r"^(?:struct \w+|co_[us]\d+)\s+(\w+)((?:\[[^\]]+\])*)$")
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{([^{}]*)\}\s*;")
OPENED = re.compile(r"\bstruct\s*\w*\s*\{|\bunion\s*\w*\s*\{")
OFFSET = re.compile(r"^CO_OFFSET\((\w+),\s*struct (\w+),\s*([\w.]+)\)", re.M)
DEFINE = re.compile(r"^#\s*define\s+(\w+)(\([^)]*\))?[ \t]*(.*)$", re.M)


class Unreadable(Exception):
    pass


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: " " + "\n" * m.group().count("\n"), text, flags=re.S)
    return text.replace("\\\n", " ")


def members(name, body):
    found = []
    for part in filter(None, (" ".join(p.split()) for p in body.split(";"))):
        # `co_u64 dr[4], dr6`: the type stands once
        kind, rest = re.match(r"^(struct \w+|\w+) (.*)$", part).groups()
        for declarator in rest.split(","):
            match = MEMBER.match(f"{kind} {declarator.strip()}")
            if not match:
                raise Unreadable(f"struct {name}: can't read the member '{part}'")
            found.append(match.group(1))
    return found


class Header:
    """One header: `structs` is a list of (name, members), `constants` of names,
    `strings` of names, `offsets` of (symbol, struct, member)."""

    def __init__(self, path):
        self.path = path
        text = strip_comments(path.read_text())
        self.structs = [(n, members(n, b)) for n, b in STRUCT.findall(text)]
        opened = len(OPENED.findall(text))
        if opened != len(self.structs):
            raise Unreadable(f"{path.name}: {opened} structures or unions begin, "
                             f"{len(self.structs)} could be read")
        self.offsets = OFFSET.findall(text)
        self.constants, self.strings = [], []
        for name, arguments, value in DEFINE.findall(text):
            if arguments or not value.strip():
                continue  # a macro with arguments, an include guard
            self.add(name, value.strip())

    def add(self, name, value):
        (self.strings if value.startswith('"') else self.constants).append(name)
