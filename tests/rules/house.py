# SPDX-License-Identifier: GPL-2.0
"""Rules of the house: licence lines, leftovers, links, scripts, words."""

import os
import re
import subprocess

from tree import Rule, is_source_name, matches

# Pieces, so that this file doesn't break its own rules.
LEFTOVERS = r"\b(" + "TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|#if " + "0\\b"
HOME_PATHS = r"(?<![\w.}$*:-])/(work|home/\w+|Users/\w+)(/|\b)"
BANNED = r"(?i)\b(native|virtual) kernel\b"
MAGIC = {b"\x7fELF": "an ELF file", b"MZ": "a PE file", b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz",
         b"(\xb5/\xfd": "zstd", b"QFI\xfb": "a disk image", b"!<arch>": "an archive"}


def spdx(tree):
    return [f"{name}: no SPDX-License-Identifier: GPL-2.0 in its first three lines"
            for name in tree.sources() + tree.under("guest/configs/") + tree.under(".")
            if not name.endswith((".gitignore", ".gitattributes"))
            and "SPDX-License-Identifier: GPL-2.0" not in "\n".join(tree.text(name).split("\n")[:3])]


def binaries(tree):
    found = []
    for name in tree.files:
        data = tree.data(name)
        kind = next((k for magic, k in MAGIC.items() if data.startswith(magic)), None)
        if kind or b"\0" in data and not is_bad_input(name, data):
            found.append(f"{name}: {kind or 'holds binary data'}; it is to be built, not committed")
    return found


def is_bad_input(name, data):
    """A few bytes on which a test tries a parser."""
    return name.startswith("tests/") and len(data) <= 256


def texts(tree):
    return [f for f in tree.files if f != "COPYING" and tree.is_text(f)]


def leftovers(tree):
    return matches(tree, texts(tree), LEFTOVERS, "something was left undone: '{}'", clean=str)


def home_paths(tree):
    return matches(tree, texts(tree), HOME_PATHS, "a path of somebody's machine: '{}'", clean=str)


def vocabulary(tree):
    names = [f for f in texts(tree) if not f.startswith("tests/rules/")]
    return matches(tree, names, BANNED, "say host or guest kernel, not '{}'", clean=str)


def anchor(heading):
    """A heading's anchor, as GitHub and its like make it."""
    heading = re.sub(r"[^\w\- ]", "", re.sub(r"`", "", heading.strip().lower()))
    return heading.replace(" ", "-")


def without_code(text):
    return re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text, flags=re.S | re.M)


def anchors(text):
    return {anchor(h) for h in re.findall(r"^#+ (.*)$", without_code(text), re.M)}


def link_problem(tree, name, target):
    path, _, fragment = target.partition("#")
    file = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
    if not (tree.root / file).exists():
        return f"there is no {file}"
    if fragment and file.endswith(".md") and fragment not in anchors(tree.text(file)):
        return f"{file} has no heading #{fragment}"
    return ""


def links(tree):
    found = []
    for name in [f for f in tree.files if f.endswith(".md")]:
        text = re.sub(r"`[^`\n]*`", "", without_code(tree.text(name)))
        for number, line in enumerate(text.split("\n"), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                problem = "" if re.match(r"\w+:", target) else link_problem(tree, name, target)
                if problem:
                    found.append(f"{name}:{number}: link to {target}: {problem}")
    return found


def scripts(tree):
    found = []
    for name in tree.files:
        shell = tree.interpreter(name) if tree.interpreter(name) in ("sh", "bash") else ""
        if not shell and name.endswith(".sh"):
            shell = "sh"
        if not shell:
            continue
        run = subprocess.run([shell, "-n", str(tree.root / name)], capture_output=True, text=True)
        if run.returncode:
            found.append(f"{name}: {shell} -n: {run.stderr.strip().splitlines()[-1]}")
    return found


def executables(tree):
    return [f"{name}: has an interpreter line but is not executable"
            for name in tree.files if tree.interpreter(name) and not is_source_name(name)
            and not os.access(tree.root / name, os.X_OK)]


SPDX = "/* SPDX-License-Identifier: GPL-2.0 */\n"

RULES = [
    Rule("each source file has its SPDX line", spdx, [
        ("core/planted.c", "int planted;\n"),
        ("lab/planted", "#!/bin/sh\ntrue\n"),
        ("tools/planted/Makefile", "all:\n")]),
    Rule("no binary is committed", binaries, [
        ("lab/planted.ko", "\x7fELF"), ("docs/planted.png", "a\0b"), ("tests/planted.img", "a\0b" * 100)]),
    Rule("nothing is left undone", leftovers, [
        ("core/planted.c", SPDX + "/* TO" + "DO */\n"),
        ("docs/planted.md", "FIX" + "ME later\n"),
        ("core/planted.c", SPDX + "#if " + "0\n#endif\n")]),
    Rule("no path of somebody's machine", home_paths, [
        ("lab/planted", "#!/bin/sh\ncd /ho" + "me/me/x\n"),
        ("docs/planted.md", "see `/wo" + "rk/x`\n")]),
    Rule("host and guest, no other names for the two kernels", vocabulary, [
        ("docs/planted.md", "the virtual kernel\n"),
        ("core/planted.c", SPDX + "/* the Native kernel */\n")]),
    Rule("links in the documents lead somewhere", links, [
        ("docs/planted.md", "[x](nowhere.md)\n"),
        ("docs/planted.md", "# A\n[x](#b)\n")]),
    Rule("shell scripts parse", scripts, [
        ("lab/planted", "#!/bin/sh\nif true\n"),
        ("lab/planted.sh", "f( {\n"),
        ("lab/planted", "#!/usr/bin/env bash\nx=(1\n")]),
    Rule("scripts are executable", executables, [
        ("lab/planted", "#!/bin/sh\ntrue\n")]),
]
